# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a restore test brought becomes a record: the verdict, the targets, the comparison, the words."""

from __future__ import annotations

import copy
from datetime import datetime, timedelta, timezone

import pytest

from ansible_collections.dbops.recovery.plugins.module_utils._actions.restore_test import verdict_on_backup
from ansible_collections.dbops.recovery.plugins.module_utils._report.record import (
    compared,
    lines_of,
    problems_of,
    record_of,
    scratch_version,
)

FINISHED = datetime(2026, 11, 25, 3, 6, 41, tzinfo=timezone.utc)
NO_TARGETS = {"rto": None, "rpo": None}
SERVER = {"name": "scratch_server", "passed": True, "severity": "error", "seconds": 2.0}
GOOD = {"name": "rows", "passed": True, "severity": "error", "detail": "3 rows in 2 tables", "seconds": 0.1}
BAD = {"name": "rows", "passed": False, "severity": "error", "detail": "orders has 2, the manifest 3", "seconds": 0.1}
TEST = {
    "database": "shop",
    "started": "2026-11-25T03:00:00Z",
    "source": "s3://example-backups/production",
    "newest": True,
    "target": "scratch",
    "target_name": "a scratch server",
    "server_version": "10.11.14-MariaDB-0+deb12u2",
    "downloaded": {
        "backup": {
            "name": "shop_2026-11-25_013000",
            "started": "2026-11-25T01:30:00Z",
            "size_bytes": 20_000_000,
            "sql_bytes": 200_000_000,
            "sha256": "0" * 64,
            "compression": "zstd",
            "path": "/var/tmp/shop_2026-11-25_013000.sql.zst",
        },
        "phases": [
            {"name": "find", "seconds": 0.5, "bytes": None},
            {"name": "download", "seconds": 39.5, "bytes": 20_000_000},
        ],
    },
    "proved": {
        "verified": True,
        "phases": [{"name": "load", "seconds": 260.0, "bytes": 200_000_000}],
        "checks": [{**SERVER, "detail": "mariadbd  Ver 10.11.14-MariaDB-0+deb12u2 for debian-linux-gnu"}, GOOD],
    },
    "failure": None,
}


def made(test: dict | None = None, **targets: timedelta) -> dict:
    return record_of(test or TEST, "shop_2026-11-25_030000", "drill1", FINISHED, {**NO_TARGETS, **targets})


def changed(**what: object) -> dict:
    return {**copy.deepcopy(TEST), **what}


def test_a_backup_that_can_be_restored_passes():
    record = made()
    assert record["passed"] is True
    assert record["rto"] == {"seconds": 300.0, "target_seconds": None, "met": None}
    assert record["rpo"] == {"seconds": 5400.0, "target_seconds": None, "met": None}
    assert record["server"] == {"backup": "10.11.14-MariaDB-0+deb12u2", "test": "10.11.14-MariaDB-0+deb12u2"}
    assert "path" not in record["backup"]
    assert lines_of(record)[0] == (
        "shop can be restored: shop_2026-11-25_013000 (19.1 MiB) from s3://example-backups/production into a scratch "
        "server in 5m"
    )


@pytest.mark.parametrize(
    ("seconds", "met"), [(299, False), (300, True), (301, True)], ids=["just over", "at", "just under"]
)
def test_the_time_to_restore_is_held_against_its_target(seconds, met):
    record = made(rto=timedelta(seconds=seconds))
    assert (record["rto"]["met"], record["passed"]) == (met, met)
    assert bool(problems_of(record)) is not met


@pytest.mark.parametrize(("seconds", "met"), [(5399, False), (5400, True), (5401, True)])
def test_the_age_of_the_newest_backup_is_held_against_its_target(seconds, met):
    record = made(rpo=timedelta(seconds=seconds))
    assert (record["rpo"]["met"], record["passed"]) == (met, met)


def test_the_age_of_an_older_backup_says_nothing():
    record = made(changed(newest=False), rpo=timedelta(seconds=1))
    assert record["rpo"] == {"seconds": None, "target_seconds": None, "met": None}
    assert record["passed"] is True


def test_a_missed_target_is_said_in_words():
    assert problems_of(made(rto=timedelta(minutes=4), rpo=timedelta(hours=1))) == [
        "shop: it took 5m to restore, the target is 4m",
        "shop: its newest backup was 1h 30m old, the target is 1h",
    ]


