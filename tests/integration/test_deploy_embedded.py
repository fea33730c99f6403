# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role in plays of other people's: whatever surrounds it, all hosts end on one release, or it is refused."""

from __future__ import annotations

import json

import pytest
from fleet import HOSTS

BEFORE = "added_by_1,product: changed by 1"
FREE = "Using run_once with the free strategy is not currently supported."


def embed(fleet, role: dict | None = None, **play: object) -> str:
    """Write a play that deploys, with more keywords of the play's and of the task's, and return where it is."""
    tasks = [{"ansible.builtin.include_role": {"name": "dbops.recovery.deploy"}, **(role or {})}]
    path = fleet.directory / "play.yml"
    path.write_text(json.dumps([{"hosts": "application", "gather_facts": False, "tasks": tasks, **play}]))
    return str(path)


@pytest.mark.parametrize(
    ("role", "play", "why", "warning"),
    [
        # The host that would migrate for all of them, and another.
        ({"when": "inventory_hostname != 'one'"}, {}, "The role does not run on one, but it must run on all hosts", ""),
        ({"when": "inventory_hostname != 'two'"}, {}, "The role does not run on two, but it must run on all hosts", ""),
        ({}, {"strategy": "free"}, "the play's `strategy` must be linear", FREE),
    ],
)
def test_a_play_in_which_not_all_hosts_go_together_is_refused(fleet, role, play, why, warning):
    before = [fleet.journal(host) for host in HOSTS]
    done = fleet.play(embed(fleet, role, **play), deploy_release="2", warning=warning)
    assert done.returncode != 0
    assert done.report["outcome"] == "refused", done.stdout
    assert why in " ".join(done.stdout.split())
    assert fleet.live() == {"one": "1", "two": "1"}
    assert [fleet.journal(host) for host in HOSTS] == before


def test_a_play_that_ignores_errors_and_unreachable_hosts_does_not_have_the_role_ignore_them(fleet):
    dying = fleet.environment(wreck=f"touch {fleet.directory}/cut_two")
    playbook = embed(fleet, ignore_errors=True, ignore_unreachable=True)
    done = fleet.play(playbook, deploy_release="2", deploy_environment=dying)
    assert done.report["outcome"] == "broken", done.stdout
    assert done.report["unreachable_hosts"] == ["two"]
    assert fleet.live()["one"] == "1 .dbops/lock.json"
    assert fleet.database() == BEFORE
    assert done.returncode != 0
