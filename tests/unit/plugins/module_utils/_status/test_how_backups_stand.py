# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the backups stand: the facts, every limit below, at and above it, and what each reader is told."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from ansible_collections.dbops.recovery.plugins.module_utils._retention import Item, Policy
from ansible_collections.dbops.recovery.plugins.module_utils._status import nagios, prometheus, table
from ansible_collections.dbops.recovery.plugins.module_utils._status.facts import Copy, Place, RestoreTest, facts_of
from ansible_collections.dbops.recovery.plugins.module_utils._status.verdict import (
    Limits,
    headline,
    problems_of,
    state_of,
)
from ansible_collections.dbops.recovery.plugins.module_utils._units import CLOCK_TOLERANCE, show_time

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=timezone.utc)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
HERE, BUCKET, DISK = "/var/backups/shop", "s3://example-backups", "file:///mnt/nas"
NONE = Limits()


def made(age, database="shop", verified="content", problem=None, tests=(), **more) -> Copy:
    started = NOW - age
    name = f"{database}_{started:%Y-%m-%d_%H%M%S}"
    item = Item(name, database, started, size=1100, verified=verified, **more)
    return Copy(name, database, item, problem, 1000, tuple(tests))


def rehearsed(age, passed=True) -> RestoreTest:
    return RestoreTest(f"shop_{NOW - age:%Y-%m-%d_%H%M%S}", NOW - age, "drill1", passed)


def here(*copies, **more) -> Place:
    return Place(HERE, False, copies, **more)


def bucket(*copies, **more) -> Place:
    return Place(BUCKET, True, copies, **more)


def status_of(*places, wanted=(), limits=NONE) -> dict:
    databases = facts_of(list(places), wanted, NOW)
    problems = problems_of(databases, list(places), limits, wanted)
    return {
        "state": state_of(problems),
        "time": show_time(NOW),
        "databases": databases,
        "places": [{"place": place.name, "is_offsite": place.is_offsite, "error": place.error} for place in places],
        "problems": problems,
    }


def facts(*places, wanted=()) -> dict:
    (only,) = facts_of(list(places), wanted, NOW)
    return only


def passed_limits(*places, limits, wanted=()) -> list[tuple[str, str | None]]:
    return [(each["severity"], each["limit"]) for each in status_of(*places, limits=limits, wanted=wanted)["problems"]]


# Facts


def test_the_newest_backup_is_named_with_all_the_places_that_have_it():
    old, new = made(30 * HOUR), made(6 * HOUR)
    newest = facts(here(old, new), bucket(new))["newest"]
    assert newest == {
        "name": "shop_2026-11-25_060000",
        "started": "2026-11-25T06:00:00Z",
        "age_seconds": 6 * 3600,
        "size_bytes": 1000,
        "verified": "content",
        "places": [HERE, BUCKET],
    }


def test_the_newest_verified_and_the_newest_off_site_can_be_others():
    found = facts(here(made(HOUR, verified=None), made(2 * HOUR)), bucket(made(3 * HOUR, verified="restore")))
    assert found["newest"]["age_seconds"] == 3600
    assert found["newest_verified"]["age_seconds"] == 2 * 3600
    assert found["newest_offsite"]["age_seconds"] == 3 * 3600
    assert found["newest_offsite"]["verified"] == "restore"


def test_a_backup_is_as_well_verified_as_the_best_of_its_copies():
    newest = facts(here(made(HOUR)), bucket(made(HOUR, verified="restore")))["newest"]
    assert newest["verified"] == "restore"


def test_of_two_backups_begun_in_the_same_second_the_second_is_the_newest():
    first = made(HOUR)
    second = replace(first, name=f"{first.name}-2", item=replace(first.item, name=f"{first.name}-2", number=2))
    assert facts(here(first, second))["newest"]["name"].endswith("-2")


