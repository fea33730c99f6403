# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""backup_prune in a directory and in real buckets, with versions and with locks."""

from __future__ import annotations

import fcntl
import json
import os
import stat
from datetime import datetime, timedelta, timezone

import pytest
from object_store import READER_KEY, READER_SECRET
from weak_network import WeakNetwork

NOW = datetime(2026, 11, 25, 12, tzinfo=timezone.utc)
# Whatever the day on which the tests run.
AS_OF = {"as_of": NOW.isoformat()}
THREE_DAYS = {**AS_OF, "keep_daily_days": 3, "keep_weekly": 0, "keep_monthly": 0}


def nights(count: int) -> list[datetime]:
    return [NOW.replace(hour=2) - timedelta(days=number) for number in range(count)]


def name_of(moment: datetime, database: str = "shop") -> str:
    return f"{database}_{moment:%Y-%m-%d_%H%M%S}"


def proved(level: str) -> list[dict]:
    return [{"time": "2026-11-25T03:00:00Z", "host": "db1", "level": level, "verified": True}]


@pytest.fixture(params=["directory", "s3"])
def place(request, folder, object_store, bucket, run_module):
    """Bring what is in the folder to a place; return the options that name the place."""

    def bring() -> dict:
        if request.param == "directory":
            return {"directory": str(folder)}
        store = object_store.options(bucket, "nightly")
        run_module("backup_upload", {**store, "directory": str(folder), "backup": "all", "verify": "none"})
        return store

    return bring


@pytest.fixture
def left(folder, object_store, bucket):
    """Return the names of the whole pairs in a place, newest first; a half pair fails the test."""

    def look(options: dict) -> list[str]:
        if "directory" in options:
            files = {path.name for path in folder.iterdir() if not path.name.startswith(".")}
        else:
            listed = object_store.client().list_objects_v2(Bucket=bucket).get("Contents", [])
            files = {entry["Key"].removeprefix("nightly/") for entry in listed}
        archives = {name.removesuffix(".sql.zst") for name in files if name.endswith(".sql.zst")}
        assert archives == {name.removesuffix(".manifest.json") for name in files if name.endswith(".json")}
        return sorted(archives, reverse=True)

    return look


def test_the_plan_is_shown_then_carried_out_then_over(run_module, faker, place, left):
    for moment in nights(5):
        faker(moment)
    where = place()
    everything, three = [name_of(moment) for moment in nights(5)], [name_of(moment) for moment in nights(3)]

    shown = run_module("backup_prune", {**where, **THREE_DAYS}, check=True, diff=True)
    assert shown["changed"] is True
    assert shown["deleted"] == everything[3:]
    assert [(line["action"], line["reasons"]) for line in shown["plan"]] == [
        ("keep", ["newest", "of the last 3 days"]),
        ("keep", ["of the last 3 days"]),
        ("keep", ["of the last 3 days"]),
        ("delete", ["no rule keeps it"]),
        ("delete", ["no rule keeps it"]),
    ]
    assert shown["diff"]["before"].split() == sorted(everything)
    assert shown["diff"]["after"].split() == sorted(three)
    assert left(where) == everything

    done = run_module("backup_prune", {**where, **THREE_DAYS})
    assert (done["changed"], done["deleted"], done["kept"]) == (True, everything[3:], 3)
    assert left(where) == three

    for check in (True, False):
        again = run_module("backup_prune", {**where, **THREE_DAYS}, check=check)
        assert (again["changed"], again["deleted"]) == (False, [])


def test_pinned_and_verified_ones_stay_by_what_their_manifests_say(run_module, faker, place, left):
    moments = nights(8)
    faker(moments[0])
    faker(moments[1])
    faker(moments[2])
    faker(moments[3], verifications=proved("content"))
    faker(moments[4], verifications=proved("content"))
    faker(moments[5], pinned=True)
    faker(moments[6], verifications=proved("restore"))
    faker(moments[7], verifications=proved("restore"))
    where = place()
    done = run_module("backup_prune", {**where, **THREE_DAYS})
    assert left(where) == [name_of(moments[number]) for number in (0, 1, 2, 3, 5, 6)]
    reasons = {line["name"]: line["reasons"] for line in done["plan"]}
    assert reasons[name_of(moments[3])] == ["newest verified"]
    assert reasons[name_of(moments[5])] == ["pinned"]
    assert reasons[name_of(moments[6])] == ["newest proved by a restore"]


def test_one_database_is_pruned_and_the_other_is_not_touched(run_module, faker, place, left):
    for moment in nights(5):
        faker(moment)
        faker(moment, database="crm")
    where = place()
    run_module("backup_prune", {**where, **THREE_DAYS, "database": "crm"})
    assert len([name for name in left(where) if name.startswith("crm_")]) == 3
    assert len([name for name in left(where) if name.startswith("shop_")]) == 5


