# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The mark of a restore in place, in the backup directory from before it drops anything until it has come to its end.

Who finds one knows that the database may be half of the one and half of the other, and where the whole of it is. A swap
needs none: the server itself holds what it does.

Private to the collection.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import socket
from dataclasses import asdict, dataclass, field

from ansible_collections.dbops.recovery.plugins.module_utils._archive import names
from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError, os_error
from ansible_collections.dbops.recovery.plugins.module_utils._files import write_whole
from ansible_collections.dbops.recovery.plugins.module_utils._units import show_time, utc_now


@dataclass(frozen=True)
class Unfinished:
    """A restore in place that has not come to its end.

    Attributes:
        directory: where its mark stands.
        database: the database.
        server: which one, as server.identity() has it; several may have a database of that name.
        backup: the path of what it restores.
        safety_backup: the path of what was there before; None where that was not kept.
        routine_grants: the rights on its routines; None where nobody could see them.
        started, host, process: when, and who.
    """

    directory: str
    database: str
    server: str
    backup: str
    safety_backup: str | None
    routine_grants: list | None
    started: str = field(default_factory=lambda: show_time(utc_now()))
    host: str = field(default_factory=socket.gethostname)
    process: int = field(default_factory=os.getpid)

    @property
    def path(self) -> str:
        """Where its mark stands."""
        return _path(self.directory, self.database, self.server)

    def describe(self) -> str:
        """Return it in words."""
        return (
            f"the restore of {self.database} in place from {self.backup}, begun {self.started} by process "
            f"{self.process} on {self.host}, has not come to its end"
        )


def _path(directory: str, database: str, server: str) -> str:
    number = hashlib.sha256(server.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return os.path.join(directory, f".{names.file_safe(database)}.{number}.in-place.json")


def find(directory: str, database: str, server: str) -> Unfinished | None:
    """Return what a mark says; None where there is none. Raise RecoveryError when it cannot be read."""
    path = _path(directory, database, server)
    try:
        with open(path, encoding="utf-8") as file:
            return Unfinished(directory, **json.load(file))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise os_error("The mark of a restore in place cannot be read", error) from error
    except (ValueError, TypeError) as error:
        raise RecoveryError(
            f"{path} is the mark of a restore in place that has not come to its end, and cannot be understood. See "
            f"whether {database} is whole, then remove that file."
        ) from error


def begin(mark: Unfinished) -> bool:
    """Write a mark, unless one stands there: that one knows of the last state that was whole. Return whether.

    Raise RecoveryError; nothing may be dropped then.
    """
    if os.path.exists(mark.path):
        return False
    content = asdict(mark)
    del content["directory"]
    try:
        write_whole(mark.path, (json.dumps(content, indent=2) + "\n").encode(), 0o600)
    except OSError as error:
        raise os_error("The mark of a restore in place cannot be written", error) from error
    return True


def end(directory: str, database: str, server: str) -> None:
    """Remove the mark, if there is one. Raise RecoveryError."""
    try:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(_path(directory, database, server))
    except OSError as error:
        raise os_error(f"The mark of a restore of {database} in place cannot be removed", error) from error
