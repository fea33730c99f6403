# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The objects of a schema, each with a hash of its definition; two inventories can be compared.

Private to the collection.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from ansible_collections.dbops.recovery.plugins.module_utils._database.connection import (
    identifier,
    number_of,
    query,
    words_of,
)
from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError
from ansible_collections.dbops.recovery.plugins.module_utils._text import some_of

# {type: {name: sha256 of the definition}}
Inventory = dict

_TABLE_TYPES = {"BASE TABLE": "table", "SYSTEM VERSIONED": "table", "SEQUENCE": "sequence", "VIEW": "view"}
# The column of SHOW CREATE's row that holds the definition, and the one with the sql_mode that belongs to it.
_DEFINITION_COLUMNS = {
    "table": (1, None),
    "sequence": (1, None),
    "view": (1, None),
    "trigger": (2, 1),
    "procedure": (2, 1),
    "function": (2, 1),
    "package": (2, 1),
    "package_body": (2, 1),
    "event": (3, 1),
}
# In the place of the hash of a definition that the server cannot read.
UNREADABLE = "unreadable"
# What it says of a table whose files are missing or damaged, and of what stands on one; from 120 to 199 engines say so.
_DAMAGED = {1016, 1017, 1030, 1033, 1034, 1035, 1194, 1195, 1286, 1712, 1812, 1814, 1877, 1932, *range(120, 200)}
# Objects that are named in a message.
_NAMED = 20
_AUTO_INCREMENT = re.compile(r" AUTO_INCREMENT=\d+")
_IMPLIED_CHARSET = re.compile(r" CHARACTER SET (\w+)(?= COLLATE \1_)")


def read_inventory(connection: Any, schema: str, damaged: dict[str, str] | None = None) -> Inventory:
    """Return the inventory of a schema.

    Args:
        connection: to the server.
        schema: the schema.
        damaged: gets the objects, by their labels, that the server itself cannot read, with its words, and they are
            UNREADABLE in the inventory; without it, one of them is an error.
    Raises:
        RecoveryError: a definition cannot be read: a dump would end at it, or miss it without a word.
    """
    query(connection, f"USE {identifier(schema)}")
    inventory: Inventory = {}
    for kind, name in _names(connection, schema):
        try:
            definition = _definition(connection, kind, name)
        except RecoveryError as error:
            if damaged is None or number_of(error) not in _DAMAGED:
                raise
            damaged[label((kind, name))] = words_of(error.__cause__)
            inventory.setdefault(kind, {})[name] = UNREADABLE
            continue
        if kind == "view":
            # MariaDB names the schema as well where the view's owner may not read it, as in another database.
            definition = definition.replace(f"{identifier(schema)}.", "")
        inventory.setdefault(kind, {})[name] = _hash(definition)
    return inventory


def _names(connection: Any, schema: str) -> list[tuple[str, str]]:
    found = [
        (_TABLE_TYPES[table_type], name)
        for name, table_type in query(
            connection,
            "SELECT table_name, table_type FROM information_schema.tables WHERE table_schema = %s ORDER BY table_name",
            (schema,),
        )
        if table_type in _TABLE_TYPES
    ]
    for kind, statement in (
        ("trigger", f"SELECT trigger_name FROM information_schema.triggers WHERE {_in_schema('trigger_schema')}"),
        ("event", f"SELECT event_name FROM information_schema.events WHERE {_in_schema('event_schema')}"),
    ):
        found += [(kind, name) for (name,) in query(connection, f"{statement} ORDER BY 1", (schema,))]
    routines = query(
        connection,
        "SELECT routine_type, routine_name FROM information_schema.routines"
        f" WHERE {_in_schema('routine_schema')} ORDER BY 1, 2",
        (schema,),
    )
    return found + [(kind.lower().replace(" ", "_"), name) for kind, name in routines]


def _in_schema(column: str) -> str:
    # The comparison alone would take shop for Shop as well; the server knows which one the session is in.
    return f"{column} = %s AND CAST({column} AS BINARY) = CAST(DATABASE() AS BINARY)"


