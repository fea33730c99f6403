# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a status takes out of manifests, and the files that it writes."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from backups import put_backup

from ansible_collections.dbops.recovery.plugins.module_utils._actions.status import take_status
from ansible_collections.dbops.recovery.plugins.module_utils._archive import manifest
from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError
from ansible_collections.dbops.recovery.plugins.module_utils._units import show_time

NOW = datetime.now(timezone.utc).replace(microsecond=0)


def put(directory, age, size=3, verifications=(), database="shop", **head):
    started = NOW - age
    name = f"{database}_{started:%Y-%m-%d_%H%M%S}"
    return put_backup(directory, name, database, started, b"-" * size, verifications, **head)


def evidence(level, verified=True, ago=timedelta(hours=1), **more):
    return {"time": show_time(NOW - ago), "host": "db1", "level": level, "verified": verified, **more}


def taken(check_mode=False, **options):
    names = ("directory", "max_age", "max_unverified_age", "max_offsite_age", "max_restore_test_age")
    unset = dict.fromkeys((*names, "retention", "local_retention", "metrics_path", "nagios_path"))
    empty = {"stores": [], "databases": [], "ignore_databases": []}
    return take_status({**unset, **empty, **options}, check_mode)


def shop_in(directory):
    (facts,) = taken(directory=str(directory))["databases"]
    return facts


def test_a_manifest_says_how_far_its_backup_is_verified_and_whether_it_is_pinned(tmp_path):
    name = put(tmp_path, timedelta(hours=2), verifications=[evidence("file"), evidence("content")], pinned=True)
    facts = shop_in(tmp_path)
    assert (facts["newest"]["name"], facts["newest"]["verified"], facts["pinned"]) == (name, "content", [name])
    assert facts["newest"]["size_bytes"] == 3


def test_a_proof_by_a_restore_is_a_restore_test_only_when_it_says_so(tmp_path):
    put(tmp_path, timedelta(days=2), verifications=[evidence("restore")])
    assert shop_in(tmp_path)["restore_test"] is None
    put(tmp_path, timedelta(days=3), verifications=[evidence("restore", restore_test="shop_2026-11-01_030000")])
    assert shop_in(tmp_path)["restore_test"]["name"] == "shop_2026-11-01_030000"


def test_evidence_that_makes_no_sense_ends_nothing(tmp_path):
    put(tmp_path, timedelta(hours=2), verifications=[{"restore_test": "x", "time": 7, "verified": True}])
    assert shop_in(tmp_path)["restore_test"] is None


def test_a_backup_that_did_not_pass_its_last_verification_does_not_count(tmp_path):
    put(tmp_path, timedelta(hours=1), verifications=[evidence("restore"), evidence("file", verified=False)])
    good = put(tmp_path, timedelta(hours=9))
    facts = shop_in(tmp_path)
    assert facts["newest"]["name"] == good
    assert "it did not pass its last verification" in facts["damaged"][0]["problem"]


def test_an_archive_that_is_cut_short_and_a_manifest_that_cannot_be_read_are_damaged(tmp_path):
    put(tmp_path, timedelta(hours=1), size=2)
    name = put(tmp_path, timedelta(hours=2))
    (tmp_path / f"{name}{manifest.SUFFIX}").write_text("{")
    problems = [each["problem"] for each in shop_in(tmp_path)["damaged"]]
    assert problems[0] == "its archive has 2 bytes, the manifest says 3."
    assert "is damaged: it is not JSON" in problems[1]


def test_one_that_is_cut_short_is_not_said_to_take_the_place_of_another(tmp_path):
    """As pruning leaves it alone and out, what goes next is not what it would push out."""
    put(tmp_path, timedelta(hours=2), size=2)
    put(tmp_path, timedelta(hours=30))
    retention = {**dict.fromkeys(("keep_daily_days", "keep_weekly", "keep_monthly", "keep_last"), 0), "keep_last": 1}
    more = {"keep_within": None, "max_total_size": None, "timezone": "UTC", "weekly_on": "sunday", "monthly_on": 1}
    local = {**retention, **more, "min_age": "1h"}
    (facts,) = taken(directory=str(tmp_path), local_retention=local)["databases"]
    assert facts["places"][0]["next_deletion"] is None


