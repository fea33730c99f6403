# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The status playbook: how the backups stand, for people, for programs, and in its exit status."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from fleet import CHECKOUT, Fleet
from object_store import SECRET_KEY
from sinks import WebSink

ALERTS = CHECKOUT / "examples" / "prometheus" / "alerts.yml"
METRIC = re.compile(r"(dbops_recovery_\w+)(?:\{(.*)\})? (\d+)")


@pytest.fixture
def store(desk) -> dict:
    return {"store": f"file://{desk.directory}/disk", "is_offsite": True}


def status(desk: Fleet, *arguments: str, **variables):
    """Take the status with all that it writes; return the playbook's run."""
    paths = {
        "status_metrics_path": f"{desk.directory}/dbops.prom",
        "status_nagios_path": f"{desk.directory}/nagios",
        "status_report_path": f"{desk.directory}/status.json",
    }
    return desk.play("status.yml", *arguments, **{"status_hosts": "one", **paths, **variables})


def said_by(done: subprocess.CompletedProcess) -> str:
    return " ".join(done.stdout.split())


def report_of(desk: Fleet) -> dict:
    return json.loads((desk.directory / "status.json").read_text())


def metrics_of(desk: Fleet) -> dict[tuple[str, str], int]:
    text = (desk.directory / "dbops.prom").read_text()
    return {(name, labels or ""): int(value) for name, labels, value in METRIC.findall(text)}


