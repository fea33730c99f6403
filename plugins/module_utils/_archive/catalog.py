# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The backups of one directory: their names, how they become complete, and how one of them is chosen.

Private to the collection.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import socket
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from ansible_collections.dbops.recovery.plugins.module_utils._archive import manifest, names
from ansible_collections.dbops.recovery.plugins.module_utils._errors import Interrupted, RecoveryError, os_error
from ansible_collections.dbops.recovery.plugins.module_utils._files import PARTIAL, sync_directory
from ansible_collections.dbops.recovery.plugins.module_utils._units import (
    CLOCK_TOLERANCE,
    parse_time,
    show_duration,
    show_size,
    show_time,
    utc_now,
)

# Shown when a backup is not found; more would hide the answer.
_LISTED = 10


@dataclass(frozen=True)
class Backup:
    """An archive and, where it has one, its manifest."""

    path: str
    manifest: dict | None

    @property
    def name(self) -> str:
        """The name without directory and suffix."""
        return names.stem(os.path.basename(self.path))

    @property
    def manifest_path(self) -> str:
        """Where its manifest stands, or would."""
        return os.path.join(os.path.dirname(self.path), self.name + manifest.SUFFIX)

    @property
    def database(self) -> str | None:
        """The schema that it is a backup of, as far as the manifest says."""
        return self.manifest["backup"]["database"] if self.manifest else None

    @property
    def started(self) -> datetime:
        """When it was begun: by the manifest, else the file's modification time."""
        if self.manifest:
            return parse_time(self.manifest["backup"]["started"])
        return datetime.fromtimestamp(os.stat(self.path).st_mtime, timezone.utc)

    @property
    def sql_bytes(self) -> int | None:
        """How many bytes of SQL are in it, as far as the manifest says."""
        return self.manifest["archive"]["plain_bytes"] if self.manifest else None

    @property
    def is_safety(self) -> bool:
        """Whether a restore made it of the state that it was about to replace."""
        return bool(self.manifest) and manifest.is_safety(self.manifest)

    def describe(self) -> dict:
        """Return it as modules return a backup."""
        if self.manifest is None:
            return {"name": self.name, "path": self.path, "size_bytes": os.path.getsize(self.path)}
        head, archive = self.manifest["backup"], self.manifest["archive"]
        return {
            "name": head["name"],
            "path": self.path,
            "manifest_path": self.manifest_path,
            "database": head["database"],
            "size_bytes": archive["stored_bytes"],
            "sql_bytes": archive["plain_bytes"],
            "sha256": archive["stored_sha256"],
            "compression": archive["compression"],
            "started": head["started"],
            "seconds": head.get("seconds"),
            "pinned": head.get("pinned", False),
            "labels": head.get("labels", {}),
        }


def new_name(directory: str, database: str, moment: datetime) -> str:
    """Return the name of a backup begun at that moment: "shop_2026-11-22_101500", and "-2" if that one is taken."""
    taken = {names.stem(entry) for entry in os.listdir(directory)} if os.path.isdir(directory) else set()
    return next(name for name in names.candidates(database, moment) if name not in taken)


def new_writes_name(backup: Backup) -> str:
    """Return the name for what was written after a backup and goes with its restore, of which there may be several."""
    taken = {names.stem(entry) for entry in os.listdir(directory_of(backup))}
    return next(name for name in names.writes_candidates(backup.name) if name not in taken)


def directory_of(backup: Backup) -> str:
    """Return the directory that a backup lies in."""
    return os.path.dirname(backup.path)


def make_directory(directory: str) -> None:
    """Make sure that the directory is there, private to its owner when it is new. Raise RecoveryError."""
    try:
        os.makedirs(directory, mode=0o700, exist_ok=True)
    except OSError as error:
        raise os_error("The backup directory cannot be made", error) from error


def unreadable_in(directory: str) -> list[str]:
    """Return in words the manifests of a directory that cannot be read, so that nobody misses their backups."""
    problems = []
    for entry in sorted(_entries(directory)):
        if entry.endswith(manifest.SUFFIX):
            try:
                manifest.read(os.path.join(directory, entry))
            except RecoveryError as error:
                problems.append(f"{error} Where the latest backup is looked for, it does not count.")
    return problems


def backups_in(directory: str, database: str | None = None) -> list[Backup]:
    """Return the directory's complete backups, newest first. Damaged manifests and foreign dumps are not among them."""
    found = []
    for entry in _entries(directory):
        if not entry.endswith(manifest.SUFFIX):
            continue
        try:
            content = manifest.read(os.path.join(directory, entry))
        except RecoveryError:
            continue
        backup = Backup(os.path.join(directory, content["archive"]["file"]), content)
        if database in (None, backup.database) and os.path.isfile(backup.path):
            found.append(backup)
    return sorted(found, key=lambda backup: (backup.started, names.number_of(backup.name)), reverse=True)


