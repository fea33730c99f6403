# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Retention: which backups stay, which go, and why. Pure: backups, a policy and a moment in, decisions out.

A backup stays when any rule keeps it or anything protects it. The rules, for each database on its own:

    daily     every backup of the last N calendar days, today included
    weekly    in each of the last N ISO weeks that have a backup, the newest one of the anchor's weekday; where that day
              has none, the newest one of the day nearest to it (of two as near, the later), so that a failed Sunday
              loses no week
    monthly   the same by calendar month and day of the month
    last      the newest N
    within    everything younger than a duration

Protected are the newest complete backup, the newest verified one, the newest one proved by a restore, pinned ones,
those younger than a minimum age and those that the store has locked. What is over a total size goes oldest first,
whatever rule kept it, but never a protected one. Days are those of a time zone.

What a place had when it was last pruned is held against what it has now: what the rules still keep and is not there was
deleted by somebody else, or is on another disk.

Private to the collection.
"""

from __future__ import annotations

import calendar
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any, Callable

from ansible_collections.dbops.recovery.plugins.module_utils._text import some_of
from ansible_collections.dbops.recovery.plugins.module_utils._units import (
    CLOCK_TOLERANCE,
    show_duration,
    show_size,
    show_time,
)

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True)
class Policy:
    """What is to be kept. Zero, or None, turns a rule off.

    Attributes:
        daily_days, weekly, monthly, last: numbers of days, weeks, months and backups.
        within: everything younger than this.
        min_age: what is younger is protected.
        max_total_size: bytes of all the backups together.
        zone: whose calendar days count.
        weekday: the weekly anchor, 1 (Monday) to 7, as ISO 8601 numbers them.
        day: the monthly anchor, 1 to 31; a shorter month's last day stands for it.
    """

    zone: tzinfo
    daily_days: int = 0
    weekly: int = 0
    monthly: int = 0
    last: int = 0
    within: timedelta | None = None
    min_age: timedelta = timedelta(0)
    max_total_size: int | None = None
    weekday: int = 7
    day: int = 1


@dataclass(frozen=True)
class Item:
    """A complete backup, as far as retention is concerned.

    Attributes:
        started: aware of its zone.
        number: of several begun in the same second, which one.
        size: bytes, with the manifest.
        verified: the level at which its last verification passed: "content" or "restore"; None without one.
        locked: until when the store refuses to delete it, in words; None where it does not.
        is_safety: a restore made it of what it was about to replace: it never counts as the newest of its database.
        failed: it did not pass its last verification. Of one that was never verified nobody knows.
    """

    name: str
    database: str
    started: datetime
    number: int = 1
    size: int = 0
    pinned: bool = False
    verified: str | None = None
    locked: str | None = None
    is_safety: bool = False
    failed: bool = False

    @property
    def is_poor(self) -> bool:
        """Whether it stands for a period, or counts among the last ones, only where there is nothing better."""
        return self.is_safety or self.failed


@dataclass(frozen=True)
class Decision:
    """What becomes of one backup. A protected one is never deleted, whatever the rules and limits say."""

    item: Item
    keep: bool
    reasons: tuple[str, ...]
    protected: bool = False


def plan(items: Iterable[Item], policy: Policy, now: datetime) -> list[Decision]:
    """Decide on every backup, newest first whatever the order of the items; duplicates count once."""
    databases: dict[str, dict[str, Item]] = defaultdict(dict)
    for item in items:
        databases[item.database][item.name] = item
    decisions: list[Decision] = []
    for of_database in databases.values():
        decisions += _decide(sorted(of_database.values(), key=_age_order, reverse=True), policy, now)
    decisions.sort(key=lambda decision: (_age_order(decision.item), decision.item.database), reverse=True)
    return decisions if policy.max_total_size is None else _within_size(decisions, policy.max_total_size)


def first_deletions(items: Iterable[Item], policy: Policy, now: datetime) -> dict[str, tuple[datetime, list[Item]]]:
    """For each database, say when a backup of those that are there now is deleted first, and which ones are then.

    A backup that is added meanwhile can bring that forward. Databases that never lose one by themselves are left out.
    """
    items = list(items)
    found: dict[str, tuple[datetime, list[Item]]] = {}
    waiting = {item.database for item in items}
    for moment in sorted({now} | {each for item in items for each in _turning_points(item, policy) if each > now}):
        for decision in plan(items, policy, moment):
            if not decision.keep and decision.item.database in waiting:
                found.setdefault(decision.item.database, (moment, []))[1].append(decision.item)
        waiting -= found.keys()
        if not waiting:
            break
    return found


def _turning_points(item: Item, policy: Policy) -> Iterator[datetime]:
    """Yield the moments from which a rule, or its youth, no longer keeps a backup. Weeks and months go by backups."""
    if policy.daily_days:
        first_day_without = item.started.astimezone(policy.zone).date() + timedelta(days=policy.daily_days)
        yield datetime.combine(first_day_without, time.min, tzinfo=policy.zone)
    if policy.within:
        yield item.started + policy.within + timedelta(seconds=1)
    yield item.started + policy.min_age


def _age_order(item: Item) -> tuple:
    return item.started, item.number, item.name


def _decide(newest_first: list[Item], policy: Policy, now: datetime) -> Iterator[Decision]:
    """Decide on the backups of one database, but for the limit on the size of all."""
    shields: dict[int, list[str]] = defaultdict(list)
    for place, reason in _protections(newest_first, policy, now):
        shields[place].append(reason)
    kept: dict[int, list[str]] = defaultdict(list)
    for place, reason in _rules(newest_first, policy, now):
        kept[place].append(reason)
    for place, item in enumerate(newest_first):
        shielded, reasons = place in shields, (*shields.get(place, ()), *kept.get(place, ()))
        yield Decision(item, bool(reasons), reasons or ("no rule keeps it",), shielded)


def _rules(newest_first: list[Item], policy: Policy, now: datetime) -> Iterator[tuple[int, str]]:
    """Yield what the rules keep, as places in the list, and why."""
    days = [item.started.astimezone(policy.zone).date() for item in newest_first]
    first_day = now.astimezone(policy.zone).date() - timedelta(days=policy.daily_days - 1)
    better_first = sorted(range(len(newest_first)), key=lambda place: newest_first[place].is_poor)
    numbers = {place: number for number, place in enumerate(better_first[: policy.last], 1)}
    for place, (item, day) in enumerate(zip(newest_first, days)):
        if policy.daily_days and day >= first_day:
            yield place, f"of the last {policy.daily_days} days"
        if place in numbers:
            yield place, f"number {numbers[place]} of the last {policy.last}"
        if policy.within and now - item.started <= policy.within:
            yield place, f"within {show_duration(policy.within)}"
    weekday = WEEKDAYS[policy.weekday - 1].capitalize()
    dated = [(day, item.is_poor) for item, day in zip(newest_first, days)]
    for place, week, exact in _anchored(dated, policy.weekly, _week, lambda day: day.isoweekday() - policy.weekday):
        yield place, f"{'newest of' if exact else 'nearest to'} {weekday} in week {week}"
    for place, month, exact in _anchored(dated, policy.monthly, _month, lambda day: day.day - _anchor(day, policy.day)):
        yield place, f"{'newest of' if exact else 'nearest to'} day {policy.day} in {month}"


def _week(day: date) -> str:
    year, week, _weekday = day.isocalendar()
    return f"{year}-W{week:02}"


def _month(day: date) -> str:
    return f"{day:%Y-%m}"


def _anchor(day: date, wanted: int) -> int:
    return min(wanted, calendar.monthrange(day.year, day.month)[1])


def _anchored(
    dated: list[tuple[date, bool]], periods: int, period_of: Callable[[date], str], distance_of: Callable[[date], int]
) -> Iterator[tuple[int, str, bool]]:
    """Of each of the last periods that have a backup, yield the one nearest to the anchor, a poor one only if all are.

    Args:
        dated: the local day of each backup, newest first, and whether it is a poor one.
        periods: how many.
        period_of: the name of a day's period; names sort as the periods follow on each other.
        distance_of: the days from the anchor of its period to a day, negative before it.
    Yields:
        Its place in the list, the period, and whether it is of the anchor's very day.
    """
    best: dict[str, tuple[bool, int, int]] = {}
    for place, (day, is_poor) in enumerate(dated if periods else ()):
        period = period_of(day)
        # Of one day, and of two days as near, the newest stays, whose place comes first.
        rank = is_poor, abs(distance_of(day)), place
        best[period] = min(best.get(period, rank), rank)
    for period in sorted(best, reverse=True)[:periods]:
        _poor, distance, place = best[period]
        yield place, period, distance == 0


def _protections(newest_first: list[Item], policy: Policy, now: datetime) -> Iterator[tuple[int, str]]:
    """Yield what is shielded from every rule and limit, as places in the list, and by what."""
    every = range(len(newest_first))
    ordinary = [place for place in every if not newest_first[place].is_safety] or every
    verified = [place for place in ordinary if newest_first[place].verified]
    proved = [place for place in verified if newest_first[place].verified == "restore"]
    for what, places in (("newest", ordinary), ("newest verified", verified), ("newest proved by a restore", proved)):
        for place in places[:1]:
            yield place, what
    for place, item in enumerate(newest_first):
        if item.pinned:
            yield place, "pinned"
        if item.locked:
            yield place, f"locked {item.locked}"
        if now - item.started < policy.min_age:
            yield place, f"younger than {show_duration(policy.min_age)}"


def _within_size(decisions: list[Decision], limit: int) -> list[Decision]:
    """Turn the oldest unprotected ones of what is kept into deletions, until the rest is within the limit."""
    total = sum(decision.item.size for decision in decisions if decision.keep)
    fitted = []
    for decision in reversed(decisions):
        if decision.keep and not decision.protected and total > limit:
            total -= decision.item.size
            decision = Decision(decision.item, False, (f"over {show_size(limit)} in all, and the oldest",))
        fitted.append(decision)
    return fitted[::-1]


@dataclass(frozen=True)
class Memory:
    """What a place had of one database when it was last pruned, and when that was. Names are enough to tell."""

    moment: datetime
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Loss:
    """Backups of one database that are gone without having been pruned.

    Attributes:
        since: when they were last there.
        gone: their names, newest first.
        expected: how many of those that were there should be there still.
    """

    database: str
    since: datetime
    gone: tuple[str, ...]
    expected: int


def losses(memories: Mapping[str, Memory], present: Iterable[Item], policy: Policy, now: datetime) -> list[Loss]:
    """Return what is gone of what is remembered of each database.

    What the rules would not keep any more is not missed: another host may have pruned the same place meanwhile. It knew
    more than the names that are left here, and may have found it poor: it is missed only where nothing stands for it.
    """
    there: dict[str, dict[str, Item]] = defaultdict(dict)
    for item in present:
        there[item.database][item.name] = item
    found = []
    for database, memory in sorted(memories.items()):
        remembered, known = {item.name for item in memory.items}, there[database]
        gone_poor = [replace(item, is_safety=True) for item in memory.items if item.name not in known]
        decisions = plan([*gone_poor, *known.values()], policy, now)
        expected = [each.item.name for each in decisions if each.keep and each.item.name in remembered]
        gone = tuple(name for name in expected if name not in known)
        if gone:
            found.append(Loss(database, memory.moment, gone, len(expected)))
    return found


# Named in a message; more would hide what it says.
_NAMED = 3


def describe_losses(lost: Iterable[Loss]) -> str:
    """Return in words what is gone, of which database, and since when, as the middle of a sentence."""
    described = []
    for loss in lost:
        described.append(
            f"of {loss.database} {len(loss.gone)} of the {loss.expected} that were there at {show_time(loss.since)} "
            f"({some_of(loss.gone, _NAMED)})"
        )
    return f"backups that the rules keep are gone, and were not deleted from here: {'; '.join(described)}"


@dataclass(frozen=True)
class Guard:
    """When a plan is too strange to carry out.

    Attributes:
        max_delete_fraction: of the complete backups, at most this share goes in one run, and at most this share of a
            database's is gone since the last one, 0 to 1.
        max_newest_age: a catalog whose newest backup is older is not what it should be, or the clock is not.
    """

    max_delete_fraction: float
    max_newest_age: timedelta


def objection(decisions: list[Decision], guard: Guard, now: datetime, lost: Sequence[Loss] = ()) -> str | None:
    """Return in words why a plan must not be carried out; None where nothing speaks against it."""
    if not decisions:
        return "no complete backup was found there. A place that should have some and shows none is not pruned"
    newest = decisions[0].item
    if newest.started > now + CLOCK_TOLERANCE:
        return (
            f"the newest backup, {newest.name}, is of {show_time(newest.started)}, and it is {show_time(now)} now. "
            "One of the two clocks is wrong: set it right"
        )
    if now - newest.started > guard.max_newest_age:
        return (
            f"the newest backup, {newest.name}, is {show_duration(now - newest.started)} old, more than "
            f"{show_duration(guard.max_newest_age)} (max_newest_age). Either this clock is wrong ({show_time(now)}), "
            "or the backups have stopped: nothing is deleted before there are new ones"
        )
    grave = [loss for loss in lost if len(loss.gone) > guard.max_delete_fraction * loss.expected]
    if grave:
        return (
            f"{describe_losses(grave)}. That is more than the share of {guard.max_delete_fraction:g} "
            "(max_delete_fraction). Is another disk mounted there, does another server answer, or has somebody deleted "
            "them? Bring them back; or, if all is as you want it, set that option to 1 for once: what is there then "
            "counts from then on"
        )
    going = sum(not decision.keep for decision in decisions)
    if going > guard.max_delete_fraction * len(decisions):
        return (
            f"{going} of {len(decisions)} backups would go, more than the share of {guard.max_delete_fraction:g} "
            "(max_delete_fraction). Look at the plan in check mode; if it is what you want, raise that option for once"
        )
    return None


def summary(decisions: list[Decision]) -> dict[str, Any]:
    """Return how many stay, and the bytes of what stays and of what goes."""
    kept = [decision.item.size for decision in decisions if decision.keep]
    gone = [decision.item.size for decision in decisions if not decision.keep]
    return {"kept": len(kept), "kept_bytes": sum(kept), "deleted_bytes": sum(gone)}
