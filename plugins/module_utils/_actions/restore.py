# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""db_restore: bring a database to the state of a backup, or leave it as it was, or say how to get out.

Private to the collection.
"""

from __future__ import annotations

import os
from contextlib import closing
from datetime import timedelta

from ansible_collections.dbops.recovery.plugins.module_utils import _progress, _signals
from ansible_collections.dbops.recovery.plugins.module_utils._actions import elsewhere
from ansible_collections.dbops.recovery.plugins.module_utils._actions.backup import require_space
from ansible_collections.dbops.recovery.plugins.module_utils._actions.clock import Clock
from ansible_collections.dbops.recovery.plugins.module_utils._actions.in_place import (
    go_back_in_place,
    replace_in_place,
    steps_in_place,
)
from ansible_collections.dbops.recovery.plugins.module_utils._actions.leftovers import (
    explain_unfinished,
    put_right,
    steps_after_swap,
)
from ansible_collections.dbops.recovery.plugins.module_utils._actions.lost_writes import (
    IGNORE,
    KEEP,
    Since,
    lost_writes,
    since,
    unknown,
)
from ansible_collections.dbops.recovery.plugins.module_utils._actions.order import (
    Order,
    diff_of,
    gone,
    make_order,
    refuse_other_schemas,
    removed,
    require_possible,
)
from ansible_collections.dbops.recovery.plugins.module_utils._actions.outcome import undone, words_of
from ansible_collections.dbops.recovery.plugins.module_utils._actions.safety import (
    look_at_present,
    require_good,
    take_safety_backup,
)
from ansible_collections.dbops.recovery.plugins.module_utils._actions.staged_copy import (
    build_copy,
    bytes_to_load,
    preamble_of,
    require_copy,
    warn_of_orphans,
)
from ansible_collections.dbops.recovery.plugins.module_utils._actions.strategy import SWAP
from ansible_collections.dbops.recovery.plugins.module_utils._actions.swapping import (
    Incoming,
    commit,
    go_back,
    put_away,
    swap_in,
)
from ansible_collections.dbops.recovery.plugins.module_utils._actions.target import (
    RESTORED,
    REVERTED,
    Target,
    look_at_target,
    refuse_other_case,
    refuse_other_server,
    require_confirmation,
    require_equal,
    schema_defaults,
)
from ansible_collections.dbops.recovery.plugins.module_utils._actions.undo import drop_previous, undo_restore
from ansible_collections.dbops.recovery.plugins.module_utils._archive import catalog, codec, unfinished
from ansible_collections.dbops.recovery.plugins.module_utils._archive.checks import CONTENT
from ansible_collections.dbops.recovery.plugins.module_utils._archive.unfinished import Unfinished
from ansible_collections.dbops.recovery.plugins.module_utils._database import server as servers
from ansible_collections.dbops.recovery.plugins.module_utils._database import staging
from ansible_collections.dbops.recovery.plugins.module_utils._database.connection import connect, settings_from
from ansible_collections.dbops.recovery.plugins.module_utils._database.inventory import label, objects_of
from ansible_collections.dbops.recovery.plugins.module_utils._database.loading import NothingDropped, create_schema
from ansible_collections.dbops.recovery.plugins.module_utils._database.questions import ask
from ansible_collections.dbops.recovery.plugins.module_utils._database.routine_grants import (
    noted_routine_grants,
    read_routine_grants,
)
from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError
from ansible_collections.dbops.recovery.plugins.module_utils._units import parse_duration, show_time, utc_now

# A session and the server wait for each other in turns, so twice as many as processors keep all of those busy (a tenth
# less time than as many, on two). A server takes 151 connections unless told.
_MOST_THREADS = 16


def restore_database(options: dict, check_mode: bool) -> dict:
    """Do what db_restore's options say; return its result. Raise RecoveryError."""
    _refuse_contradictions(options)
    if options["undo"]:
        mark = _last_unfinished(options)
        return _take_back(mark, options, check_mode) if mark else undo_restore(options, check_mode)
    if options["drop_previous"]:
        return drop_previous(options, check_mode)
    return _restore(options, check_mode)


