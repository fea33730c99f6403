#!/usr/bin/python

# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: release_command
short_description: Run an application's own commands in one of its releases
description:
  - Runs the commands in order, without a shell, and stops at the first that fails. The message then holds the command,
    its exit status and its last lines.
  - Variables of the environment are handed over inside the module's options, not on a command line as with the
    C(environment) keyword, and are not shown in the result. Values of variables whose names sound secret are masked in
    what the commands print.
  - A command may leave a daemon behind. The module waits for the command itself only.
version_added: 0.1.0
author:
  - The dbops.recovery authors (@dbops)
extends_documentation_fragment:
  - dbops.recovery.application
  - dbops.recovery.attributes
attributes:
  check_mode:
    support: full
    details: The commands are checked for open quotes, and not run.
  diff_mode:
    support: none
  idempotent:
    support: none
    details: The commands run each time.
options:
  release:
    description:
      - The release in whose directory the commands run. Without it, C(current).
    type: str
  in_root:
    description:
      - Whether the commands run in O(root) itself, as when no release is there yet. O(release) then means nothing.
    type: bool
    default: false
  commands:
    description:
      - The commands. Each is split into words as a shell would, but no shell runs it, so pipes and variables mean
        nothing.
    type: list
    elements: str
    required: true
  environment:
    description:
      - Variables added to the environment of the commands.
    type: dict
  note:
    description:
      - An entry for the journal with the keys C(deployment), C(release), C(step) and C(result), and any others, as
        M(dbops.recovery.release_journal) writes it. It is on disk before anything else is done.
    type: dict
seealso:
  - module: dbops.recovery.release_info
"""

EXAMPLES = r"""
- name: Migrate
  dbops.recovery.release_command:
    root: /srv/shop
    release: 2026-11-22_101500
    commands:
      - python3 manage.py check --deploy
      - python3 manage.py migrate --no-input
    environment:
      DJANGO_SETTINGS_MODULE: shop.settings
"""

RETURN = r"""
commands:
  description: The commands that ran; the last one is the one that failed, if one did.
  returned: always
  type: list
  elements: dict
  contains:
    command:
      description: The command.
      type: str
      sample: python3 manage.py migrate --no-input
    seconds:
      description: How long it ran.
      type: float
      sample: 1.204
    last_lines:
      description:
        - The last ten lines of what it printed on both its outputs.
        - Those of a command that failed are in the message.
      type: list
      elements: str
      sample: ["  Applying catalog.0002_loyalty... OK"]
directory:
  description: Where they ran.
  returned: success
  type: str
  sample: /srv/shop/releases/2026-11-22_101500
status:
  description: The exit status of the command that failed; a signal's number, negative, when a signal ended it.
  returned: failure
  type: int
  sample: 1
"""

from ansible_collections.dbops.recovery.plugins.module_utils._module import run_module
from ansible_collections.dbops.recovery.plugins.module_utils._release import actions


def main() -> None:
    run_module(
        actions.command,
        {
            "root": {"type": "path", "required": True},
            "release": {"type": "str"},
            "in_root": {"type": "bool", "default": False},
            "commands": {"type": "list", "elements": "str", "required": True},
            "environment": {"type": "dict"},
            "note": {"type": "dict"},
        },
        # Keeps the options, and with them the environment's secrets, out of the host's system log.
        no_log=True,
    )


if __name__ == "__main__":
    main()