def test_damaged_backups_and_those_kept_for_safety_are_never_the_newest():
    damaged, safety = made(HOUR, problem="it is cut short."), made(2 * HOUR, is_safety=True)
    found = facts(here(damaged, safety, made(3 * HOUR)))
    assert found["newest"]["age_seconds"] == 3 * 3600
    assert found["damaged"] == [{"name": damaged.name, "place": HERE, "problem": "it is cut short."}]


def test_a_copy_that_is_whole_stands_for_one_that_is_not():
    assert facts(here(made(HOUR, problem="it is cut short.")), bucket(made(HOUR)))["newest"]["places"] == [BUCKET]


def test_the_last_restore_test_is_found_in_whichever_manifest_it_stands():
    copies = (
        made(50 * DAY, tests=[rehearsed(40 * DAY)]),
        made(6 * DAY, tests=[rehearsed(5 * DAY), rehearsed(3 * DAY, False)]),
    )
    assert facts(here(copies[0]), bucket(copies[1]))["restore_test"] == {
        "name": "shop_2026-11-22_120000",
        "time": "2026-11-22T12:00:00Z",
        "age_seconds": 3 * 86400,
        "host": "drill1",
        "backup": copies[1].name,
        "passed": False,
    }


def test_pinned_backups_are_named_once_however_many_copies_they_have():
    pinned = made(9 * DAY, pinned=True)
    assert facts(here(pinned, made(HOUR)), bucket(pinned))["pinned"] == [pinned.name]


def test_a_manifest_that_cannot_be_read_is_put_down_to_the_database_that_its_name_stands_for():
    whole = replace(made(HOUR), database="my shop", item=replace(made(HOUR).item, database="my=20shop"))
    unread = Copy("my=20shop_2026-11-25_020000", "my=20shop", None, "it is damaged.")
    found = facts(here(whole), bucket(unread))
    assert (found["database"], len(found["damaged"])) == ("my shop", 1)


def test_each_place_says_what_it_has_and_what_goes_there_next():
    policy = Policy(timezone.utc, daily_days=3)
    nights = [made(number * DAY + 10 * HOUR) for number in range(3)]
    local, offsite = facts(here(*nights, policy=policy), bucket(*nights))["places"]
    assert local.pop("newest")["name"] == nights[0].name
    assert local == {
        "place": HERE,
        "backups": 3,
        "size_bytes": 3300,
        # The one of the 23rd is kept on the 23rd, 24th and 25th.
        "next_deletion": {
            "time": "2026-11-26T00:00:00Z",
            "in_seconds": 12 * 3600,
            "backups": ["shop_2026-11-23_020000"],
            "size_bytes": 1100,
        },
    }
    assert offsite["next_deletion"] is None


def test_a_wanted_database_without_any_backup_is_among_the_facts():
    found = facts(here(), wanted=["wiki"])
    assert (found["database"], found["newest"], found["places"][0]["backups"]) == ("wiki", None, 0)


# Limits


@pytest.mark.parametrize(("past", "passed"), [(-1, False), (0, False), (1, True)], ids=["below", "at", "above"])
@pytest.mark.parametrize("limit", [field.name for field in fields(Limits)])
def test_a_limit_is_passed_by_the_second_after_it(limit, past, passed):
    age = timedelta(hours=26, seconds=past)
    young, old = made(HOUR, verified=None), made(age, verified="restore")
    places = {
        "max_age": [here(old)],
        "max_unverified_age": [here(young, old)],
        "max_offsite_age": [here(young), bucket(old)],
        "max_restore_test_age": [here(replace(young, tests=(rehearsed(age),)))],
    }[limit]
    severity = "warning" if limit == "max_restore_test_age" else "critical"
    found = passed_limits(*places, limits=Limits(**{limit: timedelta(hours=26)}))
    assert found == ([(severity, limit)] if passed else [])


def test_without_limits_only_what_is_missing_or_broken_is_a_problem():
    assert status_of(here(made(900 * DAY, verified=None)))["state"] == "ok"


