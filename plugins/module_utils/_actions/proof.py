# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The last rung of the ladder: load a backup into a scratch server and hold what arrives against the manifest.

Private to the collection.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

from ansible_collections.dbops.recovery.plugins.module_utils import _progress
from ansible_collections.dbops.recovery.plugins.module_utils._archive.catalog import Backup
from ansible_collections.dbops.recovery.plugins.module_utils._archive.checks import (
    ERROR,
    INFO,
    WARNING,
    Check,
    Findings,
    failed,
)
from ansible_collections.dbops.recovery.plugins.module_utils._archive.dump import (
    EPILOGUE,
    EVENTS,
    PREAMBLE,
    TABLE,
    Section,
    split,
)
from ansible_collections.dbops.recovery.plugins.module_utils._archive.reader import plain_bytes
from ansible_collections.dbops.recovery.plugins.module_utils._archive.writer import section_sha256
from ansible_collections.dbops.recovery.plugins.module_utils._database import server as servers
from ansible_collections.dbops.recovery.plugins.module_utils._database.connection import (
    Settings,
    connect,
    identifier,
    query,
)
from ansible_collections.dbops.recovery.plugins.module_utils._database.dumping import (
    DumpPlan,
    dump_arguments,
    read_dump,
)
from ansible_collections.dbops.recovery.plugins.module_utils._database.inventory import (
    compare,
    compare_names,
    objects_of,
    read_inventory,
    without_implied_charset,
)
from ansible_collections.dbops.recovery.plugins.module_utils._database.loading import create_schema, load_dump
from ansible_collections.dbops.recovery.plugins.module_utils._database.programs import DUMP, LOAD, find_program
from ansible_collections.dbops.recovery.plugins.module_utils._database.questions import ask
from ansible_collections.dbops.recovery.plugins.module_utils._database.scratch import (
    create_definers,
    find_daemon,
    scratch_server,
)
from ansible_collections.dbops.recovery.plugins.module_utils._database.source import (
    count_rows,
    has_sequence_defaults,
    versioned_tables,
)
from ansible_collections.dbops.recovery.plugins.module_utils._errors import Interrupted, RecoveryError
from ansible_collections.dbops.recovery.plugins.module_utils._release.commands import run_commands
from ansible_collections.dbops.recovery.plugins.module_utils._text import some_of

# The names of two checks, by which the phases are told apart.
SCRATCH_SERVER = "scratch_server"
LOADED = "load"

_SHOWN = 5
# An engine that is not there, one that cannot do what is asked of it (1005 with the handler's 140), no key.
_LACKING = re.compile(r"ERROR (?:1286|1112|3185)\b|ERROR 1005\b.*\berrno: 140\b")
# As the server words it, and the system.
_FULL_DISK = ("ERROR 1021 ", "ERROR 1114 ", "Errcode: 28", "No space left on device")


def prove(
    backup: Backup,
    findings: Findings,
    database: str,
    queries: list[dict],
    commands: list[dict],
    directory: str | None,
    rehearsal: bool,
) -> list[Check]:
    """Restore a backup into a scratch server and return what that showed.

    Args:
        backup: one that passed the checks of the file and its content.
        findings: what those checks brought.
        database: the schema's name, the same as on its own server, since bodies may name it.
        queries: the user's own, as backup_verify takes them.
        commands: the same.
        directory: where the scratch server's folder is made.
        rehearsal: whether the commands are left out, as nobody knows what they do besides.
    Raises:
        RecoveryError: there is no server program, or it does not start. That says nothing of the backup.
    """
    facts = backup.manifest["server"] if backup.manifest else {}
    daemon = find_daemon(facts.get("flavour") or findings.contents.flavour)
    clock = time.monotonic()
    _progress.phase("starting a scratch server")
    with scratch_server(daemon, directory, facts.get("lower_case_table_names", 0), backup.sql_bytes or 0) as settings:
        checks = [Check(SCRATCH_SERVER, True, ERROR, daemon.version, time.monotonic() - clock)]
        checks.append(_loads(settings, backup, findings, database, facts))
        if not failed(checks):
            connection = connect(settings)
            server = servers.look_at_server(connection)
            if backup.manifest:
                checks += _compared(settings, connection, server, backup, database)
            else:
                checks.append(_arrived(connection, findings, database))
            checks.append(_tables_checked(connection, _schemas(connection, findings, database)))
            if queries or commands:
                _progress.phase("asking the queries, running the commands")
            checks += [_answer(connection, database, each) for each in queries]
            checks += [_command(settings, database, each, rehearsal) for each in commands]
    return checks


def _loads(settings: Settings, backup: Backup, findings: Findings, database: str, facts: dict) -> Check:
    clock = time.monotonic()
    connection = connect(settings)
    create_definers(connection, findings.contents.definers)
    create_schema(connection, database, facts.get("charset"), facts.get("collation"))
    program = find_program(LOAD, servers.look_at_server(connection))
    _progress.phase("loading into the scratch server", expected=backup.sql_bytes)
    blocks: Iterable[bytes] = _progress.counted(plain_bytes(backup.path))
    if any(kind == "event" for kind, _name in findings.contents.objects):
        blocks = _with_past_events(blocks)
    try:
        warnings = load_dump(program, settings, database, blocks)
    except Interrupted:
        raise
    except RecoveryError as error:
        _require_blameless(settings, str(error))
        return Check(LOADED, False, ERROR, str(error), time.monotonic() - clock)
    shown = f"{len(warnings)} warnings, first: {warnings[0]}" if warnings else "no warning"
    return Check(LOADED, not warnings, WARNING if warnings else ERROR, shown, time.monotonic() - clock)


