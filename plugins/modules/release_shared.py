#!/usr/bin/python

# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: release_shared
short_description: Link the shared directories and files into a release
description:
  - What must outlive a release (uploads, the settings with the secrets) is kept below C(shared/) and linked into each
    release.
  - A shared place that does not exist yet is seeded with what the release brings under that name. A directory that the
    release does not bring is made empty. A file that is neither shared nor in the release is an error.
  - Names of which one lies in the other are refused, and so is a place outside the release, before anything is touched.
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
    support: full
options:
  release:
    description:
      - The release to link them into.
    type: str
    required: true
  directories:
    description:
      - Directories, as paths relative to the release.
    type: list
    elements: str
    default: []
  files:
    description:
      - Files, as paths relative to the release. A seeded one gets the mode 0640.
    type: list
    elements: str
    default: []
seealso:
  - module: dbops.recovery.release_info
"""

EXAMPLES = r"""
- name: Share the uploads and the settings
  dbops.recovery.release_shared:
    root: /srv/shop
    release: 2026-11-22_101500
    directories: [media]
    files: [.env]
"""

RETURN = r"""
linked:
  description: The links that were made, or would be in check mode.
  returned: success
  type: list
  elements: str
  sample: [media, .env]
"""

from ansible_collections.dbops.recovery.plugins.module_utils._module import run_module
from ansible_collections.dbops.recovery.plugins.module_utils._release import actions


def main() -> None:
    run_module(
        actions.share,
        {
            "root": {"type": "path", "required": True},
            "release": {"type": "str", "required": True},
            "directories": {"type": "list", "elements": "str", "default": []},
            "files": {"type": "list", "elements": "str", "default": []},
        },
    )


if __name__ == "__main__":
    main()
