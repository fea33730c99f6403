# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command that reports say to type: a shell gives it on as it is meant, and it is for the hosts of the play."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

VARIABLES = Path(__file__).resolve().parents[3] / "roles" / "deploy" / "vars" / "main" / "run.yml"


def arguments(hosts: str, **variables: object) -> list[str]:
    """Return what follows the playbook's name, where a and b of a, b and c run the application."""
    loader = DataLoader()
    role = loader.load_from_file(str(VARIABLES), trusted_as_template=True)
    play = {"ansible_play_hosts_all": hosts.split(), "groups": {"all": ["a", "b", "c"], "application": ["a", "b"]}}
    templar = Templar(loader, variables={**role, **play, **variables})
    program, playbook, *rest = shlex.split(templar.template(trust_as_template("{{ _deploy_rollback_command }}")))
    assert (program, playbook) == ("ansible-playbook", "dbops.recovery.rollback")
    return rest


def test_for_the_group_of_the_playbook_it_is_short():
    assert arguments("a b") == []


@pytest.mark.parametrize("limit", ["a", "application:&a", "application:!b", "~a|x", "a,", "@failed hosts"])
def test_a_limit_arrives_unchanged(limit):
    assert arguments("a", ansible_limit=limit) == ["-l", limit]


@pytest.mark.parametrize("asked_for", ["application:!b", ["application", "!b"]])
def test_hosts_that_were_asked_for_are_asked_for_again(asked_for):
    pattern = asked_for if isinstance(asked_for, str) else "application,!b"
    assert arguments("a", deploy_hosts=asked_for) == ["-e", f"deploy_hosts={pattern}"]


@pytest.mark.parametrize(("hosts", "limit"), [("a", {}), ("c", {}), ("b c", {"ansible_limit": "!a"})])
def test_hosts_of_a_play_that_is_not_for_that_group_are_named(hosts, limit):
    # Without, it would go back on hosts that were not deployed to.
    expected = [*(["-l", "!a"] if limit else []), "-e", f"deploy_hosts={','.join(hosts.split())}"]
    assert arguments(hosts, **limit) == expected
