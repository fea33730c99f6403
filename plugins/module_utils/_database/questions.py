# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The user's own queries: what is asked of a restored database, and what must come back.

Private to the collection.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from ansible_collections.dbops.recovery.plugins.module_utils._database.connection import identifier, query
from ansible_collections.dbops.recovery.plugins.module_utils._errors import Interrupted, RecoveryError

# Rows that are shown of an answer.
_SHOWN = 5


@dataclass(frozen=True)
class Answer:
    """What came back on a query: its name, whether that is right, and in words what it was or what is wrong with it."""

    name: str
    right: bool
    detail: str


def ask(connection: Any, database: str, wanted: dict) -> Answer:
    """Ask a query of a database and hold the answer against what it should be.

    Args:
        connection: to its server.
        database: the schema that the query is asked in.
        wanted: the query, as the option queries of backup_verify has it.
    """
    name = wanted["name"] or wanted["sql"]
    try:
        query(connection, f"USE {identifier(database)}")
        rows = query(connection, wanted["sql"])
    except Interrupted:
        raise
    except RecoveryError as error:
        return Answer(name, False, str(error))
    problem = answer_problem(rows, wanted)
    return Answer(name, problem is None, problem or _shown(rows))


def answer_problem(rows: list[tuple], wanted: dict) -> str | None:
    """Given a query's rows and what is wanted (rows, min, max), return what is wrong with them, or None.

    Values are compared as text, except for min and max, which compare the one value of the one row as a number.
    """
    if wanted["rows"] is not None:
        expected = [[_text(value) for value in row] for row in wanted["rows"]]
        found = [[_text(value) for value in row] for row in rows]
        if expected != found:
            return f"{_shown(rows)}, wanted {_shown(wanted['rows'])}"
    if wanted["min"] is None and wanted["max"] is None:
        return None
    if len(rows) != 1 or len(rows[0]) != 1:
        return f"min and max compare one value, {_shown(rows)} came"
    try:
        value = Decimal(_text(rows[0][0]))
    except InvalidOperation:
        return f"min and max compare a number, {_shown(rows)} came"
    if wanted["min"] is not None and value < Decimal(str(wanted["min"])):
        return f"{value}, at least {wanted['min']} wanted"
    if wanted["max"] is not None and value > Decimal(str(wanted["max"])):
        return f"{value}, at most {wanted['max']} wanted"
    return None


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return "NULL" if value is None else str(value)


def _shown(rows: Any) -> str:
    some = [" | ".join(_text(value) for value in row) for row in list(rows)[:_SHOWN]]
    return "; ".join(some) + (f" and {len(rows) - _SHOWN} more rows" if len(rows) > _SHOWN else "") or "no row"
