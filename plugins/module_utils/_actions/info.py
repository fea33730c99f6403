# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""backup_info: what is in a backup directory and in stores, what is wrong with it, and where each backup has copies.

Private to the collection.
"""

from __future__ import annotations

import os
from datetime import datetime, timezone

from ansible_collections.dbops.recovery.plugins.module_utils import _progress
from ansible_collections.dbops.recovery.plugins.module_utils._actions.places import Pair, at_once, look_at, manifest_of
from ansible_collections.dbops.recovery.plugins.module_utils._archive import catalog, codec, manifest, names
from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError, os_error
from ansible_collections.dbops.recovery.plugins.module_utils._files import PARTIAL as PARTIAL_SUFFIX
from ansible_collections.dbops.recovery.plugins.module_utils._storage.store import Store, Stored
from ansible_collections.dbops.recovery.plugins.module_utils._storage.stores import open_store
from ansible_collections.dbops.recovery.plugins.module_utils._units import parse_time, show_time, utc_now

COMPLETE = "complete"
DAMAGED = "damaged"
FOREIGN = "foreign"
PARTIAL = "partial"


def list_backups(options: dict, check_mode: bool) -> dict:
    """List places as backup_info's options say; return its result. Raise RecoveryError."""
    if not options["directory"] and not options["stores"]:
        # An empty list would be taken for a place without backups.
        raise RecoveryError("There is no place to look at: name one by directory, stores or both.")
    found = _in_directory(os.path.abspath(options["directory"])) if options["directory"] else []
    for each in options["stores"]:
        found += _in_store(open_store(each))
    if options["database"]:
        found = [each for each in found if _belongs(each, options["database"])]
    now = utc_now()
    backups = [_aged(each, now) for each in _merged(found)]
    backups.sort(key=lambda each: (each["started"], each["name"]), reverse=True)
    work = [each for each in _progress.running() if options["database"] in (None, each["database"])]
    return {"changed": False, "backups": backups, "running": work}


def _belongs(described: dict, database: str) -> bool:
    # What is damaged or unfinished names no database; its file's name does.
    if described["database"] is None:
        return described["name"].startswith(f"{names.file_safe(database)}_")
    return described["database"] == database


def _in_directory(directory: str) -> list[dict]:
    try:
        entries = set(os.listdir(directory))
    except OSError as error:
        raise os_error("The backup directory cannot be read", error) from error
    return [
        {**_describe(directory, entry, entries), "copies": [directory]} for entry in entries if _is_one(entry, entries)
    ]


def _is_one(entry: str, entries: set[str]) -> bool:
    """Whether a file stands for a backup: a manifest, an archive without one, or what an interrupted run left."""
    if entry.endswith(manifest.SUFFIX):
        return True
    if entry.endswith(PARTIAL_SUFFIX):
        return any(entry.endswith(suffix + PARTIAL_SUFFIX) for suffix in codec.SUFFIXES.values())
    if names.backup_of_writes(entry):
        return False
    stem = names.stem(entry)
    return stem != entry and stem + manifest.SUFFIX not in entries


def _describe(directory: str, entry: str, entries: set[str]) -> dict:
    path = os.path.join(directory, entry)
    if not entry.endswith(manifest.SUFFIX):
        state, problem = FOREIGN, "it has no manifest, so it is not known whether it is whole"
        if entry.endswith(PARTIAL_SUFFIX):
            state, problem = PARTIAL, "it is being made, or was interrupted; then the next backup removes it"
        return _nameless_file(path, names.stem(entry), state, problem)
    try:
        content = manifest.read(path)
        backup = catalog.Backup(os.path.join(directory, content["archive"]["file"]), content)
        size = os.path.getsize(backup.path) if os.path.isfile(backup.path) else None
        return _known(backup, size)
    except RecoveryError as error:
        return _nameless_file(path, entry[: -len(manifest.SUFFIX)], DAMAGED, str(error))


def _nameless_file(path: str, name: str, state: str, problem: str) -> dict:
    # Not what a link leads to: it may be gone, and so may the file by now.
    status = os.lstat(path) if os.path.lexists(path) else None
    changed = datetime.fromtimestamp(int(status.st_mtime) if status else 0, timezone.utc)
    return _nameless(path, name, state, problem, changed, status.st_size if status else 0)


def _nameless(path: str, name: str, state: str, problem: str, changed: datetime, size: int) -> dict:
    """Return what no manifest says anything about."""
    return {
        "name": name,
        "path": path,
        "database": None,
        "state": state,
        "problem": problem,
        "started": show_time(changed),
        "size_bytes": size,
        "pinned": False,
        "labels": {},
        "verified": None,
    }


def _known(backup: catalog.Backup, size: int | None) -> dict:
    """Return what a manifest describes, given the size of its archive, None where that is missing."""
    if size is None:
        problem = f"its archive {os.path.basename(backup.path)} is missing"
    else:
        problem = manifest.size_problem(backup.manifest, size)
    return {
        **backup.describe(),
        "state": DAMAGED if problem else COMPLETE,
        "problem": problem,
        "verified": _last_verification(backup.manifest),
    }


def _last_verification(content: dict) -> dict | None:
    """Return when, where, how far and with what result a backup was verified last."""
    for entry in reversed(content.get("verifications", [])):
        return {key: entry.get(key) for key in ("time", "host", "level", "verified")}
    return None


def _in_store(store: Store) -> list[dict]:
    contents = look_at(store)
    found = at_once(lambda pair: _describe_pair(store, pair), contents.pairs)
    found += [_half(store, file, "manifest") for file in contents.lone_archives]
    found += [_half(store, file, "archive") for file in contents.lone_manifests]
    return [{**each, "copies": [store.url]} for each in found]


def _describe_pair(store: Store, pair: Pair) -> dict:
    path = f"{store.url}/{pair.archive.name}"
    try:
        return _known(catalog.Backup(path, manifest_of(store, pair)), pair.archive.size)
    except manifest.UnusableManifest as error:
        return _nameless(path, pair.name, DAMAGED, str(error), pair.archive.modified, pair.archive.size)


def _half(store: Store, file: Stored, lacking: str) -> dict:
    name = names.stem(file.name).removesuffix(manifest.SUFFIX)
    problem = f"its {lacking} is not there, as after an upload or a deletion that was interrupted"
    return _nameless(f"{store.url}/{file.name}", name, PARTIAL, problem, file.modified, file.size)


def _merged(found: list[dict]) -> list[dict]:
    """Make one entry of the whole copies of a backup; whatever differs stays by itself."""
    merged: dict[tuple, dict] = {}
    for each in found:
        known = merged.setdefault((each["name"], each.get("sha256", each["path"]), each["state"]), each)
        if known is not each:
            known["copies"] = known["copies"] + each["copies"]
            latest = max(known["verified"] or {}, each["verified"] or {}, key=lambda entry: entry.get("time") or "")
            known["verified"] = latest or None
    return list(merged.values())


def _aged(described: dict, now: datetime) -> dict:
    return {**described, "age_seconds": int((now - parse_time(described["started"])).total_seconds())}
