#!/usr/bin/python

# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: db_backup
short_description: Back up a MySQL or MariaDB database into an archive that is complete or not there
description:
  - Dumps one database with the server's own client program, in one snapshot and one pass, into a compressed archive
    with a manifest beside it.
  - The archive gets its name only after the client exited with 0, the dump's footer stood last, the objects in the
    dump were those of the database, and all bytes were on disk. Until then it is a C(.partial) file that the next run
    removes. No failure touches an earlier backup.
  - Views, triggers, routines, events and sequences are part of every backup.
  - The archive is plain SQL. Without this collection it is restored with C(zstd -dc FILE | mariadb DATABASE).
version_added: 0.1.0
author:
  - The dbops.recovery authors (@dbops)
extends_documentation_fragment:
  - dbops.recovery.connection
  - dbops.recovery.attributes
  - dbops.recovery.attributes.database_group
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details:
      - A backup is a new file; there is nothing before it to compare with.
  idempotent:
    support: partial
    details:
      - With O(max_age), a second run finds the backup of the first and takes none. Without it every run takes one.
options:
  database:
    description:
      - The name of the database.
    type: str
    required: true
  directory:
    description:
      - Where the backup is put, on the host where the module runs. It is created, open to its owner alone, when it is
        not there.
      - Servers that have databases of the same name need directories of their own, as V(latest) and retention go by
        the name of the database.
    type: path
    required: true
  compression:
    description:
      - How the archive is compressed. V(auto) is zstd where it is installed (the Python package C(zstandard) or the
        program C(zstd)), else gzip.
    type: str
    choices: [auto, zstd, gzip, none]
    default: auto
  compression_level:
    description:
      - The level of the compression, 1 to 19 for zstd and 1 to 9 for gzip. 3 without it.
    type: int
  max_age:
    description:
      - Take no backup when a complete one of this database, not older than this, is in the directory, such as V(4h)
        (units s, m, h, d, w). That one is returned then, with RV(ignore:changed) false.
      - One that the last verification found bad does not count, nor one that leaves out other tables than
        O(exclude_tables), nor, with O(pin), one that is not pinned, nor one of another server, which hosts that share
        a directory may have there.
    type: str
  labels:
    description:
      - Words of your own that are kept in the manifest, such as the release that the backup belongs to.
    type: dict
    default: {}
  pin:
    description:
      - Whether M(dbops.recovery.backup_prune) must leave this backup alone. The manifest says so.
    type: bool
    default: false
  exclude_tables:
    description:
      - Tables to leave out, with their triggers. The manifest says so.
    type: list
    elements: str
    default: []
  non_transactional:
    description:
      - What to do about tables whose engine has no transactions (MyISAM, Aria, MEMORY), since one snapshot does not
        hold their rows still.
      - V(fail) refuses the backup and names them. V(lock) holds read locks on all tables of the database during the
        backup, so that nothing is written meanwhile (needs the right C(LOCK TABLES)). V(accept) takes the backup all
        the same. The manifest names them in any case.
    type: str
    choices: [fail, lock, accept]
    default: fail
  retries:
    description:
      - How many times the dump is made again when the schema is altered meanwhile.
    type: int
    default: 2
seealso:
  - module: dbops.recovery.backup_verify
  - module: dbops.recovery.db_restore
"""

EXAMPLES = r"""
- name: Back up the shop
  dbops.recovery.db_backup:
    database: shop
    directory: /var/backups/databases
    login_user: backup
    login_password: "{{ vault_backup_password }}"
    login_unix_socket: /run/mysqld/mysqld.sock

- name: Back up the shop unless that was done within the last four hours
  dbops.recovery.db_backup:
    database: shop
    directory: /var/backups/databases
    max_age: 4h

- name: Keep a backup that belongs to a release, and say which
  dbops.recovery.db_backup:
    database: shop
    directory: /var/backups/databases
    pin: true
    labels:
      release: "2026.11.3"
  register: before_migration

- name: Say once for a play how the server is reached
  hosts: databases
  module_defaults:
    group/dbops.recovery.database:
      login_user: backup
      login_password: "{{ vault_backup_password }}"
  tasks:
    - name: Back up both databases
      dbops.recovery.db_backup:
        database: "{{ item }}"
        directory: /var/backups/databases
      loop: [shop, wiki]
"""

RETURN = r"""
backup:
  description: The backup that was taken, or found by O(max_age). In check mode, the one that would be taken.
  returned: success
  type: dict
  contains:
    name:
      description: Its name, of the database and the moment it was begun in UTC.
      type: str
      sample: shop_2026-11-22_101500
    path:
      description: The archive.
      type: str
      sample: /var/backups/databases/shop_2026-11-22_101500.sql.zst
    manifest_path:
      description: The manifest beside it.
      type: str
      sample: /var/backups/databases/shop_2026-11-22_101500.manifest.json
    database:
      description: The database.
      type: str
      sample: shop
    size_bytes:
      description: The size of the archive.
      type: int
      sample: 18273645
    sql_bytes:
      description: The size of the SQL in it.
      type: int
      sample: 192837465
    sha256:
      description: The checksum of the archive, as C(sha256sum) prints it.
      type: str
      sample: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
    compression:
      description: How it is compressed.
      type: str
      sample: zstd
    started:
      description: When it was begun, in UTC. The backup shows the database as of a moment just after.
      type: str
      sample: "2026-11-22T10:15:00Z"
    seconds:
      description: How long it took.
      type: float
      sample: 4.21
    pinned:
      description: Whether retention leaves it alone.
      type: bool
      sample: true
    labels:
      description: The words given with O(labels).
      type: dict
      sample: {"release": "2026.11.3"}
estimated_bytes:
  description: About how large the archive would become.
  returned: in check mode
  type: int
  sample: 20000000
swept:
  description: Files of interrupted earlier backups of this database that were removed.
  returned: when a backup was taken
  type: list
  elements: str
  sample: ["shop_2026-11-22_091500.sql.zst.partial"]
"""

from ansible_collections.dbops.recovery.plugins.module_utils._actions.backup import backup_database
from ansible_collections.dbops.recovery.plugins.module_utils._arguments import connection_options
from ansible_collections.dbops.recovery.plugins.module_utils._module import run_module


def main():
    """Run the module."""
    run_module(
        backup_database,
        {
            **connection_options(),
            "database": {"type": "str", "required": True},
            "directory": {"type": "path", "required": True},
            "compression": {"type": "str", "choices": ["auto", "zstd", "gzip", "none"], "default": "auto"},
            "compression_level": {"type": "int"},
            "max_age": {"type": "str"},
            "labels": {"type": "dict", "default": {}},
            "pin": {"type": "bool", "default": False},
            "exclude_tables": {"type": "list", "elements": "str", "default": []},
            "non_transactional": {"type": "str", "choices": ["fail", "lock", "accept"], "default": "fail"},
            "retries": {"type": "int", "default": 2},
        },
    )


if __name__ == "__main__":
    main()
