# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""backup_info: what is in a backup directory, and what is wrong with it.

Private to the collection.
"""

from __future__ import annotations

import os
from datetime import datetime, timezone

from ansible_collections.dbops.recovery.plugins.module_utils._archive import catalog, codec, manifest
from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError, os_error
from ansible_collections.dbops.recovery.plugins.module_utils._units import parse_time, show_time, utc_now

COMPLETE = "complete"
DAMAGED = "damaged"
FOREIGN = "foreign"
PARTIAL = "partial"


def list_backups(options: dict, check_mode: bool) -> dict:
    """List a directory as backup_info's options say; return its result. Raise RecoveryError."""
    directory = os.path.abspath(options["directory"])
    try:
        entries = set(os.listdir(directory))
    except OSError as error:
        raise os_error("The backup directory cannot be read", error) from error
    now = utc_now()
    found = [_describe(directory, entry, entries, now) for entry in entries if _is_one(entry, entries)]
    if options["database"]:
        found = [each for each in found if _belongs(each, options["database"])]
    found.sort(key=lambda each: (each["started"], each["name"]), reverse=True)
    return {"changed": False, "backups": found}


def _belongs(described: dict, database: str) -> bool:
    # What is damaged or unfinished names no database; its file's name does.
    if described["database"] is None:
        return described["name"].startswith(f"{catalog.file_safe(database)}_")
    return described["database"] == database


def _is_one(entry: str, entries: set[str]) -> bool:
    """Whether a file stands for a backup: a manifest, an archive without one, or what an interrupted run left."""
    if entry.endswith(manifest.SUFFIX):
        return True
    if entry.endswith(catalog.PARTIAL):
        return any(entry.endswith(suffix + catalog.PARTIAL) for suffix in codec.SUFFIXES.values())
    stem = catalog.stem(entry)
    return stem != entry and stem + manifest.SUFFIX not in entries


def _describe(directory: str, entry: str, entries: set[str], now: datetime) -> dict:
    path = os.path.join(directory, entry)
    if not entry.endswith(manifest.SUFFIX):
        state, problem = FOREIGN, "it has no manifest, so it is not known whether it is whole"
        if entry.endswith(catalog.PARTIAL):
            state, problem = PARTIAL, "it is being made, or was interrupted; then the next backup removes it"
        return _aged(_unknown(path, catalog.stem(entry), state, problem), now)
    try:
        content = manifest.read(path)
        return _aged(_known(directory, content, entries), now)
    except RecoveryError as error:
        return _aged(_unknown(path, entry[: -len(manifest.SUFFIX)], DAMAGED, str(error)), now)


def _unknown(path: str, name: str, state: str, problem: str) -> dict:
    # Not what a link leads to: it may be gone, and so may the file by now.
    status = os.lstat(path) if os.path.lexists(path) else None
    return {
        "name": name,
        "path": path,
        "database": None,
        "state": state,
        "problem": problem,
        "started": show_time(datetime.fromtimestamp(int(status.st_mtime) if status else 0, timezone.utc)),
        "size_bytes": status.st_size if status else 0,
        "pinned": False,
        "labels": {},
        "verified": None,
    }


def _known(directory: str, content: dict, entries: set[str]) -> dict:
    backup = catalog.Backup(os.path.join(directory, content["archive"]["file"]), content)
    problem = None
    if content["archive"]["file"] not in entries or not os.path.isfile(backup.path):
        problem = f"its archive {content['archive']['file']} is missing"
    elif os.path.getsize(backup.path) != content["archive"]["stored_bytes"]:
        problem = (
            f"its archive has {os.path.getsize(backup.path)} bytes, the manifest says "
            f"{content['archive']['stored_bytes']}"
        )
    described = backup.describe()
    return {
        **described,
        "state": DAMAGED if problem else COMPLETE,
        "problem": problem,
        "verified": _last_verification(content),
    }


def _last_verification(content: dict) -> dict | None:
    """Return when, where, how far and with what result a backup was verified last."""
    for entry in reversed(content.get("verifications", [])):
        return {key: entry.get(key) for key in ("time", "host", "level", "verified")}
    return None


def _aged(described: dict, now: datetime) -> dict:
    return {**described, "age_seconds": int((now - parse_time(described["started"])).total_seconds())}
