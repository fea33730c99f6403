"""Release 1 is live on both hosts. Whatever fails at whatever step, all hosts and the database are on one release."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from conftest import APPS, EPHEMERAL
from faults import (
    app2_cannot_write_what_is_shared,
    app2_has_a_disk_that_runs_full,
    app2_has_a_full_disk,
    app2_loses_a_file_of_the_new_release_and_all_room,
    app2_loses_the_network,
    the_backups_have_a_full_disk,
    the_controller_is_killed,
    the_database_is_killed,
    the_database_is_killed_and_stays_dead,
)


def test_release_1_is_live_and_a_second_run_changed_nothing(fleet):
    fleet.require("1")
    for app in fleet.apps.values():
        assert [(release, result) for _run, release, result in fleet.ends(app)] == [("1", "deployed")]
        assert app.check_output("readlink /srv/shop/releases/1/.env") == "../../shared/.env"
        assert app.file("/srv/shop/shared/.env").mode == 0o600
    (manifest,) = fleet.db.check_output("find /var/backups/shop -name '*.manifest.json'").split()
    backup = json.loads(fleet.db.file(manifest).content_string)["backup"]
    assert (backup["pinned"], backup["labels"]["release"]) == (True, "1")


@dataclass
class Fault:
    """Something happens before a task, a step's first as a rule; the run says how it ended, where it failed and why."""

    step: str
    happens: Callable
    outcome: str
    host: str = ""
    because: str = ""
    database: str = ""
    before: str = "Start the clock: {step}"
    release: str = "3"

    def __str__(self):
        return f"{self.step}-{self.happens.__name__}"


# Every step, and every kind of fault at several of them. Not each at each: a pair is here where what is to be taken
# back is another. Nothing (preflight, lock), files beside those that serve (stage), a door that is shut (backup and
# before), a database that is half new (migrate) or new (switch), code that is new on each host (restart, health), or
# visitors who are in again on one of them (maintenance_off). Release 2 fails by itself while it migrates; the database
# is killed on its way back. What fails after the last of these steps takes nothing back, and is a test of its own.
FAULTS = [
    Fault("preflight", the_database_is_killed_and_stays_dead, "refused", "app1", "Cannot connect to the server"),
    Fault("lock", app2_has_a_full_disk, "refused", "app2", "No space left on device"),
    Fault("stage", app2_loses_the_network, "rolled_back", "app2", "could not reach it any more"),
    Fault(
        "stage",
        app2_has_a_disk_that_runs_full,
        "rolled_back",
        "app2",
        "No space left on device",
        before="Unpack it into the release",
    ),
    Fault("maintenance_on", app2_cannot_write_what_is_shared, "rolled_back", "app2", "Permission denied"),
    Fault("backup", the_backups_have_a_full_disk, "rolled_back", "app1", "not enough room in /var/backups/shop"),
    Fault("backup", the_controller_is_killed, "unfinished", because="last began to maintenance_on"),
    Fault(
        "migrate",
        the_database_is_killed,
        "rolled_back",
        "app1",
        "Duplicate entry",
        "restored",
        before="Restore the database",
        release="2",
    ),
    Fault("switch", the_controller_is_killed, "unfinished", because="the database may be half migrated"),
    Fault("restart", app2_loses_the_network, "broken", "app2", "could not reach it any more", "restored"),
    Fault("health", the_database_is_killed_and_stays_dead, "broken", "app1", "HTTP Error 500", "refused"),
    Fault("maintenance_off", app2_loses_a_file_of_the_new_release_and_all_room, "rolled_back", "app2", "", "restored"),
]


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_whatever_fails_all_hosts_and_the_database_are_as_before(fleet, fault):
    bytes_before, ends_before = fleet.database(), fleet.ends(fleet.apps["app1"])
    run = fleet.deploy(fault.release, before=fault.before.format(step=fault.step), fault=fault.happens)
    assert (run.status != 0, run.outcome) == (True, fault.outcome), run.output
    if fault.outcome == "unfinished":
        take_back_what_the_killed_run_began(fleet, fault.because)
    else:
        assert (run.report["failed_phase"], run.report["failed_host"]) == (fault.step, fault.host), run.output
        assert fault.because in " ".join(run.report["error"].split())
        assert run.report["database_outcome"] == fault.database
    if fault.outcome == "broken":
        healed = fleet.play("rollback.yml", *run.way_back())
        assert healed.outcome == "rolled_back", healed.output

    # A host that was lost while nothing of its own was changed keeps its lock until the next run, which heals it first:
    # that is the one of the next fault.
    lost = run.report["unreachable_hosts"] if fault.outcome == "rolled_back" else []
    fleet.require("1", locked=lost)
    assert fleet.database() == bytes_before
    ends = fleet.ends(fleet.apps["app1"])
    if fault.outcome == "refused":
        assert ends == ends_before
    else:
        assert ends[-1][1:] == (fault.release, "rolled_back")
    if fault.outcome in ("rolled_back", "broken"):
        went_back = [entry for entry in fleet.journal(fleet.apps["app1"]) if entry["step"] == "go_back"]
        if fault.database:
            assert went_back.pop()["database"] == fault.database
        why = went_back.pop()
        assert (why["failed_phase"], why["failed_host"]) == (fault.step, fault.host)
        assert fault.because in " ".join(why["error"])
        # To be looked at.
        assert fleet.apps["app1"].file(f"/srv/shop/releases/{fault.release}").is_directory