def _refuse_contradictions(options: dict) -> None:
    ways = [name for name in ("backup", "undo", "drop_previous") if options[name] not in (None, False)]
    if len(ways) != 1:
        given = " and ".join(ways) or "none of them"
        raise RecoveryError(f"Give one of backup, undo and drop_previous; {given} was given.")
    if ways != ["backup"] and not options["database"]:
        raise RecoveryError(f"{ways[0]} needs the option database: of which one?")
    if options["queries"] and ways != ["backup"]:
        raise RecoveryError(f"queries are asked of what is restored from a backup; {ways[0]} restores from none.")
    if options["table_suffix"] and not options["tables"]:
        raise RecoveryError(
            "table_suffix goes with tables: the names of tables that are restored beside their namesakes."
        )
    if options["threads"] is not None and options["threads"] < 1:
        raise RecoveryError(f"threads: at least 1 is needed, {options['threads']} was given.")


def _last_unfinished(options: dict) -> Unfinished | None:
    """Return the restore in place that has not come to its end, where that was the last one."""
    if not options["directory"]:
        return None
    directory, database = os.path.abspath(options["directory"]), options["database"]
    with closing(connect(settings_from(options))) as connection:
        mark = unfinished.find(directory, database, servers.identity(connection))
        journals = staging.journals_of(connection, database) if mark else []
    # A swap that came later took away what this one had left, and can be undone itself.
    return None if any(each.facts["started"] > mark.started for each in journals) else mark


def _take_back(mark: Unfinished, options: dict, check_mode: bool) -> dict:
    """Restore what was there before a restore in place that has not come to its end. Raise RecoveryError."""
    if mark.safety_backup is None:
        raise RecoveryError(
            f"{mark.describe()}, and what was there before was not kept (safety_backup), so it cannot be undone. "
            f"Nothing was touched. Restore a backup, with safety_backup: false, since what is in {mark.database} now "
            "may be a part of one."
        )
    as_it_was = {
        "backup": mark.safety_backup,
        "events": elsewhere.KEEP,
        "definer": elsewhere.KEEP,
        "tables": [],
        "verify": CONTENT,
    }
    # What is there now is not worth keeping.
    without = {"undo": False, "safety_backup": False, "keep_previous": None, "lost_writes": IGNORE}
    return _restore({**options, **as_it_was, **without}, check_mode)


def _restore(options: dict, check_mode: bool) -> dict:
    clock = Clock()
    keep = _duration(options["keep_previous"])
    backup = catalog.find(options["backup"], options["directory"], options["database"])
    name = _target_name(options, backup)
    findings = require_good(backup, options["verify"], before_loading=True)
    refuse_other_schemas(backup, findings, name)
    target = look_at_target(options, name)
    if options["backup"] == "latest":
        target.warnings += catalog.unreadable_in(options["directory"])
    refuse_other_server(target, backup, findings, options["accept"])
    refuse_other_case(target, backup)
    directory = os.path.abspath(options["directory"] or os.path.dirname(backup.path))
    server = servers.identity(target.connection)
    earlier = unfinished.find(directory, name, server)
    if earlier:
        target.warnings.append(f"{earlier.describe()}, so what was in {name} until now may be a part of that alone.")
    if not check_mode:
        target.lock()
    left = explain_unfinished(target) if check_mode else put_right(target)
    target.warnings += left
    try:
        order = make_order(target, backup, findings, options)
    except RecoveryError as error:
        words = "" if "Nothing was touched" in str(error) else "\nNothing was touched."
        raise RecoveryError(f"{error}{words}", error.result) from error
    if order.strategy.name != SWAP and backup.manifest:
        # Old objects go before the last section is read, so all of them are held against their checksums first.
        require_good(backup, options["verify"])
    with_safety = options["safety_backup"] and target.schema is not None
    require_possible(order, findings, with_safety)
    result = {
        "changed": True,
        "backup": backup.describe(),
        "safety_backup": None,
        "database": name,
        "removed_objects": removed(order),
        **order.strategy.as_result(),
        "previous": None,
        "lost_writes": None,
        "warnings": target.warnings,
        "diff": diff_of(order),
    }
    if with_safety:
        require_space(directory, target.schema, codec.choose("auto"))
    clock.end_of("check")
    # What comes beside the live tables takes none of them away.
    with_writes = options["lost_writes"] != IGNORE and order.scope.whole
    if check_mode:
        # What an interrupted swap has left is put right first, and cannot be backed up before.
        if with_safety and not left:
            look_at_present(options, target)
        if with_writes:
            result["lost_writes"] = lost_writes(target, backup, since(target, backup), keep=False)
            clock.end_of("lost_writes")
        return {**result, "phases": clock.phases, "seconds": clock.seconds}
    catalog.make_directory(directory)
    with catalog.locked(directory, name):
        safety = take_safety_backup(options, target, directory) if with_safety else None
        result["safety_backup"] = safety.describe() if safety else None
        if safety:
            clock.end_of("safety_backup", safety.sql_bytes)
        if order.strategy.name == SWAP:
            journal = order.strategy.journal
            part, done = _by_swap(order, options, keep, with_writes, result, clock)
            result.update(done)
            _progress.phase("putting away what was there before")
            result["previous"] = put_away(target, journal, keep=journal.state == staging.KEPT)
            clock.end_of("clean_up")
        else:
            part = since(target, backup) if with_writes else None
            target.routine_grants = read_routine_grants(target.connection, name) if target.schema else []
            way_back = safety.path if safety else None
            mark = Unfinished(directory, name, server, backup.path, way_back, target.routine_grants)
            result.update(_in_place(order, safety, mark, options["queries"], result, clock))
            if keep:
                target.warnings.append(f"keep_previous: {order.strategy.reason}, so there is only the safety backup.")
        if earlier and order.scope.whole:
            # Those on what the restore had dropped that has not come to its end.
            target.grant_again(noted_routine_grants(earlier.routine_grants), order.expected_objects)
        if order.scope.whole:
            _forget_mark(target, directory, server)
        if part:
            result["lost_writes"] = _lost_in_the_end(target, backup, part, keep=options["lost_writes"] == KEEP)
            clock.end_of("lost_writes")
    return {**result, "outcome": RESTORED, "phases": clock.phases, "seconds": clock.seconds}


