# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filters for the roles."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches

from ansible.errors import AnsibleFilterError

from ansible_collections.dbops.recovery.plugins.module_utils._arguments import (
    sending_options,
    store_list,
    store_options,
)

DOCUMENTATION = r"""
name: store_access
short_description: What says where a store is and how to reach it
description:
  - A store's entry in an inventory also says how backups are sent there. This leaves what every module takes that reads
    from a store. A key that none takes is an error.
version_added: 0.1.0
author:
  - The dbops.recovery authors (@dbops)
options:
  _input:
    description:
      - The store, as the role P(dbops.recovery.offsite#role) has it.
    type: dict
    required: true
  also:
    description:
      - Further keys that are left, such as C(is_offsite), which modules take that have a list of stores.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: List what the stores have
  dbops.recovery.backup_info:
    stores: "{{ offsite_stores | map('dbops.recovery.store_access') }}"
"""

RETURN = r"""
_value:
  description: The options that are left.
  type: dict
"""


def store_access(store: dict, also: Collection[str] = ()) -> dict:
    """Given a store as an inventory has it, return the options that every module takes, and those in also.

    Raise AnsibleFilterError.
    """
    if not isinstance(store, dict):
        raise AnsibleFilterError("store_access is for a store: a mapping with the key store.")
    known = [*store_list()["options"], *sending_options()]
    for key in store:
        if key not in known:
            meant = get_close_matches(str(key), known, 1)
            raise AnsibleFilterError(
                f"The store {store.get('store')} has {key!r}, which no module knows"
                + (f"; did you mean {meant[0]}?" if meant else f". There are: {', '.join(known)}.")
            )
    return {name: store[name] for name in (*store_options(), *also) if name in store}


class FilterModule:
    """What Ansible asks for the filters."""

    def filters(self) -> dict:
        """Return the filters by name."""
        return {"store_access": store_access}
