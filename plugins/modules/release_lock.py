#!/usr/bin/python

# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: release_lock
short_description: Take or give back the deployment lock of an application on a host
description:
  - The lock is a file that says who deploys, from where and since when. Two deployments never hold it at once.
  - A held lock fails with who holds it and what to do. The deployment that holds it may take it again.
version_added: 0.1.0
author:
  - The dbops.recovery authors (@dbops)
extends_documentation_fragment:
  - dbops.recovery.application
  - dbops.recovery.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  state:
    description:
      - V(present) takes the lock, V(absent) gives it back.
      - V(absent) leaves a lock alone that another deployment holds, unless O(force).
    type: str
    choices: [present, absent]
    default: present
  deployment:
    description:
      - The name of this run. The lock belongs to it.
    type: str
    required: true
  release:
    description:
      - The release that is being deployed, for the one who finds the lock.
    type: str
  owner:
    description:
      - Who deploys, for the one who finds the lock.
    type: str
    default: somebody
  controller:
    description:
      - The machine that the deployment runs from.
    type: str
    default: ""
  force:
    description:
      - Take a lock that another deployment holds, or remove it. Only when that deployment is known to be dead.
    type: bool
    default: false
  note:
    description:
      - An entry for the journal with the keys C(deployment), C(release), C(step) and C(result), and any others, as
        M(dbops.recovery.release_journal) writes it. It is on disk before the lock is given back, and with
        O(state=present) once it is held. Where it cannot be written, the lock is given back all the same, and the
        module fails.
    type: dict
seealso:
  - module: dbops.recovery.release_info
"""

EXAMPLES = r"""
- name: Take the lock
  dbops.recovery.release_lock:
    root: /srv/shop
    deployment: 20261122T101500-4f2a
    release: 2026-11-22_101500
    owner: ann
    controller: ci-7

- name: Give it back
  dbops.recovery.release_lock:
    root: /srv/shop
    deployment: 20261122T101500-4f2a
    state: absent
"""

RETURN = r"""
lock:
  description: The lock as it is now, also when the module fails because it is held; none when there is none.
  returned: always
  type: dict
  sample:
    deployment: 20261122T101500-4f2a
    release: 2026-11-22_101500
    owner: ann
    controller: ci-7
    since: "2026-11-22T10:15:00.123Z"
current:
  description: The live release; none before the first deployment.
  returned: always
  type: str
  sample: 2026-11-20_090210
"""

from ansible_collections.dbops.recovery.plugins.module_utils._module import run_module
from ansible_collections.dbops.recovery.plugins.module_utils._release import actions


def main() -> None:
    run_module(
        actions.hold,
        {
            "root": {"type": "path", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "deployment": {"type": "str", "required": True},
            "release": {"type": "str"},
            "owner": {"type": "str", "default": "somebody"},
            "controller": {"type": "str", "default": ""},
            "force": {"type": "bool", "default": False},
            "note": {"type": "dict"},
        },
    )


if __name__ == "__main__":
    main()
