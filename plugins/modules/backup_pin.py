#!/usr/bin/python

# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_pin
short_description: Have retention leave backups alone, or let it have them again
description:
  - Notes in the manifests of backups in a directory that they are pinned, or that they are not.
    M(dbops.recovery.backup_prune) leaves a pinned backup alone, whatever its rules say.
  - The backup before a deployment and the safety backup of a restore are pinned when they are taken. The role
    P(dbops.recovery.deploy#role) takes the pin off again when the releases are removed that needed the backup.
  - Copies in off-site stores have it with the next M(dbops.recovery.backup_upload).
version_added: 0.1.0
author:
  - The dbops.recovery authors (@dbops)
extends_documentation_fragment:
  - dbops.recovery.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  directory:
    description:
      - The directory.
    type: path
    required: true
  backup:
    description:
      - The names of the backups. One that is not there cannot be pinned; to take the pin off it is nothing to do.
    type: list
    elements: str
    required: true
  pinned:
    description:
      - Whether they are pinned.
    type: bool
    default: true
seealso:
  - module: dbops.recovery.backup_prune
  - module: dbops.recovery.backup_info
"""

EXAMPLES = r"""
- name: Keep the last backup before the move
  dbops.recovery.backup_pin:
    directory: /var/backups/shop
    backup: [shop_2026-11-22_101500]

- name: Let retention have a safety backup that nobody needs any more
  dbops.recovery.backup_pin:
    directory: /var/backups/shop
    backup: [shop_2026-11-20_031200]
    pinned: false
"""

RETURN = r"""
backups:
  description: The names of the backups whose pin was changed, or would be in check mode.
  returned: success
  type: list
  elements: str
  sample: [shop_2026-11-22_101500]
missing:
  description: The names that are not in the directory.
  returned: success
  type: list
  elements: str
  sample: []
"""

from ansible_collections.dbops.recovery.plugins.module_utils._actions.pin import pin_backups
from ansible_collections.dbops.recovery.plugins.module_utils._module import run_module


def main():
    """Run the module."""
    run_module(
        pin_backups,
        {
            "directory": {"type": "path", "required": True},
            "backup": {"type": "list", "elements": "str", "required": True},
            "pinned": {"type": "bool", "default": True},
        },
    )


if __name__ == "__main__":
    main()
