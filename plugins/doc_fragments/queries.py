# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is asked of a restored database."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  queries:
    description:
      - SQL of your own that is asked of the restored database, and what must come back.
    type: list
    elements: dict
    default: []
    suboptions:
      sql:
        description:
          - One statement.
        type: str
        required: true
      name:
        description:
          - What it is called in the result. Without it, the statement.
        type: str
      rows:
        description:
          - The rows that must come, in this order; values are compared as text.
        type: list
        elements: list
      min:
        description:
          - The least number that the one value of the one row may be.
        type: float
      max:
        description:
          - The greatest number that the one value of the one row may be.
        type: float
"""