def test_a_manifest_that_cannot_be_read_keeps_its_backup(run_module, faker, place, left, folder):
    for moment in nights(5):
        faker(moment)
    (folder / f"{name_of(nights(5)[4])}.manifest.json").write_text("{")
    where = {"directory": str(folder)}
    done = run_module("backup_prune", {**where, **THREE_DAYS})
    assert name_of(nights(5)[4]) in left(where)
    assert done["deleted"] == [name_of(nights(5)[3])]
    assert "is damaged: it is not JSON" in done.output
    assert "It was left alone" in done.output


def test_a_backup_that_is_not_whole_stands_for_no_other_and_stays(run_module, faker, folder, left):
    moments = nights(3)
    cut = faker(moments[0], verifications=proved("restore"))
    faker(moments[1])
    faker(moments[2])
    cut.write_bytes(b"")
    options = {"directory": str(folder), **THREE_DAYS, "keep_daily_days": 0, "keep_last": 1, "max_delete_fraction": 0.7}
    done = run_module("backup_prune", options)
    assert left(options) == [name_of(moments[0]), name_of(moments[1])]
    assert done["deleted"] == [name_of(moments[2])]
    assert f"The backup {name_of(moments[0])} in {folder} is damaged: its archive has 0 bytes" in done.output
    assert "It was left alone" in done.output


def test_a_week_and_a_month_are_not_stood_for_by_one_that_failed_or_was_kept_for_safety(run_module, faker, place, left):
    """Wednesday, 25 November; the Sundays before are the 22nd and the 15th."""
    newest, saturday, sunday, older_sunday = (NOW.replace(day=number, hour=2) for number in (25, 21, 22, 15))
    failure = [{"time": "2026-11-25T03:00:00Z", "host": "db1", "level": "content", "verified": False}]
    faker(newest)
    faker(saturday)
    faker(sunday, verifications=[*proved("content"), *failure])
    faker(older_sunday)
    faker(older_sunday.replace(hour=15), labels={"purpose": "safety"})
    where = place()
    done = run_module("backup_prune", {**where, **AS_OF, "keep_daily_days": 0, "keep_weekly": 3, "keep_monthly": 0})
    assert left(where) == [name_of(moment) for moment in (newest, saturday, older_sunday)]
    reasons = {line["name"]: line["reasons"] for line in done["plan"]}
    assert reasons[name_of(saturday)] == ["nearest to Sunday in week 2026-W47"]


def test_foreign_files_and_lone_archives_are_left_alone_and_old_lone_manifests_go(run_module, faker, folder):
    for moment in nights(3):
        faker(moment)
    (folder / "notes.txt").write_text("x")
    (folder / "handmade.sql").write_text("x")
    lone = faker(nights(30)[29])
    lone.with_name(lone.name.replace(".sql.zst", ".manifest.json")).unlink()
    half = faker(nights(30)[28])
    half.unlink()
    manifest = half.name.replace(".sql.zst", ".manifest.json")
    options = {"directory": str(folder), **THREE_DAYS}
    # It may be one that is in the making.
    assert run_module("backup_prune", options)["removed_halves"] == []
    os.utime(folder / manifest, (0, 0))
    shown = run_module("backup_prune", options, check=True)
    assert (shown["changed"], shown["removed_halves"]) == (True, [manifest])
    done = run_module("backup_prune", options)
    assert (done["removed_halves"], done["lone_archives"]) == ([manifest], [lone.name])
    assert {"notes.txt", "handmade.sql", lone.name} < {path.name for path in folder.iterdir()}
    assert not (folder / manifest).exists()


