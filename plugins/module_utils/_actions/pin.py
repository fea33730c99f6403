# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""backup_pin: have retention leave backups alone, or let it have them again.

Private to the collection.
"""

from __future__ import annotations

import os

from ansible_collections.dbops.recovery.plugins.module_utils._archive import catalog
from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError, os_error


def pin_backups(options: dict, check_mode: bool) -> dict:
    """Set or remove the pin of backups of a directory; return backup_pin's result. Raise RecoveryError."""
    directory, pinned = os.path.abspath(options["directory"]), options["pinned"]
    there = {backup.name: backup for backup in catalog.backups_in(directory)} if os.path.isdir(directory) else {}
    missing = [name for name in options["backup"] if name not in there]
    if missing and pinned:
        raise RecoveryError(
            f"backup: {', '.join(missing)} is not in {directory}, so it cannot be pinned. Nothing was changed. "
            "backup_info lists what is there."
        )
    wanted = [there[name] for name in dict.fromkeys(options["backup"]) if name in there]
    others = [backup for backup in wanted if backup.manifest["backup"].get("pinned", False) != pinned]
    for backup in others if not check_mode else ():
        try:
            catalog.set_pin(backup, pinned)
        except OSError as error:
            raise os_error(f"The pin of {backup.name} cannot be noted", error) from error
    names = [backup.name for backup in others]
    return {
        "changed": bool(names),
        "backups": names,
        "missing": missing,
        "diff": {
            "before_header": directory,
            "after_header": directory,
            "before": "".join(f"{name} {'not pinned' if pinned else 'pinned'}\n" for name in names),
            "after": "".join(f"{name} {'pinned' if pinned else 'not pinned'}\n" for name in names),
        },
    }