@pytest.mark.parametrize(
    ("limit", "severity"),
    [("max_unverified_age", "critical"), ("max_offsite_age", "critical"), ("max_restore_test_age", "warning")],
)
def test_what_never_was_is_over_every_limit(limit, severity):
    places = here(made(HOUR, verified=None)), bucket()
    assert passed_limits(*places, limits=Limits(**{limit: 999 * DAY})) == [(severity, limit)]


def test_without_a_store_elsewhere_nothing_is_expected_to_be_there():
    assert passed_limits(here(made(HOUR)), limits=Limits(max_offsite_age=DAY)) == []


def test_a_database_without_a_complete_backup_is_critical_whatever_the_limits():
    (problem,) = status_of(here(), wanted=["wiki"])["problems"]
    assert (problem["severity"], problem["database"]) == ("critical", "wiki")
    assert problem["message"] == "wiki: there is no complete backup."


def test_places_without_any_backup_of_any_database_are_critical():
    (problem,) = status_of(here(), bucket())["problems"]
    assert (problem["severity"], problem["message"]) == ("critical", "There is no backup of any database.")


def test_that_all_backups_are_too_old_is_said_once():
    limits = Limits(max_age=26 * HOUR, max_unverified_age=26 * HOUR, max_offsite_age=26 * HOUR)
    old = made(3 * DAY)
    assert passed_limits(here(old), bucket(old), limits=limits) == [("critical", "max_age")]


def test_that_none_is_off_site_is_said_also_when_all_are_too_old():
    limits = Limits(max_age=26 * HOUR, max_offsite_age=26 * HOUR)
    found = passed_limits(here(made(3 * DAY)), bucket(), limits=limits)
    assert found == [("critical", "max_age"), ("critical", "max_offsite_age")]


def test_a_longer_limit_that_the_newest_keeps_is_still_looked_at():
    limits = Limits(max_age=26 * HOUR, max_unverified_age=7 * DAY)
    found = passed_limits(here(made(3 * DAY, verified=None), made(9 * DAY)), limits=limits)
    assert found == [("critical", "max_age"), ("critical", "max_unverified_age")]


def disk(*copies, **more) -> Place:
    return Place(DISK, True, copies, **more)


def test_a_place_off_site_that_lags_behind_another_one_is_a_warning():
    old = made(200 * DAY)
    (problem,) = status_of(here(), bucket(made(HOUR)), disk(old), limits=Limits(max_offsite_age=26 * HOUR))["problems"]
    assert (problem["severity"], problem["place"], problem["limit"]) == ("warning", DISK, "max_offsite_age")
    assert problem["message"] == (
        f"shop: {DISK} lags behind: the newest backup there, {old.name}, is 200d old. "
        "At most 1d 2h is allowed (max_offsite_age)."
    )


@pytest.mark.parametrize(("past", "passed"), [(-1, False), (0, False), (1, True)], ids=["below", "at", "above"])
def test_each_place_off_site_is_held_against_the_limit(past, passed):
    late = made(timedelta(hours=26, seconds=past))
    found = passed_limits(bucket(late), disk(made(HOUR)), limits=Limits(max_offsite_age=26 * HOUR))
    assert found == ([("warning", "max_offsite_age")] if passed else [])


def test_a_database_that_must_have_backups_is_missed_in_a_place_off_site_that_has_none_of_it():
    places, limits = (bucket(made(HOUR)), disk()), Limits(max_offsite_age=26 * HOUR)
    (problem,) = status_of(*places, wanted=["shop"], limits=limits)["problems"]
    assert (problem["severity"], problem["place"]) == ("warning", DISK)
    assert problem["message"] == f"shop: {DISK} has no backup of it, and another place off-site has."


def test_a_database_that_is_only_found_is_not_missed_where_there_is_none_of_it():
    limits = Limits(max_offsite_age=26 * HOUR)
    assert passed_limits(bucket(made(HOUR)), disk(made(HOUR, database="wiki")), limits=limits) == []


def test_that_all_places_off_site_are_behind_is_said_once():
    limits = Limits(max_offsite_age=26 * HOUR)
    found = passed_limits(here(made(HOUR)), bucket(made(3 * DAY)), disk(made(4 * DAY)), limits=limits)
    assert found == [("critical", "max_offsite_age")]