def test_what_a_restore_kept_for_safety_is_not_the_newest(tmp_path):
    put(tmp_path, timedelta(hours=1), labels={"purpose": "safety"})
    good = put(tmp_path, timedelta(hours=9))
    assert shop_in(tmp_path)["newest"]["name"] == good


def test_a_database_that_is_no_more_can_be_left_out(tmp_path):
    put(tmp_path, timedelta(hours=1))
    put(tmp_path, timedelta(days=300), database="old")
    assert taken(directory=str(tmp_path), max_age="1d")["state"] == "critical"
    assert taken(directory=str(tmp_path), max_age="1d", ignore_databases=["old"])["state"] == "ok"


@pytest.mark.parametrize(("said", "is_offsite"), [(None, False), (True, True), (False, False)])
def test_a_directory_counts_as_elsewhere_only_when_it_is_said_to(tmp_path, said, is_offsite):
    store = {"store": f"file://{tmp_path}", "is_offsite": said}
    (place,) = taken(stores=[store])["places"]
    assert place == {"place": f"file://{tmp_path}", "is_offsite": is_offsite, "error": None}


def test_a_store_that_cannot_be_read_does_not_hide_the_directory(tmp_path):
    put(tmp_path, timedelta(hours=1))
    result = taken(directory=str(tmp_path), stores=[{"store": "file:///nonexistent", "is_offsite": None}])
    assert result["state"] == "critical"
    assert "Is the disk mounted?" in result["places"][1]["error"]
    assert result["databases"][0]["newest"] is not None


def test_the_files_are_replaced_whole_and_everybody_may_read_them(tmp_path):
    files = {"metrics_path": str(tmp_path / "dbops.prom"), "nagios_path": str(tmp_path / "nagios")}
    assert taken(check_mode=True, directory=str(tmp_path), **files)["changed"] is True
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "nagios").write_text("old\n")
    (tmp_path / "nagios").chmod(0o600)
    result = taken(directory=str(tmp_path), **files)
    assert result["changed"] is True
    assert (tmp_path / "nagios").read_text() == f"{result['nagios']}\n"
    assert "dbops_recovery_status_timestamp_seconds" in (tmp_path / "dbops.prom").read_text()
    assert {path.name: oct(path.stat().st_mode & 0o777) for path in tmp_path.iterdir()} == {
        "dbops.prom": "0o644",
        "nagios": "0o644",
    }


def test_without_files_nothing_is_changed(tmp_path):
    assert taken(directory=str(tmp_path))["changed"] is False


def test_a_file_that_cannot_be_written_does_not_lose_the_status(tmp_path):
    (tmp_path / "nagios").mkdir()
    with pytest.raises(RecoveryError, match="The status was taken, but cannot be written down") as caught:
        taken(directory=str(tmp_path), nagios_path=str(tmp_path / "nagios"))
    assert caught.value.result["state"] == "critical"
    assert [path.name for path in tmp_path.iterdir()] == ["nagios"]


def test_a_file_without_its_directory_is_refused_before_anything_is_looked_at(tmp_path):
    with pytest.raises(RecoveryError, match=r"^metrics_path: there is no directory /nonexistent") as caught:
        taken(check_mode=True, directory=str(tmp_path), metrics_path="/nonexistent/dbops.prom")
    assert caught.value.result == {}


@pytest.mark.parametrize("databases", [[], ["shop"]])
def test_without_a_place_to_look_at_nothing_is_said_to_be_well(databases):
    with pytest.raises(RecoveryError, match=r"^There is no place to look at: neither directory nor stores"):
        taken(max_age="26h", databases=databases)


def test_a_database_that_must_have_backups_is_missed_in_an_empty_place_off_site(tmp_path):
    for place in ("bucket", "disk"):
        (tmp_path / place).mkdir()
    put(tmp_path / "bucket", timedelta(hours=1))
    stores = [{"store": f"file://{tmp_path}/{place}", "is_offsite": True} for place in ("bucket", "disk")]
    assert taken(stores=stores, max_offsite_age="26h")["state"] == "ok"
    assert taken(stores=stores, max_offsite_age="26h", databases=["shop"])["state"] == "warning"


def test_a_limit_that_is_no_duration_is_refused_by_its_name(tmp_path):
    with pytest.raises(RecoveryError, match=r"^max_unverified_age: 'a day' is not a duration"):
        taken(directory=str(tmp_path), max_unverified_age="a day")