def test_strange_states_are_refused_and_nothing_is_deleted(run_module, faker, place, left, folder):
    for moment in nights(9):
        faker(moment)
    where = place()

    def refused(**options) -> str:
        return run_module("backup_prune", {**where, **THREE_DAYS, **options}, fails=True).message

    assert "6 of 9 backups would go, more than the share of 0.5 (max_delete_fraction)" in refused()
    assert "One of the two clocks is wrong" in refused(as_of="2026-11-20")
    assert "Either this clock is wrong" in refused(as_of="2027-11-25", max_delete_fraction=1)
    assert "no complete backup was found" in refused(database="nothing")
    assert len(left(where)) == 9
    done = run_module("backup_prune", {**where, **THREE_DAYS, "max_delete_fraction": 1})
    assert len(done["deleted"]) == 6


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"keep_daily_days": 0}, "Every rule is off"),
        ({"keep_last": -1}, "keep_last must not be negative"),
        ({"timezone": "Mars/Olympus"}, "'Mars/Olympus' is not known"),
        ({"max_delete_fraction": 7}, "max_delete_fraction must be from 0 to 1"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(run_module, folder, options, message):
    assert (
        message in run_module("backup_prune", {"directory": str(folder), **THREE_DAYS, **options}, fails=True).message
    )


def test_a_place_that_has_lost_most_of_its_backups_is_not_pruned_until_somebody_says_so(
    run_module, faker, place, left, folder, object_store, bucket
):
    """As another disk under the mount point, another server behind the address, or somebody's rm looks."""
    for moment in nights(9):
        faker(moment)
    where = place()
    nine_days = {**THREE_DAYS, "keep_daily_days": 9}
    # The first run has nothing to compare with.
    assert run_module("backup_prune", {**where, **nine_days})["missing"] == []

    def lose(*moments: datetime) -> list[str]:
        for name in map(name_of, moments):
            for suffix in (".sql.zst", ".manifest.json"):
                if "directory" in where:
                    (folder / f"{name}{suffix}").unlink()
                else:
                    object_store.client().delete_object(Bucket=bucket, Key=f"nightly/{name}{suffix}")
        return list(map(name_of, moments))

    gone = lose(*nights(9)[1:5])
    # A rehearsal takes no note of what it sees.
    for check in (True, False):
        warned = run_module("backup_prune", {**where, **nine_days}, check=check)
        assert warned["missing"] == gone
        assert "of shop 4 of the 9 that were there at 2026-11-25T12:00:00Z" in warned.output

    gone = lose(*nights(9)[5:8])
    refused = run_module("backup_prune", {**where, **nine_days}, fails=True)
    assert refused["missing"] == gone
    assert refused.message.startswith(f"Nothing was deleted from {refused['place']}: backups that the rules keep")
    assert f"of shop 3 of the 5 that were there at 2026-11-25T12:00:00Z ({', '.join(gone)})" in refused.message

    assert run_module("backup_prune", {**where, **nine_days, "max_delete_fraction": 1})["missing"] == gone
    assert run_module("backup_prune", {**where, **nine_days})["missing"] == []
    assert left(where) == [name_of(nights(9)[0]), name_of(nights(9)[8])]


def test_what_stays_is_noted_before_anything_goes_or_nothing_does(run_module, faker, folder, left, tmp_path):
    for moment in nights(5):
        faker(moment)
    options = {"directory": str(folder), **THREE_DAYS}
    refused = run_module("backup_prune", {**options, "state_directory": "/proc/nowhere"}, fails=True)
    assert f"Nothing was deleted from {folder}, since what stays there cannot be noted" in refused.message
    assert len(left(options)) == 5

    state = tmp_path / "state"
    run_module("backup_prune", {**options, "state_directory": str(state)})
    (note,) = state.glob("pruned/*/shop.json")
    assert json.loads(note.read_text())["names"] == sorted(left(options))
    assert stat.S_IMODE(note.parent.stat().st_mode) == 0o700
    note.write_text("{")
    damaged = run_module("backup_prune", {**options, "state_directory": str(state)}, fails=True)
    assert f"{note}, which notes what {folder} had of shop, is damaged" in damaged.message


def test_a_backup_at_work_in_the_directory_is_not_disturbed(run_module, faker, folder, left):
    for moment in nights(5):
        faker(moment)
    with (folder / ".shop.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        refused = run_module("backup_prune", {"directory": str(folder), **THREE_DAYS}, fails=True)
    assert "Another backup or restore of shop is at work" in refused.message
    assert len(left({"directory": ""})) == 5


def test_a_run_that_was_killed_is_finished_by_the_next(run_module, start_module, faker, folder, object_store, bucket):
    for moment in nights(5):
        faker(moment)
    store = object_store.options(bucket, "nightly")
    run_module("backup_upload", {**store, "directory": str(folder), "backup": "all", "verify": "none"})
    # The archives are gone, their manifests are not.
    for moment in nights(5)[3:]:
        object_store.client().delete_object(Bucket=bucket, Key=f"nightly/{name_of(moment)}.sql.zst")
    done = run_module("backup_prune", {**store, **THREE_DAYS}, settings={"_actions.prune:HALF_SECONDS": -1})
    assert len(done["removed_halves"]) == 2
    listed = object_store.client().list_objects_v2(Bucket=bucket)["Contents"]
    assert len(listed) == 6


def versions_of(object_store, bucket: str) -> list[str]:
    answer = object_store.client().list_object_versions(Bucket=bucket)
    return sorted(entry["Key"] for kind in ("Versions", "DeleteMarkers") for entry in answer.get(kind, []))


def test_of_a_bucket_with_versions_all_versions_go(run_module, faker, folder, object_store, bucket):
    client = object_store.client()
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for moment in nights(5):
        faker(moment)
    store = object_store.options(bucket)
    run_module("backup_upload", {**store, "directory": str(folder), "backup": "all", "verify": "none"})
    # Evidence that was added makes a second version of a manifest.
    old = f"{name_of(nights(5)[4])}.manifest.json"
    client.put_object(Bucket=bucket, Key=old, Body=(folder / old).read_bytes())
    assert versions_of(object_store, bucket).count(old) == 2
    run_module("backup_prune", {**store, **THREE_DAYS})
    assert versions_of(object_store, bucket) == sorted(
        name_of(moment) + suffix for moment in nights(3) for suffix in (".sql.zst", ".manifest.json")
    )


def test_a_locked_backup_is_kept_until_its_lock_ends_and_that_is_no_failure(run_module, faker, folder, object_store):
    client, bucket = object_store.client(), "locked-backups"
    client.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    for moment in nights(5):
        faker(moment)
    store = object_store.options(bucket)
    upload = {**store, "directory": str(folder), "backup": "all", "verify": "none"}
    locked = {**upload, "backup": name_of(nights(5)[4]), "object_lock_mode": "compliance", "object_lock_days": 5}
    run_module("backup_upload", locked)
    run_module("backup_upload", upload)
    shown = run_module("backup_prune", {**store, **THREE_DAYS}, check=True)
    until = datetime.now(timezone.utc) + timedelta(days=5)
    reasons = shown["plan"][-1]["reasons"]
    assert shown["plan"][-1]["name"] == name_of(nights(5)[4])
    assert reasons[0].startswith(f"locked until {until:%Y-%m-%dT}")
    done = run_module("backup_prune", {**store, **THREE_DAYS})
    assert done["deleted"] == shown["deleted"] == [name_of(nights(5)[3])]
    listed = {entry["Key"] for entry in client.list_objects_v2(Bucket=bucket)["Contents"]}
    assert f"{name_of(nights(5)[4])}.manifest.json" in listed


def test_a_key_that_may_not_delete_is_told_which_permission_it_lacks(run_module, faker, folder, object_store, bucket):
    for moment in nights(5):
        faker(moment)
    store = object_store.options(bucket)
    run_module("backup_upload", {**store, "directory": str(folder), "backup": "all", "verify": "none"})
    reader = {**store, "access_key": READER_KEY, "secret_key": READER_SECRET}
    failed = run_module("backup_prune", {**reader, **THREE_DAYS}, fails=True)
    assert "s3:DeleteObject" in failed.message
    assert len(object_store.client().list_objects_v2(Bucket=bucket)["Contents"]) == 10


def test_a_lock_is_found_whatever_characters_the_database_has_in_its_name(
    run_module, backup_here, make_schema, shop_script, folder
):
    """Its files have the name with =XX for a blank, and so has its lock."""
    schema = make_schema(shop_script, name="my shop")
    for _number in range(2):
        backup_here(schema, folder)
    options = {"directory": str(folder), "keep_daily_days": 0, "keep_weekly": 0, "keep_monthly": 0, "keep_last": 1}
    with (folder / ".my=20shop.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        refused = run_module("backup_prune", {**options, "min_age": "0s"}, fails=True)
    assert "Another backup or restore of my shop is at work" in refused.message
    assert len(list(folder.glob("*.zst"))) == 2
    assert len(run_module("backup_prune", {**options, "min_age": "0s"})["deleted"]) == 1


def test_a_store_that_stops_answering_is_no_place_full_of_damaged_manifests(
    run_module, faker, folder, object_store, bucket
):
    """Were they only left alone, the plan would be made of the others, and a list would call good backups damaged."""
    for moment in nights(5):
        faker(moment)
    store = {**object_store.options(bucket), "retries": 0}
    run_module("backup_upload", {**store, "directory": str(folder), "backup": "all", "verify": "none"})
    with WeakNetwork(object_store.port, certificate=(object_store.certificate, object_store.authority)) as network:
        weak = {**store, "endpoint_url": network.endpoint}
        # The listing is answered, and one manifest.
        network.refuse = [None, None] + [503] * 20
        pruned = run_module("backup_prune", {**weak, **THREE_DAYS}, fails=True)
        network.refuse = [None, None] + [503] * 20
        listed = run_module("backup_info", {"stores": [weak]}, fails=True)
    for failed in (pruned, listed):
        assert "reading failed: it answered SlowDown" in failed.message
    assert len(object_store.client().list_objects_v2(Bucket=bucket)["Contents"]) == 10
