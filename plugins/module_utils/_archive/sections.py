# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read some sections of an archive without the rest: each is a compressed member, and the manifest says where.

Private to the collection.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator

from ansible_collections.dbops.recovery.plugins.module_utils._archive import codec
from ansible_collections.dbops.recovery.plugins.module_utils._archive.catalog import Backup
from ansible_collections.dbops.recovery.plugins.module_utils._archive.dump import Section
from ansible_collections.dbops.recovery.plugins.module_utils._archive.manifest import describe_section
from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError, os_error


def read_sections(backup: Backup, entries: Iterable[dict]) -> Iterator[Section]:
    """Yield the sections that these entries of a manifest's list describe, in their order.

    Neighbours are read in one go. At most one section is in memory. Raise RecoveryError when one is not what the
    manifest says.
    """
    compression = backup.manifest["archive"]["compression"]
    try:
        with open(backup.path, "rb") as file:
            for run in _runs(entries):
                file.seek(run[0]["offset"])
                window = io.BufferedReader(_Window(file, sum(entry["stored_bytes"] for entry in run)))
                yield from _cut(backup, run, codec.decompressed(window, compression))
    except codec.DamagedStream as error:
        raise RecoveryError(f"{backup.path} is damaged: {error}.") from error
    except OSError as error:
        raise os_error(f"{backup.path} cannot be read", error) from error


def _runs(entries: Iterable[dict]) -> Iterator[list[dict]]:
    """Group entries that follow on each other in the file."""
    run: list[dict] = []
    for entry in entries:
        if run and run[-1]["offset"] + run[-1]["stored_bytes"] != entry["offset"]:
            yield run
            run = []
        run.append(entry)
    if run:
        yield run


def _cut(backup: Backup, run: list[dict], blocks: Iterator[bytes]) -> Iterator[Section]:
    pending = bytearray()
    for entry in run:
        while len(pending) < entry["plain_bytes"]:
            block = next(blocks, None)
            if block is None:
                raise RecoveryError(f"{backup.path} ends in the middle of {describe_section(entry)}.")
            pending += block
        # Nothing here holds on to a section while the next one is read.
        yield _section(backup, entry, pending)


def _section(backup: Backup, entry: dict, pending: bytearray) -> Section:
    """Take a section from the beginning of what is pending."""
    data = bytes(memoryview(pending)[: entry["plain_bytes"]])
    del pending[: entry["plain_bytes"]]
    if hashlib.sha256(data).hexdigest() != entry["sha256"]:
        raise RecoveryError(
            f"{backup.path} is not what its manifest says: {describe_section(entry)} has another checksum."
        )
    return Section(entry["kind"], entry.get("object"), data)


class _Window(io.RawIOBase):
    """The next bytes of a file, as a file that ends after them."""

    def __init__(self, file: io.BufferedReader, count: int):
        super().__init__()
        self._file = file
        self._left = count

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:
        data = self._file.read(min(len(buffer), self._left))
        buffer[: len(data)] = data
        self._left -= len(data)
        return len(data)
