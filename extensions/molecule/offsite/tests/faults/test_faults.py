import json
import os
from datetime import date, timedelta
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def came_of_it():
    return json.loads((Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "faults.json").read_text())


def test_four_hundred_nights_leave_exactly_what_the_policy_names(nights):
    # Worked out by hand. The last night is Wednesday, 25 November 2026, and its week's Sunday is still to come.
    days = {date(2026, 11, 25), date(2026, 11, 24), date(2026, 11, 23)}
    days |= {date(2026, 11, 22) - timedelta(weeks=number) for number in range(3)}
    days |= {date(2026, month, 1) for month in range(1, 12)} | {date(2025, 12, 1)}
    assert nights.in_the_store("nights") == [f"shop_{day}_020000" for day in sorted(days)]
    assert nights.on_the_host("/var/backups/nights") == ["shop_2026-11-24_020000", "shop_2026-11-25_020000"]


def test_an_upload_that_was_killed_between_archive_and_manifest_is_finished_by_the_next(nights, came_of_it):
    (half,) = came_of_it["killed"]
    assert (half["state"], half["problem"].startswith("its manifest is not there")) == ("partial", True)
    assert [each["state"] for each in came_of_it["finished"]] == ["finished"]
    assert nights.in_the_store("killed") == [half["name"]] == nights.on_the_host()[-1:]


def test_a_store_that_is_busy_now_and_then_gets_it_and_gives_it_back(nights, came_of_it):
    said = nights.store.check_output("journalctl --no-pager --output=cat --unit=weak-store")
    assert {"500", "503"} <= set(said.split())
    up, down = came_of_it["busy"]
    assert up["state"] == "uploaded"
    there = f"/var/backups/shop/{up['name']}.sql.zst"
    assert nights.db.file(down["path"]).sha256sum == nights.db.file(there).sha256sum


def test_two_who_upload_at_once_both_succeed(nights, came_of_it):
    assert len(came_of_it["twice"]) == 2
    assert {each["state"] for each in came_of_it["twice"]} <= {"uploaded", "finished", "present"}
    assert nights.in_the_store("twice") == nights.on_the_host()[-1:]


def test_an_upload_waits_for_a_machine_that_is_gone_in_the_middle_of_it(nights, came_of_it):
    before, after = map(int, came_of_it["network"])
    assert 0 < before == after < came_of_it["cut"][0]["size_bytes"]
    assert came_of_it["cut"][0]["state"] == "uploaded"
    assert nights.in_the_store("cut") == nights.on_the_host()[-1:]


def test_wrong_credentials_are_called_that(came_of_it):
    assert "The store s3://backups/wrong at https://store1:8333" in came_of_it["wrong"]
    assert "The access key or the secret key is wrong" in came_of_it["wrong"]


def test_a_full_disk_is_named_and_nothing_is_left_on_it(nights, came_of_it):
    assert "/srv/small has" in came_of_it["full"]
    assert "Make room" in came_of_it["full"]
    assert nights.db.check_output("find /srv/small -type f ! -name '.*'") == ""


def test_what_is_locked_stays_and_says_until_when(came_of_it):
    assert len(came_of_it["locked"]) > 1
    assert {each["action"] for each in came_of_it["locked"]} == {"keep"}
    assert came_of_it["locked"][-1]["reasons"][0].startswith("locked until 2")


def test_of_what_is_pruned_no_version_is_left(came_of_it):
    newest, *others = came_of_it["pruned"]
    assert others
    assert {each["action"] for each in others} == {"delete"}
    assert sorted(came_of_it["versions"]) == [
        f"Versions {newest['name']}{suffix}" for suffix in (".manifest.json", ".sql.zst")
    ]
