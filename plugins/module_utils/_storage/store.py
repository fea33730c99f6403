# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every off-site place can do: the seam between the actions and S3 or a mounted disk.

A store is flat, like a backup directory: an archive and its manifest side by side, under their own names.

Private to the collection.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError


class AlreadyThere(RecoveryError):
    """Something has the name already under which something was to be stored; it was left alone."""


@dataclass(frozen=True)
class Stored:
    """A file in a store.

    Attributes:
        size: bytes.
        modified: when it was stored.
        sha256: of its bytes, as noted when it was stored; None where the store keeps no such note.
        locked: until when it cannot be deleted, in words; None where nothing locks it.
    """

    name: str
    size: int
    modified: datetime
    sha256: str | None = None
    locked: str | None = None


class Store(Protocol):
    """An off-site place. Every method raises RecoveryError that names the place and says what to do."""

    url: str

    def files(self) -> list[Stored]:
        """Return what is there (without sha256 and lock), completely or not at all."""

    def look(self, name: str) -> Stored | None:
        """Return one file with all that is known of it; None where it is not there."""

    def read(self, name: str) -> bytes:
        """Return the bytes of a small file."""

    def write(self, name: str, content: bytes) -> None:
        """Store a small file; one that has the name is replaced, whole at any moment."""

    def upload(self, path: str, name: str, sha256: str, notes: dict[str, str]) -> None:
        """Store a local file under a name that is free, with notes beside it where the store can keep them.

        The name appears when all of it is there. Raise AlreadyThere when something has the name by then.
        """

    def download(self, name: str, offset: int = 0) -> Iterator[bytes]:
        """Yield the bytes of a file from an offset; interruptions of the connection are mended on the way."""

    def delete(self, names: list[str]) -> dict[str, str]:
        """Delete files for good, all their versions. Return those that stay because they are locked, and until when.

        A file that is not there counts as deleted.
        """

    def sweep(self, older_than: timedelta) -> list[str]:
        """Remove what interrupted uploads left that began longer ago than this; return what it was, in words."""
