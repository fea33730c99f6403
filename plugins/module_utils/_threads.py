# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Threads that run beside the work, and never stand in its way.

Private to the collection.
"""

from __future__ import annotations

import signal
import threading
from typing import Callable

_SIGNALS = {signal.SIGALRM, signal.SIGHUP, signal.SIGINT, signal.SIGTERM}


def start_beside(target: Callable[[], None]) -> threading.Thread:
    """Start a daemon thread that takes no signal. Call this from the main thread.

    The system may give a signal to any thread. Python answers it in the main one, and that, waiting for something, is
    not woken where another one has got it: whoever was told to end would not.
    """
    thread = threading.Thread(target=target, daemon=True)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        # It inherits what is blocked.
        thread.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return thread
