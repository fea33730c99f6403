# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""db_restore: bring a database to the state of a backup, or leave it as it was, or say how to get out.

Private to the collection.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta

from ansible_collections.dbops.recovery.plugins.module_utils import _progress, _signals
from ansible_collections.dbops.recovery.plugins.module_utils._actions import elsewhere
from ansible_collections.dbops.recovery.plugins.module_utils._actions.backup import require_space, take_backup
from ansible_collections.dbops.recovery.plugins.module_utils._actions.clock import Clock
from ansible_collections.dbops.recovery.plugins.module_utils._actions.elsewhere import (
    Adaptation,
    adapt,
    bodies_of,
    require_reachable,
)
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
from ansible_collections.dbops.recovery.plugins.module_utils._actions.outcome import undone, words_of
from ansible_collections.dbops.recovery.plugins.module_utils._actions.staged_copy import (
    build_copy,
    bytes_to_load,
    chosen_tables,
    preamble_of,
    require_copy,
    warn_of_orphans,
)
from ansible_collections.dbops.recovery.plugins.module_utils._actions.strategy import SWAP, Strategy, choose_strategy
from ansible_collections.dbops.recovery.plugins.module_utils._actions.swapping import (
    TABLES,
    Incoming,
    Scope,
    commit,
    go_back,
    put_away,
    swap_in,
)
from ansible_collections.dbops.recovery.plugins.module_utils._actions.target import (
    RESTORED,
    REVERTED,
    Objects,
    Target,
    look_at_target,
    refuse_other_case,
    refuse_other_server,
    require_confirmation,
    require_definers,
    require_equal,
    require_rights,
    require_taken,
    require_trust,
    require_whole,
    schema_defaults,
)
from ansible_collections.dbops.recovery.plugins.module_utils._actions.undo import drop_previous, undo_restore
from ansible_collections.dbops.recovery.plugins.module_utils._archive import catalog, codec, unfinished
from ansible_collections.dbops.recovery.plugins.module_utils._archive.bodies import Account, account_name
from ansible_collections.dbops.recovery.plugins.module_utils._archive.checks import (
    CONTENT,
    Findings,
    Limits,
    check_backup,
    check_before_loading,
    describe,
    failed,
)
from ansible_collections.dbops.recovery.plugins.module_utils._archive.dump import (
    TRIGGERS,
    Section,
    bodies_in,
    definers_in,
)
from ansible_collections.dbops.recovery.plugins.module_utils._archive.unfinished import Unfinished
from ansible_collections.dbops.recovery.plugins.module_utils._database import server as servers
from ansible_collections.dbops.recovery.plugins.module_utils._database import staging
from ansible_collections.dbops.recovery.plugins.module_utils._database.connection import connect, settings_from
from ansible_collections.dbops.recovery.plugins.module_utils._database.inventory import (
    Inventory,
    label,
    objects_of,
)
from ansible_collections.dbops.recovery.plugins.module_utils._database.loading import NothingDropped, create_schema
from ansible_collections.dbops.recovery.plugins.module_utils._database.questions import ask
from ansible_collections.dbops.recovery.plugins.module_utils._database.routine_grants import (
    noted_routine_grants,
    read_routine_grants,
)
from ansible_collections.dbops.recovery.plugins.module_utils._database.source import LOCK, Source, look_at_source
from ansible_collections.dbops.recovery.plugins.module_utils._errors import Interrupted, RecoveryError
from ansible_collections.dbops.recovery.plugins.module_utils._units import (
    parse_duration,
    show_time,
    utc_now,
)

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
    findings = _require_good(backup, options["verify"], before_loading=True)
    _refuse_other_schemas(backup, findings, name)
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
        order = _order(target, backup, findings, options)
    except RecoveryError as error:
        words = "" if "Nothing was touched" in str(error) else "\nNothing was touched."
        raise RecoveryError(f"{error}{words}", error.result) from error
    if order.strategy.name != SWAP and backup.manifest:
        # Old objects go before the last section is read, so all of them are held against their checksums first.
        _require_good(backup, options["verify"])
    with_safety = options["safety_backup"] and target.schema is not None
    _require_possible(order, findings, with_safety)
    result = {
        "changed": True,
        "backup": backup.describe(),
        "safety_backup": None,
        "database": name,
        "removed_objects": _removed(order),
        **order.strategy.as_result(),
        "previous": None,
        "lost_writes": None,
        "warnings": target.warnings,
        "diff": _diff(order),
    }
    if with_safety:
        require_space(directory, target.schema, codec.choose("auto"))
    clock.end_of("check")
    # What comes beside the live tables takes none of them away.
    with_writes = options["lost_writes"] != IGNORE and order.scope.whole
    if check_mode:
        # What an interrupted swap has left is put right first, and cannot be backed up before.
        if with_safety and not left:
            _look_at_present(options, target)
        if with_writes:
            result["lost_writes"] = lost_writes(target, backup, since(target, backup), keep=False)
            clock.end_of("lost_writes")
        return {**result, "phases": clock.phases, "seconds": clock.seconds}
    catalog.make_directory(directory)
    with catalog.locked(directory, name):
        safety = _take_safety_backup(options, target, directory) if with_safety else None
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


