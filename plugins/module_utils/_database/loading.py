# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bring a schema to the state of a dump: take its objects away, load the dump.

Private to the collection.
"""

from __future__ import annotations

import queue
import re
import subprocess
import threading
from collections.abc import Iterable
from typing import Any, Callable, Union

from ansible_collections.dbops.recovery.plugins.module_utils._database.connection import (
    NO_TIME_LIMIT,
    Settings,
    connect,
    hang_up,
    identifier,
    query,
    send,
)
from ansible_collections.dbops.recovery.plugins.module_utils._database.inventory import Inventory
from ansible_collections.dbops.recovery.plugins.module_utils._database.programs import Client, Program, option_file
from ansible_collections.dbops.recovery.plugins.module_utils._database.server import Schema
from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError
from ansible_collections.dbops.recovery.plugins.module_utils._units import show_size

# Tables have gone before, and their triggers with them.
_DROP_ORDER = ("event", "view", "sequence", "procedure", "function", "package_body", "package")
LOCK_WAIT_SECONDS = 60
_KEPT_WARNINGS = 50
_MIB = 1024 * 1024
# Some say nothing of what was loaded: the value given for a generated column was ignored (1906; MariaDB's dumps give
# one, and it is computed again), events do not run because the server's scheduler is off, what MySQL calls deprecated
# (syntax 1287 and 1681, character sets and collations 3719 and 3778), and its copy of a body in information_schema.
_WARNING = re.compile(
    r"(?:Warning|Error) \(Code (?!(?:1287|1681|1906|3719|3778)\)|1105\): Event scheduler is switched off"
    r"|1300\): Cannot convert string .* from utf8mb4 to utf8mb3)\d+\): "
)


class NothingDropped(RecoveryError):
    """Nothing could be dropped, and all is as it was."""


def drop_objects(connection: Any, schema: str, inventory: Inventory) -> None:
    """Drop every object of an inventory from a schema.

    The tables go first and in one statement: the server takes the locks on all of them before it drops one, so that a
    session that holds a lock on one of them for a minute, or a right that is missing, prevents all of it.

    Raise NothingDropped then, and RecoveryError when another object cannot be dropped.
    """
    query(connection, f"USE {identifier(schema)}")
    query(connection, f"SET SESSION foreign_key_checks = 0, lock_wait_timeout = {LOCK_WAIT_SECONDS}")
    tables = sorted(inventory.get("table", ()))
    if tables:
        try:
            query(connection, f"DROP TABLE IF EXISTS {', '.join(identifier(table) for table in tables)}")
        except RecoveryError as error:
            if _all_there(connection, schema, tables):
                raise NothingDropped(str(error)) from error
            raise
    for kind in _DROP_ORDER:
        for name in inventory.get(kind, ()):
            _drop(connection, kind, name)


def _drop(connection: Any, kind: str, name: str) -> None:
    statement = f"DROP {kind.upper().replace('_', ' ')} IF EXISTS {identifier(name)}"
    if kind.startswith("package"):
        # The grammar has packages in this mode alone.
        query(connection, "SET SESSION sql_mode = 'ORACLE'")
        query(connection, statement)
        query(connection, "SET SESSION sql_mode = ''")
    else:
        query(connection, statement)


def _all_there(connection: Any, schema: str, tables: list[str]) -> bool:
    statement = "SELECT table_name FROM information_schema.tables WHERE table_schema = %s"
    return set(tables) <= {row[0] for row in query(connection, statement, (schema,))}


def create_schema(connection: Any, name: str, charset: str | None, collation: str | None) -> None:
    """Create a schema, with the character set and collation if they are known."""
    settings = f" CHARACTER SET {charset} COLLATE {collation}" if charset and collation else ""
    query(connection, f"CREATE DATABASE {identifier(name)}{settings}")


def set_schema_defaults(connection: Any, schema: Schema, charset: str | None, collation: str | None) -> None:
    """Give a schema this character set and collation for new tables where it has others."""
    if charset and collation and (schema.charset, schema.collation) != (charset, collation):
        query(connection, f"ALTER DATABASE {identifier(schema.name)} CHARACTER SET {charset} COLLATE {collation}")


def packet_problem(connection: Any, longest_statement: int) -> str | None:
    """Return in words why the server would not take a statement of so many bytes, or None if it would.

    A row of bytes is dumped as hexadecimal digits, so what the server could store it need not take back.
    """
    ((limit,),) = query(connection, "SELECT @@global.max_allowed_packet")
    if longest_statement < limit:
        return None
    enough = (longest_statement // _MIB + 2) * _MIB
    return (
        f"its longest statement has {show_size(longest_statement)}, and the server takes at most {show_size(limit)} "
        f"(max_allowed_packet). SET GLOBAL max_allowed_packet = {enough}, and in the server's option file too"
    )


def load_arguments(schema: str) -> list[str]:
    """Return the load client's arguments.

    No reconnecting, which would lose the session's settings; comments kept, since bodies of routines have them; bytes
    and backslashes taken as they are, and no command of the client's own but DELIMITER obeyed; no waiting all day for
    a session that holds a lock, and no limit to the time of a statement.
    """
    return [
        "--batch",
        "--binary-mode",
        "--comments",
        "--default-character-set=utf8mb4",
        "--max-allowed-packet=1G",
        "--show-warnings",
        "--skip-reconnect",
        f"--init-command=SET SESSION lock_wait_timeout = {LOCK_WAIT_SECONDS} {NO_TIME_LIMIT}",
        f"--database={schema}",
    ]


def load_dump(program: Program, settings: Settings, schema: str, blocks: Iterable[bytes]) -> list[str]:
    """Load a dump's plain bytes into a schema, as load_in_parallel does with one stream."""
    return load_in_parallel(program, settings, schema, [blocks])


