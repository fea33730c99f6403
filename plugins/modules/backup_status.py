#!/usr/bin/python

# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_status
short_description: Say how the backups of all databases stand, against limits, for people and for monitoring
description:
  - Looks at the backups of a directory and of stores and returns, for each database, the newest one, the newest
    verified, the newest off-site, the last restore test, what is pinned, and what is deleted next in each place.
  - Holds them against limits. What is wrong does not fail the module; RV(state) and RV(problems) say it. A place that
    cannot be read is a problem, and the others are reported all the same.
  - Can write the same as metrics for Prometheus, and as the line of a Nagios plugin.
  - Reads manifests and sizes only. To read the archives themselves use M(dbops.recovery.backup_verify).
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
      - Looks and tells as ever, and writes no file.
  diff_mode:
    support: none
  idempotent:
    support: partial
    details:
      - It changes nothing but O(metrics_path) and O(nagios_path). As they tell of the moment, they are written each
        time.
options:
  directory:
    description:
      - The backup directory. This or a store in O(stores) must be given.
    type: path
  databases:
    description:
      - Databases that must have backups, and with O(max_offsite_age) in every store that is off-site. Those whose
        backups are found are looked at in any case.
    type: list
    elements: str
    default: []
  ignore_databases:
    description:
      - Databases that are not looked at, such as one that is no more, whose last backup is still kept.
    type: list
    elements: str
    default: []
  max_age:
    description:
      - How old the newest complete backup of each database may be, such as V(26h). Critical when it is older.
    type: str
  max_unverified_age:
    description:
      - How old the newest verified backup may be, verified at the level V(content) or V(restore). Critical when it is
        older.
    type: str
  max_offsite_age:
    description:
      - How old the newest backup in a store that is off-site may be. Critical when it is older. Without such a store
        it is not looked at.
      - Where there are several such stores, and not all of them are behind, a warning for each that is. One without any
        backup of a database is behind when the database is among O(databases), and else not expected to have it.
    type: str
  max_restore_test_age:
    description:
      - How long ago the last restore test may be, such as V(35d). A warning when it is longer. A restore test that
        failed is critical, whatever this says.
    type: str
  retention:
    description:
      - What M(dbops.recovery.backup_prune) keeps in the stores, by its options, to say what is deleted next. Without it
        nothing is said of that.
    type: dict
    suboptions: &policy
      keep_daily_days:
        description:
          - Every backup of the last so many calendar days.
        type: int
        default: 30
      keep_weekly:
        description:
          - One backup in each of the last so many ISO weeks that have one.
        type: int
        default: 12
      keep_monthly:
        description:
          - One backup in each of the last so many months that have one.
        type: int
        default: 12
      keep_last:
        description:
          - The newest so many.
        type: int
        default: 0
      keep_within:
        description:
          - What is younger than this, such as V(36h).
        type: str
      weekly_on:
        description:
          - The day of the week whose backup stands for the week.
        type: str
        choices: [monday, tuesday, wednesday, thursday, friday, saturday, sunday]
        default: sunday
      monthly_on:
        description:
          - The day of the month whose backup stands for the month.
        type: int
        default: 1
      timezone:
        description:
          - The time zone whose calendar counts, such as V(Europe/Berlin).
        type: str
        default: UTC
      max_total_size:
        description:
          - The size of all the backups together.
        type: str
      min_age:
        description:
          - What is younger is protected.
        type: str
        default: 1h
  local_retention:
    description:
      - The same for O(directory).
    type: dict
    suboptions: *policy
  metrics_path:
    description:
      - A file for Prometheus' metrics, in the directory that the textfile collector of node_exporter reads, and with a
        name that ends in C(.prom). It is replaced whole, and everybody may read it.
    type: path
  nagios_path:
    description:
      - A file for RV(nagios). It is replaced whole, and everybody may read it.
    type: path
seealso:
  - module: dbops.recovery.backup_info
  - module: dbops.recovery.backup_verify
  - module: dbops.recovery.backup_prune
"""

EXAMPLES = r"""
- name: See how the backups stand
  dbops.recovery.backup_status:
    directory: /var/backups/shop
    stores:
      - store: s3://example-backups/production
    databases: [shop]
    max_age: 26h
    max_offsite_age: 26h
    metrics_path: /var/lib/prometheus/node-exporter/dbops_recovery.prom
  register: status

- name: Fail when something is wrong
  ansible.builtin.fail:
    msg: "{{ status.problems | map(attribute='message') | join('\\n') }}"
  when: status.state != 'ok'
"""

RETURN = r"""
state:
  description: C(ok), or that of the worst problem, C(warning) or C(critical).
  returned: success
  type: str
  sample: critical
time:
  description: When it was looked, in UTC.
  returned: success
  type: str
  sample: "2026-11-22T10:15:00Z"
