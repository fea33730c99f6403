# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""backup_upload: bring backups to a store, archive first, so that a manifest there means a whole pair.

Private to the collection.
"""

from __future__ import annotations

import hashlib
import os
import time
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote

from ansible_collections.dbops.recovery.plugins.module_utils import _progress
from ansible_collections.dbops.recovery.plugins.module_utils._archive import catalog, manifest
from ansible_collections.dbops.recovery.plugins.module_utils._archive.checks import (
    Limits,
    check_backup,
    describe,
    failed,
)
from ansible_collections.dbops.recovery.plugins.module_utils._errors import Interrupted, RecoveryError
from ansible_collections.dbops.recovery.plugins.module_utils._storage.store import AlreadyThere, Store, Stored
from ansible_collections.dbops.recovery.plugins.module_utils._storage.stores import open_store
from ansible_collections.dbops.recovery.plugins.module_utils._units import parse_duration, show_size, utc_now

# What became of a backup, or in check mode would.
UPLOADED = "uploaded"
FINISHED = "finished"
UPDATED = "updated"
PRESENT = "present"

# An upload that has not ended after a day was interrupted.
STALE_SECONDS = 86400


class _NotSent(RecoveryError):
    """One backup cannot go; others still can."""


@dataclass(frozen=True)
class _There:
    """What a store has under a backup's names."""

    archive: Stored | None
    manifest: dict | None


def upload_backups(options: dict, check_mode: bool) -> dict:
    """Upload as backup_upload's options say; return its result. Raise RecoveryError."""
    clock = time.monotonic()
    backups = _chosen(options)
    store = open_store(options)
    listed = {file.name for file in store.files()}
    swept = [] if check_mode else store.sweep(timedelta(seconds=STALE_SECONDS))
    done: list[dict] = []
    problems: list[str] = []
    result = {"store": store.url, "backups": done, "swept": swept, "changed": bool(swept), "uploaded_bytes": 0}
    try:
        for backup in backups:
            try:
                done.append(_bring(store, backup, listed, options, check_mode))
            except _NotSent as error:
                problems.append(str(error))
    except RecoveryError as error:
        raise RecoveryError(str(error), _summed_up(result, clock)) from error
    _summed_up(result, clock)
    if problems:
        raise RecoveryError("\n".join(problems), result)
    return result


def _summed_up(result: dict, clock: float) -> dict:
    sent = [each for each in result["backups"] if each["state"] == UPLOADED]
    result["changed"] = result["changed"] or any(each["state"] != PRESENT for each in result["backups"])
    result["uploaded_bytes"] = sum(each["size_bytes"] for each in sent)
    result["seconds"] = round(time.monotonic() - clock, 3)
    return result


def _chosen(options: dict) -> list[catalog.Backup]:
    """Return the backups that are meant, newest first."""
    directory, database = options["directory"], options["database"]
    if options["backup"] != "all":
        backup = catalog.find(options["backup"], directory, database)
        if not backup.manifest:
            raise RecoveryError(
                f"{backup.path} has no manifest, so nobody could tell whether its copy is whole. Only backups made by "
                "db_backup go to a store."
            )
        return [backup]
    if not directory:
        raise RecoveryError("backup: all needs the option directory, which says where they are.")
    backups = catalog.backups_in(directory, database)
    if options["max_age"]:
        youngest = utc_now() - parse_duration(options["max_age"], "max_age")
        backups = [backup for backup in backups if backup.started >= youngest]
    return backups


def _bring(store: Store, backup: catalog.Backup, listed: set[str], options: dict, check_mode: bool) -> dict:
    """Bring one backup to the store, or what is lacking of it there; return what became of it."""
    clock = time.monotonic()
    state = _step(store, backup, _look(store, backup, listed), options, check_mode)
    seconds = time.monotonic() - clock
    size = backup.manifest["archive"]["stored_bytes"]
    sent = state == UPLOADED and not check_mode
    return {
        "name": backup.name,
        "database": backup.database,
        "url": f"{store.url}/{os.path.basename(backup.path)}",
        "state": state,
        "size_bytes": size,
        "sha256": backup.manifest["archive"]["stored_sha256"],
        "seconds": round(seconds, 3),
        "megabytes_per_second": round(size / 1e6 / seconds, 1) if sent else None,
    }


def _step(store: Store, backup: catalog.Backup, there: _There, options: dict, check_mode: bool) -> str:
    _require_own_manifest(store, there, backup)
    if there.archive:
        _require_same(store, there, backup)
        state = FINISHED if there.manifest is None else PRESENT
        # What it notes of itself we have said ourselves; without a note all of it has been read just now.
        if state == FINISHED and options["read_back"] and there.archive.sha256 and not check_mode:
            _read_back(store, backup)
    else:
        _require_good(backup, options["verify"])
        state = UPLOADED
        if not check_mode:
            _send(store, backup, options)
    wanted = _with_all_evidence(backup.manifest, there.manifest)
    if wanted != there.manifest:
        state = UPDATED if state == PRESENT else state
        if not check_mode:
            store.write(backup.name + manifest.SUFFIX, manifest.render(wanted))
    return state


def _look(store: Store, backup: catalog.Backup, listed: set[str]) -> _There:
    archive, name = os.path.basename(backup.path), backup.name + manifest.SUFFIX
    return _There(
        store.look(archive) if archive in listed else None,
        manifest.parse(store.read(name), f"{store.url}/{name}") if name in listed else None,
    )


