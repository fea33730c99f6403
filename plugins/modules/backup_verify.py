#!/usr/bin/python

# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_verify
short_description: Prove that a backup is whole, holds what its manifest says, and can be restored
description:
  - Looks at a backup in rungs, cheapest first, and reports every check with the words of what was found.
  - The last rung restores it into a scratch server, a private one that is started for that and removed afterwards, and
    holds what arrives against the manifest - the definition of every object, the rows of every table, and the bytes
    that the copy dumps back to.
  - Works on any host that has the file; also on dumps made by other means (C(.sql), C(.sql.gz), C(.sql.zst) without a
    manifest), and says what could not be checked of those.
  - The result is written into the manifest as evidence, also when it is a bad one.
version_added: 0.1.0
author:
  - The dbops.recovery authors (@dbops)
extends_documentation_fragment:
  - dbops.recovery.limits
  - dbops.recovery.attributes
attributes:
  check_mode:
    support: full
    details:
      - In check mode the same checks are made, and no evidence is written.
  diff_mode:
    support: none
    details:
      - It adds an entry to the manifest and changes nothing else.
  idempotent:
    support: partial
    details:
      - Every run adds its evidence to the manifest. With O(record=false) it changes nothing.
options:
  backup:
    description:
      - The name of a backup, the absolute path of an archive, or V(latest).
      - What M(dbops.recovery.db_restore) kept for safety is never the V(latest).
    type: str
    required: true
  directory:
    description:
      - Where to look for a name or for V(latest).
    type: path
  database:
    description:
      - With O(backup=latest), of this database. Needed then where the directory has backups of several.
      - With O(level=restore) and a dump without a manifest, the name that it is restored under.
    type: str
  level:
    description:
      - V(file) reads the file to its end - size, age, checksums of what is stored and of what it holds, compression.
      - V(content) also reads the SQL - one header and the footer last, the checksum of every section, every object of
        the manifest, and its size against the median of the ten backups before it.
      - V(restore) also restores it into a scratch server and compares - no warning while loading, every definition,
        every row count, the same bytes when it is dumped back, C(CHECK TABLE), and your own O(queries). Needs the
        server program of the backup's flavour on the host where the module runs, and room for the data.
    type: str
    choices: [file, content, restore]
    default: content
  queries:
    description:
      - With O(level=restore), SQL of your own that is asked of the restored copy.
    type: list
    elements: dict
    default: []
    suboptions:
      sql:
        description:
          - One statement.
        type: str
        required: true
      name:
        description:
          - What it is called in the result. Without it, the statement.
        type: str
      rows:
        description:
          - The rows that must come, in this order; values are compared as text.
        type: list
        elements: list
      min:
        description:
          - The least number that the one value of the one row may be.
        type: float
      max:
        description:
          - The greatest number that the one value of the one row may be.
        type: float
  scratch_directory:
    description:
      - With O(level=restore), where the scratch server's folder is made. Without it C(/var/tmp).
    type: path
  record:
    description:
      - Whether the result is written into the manifest.
    type: bool
    default: true
seealso:
  - module: dbops.recovery.db_backup
  - module: dbops.recovery.db_restore
"""

EXAMPLES = r"""
- name: Check last night's backup of the shop
  dbops.recovery.backup_verify:
    backup: latest
    database: shop
    directory: /var/backups/databases
    min_size: 10M
    max_age: 26h

- name: Prove that it can be restored
  dbops.recovery.backup_verify:
    backup: latest
    database: shop
    directory: /var/backups/databases
    level: restore
    queries:
      - name: there are customers
        sql: SELECT COUNT(*) FROM customer
        min: 1000
      - name: yesterday's orders are in it
        sql: SELECT COUNT(*) > 0 FROM orders WHERE placed >= CURRENT_DATE - INTERVAL 1 DAY
        rows: [[1]]

- name: Check a dump that somebody made by hand
  dbops.recovery.backup_verify:
    backup: /root/shop-before-surgery.sql.gz
"""

RETURN = r"""
verified:
  description: Whether no check of severity C(error) failed. Where one did, the task fails, and this is returned too.
  returned: when the checks were made
  type: bool
  sample: true
level:
  description: The rung that was reached for.
  returned: when the checks were made
  type: str
  sample: content
checks:
  description: Every check that was made.
  returned: when the checks were made
  type: list
  elements: dict
  contains:
    name:
      description: What was asked.
      type: str
      sample: stored_sha256
    passed:
      description: The answer.
      type: bool
      sample: true
    severity:
      description:
        - What a C(false) means. C(error) makes the backup a bad one, C(warning) does not, C(info) is what could not be
          asked.
      type: str
      sample: error
    detail:
      description: What was found.
      type: str
      sample: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
    seconds:
      description: How long it took, where it took anything.
      type: float
      sample: 1.42
seconds:
  description: How long it took.
  returned: when the checks were made
  type: float
  sample: 41.7
backup:
  description: The backup, as M(dbops.recovery.db_backup) returns it; of a foreign dump its name, path and size.
  returned: when the checks were made
  type: dict
  sample: {"name": "shop_2026-11-22_101500", "path": "/var/backups/databases/shop_2026-11-22_101500.sql.zst"}
"""

from ansible_collections.dbops.recovery.plugins.module_utils._actions.verify import verify_backup
from ansible_collections.dbops.recovery.plugins.module_utils._arguments import limit_options
from ansible_collections.dbops.recovery.plugins.module_utils._module import run_module


def main():
    """Run the module."""
    run_module(
        verify_backup,
        {
            **limit_options(),
            "backup": {"type": "str", "required": True},
            "directory": {"type": "path"},
            "database": {"type": "str"},
            "level": {"type": "str", "choices": ["file", "content", "restore"], "default": "content"},
            "queries": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "sql": {"type": "str", "required": True},
                    "name": {"type": "str"},
                    "rows": {"type": "list", "elements": "list"},
                    "min": {"type": "float"},
                    "max": {"type": "float"},
                },
            },
            "scratch_directory": {"type": "path"},
            "record": {"type": "bool", "default": True},
        },
    )


if __name__ == "__main__":
    main()