@dataclass(frozen=True)
class Order:
    """A restore that was looked at from all sides: what goes where, how, and what must be there afterwards.

    Attributes:
        target: the database.
        backup: the backup.
        scope: what of the database is replaced.
        expected: what must be there afterwards: an inventory, (type, name) pairs, or None where nothing says so.
        bodies: the backup's definitions besides tables, where a manifest says where they lie.
        definers: the accounts that they belong to.
        adaptation: what is changed in them on the way.
        strategy: how it is done.
    """

    target: Target
    backup: catalog.Backup
    scope: Scope
    expected: Inventory | Objects | None
    bodies: list[Section]
    definers: set[Account]
    adaptation: Adaptation
    strategy: Strategy

    @property
    def expected_objects(self) -> set[tuple[str, str]]:
        """The (type, name) pairs that must be there afterwards, as far as known."""
        return set(objects_of(self.expected)) if isinstance(self.expected, dict) else set(self.expected or ())


def _order(target: Target, backup: catalog.Backup, findings: Findings | None, options: dict) -> Order:
    scope = _scope(options, backup, target)
    bodies = _bodies(backup, scope)
    definers = {account for section in bodies for account in definers_in(section)}
    if backup.manifest is None:
        # Its sections are not at hand, and its text was looked at as a whole.
        definers = set(findings.contents.definers)
    adaptation = adapt(target, backup, bodies, options, definers)
    if backup.manifest is None:
        require_reachable(backup, findings.contents, adaptation)
    strategy = choose_strategy(target, backup, scope, options["strategy"])
    expected = _expected(backup, findings, scope, bodies)
    return Order(target, backup, scope, expected, bodies, definers, adaptation, strategy)


def _require_possible(order: Order, findings: Findings | None, with_safety: bool) -> None:
    """Raise RecoveryError where the account or the server forbids what the restore, or the way back, would do."""
    target, backup = order.target, order.backup
    with_way_back = with_safety or (order.strategy.name == SWAP and target.schema is not None)
    kept = order.definers - order.adaptation.missing
    if order.scope.whole or with_safety:
        require_whole(target, with_safety)
    require_rights(target, order.expected_objects)
    require_definers(target, set(map(account_name, kept)), with_way_back)
    require_trust(target, order.expected_objects, with_way_back)
    require_taken(target, backup, findings)
    if backup.manifest is None and findings.contents.replication:
        said = ", ".join(dict.fromkeys(findings.contents.replication))
        target.warnings.append(
            f"Left out of {backup.name}, since they are about the server and not about {target.name}: {said}."
        )
    if order.expected is None:
        target.warnings.append(
            f"{backup.name} has no manifest and no comments that say what it holds, so the restored objects cannot be "
            "compared with anything."
        )


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


def _require_good(backup: catalog.Backup, level: str, before_loading: bool = False) -> Findings | None:
    """Return what verifying a backup brought, or raise; before_loading as check_before_loading() has it."""
    if backup.manifest is None:
        # Only its own text can say what it holds.
        level = CONTENT
    if level == "none":
        return None
    findings = check_before_loading(backup, level) if before_loading else check_backup(backup, level, Limits())
    bad = failed(findings.checks)
    if bad:
        raise RecoveryError(
            f"{backup.name} is not restored, it did not pass the check at level {level}:\n{describe(bad)}\n"
            "Nothing was touched. Choose another backup.",
            {"checks": [check.as_result() for check in findings.checks]},
        )
    return findings


def _refuse_other_schemas(backup: catalog.Backup, findings: Findings | None, name: str) -> None:
    others = sorted((findings.schemas if findings else set()) - {name})
    if others:
        raise RecoveryError(
            f"{backup.path} changes to another database by itself (USE or CREATE DATABASE {', '.join(others)}), so it "
            f"would not stay within {name}. Nothing was touched. Take those lines out of the dump, or restore it into "
            f"{others[0]}."
        )


