# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The strategy for servers without room for a second copy: take the old objects away, load the backup in their place.

Meanwhile the database is half of the one and half of the other; the way back is the safety backup.

Private to the collection.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from ansible_collections.dbops.recovery.plugins.module_utils import _progress
from ansible_collections.dbops.recovery.plugins.module_utils._actions.elsewhere import Adaptation
from ansible_collections.dbops.recovery.plugins.module_utils._actions.past_events import events_of, less_past_events
from ansible_collections.dbops.recovery.plugins.module_utils._actions.target import (
    Objects,
    Target,
    require_equal,
    schema_defaults,
)
from ansible_collections.dbops.recovery.plugins.module_utils._archive.catalog import Backup
from ansible_collections.dbops.recovery.plugins.module_utils._archive.dump import split, without_replication
from ansible_collections.dbops.recovery.plugins.module_utils._archive.reader import plain_bytes
from ansible_collections.dbops.recovery.plugins.module_utils._database import server as servers
from ansible_collections.dbops.recovery.plugins.module_utils._database.connection import identifier, query
from ansible_collections.dbops.recovery.plugins.module_utils._database.inventory import (
    Inventory,
    compare,
    read_inventory,
    triggers_of,
    without,
)
from ansible_collections.dbops.recovery.plugins.module_utils._database.loading import (
    NothingDropped,
    create_schema,
    drop_objects,
    load_dump,
    set_schema_defaults,
)
from ansible_collections.dbops.recovery.plugins.module_utils._database.routine_grants import routines_of
from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError


def replace_in_place(
    target: Target,
    backup: Backup,
    expected: Inventory | Objects | None,
    left_alone: set[str],
    adaptation: Adaptation,
) -> Inventory:
    """Take the old objects away, load the backup, compare; return what is there then.

    Args:
        target: the database.
        backup: the backup.
        expected: what must be there afterwards: an inventory, (type, name) pairs, or None where nothing says so.
        left_alone: tables that are not touched.
        adaptation: what is changed in definitions on the way.
    Raises:
        NothingDropped: nothing was touched.
        RecoveryError: at the first thing that goes wrong.
    """
    if target.schema is None:
        _make_schema(target, backup)
    else:
        triggers = triggers_of(target.connection, target.name, left_alone)
        going = without(target.present, table=left_alone, trigger=triggers)
        drop_objects(target.connection, target.name, going)
        set_schema_defaults(target.connection, target.schema, *schema_defaults(backup))
    _progress.phase("loading", target.name, backup.sql_bytes)
    sections = split(_as_listed(backup, _progress.counted(plain_bytes(backup.path))))
    # Whoever made the dump, replicas follow, and the server is none of its business.
    blocks = (adaptation.apply(without_replication(section)).data for section in sections)
    warnings = load_dump(target.program, target.settings, target.name, blocks)
    target.warnings += [f"while loading {backup.name}: {warning}" for warning in warnings]
    connection = target.keep_connected()
    target.grant_again(target.routine_grants, routines_of(target.present))
    found = target.inventory()
    found = without(found, table=left_alone, trigger=triggers_of(connection, target.name, left_alone))
    if expected is not None:
        require_equal(target, backup, expected, found, adaptation.changed)
    return found


def _make_schema(target: Target, backup: Backup) -> None:
    try:
        create_schema(target.connection, target.name, *schema_defaults(backup))
    except RecoveryError as error:
        # Somebody else may have made it while the backup was checked: what is in it is theirs.
        raise NothingDropped(str(error)) from error


def _as_listed(backup: Backup, blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Pass the backup's SQL on. Raise RecoveryError when at its end it is not what the manifest lists."""
    plain_hash = hashlib.sha256()
    for block in blocks:
        plain_hash.update(block)
        yield block
    if backup.manifest and plain_hash.hexdigest() != backup.manifest["archive"]["plain_sha256"]:
        raise RecoveryError(f"{backup.path} is not what its manifest says: the SQL in it has another checksum.")


def go_back_in_place(target: Target, safety: Backup | None) -> str:
    """Bring the database back to where it was, and return in words by what. Raise RecoveryError."""
    if target.schema is not None and safety is None:
        raise RecoveryError("there is no safety backup (safety_backup is false)")
    connection = target.reconnect()
    if safety is None:
        query(connection, f"DROP DATABASE IF EXISTS {identifier(target.name)}")
        return "by removing it again, since it was not there before"
    drop_objects(connection, target.name, target.inventory())
    now = servers.require_schema(connection, target.name, target.settings.place)
    set_schema_defaults(connection, now, target.schema.charset, target.schema.collation)
    _progress.phase("loading the safety backup", target.name, safety.sql_bytes)
    load_dump(target.program, target.settings, target.name, _progress.counted(plain_bytes(safety.path)))
    target.grant_again(target.routine_grants, routines_of(target.present))
    kept = safety.manifest["inventory"]
    target.warn_of_lost(f"view {view}" for view in target.present.get("view", ()) if view not in kept.get("view", ()))
    difference = compare(kept, read_inventory(connection, target.name))
    difference = less_past_events(connection, target.warnings, difference, events_of(safety))
    if difference:
        raise RecoveryError(f"after going back, {target.name} is not what it was: {difference.describe()}")
    return f"from the safety backup {safety.name}"


def steps_in_place(target: Target, safety: Backup | None) -> list[str]:
    """Return what to do by hand where going back failed."""
    if safety is None:
        return ["Restore another backup, with safety_backup: false, since what is there now is half of one."]
    return [
        f"The state before is whole in {safety.path}. Restore it:",
        f"   ansible HOST -m dbops.recovery.db_restore -a 'backup={safety.path} database={target.name} "
        "safety_backup=false'",
    ]