def newest_manifest(directory: str, database: str) -> dict | None:
    """Return the manifest of a database's newest backup, found by the names alone; None where none can be read."""
    found = [
        (name.started, name.number, entry)
        for entry in _entries(directory)
        if entry.endswith(manifest.SUFFIX)
        and (name := names.parse(entry[: -len(manifest.SUFFIX)]))
        and name.database == names.file_safe(database)
    ]
    try:
        return manifest.read(os.path.join(directory, max(found)[-1])) if found else None
    except Interrupted:
        raise
    except RecoveryError:
        return None


def _entries(directory: str) -> list[str]:
    try:
        return os.listdir(directory)
    except FileNotFoundError:
        raise RecoveryError(f"There is no directory {directory} on this host.") from None
    except OSError as error:
        raise os_error("The backup directory cannot be read", error) from error


def find(backup: str, directory: str | None, database: str | None = None) -> Backup:
    """Find the backup that was asked for.

    Args:
        backup: "latest" (of the database; what restores kept for safety does not count), a name, or the absolute path
            of an archive.
        directory: where to look; not needed with a path.
        database: narrows "latest"; needed for it where the directory has backups of several.
    Raises:
        RecoveryError: it is not there; the message lists what is, newest first, with size and date.
    """
    if os.path.isabs(backup):
        return _at(backup)
    if os.sep in backup or backup in ("", ".", ".."):
        raise RecoveryError(f"backup: {backup!r} is neither a name nor an absolute path. Give one of the two.")
    if not directory:
        raise RecoveryError(f"backup: {backup!r} is a name, so the option directory must say where to look for it.")
    if backup == "latest":
        candidates = [each for each in backups_in(directory, database) if not each.is_safety]
        require_one_database({each.database for each in candidates}, directory)
        if candidates:
            return candidates[0]
        of = f" of {database}" if database else ""
        raise RecoveryError(f"There is no complete backup{of} in {directory}.\n{_listing(directory)}")
    for entry in _entries(directory):
        if entry.endswith(names.ARCHIVE_SUFFIXES) and backup in (entry, names.stem(entry)):
            return _at(os.path.join(directory, entry))
    raise RecoveryError(f"There is no backup {backup} in {directory}.\n{_listing(directory)}")


def _at(path: str) -> Backup:
    if path.endswith(manifest.SUFFIX):
        content = manifest.read(path)
        path = os.path.join(os.path.dirname(path), content["archive"]["file"])
    after = names.backup_of_writes(os.path.basename(path))
    if after:
        raise RecoveryError(
            f"{path} is no backup, but what was written after {after} and went with its restore. Read it with zstd -dc "
            "or zcat; its first lines say how to replay it."
        )
    if not os.path.isfile(path):
        raise RecoveryError(f"There is no file {path} on this host.\n{_listing(os.path.dirname(path))}")
    without = Backup(path, None)
    if not os.path.exists(without.manifest_path):
        return without
    content = manifest.read(without.manifest_path)
    manifest.require_beside(content, without.manifest_path, os.path.basename(path))
    return Backup(path, content)


def _listing(directory: str) -> str:
    if not os.path.isdir(directory):
        return f"There is no directory {directory} on this host."
    found = backups_in(directory)
    if not found:
        return "No complete backup is there."
    lines = []
    for backup in found[:_LISTED]:
        shown = show_size(backup.manifest["archive"]["stored_bytes"])
        age = show_duration(utc_now() - backup.started)
        kept = ", kept for safety by a restore" if backup.is_safety else ""
        lines.append(f"  {backup.name}  {shown}  {show_time(backup.started)} ({age} ago{kept})")
    return available(lines, len(found))


def available(newest_first: list[str], count: int) -> str:
    """Given lines about the newest of so many backups, return the list that a message ends with."""
    older = [f"  and {count - _LISTED} older ones"] if count > _LISTED else []
    return "\n".join(["Available, newest first:", *newest_first[:_LISTED], *older])


def require_one_database(databases: set[str], place: str) -> None:
    """Raise RecoveryError when "latest" could be of several databases that have backups in a place."""
    if len(databases) > 1:
        raise RecoveryError(
            f"backup: latest of which database? Backups of {', '.join(sorted(databases))} are in {place}. Say which by "
            "the option database."
        )


