# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every module promises, in the words that ansible-doc shows."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check mode and says truthfully what it would do, without changing anything.
  diff_mode:
    description: Returns the difference that it makes, or would make.
  idempotent:
    description: Run again with the same options, it changes nothing more.
"""

    DATABASE_GROUP = r"""
options: {}
attributes:
  action_group:
    description: Its connection options can be set once for a play through C(module_defaults).
    support: full
    membership:
      - dbops.recovery.database
"""
