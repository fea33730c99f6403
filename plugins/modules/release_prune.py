#!/usr/bin/python

# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: release_prune
short_description: Remove the releases of an application that are not needed any more
description:
  - Keeps the live release, the one that a rollback would go to, and the newest good ones up to O(keep).
  - Removes older good ones, and those that were rolled back or whose deployment came to no end.
  - Leaves alone what the journal does not know. Which one is newer is read from the journal, never from the time of a
    file.
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
  keep:
    description:
      - How many good releases to keep, the live one among them.
    type: int
    default: 5
seealso:
  - module: dbops.recovery.release_info
  - module: dbops.recovery.backup_pin
"""

EXAMPLES = r"""
- name: Keep the live release and the two before it
  dbops.recovery.release_prune:
    root: /srv/shop
    keep: 3
"""

RETURN = r"""
removed:
  description: The releases that were removed, or would be in check mode, oldest first.
  returned: success
  type: list
  elements: str
  sample: [2026-10-02_141100]
kept:
  description: The releases that stay.
  returned: success
  type: list
  elements: str
  sample: [2026-11-19_170344, 2026-11-20_090210, 2026-11-22_101500]
freed_backups:
  description:
    - The names of the backups that the journal names for the removed releases, and that no way back to one of those
      that stay needs. M(dbops.recovery.backup_pin) takes their pins off.
  returned: success
  type: list
  elements: str
  sample: [shop_2026-10-02_141102]
"""

from ansible_collections.dbops.recovery.plugins.module_utils._module import run_module
from ansible_collections.dbops.recovery.plugins.module_utils._release import actions


def main() -> None:
    run_module(
        actions.prune,
        {
            "root": {"type": "path", "required": True},
            "keep": {"type": "int", "default": 5},
        },
    )


if __name__ == "__main__":
    main()