def load_in_parallel(
    program: Program, settings: Settings, schema: str, streams: Iterable[Iterable[bytes]]
) -> list[str]:
    """Load streams of SQL into a schema, each by a client of its own; return the server's first warnings.

    When one fails the others are ended. Raise RecoveryError with the server's last words when a client did not take all
    of its stream; what a stream's source raises passes through.
    """
    doing = f"Loading into {schema} failed"
    with option_file(settings, program.flavour) as descriptor:
        return _at_once(lambda: _LoadClient(program, schema, descriptor, doing), streams)


def send_in_parallel(settings: Settings, schema: str, streams: Iterable[Iterable[bytes]]) -> list[str]:
    """Run streams of statements in a schema, each on a connection of its own; as load_in_parallel does.

    Who knows where each statement ends can spare the client, which reads every byte of it to find that out.
    """
    doing = f"Loading into {schema} failed"
    return _at_once(lambda: _Sender(settings, schema, doing), streams)


def _at_once(new_taker: Callable[[], _Taker], streams: Iterable[Iterable[bytes]]) -> list[str]:
    warnings: list[str] = []
    ended: queue.SimpleQueue[Exception | None] = queue.SimpleQueue()
    takers: list[_Taker] = []
    threads: list[threading.Thread] = []

    def run(taker: _Taker, stream: Iterable[bytes]) -> None:
        try:
            taker.take(stream, warnings)
            ended.put(None)
        except Exception as error:
            ended.put(error)

    try:
        for stream in streams:
            takers.append(new_taker())
            # Daemons: should this process be told to end twice, nobody must wait for them.
            threads.append(threading.Thread(target=run, args=(takers[-1], stream), daemon=True))
            threads[-1].start()
        for _taker in takers:
            error = ended.get()
            if error:
                raise error
        return warnings[:_KEPT_WARNINGS]
    finally:
        for taker in takers:
            taker.stop()
        for thread in threads:
            thread.join()
        for taker in takers:
            taker.end()


def _note(warnings: list[str], text: str) -> None:
    if _WARNING.match(text) and len(warnings) < _KEPT_WARNINGS:
        warnings.append(text)


class _LoadClient:
    """Takes SQL through the client program."""

    def __init__(self, program: Program, schema: str, descriptor: int, doing: str):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "bufsize": 0}
        self._client = Client(program, load_arguments(schema), descriptor, **pipes)
        self._doing = doing

    def take(self, blocks: Iterable[bytes], warnings: list[str]) -> None:
        listener = threading.Thread(target=_listen, args=(self._client.stdout, warnings), daemon=True)
        listener.start()
        try:
            for block in blocks:
                _write_all(self._client.stdin, block)
            self._client.stdin.close()
        except BrokenPipeError as error:
            self._client.require_success(self._doing)
            raise RecoveryError(f"{self._doing}: the client ended before it had taken all.") from error
        self._client.require_success(self._doing)
        listener.join()

    def stop(self) -> None:
        self._client.stop()

    def end(self) -> None:
        self._client.end()


class _Sender:
    """Takes statements through a connection."""

    def __init__(self, settings: Settings, schema: str, doing: str):
        self._connection = connect(settings)
        self._doing = doing
        query(self._connection, f"USE {identifier(schema)}")
        query(self._connection, f"SET SESSION lock_wait_timeout = {LOCK_WAIT_SECONDS}")

    def take(self, statements: Iterable[bytes], warnings: list[str]) -> None:
        for statement in statements:
            try:
                found = send(self._connection, statement)
            except RecoveryError as error:
                raise RecoveryError(f"{self._doing}: {error}") from error
            for level, number, words in found:
                _note(warnings, f"{level} (Code {number}): {words}")

    def stop(self) -> None:
        hang_up(self._connection)

    def end(self) -> None:
        self._connection.close()


_Taker = Union[_LoadClient, _Sender]


def _listen(output: Any, warnings: list[str]) -> None:
    for line in output:
        _note(warnings, line.decode("utf-8", "replace").strip())


def _write_all(pipe: Any, block: bytes) -> None:
    view = memoryview(block)
    while view:
        view = view[pipe.write(view) :]
