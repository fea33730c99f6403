# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The limits that a backup is held against."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  min_size:
    description:
      - The archive must have at least this size, such as V(10M) (units K, M, G, T of 1024). Smaller is an error.
    type: str
  max_size:
    description:
      - An archive larger than this is a warning.
    type: str
  max_age:
    description:
      - A backup older than this, such as V(26h) or V(7d) (units s, m, h, d, w), is an error.
    type: str
"""
