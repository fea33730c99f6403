# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A deployment that has nothing to migrate need not send the visitors away, nor wait for a backup."""

from __future__ import annotations

import json

from fleet import HOSTS


def test_without_pending_migrations_the_visitors_and_the_database_are_left_alone(fleet):
    before = fleet.database()
    done = fleet.deploy(
        "2",
        deploy_migrations="auto",
        deploy_pending_commands=["true"],
        deploy_maintenance_on_commands=["sh -c 'exit 1'"],
        deploy_maintenance_off_commands=["sh -c 'exit 1'"],
        deploy_before_backup_commands=["sh -c 'exit 1'"],
    )
    assert done.report["outcome"] == "deployed", done.stdout
    assert not done.report["migrated"]
    assert done.report["backup"] == {}
    assert "No migrations were pending, so there was no maintenance, no backup and no migration." in done.stdout
    assert fleet.live() == {"one": "2", "two": "2"}
    assert fleet.database() == before


def test_with_pending_migrations_it_goes_the_whole_way(fleet):
    # Asked of the new release, on the first host only.
    asked = """sh -c 'echo "$HOST $(basename "$(pwd -P)")" >>../../../asked; exit 1'"""
    done = fleet.deploy("2", deploy_migrations="auto", deploy_pending_commands=[asked])
    assert done.report["outcome"] == "deployed", done.stdout
    assert done.report["migrated"]
    assert (fleet.directory / "asked").read_text() == "one 2\n"
    assert "added_by_2" in fleet.database()


def test_a_question_that_cannot_be_asked_is_no_answer(fleet):
    done = fleet.deploy("2", deploy_migrations="auto", deploy_pending_commands=["./no-such-program"])
    assert (done.report["outcome"], done.report["failed_phase"]) == ("rolled_back", "stage"), done.stdout
    assert "Starting `./no-such-program`" in done.report["error"]


def test_auto_without_a_question_is_refused_and_never_needs_no_backup(fleet):
    refused = fleet.deploy("2", deploy_migrations="auto")
    assert refused.report["outcome"] == "refused"
    assert "deploy_pending_commands, which end with 0 when none are" in refused.report["error"]
    predicted = fleet.deploy("2", "--check", deploy_migrations="never", deploy_database_connection={})
    assert predicted.returncode == 0, predicted.stdout
    assert "Would leave the visitors and the database alone, as deploy_migrations is never." in predicted.stdout


def test_maintenance_that_a_killed_run_left_on_is_turned_off_by_one_that_does_not_migrate(fleet):
    killed = {"time": "2026-11-22T10:15:00Z", "deployment": "20261122T101500Z-1234", "release": "2"}
    for host in HOSTS:
        with (fleet.root(host) / ".dbops" / "journal.jsonl").open("a") as journal:
            for step in ("stage", "maintenance_on"):
                journal.write(json.dumps({**killed, "step": step, "result": "started"}) + "\n")
        (fleet.root(host) / "closed").touch()
    done = fleet.deploy("3", deploy_migrations="never")
    assert done.report["outcome"] == "deployed", done.stdout
    assert fleet.live() == {"one": "3", "two": "3"}
