# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one family of errors: each says what was tried, on what, what came back and what to do next.

Private to the collection.
"""

from __future__ import annotations

import os


class RecoveryError(Exception):
    """Something that was asked for cannot be done, in words for the person who asked.

    Args:
        message: what was attempted, on what, what came back, what to do next.
        result: values that the module returns along with the message (a verdict, an outcome).
    """

    def __init__(self, message: str, result: dict | None = None):
        super().__init__(message)
        self.result = result or {}


class Interrupted(RecoveryError):
    """A signal asked the module to stop; what it had begun has been cleaned up on the way out."""


def os_error(doing: str, error: OSError) -> RecoveryError:
    """Given what was being done and the system's error, return the error to raise instead."""
    path = error.filename if error.filename is not None else ""
    where = f" ({os.fsdecode(path)})" if path else ""
    return RecoveryError(f"{doing}: {error.strerror or error}{where}.")