def _duration(text: str | None) -> timedelta | None:
    if not text or text.lower() in ("false", "no", "none", "0"):
        return None
    return parse_duration(text, "keep_previous")


def _target_name(options: dict, backup: catalog.Backup) -> str:
    name = options["database"] or backup.database
    if not name:
        raise RecoveryError(f"{backup.path} has no manifest that names its database: say which by the option database.")
    require_confirmation(options, name, backup.name)
    return name


def _by_swap(
    order: Order, options: dict, keep: timedelta | None, with_writes: bool, result: dict, clock: Clock
) -> tuple[Since | None, dict]:
    """Build the copy, compare it, swap it in, compare again, commit.

    Return where the writes lie that went with the old tables, where that is wanted, and what there is to say of the
    swap. Raise RecoveryError.
    """
    target, backup, scope, strategy = order.target, order.backup, order.scope, order.strategy
    threads = options["threads"] or min(_MOST_THREADS, 2 * (os.cpu_count() or 1))
    try:
        staging.begin(target.connection, strategy.journal)
        create_schema(target.connection, strategy.journal.staging, *schema_defaults(backup))
        indexing = build_copy(target, strategy.copy, strategy.journal.staging, threads)
        clock.end_of("load", bytes_to_load(strategy.copy))
        clock.tell_apart("indexes", indexing)
        require_copy(target, strategy.copy, strategy.journal.staging)
        if scope.partial:
            warn_of_orphans(target, strategy.copy, strategy.journal.staging, scope.going(target.present))
        clock.end_of("compare")
        _progress.phase("swapping")
        part = since(target, backup) if with_writes else None
        seconds = swap_in(target, strategy.journal, scope, _incoming(order))
        found = scope.within(target, target.inventory())
        adapted = set(order.adaptation.changed)
        if scope.suffix:
            # Their own names stand in their definitions, which were compared before.
            adapted |= {label(key) for key in order.expected_objects}
        require_equal(target, backup, order.expected, found, adapted)
        clock.end_of("swap")
        _require_answers(target, options["queries"], clock)
        _settle()
        worth_keeping = keep is not None and strategy.journal.facts["schema"] and not scope.suffix
        commit(target, strategy.journal, show_time(utc_now() + keep) if worth_keeping else None)
    except Exception as error:
        why = f"{target.name} could not be restored from {backup.name}."
        steps = steps_after_swap(target)
        raise undone(target, why, error, result, clock, lambda: _swap_back(target, strategy.journal), steps) from error
    # Objects may have come while the copy was being built.
    surplus = gone(strategy.journal.facts["inventory"], order.expected_objects)
    return part, {"swap_seconds": round(seconds, 3), "removed_objects": surplus}


