# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A command as systemd reads it (systemd.service(5), COMMAND LINES). That it arrives, the scenario offsite shows."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

VARIABLES = Path(__file__).resolve().parents[3] / "roles" / "offsite" / "vars" / "main.yml"
EXPRESSION = trust_as_template(yaml.safe_load(VARIABLES.read_text(encoding="utf-8"))["_offsite_schedule_command"])


def line(*command: object) -> str:
    return Templar(DataLoader(), variables={"offsite_schedule_command": list(command)}).template(EXPRESSION)


@pytest.mark.parametrize(
    ("argument", "written"),
    [
        ("two  words", '"two  words"'),
        ("", '""'),
        (";", '";"'),
        ("100 %n", '"100 %%n"'),
        ("$HOME ${HOME} $$", '"$$HOME $${HOME} $$$$"'),
        ("""say "it's" """, '''"say \\"it's\\" "'''),
        ("back\\slash\\", '"back\\\\slash\\\\"'),
        ("a line\nand\ta tab", '"a line\\nand\\ta tab"'),
        ("Grüße 😀", '"Grüße 😀"'),
        ("{{ not a template }}", '"{{ not a template }}"'),
        (7, '"7"'),
    ],
)
def test_an_argument_is_written_so_that_it_arrives_unchanged(argument, written):
    assert line(argument) == written


def test_arguments_stay_apart():
    assert line("/usr/bin/ansible-playbook", "-l", "production") == '"/usr/bin/ansible-playbook" "-l" "production"'
