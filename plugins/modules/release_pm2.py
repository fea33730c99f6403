#!/usr/bin/python

# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: release_pm2
short_description: Have an application's processes under PM2 run the live release
description:
  - Restarts processes by PM2's own command, as the user that runs the module, and looks again after a while whether
    they stayed up. PM2 itself says success also for a process that ends at once.
  - With an ecosystem file the processes are deleted and started from it, since PM2 keeps the paths that it was given
    first, which may be those of an earlier release.
  - Afterwards the list is saved (C(pm2 save)), so that a reboot starts the same.
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
    details: The processes are restarted each time.
options:
  processes:
    description:
      - The names of the processes.
    type: list
    elements: str
    required: true
  ecosystem:
    description:
      - The file that describes them. A relative path begins in C(current). Without one, PM2 must know them already, by
        paths that lead through C(current).
    type: str
  missing_ok:
    description:
      - Whether a process that the ecosystem file does not describe is passed over, as on the way back to a release that
        did not have it.
    type: bool
    default: false
  state:
    description:
      - V(restarted) starts the processes, whether they run or not. V(absent) ends them and forgets them.
    type: str
    choices: [restarted, absent]
    default: restarted
  settle:
    description:
      - Seconds for which they must stay up.
    type: int
    default: 3
  pm2:
    description:
      - The command, with options where it needs any.
    type: str
    default: pm2
  environment:
    description:
      - Variables added to the environment of PM2, and by that to the processes'. Not shown in the result.
    type: dict
seealso:
  - module: dbops.recovery.release_command
"""

EXAMPLES = r"""
- name: Have the Node processes run the new release
  dbops.recovery.release_pm2:
    root: /srv/shop
    processes: [shop-socket]
    ecosystem: ecosystem.config.js
"""

RETURN = r"""
processes:
  description: The processes, after they have stayed up. None with O(state=absent).
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The process's name.
      type: str
      sample: shop-socket
    pid:
      description: Its number.
      type: int
      sample: 4711
    status:
      description: What PM2 says of it.
      type: str
      sample: online
    script:
      description: What it runs.
      type: str
      sample: /srv/shop/releases/2026-11-22_101500/node/server.js
"""

from ansible_collections.dbops.recovery.plugins.module_utils._module import run_module
from ansible_collections.dbops.recovery.plugins.module_utils._release import actions


def main() -> None:
    run_module(
        actions.pm2,
        {
            "root": {"type": "path", "required": True},
            "processes": {"type": "list", "elements": "str", "required": True},
            "ecosystem": {"type": "str"},
            "missing_ok": {"type": "bool", "default": False},
            "state": {"type": "str", "choices": ["restarted", "absent"], "default": "restarted"},
            "settle": {"type": "int", "default": 3},
            "pm2": {"type": "str", "default": "pm2"},
            "environment": {"type": "dict"},
        },
        # Keeps the options, and with them the environment's secrets, out of the host's system log.
        no_log=True,
    )


if __name__ == "__main__":
    main()
