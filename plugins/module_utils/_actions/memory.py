# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What this host left in each place that it pruned, so that the next run sees what has gone since.

It is kept on the host and not in the place: with another disk under the mount point or another server behind the
address it would be gone, too, and nothing would be missed. There is a file for each place and database, so that two who
prune at once do not meet.

    STATE/pruned/PLACE/DATABASE.json    {"place": ..., "database": ..., "time": ..., "names": [...]}

Private to the collection.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from ansible_collections.dbops.recovery.plugins.module_utils._archive import names
from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError, os_error
from ansible_collections.dbops.recovery.plugins.module_utils._files import write_whole
from ansible_collections.dbops.recovery.plugins.module_utils._retention import Item, Memory
from ansible_collections.dbops.recovery.plugins.module_utils._units import parse_time, show_time

_SUFFIX = ".json"


class Memories:
    """What is remembered of one place.

    Args:
        state_directory: where this host remembers; None: where the system wants such things.
        place: what tells it from every other place.
        database: only this one's; None: every database's.
    """

    def __init__(self, state_directory: str | None, place: str, database: str | None):
        self._place = place
        self._database = names.file_safe(database) if database is not None else None
        self._directory = os.path.join(state_directory or _state_directory(), "pruned", names.file_safe(place))

    def recall(self) -> dict[str, Memory]:
        """Return what was there after the last run, by database. Raise RecoveryError when it cannot be read."""
        return {database: self._read(database) for database in self._noted()}

    def remember(self, moment: datetime, items: Iterable[Item]) -> None:
        """Note what is there now, in the place of what was noted. Raise RecoveryError when that cannot be written."""
        left = defaultdict(list)
        for item in items:
            left[item.database].append(item.name)
        try:
            os.makedirs(self._directory, mode=0o700, exist_ok=True)
            for database in self._noted() - left.keys():
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(self._path(database))
            for database, there in left.items():
                note = {"place": self._place, "database": database, "time": show_time(moment), "names": sorted(there)}
                write_whole(self._path(database), json.dumps(note, indent=1).encode() + b"\n")
        except OSError as error:
            raise os_error(
                f"Nothing was deleted from {self._place}, since what stays there cannot be noted (state_directory)",
                error,
            ) from error

    def _noted(self) -> set[str]:
        try:
            found = os.listdir(self._directory)
        except FileNotFoundError:
            return set()
        except OSError as error:
            raise os_error(f"What {self._place} had cannot be looked up", error) from error
        databases = {entry[: -len(_SUFFIX)] for entry in found if entry.endswith(_SUFFIX)}
        return databases if self._database is None else databases & {self._database}

    def _path(self, database: str) -> str:
        return os.path.join(self._directory, database + _SUFFIX)

    def _read(self, database: str) -> Memory:
        path = self._path(database)
        try:
            with open(path, "rb") as file:
                note = json.load(file)
            named = [(name, names.parse(name)) for name in note["names"]]
            items = [Item(name, parsed.database, parsed.started, parsed.number) for name, parsed in named]
            return Memory(parse_time(note["time"]), tuple(items))
        except OSError as error:
            raise os_error(f"What {self._place} had of {database} cannot be read", error) from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise RecoveryError(
                f"{path}, which notes what {self._place} had of {database}, is damaged ({error}). Nothing was deleted. "
                "Look whether all backups are there, and remove the file: then what is there counts."
            ) from error


def _state_directory() -> str:
    """Return where this user's programs keep what must outlive them (XDG Base Directory Specification, FHS 5.8)."""
    home = os.environ.get("XDG_STATE_HOME")
    if not home:
        home = "/var/lib" if os.geteuid() == 0 else os.path.expanduser("~/.local/state")
    return os.path.join(home, "dbops.recovery")
