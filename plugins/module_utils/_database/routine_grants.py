# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rights on single routines. The server takes them away with the routine, also from one that is made again at once.

So they are noted before routines go, and given again once they are back.

Private to the collection.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

from ansible_collections.dbops.recovery.plugins.module_utils._database.connection import (
    NO_RIGHT,
    identifier,
    number_of,
    query,
    words_of,
)
from ansible_collections.dbops.recovery.plugins.module_utils._database.inventory import Inventory
from ansible_collections.dbops.recovery.plugins.module_utils._database.privileges import quoted_account
from ansible_collections.dbops.recovery.plugins.module_utils._database.server import MARIADB, Server
from ansible_collections.dbops.recovery.plugins.module_utils._errors import Interrupted, RecoveryError
from ansible_collections.dbops.recovery.plugins.module_utils._text import some_of

# As an inventory calls them.
_ROUTINES = ("procedure", "function", "package", "package_body")
_GRANT_OPTION = "GRANT"
_NAMED = 10


class RoutineGrant(NamedTuple):
    """What an account, or a role (MariaDB's have no host), may do with one routine."""

    kind: str
    name: str
    user: str
    host: str
    privileges: tuple[str, ...]

    def statement(self, schema: str) -> str:
        """Return the statement that gives it."""
        privileges = ", ".join(each for each in self.privileges if each != _GRANT_OPTION) or "USAGE"
        routine = f"{self.kind.upper().replace('_', ' ')} {identifier(schema)}.{identifier(self.name)}"
        grantee = identifier(self.user) + (f"@{identifier(self.host)}" if self.host else "")
        option = " WITH GRANT OPTION" if _GRANT_OPTION in self.privileges else ""
        return f"GRANT {privileges} ON {routine} TO {grantee}{option}"


def routines_of(inventory: Inventory) -> set[tuple[str, str]]:
    """Return the (type, name) pairs of the routines in an inventory."""
    return {(kind, name) for kind in _ROUTINES for name in inventory.get(kind, ())}


def read_routine_grants(connection: Any, schema: str) -> list[RoutineGrant] | None:
    """Return the rights on the routines of a schema; None where the account may not see them. Raise RecoveryError."""
    try:
        rows = query(
            connection,
            "SELECT Routine_type, Routine_name, User, Host, Proc_priv FROM mysql.procs_priv WHERE Db = %s",
            (schema,),
        )
    except RecoveryError as error:
        if number_of(error) in NO_RIGHT:
            return None
        raise
    found = [[each.decode() if isinstance(each, bytes) else each for each in row] for row in rows]
    return [
        RoutineGrant(kind.lower().replace(" ", "_"), name, user, host, tuple(sorted(privileges.upper().split(","))))
        for kind, name, user, host, privileges in found
    ]


def noted_routine_grants(noted: Iterable[Iterable] | None) -> list[RoutineGrant] | None:
    """Return the rights that were noted as JSON."""
    if noted is None:
        return None
    return [RoutineGrant(kind, name, user, host, tuple(privileges)) for kind, name, user, host, privileges in noted]


def grant_again(
    connection: Any,
    server: Server,
    schema: str,
    wanted: Iterable[RoutineGrant] | None,
    made: Collection[tuple[str, str]],
) -> list[str]:
    """Give those of some rights that are missing on routines that are there; return warnings of what could not be done.

    Args:
        connection: to the server.
        server: the server.
        schema: the schema.
        wanted: the rights; None where nobody could see which there were.
        made: the routines, as (type, name), that were dropped, and perhaps made again.
    """
    there = _routines_in(connection, schema)
    if wanted is None:
        again = there & set(made)
        return [_unseen(connection, again)] if again else []
    present = set(read_routine_grants(connection, schema) or ())
    missing = [each for each in wanted if (each.kind, each.name) in there and each not in present]
    refused = _grant(connection, server, schema, missing) if missing else {}
    if not refused:
        return []
    first, statements = next(iter(refused.values())), " ".join(f"{statement};" for statement in refused)
    return [
        f"These rights went with routines of {schema} and could not be given again: {first} Type them as an "
        f"administrator: {statements}"
    ]


def _unseen(connection: Any, made: Collection[tuple[str, str]]) -> str:
    names = some_of(sorted(f"{kind.replace('_', ' ')} {name}" for kind, name in made), _NAMED)
    account = quoted_account(connection)
    return (
        "The server takes the rights on a routine away with it. Which there were on these could not be seen, so none "
        f"was given again: {names}. Look whether somebody needs EXECUTE on them. For the next time: "
        f"GRANT SELECT ON mysql.procs_priv TO {account};"
    )


def _routines_in(connection: Any, schema: str) -> set[tuple[str, str]]:
    rows = query(
        connection,
        "SELECT routine_type, routine_name FROM information_schema.routines WHERE routine_schema = %s",
        (schema,),
    )
    return {(kind.lower().replace(" ", "_"), name) for kind, name in rows}


def _grant(connection: Any, server: Server, schema: str, missing: Iterable[RoutineGrant]) -> dict[str, str]:
    """Give rights; return the statements that the server refused, with its words."""
    refused = {}
    # The grammar has packages in this mode alone, and in it no account is made of one that is gone by now.
    mode = "ORACLE" if server.flavour == MARIADB else ""
    query(connection, "SET SESSION sql_mode = %s", (mode,))
    for each in missing:
        statement = each.statement(schema)
        try:
            query(connection, statement)
        except Interrupted:
            raise
        except RecoveryError as error:
            refused[statement] = words_of(error.__cause__ or error)
    query(connection, "SET SESSION sql_mode = ''")
    return refused