databases:
  description: The databases, by name.
  returned: success
  type: list
  elements: dict
  contains:
    database:
      description: Its name.
      type: str
      sample: shop
    newest:
      description:
        - The newest backup, null without one. Only whole ones count whose last verification, if any, they passed, and
          none that a restore has kept for safety.
      type: dict
      sample:
        name: shop_2026-11-22_020004
        started: "2026-11-22T02:00:04Z"
        age_seconds: 29696
        size_bytes: 18273645
        verified: content
        places: [/var/backups/shop, "s3://example-backups/production"]
    newest_verified:
      description: The newest that is verified at the level C(content) or C(restore), in the same form.
      type: dict
      sample: null
    newest_offsite:
      description: The newest in a store that is off-site, in the same form.
      type: dict
      sample: null
    restore_test:
      description: The last restore test, null without one. Those in RV(databases[].future_restore_tests) do not count.
      type: dict
      sample:
        name: shop_2026-11-01_030000
        time: "2026-11-01T03:06:41Z"
        age_seconds: 1840099
        host: drill1
        backup: shop_2026-11-01_020003
        passed: true
    future_restore_tests:
      description:
        - The restore tests that are dated more than an hour ahead of this host's clock, in the same form. When they
          were is not known, so each is a warning.
      type: list
      elements: dict
      sample: []
    pinned:
      description: The names of the pinned backups.
      type: list
      elements: str
      sample: []
    damaged:
      description: The copies that cannot be counted on, with C(name), C(place) and C(problem).
      type: list
      elements: dict
      sample: []
    places:
      description: What each place that could be read has of it.
      type: list
      elements: dict
      contains:
        place:
          description: The directory, or the store's URL.
          type: str
          sample: s3://example-backups/production
        backups:
          description: How many backups.
          type: int
          sample: 53
        size_bytes:
          description: The size of archives and manifests.
          type: int
          sample: 968503185
        newest:
          description: The newest there, in the form of RV(databases[].newest).
          type: dict
          sample: null
        next_deletion:
          description:
            - From when on M(dbops.recovery.backup_prune) would delete something, what, and its size. The moment of
              looking where it would now. Null where nothing ever goes by itself, or no retention was given.
            - A backup that is added can bring it forward. Locks of a store, and what makes that module refuse, can put
              it off.
          type: dict
          sample:
            time: "2026-11-23T00:00:00Z"
            in_seconds: 49500
            backups: [shop_2026-10-24_020003]
            size_bytes: 18273645
places:
  description: The places.
  returned: success
  type: list
  elements: dict
  contains:
    place:
      description: The directory, or the store's URL.
      type: str
      sample: /var/backups/shop
    is_offsite:
      description: Whether it counts as elsewhere.
      type: bool
      sample: false
    error:
      description: Why it could not be read, null where it could.
      type: str
      sample: null
problems:
  description: What is wrong, the worst first.
  returned: success
  type: list
  elements: dict
  contains:
    severity:
      description: C(critical) or C(warning).
      type: str
      sample: critical
    database:
      description: The database, null for a place.
      type: str
      sample: shop
    place:
      description: The place, where it is about one.
      type: str
      sample: null
    limit:
      description: The option whose limit was passed, null where it was none.
      type: str
      sample: max_age
    message:
      description: What is wrong.
      type: str
      sample: "shop: the newest backup, shop_2026-11-20_020004, is 2d 8h old. At most 1d 2h is allowed (max_age)."
    advice:
      description: What to do, empty where the message says it.
      type: str
      sample: Find out why no newer one was made.
table:
  description: How it stands, and a table of the databases and of the places, for a person, line by line.
  returned: success
  type: list
  elements: str
  sample: ["OK - every limit is kept"]
nagios:
  description: The same as the one line of a Nagios plugin.
  returned: success
  type: str
  sample: "DBOPS OK - every limit is kept: shop: newest backup 8h 14m old | 'shop_age'=29696s;;93600"
"""

from ansible_collections.dbops.recovery.plugins.module_utils._actions.status import take_status
from ansible_collections.dbops.recovery.plugins.module_utils._arguments import policy_options, store_list
from ansible_collections.dbops.recovery.plugins.module_utils._module import run_module


def main():
    """Run the module."""
    run_module(
        take_status,
        {
            "directory": {"type": "path"},
            "stores": store_list(),
            "databases": {"type": "list", "elements": "str", "default": []},
            "ignore_databases": {"type": "list", "elements": "str", "default": []},
            "max_age": {"type": "str"},
            "max_unverified_age": {"type": "str"},
            "max_offsite_age": {"type": "str"},
            "max_restore_test_age": {"type": "str"},
            "retention": {"type": "dict", "options": policy_options()},
            "local_retention": {"type": "dict", "options": policy_options()},
            "metrics_path": {"type": "path"},
            "nagios_path": {"type": "path"},
        },
    )


if __name__ == "__main__":
    main()