def youngest_within(
    directory: str,
    database: str,
    hostname: str,
    max_age: timedelta,
    excluded: Collection[str] = (),
    pinned: bool = False,
) -> Backup | None:
    """Return the newest backup of the database that serves as well as a new one would, if it is not older than max_age.

    Args:
        directory: where to look.
        database: of which one.
        hostname: what the server calls its host; hosts that share a directory have databases of the same name.
        max_age: how old it may be.
        excluded: the tables that it leaves out; one that leaves out others does not serve.
        pinned: whether it must be pinned.
    """
    if not os.path.isdir(directory):
        return None
    for backup in backups_in(directory, database):
        if _serves(backup, hostname, excluded) and (not pinned or backup.manifest["backup"].get("pinned", False)):
            return backup if utc_now() - backup.started <= max_age else None
    return None


def _serves(backup: Backup, hostname: str, excluded: Collection[str]) -> bool:
    """Return whether a backup is as good as a new one: not one of a clock that was ahead, or cut short since."""
    content = backup.manifest
    return (
        not backup.is_safety
        and content["server"].get("hostname") == hostname
        and backup.started <= utc_now() + CLOCK_TOLERANCE
        and sorted(content.get("excluded", ())) == sorted(excluded)
        and not manifest.failed_last(content)
        and os.path.getsize(backup.path) == content["archive"]["stored_bytes"]
    )


def publish(directory: str, name: str, archive_partial: str, content: dict) -> Backup:
    """Give a finished archive its final name, manifest first, so that the name alone means a complete backup."""
    path = os.path.join(directory, content["archive"]["file"])
    backup = Backup(path, content)
    manifest.write(os.path.join(directory, name + manifest.SUFFIX), content)
    os.replace(archive_partial, path)
    sync_directory(directory)
    return backup


def sweep(directory: str, database: str) -> list[str]:
    """Remove what an interrupted backup of this database left: partial files, and a manifest without its archive.

    Only for the holder of the database's lock. Returns the names removed.
    """
    mine = re.compile(re.escape(names.file_safe(database)) + r"_\d{4}-\d\d-\d\d_\d{6}(-\d+)?\.")
    removed = []
    for entry in os.listdir(directory):
        if not mine.match(entry):
            continue
        path = os.path.join(directory, entry)
        orphan = entry.endswith(manifest.SUFFIX) and not any(
            os.path.exists(path[: -len(manifest.SUFFIX)] + suffix) for suffix in names.ARCHIVE_SUFFIXES
        )
        if entry.endswith(PARTIAL) or orphan:
            os.unlink(path)
            removed.append(entry)
    return sorted(removed)


@contextmanager
def locked(directory: str, database: str) -> Iterator[None]:
    """Hold the lock of one database's backups in a directory; the system frees it when its holder dies.

    Raise RecoveryError that names the holder when somebody else has it.
    """
    path = os.path.join(directory, f".{names.file_safe(database)}.lock")
    try:
        # A link would let whoever owns the directory have root overwrite a file.
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise os_error("The backup directory cannot be written to", error) from error
    with open(descriptor, "r+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RecoveryError(
                f"Another backup or restore of {database} is at work in {directory}: {_holder(file.read())}. "
                "Wait for it to end, then run this again."
            ) from None
        file.seek(0)
        file.truncate()
        json.dump({"pid": os.getpid(), "host": socket.gethostname(), "since": show_time(utc_now())}, file)
        file.flush()
        yield


def record_evidence(backup: Backup, entry: dict) -> None:
    """Append an entry to the verifications of a backup's manifest. Raise OSError when it cannot be written."""
    with _rewritten(backup) as content:
        content.setdefault("verifications", []).append(entry)


def set_pin(backup: Backup, pinned: bool) -> None:
    """Note in a backup's manifest whether retention must leave it alone. Raise OSError when it cannot be written."""
    with _rewritten(backup) as content:
        content["backup"]["pinned"] = pinned


@contextmanager
def _rewritten(backup: Backup) -> Iterator[dict]:
    """Give out a backup's manifest to be changed, and write it. Two that do so at once wait for each other."""
    with open(backup.path, "rb") as archive:
        fcntl.flock(archive, fcntl.LOCK_EX)
        content = manifest.read(backup.manifest_path)
        yield content
        manifest.write(backup.manifest_path, content)


def _holder(text: str) -> str:
    try:
        holder = json.loads(text)
        return f"process {holder['pid']} on {holder['host']} since {holder['since']}"
    except (ValueError, KeyError, TypeError):
        return "its name could not be read"
