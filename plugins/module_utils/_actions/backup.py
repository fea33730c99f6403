# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""db_backup: one schema, at one moment, into an archive that is either complete or not there.

Private to the collection.
"""

from __future__ import annotations

import os
import time
from contextlib import closing
from dataclasses import replace
from datetime import datetime

from ansible_collections.dbops.recovery.plugins.module_utils import _progress
from ansible_collections.dbops.recovery.plugins.module_utils._archive import catalog, codec, manifest, unfinished
from ansible_collections.dbops.recovery.plugins.module_utils._archive.contents import Contents
from ansible_collections.dbops.recovery.plugins.module_utils._archive.dump import split, without_replication
from ansible_collections.dbops.recovery.plugins.module_utils._archive.writer import write_archive
from ansible_collections.dbops.recovery.plugins.module_utils._database import server as servers
from ansible_collections.dbops.recovery.plugins.module_utils._database.connection import (
    connect,
    settings_from,
    still_connected,
)
from ansible_collections.dbops.recovery.plugins.module_utils._database.dumping import dump_arguments, read_dump
from ansible_collections.dbops.recovery.plugins.module_utils._database.inventory import (
    compare,
    compare_names,
    objects_of,
)
from ansible_collections.dbops.recovery.plugins.module_utils._database.loading import packet_problem
from ansible_collections.dbops.recovery.plugins.module_utils._database.source import (
    Source,
    count_rows,
    inventory_now,
    look_again,
    look_at_source,
    views_of_excluded,
)
from ansible_collections.dbops.recovery.plugins.module_utils._errors import Interrupted, RecoveryError, os_error
from ansible_collections.dbops.recovery.plugins.module_utils._files import PARTIAL, free_bytes
from ansible_collections.dbops.recovery.plugins.module_utils._units import (
    parse_duration,
    show_size,
    show_time,
    utc_now,
)

# Of the size that the server reports for the rows; SQL text is larger, its compressed form a fraction. Deliberately
# low for compressed archives: a disk that fills up in the middle is handled too, a needless refusal is not.
_ESTIMATED_SHARE = {codec.ZSTD: 0.25, codec.GZIP: 0.25, codec.NONE: 1.2}
_SPARE_BYTES = 8 * 1024 * 1024


class SchemaChanged(RecoveryError):
    """The schema was altered while it was dumped."""


def backup_database(options: dict, check_mode: bool) -> dict:
    """Back up a schema as db_backup's options say; return db_backup's result. Raise RecoveryError."""
    database = options["database"]
    servers.refuse_system_schema(database)
    if options["retries"] < 0:
        raise RecoveryError(f"retries: it cannot be negative; {options['retries']} was given.")
    chosen = codec.choose(options["compression"], options["compression_level"])
    directory = os.path.abspath(options["directory"])
    if options["max_age"] is not None:
        young = _young_backup(options, directory)
        if young:
            return {"changed": False, "backup": young.describe()}
    source = look_at_source(options, database, options["exclude_tables"], options["non_transactional"])
    estimate = require_space(directory, source.schema, chosen)
    _refuse_unfinished(source, directory)
    if check_mode:
        return {"changed": True, "backup": _planned(directory, source.schema, chosen), "estimated_bytes": estimate}
    catalog.make_directory(directory)
    with catalog.locked(directory, database):
        swept = catalog.sweep(directory, database)
        backup = take_backup(source, directory, chosen, options["labels"], options["pin"], options["retries"])
    views = ", ".join(f"view {view} reads from them" for view in views_of_excluded(source))
    problem = packet_problem(source.connection, backup.manifest["archive"]["longest_statement"])
    warnings = [f"{backup.name} is good, but this server would not take it back: {problem}."] if problem else []
    if views:
        warnings.append(f"{backup.name} can only be restored where the tables are that it leaves out: {views}.")
    return {"changed": True, "backup": backup.describe(), "swept": swept, "warnings": warnings}


def _young_backup(options: dict, directory: str) -> catalog.Backup | None:
    max_age = parse_duration(options["max_age"], "max_age")
    with closing(connect(settings_from(options))) as connection:
        hostname = servers.host_of(connection)
    database, excluded, pin = options["database"], options["exclude_tables"], options["pin"]
    return catalog.youngest_within(directory, database, hostname, max_age, excluded, pin)


def _refuse_unfinished(source: Source, directory: str) -> None:
    """Raise RecoveryError when a restore in place was interrupted: what is there is no state to come back to."""
    database, server = source.schema.name, servers.identity(source.connection)
    mark = unfinished.find(directory, database, server)
    if mark:
        undo = f"dbops.recovery.db_restore, undo: true, database: {database} and directory: {directory}"
        ways = f"go back by {undo}, or restore a backup" if mark.safety_backup else "restore a backup"
        raise RecoveryError(
            f"{mark.describe()}, so {database} may hold a part of that alone. Nothing was written. If it is not still "
            f"at work, {ways}. Where {database} was put right by other means, remove {mark.path}."
        )


def require_space(directory: str, schema: servers.Schema, chosen: codec.Codec) -> int:
    """Return the estimated size of the archive in bytes. Raise RecoveryError when the disk has less."""
    estimate = int(schema.data_bytes * _ESTIMATED_SHARE[chosen.name])
    existing = directory
    while not os.path.isdir(existing):
        existing = os.path.dirname(existing)
    if not os.access(existing, os.W_OK | os.X_OK):
        raise RecoveryError(
            f"There is no writing to {existing}, so no backup can be put into {directory}. Nothing was written; give "
            "the user that this runs as the right to, or another directory."
        )
    free = free_bytes(existing)
    if free < estimate + _SPARE_BYTES:
        raise RecoveryError(
            f"There is not enough room in {existing} for a backup of {schema.name}: about {show_size(estimate)} are "
            f"needed and {show_size(_SPARE_BYTES)} to spare, {show_size(free)} are free. Nothing was written; make "
            "room, or give another directory."
        )
    return estimate


def _planned(directory: str, schema: servers.Schema, chosen: codec.Codec) -> dict:
    name = catalog.new_name(directory, schema.name, utc_now())
    return {
        "name": name,
        "path": os.path.join(directory, name + chosen.suffix),
        "database": schema.name,
        "compression": chosen.name,
    }


def take_backup(
    source: Source, directory: str, chosen: codec.Codec, labels: dict, pin: bool, retries: int
) -> catalog.Backup:
    """Dump the source into a new archive, check that it is complete, give it its final name.

    When the schema is altered meanwhile the dump is made again, retries times at most. The caller holds the lock of
    the database. Raise RecoveryError; whatever was written is gone then.
    """
    for left in range(retries, -1, -1):
        try:
            return _attempt(source, directory, chosen, labels, pin)
        except SchemaChanged as error:
            if not left:
                times = f"That happened {retries + 1} times in a row" if retries else "It was tried once"
                raise RecoveryError(f"{error} {times}; back up when that is done.") from error
            # Hours may have gone by, in which nothing was asked on this connection.
            connection = still_connected(source.connection, source.settings)
            source = look_again(replace(source, connection=connection))
    raise AssertionError("retries is never negative")


def _attempt(source: Source, directory: str, chosen: codec.Codec, labels: dict, pin: bool) -> catalog.Backup:
    started, clock = utc_now(), time.monotonic()
    name = catalog.new_name(directory, source.schema.name, started)
    partial = os.path.join(directory, name + chosen.suffix + PARTIAL)
    contents = Contents(count_rows=True, search_rows=False)
    _progress.phase("backing up", source.schema.name, _about_bytes(source, directory), estimated=True)
    try:
        archive = _dump_into(partial, source, chosen, contents)
        source = replace(source, connection=still_connected(source.connection, source.settings))
        _require_complete(source, contents)
        content = {
            "format": manifest.FORMAT,
            "backup": _head(name, source.schema.name, started, time.monotonic() - clock, labels, pin),
            "archive": {
                "file": name + chosen.suffix,
                **archive,
                "longest_statement": contents.longest_statement,
            },
            "server": servers.facts_for_manifest(source.connection, source.server, source.schema),
            "client": {"program": os.path.basename(source.program.path), "version": source.program.version},
            "inventory": source.inventory,
            "rows": _row_counts(source, contents),
            "binlog": contents.binlog,
            "non_transactional_tables": source.non_transactional,
            "tables_locked": source.plan.lock_tables,
            "excluded": list(source.plan.exclude_tables),
            "verifications": [],
        }
        return catalog.publish(directory, name, partial, content)
    except OSError as error:
        doing = f"The backup of {source.schema.name} could not be written into {directory} and was removed"
        raise os_error(doing, error) from error
    finally:
        for leftover in (partial, os.path.join(directory, name + manifest.SUFFIX + PARTIAL)):
            if os.path.exists(leftover):
                os.unlink(leftover)


def _about_bytes(source: Source, directory: str) -> int:
    """Return about how long the dump becomes: as the newest one, else as what the server reports for the rows."""
    newest = catalog.newest_manifest(directory, source.schema.name)
    if newest and newest.get("excluded", []) == list(source.plan.exclude_tables):
        return newest["archive"]["plain_bytes"]
    return source.schema.data_bytes


def _dump_into(partial: str, source: Source, chosen: codec.Codec, contents: Contents) -> dict:
    arguments = dump_arguments(source.program, source.schema.name, source.plan)
    try:
        with closing(read_dump(source.program, source.settings, arguments)) as blocks:
            sections = map(without_replication, split(_progress.counted(blocks)))
            return write_archive(partial, contents.watch(sections), chosen)
    except Interrupted:
        raise
    except RecoveryError as error:
        _require_unchanged(source, str(error))
        raise


def _require_complete(source: Source, contents: Contents) -> None:
    name = source.schema.name
    problem = contents.frame.problem()
    if problem:
        raise RecoveryError(f"The backup of {name} is not complete and was removed: {problem}.")
    _require_unchanged(source)
    difference = compare_names(objects_of(source.inventory), contents.objects)
    if difference:
        raise RecoveryError(
            f"The backup of {name} does not hold what the schema holds and was removed: {difference.describe()}."
        )


def _require_unchanged(source: Source, words: str = "") -> None:
    """Raise SchemaChanged if the schema is not what it was before the dump, or the client said so (error 1412)."""
    try:
        difference = compare(source.inventory, inventory_now(source))
    except RecoveryError:
        if words:
            return  # the server is gone, and the client's words say so better
        raise
    if difference or "1412" in words:
        what = difference.describe() or words.splitlines()[-1]
        raise SchemaChanged(f"{source.schema.name} was altered while it was backed up ({what}).")


def _row_counts(source: Source, contents: Contents) -> dict:
    """Return the rows of each table: counted in the dump, or, where its form does not allow it, on the server after."""
    if None not in contents.rows.values():
        return {"counted": "in the dump", "tables": contents.rows}
    tables = source.inventory.get("table", ())
    return {
        "counted": "on the server after the dump",
        "tables": count_rows(source.connection, source.schema.name, tables),
    }


def _head(name: str, database: str, started: datetime, seconds: float, labels: dict, pin: bool) -> dict:
    return {
        "name": name,
        "database": database,
        "started": show_time(started),
        "finished": show_time(utc_now()),
        "seconds": round(seconds, 3),
        "labels": labels,
        "pinned": pin,
    }
