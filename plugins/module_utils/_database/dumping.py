# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the dump client and hand on what it writes.

Private to the collection.
"""

from __future__ import annotations

import fcntl
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ansible_collections.dbops.recovery.plugins.module_utils._database.connection import Settings
from ansible_collections.dbops.recovery.plugins.module_utils._database.programs import (
    BLOCK_BYTES,
    Client,
    Program,
    option_file,
    read_blocks,
)

# Linux; the fcntl module has the name from Python 3.10 on.
_F_SETPIPE_SZ = 1031


@dataclass(frozen=True)
class DumpPlan:
    """How a schema is to be dumped.

    Attributes:
        exclude_tables: tables left out.
        broken_views: views left out, since the dump would end at them, with the server's words.
        with_history: with the old rows of system-versioned tables.
        lock_tables: hold read locks on all tables instead of one transaction, for engines without transactions.
        with_binlog: note the position of the binary log in a comment.
        without_locks: no LOCK TABLES around a table's rows. A default that takes the next value of a sequence cannot
            be loaded under one, since the client locks the table alone.
    """

    exclude_tables: tuple[str, ...] = ()
    broken_views: Mapping[str, str] = field(default_factory=dict)
    with_history: bool = False
    lock_tables: bool = False
    with_binlog: bool = False
    without_locks: bool = False


def dump_arguments(program: Program, schema: str, plan: DumpPlan) -> list[str]:
    """Return the dump client's arguments for a schema, by what the client can.

    Each option is here for a reason: one moment for all rows; row by row; bytes that no character set can harm; all
    that is stored besides tables; the same moments in every time zone; no rights beyond the schema; the same text for
    the same data.
    """
    arguments = [
        "--lock-tables" if plan.lock_tables else "--single-transaction",
        "--quick",
        "--hex-blob",
        "--routines",
        "--events",
        "--triggers",
        "--default-character-set=utf8mb4",
        "--tz-utc",
        "--no-tablespaces",
        "--max-allowed-packet=1G",
        "--skip-dump-date",
    ]
    if "column-statistics" in program.options:
        arguments.append("--column-statistics=0")
    if "set-gtid-purged" in program.options:
        arguments.append("--set-gtid-purged=" + ("COMMENTED" if plan.with_binlog else "OFF"))
    if plan.with_binlog:
        arguments.append("--source-data=2" if "source-data" in program.options else "--master-data=2")
    if plan.with_history:
        arguments.append("--dump-history")
    if plan.without_locks:
        arguments.append("--skip-add-locks")
    arguments += [f"--ignore-table={schema}.{table}" for table in (*plan.exclude_tables, *plan.broken_views)]
    return [*arguments, "--", schema]


def definition_arguments(program: Program, schema: str, broken: Iterable[str]) -> list[str]:
    """Return the dump client's arguments for the definitions of a schema alone, less what cannot be read."""
    *options, end, name = dump_arguments(program, schema, DumpPlan(exclude_tables=tuple(broken)))
    return [*options, "--no-data", end, name]


def read_dump(program: Program, settings: Settings, arguments: list[str]) -> Iterator[bytes]:
    """Run the dump client and yield its output in blocks; close the generator to end it early.

    Raise RecoveryError with its last words, after the last block, when it did not succeed.
    """
    with option_file(settings, program.flavour) as descriptor:
        client = Client(program, arguments, descriptor, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        try:
            output = client.stdout.fileno()
            try:
                fcntl.fcntl(output, _F_SETPIPE_SZ, BLOCK_BYTES)
            except OSError:
                pass  # over the user's limit: the pipe stays as it is
            yield from read_blocks(output)
            client.require_success(f"Dumping {arguments[-1]} failed")
        finally:
            client.end()
