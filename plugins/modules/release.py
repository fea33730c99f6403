#!/usr/bin/python

# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: release
short_description: Make, put live or remove one release of an application
description:
  - Each release is a directory C(releases/NAME) below the application's root. C(current) is a symbolic link to the live
    one, switched in one atomic step.
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
    support: full
  idempotent:
    support: full
options:
  release:
    description:
      - The release's name.
    type: str
    required: true
  state:
    description:
      - V(staged) makes an empty directory for the release, in place of what a failed attempt left there. It refuses the
        live release and one that was deployed before and can be gone back to.
      - V(live) switches C(current) to the release. The change is on disk when the module returns.
      - V(absent) removes the release's directory. It refuses the live one.
    type: str
    choices: [staged, live, absent]
    default: live
  note:
    description:
      - An entry for the journal with the keys C(deployment), C(release), C(step) and C(result), and any others, as
        M(dbops.recovery.release_journal) writes it. It is on disk before anything else is done.
    type: dict
seealso:
  - module: dbops.recovery.release_info
  - module: dbops.recovery.release_shared
"""

EXAMPLES = r"""
- name: Make room for the release
  dbops.recovery.release:
    root: /srv/shop
    release: 2026-11-22_101500
    state: staged

- name: Put it live
  dbops.recovery.release:
    root: /srv/shop
    release: 2026-11-22_101500
"""

RETURN = r"""
release:
  description: The release.
  returned: success
  type: str
  sample: 2026-11-22_101500
path:
  description: Its directory.
  returned: success
  type: str
  sample: /srv/shop/releases/2026-11-22_101500
previous:
  description: The release that was live when the module began; none if there was none.
  returned: success
  type: str
  sample: 2026-11-20_090210
"""

from ansible_collections.dbops.recovery.plugins.module_utils._module import run_module
from ansible_collections.dbops.recovery.plugins.module_utils._release import actions


def main() -> None:
    run_module(
        actions.set_release,
        {
            "root": {"type": "path", "required": True},
            "release": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["staged", "live", "absent"], "default": "live"},
            "note": {"type": "dict"},
        },
    )


if __name__ == "__main__":
    main()
