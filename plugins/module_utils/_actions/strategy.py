# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a restore is done: by a staged copy and a swap where that is possible and there is room, else in place.

Private to the collection.
"""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.dbops.recovery.plugins.module_utils._actions.staged_copy import CopyPlan, plan_copy
from ansible_collections.dbops.recovery.plugins.module_utils._actions.swapping import TABLES, Scope
from ansible_collections.dbops.recovery.plugins.module_utils._actions.target import Target
from ansible_collections.dbops.recovery.plugins.module_utils._archive.catalog import Backup
from ansible_collections.dbops.recovery.plugins.module_utils._database.binlog import logged_alike
from ansible_collections.dbops.recovery.plugins.module_utils._database.inventory import UNREADABLE, label, objects_of
from ansible_collections.dbops.recovery.plugins.module_utils._database.privileges import (
    has,
    missing_to_stage,
    quoted_account,
)
from ansible_collections.dbops.recovery.plugins.module_utils._database.programs import DUMP, find_program
from ansible_collections.dbops.recovery.plugins.module_utils._database.staging import (
    Journal,
    new_journal,
    pattern_beside,
)
from ansible_collections.dbops.recovery.plugins.module_utils._database.swap import foreign_keys_from_outside
from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError
from ansible_collections.dbops.recovery.plugins.module_utils._files import free_bytes
from ansible_collections.dbops.recovery.plugins.module_utils._text import some_of
from ansible_collections.dbops.recovery.plugins.module_utils._units import show_size

AUTO = "auto"
SWAP = "swap"
IN_PLACE = "in_place"

# What a copy takes on the server beside what its tables had there: half-empty pages, undo, the sorting of keys.
_ROOM_FACTOR = 1.25
_SPARE_BYTES = 64 * 1024 * 1024
# Of the bytes of SQL, where a manifest does not say what its tables had on the server.
_SQL_FACTOR = 1.5


@dataclass(frozen=True)
class Strategy:
    """The chosen way, and why.

    Attributes:
        name: SWAP or IN_PLACE.
        reason: in words.
        needed_bytes, free_bytes: the room that a second copy takes, and that there is where it can be seen.
        journal, copy: for SWAP, with the names of its schemas and what is loaded into them.
    """

    name: str
    reason: str
    needed_bytes: int | None = None
    free_bytes: int | None = None
    journal: Journal | None = None
    copy: CopyPlan | None = None

    def as_result(self) -> dict:
        """Return it as db_restore does."""
        return {
            "strategy": self.name,
            "strategy_reason": self.reason,
            "needed_bytes": self.needed_bytes,
            "free_bytes": self.free_bytes,
        }


def choose_strategy(target: Target, backup: Backup, scope: Scope, wanted: str) -> Strategy:
    """Choose the strategy for a restore.

    Raise RecoveryError when the wanted one, or the only one that can do it, is not possible; it says why.
    """
    if wanted == IN_PLACE and scope.whole:
        return Strategy(IN_PLACE, "strategy is in_place")
    if backup.manifest is None:
        return _settle(
            wanted, scope, Strategy(SWAP, ""), f"{backup.name} has no manifest that says where its tables lie"
        )
    journal = new_journal(target.name, {"backup": backup.name})
    tables = scope.tables
    if scope.whole:
        inventory = backup.manifest["inventory"]
        tables = frozenset(name for kind in TABLES for name in inventory.get(kind, ()))
    copy = plan_copy(target, backup, tables, beside=bool(scope.suffix))
    needed, free = _needed_bytes(backup, copy), _free_bytes(target)
    swap = Strategy(SWAP, _why_swap(target, needed, free), needed, free, journal, copy)
    return _settle(wanted, scope, swap, _obstacle(target, scope, swap))


def _settle(wanted: str, scope: Scope, swap: Strategy, obstacle: str | None) -> Strategy:
    """Given what stands in the way of a swap, return what is done, or raise."""
    if obstacle is None and wanted != IN_PLACE:
        return swap
    if not scope.whole:
        obstacle = obstacle or "strategy is in_place"
        raise RecoveryError(
            f"Single tables are restored by a swap alone, and that is not possible: {obstacle}. Nothing was touched."
        )
    if wanted == SWAP:
        raise RecoveryError(
            f"strategy is swap, and that is not possible: {obstacle}. Nothing was touched. With strategy auto or "
            "in_place the restore is made in place, from a safety backup on if it fails."
        )
    return Strategy(IN_PLACE, f"a swap is not possible: {obstacle}", swap.needed_bytes, swap.free_bytes)


def _why_swap(target: Target, needed: int, free: int | None) -> str:
    room = "; the room on the server cannot be seen from here"
    if free is not None:
        room = f", {show_size(free)} are free in {target.server.datadir}"
    # The server shows an account the keys of those tables alone on which it has a right.
    hidden = "" if has(target.grants, "SELECT") else "; other databases' foreign keys, if any, cannot be seen from here"
    return f"a second copy takes about {show_size(needed)}{room}{hidden}"


def _obstacle(target: Target, scope: Scope, swap: Strategy) -> str | None:
    """Return in words the first thing that forbids a swap."""
    connection, copy = target.connection, swap.copy
    missing = missing_to_stage(target.grants, swap.journal.staging, swap.journal.previous)
    if missing:
        return (
            f"{target.settings.place} may not use schemas beside {target.name}: GRANT {', '.join(missing)} ON "
            f"{pattern_beside(target.name)}.* TO {quoted_account(connection)}"
        )
    if not logged_alike(connection, target.server, (target.name, swap.journal.staging, swap.journal.previous)):
        return (
            f"the server's binary log leaves out the schemas beside {target.name} and not that one, or the other way "
            "round (binlog_do_db, binlog_ignore_db), so that replicas could not follow"
        )
    replaced = scope.within(target, target.present)
    damaged = [label(key) for key in objects_of(replaced) if replaced[key[0]][key[1]] == UNREADABLE]
    if damaged:
        return f"the server cannot read {some_of(damaged, 5)}, so that cannot be moved out"
    going = scope.going(target.present)
    outside = foreign_keys_from_outside(connection, target.name, going)
    if outside:
        return (
            "foreign keys from tables that stay would follow the old tables out: "
            + "; ".join(outside[:5])
            + (". Restore those tables with them" if not scope.whole else "")
        )
    counted = sorted(table for table, each in copy.definitions.items() if b"nextval(" in each.data)
    if counted:
        return f"a default names a sequence of the schema itself, in {', '.join(counted[:5])}"
    unknown = sorted(table for table, each in copy.definitions.items() if not each.understood)
    if scope.partial and any(b" FOREIGN KEY (" in copy.definitions[table].data for table in unknown):
        return f"the foreign keys of {', '.join(unknown[:5])} cannot be told from the backup"
    if target.schema is not None:
        try:
            find_program(DUMP, target.server)
        except RecoveryError as error:
            return str(error)
    if swap.free_bytes is not None and swap.free_bytes < swap.needed_bytes:
        return (
            f"there is no room for a second copy: about {show_size(swap.needed_bytes)} are needed, "
            f"{show_size(swap.free_bytes)} are free in {target.server.datadir}"
        )
    return None


def _needed_bytes(backup: Backup, copy: CopyPlan) -> int:
    archive, server = backup.manifest["archive"], backup.manifest["server"]
    on_server = server.get("data_bytes") or archive["plain_bytes"] * _SQL_FACTOR
    of_tables = sum(each["plain_bytes"] for each in archive["sections"] if each.get("object") in copy.tables)
    share = of_tables / archive["plain_bytes"] if archive["plain_bytes"] else 0
    return int(on_server * share * _ROOM_FACTOR) + _SPARE_BYTES


def _free_bytes(target: Target) -> int | None:
    """Return the free bytes where the server keeps its data; None where that is not this host's to see."""
    if not target.settings.socket:
        return None
    try:
        return free_bytes(target.server.datadir)
    except OSError:
        return None
