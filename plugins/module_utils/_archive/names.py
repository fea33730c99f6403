# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The names of backups: shop_2026-11-22_101500, of which database, begun when, and which of several in that second.

Private to the collection.
"""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone

from ansible_collections.dbops.recovery.plugins.module_utils._archive import codec

ARCHIVE_SUFFIXES = tuple(codec.SUFFIXES.values())
# File systems take 255 bytes; the moment and ".manifest.json.partial" need some of them.
_LONGEST_STEM = 200
_NAME = re.compile(r"(.+)_(\d{4}-\d\d-\d\d_\d{6})(?:-(\d+))?", re.ASCII)
_WRITES = re.compile(r"(.+)\.writes(?:-\d+)?")


@dataclass(frozen=True)
class Name:
    """What a backup's name says: the database as file_safe writes it, the moment, the number in that second."""

    database: str
    started: datetime
    number: int


def stem(file_name: str) -> str:
    """Return a file name without the suffix of an archive; unchanged if it has none."""
    for suffix in ARCHIVE_SUFFIXES:
        if file_name.endswith(suffix):
            return file_name[: -len(suffix)]
    return file_name


def file_safe(database: str) -> str:
    """Given a schema's name, return it fit for a file's name: other characters as =XX of their UTF-8 bytes.

    One that a file system would not take for its length ends with a checksum of the whole.
    """
    kept = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
    name = database.encode("utf-8", "surrogateescape")
    safe = "".join(chr(byte) if byte in kept else f"={byte:02X}" for byte in name)
    return (
        safe if len(safe) <= _LONGEST_STEM else f"{safe[: _LONGEST_STEM - 17]}={hashlib.sha256(name).hexdigest()[:16]}"
    )


def candidates(database: str, moment: datetime) -> Iterator[str]:
    """Yield the names for a backup begun at that moment, the preferred one first."""
    base = f"{file_safe(database)}_{moment.astimezone(timezone.utc):%Y-%m-%d_%H%M%S}"
    yield base
    for number in itertools.count(2):
        yield f"{base}-{number}"


def writes_candidates(backup: str) -> Iterator[str]:
    """Yield the names for what was written after a backup and went with its restore: "shop_..._101500.writes"."""
    yield f"{backup}.writes"
    for number in itertools.count(2):
        yield f"{backup}.writes-{number}"


def backup_of_writes(file_name: str) -> str | None:
    """Return the name of the backup that a file has the writes since; None where it is no such file."""
    match = _WRITES.fullmatch(stem(file_name))
    return match[1] if match and stem(file_name) != file_name and parse(match[1]) else None


def parse(name: str) -> Name | None:
    """Read a backup's name (without suffix); None where it is not one of ours."""
    match = _NAME.fullmatch(name)
    if not match:
        return None
    try:
        started = datetime.strptime(match.group(2), "%Y-%m-%d_%H%M%S").replace(tzinfo=timezone.utc)
    except ValueError:
        return None
    return Name(match.group(1), started, int(match.group(3) or 1))


def number_of(name: str) -> int:
    """Return which of the backups begun in the same second a name stands for; 1 for any other name."""
    parsed = parse(name)
    return parsed.number if parsed else 1
