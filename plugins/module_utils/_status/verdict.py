# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wrong with the state of the backups. Pure: facts and limits in, problems in words out.

Private to the collection.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from ansible_collections.dbops.recovery.plugins.module_utils._status.facts import Place
from ansible_collections.dbops.recovery.plugins.module_utils._units import CLOCK_TOLERANCE, show_duration

OK = "ok"
WARNING = "warning"
CRITICAL = "critical"
STATES = (OK, WARNING, CRITICAL)


@dataclass(frozen=True)
class Limits:
    """How old things may be. What is exactly so old is within the limit; None is no limit."""

    max_age: timedelta | None = None
    max_unverified_age: timedelta | None = None
    max_offsite_age: timedelta | None = None
    max_restore_test_age: timedelta | None = None


def state_of(problems: list[dict]) -> str:
    """Return the state that the worst problem makes: "ok", "warning" or "critical"."""
    return max((problem["severity"] for problem in problems), key=STATES.index, default=OK)


def problems_of(databases: list[dict], places: list[Place], limits: Limits, wanted: Iterable[str] = ()) -> list[dict]:
    """Given facts, places, limits and the databases that must have backups, return what is wrong, the worst first."""
    found = [_problem(CRITICAL, place.error, place=place.name) for place in places if place.error]
    # Where nothing can be looked at, nothing is known of any database, and the places say why.
    if len(found) < len(places):
        sight = _Sight(places, wanted)
        for facts in databases:
            found += _of_database(facts, limits, sight)
        if not databases:
            # An empty mount point must not pass for a place where all is well.
            found.append(
                _problem(
                    CRITICAL,
                    f"There is no backup of any database{sight.reservation}.",
                    "Is it the right place? Name the databases that must have backups.",
                )
            )
    return sorted(found, key=lambda problem: -STATES.index(problem["severity"]))


def headline(status: dict) -> str:
    """Return the state and how many problems there are, in one line without a colon."""
    severities = [problem["severity"] for problem in status["problems"]]
    if not severities:
        return f"{status['state'].upper()} - every limit is kept"
    critical, warnings = severities.count(CRITICAL), severities.count(WARNING)
    counts = [f"{critical} critical"] if critical else []
    counts += [f"{warnings} warning{'s' if warnings > 1 else ''}"] if warnings else []
    return f"{status['state'].upper()} - {', '.join(counts)}"


class _Sight:
    """How much of the places could be seen, and what is expected there."""

    def __init__(self, places: list[Place], wanted: Iterable[str]):
        readable = [place for place in places if place.error is None]
        self.offsite = {place.name for place in readable if place.is_offsite}
        self.wanted = set(wanted)
        self.is_whole = len(readable) == len(places)
        self.reservation = "" if self.is_whole else " in the places that could be read"


def _problem(
    severity: str,
    message: str,
    advice: str = "",
    database: str | None = None,
    place: str | None = None,
    limit: str | None = None,
) -> dict:
    return {
        "severity": severity,
        "database": database,
        "place": place,
        "limit": limit,
        "message": message,
        "advice": advice,
    }


def _of_database(facts: dict, limits: Limits, sight: _Sight) -> Iterator[dict]:
    name, newest = facts["database"], facts["newest"]
    if newest is None:
        yield _problem(
            CRITICAL, f"{name}: there is no complete backup{sight.reservation}.", "Back it up now.", database=name
        )
    else:
        yield from _of_backups(name, facts, limits, sight)
    # A later restore test may stand in a manifest that could not be read.
    yield from _of_restore_test(name, facts["restore_test"], limits.max_restore_test_age if sight.is_whole else None)
    for test in facts["future_restore_tests"]:
        yield _problem(
            WARNING,
            f"{name}: the restore test {test['name']}, of {test['backup']} on {test['host']}, is from the future, so "
            "that it does not count.",
            "One of two clocks is wrong: set it right, and run a test.",
            database=name,
        )
    for copy in facts["damaged"]:
        yield _problem(
            WARNING,
            f"{name}: {copy['name']} in {copy['place']} cannot be counted on: {copy['problem']}",
            database=name,
            place=copy["place"],
        )


