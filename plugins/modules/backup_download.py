#!/usr/bin/python

# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_download
short_description: Bring a backup back from an off-site store
description:
  - Downloads one backup from a store into a directory of the managed host, where M(dbops.recovery.db_restore) and
    M(dbops.recovery.backup_verify) take it like one that was made there.
  - The archive gets its name only when all of it is there and has the checksum that its manifest says.
  - An archive that is there already is compared with that checksum, too. Another file under its name, or the manifest
    of another backup, is an error and is never overwritten.
  - A connection that is lost is taken up again where it broke. What an interrupted run left is gone on with.
version_added: 0.1.0
author:
  - The dbops.recovery authors (@dbops)
extends_documentation_fragment:
  - dbops.recovery.attributes
  - dbops.recovery.store
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details:
      - The result names what was, or would be, downloaded.
  idempotent:
    support: partial
    details:
      - With O(backup=random) every run may choose another one.
options:
  store:
    required: true
  backup:
    description:
      - V(latest), V(latest_verified) (the newest one whose last verification, at level content or restore, it passed),
        V(random) (any but the newest, so that old ones are tried as well), or a name.
    type: str
    default: latest
  database:
    description:
      - Narrows V(latest), V(latest_verified) and V(random). Needed for them where the store has backups of several
        databases.
    type: str
  before:
    description:
      - With V(latest), V(latest_verified) and V(random), only what was begun before this date or moment counts, such as
        V(2026-11-22) or V(2026-11-22T10:15:00Z).
    type: str
  directory:
    description:
      - Where it goes. Made, private to its owner, when it is not there.
    type: path
    required: true
seealso:
  - module: dbops.recovery.backup_upload
  - module: dbops.recovery.db_restore
"""

EXAMPLES = r"""
- name: Fetch the newest backup of the shop that was verified
  dbops.recovery.backup_download:
    store: s3://example-backups/production
    database: shop
    backup: latest_verified
    directory: /var/backups/databases
  register: fetched

- name: Prove it by a restore
  dbops.recovery.backup_verify:
    backup: "{{ fetched.backup.path }}"
    level: restore
"""

RETURN = r"""
store:
  description: The store's URL.
  returned: success
  type: str
  sample: s3://example-backups/production
url:
  description: Where the archive is in the store.
  returned: success
  type: str
  sample: s3://example-backups/production/shop_2026-11-22_101500.sql.zst
backup:
  description: The backup, as it is in the directory now, or in check mode would be.
  returned: success
  type: dict
  contains:
    name:
      description: Its name.
      type: str
      sample: shop_2026-11-22_101500
    path:
      description: The archive.
      type: str
      sample: /var/backups/databases/shop_2026-11-22_101500.sql.zst
    manifest_path:
      description: Its manifest.
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
      description: The checksum of the archive.
      type: str
      sample: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
    compression:
      description: How it is compressed.
      type: str
      sample: zstd
    started:
      description: When it was begun, in UTC.
      type: str
      sample: "2026-11-22T10:15:00Z"
    seconds:
      description: How long it took to make.
      type: float
      sample: 4.21
    pinned:
      description: Whether retention leaves it alone.
      type: bool
      sample: false
    labels:
      description: The words given with it.
      type: dict
      sample: {"release": "2026.11.3"}
resumed_at:
  description: How many bytes an interrupted run had left, which were not downloaded again.
  returned: success
  type: int
  sample: 0
damaged:
  description: The backup whose copy in the store is not what its manifest says. Nothing was kept of it.
  returned: when that is why the task failed
  type: str
  sample: shop_2026-11-22_101500
phases:
  description: What the time went to, in order, C(find) and C(download).
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The phase.
      type: str
      sample: download
    seconds:
      description: How long it took.
      type: float
      sample: 1.9
    bytes:
      description: What went through it, null where that has no meaning.
      type: int
      sample: 18273645
seconds:
  description: How long it took.
  returned: success
  type: float
  sample: 2.118
"""

from ansible_collections.dbops.recovery.plugins.module_utils._actions.download import download_backup
from ansible_collections.dbops.recovery.plugins.module_utils._arguments import store_options
from ansible_collections.dbops.recovery.plugins.module_utils._module import run_module


def main():
    """Run the module."""
    run_module(
        download_backup,
        {
            **store_options(),
            "backup": {"type": "str", "default": "latest"},
            "database": {"type": "str"},
            "before": {"type": "str"},
            "directory": {"type": "path", "required": True},
        },
        required_together=[("access_key", "secret_key")],
    )


if __name__ == "__main__":
    main()
