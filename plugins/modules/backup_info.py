#!/usr/bin/python

# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_info
short_description: List the backups of a directory and of off-site stores
description:
  - Returns every backup of a directory and of stores, newest first, with its age, size, last verification, pin, labels
    and the places that have a copy of it.
  - Says which backups, restores, verifications, uploads and downloads are under way on this host, and how far they are.
  - Damaged backups, dumps without a manifest and what an interrupted backup left are listed too, with what is wrong.
  - Reads manifests and sizes only, so it is quick. To read the archives themselves use M(dbops.recovery.backup_verify).
version_added: 0.1.0
author:
  - The dbops.recovery authors (@dbops)
extends_documentation_fragment:
  - dbops.recovery.stores
  - dbops.recovery.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details:
      - It changes nothing.
  idempotent:
    support: full
options:
  directory:
    description:
      - The directory. This or a store in O(stores) must be given.
    type: path
  database:
    description:
      - List only the backups of this database, as their manifests name it, and the work on it.
    type: str
seealso:
  - module: dbops.recovery.db_backup
  - module: dbops.recovery.backup_verify
"""

EXAMPLES = r"""
- name: List the backups
  dbops.recovery.backup_info:
    directory: /var/backups/databases
  register: catalog

- name: Fail when no backup of the shop from the last day was proved by a restore
  ansible.builtin.assert:
    that: proved | length > 0
    fail_msg: No backup of the shop from the last day is proved.
  vars:
    proved: >-
      {{ catalog.backups | selectattr('database', 'equalto', 'shop') | selectattr('age_seconds', 'lessthan', 86400)
         | selectattr('verified') | selectattr('verified.level', 'equalto', 'restore')
         | selectattr('verified.verified') }}
"""

RETURN = r"""
backups:
  description: The backups, newest first.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      type: str
      sample: shop_2026-11-22_101500
    path:
      description:
        - The archive; of a damaged manifest, the manifest. Of several copies, the first, as in RV(backups[].copies).
      type: str
      sample: /var/backups/databases/shop_2026-11-22_101500.sql.zst
    database:
      description: The database, null where no manifest says so.
      type: str
      sample: shop
    copies:
      description: The directory and the URLs of the stores that have it.
      type: list
      elements: str
      sample: [/var/backups/databases, s3://example-backups/production]
    state:
      description:
        - C(complete), C(damaged), C(foreign) (a dump without a manifest) or C(partial) (being made, or interrupted).
      type: str
      sample: complete
    problem:
      description: What is wrong with it, null for a complete one.
      type: str
      sample: null
    started:
      description: When it was begun, in UTC; without a manifest, when the file was last changed.
      type: str
      sample: "2026-11-22T10:15:00Z"
    age_seconds:
      description: How long ago that was.
      type: int
      sample: 5400
    manifest_path:
      description: The manifest. Only where it can be read, as the next four.
      type: str
      sample: /var/backups/databases/shop_2026-11-22_101500.manifest.json
    sql_bytes:
      description: The size of the SQL in it.
      type: int
      sample: 192837465
    sha256:
      description: The checksum of the archive that the manifest has.
      type: str
      sample: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
    compression:
      description: How it is compressed.
      type: str
      sample: zstd
    seconds:
      description: How long it took to make.
      type: float
      sample: 4.21
    size_bytes:
      description: The size of the archive.
      type: int
      sample: 18273645
    pinned:
      description: Whether retention leaves it alone.
      type: bool
      sample: false
    labels:
      description: The words given with it.
      type: dict
      sample: {"release": "2026.11.3"}
    verified:
      description: When, where, up to which level and with which result it was verified last; null if it never was.
      type: dict
      sample: {"time": "2026-11-22T10:20:00Z", "host": "db1", "level": "restore", "verified": true}
running:
  description:
    - What modules of this collection are doing now on the host where this one runs, the oldest first. It is the work of
      the user who looks; root sees that of all users.
  returned: success
  type: list
  elements: dict
  contains:
    action:
      description: The module that is at work.
      type: str
      sample: db_restore
    database:
      description: The database that it is about.
      type: str
      sample: shop
    phase:
      description: What is being done. Bytes, percent, rate and time left are those of this phase.
      type: str
      sample: loading rows, building keys
    percent:
      description: How much of it is done, null where that is not known.
      type: int
      sample: 45
    estimated:
      description: Whether the bytes that are expected are an estimate, as with a backup; then percent stays below 100.
      type: bool
      sample: false
    done_bytes:
      description: The bytes that are done.
      type: int
      sample: 86774374
    expected_bytes:
      description: The bytes that there are to do, null where that is not known.
      type: int
      sample: 192837465
    bytes_per_second:
      description: The rate of the last half minute.
      type: int
      sample: 25270681
    seconds_left:
      description: How long it goes on at that rate, null where that is not known.
      type: int
      sample: 4
    seconds:
      description: For how long the module has been at work.
      type: int
      sample: 21
    started:
      description: Since when it has been, in UTC.
      type: str
      sample: "2026-11-22T10:15:00Z"
    host:
      description: The host.
      type: str
      sample: db1
    user:
      description: The user that it runs as.
      type: str
      sample: backup
    pid:
      description: The number of its process. C(kill) ends it in order; what it has begun is taken back.
      type: int
      sample: 4711
"""

from ansible_collections.dbops.recovery.plugins.module_utils._actions.info import list_backups
from ansible_collections.dbops.recovery.plugins.module_utils._arguments import store_list
from ansible_collections.dbops.recovery.plugins.module_utils._module import run_module


def main():
    """Run the module."""
    run_module(
        list_backups,
        {
            "directory": {"type": "path"},
            "stores": store_list(),
            "database": {"type": "str"},
        },
    )


if __name__ == "__main__":
    main()
