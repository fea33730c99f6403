# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The server's binary log: which part of it came after a backup, and that part as SQL.

It is read over the connection, so that it may be another host's. Whatever forbids that is a RecoveryError whose message
is the reason and what to do about it: nothing depends on the log but what can be said.

Private to the collection.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ansible_collections.dbops.recovery.plugins.module_utils._database.connection import (
    NO_RIGHT,
    Settings,
    number_of,
    query,
)
from ansible_collections.dbops.recovery.plugins.module_utils._database.privileges import Grant, has, quoted_account
from ansible_collections.dbops.recovery.plugins.module_utils._database.programs import (
    Client,
    Program,
    option_file,
    read_blocks,
)
from ansible_collections.dbops.recovery.plugins.module_utils._database.server import MARIADB, Server, host_of
from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError, os_error

# What a transaction is called belongs to the server that wrote it: replayed, it must get a name of its own.
_NAME_OF_TRANSACTION = re.compile(rb"/\*M!\d+ SET @@session\.(?:gtid_seq_no|gtid_domain_id|server_id)=")
_DOING = "Reading the binary log failed"


@dataclass(frozen=True)
class Span:
    """A part of the binary log: from a position in its first file to one in its last."""

    files: tuple[str, ...]
    start: int
    stop: int
    size: int

    def __str__(self) -> str:
        return f"{self.files[0]} position {self.start} to {self.files[-1]} position {self.stop}"


def log_files(connection: Any, grants: list[Grant], server: Server) -> dict[str, int]:
    """Return the files of the binary log, oldest first, with their sizes: that of the last is where it ends now.

    Raise RecoveryError when there is none, or the account may not read it.
    """
    ((log_bin,),) = query(connection, "SELECT @@log_bin")
    if not log_bin:
        raise RecoveryError("the server writes no binary log. Turn it on with log_bin in the server's configuration.")
    may_look = ("BINLOG MONITOR", "REPLICATION CLIENT", "SUPER")
    missing = [] if any(has(grants, right) for right in may_look) else [_may_look(server)]
    missing += [] if has(grants, "REPLICATION SLAVE") else ["REPLICATION SLAVE"]
    if missing:
        account = quoted_account(connection)
        raise RecoveryError(
            f"{account} may not read the server's binary log. GRANT {', '.join(missing)} ON *.* TO {account};"
        )
    return {row[0]: int(row[1]) for row in query(connection, "SHOW BINARY LOGS")}


def _may_look(server: Server) -> str:
    return "BINLOG MONITOR" if server.flavour == MARIADB else "REPLICATION CLIENT"


def logged_alike(connection: Any, server: Server, schemas: Iterable[str]) -> bool:
    """Return whether what is done in some schemas is in the log of all of them or of none, as far as can be seen.

    binlog_do_db and binlog_ignore_db keep schemas out of it. Raise RecoveryError.
    """
    newer = server.flavour != MARIADB and server.version_tuple >= (8, 2)
    try:
        rows = query(connection, "SHOW BINARY LOG STATUS" if newer else "SHOW MASTER STATUS")
    except RecoveryError as error:
        if number_of(error) in NO_RIGHT:
            return True
        raise
    if not rows:
        return True
    only, ignored = (names.split(",") if names else [] for names in rows[0][2:4])
    return len({name in only if only else name not in ignored for name in schemas}) == 1


def span_since(connection: Any, server: Server, noted: dict, hostname: str | None, files: dict[str, int]) -> Span:
    """Return the part of the log that came after a backup.

    Args:
        connection: to the server.
        server: the server.
        noted: what the backup's manifest has of the log (file, position, gtid).
        hostname: what its server called its host.
        files: the log, as log_files() has it, at the end of the part.
    Raises:
        RecoveryError: that place is not in the log any more, or it is another server's.
    """
    if not noted.get("file") or not noted.get("position"):
        raise RecoveryError(
            "the backup does not note its place in the binary log: it was off, or the account that made the backup "
            f"may not read it (GRANT {_may_look(server)} ON *.*)."
        )
    file, start = noted["file"], noted["position"]
    if files.get(file, 0) < start or not _is_that_log(connection, server, noted, hostname):
        raise RecoveryError(
            f"the binary log has nothing of the backup's moment any more ({file}, position {start}): it was purged, or "
            "is that of another server. Have the server keep it for longer (binlog_expire_logs_seconds) than the time "
            "from one backup to the next."
        )
    names = list(files)
    names = names[names.index(file) :]
    size = sum(files[name] for name in names) - start
    return Span(tuple(names), start, files[names[-1]], size)


def _is_that_log(connection: Any, server: Server, noted: dict, hostname: str | None) -> bool:
    """Say whether a place in the log is the one that was noted: file and position alone may be any server's."""
    gtid = noted.get("gtid")
    if gtid and server.flavour == MARIADB:
        ((here,),) = query(connection, "SELECT BINLOG_GTID_POS(%s, %s)", (noted["file"], noted["position"]))
        return here is not None and set(here.split(",")) == set(gtid.split(","))
    if host_of(connection) != hostname:
        return False
    return not gtid or bool(query(connection, "SELECT GTID_SUBSET(%s, @@gtid_executed)", (gtid,))[0][0])


def logs_rows_only(connection: Any) -> bool:
    """Return whether all changes of rows are in the log by their table, not by the statement and its default schema."""
    return query(connection, "SELECT @@global.binlog_format")[0][0] == "ROW"


def log_arguments(program: Program, schema: str, span: Span, scratch: str) -> list[str]:
    """Return the arguments of the program that prints a part of the log: of one schema, rows also in words."""
    arguments = [
        "--read-from-remote-server",
        "--verbose",
        f"--database={schema}",
        # Where it puts the files of LOAD DATA, which would stay behind.
        f"--local-load={scratch}",
        f"--start-position={span.start}",
        f"--stop-position={span.stop}",
    ]
    if "skip-gtids" in program.options:
        # MySQL would leave out without a word what it has done once under that name.
        arguments.append("--skip-gtids")
    return [*arguments, "--", *span.files]


def read_log(program: Program, settings: Settings, schema: str, span: Span) -> Iterator[bytes]:
    """Yield the lines of what was done to one schema in a part of the log, as SQL that can be replayed.

    Close the generator to end it early. Raise RecoveryError with the program's words when it did not succeed, or the
    system's when it could not be run.
    """
    try:
        with tempfile.TemporaryDirectory() as scratch, option_file(settings, program.flavour) as descriptor:
            arguments = log_arguments(program, schema, span, scratch)
            client = Client(program, arguments, descriptor, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
            try:
                for line in lines_of(read_blocks(client.stdout.fileno())):
                    if not _NAME_OF_TRANSACTION.match(line):
                        yield line
                client.require_success(_DOING)
            finally:
                client.end()
    except OSError as error:
        raise os_error(_DOING, error) from error


def lines_of(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the lines of some blocks, each with its newline."""
    rest = b""
    for block in blocks:
        *lines, rest = (rest + block).split(b"\n")
        for line in lines:
            yield line + b"\n"
    if rest:
        yield rest
