# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an account may see. A dump leaves out without a word what it may not, so that is asked beforehand.

Private to the collection.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ansible_collections.dbops.recovery.plugins.module_utils._database.connection import identifier, query
from ansible_collections.dbops.recovery.plugins.module_utils._database.server import MARIADB, Server
from ansible_collections.dbops.recovery.plugins.module_utils._text import some_of

ALL = "ALL PRIVILEGES"
_GRANT = re.compile(
    r"(?P<verb>GRANT|REVOKE) (?P<privileges>.+?) ON (?:(?P<type>TABLE|PROCEDURE|FUNCTION|PACKAGE BODY|PACKAGE) )?"
    r"(?P<schema>`(?:[^`]|``)+`|\*)\.(?P<object>`(?:[^`]|``)+`|\*) (?:TO|FROM) ",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Grant:
    """One line of SHOW GRANTS: privileges on everything (schema None), a schema pattern, or one object in it."""

    privileges: frozenset[str]
    schema: str | None
    object: str | None
    revoked: bool = False


def parse_grants(lines: Iterable[str]) -> list[Grant]:
    """Given the lines of SHOW GRANTS, return the grants. Those of roles and of single columns say nothing here."""
    grants = []
    for line in lines:
        match = _GRANT.match(line)
        if not match:
            continue
        # A privilege on columns, "SELECT (a, b)", does not let the account read the table.
        names = re.findall(r"([A-Za-z_ ]+?)\s*(\([^)]*\))?(?:,|$)", match["privileges"])
        grants.append(
            Grant(
                privileges=frozenset(name.strip().upper() for name, columns in names if not columns and name.strip()),
                schema=_name(match["schema"]),
                object=_name(match["object"]),
                revoked=match["verb"].upper() == "REVOKE",
            )
        )
    return grants


def _name(quoted: str) -> str | None:
    return None if quoted == "*" else quoted[1:-1].replace("``", "`")


def read_grants(connection: Any, server: Server) -> list[Grant]:
    """Return the grants of the account and of the roles that it acts in."""
    lines = query(connection, "SHOW GRANTS")
    ((role,),) = query(connection, "SELECT CURRENT_ROLE()")
    if role and role != "NONE":
        # The server's own quoting of the role is what the statement wants back.
        of_role = "CURRENT_ROLE" if server.flavour == MARIADB else f"CURRENT_USER() USING {role}"
        lines += query(connection, f"SHOW GRANTS FOR {of_role}")
    return parse_grants(row[0] for row in lines)


def has(grants: Iterable[Grant], privilege: str, schema: str | None = None, table: str | None = None) -> bool:
    """Return whether the grants give a privilege on a whole schema (or everything, or one table)."""
    held = False
    for grant in grants:
        covers = grant.schema is None or (schema is not None and _matches(grant.schema, schema))
        covers = covers and grant.object in (None, table)
        if covers and grant.privileges & {privilege, ALL, "ALL"}:
            if grant.revoked:
                return False
            held = True
    return held


def _matches(pattern: str, schema: str) -> bool:
    """Compare a schema with the pattern of a grant: % and _ are wildcards unless escaped, as with LIKE."""
    expression = ""
    position = 0
    while position < len(pattern):
        character = pattern[position]
        if character == "\\" and position + 1 < len(pattern):
            position += 1
            expression += re.escape(pattern[position])
        else:
            expression += {"%": ".*", "_": "."}.get(character, re.escape(character))
        position += 1
    return re.fullmatch(expression, schema, re.DOTALL) is not None


@dataclass(frozen=True)
class Lack:
    """A privilege that is missing, the statement that would give it, and what a backup would lose without it."""

    privilege: str
    grant: str
    hides: str


def lacks_for_dump(grants: list[Grant], server: Server, schema: str, views: list[str]) -> list[Lack]:
    """Return what an account lacks to see all of a schema, and so to back all of it up."""
    on_schema = f"ON {identifier(schema)}.*"
    lacks = []
    if not has(grants, "SELECT", schema):
        lacks.append(
            Lack("SELECT", f"GRANT SELECT {on_schema}", "every table and view that it was not granted one by one")
        )
    if not has(grants, "SHOW VIEW", schema):
        lacks.append(Lack("SHOW VIEW", f"GRANT SHOW VIEW {on_schema}", f"the definitions of views{_named(views)}"))
    if not has(grants, "TRIGGER", schema):
        lacks.append(Lack("TRIGGER", f"GRANT TRIGGER {on_schema}", "every trigger"))
    if not has(grants, "EVENT", schema):
        lacks.append(Lack("EVENT", f"GRANT EVENT {on_schema}", "every event"))
    routines = _routine_lack(grants, server, schema)
    return [*lacks, routines] if routines else lacks


def _named(views: list[str], limit: int = 10) -> str:
    if not views:
        return ""
    return f" ({some_of(views, limit)})"


def _routine_lack(grants: list[Grant], server: Server, schema: str) -> Lack | None:
    hides = "every procedure and function of another definer"
    # Who may run or change any routine of the schema sees all their names; a hidden definition is noticed later then.
    if has(grants, "SELECT") or any(has(grants, right, schema) for right in ("EXECUTE", "ALTER ROUTINE")):
        return None
    if server.flavour == MARIADB:
        if has(grants, "SELECT", "mysql", "proc") or has(grants, "SHOW CREATE ROUTINE", schema):
            return None
        grant = "GRANT SELECT ON `mysql`.`proc`"
        if server.version_tuple >= (11, 3):
            grant = f"GRANT SHOW CREATE ROUTINE ON {identifier(schema)}.*"
        return Lack("SELECT on mysql.proc" if server.version_tuple < (11, 3) else "SHOW CREATE ROUTINE", grant, hides)
    if has(grants, "SHOW_ROUTINE"):
        return None
    return Lack("SHOW_ROUTINE", "GRANT SHOW_ROUTINE ON *.*", hides)


def quoted_account(connection: Any) -> str:
    """Return the account that the server took us for, as GRANT wants it; it need not be the name that we gave."""
    ((account,),) = query(connection, "SELECT CURRENT_USER()")
    user, _at, host = account.rpartition("@")
    return f"'{user}'@'{host}'"


# What loading a dump does to any schema, and what it does besides for some types of objects.
_TO_LOAD = ("SELECT", "INSERT", "CREATE", "ALTER", "DROP", "LOCK TABLES")
_ROUTINE_RIGHTS = ("CREATE ROUTINE", "ALTER ROUTINE")
_TO_LOAD_BY_TYPE = {
    "view": ("CREATE VIEW", "SHOW VIEW"),
    "trigger": ("TRIGGER",),
    "event": ("EVENT",),
    "procedure": _ROUTINE_RIGHTS,
    "function": _ROUTINE_RIGHTS,
    "package": _ROUTINE_RIGHTS,
}


def missing_to_load(grants: list[Grant], schema: str, types: Iterable[str]) -> list[str]:
    """Return the rights on a schema that an account lacks to drop and load objects of these types."""
    needed = [*_TO_LOAD, *(right for each in sorted(set(types)) for right in _TO_LOAD_BY_TYPE.get(each, ()))]
    return [right for right in dict.fromkeys(needed) if not has(grants, right, schema)]


# The types of objects whose bodies could make replicas differ.
LOGGED_BODIES = ("trigger", "function")


def may_create_logged_bodies(connection: Any, grants: list[Grant]) -> bool:
    """Return whether the account may create triggers and functions, as far as the binary log has a say in it."""
    ((logged, trusted),) = query(connection, "SELECT @@log_bin, @@log_bin_trust_function_creators")
    return not logged or bool(trusted) or has(grants, "SUPER")


# By the names that the versions of both flavours have for it.
_SET_DEFINER = ("SUPER", "SET USER", "SET_USER_ID", "SET_ANY_DEFINER")


def definers_of(connection: Any, schema: str) -> set[str]:
    """Return the definers of a schema's objects."""
    found = query(
        connection,
        "SELECT definer FROM information_schema.views WHERE table_schema = %s"
        " UNION SELECT definer FROM information_schema.triggers WHERE trigger_schema = %s"
        " UNION SELECT definer FROM information_schema.routines WHERE routine_schema = %s"
        " UNION SELECT definer FROM information_schema.events WHERE event_schema = %s",
        (schema,) * 4,
    )
    return {definer for (definer,) in found}


def foreign_definers(connection: Any, grants: list[Grant], definers: set[str]) -> list[str]:
    """Return those of the definers in whose name the account may not create objects."""
    if any(has(grants, right) for right in _SET_DEFINER):
        return []
    ((account,),) = query(connection, "SELECT CURRENT_USER()")
    return sorted(definers - {account})


def existing_accounts(connection: Any, accounts: Iterable[tuple[str, str | None]]) -> set[tuple[str, str | None]]:
    """Return those of some accounts (user, host) and roles (name, None) that are there.

    Raise RecoveryError when the account may not read the table of accounts.
    """
    wanted = set(accounts)
    rows = query(connection, "SELECT User, Host FROM mysql.user")
    there = {tuple(each.decode() if isinstance(each, bytes) else each for each in row) for row in rows}
    return {(user, host) for user, host in wanted if (user, host or "") in there}


_TO_STAGE = ("SELECT", "INSERT", "CREATE", "ALTER", "DROP", "LOCK TABLES")


def missing_to_stage(grants: list[Grant], *schemas: str) -> list[str]:
    """Return the rights that an account lacks on schemas that a swap makes beside the live one."""
    return [right for right in _TO_STAGE if not all(has(grants, right, schema) for schema in schemas)]
