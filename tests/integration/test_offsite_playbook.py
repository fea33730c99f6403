# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The backup playbook: backed up, verified, in every store, and only then pruned; and who is told when it is not."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from fleet import Fleet, sql
from object_store import SECRET_KEY
from sinks import WebSink


@pytest.fixture
def stores(desk, object_store, bucket) -> list[dict]:
    return [object_store.options(bucket, "nightly"), {"store": f"file://{desk.directory}/disk"}]


@pytest.fixture
def old_nights(desk, faker) -> list[str]:
    """Backups of the nights before, newest first; the last ones are older than the host keeps them."""
    now = datetime.now(timezone.utc).replace(hour=2, minute=0, second=0, microsecond=0)
    moments = [now - timedelta(days=number) for number in range(1, 12)]
    return [faker(moment, where=desk.directory / "backups").name.removesuffix(".sql.zst") for moment in moments]


def night(desk: Fleet, *arguments: str, **variables):
    usual = {"backup_hosts": "one", "offsite_report_path": str(desk.directory / "offsite.json")}
    return desk.play("backup.yml", *arguments, **{**usual, **variables})


def report_of(desk: Fleet) -> dict:
    return json.loads((desk.directory / "offsite.json").read_text())


def archives(place: Path) -> set[str]:
    return {path.name.removesuffix(".sql.zst") for path in place.glob("*.sql.zst")}


def in_bucket(object_store, bucket: str) -> set[str]:
    listed = object_store.client().list_objects_v2(Bucket=bucket).get("Contents", [])
    return {entry["Key"].removeprefix("nightly/") for entry in listed}


def test_a_night_backs_up_brings_off_site_and_prunes(desk, stores, old_nights, object_store, bucket):
    predicted = night(desk, "--check", offsite_stores=stores)
    assert predicted.returncode == 0, predicted.stdout
    assert "11 would be sent" in predicted.stdout
    assert in_bucket(object_store, bucket) == set()

    done = night(desk, offsite_stores=stores)
    assert done.returncode == 0, done.stdout + done.stderr
    assert SECRET_KEY not in done.stdout + done.stderr
    report = report_of(desk)
    assert report["outcome"] == "success"
    new = report["backup"]["name"]
    everything = {new, *old_nights}
    assert archives(desk.directory / "disk") == everything
    assert {name.split(".")[0] for name in in_bucket(object_store, bucket)} == everything
    # Today's, and the six nights before it: that makes seven days.
    assert archives(desk.directory / "backups") == {new, *old_nights[:6]}
    assert report["three_two_one"] == {
        "copies": 4,
        "places": ["the database", str(desk.directory / "backups"), stores[0]["store"], stores[1]["store"]],
        "media": 3,
        "offsite": 1,
        "missing": [],
    }
    assert "12 sent" in done.stdout
    assert "7 kept" in " ".join(done.stdout.split())

    for file in (desk.directory / "disk").glob(f"{old_nights[9]}.*"):
        file.unlink()
    again = night(desk, offsite_stores=stores, warning=f"({old_nights[9]})")
    assert again.returncode == 0, again.stdout
    said = " ".join(again.stdout.split())
    assert "1 sent" in said
    assert "7 there already" in said
    # By the module's warning and by the report, which those get who are not there.
    assert [place["missing"] for place in report_of(desk)["pruned"]] == [[], [old_nights[9]], []]
    assert f"1 GONE that the rules keep, and not deleted by this host: {old_nights[9]}" in said


@pytest.mark.parametrize("directory", ["is not there yet", "is empty"])
def test_a_host_without_any_backup_can_be_rehearsed(desk, stores, folder, directory):
    if directory == "is not there yet":
        folder.rmdir()
    predicted = night(desk, "--check", offsite_stores=stores)
    assert predicted.returncode == 0, predicted.stdout
    assert "Would back up shop" in predicted.stdout
    assert folder.exists() == (directory == "is empty")


def test_nothing_is_pruned_while_a_store_cannot_be_reached(desk, stores, old_nights):
    stores[0]["endpoint_url"] = "https://127.0.0.1:9"
    stores[0]["retries"] = 0
    with WebSink() as sink:
        done = night(desk, offsite_stores=stores, notify_webhook_url=sink.url("/hook"))
    assert done.returncode != 0
    assert "nothing answers at https://127.0.0.1:9" in done.stdout
    report = report_of(desk)
    assert report["outcome"] == "failure"
    assert "Bring the backups to s3://" in report["failed_task"]
    assert report["pruned"] == []
    assert len(archives(desk.directory / "backups")) == 12
    (notice,) = sink.notices
    assert notice["kind"] == "backup"
    assert "backup FAILED" in notice["title"]
    assert "Nothing was pruned" in str(notice)


