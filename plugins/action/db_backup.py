# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.dbops.recovery.plugins.plugin_utils._watched import WatchedAction


class ActionModule(WatchedAction):
    """Runs the module db_backup, and shows how far it is."""
