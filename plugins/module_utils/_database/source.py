# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The schema that is to be backed up: looked at before anything is written, and refused where a dump would lose some.

Private to the collection.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.dbops.recovery.plugins.module_utils._database import server as servers
from ansible_collections.dbops.recovery.plugins.module_utils._database import staging
from ansible_collections.dbops.recovery.plugins.module_utils._database.connection import (
    PYMYSQL_ERRORS,
    Settings,
    connect,
    identifier,
    query,
    settings_from,
    words_of,
)
from ansible_collections.dbops.recovery.plugins.module_utils._database.dumping import DumpPlan
from ansible_collections.dbops.recovery.plugins.module_utils._database.inventory import (
    Inventory,
    read_inventory,
    triggers_of,
    without,
)
from ansible_collections.dbops.recovery.plugins.module_utils._database.privileges import (
    Grant,
    Lack,
    has,
    lacks_for_dump,
    quoted_account,
    read_grants,
)
from ansible_collections.dbops.recovery.plugins.module_utils._database.programs import DUMP, Program, find_program
from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError

# What to do about tables whose rows one transaction does not hold still.
FAIL = "fail"
LOCK = "lock"
ACCEPT = "accept"


@dataclass(frozen=True)
class Source:
    """A schema and all that is needed to dump it.

    Attributes:
        settings, connection, server, program: where it is, and what dumps it.
        grants: the account's rights.
        schema: the schema.
        policy: FAIL, LOCK or ACCEPT.
        without_broken_views: whether views that cannot be read are left out; else they are a reason to refuse.
        plan: how it is dumped.
        inventory: what the dump has to hold.
        non_transactional: the tables whose rows one transaction does not hold still, with their engines.
    """

    settings: Settings
    connection: Any
    server: servers.Server
    program: Program
    grants: list[Grant]
    schema: servers.Schema
    policy: str
    without_broken_views: bool
    plan: DumpPlan
    inventory: Inventory = field(default_factory=dict)
    non_transactional: dict[str, str] = field(default_factory=dict)


def look_at_source(
    options: dict, database: str, exclude_tables: list[str], non_transactional: str, without_broken_views: bool = False
) -> Source:
    """Connect, look, and plan the dump of a schema.

    Args:
        options: a module's connection options.
        database: the schema's name.
        exclude_tables: tables to leave out.
        non_transactional: FAIL, LOCK or ACCEPT.
        without_broken_views: leave out the views that cannot be read; else they are a reason to refuse.
    Raises:
        RecoveryError: it cannot be backed up whole; the message names what is in the way, and what to do.
    """
    settings = settings_from(options)
    connection = connect(settings)
    server = servers.look_at_server(connection)
    servers.refuse_other_spelling(connection, server, database)
    schema = servers.require_schema(connection, database, settings.place, exclude_tables)
    program = find_program(DUMP, server)
    _refuse_half_restored(connection, database)
    grants = read_grants(connection, server)
    _require_privileges(connection, lacks_for_dump(grants, server, database, _views(connection, database)), database)
    plan = DumpPlan(exclude_tables=tuple(sorted(exclude_tables)))
    source = Source(
        settings, connection, server, program, grants, schema, non_transactional, without_broken_views, plan
    )
    return look_again(source)


def look_again(source: Source) -> Source:
    """Return a source with what is in it now, and with the plan that this takes. Raise RecoveryError as above."""
    connection, server, program, database = source.connection, source.server, source.program, source.schema.name
    inventory = _included(connection, database, source.plan.exclude_tables)
    broken_views = unreadable_views(connection, database, inventory.get("view", ()))
    if not source.without_broken_views:
        _refuse_broken_views(broken_views, database)
    tables = set(inventory.get("table", ()))
    loose = {
        table: engine
        for table, engine in servers.non_transactional_tables(connection, database).items()
        if table in tables
    }
    _require_still_rows(loose, source.policy, database)
    lock_tables = bool(loose) and source.policy == LOCK
    plan = DumpPlan(
        exclude_tables=source.plan.exclude_tables,
        broken_views=broken_views,
        with_history=_with_history(connection, program, database, tables),
        lock_tables=lock_tables,
        # Without a transaction the clients know the place only while they hold the whole server still.
        with_binlog=not lock_tables and _may_read_binlog(connection, source.grants, server),
        without_locks=has_sequence_defaults(connection, database),
    )
    if lock_tables and not has(source.grants, "LOCK TABLES", database):
        lack = Lack("LOCK TABLES", f"GRANT LOCK TABLES ON {identifier(database)}.*", "nothing, but it cannot lock them")
        _require_privileges(connection, [lack], database)
    return replace(source, inventory=without(inventory, view=broken_views), plan=plan, non_transactional=loose)


def inventory_now(source: Source) -> Inventory:
    """Return the source's inventory as it is now."""
    inventory = _included(source.connection, source.schema.name, source.plan.exclude_tables)
    return without(inventory, view=source.plan.broken_views)


def count_rows(connection: Any, database: str, tables: Iterable[str]) -> dict[str, int]:
    """Count the rows of tables as they are now, with the history of system-versioned ones, as a dump has them."""
    versioned = versioned_tables(connection, database)
    counted = {}
    for table in tables:
        history = " FOR SYSTEM_TIME ALL" if table in versioned else ""
        statement = f"SELECT COUNT(*) FROM {identifier(database)}.{identifier(table)}{history}"
        counted[table] = query(connection, statement)[0][0]
    return counted