def test_a_place_off_site_that_cannot_be_read_is_not_said_to_lag_behind():
    places, limits = (bucket(made(HOUR)), disk(error="It is down.")), Limits(max_offsite_age=26 * HOUR)
    assert passed_limits(*places, wanted=["shop"], limits=limits) == [("critical", None)]


def test_a_restore_test_that_failed_is_critical_without_any_limit():
    (problem,) = status_of(here(made(6 * DAY, tests=[rehearsed(3 * DAY, False)])))["problems"]
    assert problem["severity"] == "critical"
    assert "shop_2026-11-22_120000, of shop_2026-11-19_120000 on drill1, FAILED 3d ago" in problem["message"]


def test_a_restore_test_that_passed_after_one_that_failed_is_what_counts():
    assert status_of(here(made(6 * DAY, tests=[rehearsed(2 * DAY), rehearsed(3 * DAY, False)])))["state"] == "ok"


def test_a_restore_test_from_the_future_hides_no_other_one_and_is_said():
    ahead = rehearsed(-CLOCK_TOLERANCE - timedelta(seconds=1))
    copy = made(6 * DAY, tests=[ahead, rehearsed(3 * DAY, False)])
    failed, warning = status_of(here(copy))["problems"]
    assert "FAILED 3d ago" in failed["message"]
    assert (warning["severity"], warning["database"]) == ("warning", "shop")
    assert warning["message"] == (
        f"shop: the restore test {ahead.name}, of {copy.name} on drill1, is from the future, so that it does not count."
    )
    assert facts(here(copy))["future_restore_tests"] == [
        {
            "name": ahead.name,
            "time": "2026-11-25T13:00:01Z",
            "age_seconds": -3601,
            "host": "drill1",
            "backup": copy.name,
            "passed": True,
        }
    ]


def test_a_restore_test_from_the_future_is_told_once_however_many_copies_tell_of_it():
    copy = made(HOUR, tests=[rehearsed(-DAY)])
    assert len(status_of(here(copy), bucket(copy))["problems"]) == 1


def test_a_restore_test_by_a_clock_that_is_hardly_ahead_counts():
    copy = made(6 * DAY, tests=[rehearsed(-CLOCK_TOLERANCE), rehearsed(3 * DAY, False)])
    assert status_of(here(copy))["state"] == "ok"


def test_only_restore_tests_from_the_future_are_as_none():
    found = passed_limits(here(made(HOUR, tests=[rehearsed(-DAY)])), limits=Limits(max_restore_test_age=DAY))
    assert sorted(found, key=str) == [("warning", "max_restore_test_age"), ("warning", None)]


def test_a_damaged_copy_is_a_warning():
    (problem,) = status_of(here(made(HOUR)), bucket(made(HOUR, problem="it is cut short.")))["problems"]
    assert (problem["severity"], problem["place"]) == ("warning", BUCKET)
    assert problem["message"].endswith("in s3://example-backups cannot be counted on: it is cut short.")


@pytest.mark.parametrize(("ahead", "state"), [(HOUR, "ok"), (HOUR + timedelta(seconds=1), "critical")])
def test_a_backup_from_the_future_does_not_pass_for_a_young_one(ahead, state):
    assert status_of(here(made(-ahead)), limits=Limits(max_age=DAY))["state"] == state


def test_a_place_that_cannot_be_read_is_critical_and_the_others_are_reported():
    status = status_of(
        here(made(3 * DAY)), bucket(error="It is down."), limits=Limits(max_age=DAY, max_offsite_age=DAY)
    )
    assert [each["message"].split(",")[0] for each in status["problems"]] == [
        "It is down.",
        "shop: the newest backup",
    ]
    assert [each["place"] for each in status["databases"][0]["places"]] == [HERE]


def test_what_is_missing_while_a_place_cannot_be_read_is_said_with_that_reservation():
    status = status_of(here(), bucket(error="It is down."), wanted=["shop"])
    assert status["problems"][1]["message"] == "shop: there is no complete backup in the places that could be read."


