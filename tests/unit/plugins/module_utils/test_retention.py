# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Retention: the table of worked examples that docs/offsite.md shows, and properties that hold for any catalog."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.dbops.recovery.plugins.module_utils._retention import (
    Decision,
    Guard,
    Item,
    Memory,
    Policy,
    first_deletions,
    losses,
    objection,
    plan,
)

UTC = timezone.utc
BERLIN = ZoneInfo("Europe/Berlin")
# A Wednesday.
NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
OFF = Policy(UTC)


def at(text: str, **more) -> Item:
    moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
    return Item(f"shop_{text}", "shop", moment, **more)


def nightly(first: str, last: str, hour: int = 2) -> list[Item]:
    day, end, found = date.fromisoformat(first), date.fromisoformat(last), []
    while day <= end:
        found.append(at(f"{day}T{hour:02}:00"))
        day += timedelta(days=1)
    return found


def kept_days(decisions: list[Decision]) -> list[str]:
    return [f"{decision.item.started:%Y-%m-%d}" for decision in decisions if decision.keep]


def reasons(decisions: list[Decision], item: Item) -> tuple[str, ...]:
    return next(decision.reasons for decision in decisions if decision.item == item)


def test_the_daily_rule_counts_calendar_days_today_included():
    items = nightly("2026-11-20", "2026-11-25")
    assert kept_days(plan(items, replace(OFF, daily_days=3), NOW)) == ["2026-11-25", "2026-11-24", "2026-11-23"]


def test_the_daily_rule_keeps_every_backup_of_a_day():
    items = [at("2026-11-24T01:00"), at("2026-11-24T13:00"), at("2026-11-24T23:59:59")]
    assert len(kept_days(plan(items, replace(OFF, daily_days=2), NOW))) == 3


def test_a_week_is_stood_for_by_its_sunday():
    items = nightly("2026-11-02", "2026-11-24")
    decisions = plan(items, replace(OFF, weekly=3), NOW)
    # Week 48 is still young: Tuesday the 24th is the nearest to its Sunday so far. The Sundays before are 22 and 15.
    assert kept_days(decisions) == ["2026-11-24", "2026-11-22", "2026-11-15"]
    assert reasons(decisions, at("2026-11-15T02:00")) == ("newest of Sunday in week 2026-W46",)


def test_a_failed_sunday_loses_no_week():
    items = [item for item in nightly("2026-11-02", "2026-11-25") if f"{item.started:%d}" != "15"]
    decisions = plan(items, replace(OFF, weekly=3), NOW)
    assert kept_days(decisions) == ["2026-11-25", "2026-11-22", "2026-11-14"]
    assert reasons(decisions, at("2026-11-14T02:00")) == ("nearest to Sunday in week 2026-W46",)


def test_a_sunday_that_failed_its_verification_loses_no_week():
    items = [replace(item, failed=f"{item.started:%d}" == "15") for item in nightly("2026-11-02", "2026-11-25")]
    assert kept_days(plan(items, replace(OFF, weekly=3), NOW)) == ["2026-11-25", "2026-11-22", "2026-11-14"]


def test_weeks_without_a_backup_do_not_count():
    items = [at("2026-11-22T02:00"), at("2026-10-18T02:00"), at("2026-03-01T02:00"), at("2025-12-28T02:00")]
    assert kept_days(plan(items, replace(OFF, weekly=3), NOW)) == ["2026-11-22", "2026-10-18", "2026-03-01"]


def test_of_two_days_as_near_to_the_anchor_the_later_one_stands_for_the_week():
    items = [at("2026-11-17T02:00"), at("2026-11-19T02:00"), at("2026-11-25T02:00")]
    decisions = plan(items, replace(OFF, weekly=2, weekday=3), NOW)
    assert kept_days(decisions) == ["2026-11-25", "2026-11-19"]


def test_of_several_backups_of_the_anchor_day_the_newest_stays():
    items = [at("2026-11-22T02:00"), at("2026-11-22T20:00"), at("2026-11-24T02:00")]
    kept = [decision.item for decision in plan(items, replace(OFF, weekly=2), NOW) if decision.keep]
    assert kept == [at("2026-11-24T02:00"), at("2026-11-22T20:00")]


