# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What users want done before and after each step of a deployment: it is a part of that step, and of the way back."""

from __future__ import annotations

import shlex

import pytest
from documents import all_blocks
from fleet import HOSTS

STEPS = ("stage", "backup", "migrate", "switch", "restart")
HOOKS = [f"{when}_{step}" for step in STEPS for when in ("before", "after")]


def say(fleet, word: str) -> str:
    """A command that notes the word and where it ran."""
    place = '$(realpath --relative-to="$0/$HOST" .)'
    return shlex.join(["sh", "-c", f'echo "{word} {place}" >>"$0/said_$HOST"', str(fleet.directory)])


def said(fleet, host: str) -> list[str]:
    return (fleet.directory / f"said_{host}").read_text().splitlines()


def file_of_tasks(fleet, name: str, *tasks: str) -> str:
    path = fleet.directory / name
    path.write_text("---\n" + "".join(tasks))
    return str(path)


def test_every_hook_runs_in_its_place_with_its_tasks_after_its_commands(fleet):
    tasks = file_of_tasks(
        fleet,
        "tasks.yml",
        "- name: Say that the tasks run\n"
        "  ansible.builtin.shell: echo tasks {{ deploy_expected_release }} >>{{ deploy_root }}/../said_$HOST\n"
        "  environment: {HOST: '{{ inventory_hostname }}'}\n",
    )
    hooks = {f"deploy_{hook}_commands": [say(fleet, hook)] for hook in HOOKS}
    done = fleet.deploy("2", **hooks, deploy_before_stage_tasks=tasks, deploy_after_switch_tasks="tasks.yml")
    assert done.report["outcome"] == "deployed", done.stdout
    on_every_host = {
        "stage": ["before_stage .", "tasks 2", "after_stage releases/2"],
        "switch": ["before_switch releases/2", "after_switch releases/2", "tasks 2"],
        "restart": ["before_restart releases/2", "after_restart releases/2"],
    }
    once = [f"{when}_{step} releases/2" for step in ("backup", "migrate") for when in ("before", "after")]
    after_the_stage = on_every_host["switch"] + on_every_host["restart"]
    assert said(fleet, "one") == on_every_host["stage"] + once + after_the_stage
    assert said(fleet, "two") == on_every_host["stage"] + after_the_stage


def test_a_hook_that_fails_before_the_migrations_keeps_them_from_beginning_and_takes_back_what_it_did(fleet):
    before = fleet.database()
    client = f"mariadb --no-defaults -S {fleet.socket} -u root shop -e"
    refuse = "- name: Refuse\n  ansible.builtin.fail: {msg: Not today}\n  when: inventory_hostname == 'two'\n"
    done = fleet.deploy(
        "2",
        deploy_before_migrate_commands=[f"{client} 'CREATE TABLE made_by_the_hook (id INT)'"],
        deploy_before_migrate_tasks=file_of_tasks(fleet, "refuse.yml", refuse),
        deploy_migrate_commands=[say(fleet, "migrate")],
    )
    assert (done.report["outcome"], done.report["failed_phase"]) == ("rolled_back", "migrate"), done.stdout
    assert (done.report["failed_host"], done.report["database_outcome"]) == ("two", "restored")
    assert done.report["error"] == "The hook deploy_before_migrate failed: Not today"
    assert fleet.database() == before
    assert not list(fleet.directory.glob("said_*"))
    assert fleet.live() == {"one": "1", "two": "1"}
    # Killed in the hook, the next run would know that the database is to be restored, and from what.
    begun = [entry for entry in fleet.journal("one") if entry["step"] == "migrate"]
    assert begun[-1]["backup"]["path"] == done.report["backup"]["path"]


@pytest.mark.usefixtures("one_host")
def test_a_hook_that_fails_on_the_way_back_too_is_reported_and_stops_nothing(fleet):
    done = fleet.deploy(
        "2",
        deploy_before_switch_commands=[say(fleet, "before_switch")],
        deploy_after_restart_commands=["sh -c 'echo the load balancer does not answer; exit 7'"],
    )
    assert (done.report["outcome"], done.report["failed_phase"]) == ("rolled_back", "restart"), done.stdout
    assert fleet.live() == {"one": "1"}
    assert said(fleet, "one") == ["before_switch releases/2", "before_switch releases/2"]
    assert "The hook deploy_after_restart failed: `sh -c" in done.report["untidy"][0]
    assert "the load balancer does not answer" in done.report["untidy"][0]


@pytest.mark.usefixtures("one_host")
def test_a_hook_after_the_migrations_is_one_of_them_also_where_there_are_no_others(fleet):
    done = fleet.deploy("2", deploy_migrate_commands=[], deploy_after_migrate_commands=["sh -c 'exit 7'"])
    assert (done.report["outcome"], done.report["database_outcome"]) == ("rolled_back", "restored"), done.stdout
    begun = [entry for entry in fleet.journal("one") if (entry["release"], entry["step"]) == ("2", "migrate")]
    assert [entry["backup"]["path"] for entry in begun] == [done.report["backup"]["path"]]


@pytest.mark.usefixtures("one_host")
def test_a_load_balancer_that_cannot_be_reached_is_a_hook_that_failed_told_as_the_page_does(fleet):
    (block,) = (block for block in all_blocks() if block.text.startswith("# hooks/leave.yml"))
    tasks = file_of_tasks(fleet, "leave.yml", block.text.replace("balancer.example.org", "balancer.invalid"))
    done = fleet.deploy("2", deploy_before_stage_tasks=tasks)
    assert (done.report["outcome"], done.report["failed_phase"]) == ("rolled_back", "stage"), done.stdout
    assert done.report["unreachable_hosts"] == []
    assert "The hook deploy_before_stage failed: The load balancer cannot be reached: " in done.report["error"]
    assert fleet.live() == {"one": "1"}


def test_a_file_of_tasks_with_a_mistake_in_it_ends_the_play_before_anything_is_touched(fleet):
    before = [fleet.journal(host) for host in HOSTS]
    tasks = file_of_tasks(fleet, "misspelt.yml", "- name: Say it\n  ansible.builtin.debug: {msg: x}\n  wehn: true\n")
    done = fleet.deploy("2", deploy_after_restart_tasks=tasks)
    assert done.returncode != 0
    assert "conflicting action statements: ansible.builtin.debug, wehn" in done.stderr
    assert fleet.live() == {"one": "1", "two": "1"}
    assert [fleet.journal(host) for host in HOSTS] == before


def test_a_file_of_tasks_that_is_not_there_is_refused_before_anything_is_touched(fleet):
    done = fleet.deploy("2", deploy_after_restart_tasks="hooks/after.yml")
    assert done.report["outcome"] == "refused"
    assert f"The controller has no such file of tasks: {fleet.directory}/hooks/after.yml." in done.report["error"]