def versioned_tables(connection: Any, database: str) -> set[str]:
    """Return the system-versioned tables of a schema."""
    statement = (
        "SELECT table_name FROM information_schema.tables WHERE table_schema = %s AND table_type = 'SYSTEM VERSIONED'"
    )
    return {row[0] for row in query(connection, statement, (database,))}


def _refuse_half_restored(connection: Any, database: str) -> None:
    """Raise RecoveryError when a restore has stopped in the middle of its swap, as far as the account may see that."""
    try:
        journals = staging.journals_of(connection, database)
    except RecoveryError:
        return  # what others have left is not this account's to read
    for journal in journals:
        if journal.state == staging.SWAPPING:
            raise RecoveryError(
                f"{journal.describe()} is in the middle of its swap, so {database} may be half of the one and half of "
                f"the other. Nothing was written. If that restore is dead, take it back by db_restore with undo: true "
                f"and database: {database}; then back up."
            )


def _included(connection: Any, database: str, exclude_tables: Collection[str]) -> Inventory:
    inventory = read_inventory(connection, database)
    unknown = sorted(set(exclude_tables) - set(inventory.get("table", ())))
    if unknown:
        raise RecoveryError(f"exclude_tables: {', '.join(unknown)} is not among the tables of {database}.")
    triggers = triggers_of(connection, database, exclude_tables)
    return without(inventory, table=exclude_tables, trigger=triggers)


def _views(connection: Any, database: str) -> list[str]:
    statement = "SELECT table_name FROM information_schema.tables WHERE table_schema = %s AND table_type = 'VIEW'"
    return sorted(row[0] for row in query(connection, statement, (database,)))


def _require_privileges(connection: Any, lacks: list[Lack], database: str) -> None:
    if not lacks:
        return
    account = quoted_account(connection)
    raise RecoveryError(
        f"A backup of {database} by {account} would not be whole. For want of these rights the server hides:\n"
        + "\n".join(f"- {lack.privilege}: {lack.hides}. {lack.grant} TO {account};" for lack in lacks)
        + "\nNothing was written. Grant them, or back up with another account."
    )


def views_of_excluded(source: Source) -> list[str]:
    """Return the views of a source that read from tables that are left out, also by way of other views."""
    if not source.plan.exclude_tables:
        return []  # nearly always so, and the server opens every view to show its definition
    statement = "SELECT table_name, view_definition FROM information_schema.views WHERE table_schema = %s ORDER BY 1"
    definitions = dict(query(source.connection, statement, (source.schema.name,)))
    gone, found = set(source.plan.exclude_tables), set()
    while gone:
        places = [f"{identifier(source.schema.name)}.{identifier(name)}" for name in gone]
        gone = {name for name, text in definitions.items() if any(place in text for place in places)} - found
        found |= gone
    return sorted(found)


def unreadable_views(connection: Any, database: str, views: Iterable[str]) -> dict[str, str]:
    """Return those of some views that the server cannot read, with its words."""
    broken = {}
    for view in views:
        try:
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT * FROM {identifier(database)}.{identifier(view)} LIMIT 0")
        except PYMYSQL_ERRORS as error:
            broken[view] = words_of(error)
    return broken


def _refuse_broken_views(broken: dict[str, str], database: str) -> None:
    if broken:
        raise RecoveryError(
            f"These views of {database} cannot be read, and the dump would end at the first of them:\n"
            + "\n".join(f"- {view}: {words}" for view, words in broken.items())
            + "\nNothing was written. Repair or drop them; a view usually breaks when a table or column under it goes."
        )


def _require_still_rows(loose: dict[str, str], non_transactional: str, database: str) -> None:
    if loose and non_transactional == FAIL:
        named = ", ".join(f"{table} ({engine})" for table, engine in loose.items())
        raise RecoveryError(
            f"These tables of {database} have an engine without transactions, so a backup could hold half of a change "
            f"to them: {named}. Nothing was written. Set non_transactional to lock (they cannot be written to during "
            "the backup) or to accept (nothing writes to them meanwhile, or it does not matter); better, ALTER TABLE "
            "... ENGINE=InnoDB."
        )


def _with_history(connection: Any, program: Program, database: str, tables: set[str]) -> bool:
    versioned = sorted(versioned_tables(connection, database) & tables)
    if versioned and "dump-history" not in program.options:
        raise RecoveryError(
            f"The history of the system-versioned tables {', '.join(versioned)} would be lost: {program.version} "
            "cannot dump it. Nothing was written. Use the client programs of MariaDB 10.11 or newer, which work with "
            "older servers too, or leave the tables out by exclude_tables."
        )
    return bool(versioned)


def has_sequence_defaults(connection: Any, database: str) -> bool:
    """Return whether a column of a schema takes its default from a sequence."""
    statement = (
        "SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = %s AND column_default LIKE '%%nextval(%%'"
    )
    return bool(query(connection, statement, (database,))[0][0])


def _may_read_binlog(connection: Any, grants: list[Grant], server: servers.Server) -> bool:
    ((log_bin,),) = query(connection, "SELECT @@log_bin")
    if not log_bin:
        return False
    if server.flavour == servers.MARIADB:
        # MariaDB knows the position of a transaction's snapshot; no lock is taken.
        return any(has(grants, right) for right in ("BINLOG MONITOR", "REPLICATION CLIENT", "SUPER"))
    # MySQL's client holds a short global read lock for it.
    return has(grants, "REPLICATION CLIENT") and any(has(grants, right) for right in ("RELOAD", "FLUSH_TABLES"))