def test_a_month_is_stood_for_by_its_first_day_or_the_nearest_to_it():
    items = nightly("2026-09-01", "2026-09-30") + nightly("2026-10-03", "2026-11-25")
    decisions = plan(items, replace(OFF, monthly=3), NOW)
    assert kept_days(decisions) == ["2026-11-25", "2026-11-01", "2026-10-03", "2026-09-01"]
    assert reasons(decisions, at("2026-10-03T02:00")) == ("nearest to day 1 in 2026-10",)


def test_the_last_day_stands_for_the_31st_in_a_short_month():
    items = nightly("2028-02-01", "2028-03-02")
    decisions = plan(items, replace(OFF, monthly=2, day=31), datetime(2028, 3, 2, 12, tzinfo=UTC))
    assert "2028-02-29" in kept_days(decisions)


def test_the_week_of_a_year_s_end_is_one_week():
    # ISO week 53 of 2026 runs from 28 December to 3 January.
    items = nightly("2026-12-27", "2027-01-04")
    decisions = plan(items, replace(OFF, weekly=3), datetime(2027, 1, 4, 12, tzinfo=UTC))
    assert kept_days(decisions) == ["2027-01-04", "2027-01-03", "2026-12-27"]
    assert reasons(decisions, at("2027-01-03T02:00")) == ("newest of Sunday in week 2026-W53",)


def test_days_are_those_of_the_zone_on_both_sides_of_the_change_to_summer_time():
    # In Berlin the clock goes from 02:00 to 03:00 on Sunday, 29 March 2026: 22:30 UTC of the day before is 23:30 there,
    # and 22:30 UTC of that Sunday is 00:30 of Monday.
    saturday, monday = at("2026-03-28T22:30"), at("2026-03-29T22:30")
    decisions = plan([saturday, monday], Policy(BERLIN, weekly=2), datetime(2026, 3, 30, 12, tzinfo=UTC))
    assert reasons(decisions, saturday) == ("nearest to Sunday in week 2026-W13",)
    assert reasons(decisions, monday) == ("newest", "nearest to Sunday in week 2026-W14")
    in_utc = plan([saturday, monday], Policy(UTC, weekly=2), datetime(2026, 3, 30, 12, tzinfo=UTC))
    assert reasons(in_utc, monday) == ("newest", "newest of Sunday in week 2026-W13")


def test_the_last_and_the_young_are_kept_by_their_own_rules():
    items = nightly("2026-11-01", "2026-11-25")
    assert kept_days(plan(items, replace(OFF, last=2), NOW)) == ["2026-11-25", "2026-11-24"]
    decisions = plan(items, replace(OFF, within=timedelta(hours=60)), NOW)
    assert kept_days(decisions) == ["2026-11-25", "2026-11-24", "2026-11-23"]
    assert reasons(decisions, at("2026-11-23T02:00")) == ("within 2d 12h",)


def test_the_newest_verified_and_the_newest_proved_ones_stay_whatever_the_rules_say():
    items = [
        at("2026-11-25T02:00"),
        at("2026-11-24T02:00", verified="content"),
        at("2026-11-23T02:00", verified="content"),
        at("2026-11-01T02:00", verified="restore"),
    ]
    decisions = plan(items, replace(OFF, last=1), NOW)
    assert kept_days(decisions) == ["2026-11-25", "2026-11-24", "2026-11-01"]
    assert reasons(decisions, items[3]) == ("newest proved by a restore",)


def test_pinned_locked_and_very_young_ones_stay():
    items = [
        at("2026-11-25T11:30"),
        at("2026-11-25T11:10"),
        at("2026-11-01T02:00", pinned=True),
        at("2026-10-01T02:00", locked="until 2027-01-01T00:00:00Z"),
        at("2026-09-01T02:00"),
    ]
    decisions = plan(items, replace(OFF, last=1, min_age=timedelta(hours=1)), NOW)
    assert [decision.keep for decision in decisions] == [True, True, True, True, False]
    assert reasons(decisions, items[3]) == ("locked until 2027-01-01T00:00:00Z",)
    assert reasons(decisions, items[4]) == ("no rule keeps it",)


def test_a_backup_that_a_restore_made_for_safety_never_counts_as_the_newest():
    items = [at("2026-11-25T02:00", is_safety=True), at("2026-11-20T02:00")]
    assert reasons(plan(items, replace(OFF, weekly=1), NOW), items[1]) == ("newest",)


