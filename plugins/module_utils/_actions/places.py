# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The backups of a place (a store, or a backup directory looked at as one): which are whole, and which one is meant.

Names alone say the database and the moment, so that a place of thousands is known by one listing; manifests are read
one by one, where something depends on them.

Private to the collection.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Callable, TypeVar

from ansible_collections.dbops.recovery.plugins.module_utils._archive import catalog, manifest, names
from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError
from ansible_collections.dbops.recovery.plugins.module_utils._storage.store import Store, Stored
from ansible_collections.dbops.recovery.plugins.module_utils._units import show_size, show_time

# Files that are looked at in a store at once.
_READERS = 8
_T = TypeVar("_T")
_R = TypeVar("_R")
# The levels of verification that say something of the SQL, the better one last.
_MEANINGFUL = ("content", "restore")


@dataclass(frozen=True)
class Pair:
    """An archive and its manifest, both there."""

    name: str
    parsed: names.Name
    archive: Stored
    manifest: Stored


@dataclass(frozen=True)
class Contents:
    """What a place holds: pairs, newest first, the halves of pairs, and by backup what was written after it."""

    pairs: list[Pair]
    lone_archives: list[Stored]
    lone_manifests: list[Stored]
    writes: dict[str, list[Stored]]


def pair_up(files: Iterable[Stored], database: str | None = None) -> Contents:
    """Sort the files of a place, or those of one database, into pairs and halves; what is not ours is left out."""
    archives: dict[str, Stored] = {}
    manifests: dict[str, Stored] = {}
    writes: dict[str, list[Stored]] = {}
    for file in files:
        if after := names.backup_of_writes(file.name):
            writes.setdefault(after, []).append(file)
        elif file.name.endswith(manifest.SUFFIX):
            manifests[file.name[: -len(manifest.SUFFIX)]] = file
        elif names.stem(file.name) != file.name:
            archives[names.stem(file.name)] = file
    wanted = None if database is None else names.file_safe(database)
    parsed = {name: names.parse(name) for name in archives.keys() | manifests.keys()}
    ours = {name: each for name, each in parsed.items() if each and wanted in (None, each.database)}
    pairs = [
        Pair(name, each, archives[name], manifests[name])
        for name, each in ours.items()
        if name in archives and name in manifests
    ]
    pairs.sort(key=lambda pair: (pair.parsed.started, pair.parsed.number, pair.name), reverse=True)
    return Contents(
        pairs,
        [archives[name] for name in sorted(ours.keys() - manifests.keys())],
        [manifests[name] for name in sorted(ours.keys() - archives.keys())],
        writes,
    )


def look_at(store: Store, database: str | None = None) -> Contents:
    """Return what a store holds, or of one database. Raise RecoveryError when it cannot be listed completely."""
    return pair_up(store.files(), database)


def manifest_of(store: Store, pair: Pair) -> dict:
    """Read the manifest of a pair. Raise UnusableManifest; RecoveryError when the store cannot be read."""
    place = f"{store.url}/{pair.manifest.name}"
    content = manifest.parse(store.read(pair.manifest.name), place)
    manifest.require_beside(content, place, pair.archive.name)
    return content


def at_once(work: Callable[[_T], _R], items: Iterable[_T]) -> list[_R]:
    """Do some work on each item, several at a time, as a store answers many requests; return what came of each."""
    with ThreadPoolExecutor(_READERS) as readers:
        return list(readers.map(work, items))


def verified_level(content: dict) -> str | None:
    """Given a manifest, return how far its backup is verified: "restore", "content", or None.

    A verification that failed takes back what was proved before it.
    """
    best = None
    for entry in content.get("verifications", []):
        if not entry.get("verified"):
            best = None
        elif entry.get("level") in _MEANINGFUL and best != "restore":
            best = entry["level"]
    return best


def choose(store: Store, wanted: str, database: str | None = None, before: datetime | None = None) -> tuple[Pair, dict]:
    """Choose a backup of a store.

    Args:
        wanted: "latest", "latest_verified", "random" (any but the newest), or a name (with or without suffix).
        database: narrows the first three; needed for them where the store has backups of several.
        before: only older ones count.
    Returns:
        The pair and its manifest.
    Raises:
        RecoveryError: it is not there, or only half; the message lists what is.
    """
    contents = look_at(store)
    if wanted in ("latest", "latest_verified", "random"):
        return _chosen(store, contents, wanted, database, before)
    name = names.stem(wanted)
    for pair in contents.pairs:
        if pair.name == name:
            return pair, manifest_of(store, pair)
    for half, lacking in ((contents.lone_archives, "manifest"), (contents.lone_manifests, "archive")):
        if any(names.stem(file.name).removesuffix(manifest.SUFFIX) == name for file in half):
            raise RecoveryError(
                f"Of the backup {name} only half is in {store.url}: its {lacking} is missing, so an upload of it was "
                f"interrupted. Upload it again, or take another.\n{listing(store, contents)}"
            )
    raise RecoveryError(f"There is no backup {name} in {store.url}.\n{listing(store, contents)}")


def _chosen(
    store: Store, contents: Contents, wanted: str, database: str | None, before: datetime | None
) -> tuple[Pair, dict]:
    pairs = [
        pair
        for pair in contents.pairs
        if (database is None or pair.parsed.database == names.file_safe(database))
        and (before is None or pair.parsed.started < before)
    ]
    catalog.require_one_database({pair.parsed.database for pair in pairs}, store.url)
    chosen = _first(store, pairs, wanted == "latest_verified")
    if chosen and wanted == "random":
        older = pairs[pairs.index(chosen[0]) + 1 :]
        chosen = _first(store, random.sample(older, len(older)), must_be_verified=False)
    if chosen:
        return chosen
    what = {"latest": " complete", "latest_verified": " verified", "random": " older"}[wanted]
    of = f" of {database}" if database else ""
    older = f" from before {show_time(before)}" if before else ""
    raise RecoveryError(f"There is no{what} backup{of}{older} in {store.url}.\n{listing(store, contents)}")


def _first(store: Store, pairs: list[Pair], must_be_verified: bool) -> tuple[Pair, dict] | None:
    for pair in pairs:
        content = manifest_of(store, pair)
        if not manifest.is_safety(content) and (not must_be_verified or verified_level(content)):
            return pair, content
    return None


def listing(store: Store, contents: Contents) -> str:
    """Return what a store holds in a few lines, newest first."""
    if not contents.pairs:
        return f"No complete backup is in {store.url}."
    lines = [
        f"  {pair.name}  {show_size(pair.archive.size)}  {show_time(pair.parsed.started)}" for pair in contents.pairs
    ]
    return catalog.available(lines, len(lines))