def promtool(*arguments: object, text: str = "") -> None:
    done = subprocess.run(
        [CHECKOUT / "scripts" / "promtool", *arguments], input=text, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def nagios(desk: Fleet, *arguments: str) -> tuple[int, str]:
    check = [CHECKOUT / "examples" / "nagios" / "check_dbops_recovery", desk.directory / "nagios", *arguments]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def test_after_a_good_night_all_is_well_for_people_prometheus_and_nagios(
    desk, run_module, folder, object_store, bucket
):
    store = object_store.options(bucket, "nightly")
    made = run_module("db_backup", {"database": "shop", "directory": str(folder)})["backup"]
    run_module("backup_verify", {"backup": made["path"], "level": "content"})
    run_module("backup_upload", {**store, "directory": str(folder)})
    name, begun = made["name"], datetime.fromisoformat(made["started"].replace("Z", "+00:00")).timestamp()

    done = status(desk, offsite_stores=[{**store, "bandwidth": "1G"}], status_max_restore_test_age="")
    assert done.returncode == 0, done.stdout
    assert SECRET_KEY not in done.stdout + done.stderr
    assert "OK - every limit is kept" in done.stdout
    (facts,) = report_of(desk)["databases"]
    for which in ("newest", "newest_verified", "newest_offsite"):
        assert facts[which]["name"] == name
    assert facts["newest"]["places"] == [str(folder), store["store"]]
    # The newest one is never deleted, whatever its age.
    assert [each["next_deletion"] for each in facts["places"]] == [None, None]

    metrics = metrics_of(desk)
    assert metrics["dbops_recovery_newest_backup_timestamp_seconds", 'database="shop"'] == begun
    assert metrics["dbops_recovery_newest_offsite_backup_timestamp_seconds", 'database="shop"'] == begun
    assert metrics["dbops_recovery_newest_backup_size_bytes", 'database="shop"'] == made["size_bytes"]
    assert metrics["dbops_recovery_place_readable", f'place="{store["store"]}"'] == 1
    assert abs(metrics["dbops_recovery_status_timestamp_seconds", ""] - time.time()) < 60
    promtool("check", "metrics", text=(desk.directory / "dbops.prom").read_text())
    for file in ("dbops.prom", "nagios"):
        assert (desk.directory / file).stat().st_mode & 0o777 == 0o644
    exit_status, line = nagios(desk)
    assert exit_status == 0
    assert line.startswith("DBOPS OK - every limit is kept: shop: newest backup ")
    assert ";;93600 'shop_size'=" in line


def test_passed_limits_and_a_lost_store_are_said_and_fail_the_run(desk, store, faker):
    old = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(days=3)
    verified = [{"time": f"{old:%Y-%m-%dT%H:%M:%SZ}", "level": "content", "verified": True, "host": "one"}]
    faker(old, where=desk.directory / "backups", verifications=verified)
    lost = {"store": f"file://{desk.directory}/not-mounted"}
    variables = {"status_stores": [store, lost], "status_databases": ["shop", "wiki"]}

    looked = status(desk, "--check", **variables)
    assert looked.returncode == 2
    assert not (desk.directory / "dbops.prom").exists()
    assert not (desk.directory / "status.json").exists()

    with WebSink() as sink:
        done = status(desk, notify_webhook_url=sink.url("/hook"), **variables)
    assert done.returncode == 2
    said = said_by(done)
    assert f"the newest backup, shop_{old:%Y-%m-%d_%H%M%S}, is 3d" in said
    assert "At most 1d 2h is allowed (max_age). Find out why no newer one was made." in said
    assert "wiki: there is no complete backup in the places that could be read." in said
    assert f"this host has no directory {desk.directory}/not-mounted. Is the disk mounted?" in said
    (notice,) = sink.notices
    assert notice["title"] == "backups on one: CRITICAL"
    assert "max_age" in str(notice["lines"])

    report = report_of(desk)
    assert report["state"] == "critical"
    assert [(each["severity"], each["database"], each["limit"]) for each in report["problems"]] == [
        ("critical", None, None),
        ("critical", "shop", "max_age"),
        ("critical", "shop", "max_offsite_age"),
        ("critical", "wiki", None),
    ]
    metrics = metrics_of(desk)
    assert metrics["dbops_recovery_place_readable", f'place="{lost["store"]}"'] == 0
    assert metrics["dbops_recovery_newest_backup_timestamp_seconds", 'database="wiki"'] == 0
    assert metrics["dbops_recovery_problems", 'severity="critical"'] == 4
    promtool("check", "metrics", text=(desk.directory / "dbops.prom").read_text())
    exit_status, line = nagios(desk)
    assert exit_status == 2
    assert line.startswith("DBOPS CRITICAL - 4 critical: The store file://")


def test_a_host_that_is_lost_is_told_of_while_another_one_is_fine(desk, store, faker):
    faker(datetime.now(timezone.utc) - timedelta(hours=1), where=desk.directory / "backups")
    (desk.directory / "cut_two").touch()
    limits = {"status_max_unverified_age": "", "status_max_offsite_age": "", "status_max_restore_test_age": ""}
    with WebSink() as sink:
        done = status(desk, status_hosts="application", notify_webhook_url=sink.url("/hook"), **limits)
    assert done.returncode != 0
    (notice,) = sink.notices
    assert (notice["verdict"], notice["title"]) == ("failure", "backups on two: CRITICAL")
    assert notice["lines"][0].startswith("Lost: two. ")
    assert "one:" in notice["lines"]
    assert notice["details"]["one"]["state"] == "ok"


@pytest.mark.parametrize(
    ("variables", "why"),
    [
        ({"status_directory": "", "status_stores": []}, "Say by status_directory or status_stores where"),
        ({"status_max_age": "a day"}, "max_age: 'a day' is not a duration"),
    ],
)
def test_a_status_that_cannot_be_taken_is_told_of(desk, variables, why):
    with WebSink() as sink:
        done = status(desk, notify_webhook_url=sink.url("/hook"), **variables)
    assert done.returncode == 2
    (notice,) = sink.notices
    assert (notice["verdict"], notice["title"]) == ("failure", "backups on one: CRITICAL")
    assert why in str(notice["lines"])
    assert why in said_by(done)
    assert report_of(desk)["state"] == "critical"


def test_what_cannot_be_meant_is_refused_first(desk, store):
    done = status(desk, status_stores=[store, store], status_metrics_path=f"{desk.directory}/metrics.txt")
    assert done.returncode == 2
    assert "status_stores names a store twice" in said_by(done)
    assert "must be an absolute path that ends in .prom" in said_by(done)
    assert not (desk.directory / "nagios").exists()


@pytest.mark.parametrize(
    ("text", "exit_status"),
    [("DBOPS OK - fine", 0), ("DBOPS WARNING - 1 warning", 1), ("DBOPS CRITICAL - 1 critical", 2), ("else", 3)],
)
def test_the_nagios_check_says_the_line_and_ends_with_its_state(tmp_path, text, exit_status):
    (tmp_path / "nagios").write_text(f"{text} | 'shop_age'=1s;;2\n")
    assert nagios(Fleet(tmp_path, "", 1)) == (exit_status, f"{text} | 'shop_age'=1s;;2\n")


def test_the_nagios_check_is_critical_when_nobody_takes_the_status_any_more(tmp_path):
    desk = Fleet(tmp_path, "", 1)
    assert nagios(desk)[0] == 3
    file = tmp_path / "nagios"
    file.write_text("DBOPS OK - fine | 'shop_age'=1s;;2\n")
    os.utime(file, (time.time() - 45 * 60,) * 2)
    assert nagios(desk)[0] == 0
    assert nagios(desk, "30") == (
        2,
        "DBOPS CRITICAL - no status for more than 30 minutes, the last said: DBOPS OK - fine\n",
    )


def test_the_alerts_of_the_example_are_valid_and_say_what_they_should():
    promtool("check", "rules", ALERTS)
    promtool("test", "rules", Path(__file__).with_name("alerts.yml"))
