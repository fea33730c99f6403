# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""backup_download: bring a backup from a store into a directory, with the same promises as one that was made there.

Private to the collection.
"""

from __future__ import annotations

import contextlib
import os

from ansible_collections.dbops.recovery.plugins.module_utils import _progress
from ansible_collections.dbops.recovery.plugins.module_utils._actions.clock import Clock
from ansible_collections.dbops.recovery.plugins.module_utils._actions.places import Pair, choose
from ansible_collections.dbops.recovery.plugins.module_utils._archive import catalog, manifest
from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError, os_error
from ansible_collections.dbops.recovery.plugins.module_utils._files import PARTIAL, free_bytes, hash_to_end
from ansible_collections.dbops.recovery.plugins.module_utils._storage.store import Store
from ansible_collections.dbops.recovery.plugins.module_utils._storage.stores import open_store
from ansible_collections.dbops.recovery.plugins.module_utils._units import parse_moment, show_size

_SPARE_BYTES = 8 * 1024 * 1024


class _Mismatch(Exception):
    """What was written is not what the manifest describes; the message says in which way."""


def download_backup(options: dict, check_mode: bool) -> dict:
    """Download as backup_download's options say; return its result. Raise RecoveryError."""
    clock = Clock()
    store = open_store(options)
    directory = os.path.abspath(options["directory"])
    before = parse_moment(options["before"], "before") if options["before"] else None
    pair, content = choose(store, options["backup"], options["database"], before)
    clock.end_of("find")
    backup = catalog.Backup(os.path.join(directory, pair.archive.name), content)
    _require_whole(store, pair, content)
    result = {
        "changed": not _is_there(backup),
        "store": store.url,
        "url": f"{store.url}/{pair.archive.name}",
        "backup": backup.describe(),
        "resumed_at": 0,
    }
    if result["changed"] and not check_mode:
        catalog.make_directory(directory)
        with catalog.locked(directory, backup.database):
            result["resumed_at"] = _bring(store, pair, backup, directory)
    clock.end_of("download", content["archive"]["stored_bytes"])
    return {**result, "phases": clock.phases, "seconds": clock.seconds}


def _require_whole(store: Store, pair: Pair, content: dict) -> None:
    wanted = content["archive"]["stored_bytes"]
    if pair.archive.size != wanted:
        raise RecoveryError(
            f"The off-site copy of {pair.name} is damaged: {store.url}/{pair.archive.name} has {pair.archive.size} "
            f"bytes, its manifest says {wanted}. Nothing was downloaded. Take another backup, and find out what "
            "happened there.",
            {"damaged": pair.name},
        )


def _is_there(backup: catalog.Backup) -> bool:
    """Whether the directory has this very backup already. Raise RecoveryError when something else has its name."""
    wanted = backup.manifest["archive"]
    described = manifest.read(backup.manifest_path)["archive"] if os.path.exists(backup.manifest_path) else None
    if described and not manifest.is_same_archive(described, wanted):
        other = f"{described['file']} with the SHA-256 {described['stored_sha256']}"
        raise _taken(backup.manifest_path, f"describes another backup, {other}")
    if not os.path.lexists(backup.path):
        return False
    problem = _difference(backup.path, wanted) if described else "it has no manifest"
    if problem:
        raise _taken(backup.path, f"is not the backup that is in the store: {problem}")
    return True


def _taken(path: str, what: str) -> RecoveryError:
    return RecoveryError(
        f"{path} is there already and {what}. Nothing is overwritten: move it away, or download into another directory."
    )


def _difference(path: str, wanted: dict) -> str | None:
    """Return in words how a file is not the archive that a manifest describes; None where it is."""
    if not os.path.isfile(path):
        return "it is no file"
    try:
        size = os.path.getsize(path)
        if size != wanted["stored_bytes"]:
            return f"it has {size} bytes, not {wanted['stored_bytes']}"
        with open(path, "rb") as file:
            digest = hash_to_end(file).hexdigest()
    except OSError as error:
        raise os_error("A backup that is there already cannot be compared", error) from error
    return None if digest == wanted["stored_sha256"] else f"its SHA-256 is {digest}, not {wanted['stored_sha256']}"


def _bring(store: Store, pair: Pair, backup: catalog.Backup, directory: str) -> int:
    """Download the archive and give both files their names; return how many bytes an interrupted run had left."""
    partial = backup.path + PARTIAL
    wanted = backup.manifest["archive"]
    try:
        left = _left_by_an_interrupted_run(partial, wanted["stored_bytes"])
        _require_space(directory, wanted["stored_bytes"] - left)
        try:
            _fetch(store, pair.archive.name, partial, backup, left)
        except _Mismatch:
            if not left:
                raise
            # Perhaps only what the interrupted run had left is bad.
            left = 0
            _fetch(store, pair.archive.name, partial, backup, left)
        catalog.publish(directory, pair.name, partial, backup.manifest)
    except _Mismatch as error:
        os.unlink(partial)
        raise RecoveryError(
            f"The off-site copy {store.url}/{pair.archive.name} is damaged: {error}. Nothing was kept of it. Take "
            "another backup, and find out what happened there.",
            {"damaged": pair.name},
        ) from error
    except OSError as error:
        # A full disk must be free again; what a lost connection left is for the next run to go on with.
        with contextlib.suppress(OSError):
            os.unlink(partial)
        raise os_error(f"The backup {pair.name} cannot be written to {directory}", error) from error
    return left


def _left_by_an_interrupted_run(partial: str, size: int) -> int:
    """Return how many bytes of the archive are there already."""
    left = os.path.getsize(partial) if os.path.isfile(partial) else 0
    return left if left <= size else 0


def _require_space(directory: str, needed: int) -> None:
    free = free_bytes(directory)
    if free < needed + _SPARE_BYTES:
        raise RecoveryError(
            f"{directory} has {show_size(free)} left, and {show_size(needed)} are to be downloaded. Make room, or "
            "download into another directory."
        )


def _fetch(store: Store, name: str, partial: str, backup: catalog.Backup, offset: int) -> None:
    """Download from an offset on behind what is there, and compare the whole with the manifest."""
    wanted = backup.manifest["archive"]
    descriptor = os.open(partial, os.O_RDWR | os.O_CREAT, 0o600)
    with open(descriptor, "r+b") as file:
        file.truncate(offset)
        digest = hash_to_end(file)
        _progress.phase("downloading", backup.database, wanted["stored_bytes"] - offset)
        for block in _progress.counted(store.download(name, offset)) if offset < wanted["stored_bytes"] else ():
            digest.update(block)
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
        size = file.tell()
    if size != wanted["stored_bytes"]:
        raise _Mismatch(f"it has {size} bytes, its manifest says {wanted['stored_bytes']}")
    if digest.hexdigest() != wanted["stored_sha256"]:
        raise _Mismatch(f"its SHA-256 is {digest.hexdigest()}, its manifest says {wanted['stored_sha256']}")
