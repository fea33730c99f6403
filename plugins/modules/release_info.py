#!/usr/bin/python

# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: release_info
short_description: Say which releases of an application are on a host, and what state they are in
description:
  - Reads the C(current) link, the release directories, the journal and the lock below an application's root.
  - A release's status comes from the journal, never from the time of a file.
version_added: 0.1.0
author:
  - The dbops.recovery authors (@dbops)
extends_documentation_fragment:
  - dbops.recovery.application
  - dbops.recovery.attributes
attributes:
  check_mode:
    support: full
    details: It never changes anything.
  diff_mode:
    support: N/A
    details: It never changes anything.
  idempotent:
    support: full
options:
  rollback_to:
    description:
      - The release that a rollback by hand should go to, for RV(way_back). Without it, the last good one.
      - It must have been deployed and not be bad.
    type: str
seealso:
  - module: dbops.recovery.release
  - module: dbops.recovery.release_journal
"""

EXAMPLES = r"""
- name: See what is deployed
  dbops.recovery.release_info:
    root: /srv/shop
  register: shop

- name: Show where a rollback would go
  ansible.builtin.debug:
    msg: "{{ shop.current }} is live; a rollback goes to {{ shop.rollback_target }}."
"""

RETURN = r"""
current:
  description: The live release; none before the first deployment.
  returned: success
  type: str
  sample: 2026-11-22_101500
releases:
  description: The release directories, by name.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: The release's name.
      type: str
      sample: 2026-11-22_101500
    status:
      description:
        - V(good) (its last deployment succeeded), V(bad) (it was rolled back), V(unfinished) (its deployment came to no
          end) or V(unknown) (the journal does not mention it).
      type: str
      sample: good
    deployed:
      description: When it was last declared deployed, in UTC; none if never.
      type: str
      sample: "2026-11-22T10:15:31.204Z"
rollback_target:
  description:
    - The last good release before the live one whose directory is still there; none if there is none.
    - What was live before the first deployment counts as good, unless somebody has left it by a rollback.
  returned: success
  type: str
  sample: 2026-11-20_090210
way_back:
  description: What a rollback by hand would do now.
  returned: success
  type: dict
  contains:
    release:
      description: The release it would leave. After a deployment that died before its switch, that one.
      type: str
      sample: 2026-11-22_101500
    target:
      description: The release it would go to; none if there is none.
      type: str
      sample: 2026-11-20_090210
    backup:
      description:
        - The backup that holds the database as the target last left it, taken before the migrations of the release that
          followed; none if there is none.
      type: dict
      sample: {name: shop_2026-11-22_101502, path: /var/backups/shop/shop_2026-11-22_101502.sql.zst, database: shop}
lock:
  description: What the lock says; none when there is no lock.
  returned: success
  type: dict
  sample:
    deployment: 20261122T101500-4f2a
    release: 2026-11-22_101500
    owner: ann
    controller: ci-7
    since: "2026-11-22T10:15:00.123Z"
unfinished:
  description:
    - What deployments and rollbacks have left half done, as they were killed or ended V(broken); none when all came to
      an end. One that fails and goes back leaves what it had found half done as it was.
    - C(deployment), C(release), C(step), C(result) and C(time) are of the last of them. C(touched) says whether more
      than staging had begun.
    - C(migrating) says whether migrations had begun, C(restoring) whether a rollback by hand to the release C(to) had
      begun to restore the database, and none of that was put back; C(backup) is the one that takes the database out of
      that.
  returned: success
  type: dict
  sample:
    deployment: 20261122T101500-4f2a
    release: 2026-11-22_101500
    step: migrate
    result: started
    time: "2026-11-22T10:15:20.004Z"
    touched: true
    migrating: true
    restoring: false
    to:
    backup: {name: shop_2026-11-22_101502, path: /var/backups/shop/shop_2026-11-22_101502.sql.zst, database: shop}
last_backup:
  description: The newest backup that the journal names; none if it names none.
  returned: success
  type: dict
  sample: {name: shop_2026-11-22_101502, path: /var/backups/shop/shop_2026-11-22_101502.sql.zst, seconds: 3.2}
journal:
  description: The last 20 entries of the journal, oldest first.
  returned: success
  type: list
  elements: dict
  sample:
    - time: "2026-11-22T10:15:31.204Z"
      deployment: 20261122T101500-4f2a
      release: 2026-11-22_101500
      step: finish
      result: deployed
"""

from ansible_collections.dbops.recovery.plugins.module_utils._module import run_module
from ansible_collections.dbops.recovery.plugins.module_utils._release import actions


def main() -> None:
    run_module(
        actions.info,
        {
            "root": {"type": "path", "required": True},
            "rollback_to": {"type": "str"},
        },
    )


if __name__ == "__main__":
    main()
