# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the backups of each database stand. Pure: what was found in each place, and a moment, in; facts out.

Private to the collection.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from ansible_collections.dbops.recovery.plugins.module_utils import _retention as retention
from ansible_collections.dbops.recovery.plugins.module_utils._archive import names
from ansible_collections.dbops.recovery.plugins.module_utils._units import CLOCK_TOLERANCE, show_time


@dataclass(frozen=True)
class RestoreTest:
    """One restore test, as the manifest of the backup that it restored tells of it."""

    name: str
    time: datetime
    host: str
    passed: bool


@dataclass(frozen=True)
class Copy:
    """A backup in one place.

    Attributes:
        database: as its manifest names it; where that cannot be read, as the name of its file does.
        item: what retention knows of it; None where its manifest cannot be read.
        problem: what is wrong with it, in words; None for one that can be counted on.
        archive_bytes: the size of the archive alone.
        tests: its restore tests, in any order.
        is_whole: whether its archive has the size that its manifest says; if not, pruning leaves it alone.
    """

    name: str
    database: str
    item: retention.Item | None
    problem: str | None = None
    archive_bytes: int = 0
    tests: tuple[RestoreTest, ...] = ()
    is_whole: bool = True


@dataclass(frozen=True)
class Place:
    """A directory or a store.

    Attributes:
        name: the directory, or the store's URL.
        is_offsite: whether a fire here would spare it.
        copies: what is there; empty where it could not be read.
        error: why it could not be read, in words.
        policy: what is kept there; None where nobody prunes.
    """

    name: str
    is_offsite: bool
    copies: tuple[Copy, ...] = ()
    error: str | None = None
    policy: retention.Policy | None = None


def facts_of(places: list[Place], wanted: Iterable[str], now: datetime) -> list[dict]:
    """Say of every database that was found or is wanted how its backups stand, as backup_status returns it."""
    known = {copy.database for place in places for copy in place.copies if copy.item} | set(wanted)
    places = [_with_databases(place, {names.file_safe(database): database for database in known}) for place in places]
    found = {copy.database for place in places for copy in place.copies}
    deletions = {
        place.name: retention.first_deletions(
            [copy.item for copy in place.copies if copy.item and copy.is_whole], place.policy, now
        )
        for place in places
        if place.policy
    }
    return [_facts_of(database, places, deletions, now) for database in sorted(found | known)]


def _with_databases(place: Place, known: dict[str, str]) -> Place:
    """Return the place with what cannot be read put down to the database that the name stands for."""
    copies = (
        copy if copy.item else replace(copy, database=known.get(copy.database, copy.database)) for copy in place.copies
    )
    return replace(place, copies=tuple(copies))


def _facts_of(database: str, places: list[Place], deletions: dict[str, dict], now: datetime) -> dict:
    copies = [(place, copy) for place in places for copy in place.copies if copy.database == database]
    good = [(place, copy) for place, copy in copies if copy.item and not copy.problem]
    # What a restore kept of the state it replaced is no backup to go on with.
    ordinary = [(place, copy) for place, copy in good if not copy.item.is_safety]
    tests = _tests([copy for _place, copy in copies], now)
    # By a clock that is wrong: one that is taken for the last would hide all that follow, for as long as it is ahead.
    future = [test for test in tests if test["age_seconds"] < -CLOCK_TOLERANCE.total_seconds()]
    return {
        "database": database,
        "newest": _newest(ordinary, now),
        "newest_verified": _newest([each for each in ordinary if each[1].item.verified], now),
        "newest_offsite": _newest([each for each in ordinary if each[0].is_offsite], now),
        "restore_test": next((test for test in reversed(tests) if test not in future), None),
        "future_restore_tests": future,
        "pinned": sorted({copy.name for _place, copy in good if copy.item.pinned}),
        "damaged": [
            {"name": copy.name, "place": place.name, "problem": copy.problem} for place, copy in copies if copy.problem
        ],
        "places": [
            {
                **_share_of(place, database, deletions, now),
                "newest": _newest([each for each in ordinary if each[0] is place], now),
            }
            for place in places
            if place.error is None
        ],
    }


def _newest(copies: list[tuple[Place, Copy]], now: datetime) -> dict | None:
    """Return the newest of some backups, with all the places among theirs that have it."""
    if not copies:
        return None
    _place, newest = max(copies, key=lambda each: (each[1].item.started, each[1].item.number))
    same = [(place, copy) for place, copy in copies if copy.name == newest.name]
    levels = {copy.item.verified for _place, copy in same}
    return {
        "name": newest.name,
        "started": show_time(newest.item.started),
        "age_seconds": int((now - newest.item.started).total_seconds()),
        "size_bytes": newest.archive_bytes,
        "verified": next((level for level in ("restore", "content") if level in levels), None),
        "places": [place.name for place, _copy in same],
    }


def _tests(copies: list[Copy], now: datetime) -> list[dict]:
    """Return the restore tests that some copies tell of, each once, the last one at the end."""
    tests = {(test, copy.name) for copy in copies for test in copy.tests}
    return [
        {
            "name": test.name,
            "time": show_time(test.time),
            "age_seconds": int((now - test.time).total_seconds()),
            "host": test.host,
            "backup": backup,
            "passed": test.passed,
        }
        # Of two in the same second, the one that failed is what counts.
        for test, backup in sorted(tests, key=lambda each: (each[0].time, not each[0].passed, each[0].name, each[1]))
    ]


def _share_of(place: Place, database: str, deletions: dict[str, dict], now: datetime) -> dict:
    """Return what one place has of a database, and what goes there next."""
    copies = [copy for copy in place.copies if copy.database == database and copy.item]
    going = next((deletions.get(place.name, {}).get(copy.item.database) for copy in copies), None)
    return {
        "place": place.name,
        "backups": len(copies),
        "size_bytes": sum(copy.item.size for copy in copies),
        "next_deletion": _deletion(*going, now) if going else None,
    }


def _deletion(moment: datetime, items: list[retention.Item], now: datetime) -> dict:
    return {
        "time": show_time(moment),
        "in_seconds": int((moment - now).total_seconds()),
        "backups": [item.name for item in items],
        "size_bytes": sum(item.size for item in items),
    }
