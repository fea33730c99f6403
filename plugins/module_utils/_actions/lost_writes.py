# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a restore takes away: all that was written to the database between the backup and now.

The server's binary log knows, where it is on and the account may read it. Where it ends is noted at the last moment
before the old tables go; it is read when the new ones are there, so that nobody waits for it. Nothing in here may stop
a restore: what cannot be known is said to be unknown, with the reason.

Private to the collection.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from shlex import quote

from ansible_collections.dbops.recovery.plugins.module_utils._actions.target import Target
from ansible_collections.dbops.recovery.plugins.module_utils._archive import catalog, codec
from ansible_collections.dbops.recovery.plugins.module_utils._archive.dump import CHUNK_BYTES, Section
from ansible_collections.dbops.recovery.plugins.module_utils._archive.writer import write_archive
from ansible_collections.dbops.recovery.plugins.module_utils._database.binlog import (
    Span,
    log_files,
    logs_rows_only,
    read_log,
    span_since,
)
from ansible_collections.dbops.recovery.plugins.module_utils._database.programs import LOG, Program, find_program
from ansible_collections.dbops.recovery.plugins.module_utils._database.written import Written
from ansible_collections.dbops.recovery.plugins.module_utils._errors import Interrupted, RecoveryError
from ansible_collections.dbops.recovery.plugins.module_utils._files import PARTIAL, sync_directory
from ansible_collections.dbops.recovery.plugins.module_utils._units import show_size, show_time, utc_now

KEEP = "keep"
COUNT = "count"
IGNORE = "ignore"
# Some ten seconds of reading. Who goes back weeks should not wait for the count of what they decided to give up.
_MOST_BYTES = 1024**3


@dataclass(frozen=True)
class Since:
    """The part of the log from a backup to the last moment before its restore, or why it is not to be had."""

    span: Span | None = None
    program: Program | None = None
    rows_only: bool = False
    unknown: str = ""


def since(target: Target, backup: catalog.Backup) -> Since:
    """Return where in the log the writes lie that a restore would take away, if it began now. Never fails."""
    try:
        if backup.manifest is None:
            raise RecoveryError(f"{backup.name} has no manifest that notes its place in the binary log.")
        if backup.database != target.name:
            raise RecoveryError(f"{backup.name} is a backup of {backup.database}, not of {target.name}.")
        connection, server = target.keep_connected(), target.server
        files = log_files(connection, target.grants, server)
        hostname = backup.manifest["server"].get("hostname")
        span = span_since(connection, server, backup.manifest.get("binlog") or {}, hostname, files)
        if span.size > _MOST_BYTES:
            raise RecoveryError(
                f"{show_size(span.size)} of binary log were written since, more than is read on the way "
                f"({show_size(_MOST_BYTES)}). They are the server's {span}; mariadb-binlog (mysqlbinlog) shows them."
            )
        return Since(span, find_program(LOG, server), logs_rows_only(connection))
    except Interrupted:
        raise
    except (RecoveryError, OSError, subprocess.SubprocessError) as error:
        return Since(unknown=str(error))


def lost_writes(target: Target, backup: catalog.Backup, part: Since, keep: bool) -> dict:
    """Return what was written in a part of the log, as db_restore returns it; keep it beside the backup if asked to."""
    if not part.span:
        return unknown(part.unknown)
    written, path = Written(), None
    try:
        if part.span.size:
            lines = read_log(part.program, target.settings, target.name, part.span)
            with closing(lines):
                counted = written.count(lines)
                if keep:
                    path = _keep(target, backup, part.span, counted, written)
                else:
                    for _line in counted:
                        pass
    except Interrupted:
        raise
    except (RecoveryError, OSError) as error:
        return unknown(str(error))
    at_least = "" if part.rows_only or not part.span.size else "at least "
    return {
        "known": True,
        "complete": not at_least,
        "transactions": written.transactions,
        "statements": written.statements,
        "definitions": written.definitions,
        "rows": written.rows,
        "log": str(part.span),
        "path": path,
        "summary": (at_least + written.describe()) if written or at_least else "0",
        "reason": _MAYBE_MORE.format(name=target.name) if at_least else "",
    }


# The log has statements by the schema that the session was in, whatever tables they name.
_MAYBE_MORE = (
    "the server logs statements, and those that name {name} from a session in another schema are not counted. With "
    "binlog_format = ROW none is missed."
)


def unknown(reason: str) -> dict:
    """Return what lost_writes() returns where a reason forbids to know."""
    return {
        "known": False,
        "complete": False,
        "transactions": None,
        "statements": None,
        "definitions": None,
        "rows": {},
        "log": None,
        "path": None,
        "summary": "unknown",
        "reason": reason,
    }


def _keep(target: Target, backup: catalog.Backup, span: Span, lines: Iterator[bytes], written: Written) -> str | None:
    """Write lines into a new file beside the backup and return its path; None, and no file, where they say nothing."""
    chosen = codec.choose("auto")
    path = os.path.join(catalog.directory_of(backup), catalog.new_writes_name(backup) + chosen.suffix)
    partial = path + PARTIAL
    try:
        write_archive(partial, _sections(_heading(target, backup, span, path), lines), chosen)
        if not written:
            return None
        os.replace(partial, path)
        sync_directory(catalog.directory_of(backup))
        return path
    except OSError as error:
        target.warnings.append(f"What was written since {backup.name} could not be kept: {error}.")
        for _line in lines:
            pass  # they count all the same
        return None
    finally:
        with suppress(OSError):
            os.unlink(partial)


def _heading(target: Target, backup: catalog.Backup, span: Span, path: str) -> bytes:
    unpack = {".zst": "zstd -dc", ".gz": "zcat"}[os.path.splitext(path)[1]]
    client = os.path.basename(target.program.path)
    return (
        f"-- What was written to {target.name} between the backup {backup.name} and its restore at\n"
        f"-- {show_time(utc_now())}, from the server's binary log: {span}.\n"
        "-- It holds all that was done, by migrations as well. Take out what is not wanted, and replay it as root:\n"
        f"--     {unpack} {quote(os.path.basename(path))} | {client} --binary-mode {quote(target.name)}\n"
    ).encode()


def _sections(heading: bytes, lines: Iterable[bytes]) -> Iterator[Section]:
    chunk, size = [heading], len(heading)
    for line in lines:
        chunk.append(line)
        size += len(line)
        if size >= CHUNK_BYTES:
            yield Section("writes", None, b"".join(chunk))
            chunk, size = [], 0
    yield Section("writes", None, b"".join(chunk))
