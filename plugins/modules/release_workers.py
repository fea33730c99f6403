#!/usr/bin/python

# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: release_workers
short_description: Restart an application's queue workers, without breaking off a job
description:
  - Notes which workers run, runs the commands that tell them to end after their present job, and waits until all of
    those are gone and at least one other runs. What starts workers, such as Supervisor or systemd, starts the new ones.
  - Where none runs, the commands run and there is nothing to wait for.
  - A process belongs to the application when it runs below O(root) or an argument of its command line is a path there.
version_added: 0.1.0
author:
  - The dbops.recovery authors (@dbops)
extends_documentation_fragment:
  - dbops.recovery.application
  - dbops.recovery.attributes
attributes:
  check_mode:
    support: full
    details: The options are checked, and nothing is done.
  diff_mode:
    support: none
  idempotent:
    support: none
    details: The workers are restarted each time.
options:
  match:
    description:
      - A regular expression that is found in the workers' command lines, their arguments joined by blanks.
    type: str
    required: true
  commands:
    description:
      - The commands that tell the workers to end, run one after the other in C(current), without a shell.
    type: list
    elements: str
    required: true
  timeout:
    description:
      - Seconds until all of them must have ended and another one must run. Longer than the longest job.
    type: int
    default: 120
  environment:
    description:
      - Variables added to the environment of the commands, and not shown in the result.
    type: dict
seealso:
  - module: dbops.recovery.release_command
"""

EXAMPLES = r"""
- name: Have the queue workers run the new release
  dbops.recovery.release_workers:
    root: /srv/shop
    match: artisan queue:work
    commands: [php artisan queue:restart]
"""

RETURN = r"""
old:
  description: The numbers of the processes that ran before.
  returned: success
  type: list
  elements: int
  sample: [4711, 4712]
new:
  description: The numbers of those that run now.
  returned: success
  type: list
  elements: int
  sample: [4801, 4802]
seconds:
  description: How long it took.
  returned: success
  type: float
  sample: 1.422
"""

from ansible_collections.dbops.recovery.plugins.module_utils._module import run_module
from ansible_collections.dbops.recovery.plugins.module_utils._release import actions


def main() -> None:
    run_module(
        actions.restart_workers,
        {
            "root": {"type": "path", "required": True},
            "match": {"type": "str", "required": True},
            "commands": {"type": "list", "elements": "str", "required": True},
            "timeout": {"type": "int", "default": 120},
            "environment": {"type": "dict"},
        },
        # Keeps the options, and with them the environment's secrets, out of the host's system log.
        no_log=True,
    )


if __name__ == "__main__":
    main()
