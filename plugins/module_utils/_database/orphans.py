# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rows whose foreign key refers to a row that is not there, where some tables come in and others stay.

A foreign key that is added, or a table that is renamed, while the session checks no foreign keys is taken as it is.

Private to the collection.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from ansible_collections.dbops.recovery.plugins.module_utils._database.connection import identifier, query


@dataclass
class Reference:
    """A foreign key whose two tables come from different sides.

    Attributes:
        name: of the constraint.
        child, parent: the tables as (schema, name), where their rows are before the swap.
        columns: pairs of a column of the child and the one of the parent that it refers to.
    """

    name: str
    child: tuple[str, str]
    parent: tuple[str, str]
    columns: list[tuple[str, str]]

    def statement(self) -> str:
        """Return the query for the number of rows of the child that refer to none of the parent."""
        given = " AND ".join(f"child.{identifier(column)} IS NOT NULL" for column, _other in self.columns)
        met = " AND ".join(f"parent.{identifier(other)} = child.{identifier(column)}" for column, other in self.columns)
        child, parent = (".".join(map(identifier, place)) for place in (self.child, self.parent))
        return (
            f"SELECT COUNT(*) FROM {child} AS child WHERE {given}"
            f" AND NOT EXISTS (SELECT * FROM {parent} AS parent WHERE {met})"
        )


def references_across(
    connection: Any, live: str, staging: str, going: Collection[str], coming: Collection[str]
) -> list[Reference]:
    """Return the foreign keys from tables that come in to tables that stay, and from those to such as come in.

    Args:
        connection: a connection.
        live, staging: the schemas.
        going: tables that leave the live schema.
        coming: tables that are in the staging schema, and will be in the live one under the same names.
    """
    rows = query(
        connection,
        "SELECT table_schema, table_name, constraint_name, referenced_table_schema, referenced_table_name,"
        " column_name, referenced_column_name FROM information_schema.key_column_usage"
        " WHERE table_schema = %s OR referenced_table_schema = %s ORDER BY 1, 2, 3, ordinal_position",
        (staging, live),
    )
    found: dict[tuple, Reference] = {}
    for schema, table, name, other_schema, other_table, column, other_column in rows:
        comes = schema == staging
        outward = comes and other_schema not in (None, staging)
        stays = not comes and not (schema == live and table in going)
        inward = stays and other_schema == live and other_table in coming
        if outward or inward:
            parent = (staging if inward else other_schema, other_table)
            each = found.setdefault((schema, table, name), Reference(name, (schema, table), parent, []))
            each.columns.append((column, other_column))
    return list(found.values())


def count_orphans(connection: Any, reference: Reference) -> int:
    """Return how many rows of the child refer to none of the parent. Raise RecoveryError where that cannot be seen."""
    return query(connection, reference.statement())[0][0]
