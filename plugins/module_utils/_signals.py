# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The signals that ask a module to end: when they are heeded, and when what is being done must come to its end first.

Private to the collection.
"""

from __future__ import annotations

import signal
from typing import Any

from ansible_collections.dbops.recovery.plugins.module_utils._errors import Interrupted

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def heed() -> None:
    """From now on the first of them raises Interrupted in the main thread, and those after it are ignored."""
    for each in _SIGNALS:
        signal.signal(each, _interrupt)


def ignore() -> None:
    """From now on none of them changes anything."""
    for each in _SIGNALS:
        signal.signal(each, signal.SIG_IGN)


def _interrupt(number: int, frame: Any) -> None:
    # Raised in the main thread, so that every "finally" on the way out ends its child and removes its partial file. A
    # second signal must not interrupt that.
    ignore()
    raise Interrupted(f"Interrupted by {signal.Signals(number).name}.")