def test_a_store_that_is_lost_does_not_keep_the_backup_from_those_after_it(
    desk, stores, old_nights, object_store, bucket
):
    lost = [{"store": f"file://{desk.directory}/{name}"} for name in ("not-mounted", "not-mounted-either")]
    with WebSink() as sink:
        done = night(desk, offsite_stores=[lost[0], stores[0], lost[1]], notify_webhook_url=sink.url("/hook"))
    assert done.returncode != 0
    report = report_of(desk)
    everything = {report["backup"]["name"], *old_nights}
    assert {name.split(".")[0] for name in in_bucket(object_store, bucket)} == everything
    assert report["outcome"] == "failure"
    assert [store["store"] for store in report["stores"]] == [stores[0]["store"]]
    assert report["three_two_one"]["offsite"] == 1
    for store in lost:
        assert f"Bring the backups to {store['store']}" in report["failed_task"]
        assert f"no directory {store['store'].removeprefix('file://')}." in report["error"]
        assert store["store"].removeprefix("file://") in str(sink.notices[0]["lines"])
    # Pruning waits until all of it is everywhere.
    assert report["pruned"] == []
    assert archives(desk.directory / "backups") == everything


@pytest.mark.parametrize("how", ["cannot be reached", "has a variable that is refused"])
def test_a_host_that_is_lost_is_told_of_while_another_one_is_fine(desk, stores, how):
    verify = "file"
    if how == "cannot be reached":
        (desk.directory / "cut_two").touch()
    else:
        verify = "{{ 'file' if inventory_hostname == 'one' else 'nonsense' }}"
    with WebSink() as sink:
        done = night(
            desk,
            backup_hosts="application",
            offsite_verify=verify,
            offsite_stores=stores[1:],
            notify_webhook_url=sink.url("/hook"),
        )
    assert done.returncode != 0
    (notice,) = sink.notices
    assert (notice["verdict"], notice["title"]) == ("failure", "databases on two: backup FAILED")
    assert notice["lines"][0].startswith("Lost: two. ")
    assert "one:" in notice["lines"]
    assert notice["details"]["one"]["outcome"] == "success"


def test_a_database_that_is_gone_fails_the_night_and_is_told_of(desk, stores, server):
    sql(server.socket, "DROP DATABASE shop")
    with WebSink() as sink:
        done = night(desk, offsite_stores=stores, notify_webhook_url=sink.url("/hook"))
    assert done.returncode != 0
    assert report_of(desk)["outcome"] == "failure"
    assert len(sink.notices) == 1
    assert "database: shop is not there for root" in str(sink.notices[0])


def test_a_good_night_is_told_of_only_on_request(desk, stores):
    with WebSink() as sink:
        assert night(desk, offsite_stores=stores, notify_webhook_url=sink.url("/hook")).returncode == 0
        assert sink.notices == []
        loud = night(
            desk, offsite_stores=stores, notify_webhook_url=sink.url("/hook"), notify_on=["failure", "success"]
        )
    assert loud.returncode == 0
    (notice,) = sink.notices
    assert notice["title"] == "shop on one: backed up"


def test_without_a_store_the_backup_is_made_and_what_is_missing_is_said(desk, old_nights):
    done = night(desk)
    assert done.returncode == 0, done.stdout
    assert "Missing: a third copy, a second medium, a copy off-site" in done.stdout
    assert len(archives(desk.directory / "backups")) == 12


def test_what_cannot_be_meant_is_refused_first(desk, stores):
    with WebSink() as sink:
        twice = night(
            desk, offsite_stores=[stores[1], stores[1]], offsite_directory="x", notify_webhook_url=sink.url("/hook")
        )
    for told in (twice.stdout, str(sink.notices)):
        assert "offsite_stores names a store twice" in told
        assert "offsite_directory must be an absolute path" in told
    assert report_of(desk)["outcome"] == "failure"
    for only in ({"offsite_upload_max_age": "7d"}, {"offsite_upload": "latest"}):
        lost = night(desk, offsite_stores=stores, **only)
        assert lost.returncode != 0
        assert "offsite_local_prune would delete" in " ".join(lost.stdout.split())
    assert archives(desk.directory / "backups") == set()
