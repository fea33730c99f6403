# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can be seen of a server and of one of its schemas.

Private to the collection.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from ansible_collections.dbops.recovery.plugins.module_utils._database.connection import query
from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError

MARIADB = "mariadb"
MYSQL = "mysql"
# The value of lower_case_table_names with which the server turns the names of schemas and tables into lower case.
LOWER_CASE = 1
SYSTEM_SCHEMAS = ("information_schema", "mysql", "performance_schema", "sys")


@dataclass(frozen=True)
class Server:
    """A server: its flavour and version, and where it keeps its data."""

    flavour: str
    version: str
    datadir: str
    lower_case_table_names: int

    @property
    def version_tuple(self) -> tuple[int, ...]:
        """The numbers of the version: (10, 11, 19)."""
        return version_tuple(self.version)


def version_tuple(version: str) -> tuple[int, ...]:
    """Return the numbers of a version: (10, 11, 19) of "10.11.19-MariaDB-0+deb12u1"."""
    return tuple(int(part) for part in version.split("-")[0].split(".") if part.isdigit())


@dataclass(frozen=True)
class Schema:
    """A schema's own settings, and the size of its rows and of its secondary indexes on the server, in bytes."""

    name: str
    charset: str
    collation: str
    data_bytes: int
    index_bytes: int


def look_at_server(connection: Any) -> Server:
    """Return what the server says of itself."""
    ((version, comment, datadir, lower_case),) = query(
        connection, "SELECT @@version, @@version_comment, @@datadir, @@lower_case_table_names"
    )
    flavour = MARIADB if "mariadb" in f"{version} {comment}".lower() else MYSQL
    return Server(flavour, version, datadir, int(lower_case))


def identity(connection: Any) -> str:
    """Return what tells a server from others, however it is reached."""
    ((datadir,),) = query(connection, "SELECT @@datadir")
    return f"{host_of(connection)}:{datadir}"


def host_of(connection: Any) -> str:
    """Return what a server calls its host, as the manifest's "server" has it."""
    ((hostname,),) = query(connection, "SELECT @@hostname")
    return hostname


def refuse_system_schema(name: str) -> None:
    """Raise RecoveryError when the name is one of the server's own schemas."""
    if name.lower() in SYSTEM_SCHEMAS:
        raise RecoveryError(
            f"database: {name} belongs to the server itself; it is neither backed up nor restored here."
        )


def refuse_other_spelling(connection: Any, server: Server, name: str) -> None:
    """Raise RecoveryError where the server takes a name for that of a schema which it spells otherwise.

    It would find the schema, and list what is in it under another name than the one that was asked for.
    """
    if not server.lower_case_table_names:
        return
    schemas = [row[0] for row in query(connection, "SELECT schema_name FROM information_schema.schemata")]
    known = [schema for schema in schemas if schema.lower() == name.lower()]
    wanted = known[0] if known else name.lower() if server.lower_case_table_names == LOWER_CASE else name
    if name != wanted:
        raise RecoveryError(
            f"database: this server takes upper and lower case for the same (lower_case_table_names is "
            f"{server.lower_case_table_names}), and its word for {name} is {wanted}. Nothing was touched. Say "
            f"database: {wanted}."
        )


def find_schema(connection: Any, name: str, exclude_tables: Collection[str] = ()) -> Schema | None:
    """Return a schema, its size without some tables; None when there is none that the account may see."""
    rows = query(
        connection,
        "SELECT default_character_set_name, default_collation_name FROM information_schema.schemata"
        " WHERE schema_name = %s",
        (name,),
    )
    if not rows:
        return None
    ((data_bytes, index_bytes),) = query(
        connection,
        "SELECT COALESCE(SUM(data_length), 0), COALESCE(SUM(index_length), 0) FROM information_schema.tables"
        " WHERE table_schema = %s AND table_type <> 'VIEW' AND table_name NOT IN %s",
        (name, [*exclude_tables, ""]),
    )
    return Schema(name, rows[0][0], rows[0][1], int(data_bytes), int(index_bytes))


def require_schema(connection: Any, name: str, place: str, exclude_tables: Collection[str] = ()) -> Schema:
    """Return a schema as find_schema does. Raise RecoveryError that lists those there are when it is missing."""
    schema = find_schema(connection, name, exclude_tables)
    if schema:
        return schema
    rows = query(connection, "SELECT schema_name FROM information_schema.schemata ORDER BY schema_name")
    others = [row[0] for row in rows if row[0].lower() not in SYSTEM_SCHEMAS]
    seen = ", ".join(others) if others else "none"
    raise RecoveryError(f"database: {name} is not there for {place}. Databases that this account sees: {seen}.")


def non_transactional_tables(connection: Any, schema: str) -> dict[str, str]:
    """Return the tables whose rows one snapshot does not cover, with their engines."""
    rows = query(
        connection,
        "SELECT t.table_name, t.engine FROM information_schema.tables t"
        " LEFT JOIN information_schema.engines e ON e.engine = t.engine"
        " WHERE t.table_schema = %s AND t.table_type IN ('BASE TABLE', 'SYSTEM VERSIONED')"
        " AND COALESCE(e.transactions, 'NO') <> 'YES'"
        " ORDER BY t.table_name",
        (schema,),
    )
    return dict(rows)


def facts_for_manifest(connection: Any, server: Server, schema: Schema) -> dict:
    """Return the manifest's "server": what a restore elsewhere must know."""
    ((sql_mode, time_zone),) = query(connection, "SELECT @@global.sql_mode, @@global.time_zone")
    return {
        "flavour": server.flavour,
        "version": server.version,
        "hostname": host_of(connection),
        "sql_mode": sql_mode,
        "time_zone": time_zone,
        "lower_case_table_names": server.lower_case_table_names,
        "charset": schema.charset,
        "collation": schema.collation,
        "data_bytes": schema.data_bytes + schema.index_bytes,
    }