POOR = [{"failed": True}, {"is_safety": True}]


@pytest.mark.parametrize("poor", POOR)
def test_one_that_failed_or_was_kept_for_safety_takes_no_place_from_a_better_one(poor):
    saturday, sunday = at("2026-11-14T02:00"), at("2026-11-15T02:00", **poor)
    newest, older = at("2026-11-25T02:00"), at("2026-10-01T02:00")
    items = [newest, sunday, saturday, older]
    decisions = plan(items, replace(OFF, weekly=2), NOW)
    assert kept_days(decisions) == ["2026-11-25", "2026-11-14"]
    assert reasons(decisions, saturday) == ("nearest to Sunday in week 2026-W46",)
    monthly = plan([newest, at("2026-10-01T15:00", **poor), older], replace(OFF, monthly=2), NOW)
    assert [each.item for each in monthly if each.keep] == [newest, older]
    last = plan(items, replace(OFF, last=3), NOW)
    assert kept_days(last) == ["2026-11-25", "2026-11-14", "2026-10-01"]
    assert reasons(last, saturday) == ("number 2 of the last 3",)


@pytest.mark.parametrize("poor", POOR)
def test_where_there_is_nothing_better_one_that_failed_or_was_kept_for_safety_stands(poor):
    newest, sunday, monday = at("2026-11-25T02:00"), at("2026-11-15T02:00", **poor), at("2026-11-09T02:00", **poor)
    decisions = plan([newest, sunday, monday], replace(OFF, weekly=2), NOW)
    assert kept_days(decisions) == ["2026-11-25", "2026-11-15"]
    assert kept_days(plan([newest, sunday, monday], replace(OFF, last=2), NOW)) == ["2026-11-25", "2026-11-15"]


def test_too_much_in_all_goes_oldest_first_but_never_a_protected_one():
    items = [at(f"2026-11-{day}T02:00", size=100) for day in (25, 24, 23, 22)]
    items.append(at("2026-11-21T02:00", size=100, pinned=True))
    decisions = plan(items, replace(OFF, daily_days=30, max_total_size=300), NOW)
    assert kept_days(decisions) == ["2026-11-25", "2026-11-24", "2026-11-21"]
    assert reasons(decisions, items[3]) == ("over 300 B in all, and the oldest",)
    nothing_fits = plan(items, replace(OFF, daily_days=30, max_total_size=1), NOW)
    assert kept_days(nothing_fits) == ["2026-11-25", "2026-11-21"]


def test_each_database_is_judged_on_its_own():
    other = replace(at("2026-01-01T02:00"), name="crm_2026-01-01", database="crm")
    decisions = plan([at("2026-11-25T02:00"), other], replace(OFF, last=1), NOW)
    assert all(decision.keep for decision in decisions)


GUARD = Guard(max_delete_fraction=0.5, max_newest_age=timedelta(days=14))


def test_an_empty_place_is_not_pruned():
    assert "no complete backup was found" in objection([], GUARD, NOW)


def test_a_clock_that_runs_ahead_or_behind_stops_everything():
    decisions = plan(nightly("2026-11-20", "2026-11-25"), replace(OFF, daily_days=30), NOW)
    assert objection(decisions, GUARD, NOW) is None
    assert "One of the two clocks is wrong" in objection(decisions, GUARD, NOW - timedelta(days=2))
    assert "Either this clock is wrong" in objection(decisions, GUARD, NOW + timedelta(days=15))


def test_a_plan_that_deletes_more_than_its_share_is_refused():
    decisions = plan(nightly("2026-11-01", "2026-11-25"), replace(OFF, last=12), NOW)
    assert "13 of 25 backups would go" in objection(decisions, GUARD, NOW)
    assert objection(plan(nightly("2026-11-01", "2026-11-24"), replace(OFF, last=12), NOW), GUARD, NOW) is None


def night_after(remembered: list[Item], present: list[Item]) -> tuple[list, str | None]:
    """Return what is missed on the night of NOW, and what is said against pruning."""
    memory = {"shop": Memory(NOW - timedelta(days=1), tuple(remembered))}
    policy = replace(OFF, daily_days=30)
    lost = losses(memory, present, policy, NOW)
    return lost, objection(plan(present, policy, NOW), GUARD, NOW, lost)


