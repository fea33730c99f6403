#!/usr/bin/python

# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: restore_test_report
short_description: Keep the record of restore tests, and show it
description:
  - Takes what M(dbops.recovery.backup_download) and M(dbops.recovery.backup_verify) or M(dbops.recovery.db_restore)
    returned in a restore test, and makes a record of it - how long each phase took, how old the backup was, every
    check, whether the targets were met, what changed since the test before.
  - Keeps the record in a directory and in stores, writes it as evidence into the backup's manifest in its store, and
    writes a page for a browser and a summary in Markdown, with the last 24 tests of each database.
  - The role P(dbops.recovery.restore_test#role) calls it. It does not fail when a test has failed; RV(passed) says so.
version_added: 0.1.0
author:
  - The dbops.recovery authors (@dbops)
extends_documentation_fragment:
  - dbops.recovery.stores
  - dbops.recovery.attributes
attributes:
  check_mode:
    support: full
    details:
      - In check mode the records are made and returned, and nothing is written.
  diff_mode:
    support: none
    details:
      - Every run writes a new record.
  idempotent:
    support: none
    details:
      - Every run writes a new record.
options:
  tests:
    description:
      - The tests, in the order in which they were made.
    type: list
    elements: dict
    required: true
    suboptions:
      database:
        description:
          - The database.
        type: str
        required: true
      started:
        description:
          - When the test began, in UTC, such as V(2026-11-25T03:00:00Z).
        type: str
        required: true
      source:
        description:
          - The URL of the store that the backup came from.
        type: str
        required: true
      newest:
        description:
          - Whether the backup was the newest one, so that its age says how much a disaster would have cost.
        type: bool
        default: true
      target:
        description:
          - Whether it was restored into a scratch server or a staging database.
        type: str
        choices: [scratch, staging]
        default: scratch
      target_name:
        description:
          - The same in words.
        type: str
        default: a scratch server
      downloaded:
        description:
          - What M(dbops.recovery.backup_download) returned.
        type: dict
      proved:
        description:
          - What M(dbops.recovery.backup_verify) or M(dbops.recovery.db_restore) returned.
        type: dict
      failure:
        description:
          - Where the test ended before its end, C(phase) and C(message).
        type: dict
  directory:
    description:
      - Where the records, C(index.html) and C(summary.md) go. Made, private to its owner, when it is not there.
    type: path
    required: true
  stores:
    description:
      - The stores that keep the records too, each with the options that M(dbops.recovery.backup_download) has for one.
        The history is read from all of them, so that it outlives the host.
  rto_target:
    description:
      - How long a restore may take, from choosing the backup to the proved copy, such as V(4h).
    type: str
  rpo_target:
    description:
      - How old the newest backup that can be restored may be, such as V(26h).
    type: str
seealso:
  - module: dbops.recovery.backup_download
  - module: dbops.recovery.backup_verify
"""

EXAMPLES = r"""
- name: Fetch the newest backup
  dbops.recovery.backup_download:
    store: s3://example-backups/production
    database: shop
    directory: /var/tmp/restore-test
  register: fetched

- name: Prove it
  dbops.recovery.backup_verify:
    backup: "{{ fetched.backup.path }}"
    level: restore
    record: false
  register: proved

- name: Keep the record
  dbops.recovery.restore_test_report:
    directory: /var/lib/restore-tests
    rto_target: 4h
    rpo_target: 26h
    stores:
      - store: s3://example-backups/production
    tests:
      - database: shop
        started: "{{ now(utc=true).strftime('%Y-%m-%dT%H:%M:%SZ') }}"
        source: "{{ fetched.store }}"
        downloaded: "{{ fetched }}"
        proved: "{{ proved }}"
"""

RETURN = r"""
passed:
  description: Whether every backup could be restored, no target was missed, and every record was kept.
  returned: success
  type: bool
  sample: true
problems:
  description: What keeps it from having passed, in words.
  returned: success
  type: list
  elements: str
  sample: ["shop: its newest backup was 3d 2h old, the target is 1d 2h"]
tests:
  description: The records, as they are kept. The page docs/restore-test.md says what each key means.
  returned: success
  type: list
  elements: dict
  sample: [{"name": "shop_2026-11-25_030000", "passed": true, "rto": {"seconds": 324.0, "target_seconds": 14400}}]
lines:
  description: The records in a few lines for a person.
  returned: success
  type: list
  elements: str
  sample: ["shop can be restored: shop_2026-11-25_013000 (17.4 MiB) from s3://example-backups/production in 5m 24s"]
page:
  description: The page for a browser.
  returned: success
  type: str
  sample: /var/lib/restore-tests/index.html
summary:
  description: The summary in Markdown.
  returned: success
  type: str
  sample: /var/lib/restore-tests/summary.md
markdown:
  description: What is in it, for a ticket.
  returned: success
  type: str
  sample: "# Restore test: passed"
"""

from ansible_collections.dbops.recovery.plugins.module_utils._actions.restore_test import report_restore_tests
from ansible_collections.dbops.recovery.plugins.module_utils._arguments import store_list
from ansible_collections.dbops.recovery.plugins.module_utils._module import run_module


def main():
    """Run the module."""
    run_module(
        report_restore_tests,
        {
            "tests": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "options": {
                    "database": {"type": "str", "required": True},
                    "started": {"type": "str", "required": True},
                    "source": {"type": "str", "required": True},
                    "newest": {"type": "bool", "default": True},
                    "target": {"type": "str", "choices": ["scratch", "staging"], "default": "scratch"},
                    "target_name": {"type": "str", "default": "a scratch server"},
                    "downloaded": {"type": "dict"},
                    "proved": {"type": "dict"},
                    "failure": {"type": "dict"},
                },
            },
            "directory": {"type": "path", "required": True},
            "stores": store_list(),
            "rto_target": {"type": "str"},
            "rpo_target": {"type": "str"},
        },
        # The tests hold what other modules returned, which need not be in the host's system log.
        no_log=True,
    )


if __name__ == "__main__":
    main()
