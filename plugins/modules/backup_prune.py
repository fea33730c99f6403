#!/usr/bin/python

# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_prune
short_description: Delete the backups that a retention policy no longer keeps
description:
  - Keeps, of each database, what any rule keeps or anything protects, and deletes the rest, in a directory of the
    managed host or in a store. The plan, with a reason for each backup, is the result; in check mode nothing else
    happens.
  - Protected, whatever the rules say, are the newest complete backup, the newest verified one and the newest one that a
    restore has proved, pinned ones, those younger than O(min_age), and those that the store has locked.
  - A backup that failed its last verification, or that a restore kept for safety, stands for a week or a month, and
    counts among the last ones, only where there is no other.
  - A backup whose manifest is of no use, or whose archive has not the size that its manifest says, is left alone, with
    a warning, and stands for no other.
  - Only pairs of archive and manifest under names of M(dbops.recovery.db_backup) are ever deleted; of a versioned
    bucket, all their versions. A manifest whose archive is gone is removed after a day. Archives without a manifest
    are named and left alone.
  - Refuses, and says why, when no backup is found, when too many would go at once, when too many are gone since the
    last run that did not go by it, when the newest backup is too old, and when it is from the future.
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
    support: full
  idempotent:
    support: full
options:
  directory:
    description:
      - The backup directory to prune. Either this or O(store).
    type: path
  database:
    description:
      - Look only at the backups of this database.
    type: str
  keep_daily_days:
    description:
      - Keep every backup of the last so many calendar days, today included.
    type: int
    default: 30
  keep_weekly:
    description:
      - Keep one backup in each of the last so many ISO weeks that have one, the newest of the day O(weekly_on), or
        else of the day nearest to it.
    type: int
    default: 12
  keep_monthly:
    description:
      - Keep one backup in each of the last so many months that have one, the newest of the day O(monthly_on), or else
        of the day nearest to it.
    type: int
    default: 12
  keep_last:
    description:
      - Keep the newest so many.
    type: int
    default: 0
  keep_within:
    description:
      - Keep what is younger than this, such as V(36h).
    type: str
  weekly_on:
    description:
      - The day of the week whose backup stands for the week.
    type: str
    choices: [monday, tuesday, wednesday, thursday, friday, saturday, sunday]
    default: sunday
  monthly_on:
    description:
      - The day of the month whose backup stands for the month; in a shorter month its last day.
    type: int
    default: 1
  timezone:
    description:
      - The time zone whose calendar counts, such as V(Europe/Berlin).
    type: str
    default: UTC
  max_total_size:
    description:
      - The size of all the backups together; what is over it goes oldest first, whatever rule kept it, but never a
        protected one.
    type: str
  min_age:
    description:
      - What is younger is protected.
    type: str
    default: 1h
  max_delete_fraction:
    description:
      - The share of the backups that one run may delete, from 0 to 1.
      - Also the share of a database's backups that may be gone since this host last pruned the place, without the rules
        having let them go. Fewer are a warning. With V(1) what is there now counts from then on.
    type: float
    default: 0.5
  state_directory:
    description:
      - Where this host remembers the names of what it left in each place. Not in the place, with which they would go.
      - Without it C($XDG_STATE_HOME/dbops.recovery), else C(/var/lib/dbops.recovery) for root and
        C(~/.local/state/dbops.recovery) for everybody else. Where the host does not outlive the run, as in a container,
        name a directory that does.
    type: path
  max_newest_age:
    description:
      - When the newest backup is older than this, nothing is deleted, since backups have stopped or the clock is wrong.
    type: str
    default: 14d
  as_of:
    description:
      - Plan as if it were this moment. The guards hold as ever, so that it is of use in check mode above all.
    type: str
seealso:
  - module: dbops.recovery.backup_info
  - module: dbops.recovery.backup_upload
"""

EXAMPLES = r"""
- name: Keep 30 days, 12 weeks and 12 months in the store
  dbops.recovery.backup_prune:
    store: s3://example-backups/production
    timezone: Europe/Berlin

- name: Keep three days on the host itself
  dbops.recovery.backup_prune:
    directory: /var/backups/databases
    keep_daily_days: 3
    keep_weekly: 0
    keep_monthly: 0
    max_total_size: 50G
"""

RETURN = r"""
place:
  description: The store's URL, or the directory.
  returned: always
  type: str
  sample: s3://example-backups/production
plan:
  description: What becomes of each backup, newest first.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      type: str
      sample: shop_2026-11-22_101500
    database:
      description: The database, as the name says it.
      type: str
      sample: shop
    started:
      description: When it was begun, in UTC.
      type: str
      sample: "2026-11-22T10:15:00Z"
    size_bytes:
      description: The size of archive and manifest.
      type: int
      sample: 18301645
    action:
      description: C(keep) or C(delete).
      type: str
      sample: keep
    protected:
      description: Whether it is kept whatever the rules say.
      type: bool
      sample: false
    reasons:
      description: Why.
      type: list
      elements: str
      sample: ["newest of Sunday in week 2026-W47"]
deleted:
  description: The names of the backups that were, or would be, deleted.
  returned: always
  type: list
  elements: str
  sample: ["shop_2026-10-20_020000"]
deleted_bytes:
  description: Their size.
  returned: always
  type: int
  sample: 18273645
kept:
  description: How many backups stay.
  returned: always
  type: int
  sample: 52
kept_bytes:
  description: Their size.
  returned: always
  type: int
  sample: 950229540
removed_halves:
  description: Manifests without an archive that were, or would be, removed.
  returned: always
  type: list
  elements: str
  sample: []
lone_archives:
  description: Archives without a manifest. They are left alone.
  returned: always
  type: list
  elements: str
  sample: []
missing:
  description: Backups that the rules keep and that are gone since the last run, which did not delete them.
  returned: always
  type: list
  elements: str
  sample: []
"""

from ansible_collections.dbops.recovery.plugins.module_utils._actions.prune import prune_backups
from ansible_collections.dbops.recovery.plugins.module_utils._arguments import policy_options, store_options
from ansible_collections.dbops.recovery.plugins.module_utils._module import run_module


def main():
    """Run the module."""
    run_module(
        prune_backups,
        {
            **store_options(required=False),
            "directory": {"type": "path"},
            "database": {"type": "str"},
            **policy_options(),
            "max_delete_fraction": {"type": "float", "default": 0.5},
            "state_directory": {"type": "path"},
            "max_newest_age": {"type": "str", "default": "14d"},
            "as_of": {"type": "str"},
        },
        required_one_of=[("directory", "store")],
        mutually_exclusive=[("directory", "store")],
        required_together=[("access_key", "secret_key")],
    )


if __name__ == "__main__":
    main()