def _of_backups(name: str, facts: dict, limits: Limits, sight: _Sight) -> Iterator[dict]:
    newest = facts["newest"]
    if newest["age_seconds"] < -CLOCK_TOLERANCE.total_seconds():
        yield _problem(
            CRITICAL,
            f"{name}: the newest backup, {newest['name']}, is from the future, so that its age says nothing.",
            "One of two clocks is wrong: set it right.",
            database=name,
        )
    checks = (
        ("max_age", "backup", newest, limits.max_age, "Find out why no newer one was made."),
        (
            "max_unverified_age",
            "verified backup",
            facts["newest_verified"],
            limits.max_unverified_age,
            "Verify a newer one, and find out why the night's was not.",
        ),
        (
            "max_offsite_age",
            "backup off-site",
            facts["newest_offsite"],
            limits.max_offsite_age if sight.offsite else None,
            "Find out why no newer one was brought there.",
        ),
    )
    for limit, what, backup, allowed, advice in checks:
        if allowed is None:
            continue
        # That the newest of all is too old says it of the others as well; once is enough.
        implied = limit != "max_age" and limits.max_age is not None and _is_over(newest, max(limits.max_age, allowed))
        if backup is None:
            yield _problem(CRITICAL, f"{name}: there is no {what}{sight.reservation}.", advice, name, limit=limit)
        elif _is_over(backup, allowed) and not implied:
            message = f"{name}: the newest {what}, {backup['name']}, is {_age(backup)} old. {_allowed(allowed, limit)}"
            yield _problem(CRITICAL, message, advice, name, limit=limit)
    yield from _of_places_offsite(name, facts, limits.max_offsite_age, sight)


def _of_places_offsite(name: str, facts: dict, allowed: timedelta | None, sight: _Sight) -> Iterator[dict]:
    """Yield the places off-site that lag behind another one; that all of them do is said elsewhere, as critical."""
    newest, limit = facts["newest_offsite"], "max_offsite_age"
    if allowed is None or newest is None or _is_over(newest, allowed):
        return
    for share in facts["places"]:
        place, backup = share["place"], share["newest"]
        if place not in sight.offsite:
            continue
        if backup and _is_over(backup, allowed):
            message = f"the newest backup there, {backup['name']}, is {_age(backup)} old. {_allowed(allowed, limit)}"
            message = f"{name}: {place} lags behind: {message}"
        elif backup is None and name in sight.wanted:
            # One that is only found, such as another host's, need not be in every place.
            message = f"{name}: {place} has no backup of it, and another place off-site has."
        else:
            continue
        yield _problem(WARNING, message, "Find out why no newer one was brought there.", name, place, limit)


def _of_restore_test(name: str, test: dict | None, allowed: timedelta | None) -> Iterator[dict]:
    limit = "max_restore_test_age"
    if test and not test["passed"]:
        yield _problem(
            CRITICAL,
            f"{name}: the last restore test, {test['name']}, of {test['backup']} on {test['host']}, FAILED "
            f"{_age(test)} ago.",
            "See its report. Until one passes, do not count on the backups.",
            database=name,
        )
    elif allowed is not None and test is None:
        yield _problem(WARNING, f"{name}: no restore test is known of.", "Run one.", name, limit=limit)
    elif allowed is not None and _is_over(test, allowed):
        message = f"{name}: the last restore test, {test['name']}, was {_age(test)} ago. {_allowed(allowed, limit)}"
        yield _problem(WARNING, message, "Run one.", name, limit=limit)


def _is_over(fact: dict, allowed: timedelta) -> bool:
    return fact["age_seconds"] > allowed.total_seconds()


def _age(fact: dict) -> str:
    return show_duration(timedelta(seconds=fact["age_seconds"]))


def _allowed(allowed: timedelta, limit: str) -> str:
    return f"At most {show_duration(allowed)} is allowed ({limit})."