def _require_good(backup: catalog.Backup, level: str) -> None:
    """Refuse to send what is not whole; level is "none", "file" or "content"."""
    if level == "none":
        return
    bad = failed(check_backup(backup, level, Limits()).checks)
    if bad:
        raise _NotSent(
            f"The backup {backup.name} was not sent, since it is not good, checked at level {level}:\n{describe(bad)}"
        )


def _require_own_manifest(store: Store, there: _There, backup: catalog.Backup) -> None:
    """Make sure that a manifest that has the name in the store is this backup's: an archive's suffix is not in it."""
    ours, other = backup.manifest["archive"], there.manifest and there.manifest["archive"]
    if other and not manifest.is_same_archive(other, ours):
        raise _NotSent(
            f"{store.url} has another file {backup.name + manifest.SUFFIX} already, the manifest of {other['file']} "
            f"with the SHA-256 {other['stored_sha256']}, not of this {ours['file']} with {ours['stored_sha256']}. "
            "Nothing there is ever overwritten: find out whose it is. Where two hosts write to one folder, give each "
            "its own."
        )


def _require_same(store: Store, there: _There, backup: catalog.Backup) -> None:
    """Make sure that what has the name in the store is this backup."""
    wanted = backup.manifest["archive"]
    if there.archive.size == wanted["stored_bytes"]:
        noted = there.archive.sha256 or (there.manifest and there.manifest["archive"]["stored_sha256"])
        # Put there by another program, it says nothing of itself: look at all of it.
        if (noted or _sha256_of(store, there.archive.name, backup)) == wanted["stored_sha256"]:
            return
    raise _NotSent(
        f"{store.url} has another file {there.archive.name} already ({show_size(there.archive.size)}, this one has "
        f"{show_size(wanted['stored_bytes'])}). Nothing there is ever overwritten: find out what it is, and move one "
        "of the two away."
    )


def _send(store: Store, backup: catalog.Backup, options: dict) -> None:
    """Send the archive and make sure that it arrived."""
    wanted = backup.manifest["archive"]
    name = os.path.basename(backup.path)
    _progress.phase("uploading", backup.database, wanted["stored_bytes"])
    try:
        store.upload(backup.path, name, wanted["stored_sha256"], _notes(backup.manifest, options["metadata"]))
    except AlreadyThere:
        # Somebody else has sent it meanwhile, or a lost answer made the client send it twice.
        other = store.look(name)
        if other:
            _require_same(store, _There(other, None), backup)
    arrived = store.look(name)
    if arrived is None or arrived.size != wanted["stored_bytes"]:
        size = "nothing" if arrived is None else show_size(arrived.size)
        raise RecoveryError(
            f"{store.url} took {name} without an error, and has {size} of its {show_size(wanted['stored_bytes'])}. Run "
            "this again; when it happens twice, do not rely on this store."
        )
    if options["read_back"]:
        _read_back(store, backup)


def _read_back(store: Store, backup: catalog.Backup) -> None:
    """Make sure that an archive without a manifest is in the store as it was sent; delete it there if it is not."""
    name, wanted = os.path.basename(backup.path), backup.manifest["archive"]["stored_sha256"]
    there = _sha256_of(store, name, backup)
    if there != wanted:
        raise _NotSent(
            f"{store.url}/{name} reads back with the SHA-256 {there}, not {wanted}. {_what_became_of(store, name)}"
        )


def _what_became_of(store: Store, name: str) -> str:
    """Delete an archive that is not what was sent; say what came of that, and what to do next."""
    try:
        lock = store.delete([name]).get(name)
    except Interrupted:
        raise
    except RecoveryError as error:
        stays, todo = f"It could not be deleted there: {error}", "Delete it with a key that may, then run this again."
    else:
        if lock is None:
            return "It was deleted there. Run this again; when it happens twice, do not rely on this store."
        stays, todo = f"It cannot be deleted there, since it is locked {lock}.", "Send another backup instead."
    return f"{stays} It gets no manifest, so that nothing takes it for a backup. {todo}"


def _sha256_of(store: Store, name: str, backup: catalog.Backup) -> str:
    """Download what should be a backup's archive and return the SHA-256 of its bytes."""
    _progress.phase("reading back", backup.database, backup.manifest["archive"]["stored_bytes"])
    digest = hashlib.sha256()
    for block in _progress.counted(store.download(name)):
        digest.update(block)
    return digest.hexdigest()


def _notes(content: dict, given: dict | None) -> dict[str, str]:
    """Return what an archive says of itself in the store, for a person who looks there without us."""
    labels = content["backup"].get("labels", {})
    return {
        "plain-bytes": str(content["archive"]["plain_bytes"]),
        "started": content["backup"]["started"],
        **{str(key): str(value) for key, value in (given or {}).items()},
        **{f"label-{quote(str(key), safe='')}": str(value) for key, value in labels.items()},
    }


def _with_all_evidence(here: dict, there: dict | None) -> dict:
    """Return our manifest with what was proved about the backup elsewhere, oldest first."""
    if there is None:
        return here
    evidence = list(here.get("verifications", []))
    evidence += [entry for entry in there.get("verifications", []) if entry not in evidence]
    evidence.sort(key=lambda entry: str(entry.get("time", "")))
    return {**here, "verifications": evidence} if evidence else here