def take_back_what_the_killed_run_began(fleet, how_far):
    refused = fleet.deploy("3")
    assert refused.outcome == "refused", refused.output
    assert how_far in " ".join(refused.report["error"].split())
    done = fleet.play("rollback.yml", *refused.way_back())
    assert done.outcome == "rolled_back", done.output


@pytest.fixture(scope="module")
def before_release_3():
    return {}


def test_a_full_disk_after_the_last_step_takes_nothing_back(fleet, before_release_3):
    before_release_3["database"] = fleet.database()
    run = fleet.deploy(
        "3",
        before="Give the lock back",
        fault=app2_has_a_full_disk,
        deploy_source="",
        deploy_git_repository="/var/lib/shop.git",
        deploy_git_version="3",
    )
    assert (run.status, run.outcome, run.report["untidy"]) == (0, "deployed", []), run.output
    fleet.require("3")
    app = fleet.apps["app1"]
    commit = app.check_output("git -C /var/lib/shop.git -c safe.directory=* rev-parse '3^{commit}'")
    assert fleet.journal(app)[-1]["revision"] == commit
    for app in fleet.apps.values():
        assert not app.file("/srv/shop/current/.git").exists
        # What failed is gone.
        assert app.file("/srv/shop/releases").listdir() == ["1", "3"]


def test_a_rollback_by_hand_takes_the_database_along(fleet, before_release_3):
    done = fleet.play("rollback.yml", deploy_rollback_database=True)
    assert (done.status, done.outcome) == (0, "rolled_back"), done.output
    fleet.require("1")
    assert fleet.database() == before_release_3["database"]
    assert fleet.ends(fleet.apps["app1"])[-1][1:] == ("3", "rolled_back")


def test_a_first_release_that_fails_stops_its_own_units_only(fleet):
    unit = "[Service]\nExecStart=/bin/sleep infinity\nExecReload=/bin/true\n"
    for name in ("first", "others"):
        fleet.on("app1", f"printf '{unit}' >/run/systemd/system/{name}.service")
    fleet.on("app1", "systemctl daemon-reload")
    source = EPHEMERAL / "first"
    source.mkdir(exist_ok=True)
    (source / "page").write_text("hello\n")
    # This is for a user who may become root wholly.
    run = fleet.play(
        "deploy.yml",
        ansible_user="root",
        deploy_hosts="app1",
        deploy_root="/srv/first",
        deploy_source=str(source),
        deploy_preset="custom",
        deploy_shared_files=[],
        deploy_maintenance_on_commands=[],
        deploy_maintenance_off_commands=[],
        deploy_restart_commands=[],
        deploy_services=["first.service"],
        deploy_reload_services=["others.service"],
        deploy_health_url="http://127.0.0.1:1/",
        deploy_health_retries=0,
        deploy_database="",
    )
    assert (run.outcome, run.report["failed_phase"]) == ("rolled_back", "health"), run.output
    app = fleet.apps["app1"]
    assert not app.file("/srv/first/current").exists
    assert "Started first.service" in app.check_output("journalctl --no-pager --unit=first.service")
    assert not app.service("first").is_running
    assert app.service("others").is_running
    assert app.service("shop").is_running


@pytest.mark.parametrize("name", [*APPS, "db1"])
def test_root_was_asked_for_nothing_but_what_the_documents_list(fleet, name):
    said = fleet.on(name, "journalctl --no-pager --output=cat --identifier=sudo").splitlines()
    asked = {line.partition("COMMAND=")[2] for line in said if line.split()[:2] == ["deploy", ":"]}
    assert asked == (set() if name == "db1" else {"/usr/bin/systemctl restart shop.service"})
