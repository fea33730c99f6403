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
  - dbops.recovery.queries
  - dbops.recovery.attributes
attributes:
  check_mode:
    support: full
    details:
      - In check mode the same checks are made but for O(commands), and no evidence is written.
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
      - With O(level=restore), SQL of your own that is asked of the restored copy, and what must come back.
  commands:
    description:
      - With O(level=restore), commands of your own that are run while the scratch server holds the restored copy, such
        as a smoke test of the application. One that fails makes the backup a bad one.
      - They run on the managed host as the user that this module runs as, and reach the copy by its socket, as the
        account C(root) without a password. C(DBOPS_SOCKET), C(DBOPS_DATABASE) and C(DBOPS_USER) are in their
        environment, and C(MYSQL_UNIX_PORT), which the client programs read by themselves.
    type: list
    elements: dict
    default: []
    suboptions:
      command:
        description:
          - The command. It is split into words as a shell would, but no shell runs it.
        type: str
        required: true
      name:
        description:
          - What it is called in the result. Without it, the command.
        type: str
      chdir:
        description:
          - Where it runs. Without it C(/).
        type: path
      environment:
        description:
          - Variables of its environment. V({socket}), V({database}) and V({user}) in a value stand for how to reach
            the copy. Values of variables whose names sound secret are masked in what it prints.
        type: dict
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
    commands:
      - name: the application can work with it
        command: php artisan shop:smoke-test
        chdir: /srv/shop/current
        environment: {DB_SOCKET: "{socket}", DB_DATABASE: "{database}", DB_USERNAME: "{user}", DB_PASSWORD: ""}

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
phases:
  description:
    - What the time went to, in order. C(check) reads the file, C(server) starts a scratch server, C(load) restores into
      it as by hand, rows and indexes together, C(verify) compares; the last three only with O(level=restore).
  returned: when the checks were made
  type: list
  elements: dict
  contains:
    name:
      description: The phase.
      type: str
      sample: load
    seconds:
      description: How long it took.
      type: float
      sample: 31.2
    bytes:
      description: What went through it, null where that has no meaning.
      type: int
      sample: 192837465
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
from ansible_collections.dbops.recovery.plugins.module_utils._arguments import limit_options, query_options
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
            "queries": query_options(),
            "commands": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "command": {"type": "str", "required": True},
                    "name": {"type": "str"},
                    "chdir": {"type": "path"},
                    "environment": {"type": "dict"},
                },
            },
            "scratch_directory": {"type": "path"},
            "record": {"type": "bool", "default": True},
        },
        # Keeps the environment of the commands out of the host's system log.
        no_log=True,
    )


if __name__ == "__main__":
    main()
