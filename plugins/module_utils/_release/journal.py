# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The journal: one JSON object a line, appended and never rewritten, so that a killed run leaves all that it had noted.

Private to the collection.
"""

from __future__ import annotations

import json
import os
from datetime import datetime, timezone
from typing import Any

from ansible_collections.dbops.recovery.plugins.module_utils._errors import os_error


def read_journal(path: str) -> list[dict[str, Any]]:
    """Return the journal's entries, oldest first; none when there is no journal.

    A line that is no JSON object is passed over: the write of the last line may have been cut off.
    """
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            lines = stream.readlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise os_error("Reading the journal", error) from error
    entries = []
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict):
            entries.append(entry)
    return entries


def append_to_journal(path: str, entry: dict[str, Any]) -> None:
    """Append one entry and wait until it is on disk. A line that was cut off before is closed first."""
    line = json.dumps(entry, sort_keys=False, ensure_ascii=False, default=str).encode() + b"\n"
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o640)
        try:
            size = os.fstat(descriptor).st_size
            if size and os.pread(descriptor, 1, size - 1) != b"\n":
                line = b"\n" + line
            try:
                # On a disk that runs full the system takes the first bytes without a word, and refuses the rest.
                while line:
                    line = line[os.write(descriptor, line) :]
                os.fsync(descriptor)
            except OSError:
                os.ftruncate(descriptor, size)
                raise
        finally:
            os.close(descriptor)
    except OSError as error:
        raise os_error("Writing the journal", error) from error


def now() -> str:
    """Return the present moment in UTC: "2026-11-22T10:15:00.123Z"."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