def _scope(options: dict, backup: catalog.Backup, target: Target) -> Scope:
    """Return what is replaced. Raise RecoveryError when tables are asked for that cannot be brought back."""
    # A table that was left out of the backup on purpose has no other copy there: it stays.
    left_alone = frozenset(backup.manifest.get("excluded", ())) if backup.manifest else frozenset()
    if not options["tables"]:
        return Scope(whole=True, left_alone=left_alone)
    if backup.manifest is None:
        raise RecoveryError(f"tables: {backup.name} has no manifest that says where they lie. Nothing was touched.")
    inventory, suffix = backup.manifest["inventory"], options["table_suffix"] or ""
    offered = {name for kind in TABLES for name in inventory.get(kind, ())}
    unknown = sorted(set(options["tables"]) - offered)
    if unknown:
        raise RecoveryError(
            f"tables: {', '.join(unknown)} is not in {backup.name}; it has {', '.join(sorted(offered)) or 'no table'}. "
            "Nothing was touched."
        )
    if target.schema is None:
        raise RecoveryError(
            f"tables: there is no database {target.name} for them to go into; without tables it is made from the whole "
            "backup. Nothing was touched."
        )
    there = {name for kind in (*TABLES, "view") for name in target.present.get(kind, ())}
    taken = sorted(name + suffix for name in options["tables"] if suffix and name + suffix in there)
    taken += sorted(name for name in options["tables"] if not suffix and name in target.present.get("view", ()))
    if taken:
        raise RecoveryError(
            f"tables: {', '.join(taken)} is there already in {target.name}, and is no table that would be replaced. "
            "Nothing was touched. Drop or rename it, or choose another table_suffix."
        )
    return Scope(whole=False, tables=frozenset(options["tables"]), suffix=suffix)


def _bodies(backup: catalog.Backup, scope: Scope) -> list[Section]:
    """Return the definitions besides tables that are restored with a scope."""
    if backup.manifest is None or scope.suffix:
        return []
    bodies = bodies_of(backup)
    if scope.whole:
        return bodies
    return [section for section in bodies if section.kind == TRIGGERS and section.object in scope.tables]


def _expected(
    backup: catalog.Backup, findings: Findings | None, scope: Scope, bodies: list[Section]
) -> Inventory | Objects | None:
    """Return what the schema must hold afterwards, as far as a scope replaces it; None when nothing says so."""
    if backup.manifest is None:
        return findings.objects or None
    inventory = backup.manifest["inventory"]
    if scope.whole:
        return inventory
    tables = chosen_tables(inventory, scope.tables)
    if scope.suffix:
        return {kind: {name + scope.suffix: value for name, value in of.items()} for kind, of in tables.items()}
    names = {name for section in bodies for _kind, name, _text in bodies_in(section)}
    return {**tables, "trigger": {name: inventory["trigger"][name] for name in names}}


def _removed(order: Order) -> list[str]:
    if order.expected is None:
        return []
    return _gone(order.scope.within(order.target, order.target.present), order.expected_objects)


def _gone(before: Inventory, after: Collection[tuple[str, str]]) -> list[str]:
    return [label(key) for key in objects_of(before) if key not in after]


def _diff(order: Order) -> dict:
    target = order.target
    present = order.scope.within(target, target.present)
    return {
        "before_header": f"{target.name} now",
        "after_header": f"{target.name} restored",
        "before": "".join(f"{label(key)}\n" for key in objects_of(present)),
        "after": "".join(f"{label(key)}\n" for key in sorted(order.expected_objects)),
    }


def _look_at_present(options: dict, target: Target) -> Source:
    """Return what a safety backup would be taken of. Raise RecoveryError where it could not be taken whole."""
    try:
        return look_at_source(options, target.name, [], LOCK, without_broken_views=True)
    except Interrupted:
        raise
    except RecoveryError as error:
        raise _no_way_back(target, error) from error


def _no_way_back(target: Target, error: RecoveryError) -> RecoveryError:
    return RecoveryError(
        f"The present state of {target.name} could not be backed up, so there would be no way back. {error}\n"
        "Nothing was touched. Where that state is worth nothing, restore with safety_backup: false."
    )


def _take_safety_backup(options: dict, target: Target, directory: str) -> catalog.Backup:
    """Back up the present state, pinned and verified. Raise RecoveryError."""
    source = _look_at_present(options, target)
    try:
        safety = take_backup(source, directory, codec.choose("auto"), {"purpose": "safety"}, pin=True, retries=1)
    except Interrupted:
        raise
    except RecoveryError as error:
        raise _no_way_back(target, error) from error
    if source.plan.broken_views:
        # Often the very reason for a restore: somebody has dropped a table under them.
        views = "; ".join(f"{view}: {words}" for view, words in source.plan.broken_views.items())
        target.warnings.append(f"These views cannot be read, so {safety.name} is without them: {views}")
    # It is the way back, so it must be one.
    _require_good(safety, CONTENT)
    require_taken(target, safety, None)
    return safety


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
    gone = _gone(strategy.journal.facts["inventory"], order.expected_objects)
    return part, {"swap_seconds": round(seconds, 3), "removed_objects": gone}


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
    return {} if order.expected is not None else {"removed_objects": _gone(target.present, objects_of(found))}


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
