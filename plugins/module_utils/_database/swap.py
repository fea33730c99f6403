# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Replace the tables of a live schema by those of another in one statement, and the way back by one more.

RENAME TABLE renames all or none, the foreign keys among the tables follow to either side, and views find the new tables
by their names. Triggers it refuses to carry to another schema: they are dropped before and made anew afterwards.

Private to the collection.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from ansible_collections.dbops.recovery.plugins.module_utils._database.connection import identifier, query
from ansible_collections.dbops.recovery.plugins.module_utils._database.loading import LOCK_WAIT_SECONDS

# (schema, table)
Place = tuple


@dataclass(frozen=True)
class Swap:
    """Which tables (and sequences) change places.

    Attributes:
        live, staging, previous: the schemas.
        going: tables that leave the live schema for the previous one.
        coming: tables that leave the staging schema for the live one.
        suffix: of the names that these get there.
    """

    live: str
    staging: str
    previous: str
    going: frozenset[str]
    coming: frozenset[str]
    suffix: str = ""

    def forward(self) -> list[tuple[Place, Place]]:
        """Return the renamings, in their order: all tables out before any comes in.

        The names of constraints are unique in a schema, and a table that was renamed since the backup has those of the
        one that comes in.
        """
        out = [((self.live, table), (self.previous, table)) for table in sorted(self.going)]
        return out + [((self.staging, table), (self.live, table + self.suffix)) for table in sorted(self.coming)]

    def back(self, there: Collection[Place]) -> list[tuple[Place, Place]]:
        """Given which tables are there, return the renamings that undo what was done of the swap, be it a part of it.

        That a server that was killed has done a part is possible where its RENAME is not crash-safe (MariaDB before
        10.6).
        """
        gone = [table for table in sorted(self.going) if (self.previous, table) in there]
        # A table of that name that has not gone out is the old one.
        came = [
            table
            for table in sorted(self.coming)
            if (self.staging, table) not in there
            and (self.live, table + self.suffix) in there
            and (table in gone or table not in self.going)
        ]
        out = [((self.live, table + self.suffix), (self.staging, table)) for table in came]
        return out + [((self.previous, table), (self.live, table)) for table in gone]

    def lost(self, there: Collection[Place]) -> list[str]:
        """Given which tables are there, return those whose place is taken, and that are not where they went to."""
        return [
            table
            for table in sorted(self.going & self.coming)
            if (self.staging, table) not in there and (self.previous, table) not in there
        ]


def rename(connection: Any, pairs: Iterable[tuple[Place, Place]]) -> None:
    """Do renamings in one statement. Raise RecoveryError when the server refuses; then none is done."""
    renamings = ", ".join(f"{_quoted(before)} TO {_quoted(after)}" for before, after in pairs)
    if renamings:
        query(connection, f"SET SESSION foreign_key_checks = 0, lock_wait_timeout = {LOCK_WAIT_SECONDS}")
        query(connection, f"RENAME TABLE {renamings}")


def _quoted(place: Place) -> str:
    return ".".join(map(identifier, place))


def drop_triggers(connection: Any, schema: str, tables: Collection[str]) -> None:
    """Drop the triggers on some tables of a schema: all of them, or none where a table is held by another session."""
    rows = query(
        connection,
        "SELECT trigger_schema, trigger_name, event_object_table FROM information_schema.triggers"
        " WHERE trigger_schema = %s",
        (schema,),
    )
    triggers = [(name, table) for there, name, table in rows if there == schema and table in tables]
    if not triggers:
        return
    query(connection, f"SET SESSION lock_wait_timeout = {LOCK_WAIT_SECONDS}")
    held = ", ".join(f"{_quoted((schema, table))} WRITE" for table in sorted({table for _name, table in triggers}))
    query(connection, f"LOCK TABLES {held}")
    try:
        for name, _table in triggers:
            query(connection, f"DROP TRIGGER IF EXISTS {_quoted((schema, name))}")
    finally:
        query(connection, "UNLOCK TABLES")


def foreign_keys_from_outside(connection: Any, schema: str, tables: Collection[str]) -> list[str]:
    """Return in words the foreign keys that refer to some tables of a schema from others than these.

    They would follow the tables that they refer to out of the schema.
    """
    rows = query(
        connection,
        "SELECT DISTINCT table_schema, table_name, constraint_name, referenced_table_name"
        " FROM information_schema.key_column_usage WHERE referenced_table_schema = %s",
        (schema,),
    )
    return [
        f"{name} of {table if here == schema else f'{here}.{table}'} refers to {target}"
        for here, table, name, target in sorted(rows)
        if target in tables and not (here == schema and table in tables)
    ]


def foreign_keys_to_outside(connection: Any, schema: str) -> list[str]:
    """Return in words the foreign keys of a schema's tables that refer to other schemas: they hold on to rows there."""
    rows = query(
        connection,
        "SELECT DISTINCT table_name, constraint_name, referenced_table_schema, referenced_table_name"
        " FROM information_schema.key_column_usage"
        " WHERE table_schema = %s AND referenced_table_schema <> table_schema",
        (schema,),
    )
    return [f"{name} of {table} refers to {there}.{target}" for table, name, there, target in sorted(rows)]