def _settle() -> None:
    """Let the restore be done. Until here a signal takes it back, from here on nothing does."""
    _signals.ignore()


def _lost_in_the_end(target: Target, backup: catalog.Backup, part: Since, keep: bool) -> dict:
    """Return lost_writes() of a restore that is done. It stays done whatever goes wrong here, or who ends it."""
    try:
        if part.span:
            _signals.heed()
        lost = lost_writes(target, backup, part, keep)
        _signals.ignore()
        return lost
    except Exception as error:
        why = words_of(error)
        target.warnings.append(
            f"{target.name} is restored. What was written to it since {backup.name} is not counted and not kept: {why} "
            f"It is still in the server's binary log, {part.span}; mariadb-binlog (mysqlbinlog) shows it."
        )
        return unknown(f"the binary log was not read to the end: {why}")


def _require_answers(target: Target, queries: list[dict], clock: Clock) -> None:
    """Raise RecoveryError when a query of the user's is answered otherwise than it should be."""
    if not queries:
        return
    _progress.phase("asking the queries")
    answers = [ask(target.keep_connected(), target.name, each) for each in queries]
    wrong = [f"  {answer.name}: {answer.detail}" for answer in answers if not answer.right]
    if wrong:
        raise RecoveryError("What was restored gives wrong answers:\n" + "\n".join(wrong))
    clock.end_of("queries")


def _incoming(order: Order) -> Incoming:
    bodies = [order.adaptation.apply(section) for section in order.bodies]
    # What was changed on the way does not count as being there already.
    inventory = {
        kind: {name: value for name, value in names.items() if label((kind, name)) not in order.adaptation.changed}
        for kind, names in order.expected.items()
    }
    return Incoming(
        order.strategy.copy.tables, [preamble_of(order.backup), *bodies], inventory, *schema_defaults(order.backup)
    )


def _swap_back(target: Target, journal: staging.Journal) -> str:
    touched = journal.state != staging.LOADING
    try:
        target.reconnect()
        go_back(target, journal)
    except RecoveryError as error:
        if touched:
            raise
        return (
            f"it was not touched. What was being built beside it, {journal.staging}, is removed by the next restore, "
            f"since now that failed: {error}"
        )
    return "its old tables were swapped back" if touched else "it was not touched"


def _in_place(
    order: Order,
    safety: catalog.Backup | None,
    mark: Unfinished,
    queries: list[dict],
    result: dict,
    clock: Clock,
) -> dict:
    """Restore in place; return what there is to say of it. Raise RecoveryError.

    The mark stands from before anything is dropped. Whoever called removes it when all is well.
    """
    target, backup = order.target, order.backup
    marked = False
    try:
        marked = _begin(mark)
        found = replace_in_place(target, backup, order.expected, set(order.scope.left_alone), order.adaptation)
        clock.end_of("load", backup.sql_bytes)
        _require_answers(target, queries, clock)
        _settle()
    except NothingDropped as error:
        if marked:
            _forget_mark(target, mark.directory, mark.server)
        raise RecoveryError(
            f"{target.name} is not restored from {backup.name}. {error}\nNothing was touched."
        ) from error
    except Exception as error:
        # Whatever it was: the database must not stay half of the one and half of the other.
        why = f"{target.name} could not be restored from {backup.name}."
        steps = steps_in_place(target, safety)
        ended = undone(target, why, error, result, clock, lambda: go_back_in_place(target, safety), steps)
        if marked and ended.result["outcome"] == REVERTED:
            _forget_mark(target, mark.directory, mark.server)
        raise ended from error
    return {} if order.expected is not None else {"removed_objects": gone(target.present, objects_of(found))}


def _begin(mark: Unfinished) -> bool:
    try:
        return unfinished.begin(mark)
    except RecoveryError as error:
        raise NothingDropped(str(error)) from error


def _forget_mark(target: Target, directory: str, server: str) -> None:
    """Remove the mark of a restore in place that has come to its end; whether that is possible changes no outcome."""
    try:
        unfinished.end(directory, target.name, server)
    except RecoveryError as error:
        target.warnings.append(str(error))
