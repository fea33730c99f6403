#!/usr/bin/python

# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_upload
short_description: Bring backups to an off-site store
description:
  - Uploads one backup, or all that are not there yet, from a directory of the managed host to a store.
  - A backup is verified before it goes. The archive goes first, then its manifest, so that a manifest in the store
    means a whole pair. What arrived is looked at again afterwards.
  - What is there already, and the same, is not sent again. Another file under the same name is an error and is never
    overwritten; so is the manifest of another backup, which has the same name whatever its archive's suffix. An upload
    that was interrupted is finished by the next run, and parts of it that a service still keeps after a day are
    removed.
  - Evidence from verifications since then is added to the manifest in the store; what was proved there stays.
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
      - The result names what was, or would be, sent.
  idempotent:
    support: full
options:
  store:
    required: true
  backup:
    description:
      - V(latest), V(all), a name, or the absolute path of an archive.
    type: str
    default: latest
  directory:
    description:
      - Where the backups are. Not needed with a path.
    type: path
  database:
    description:
      - Narrows V(latest) and V(all) to this database. V(latest) needs it where the directory has several.
    type: str
  max_age:
    description:
      - With O(backup=all), only what is younger than this, such as V(7d). Set it not higher than what retention keeps
        in the store, or what was pruned there comes back.
    type: str
  verify:
    description:
      - How far a backup is verified before it is sent, as by M(dbops.recovery.backup_verify). With V(none) a damaged
        file is sent as it is.
    type: str
    choices: [none, file, content]
    default: file
  read_back:
    description:
      - Whether an archive is downloaded again after it was sent, and its SHA-256 compared, before its manifest is
        written; also one that was sent by a run that did not come so far. Services may bill that.
      - What comes back wrong is deleted in the store. Where that refuses, it stays without a manifest.
    type: bool
    default: false
  threads:
    description:
      - How many parts of an archive are sent at once.
    type: int
    default: 4
  part_size:
    description:
      - The size of a part, at least 5M; larger by itself where a file would have too many parts.
    type: str
    default: 16M
  bandwidth:
    description:
      - How many bytes per second are sent at most, such as V(10M).
    type: str
  storage_class:
    description:
      - The storage class, by the service's name for it, such as V(STANDARD_IA).
    type: str
  encryption:
    description:
      - How the service encrypts what it stores, where that is not its default.
    type: str
    choices: [AES256, 'aws:kms']
  kms_key_id:
    description:
      - The key of KMS, with O(encryption=aws:kms).
    type: str
  object_lock_mode:
    description:
      - Lock what is sent against deletion, in a bucket that was made with Object Lock. V(compliance) cannot be lifted
        by anybody.
    type: str
    choices: [governance, compliance]
  object_lock_days:
    description:
      - For how many days.
    type: int
  metadata:
    description:
      - Further metadata of the archives, for people and other programs.
    type: dict
seealso:
  - module: dbops.recovery.backup_verify
  - module: dbops.recovery.backup_download
  - module: dbops.recovery.backup_prune
"""

EXAMPLES = r"""
- name: Bring the latest backup of the shop to Backblaze B2
  dbops.recovery.backup_upload:
    store: s3://example-backups/production
    provider: backblaze
    region: us-west-004
    access_key: "{{ vault_b2_key_id }}"
    secret_key: "{{ vault_b2_application_key }}"
    directory: /var/backups/databases
    database: shop

- name: Send what is not there yet, at night's pace, locked for a month
  dbops.recovery.backup_upload:
    store: s3://example-backups
    directory: /var/backups/databases
    backup: all
    max_age: 7d
    bandwidth: 20M
    object_lock_mode: compliance
    object_lock_days: 30
"""

RETURN = r"""
store:
  description: The store's URL.
  returned: success
  type: str
  sample: s3://example-backups/production
backups:
  description: What became of each backup, newest first; in check mode, what would.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      type: str
      sample: shop_2026-11-22_101500
    database:
      description: The database.
      type: str
      sample: shop
    url:
      description: Where its archive is in the store.
      type: str
      sample: s3://example-backups/production/shop_2026-11-22_101500.sql.zst
    state:
      description:
        - C(uploaded), C(finished) (the archive was there, the manifest not), C(updated) (evidence was added to the
          manifest) or C(present) (all of it was there).
      type: str
      sample: uploaded
    size_bytes:
      description: The size of the archive.
      type: int
      sample: 18273645
    sha256:
      description: Its checksum.
      type: str
      sample: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
    seconds:
      description: How long it took, with verification.
      type: float
      sample: 3.214
    megabytes_per_second:
      description: How many million bytes went each second; null when nothing was sent.
      type: float
      sample: 5.7
uploaded_bytes:
  description: The size of the archives that were sent.
  returned: success
  type: int
  sample: 18273645
swept:
  description: What interrupted uploads had left and was removed.
  returned: success
  type: list
  elements: str
  sample: ["parts of shop_2026-11-20_020000.sql.zst, begun 2026-11-20T02:01:10Z"]
seconds:
  description: How long all of it took.
  returned: success
  type: float
  sample: 3.402
"""

from ansible_collections.dbops.recovery.plugins.module_utils._actions.upload import upload_backups
from ansible_collections.dbops.recovery.plugins.module_utils._arguments import sending_options, store_options
from ansible_collections.dbops.recovery.plugins.module_utils._module import run_module


def main():
    """Run the module."""
    run_module(
        upload_backups,
        {
            **store_options(),
            **sending_options(),
            "backup": {"type": "str", "default": "latest"},
            "directory": {"type": "path"},
            "database": {"type": "str"},
            "max_age": {"type": "str"},
            "verify": {"type": "str", "choices": ["none", "file", "content"], "default": "file"},
            "read_back": {"type": "bool", "default": False},
        },
        required_together=[("object_lock_mode", "object_lock_days"), ("access_key", "secret_key")],
    )


if __name__ == "__main__":
    main()
