# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A directory as a store: a mounted disk or network share, or the backup directory itself.

Private to the collection.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

from ansible_collections.dbops.recovery.plugins.module_utils import _progress
from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError, os_error
from ansible_collections.dbops.recovery.plugins.module_utils._files import BLOCK_BYTES, PARTIAL, sync_directory
from ansible_collections.dbops.recovery.plugins.module_utils._storage.store import AlreadyThere, Stored


class DirectoryStore:
    """Files in one directory. See Store for its methods.

    Args:
        path: the directory. It is never made: an empty mount point must not be taken for the disk.
        bandwidth: bytes per second at most; None: as fast as it goes.
        name: what messages call it, by default its URL.
    """

    def __init__(self, path: str, bandwidth: int | None = None, name: str | None = None):
        self.url = name or f"file://{path}"
        self._path = path
        self._bandwidth = bandwidth

    def files(self) -> list[Stored]:
        with self._doing("listed"):
            found = [(entry.name, entry.stat()) for entry in os.scandir(self._path) if entry.is_file()]
        return [_stored(name, status) for name, status in found if not name.startswith(".")]

    def look(self, name: str) -> Stored | None:
        with self._doing("looked into"):
            if not os.path.isfile(self._at(name)):
                # A share that is not mounted has no files either.
                os.listdir(self._path)
                return None
            return _stored(name, os.stat(self._at(name)))

    def read(self, name: str) -> bytes:
        with self._doing("read from"), open(self._at(name), "rb") as file:
            return file.read()

    def write(self, name: str, content: bytes) -> None:
        with self._doing("written to"), self._beside(name) as (partial, descriptor):
            with open(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(partial, self._at(name))
            sync_directory(self._path)

    def upload(self, path: str, name: str, sha256: str, notes: dict[str, str]) -> None:
        with self._doing("written to"), self._beside(name) as (partial, descriptor):
            with open(descriptor, "wb") as there, open(path, "rb") as here:
                self._copy(here, there)
                there.flush()
                os.fsync(there.fileno())
            self._publish(partial, name)
            sync_directory(self._path)

    def download(self, name: str, offset: int = 0) -> Iterator[bytes]:
        with self._doing("read from"), open(self._at(name), "rb") as file:
            file.seek(offset)
            while block := file.read(BLOCK_BYTES):
                yield block

    def delete(self, names: list[str]) -> dict[str, str]:
        with self._doing("deleted from"):
            for name in names:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(self._at(name))
            sync_directory(self._path)
        return {}

    def sweep(self, older_than: timedelta) -> list[str]:
        limit = time.time() - older_than.total_seconds()
        with self._doing("swept"):
            stale = [
                entry.name
                for entry in os.scandir(self._path)
                if entry.name.startswith(".") and entry.name.endswith(PARTIAL) and entry.stat().st_mtime < limit
            ]
            for name in stale:
                os.unlink(self._at(name))
        return sorted(stale)

    def _at(self, name: str) -> str:
        return os.path.join(self._path, name)

    def _copy(self, here, there) -> None:
        started, count = time.monotonic(), 0
        while block := here.read(BLOCK_BYTES):
            there.write(block)
            count += len(block)
            _progress.advance(len(block))
            if self._bandwidth:
                time.sleep(max(0.0, started + count / self._bandwidth - time.monotonic()))

    @contextlib.contextmanager
    def _beside(self, name: str) -> Iterator[tuple[str, int]]:
        """Open a file that is only ours, to be renamed when it is whole; it is gone afterwards."""
        # Two that upload the same backup do not write into one file.
        partial = self._at(f".{name}.{socket.gethostname()}.{os.getpid()}{PARTIAL}")
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            yield partial, descriptor
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(partial)

    def _publish(self, partial: str, name: str) -> None:
        """Give a whole file its name without replacing another, as far as the file system can."""
        try:
            os.link(partial, self._at(name))
        except FileExistsError:
            raise AlreadyThere(f"{self.url} has a file {name} already.") from None
        except OSError:
            # Many network file systems have no hard links.
            if os.path.lexists(self._at(name)):
                raise AlreadyThere(f"{self.url} has a file {name} already.") from None
            os.rename(partial, self._at(name))

    @contextlib.contextmanager
    def _doing(self, what: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            if os.path.isdir(self._path):
                raise os_error(f"The store {self.url} cannot be {what}", error) from error
            raise RecoveryError(
                f"The store {self.url} is not there: this host has no directory {self._path}. Is the disk mounted? A "
                "store's directory is never made by itself, so that nothing is written below an empty mount point."
            ) from error
        except OSError as error:
            raise os_error(f"The store {self.url} cannot be {what}", error) from error


def _stored(name: str, status: os.stat_result) -> Stored:
    return Stored(name, status.st_size, datetime.fromtimestamp(status.st_mtime, timezone.utc))