def _with_past_events(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Pass a dump on, with the session's clock set back for its events.

    The server would drop an event whose time has passed as soon as it is made, and then the copy would not be the same.
    Here none of them runs, as the scheduler is off.
    """
    for section in split(blocks):
        if section.kind == EVENTS:
            yield b"SET TIMESTAMP = 1;\n" + section.data + b"SET TIMESTAMP = DEFAULT;\n"
        else:
            yield section.data


def _require_blameless(settings: Settings, words: str) -> None:
    """Raise RecoveryError when it is the scratch server that failed, and not the backup."""
    nothing = "That says nothing of the backup."
    if any(full in words for full in _FULL_DISK):
        raise RecoveryError(
            f"The disk of the scratch server is full. {nothing} Give more room, or another scratch_directory.\n{words}"
        )
    if _LACKING.search(words):
        raise RecoveryError(
            "The scratch server lacks what a table of the backup needs, as the plugin of an engine or a key for "
            f"encryption. {nothing} Restore it into a server that has it, to see whether it is good.\n{words}"
        )
    try:
        connect(settings).close()
    except RecoveryError as error:
        raise RecoveryError(f"The scratch server went away while the backup was loaded. {nothing}\n{words}") from error


def _compared(
    settings: Settings, connection: Any, server: servers.Server, backup: Backup, database: str
) -> Iterator[Check]:
    yield _inventory(connection, server, backup, database)
    yield _row_counts(connection, backup, database)
    yield _dump_back(settings, connection, server, backup, database)


def _arrived(connection: Any, findings: Findings, database: str) -> Check:
    """Without a manifest, only the comments of a dump announce what it holds; other tools announce less."""
    clock = time.monotonic()
    schemas = _schemas(connection, findings, database)
    present = [objects_of(read_inventory(connection, schema)) for schema in schemas]
    difference = compare_names(findings.objects, [each for objects in present for each in objects])
    count = sum(len(objects) for objects in present)
    if not findings.objects:
        detail = f"{count} objects are there; the dump has no comments that say which it should be"
        return Check("inventory", False, INFO, detail, time.monotonic() - clock)
    # Of several schemas, those of the server itself are not among the ones that are looked at.
    whole = not findings.schemas & set(servers.SYSTEM_SCHEMAS)
    missing = ", ".join(difference.missing[:_SHOWN]) if whole else ""
    detail = f"missing: {missing}" if missing else f"{count} objects, {len(findings.objects)} announced by comments"
    return Check("inventory", not missing, ERROR, detail, time.monotonic() - clock)


def _inventory(connection: Any, server: servers.Server, backup: Backup, database: str) -> Check:
    clock = time.monotonic()
    difference = compare(backup.manifest["inventory"], read_inventory(connection, database))
    severity, detail = ERROR, difference.describe()
    if not difference:
        detail = f"{len(objects_of(backup.manifest['inventory']))} objects with the same definitions"
    elif not (difference.missing or difference.unexpected) and not _same_version(server, backup):
        # Another version words the same definition otherwise.
        severity = INFO
        detail += f" (made by {backup.manifest['server']['version']}, here {server.version})"
    return Check("inventory", not difference, severity, detail, time.monotonic() - clock)


def _same_version(server: servers.Server, backup: Backup) -> bool:
    return server.version.split("-")[0] == backup.manifest["server"]["version"].split("-")[0]


def _row_counts(connection: Any, backup: Backup, database: str) -> Check:
    clock = time.monotonic()
    _progress.phase("counting rows")
    rows = backup.manifest.get("rows")
    if not rows:
        return Check("rows", False, INFO, "the manifest has no row counts")
    there = read_inventory(connection, database).get("table", {})
    found = count_rows(connection, database, [table for table in rows["tables"] if table in there])
    wrong = [
        f"{table} has {found[table]}, the manifest {expected}" if table in found else f"{table} is not there"
        for table, expected in rows["tables"].items()
        if found.get(table) != expected
    ]
    # Counted beside the dump, rows may have come and gone in between.
    exact = rows["counted"] == "in the dump"
    detail = some_of(wrong, _SHOWN, "; ") or f"{sum(rows['tables'].values())} rows in {len(rows['tables'])} tables"
    return Check("rows", not wrong, ERROR if exact else WARNING, detail, time.monotonic() - clock)


def _dump_back(settings: Settings, connection: Any, server: servers.Server, backup: Backup, database: str) -> Check:
    """Dump the restored schema again; every section must have the checksum that the manifest has for it."""
    clock = time.monotonic()
    program = find_program(DUMP, server)
    # The text depends on these two, which the restored copy shows as the source did.
    plan = DumpPlan(
        with_history=bool(versioned_tables(connection, database)),
        without_locks=has_sequence_defaults(connection, database),
    )
    settle = server.flavour == servers.MYSQL
    _progress.phase("dumping back", expected=backup.sql_bytes)
    with closing(read_dump(program, settings, dump_arguments(program, database, plan))) as blocks:
        found = _checksums(_progress.counted(blocks), settle)
    if settle:
        with closing(plain_bytes(backup.path)) as blocks:
            expected = _checksums(blocks, settle)
    else:
        expected = [(each["kind"], each["object"], each["sha256"]) for each in backup.manifest["archive"]["sections"]]
    wrong = _first_differences(_inner(expected), _inner(found))
    seconds = time.monotonic() - clock
    if not wrong:
        return Check("dump_back", True, ERROR, f"{len(_inner(expected))} sections, the same bytes", seconds)
    versions = (backup.manifest["client"]["version"], program.version)
    if versions[0] != versions[1] or not _same_version(server, backup):
        detail = f"not comparable byte by byte: dumped by {versions[0]}, dumped back by {versions[1]}"
        return Check("dump_back", False, INFO, detail, seconds)
    return Check("dump_back", False, ERROR, f"other bytes: {', '.join(wrong)}", seconds)


def _checksums(blocks: Iterable[bytes], settle: bool) -> list[tuple]:
    """Return (kind, object, sha256) of a dump's sections; with settle, definitions as they read after a restore too."""
    return [
        (section.kind, section.object, section_sha256(_settled(section) if settle else section))
        for section in split(blocks)
    ]


def _settled(section: Section) -> Section:
    if section.kind != TABLE:
        return section
    text = without_implied_charset(section.data.decode("utf-8", "surrogateescape"))
    return replace(section, data=text.encode("utf-8", "surrogateescape"))


def _inner(sections: list[tuple]) -> list[tuple]:
    # What frames the dump names the server and its host.
    return [section for section in sections if section[0] not in (PREAMBLE, EPILOGUE)]


def _first_differences(expected: list[tuple], found: list[tuple]) -> list[str]:
    missing = [section for section in expected if section not in set(found)]
    added = [section for section in found if section not in set(expected)]
    labels = dict.fromkeys(f"{kind} of {name}" if name else kind for kind, name, _sha256 in missing + added)
    return list(labels)[:_SHOWN] or (["the order of the sections"] if expected != found else [])


def _schemas(connection: Any, findings: Findings, database: str) -> list[str]:
    """Return the schemas that were restored: of a foreign dump, those that it changed to by itself, too."""
    named = ({database} | findings.schemas) - set(servers.SYSTEM_SCHEMAS)
    return [name for name in sorted(named) if servers.find_schema(connection, name)]


def _tables_checked(connection: Any, schemas: list[str]) -> Check:
    clock = time.monotonic()
    _progress.phase("checking tables")
    tables = [(schema, table) for schema in schemas for table in read_inventory(connection, schema).get("table", {})]
    bad = []
    for schema, table in tables:
        statement = f"CHECK TABLE {identifier(schema)}.{identifier(table)}"
        for _table, _operation, kind, words in query(connection, statement):
            if kind.lower() in ("error", "warning") or (kind.lower() == "status" and words.upper() != "OK"):
                bad.append(f"{table}: {words}")
    detail = "; ".join(bad[:_SHOWN]) or f"{len(tables)} tables"
    return Check("check_table", not bad, ERROR, detail, time.monotonic() - clock)


def _answer(connection: Any, database: str, wanted: dict) -> Check:
    """Ask one of the user's own queries and hold the answer against what it should be."""
    clock = time.monotonic()
    answer = ask(connection, database, wanted)
    return Check(f"query: {answer.name}", answer.right, ERROR, answer.detail, time.monotonic() - clock)


def _command(settings: Settings, database: str, wanted: dict, rehearsal: bool) -> Check:
    """Run one of the user's own commands with what it needs to reach the copy."""
    clock = time.monotonic()
    place = {"socket": settings.socket, "database": database, "user": settings.user}
    environment = {
        # What every client of the server's family reads.
        "MYSQL_UNIX_PORT": settings.socket,
        **{f"DBOPS_{name.upper()}": value for name, value in place.items()},
        **{name: fill_in(str(value), place) for name, value in (wanted["environment"] or {}).items()},
    }
    name = f"command: {wanted['name'] or wanted['command']}"
    if rehearsal:
        return Check(name, False, INFO, "not run in check mode")
    try:
        (done,) = run_commands([wanted["command"]], wanted["chdir"] or "/", environment)
    except Interrupted:
        raise
    except RecoveryError as error:
        return Check(name, False, ERROR, str(error), time.monotonic() - clock)
    return Check(name, True, ERROR, " ".join(done["last_lines"][-1:]) or "it succeeded", time.monotonic() - clock)


def fill_in(text: str, place: dict[str, str]) -> str:
    """Given "{socket}" and the like in a text, return it with their values; anything else in braces stays."""
    for name, value in place.items():
        text = text.replace(f"{{{name}}}", value)
    return text