def test_what_the_rules_let_go_and_what_is_new_is_not_missed():
    # Of the 31 nights the oldest goes tonight, and somebody else may have pruned it already.
    remembered = nightly("2026-10-26", "2026-11-24")
    assert night_after(remembered, nightly("2026-10-26", "2026-11-25")) == ([], None)
    assert night_after(remembered, nightly("2026-10-27", "2026-11-25")) == ([], None)


def test_half_of_what_was_there_may_be_gone_and_no_more():
    remembered = nightly("2026-11-05", "2026-11-24")
    (loss,), said = night_after(remembered, nightly("2026-11-15", "2026-11-25"))
    assert (len(loss.gone), loss.expected, said) == (10, 20, None)
    (loss,), said = night_after(remembered, nightly("2026-11-16", "2026-11-25"))
    assert (len(loss.gone), loss.expected) == (11, 20)
    assert said.startswith(
        "backups that the rules keep are gone, and were not deleted from here: of shop 11 of the 20 that were there at "
        "2026-11-24T12:00:00Z (shop_2026-11-15T02:00, shop_2026-11-14T02:00, shop_2026-11-13T02:00 and 8 more)."
    )
    assert (
        objection(
            plan(nightly("2026-11-16", "2026-11-25"), OFF, NOW), replace(GUARD, max_delete_fraction=1), NOW, [loss]
        )
        is None
    )


def test_a_database_without_any_backup_left_is_missed_although_another_has_all_of_its_own():
    memories = {
        "shop": Memory(NOW, (at("2026-11-24T02:00"),)),
        "crm": Memory(NOW, (replace(at("2026-11-24T03:00"), name="crm_2026-11-24T03:00", database="crm"),)),
    }
    (loss,) = losses(memories, [at("2026-11-24T02:00")], replace(OFF, daily_days=30), NOW)
    assert (loss.database, loss.gone, loss.expected) == ("crm", ("crm_2026-11-24T03:00",), 1)


def test_a_host_that_comes_back_after_half_a_year_does_not_miss_what_another_has_pruned_meanwhile():
    policy = Policy(UTC, daily_days=30, weekly=12, monthly=12)
    there, remembered, day = [], (), date(2025, 6, 1)
    while day <= NOW.date():
        there.append(at(f"{day}T02:00"))
        now = datetime(day.year, day.month, day.day, 3, tzinfo=UTC)
        there = [decision.item for decision in plan(there, policy, now) if decision.keep]
        if day == date(2026, 5, 25):
            remembered = tuple(there)
        day += timedelta(days=1)
    # Then: 30 days, the six Sundays before them, eleven firsts. Now, of those: the firsts of December to May.
    assert (len(remembered), len([item for item in remembered if item in there])) == (47, 6)
    assert losses({"shop": Memory(NOW, remembered)}, there, policy, NOW) == []


moments = st.datetimes(datetime(2023, 12, 1), datetime(2026, 11, 25), timezones=st.just(UTC)).map(
    lambda moment: moment.replace(microsecond=0)
)


def test_the_next_to_go_is_the_one_whose_last_day_ends_first():
    nights = nightly("2026-11-20", "2026-11-25")
    said = first_deletions(nights, replace(OFF, daily_days=7), NOW)
    assert said == {"shop": (datetime(2026, 11, 27, tzinfo=UTC), [at("2026-11-20T02:00")])}


def test_the_day_after_which_a_backup_goes_ends_at_midnight_of_the_zone():
    said = first_deletions(nightly("2026-11-20", "2026-11-25"), Policy(BERLIN, daily_days=7), NOW)
    assert said["shop"][0] == datetime(2026, 11, 26, 23, tzinfo=UTC)


def test_what_may_go_already_goes_now_all_of_it():
    moment, going = first_deletions(nightly("2026-11-20", "2026-11-25"), replace(OFF, daily_days=3), NOW)["shop"]
    assert moment == NOW
    assert [f"{item.started:%d}" for item in going] == ["22", "21", "20"]


def test_a_backup_that_is_kept_for_its_age_goes_a_second_after():
    said = first_deletions(nightly("2026-11-24", "2026-11-25"), replace(OFF, within=timedelta(hours=48)), NOW)
    assert said["shop"] == (datetime(2026, 11, 26, 2, 0, 1, tzinfo=UTC), [at("2026-11-24T02:00")])


