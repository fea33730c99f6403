#!/usr/bin/python

# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: release_journal
short_description: Note one step of a deployment in the journal on the host
description:
  - Appends one JSON object as a line to C(.dbops/journal.jsonl). The entry is on disk when the module returns.
  - Entries are never changed. What a release's status is, and where a rollback goes, is read from them.
version_added: 0.1.0
author:
  - The dbops.recovery authors (@dbops)
extends_documentation_fragment:
  - dbops.recovery.application
  - dbops.recovery.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: none
    details: Each run appends an entry.
options:
  deployment:
    description:
      - The name of this run.
    type: str
    required: true
  release:
    description:
      - The release that it is about.
    type: str
    required: true
  step:
    description:
      - The step, such as V(migrate).
    type: str
    required: true
  result:
    description:
      - V(started), V(ok) and V(failed) are about the step.
      - V(deployed), V(rolled_back), V(abandoned) and V(broken) end the deployment. V(rolled_back) and V(broken) make
        the release a bad one, which a rollback never chooses.
    type: str
    choices: [started, ok, failed, deployed, rolled_back, abandoned, broken]
    required: true
  details:
    description:
      - More keys of the entry. C(to) (the release that was gone back to) and C(backup) (a dictionary) have a meaning.
    type: dict
seealso:
  - module: dbops.recovery.release_info
"""

EXAMPLES = r"""
- name: Note that the migrations begin
  dbops.recovery.release_journal:
    root: /srv/shop
    deployment: 20261122T101500-4f2a
    release: 2026-11-22_101500
    step: migrate
    result: started
    details:
      backup:
        name: shop_2026-11-22_101502
        path: /var/backups/shop/shop_2026-11-22_101502.sql.zst
"""

RETURN = r"""
entry:
  description: The entry.
  returned: success
  type: dict
  sample:
    time: "2026-11-22T10:15:20.004Z"
    deployment: 20261122T101500-4f2a
    release: 2026-11-22_101500
    step: migrate
    result: started
"""

from ansible_collections.dbops.recovery.plugins.module_utils._module import run_module
from ansible_collections.dbops.recovery.plugins.module_utils._release import actions


def main() -> None:
    run_module(
        actions.note,
        {
            "root": {"type": "path", "required": True},
            "deployment": {"type": "str", "required": True},
            "release": {"type": "str", "required": True},
            "step": {"type": "str", "required": True},
            "result": {
                "type": "str",
                "choices": ["started", "ok", "failed", "deployed", "rolled_back", "abandoned", "broken"],
                "required": True,
            },
            "details": {"type": "dict"},
        },
    )


if __name__ == "__main__":
    main()