def test_while_a_place_cannot_be_read_no_restore_test_is_missed():
    limits = Limits(max_restore_test_age=DAY)
    old = made(9 * DAY, tests=[rehearsed(8 * DAY)])
    for copy in (made(HOUR), old):
        assert passed_limits(here(copy), bucket(error="It is down."), limits=limits) == [("critical", None)]


def test_where_no_place_can_be_read_nothing_is_claimed_of_any_database():
    status = status_of(
        here(error="It is gone."), bucket(error="It is down."), wanted=["shop"], limits=Limits(max_age=DAY)
    )
    assert [each["message"] for each in status["problems"]] == ["It is gone.", "It is down."]


def test_the_worst_problem_comes_first_and_makes_the_state():
    places = here(made(HOUR, problem="it is cut short."), made(2 * DAY))
    status = status_of(places, limits=Limits(max_age=DAY))
    assert [each["severity"] for each in status["problems"]] == ["critical", "warning"]
    assert status["state"] == "critical"
    assert headline(status) == "CRITICAL - 1 critical, 1 warning"


# For people


def test_the_table_has_a_row_for_each_database_and_one_for_each_of_its_places():
    policy = Policy(timezone.utc, daily_days=3)
    shop = [made(10 * HOUR, tests=[rehearsed(12 * DAY)]), made(2 * DAY + 10 * HOUR, pinned=True)]
    wiki = made(4 * DAY, database="wiki", verified=None, tests=[rehearsed(DAY, False)])
    status = status_of(
        here(*shop, wiki, policy=policy), bucket(shop[0], policy=policy), limits=Limits(max_age=26 * HOUR)
    )
    assert table.lines(status) == [
        "CRITICAL - 2 critical",
        "database  newest  verified       off-site  restore test  pinned  size",
        "shop      10h     10h (content)  10h       12d           1       1000 B",
        "wiki      4d      never          never     FAILED 1d     0       1000 B",
        "database  backups  size     next deletion  place",
        "shop      2        2.1 KiB  none           /var/backups/shop",
        "shop      1        1.1 KiB  none           s3://example-backups",
        "wiki      1        1.1 KiB  none           /var/backups/shop",
        "wiki      0        0 B      none           s3://example-backups",
    ]


def test_the_table_says_when_something_goes():
    nights = [made(number * DAY + 10 * HOUR) for number in range(3)]
    rows = table.lines(status_of(here(*nights, policy=Policy(timezone.utc, daily_days=3))))
    assert rows[-1].split()[4:6] == ["in", "12h"]
    rows = table.lines(status_of(here(*nights, policy=Policy(timezone.utc, daily_days=1))))
    assert rows[-1].split()[4] == "now"


def test_what_a_place_that_cannot_be_read_may_have_is_unknown_and_not_never():
    row = table.lines(status_of(here(made(HOUR, verified=None)), bucket(error="It is down.")))[2]
    assert row.split() == ["shop", "1h", "unknown", "unknown", "unknown", "0", "1000", "B"]


def test_without_a_store_elsewhere_the_table_does_not_say_never():
    assert table.lines(status_of(here(made(HOUR))))[2].split()[4] == "-"


# For Nagios


def test_the_nagios_line_has_state_text_and_performance_data_with_the_limits():
    limits = Limits(max_age=26 * HOUR, max_restore_test_age=35 * DAY)
    status = status_of(here(made(HOUR, tests=[rehearsed(2 * DAY)])), limits=limits)
    assert nagios.line(status, limits) == (
        "DBOPS OK - every limit is kept: shop: newest backup 1h old | "
        "'shop_age'=3600s;;93600 'shop_size'=1000B 'shop_restore_test_age'=172800s;3024000;"
    )