def test_a_young_backup_that_no_rule_keeps_goes_when_it_is_old_enough():
    policy = replace(OFF, last=1, min_age=timedelta(hours=1))
    said = first_deletions([at("2026-11-25T11:30"), at("2026-11-25T11:40")], policy, NOW)
    assert said["shop"] == (datetime(2026, 11, 25, 12, 30, tzinfo=UTC), [at("2026-11-25T11:30")])


def test_what_only_new_backups_would_push_out_is_not_said_to_go():
    items = nightly("2026-11-24", "2026-11-25")
    assert first_deletions(items, replace(OFF, last=2, weekly=1), NOW) == {}


items = st.builds(
    Item,
    name=st.uuids().map(str),
    database=st.sampled_from(["shop", "crm"]),
    started=moments,
    size=st.integers(1, 1000),
    pinned=st.booleans(),
    verified=st.sampled_from([None, "content", "restore"]),
    locked=st.sampled_from([None, None, None, "until later"]),
    is_safety=st.booleans(),
    failed=st.booleans(),
)
catalogs = st.lists(items, max_size=60, unique_by=lambda item: item.name)
policies = st.builds(
    Policy,
    zone=st.sampled_from([UTC, BERLIN, ZoneInfo("America/St_Johns"), ZoneInfo("Pacific/Kiritimati")]),
    daily_days=st.integers(0, 40),
    weekly=st.integers(0, 60),
    monthly=st.integers(0, 24),
    last=st.integers(0, 5),
    within=st.one_of(st.none(), st.timedeltas(timedelta(0), timedelta(days=400))),
    min_age=st.timedeltas(timedelta(0), timedelta(days=3)),
    max_total_size=st.one_of(st.none(), st.integers(0, 20000)),
    weekday=st.integers(1, 7),
    day=st.integers(1, 31),
)


@given(catalogs, policies)
@settings(max_examples=300)
def test_nothing_protected_is_ever_deleted(catalog, policy):
    kept = {decision.item.name for decision in plan(catalog, policy, NOW) if decision.keep}
    for database in {item.database for item in catalog}:
        ordinary = [item for item in catalog if item.database == database and not item.is_safety]
        newest_first = sorted(ordinary, key=lambda item: (item.started, item.number, item.name), reverse=True)
        for wanted in (
            newest_first,
            [item for item in newest_first if item.verified],
            [item for item in newest_first if item.verified == "restore"],
        ):
            assert all(item.name in kept for item in wanted[:1])
    for item in catalog:
        if item.pinned or item.locked or NOW - item.started < policy.min_age:
            assert item.name in kept


@given(catalogs, policies, st.randoms(use_true_random=False))
@settings(max_examples=200)
def test_order_and_duplicates_of_the_listing_do_not_matter(catalog, policy, chance: random.Random):
    shuffled = catalog + catalog[:5]
    chance.shuffle(shuffled)
    assert plan(shuffled, policy, NOW) == plan(catalog, policy, NOW)


@given(catalogs, policies)
@settings(max_examples=200)
def test_pruning_twice_deletes_nothing_more(catalog, policy):
    kept = [decision.item for decision in plan(catalog, policy, NOW) if decision.keep]
    assert all(decision.keep for decision in plan(kept, policy, NOW))


@given(catalogs, policies, items)
@settings(max_examples=300)
def test_another_backup_takes_from_an_older_one_only_its_place_in_the_same_period(catalog, policy, another):
    """A backup that is added may stand for its week, its month and the last N instead of others, and for no more."""
    policy = replace(policy, max_total_size=None)
    before = {decision.item.name: decision for decision in plan(catalog, policy, NOW)}
    after = {decision.item.name: decision for decision in plan([*catalog, another], policy, NOW)}
    for name, decision in before.items():
        if not decision.keep or after[name].keep:
            continue
        item = decision.item
        day, other = (moment.astimezone(policy.zone).date() for moment in (item.started, another.started))
        assert item.database == another.database
        # A new period pushes the oldest one out; within a period the better one wins, then the nearer one; last N are
        # the newest N, the better ones first; the newest of a kind is another now.
        assert (
            other >= day
            or (item.is_poor and not another.is_poor and policy.last)
            or day.isocalendar()[:2] == other.isocalendar()[:2]
            or (day.year, day.month)
            == (
                other.year,
                other.month,
            )
        )


