# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What several parts do with files: make them survive a power cut, hash them, see how much room there is.

Private to the collection.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import tempfile
from typing import Any, BinaryIO, Callable

# Ends the name of a file that is not whole yet.
PARTIAL = ".partial"
# What is read or written at once.
BLOCK_BYTES = 1024 * 1024


def sync_directory(path: str) -> None:
    """Make what was renamed or created in a directory survive a power cut. Raise OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_whole(path: str, content: bytes, mode: int | None = None) -> None:
    """Write a file so that its name holds the old content or the new one, whole, at any moment. Raise OSError.

    Args:
        mode: of the file. Without it a new one has 0600, and one that is written again keeps its owner and mode.
    """
    # A name that nobody can foresee: the directory need not be ours alone, and two may write at once.
    descriptor, partial = tempfile.mkstemp(PARTIAL, f"{os.path.basename(path)}.", os.path.dirname(path))
    try:
        with open(descriptor, "wb") as file:
            if mode is not None:
                # Whatever the umask is.
                os.fchmod(descriptor, mode)
            elif os.path.exists(path):
                before = os.stat(path)
                os.fchown(descriptor, before.st_uid, before.st_gid)
                os.fchmod(descriptor, stat.S_IMODE(before.st_mode))
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        os.replace(partial, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(partial)
    sync_directory(os.path.dirname(path))


def free_bytes(path: str) -> int:
    """Return how many bytes a user may still write where a file or directory lies. Raise OSError."""
    disk = os.statvfs(path)
    return disk.f_bavail * disk.f_frsize


def hash_to_end(file: BinaryIO, count: Callable[[int], None] = lambda _bytes: None) -> Any:
    """Read a file from where it stands to its end; return the SHA-256 object of what was read. Raise OSError.

    After each block count is called with its length.
    """
    digest = hashlib.sha256()
    while block := file.read(BLOCK_BYTES):
        digest.update(block)
        count(len(block))
    return digest
