# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What files need that must survive a power cut.

Private to the collection.
"""

from __future__ import annotations

import os

# Ends the name of a file that is not whole yet.
PARTIAL = ".partial"


def sync_directory(path: str) -> None:
    """Make what was renamed or created in a directory survive a power cut. Raise OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