@given(catalogs, catalogs, policies)
@settings(max_examples=300)
def test_what_another_host_prunes_by_the_same_rules_is_never_missed(catalog, later, policy):
    policy = replace(policy, max_total_size=None)
    kept = [decision.item for decision in plan([*catalog, *later], policy, NOW) if decision.keep]
    # Names alone are remembered, and looked at here.
    catalog, kept = ([Item(item.name, item.database, item.started) for item in each] for each in (catalog, kept))
    memories = {
        database: Memory(NOW, tuple(item for item in catalog if item.database == database))
        for database in ("shop", "crm")
    }
    assert losses(memories, kept, policy, NOW) == []


@given(catalogs, policies)
@settings(max_examples=300)
def test_no_week_and_no_month_is_stood_for_by_a_poor_backup_where_it_has_a_better_one(catalog, policy):
    for decision in plan(catalog, replace(policy, max_total_size=None), NOW):
        item, said = decision.item, " ".join(decision.reasons)
        better = [other for other in catalog if other.database == item.database and not other.is_poor]
        if not item.is_poor:
            continue
        days = [other.started.astimezone(policy.zone).date() for other in better]
        day = item.started.astimezone(policy.zone).date()
        if " in week " in said:
            assert day.isocalendar()[:2] not in [other.isocalendar()[:2] for other in days]
        if f" in {day:%Y-%m}" in said:
            assert (day.year, day.month) not in [(other.year, other.month) for other in days]
        if " of the last " in said and "number" in said:
            assert len(better) < policy.last


@given(catalogs, policies)
@settings(max_examples=200)
def test_nothing_is_deleted_before_the_moment_that_is_said(catalog, policy):
    said = first_deletions(catalog, policy, NOW)
    for database in {item.database for item in catalog}:
        moment, going = said.get(database, (NOW + timedelta(days=9999), []))
        at_last = [each.item for each in plan(catalog, policy, moment) if not each.keep]
        assert [item for item in at_last if item.database == database] == going
        if moment > NOW:
            before = plan(catalog, policy, max(NOW, moment - timedelta(seconds=1)))
            assert not [each for each in before if not each.keep and each.item.database == database]


@given(st.dates(date(2024, 1, 1), date(2026, 11, 25)))
@settings(max_examples=100)
def test_every_week_and_month_of_a_nightly_backup_is_stood_for(last):
    now = datetime(last.year, last.month, last.day, 12, tzinfo=UTC)
    nights = nightly(str(last - timedelta(days=200)), str(last))
    kept = [
        decision.item.started.date()
        for decision in plan(nights, replace(OFF, weekly=12, monthly=6), now)
        if decision.keep
    ]
    for weeks in range(12):
        week = (last - timedelta(weeks=weeks)).isocalendar()[:2]
        assert any(day.isocalendar()[:2] == week for day in kept)
    month = last
    for _number in range(6):
        assert any((day.year, day.month) == (month.year, month.month) for day in kept)
        month = month.replace(day=1) - timedelta(days=1)


@pytest.mark.parametrize("nights", [400, 800])
def test_a_year_of_nights_pruned_every_night_leaves_what_the_policy_names(nights):
    policy, there = Policy(UTC, daily_days=30, weekly=12, monthly=12), []
    first = date(2025, 1, 1)
    for night in range(nights):
        day = first + timedelta(days=night)
        there.append(at(f"{day}T02:00"))
        now = datetime(day.year, day.month, day.day, 3, tzinfo=UTC)
        there = [decision.item for decision in plan(there, policy, now) if decision.keep]
    last = first + timedelta(days=nights - 1)
    wanted = {last - timedelta(days=number) for number in range(30)}
    sunday = last - timedelta(days=last.isoweekday() % 7)
    wanted |= {sunday - timedelta(weeks=number) for number in range(12 if last == sunday else 11)}
    month = last
    for _number in range(12):
        wanted.add(month.replace(day=1))
        month = month.replace(day=1) - timedelta(days=1)
    assert {item.started.date() for item in there} == wanted