def test_a_check_that_failed_is_the_verdict_and_says_nothing_of_time():
    proved = {**TEST["proved"], "verified": False, "checks": [BAD], "msg": "The backup is not good"}
    record = made(changed(proved=proved, failure={"phase": "restore", "message": "The backup is not good"}))
    assert record["passed"] is False
    assert record["failure"] is None
    assert record["rto"]["seconds"] is None
    assert record["rpo"]["seconds"] is None
    assert problems_of(record) == ["shop is not what was backed up: rows: orders has 2, the manifest 3"]
    assert verdict_on_backup(record, proved) is False


def test_a_warning_is_a_note():
    proved = {**TEST["proved"], "checks": [{**BAD, "severity": "warning"}]}
    record = made(changed(proved=proved))
    assert record["passed"] is True
    assert "  note: rows: orders has 2, the manifest 3" in lines_of(record)


def test_what_broke_off_says_where():
    record = made(changed(downloaded={}, proved={}, failure={"phase": "download", "message": "nothing answers"}))
    assert record["passed"] is False
    assert (record["backup"], record["phases"], record["checks"]) == (None, [], [])
    assert problems_of(record) == ["shop could not be restored: download failed: nothing answers"]
    assert lines_of(record) == ["FAILED: shop could not be restored: download failed: nothing answers"]


def test_a_server_that_did_not_start_says_nothing_of_the_backup():
    record = made(changed(proved={"msg": "no mysqld"}, failure={"phase": "restore", "message": "no mysqld"}))
    assert record["passed"] is False
    assert verdict_on_backup(record, {"msg": "no mysqld"}) is None


def test_another_release_of_the_server_is_noted():
    record = made(changed(server_version="11.8.3-MariaDB"))
    assert record["passed"] is True
    assert record["checks"][0]["severity"] == "warning"
    assert record["checks"][0]["passed"] is False
    assert made(changed(server_version="10.11.2-MariaDB"))["checks"][0]["passed"] is True
    assert [check["name"] for check in made(changed(server_version=None))["checks"]] == ["scratch_server", "rows"]


def test_the_version_of_the_scratch_server_is_read_from_its_own_words():
    def ran(words: str) -> dict:
        return {"checks": [{**SERVER, "detail": words}]}

    assert scratch_version(ran("/usr/sbin/mysqld  Ver 9.7.1 for Linux on x86_64 (MySQL Community Server)")) == "9.7.1"
    assert scratch_version(ran("mysqld  Ver 10.5.29-MariaDB-log for debian-linux-gnu")) == "10.5.29-MariaDB-log"
    assert scratch_version({"checks": [GOOD]}) is None
    assert scratch_version({}) is None


@pytest.mark.parametrize(("outcome", "verdict"), [("restored", True), ("reverted", None), ("broken", None)])
def test_a_staging_database_that_could_not_be_replaced_says_nothing_of_the_backup(outcome, verdict):
    proved = {"outcome": outcome, "strategy": "swap", "strategy_reason": "there is room", "msg": "no", "seconds": 9.0}
    record = made(changed(target="staging", proved={**proved, "phases": []}))
    assert record["checks"][-1]["passed"] is (outcome == "restored")
    assert verdict_on_backup(record, proved) is verdict


def test_a_staging_database_on_which_a_command_failed_proves_nothing_good():
    proved = {"outcome": "restored", "strategy": "swap", "strategy_reason": "there is room", "seconds": 9.0}
    failure = {"phase": "restore", "message": "command: smoke: exit status 4"}
    record = made(changed(target="staging", proved={**proved, "phases": []}, failure=failure))
    assert record["passed"] is False
    assert verdict_on_backup(record, proved) is False


def test_the_first_test_is_compared_with_none():
    assert compared(made(), None)["compared"] is None


def test_what_has_changed_since_the_test_before_is_said():
    before = made(rto=timedelta(seconds=1))
    bigger = copy.deepcopy(TEST)
    bigger["downloaded"]["backup"]["sql_bytes"] = 260_000_000
    bigger["proved"]["phases"][0]["seconds"] = 560.0
    bigger["server_version"] = "11.8.3-MariaDB"
    after = compared(made(bigger), {**before, "host": "drill0", "name": "shop_2026-10-25_030000"})
    assert after["compared"] == {
        "previous": "shop_2026-10-25_030000",
        "changes": [
            "the test before had failed",
            "the SQL grew from 190.7 MiB to 248.0 MiB (+30%)",
            "the time to restore grew from 5m to 10m (+100%)",
            "the server that was backed up was 10.11.14-MariaDB-0+deb12u2, now 11.8.3-MariaDB",
            "the host was drill0, now drill1",
        ],
    }
    assert compared(made(), made())["compared"]["changes"] == []