def _definition(connection: Any, kind: str, name: str) -> str:
    (row,) = query(connection, f"SHOW CREATE {kind.upper().replace('_', ' ')} {identifier(name)}")
    column, mode_column = _DEFINITION_COLUMNS[kind]
    definition = row[column]
    if definition is None:
        raise RecoveryError(
            f"The definition of {kind.replace('_', ' ')} {name} is hidden from this account, so a dump would miss it "
            "without a word. Grant it SELECT on mysql.proc (MariaDB before 11.3), SHOW CREATE ROUTINE on the schema "
            "(MariaDB since), SHOW_ROUTINE (MySQL), or use the definer's account."
        )
    if kind == "table":
        # The next value is data: it moves with every row and comes back with the rows.
        body, bracket, options = definition.rpartition("\n)")
        definition = without_implied_charset(body + bracket + _AUTO_INCREMENT.sub("", options))
    mode = row[mode_column] if mode_column is not None else ""
    # The server keeps a body's surrounding white space as it came, and the way through a dump adds a newline.
    return f"{mode}\n{definition.strip()}"


def without_implied_charset(definition: str) -> str:
    """Given the definition of a table, return it without the character sets that a collation beside them implies.

    MySQL spells them out for a column once its table was created from the server's own words, and not before.
    """
    return _IMPLIED_CHARSET.sub("", definition)


def _hash(definition: str) -> str:
    return hashlib.sha256(definition.encode("utf-8", "surrogateescape")).hexdigest()


@dataclass(frozen=True)
class Difference:
    """What one inventory has otherwise than the expected one: lists of "type name"."""

    missing: list[str]
    unexpected: list[str]
    changed: list[str]

    def __bool__(self) -> bool:
        return bool(self.missing or self.unexpected or self.changed)

    def describe(self) -> str:
        """Return it in words: "missing: view v1; changed: table orders, table items"."""
        parts = (("missing", self.missing), ("unexpected", self.unexpected), ("changed", self.changed))
        return "; ".join(f"{word}: {some_of(names, _NAMED)}" for word, names in parts if names)


def compare(expected: Inventory, found: Inventory) -> Difference:
    """Compare two inventories by names and definitions."""
    before, after = _flat(expected), _flat(found)
    return Difference(
        missing=sorted(label(key) for key in before.keys() - after.keys()),
        unexpected=sorted(label(key) for key in after.keys() - before.keys()),
        changed=sorted(label(key) for key in before.keys() & after.keys() if before[key] != after[key]),
    )


def compare_names(expected: Collection[tuple[str, str]], found: Collection[tuple[str, str]]) -> Difference:
    """Compare (type, name) pairs, where definitions are not to be had."""
    return Difference(
        missing=sorted(label(key) for key in set(expected) - set(found)),
        unexpected=sorted(label(key) for key in set(found) - set(expected)),
        changed=[],
    )


def triggers_of(connection: Any, schema: str, tables: Collection[str]) -> set[str]:
    """Return the names of the triggers on some tables of a schema."""
    if not tables:
        return set()
    rows = query(
        connection,
        "SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = %s AND event_object_table IN %s",
        (schema, list(tables)),
    )
    return {row[0] for row in rows}


def without(inventory: Inventory, **left_out: Collection[str]) -> Inventory:
    """Return the inventory less some objects, given by type: table={"a"}, trigger={"on_a"}."""
    return {
        kind: {name: value for name, value in names.items() if name not in left_out.get(kind, ())}
        for kind, names in inventory.items()
    }


def objects_of(inventory: Inventory) -> list[tuple[str, str]]:
    """Return the (type, name) pairs of an inventory, sorted."""
    return sorted(_flat(inventory))


def _flat(inventory: Inventory) -> dict[tuple[str, str], str]:
    return {(kind, name): value for kind, names in inventory.items() for name, value in names.items()}


def label(key: tuple[str, str]) -> str:
    """Given a (type, name) pair, return it for a person: "package body billing"."""
    return f"{key[0].replace('_', ' ')} {key[1]}"
