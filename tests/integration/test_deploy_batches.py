# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Three hosts on which a release goes live in batches: the next when the one before is well, and still all or none."""

from __future__ import annotations

import shlex
import shutil

import pytest

# Notes in which order the hosts restart, and what is live on each of them by then.
RESTART = """
for host in one two three; do live="$live $(basename "$(readlink "$0/$host/current")")"; done
echo "$HOST restarts with$live" >>"$0/order"
eval "$AT_RESTART"
exec sh step restart
"""
NO_MIGRATIONS = {"deploy_migrations": "never"}


@pytest.fixture
def three(fleet):
    fleet.hosts = ("one", "two", "three")
    shutil.copytree(fleet.root("two"), fleet.root("three"), symlinks=True)
    return fleet


def deploy(fleet, *arguments: str, fail: str = "", at_restart: str = "", **variables: object):
    return fleet.deploy(
        "2",
        *arguments,
        deploy_restart_commands=[shlex.join(["sh", "-c", RESTART, str(fleet.directory)])],
        deploy_environment={**fleet.environment(fail=fail), "AT_RESTART": at_restart},
        **variables,
    )


def said(done) -> str:
    return " ".join(done.stdout.split())


def order(fleet) -> list[str]:
    return (fleet.directory / "order").read_text().splitlines()


def test_a_host_is_switched_and_restarted_when_the_one_before_is_well(three):
    done = deploy(three, deploy_batch=1)
    assert done.report["outcome"] == "deployed", done.stdout
    assert order(three) == [
        "one restarts with 2 1 1",
        "one is asked",
        "two restarts with 2 2 1",
        "two is asked",
        "three restarts with 2 2 2",
        "three is asked",
    ]
    assert three.live() == {"one": "2", "two": "2", "three": "2"}
    # Before the first, and once for all of them.
    steps = [[entry["step"] for entry in three.journal(host) if entry["release"] == "2"] for host in three.hosts]
    assert [journalled.count("migrate") for journalled in steps] == [1, 0, 0]
    assert len(list((three.directory / "backups").glob("*.manifest.json"))) == 1
    assert done.report["downtime_seconds"] > 0


def test_a_share_of_the_hosts_goes_live_together_while_the_others_serve(three):
    done = deploy(three, deploy_batch="67%", **NO_MIGRATIONS)
    assert done.report["outcome"] == "deployed", done.stdout
    noted = order(three)
    assert sorted(noted[:2]) == ["one restarts with 2 2 1", "two restarts with 2 2 1"]
    assert sorted(noted[2:4]) == ["one is asked", "two is asked"]
    assert noted[4:] == ["three restarts with 2 2 2", "three is asked"]
    assert "it went live on 2 of 3 hosts at a time, and the others served meanwhile." in said(done)
    assert done.report["downtime_seconds"] == 0


def test_an_unhealthy_host_ends_the_roll_and_takes_back_those_that_were_well(three):
    done = deploy(three, fail="health@two@2", deploy_batch=1, **NO_MIGRATIONS)
    assert done.returncode != 0
    assert (done.report["outcome"], done.report["failed_phase"]) == ("rolled_back", "health"), done.stdout
    assert done.report["failed_host"] == "two"
    assert three.live() == {"one": "1", "two": "1", "three": "1"}
    noted = order(three)
    # Asked twice, as deploy_health_retries is 1.
    forward = ["one restarts with 2 1 1", "one is asked", "two restarts with 2 2 1", "two is asked", "two is asked"]
    assert noted[:5] == forward
    assert sorted(noted[5:7]) == ["one restarts with 1 1 1", "two restarts with 1 1 1"]
    # The one that waited went on serving, and is looked at all the same.
    assert sorted(noted[7:]) == ["one is asked", "three is asked", "two is asked"]
    assert "It had gone live on one, two, not on three." in said(done)
    assert "The others served meanwhile; the way back took " in said(done)
    assert done.report["downtime_seconds"] == 0


def test_a_failure_of_a_batch_takes_the_database_back_and_restarts_the_hosts_that_waited_too(three):
    before = three.database()
    done = deploy(three, fail="restart@two@2", deploy_batch=1)
    assert (done.report["outcome"], done.report["failed_phase"]) == ("rolled_back", "restart"), done.stdout
    assert done.report["database_outcome"] == "restored"
    assert three.database() == before
    assert three.live() == {"one": "1", "two": "1", "three": "1"}
    restarts = [line for line in order(three) if "restarts" in line]
    assert restarts[:2] == ["one restarts with 2 1 1", "two restarts with 2 2 1"]
    assert sorted(restarts[2:]) == [f"{host} restarts with 1 1 1" for host in ("one", "three", "two")]
    assert done.report["downtime_seconds"] > 0


def test_where_the_last_batch_fails_nobody_served_while_all_went_back(three):
    done = deploy(three, fail="health@three@2", deploy_batch=2, **NO_MIGRATIONS)
    assert done.report["outcome"] == "rolled_back", done.stdout
    assert "It had gone live on" not in said(done)
    assert done.report["recovery_seconds"] > done.report["downtime_seconds"] > 0


def test_a_host_that_dies_in_its_batch_ends_the_roll_and_takes_the_others_back(three):
    cut = f'[ "$HOST" = one ] && touch "{three.directory}/cut_one"'
    done = deploy(three, at_restart=cut, deploy_batch=1, **NO_MIGRATIONS)
    assert (done.report["outcome"], done.report["unreachable_hosts"]) == ("broken", ["one"]), done.stdout
    assert not [line for line in order(three) if "restarts" in line][1:]
    assert {host: three.live()[host] for host in ("two", "three")} == dict.fromkeys(
        ("two", "three"), "1 .dbops/lock.json"
    )


def test_a_roll_that_was_killed_is_taken_back_on_the_hosts_that_had_gone_live_and_on_the_others(three):
    kill = f'[ "$HOST" = two ] && kill -9 "$(cat "{three.directory}/controller")"'
    killed = deploy(three, at_restart=kill, deploy_batch=1, **NO_MIGRATIONS)
    assert (killed.returncode, killed.report["outcome"]) == (-9, "unfinished")
    assert [three.live()[host].split()[0] for host in three.hosts] == ["2", "2", "1"]
    done = three.play("rollback.yml", deploy_force_unlock=True, deploy_batch=1)
    assert done.returncode == 0, done.stdout
    assert three.live() == {"one": "1", "two": "1", "three": "1"}


def test_with_a_limit_the_share_is_one_of_the_hosts_that_are_left(three):
    done = deploy(three, "-l", "two,three", deploy_batch="50%", **NO_MIGRATIONS)
    assert done.report["outcome"] == "deployed", done.stdout
    restarts = [line for line in order(three) if "restarts" in line]
    assert restarts == ["two restarts with 1 2 1", "three restarts with 1 2 2"]
    assert three.live() == {"one": "1", "two": "2", "three": "2"}


def test_check_mode_says_how_many_at_a_time_and_what_means_nothing_is_refused(three):
    predicted = deploy(three, "--check", deploy_batch="34%")
    assert predicted.returncode == 0, predicted.stdout
    assert "Would put it live on 1 of 3 hosts at a time" in said(predicted)
    for batch in (0, "101%", "all"):
        refused = deploy(three, deploy_batch=batch)
        assert refused.report["outcome"] == "refused"
        assert f"such as 25%. It is '{batch}'." in " ".join(refused.report["error"].split())
    assert not (three.directory / "order").exists()