def test_the_nagios_line_stays_one_line_whatever_a_message_holds():
    status = status_of(here(made(HOUR, database="it's=1|2")), bucket(error="Down.\nAs | said: " + "x" * 999))
    line = nagios.line(status, NONE)
    assert "\n" not in line
    assert line.startswith("DBOPS CRITICAL - 1 critical: Down. As / said: xxx")
    assert line.count("|") == 1
    assert line.endswith("... | 'it''s_1/2_age'=3600s;; 'it''s_1/2_size'=1000B")
    assert len(line) < 300


# For Prometheus


def samples(status, *places) -> dict[str, str]:
    lines = prometheus.text(status, list(places)).splitlines()
    return dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))


def test_the_metrics_say_moments_sizes_and_numbers():
    policy = Policy(timezone.utc, daily_days=3)
    nights = [made(number * DAY + 10 * HOUR, tests=[rehearsed(12 * DAY)]) for number in range(3)]
    places = here(*nights, policy=policy), bucket(nights[1])
    begun = int(nights[0].item.started.timestamp())
    assert samples(status_of(*places), *places) == {
        "dbops_recovery_status_timestamp_seconds": "1795608000",
        'dbops_recovery_problems{severity="warning"}': "0",
        'dbops_recovery_problems{severity="critical"}': "0",
        'dbops_recovery_place_readable{place="/var/backups/shop"}': "1",
        'dbops_recovery_place_readable{place="s3://example-backups"}': "1",
        'dbops_recovery_newest_backup_timestamp_seconds{database="shop"}': f"{begun}",
        'dbops_recovery_newest_backup_size_bytes{database="shop"}': "1000",
        'dbops_recovery_newest_verified_backup_timestamp_seconds{database="shop"}': f"{begun}",
        'dbops_recovery_newest_offsite_backup_timestamp_seconds{database="shop"}': f"{begun - 86400}",
        'dbops_recovery_last_restore_test_timestamp_seconds{database="shop"}': f"{1795608000 - 12 * 86400}",
        'dbops_recovery_last_restore_test_passed{database="shop"}': "1",
        'dbops_recovery_pinned_backups{database="shop"}': "0",
        'dbops_recovery_backups{database="shop",place="/var/backups/shop"}': "3",
        'dbops_recovery_backups{database="shop",place="s3://example-backups"}': "1",
        'dbops_recovery_backups_size_bytes{database="shop",place="/var/backups/shop"}': "3300",
        'dbops_recovery_backups_size_bytes{database="shop",place="s3://example-backups"}': "1100",
        'dbops_recovery_next_deletion_timestamp_seconds{database="shop",place="/var/backups/shop"}': "1795651200",
    }


def test_what_never_was_has_the_moment_0_so_that_it_is_over_every_limit():
    places = here(), bucket()
    found = samples(status_of(*places, wanted=["wiki"]), *places)
    for what in ("newest_backup", "newest_verified_backup", "newest_offsite_backup", "last_restore_test"):
        assert found[f'dbops_recovery_{what}_timestamp_seconds{{database="wiki"}}'] == "0"


def test_of_what_could_not_be_looked_at_no_metric_says_that_it_is_not_there():
    places = here(error="It is gone."), bucket(error="It is down.")
    found = samples(status_of(*places, wanted=["shop"]), *places)
    assert not [name for name in found if "database" in name]
    places = here(made(HOUR)), bucket(error="It is down.")
    found = samples(status_of(*places), *places)
    assert not [name for name in found if "offsite" in name or "restore_test" in name]
    assert found['dbops_recovery_place_readable{place="s3://example-backups"}'] == "0"


def test_a_name_cannot_break_out_of_its_label():
    (line,) = [each for each in samples(status_of(here(made(HOUR, database='a"b\\c\nd'))), here()) if "pinned" in each]
    assert line == r'dbops_recovery_pinned_backups{database="a\"b\\c\nd"}'


def test_the_alerts_of_the_example_are_about_metrics_that_there_are():
    rules = Path(__file__).parents[5] / "examples" / "prometheus" / "alerts.yml"
    named = set(re.findall(r"dbops_recovery_[a-z_]+", rules.read_text().replace("name: dbops_recovery", "")))
    assert named
    assert named <= set(prometheus.METRICS)
