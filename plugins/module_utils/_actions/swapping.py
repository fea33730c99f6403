# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Put a staged schema in the place of the live one, take that back, and put right what an interrupted swap has left.

The journal says at every moment how far it is. Until it says "swapping" nothing of the live schema was touched; from
then on, until it is committed, going back is always possible from what the server itself holds: the old tables, and in
the journal the text of the old triggers, routines, events and views.

Private to the collection.
"""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Iterable
from contextlib import closing
from dataclasses import dataclass

from ansible_collections.dbops.recovery.plugins.module_utils._actions.outcome import words_of
from ansible_collections.dbops.recovery.plugins.module_utils._actions.past_events import less_past_events
from ansible_collections.dbops.recovery.plugins.module_utils._actions.target import Target
from ansible_collections.dbops.recovery.plugins.module_utils._archive.dump import (
    EVENTS,
    PREAMBLE,
    ROUTINES,
    TRIGGERS,
    VIEW,
    VIEW_PLACEHOLDER,
    Section,
    bodies_in,
    split,
    without_routines,
)
from ansible_collections.dbops.recovery.plugins.module_utils._database import staging
from ansible_collections.dbops.recovery.plugins.module_utils._database.connection import identifier, query
from ansible_collections.dbops.recovery.plugins.module_utils._database.dumping import (
    definition_arguments,
    read_dump,
)
from ansible_collections.dbops.recovery.plugins.module_utils._database.inventory import (
    UNREADABLE,
    Inventory,
    compare,
    label,
    objects_of,
    triggers_of,
    without,
)
from ansible_collections.dbops.recovery.plugins.module_utils._database.loading import (
    create_schema,
    drop_objects,
    load_dump,
    set_schema_defaults,
)
from ansible_collections.dbops.recovery.plugins.module_utils._database.programs import DUMP, find_program
from ansible_collections.dbops.recovery.plugins.module_utils._database.routine_grants import (
    RoutineGrant,
    noted_routine_grants,
    read_routine_grants,
    routines_of,
)
from ansible_collections.dbops.recovery.plugins.module_utils._database.server import find_schema
from ansible_collections.dbops.recovery.plugins.module_utils._database.source import unreadable_views
from ansible_collections.dbops.recovery.plugins.module_utils._database.staging import Journal
from ansible_collections.dbops.recovery.plugins.module_utils._database.swap import (
    Swap,
    drop_triggers,
    foreign_keys_to_outside,
    rename,
)
from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError
from ansible_collections.dbops.recovery.plugins.module_utils._text import some_of

TABLES = ("table", "sequence")
# By its number, since a server may say its words in another language; and how often the way back waits that long.
_LOCK_WAIT = re.compile(r"\b(?:error|ERROR) 1205\b")
_PATIENCE = 10
# In the order in which they are made: a view may call a function, and an event may start as soon as it is there.
_ORDER = (PREAMBLE, TRIGGERS, ROUTINES, VIEW_PLACEHOLDER, VIEW, EVENTS)


@dataclass(frozen=True)
class Scope:
    """What of a live schema is replaced.

    Attributes:
        whole: all of it, or only some tables with their triggers.
        tables: if not all, the names of those tables in the backup.
        suffix: of the names that they get in the live schema.
        left_alone: if all, the tables that are not touched all the same.
    """

    whole: bool
    tables: frozenset[str] = frozenset()
    suffix: str = ""
    left_alone: frozenset[str] = frozenset()

    @property
    def partial(self) -> bool:
        """Whether tables of the live schema stay."""
        return not self.whole or bool(self.left_alone)

    def within(self, target: Target, inventory: Inventory) -> Inventory:
        """Return of a live inventory what is replaced, and must be as it should afterwards."""
        connection, schema = target.connection, target.name
        if self.whole:
            left = set(self.left_alone)
            return without(inventory, table=left, trigger=triggers_of(connection, schema, left))
        names = {name + self.suffix for name in self.tables}
        chosen = {kind: {n: v for n, v in inventory.get(kind, {}).items() if n in names} for kind in TABLES}
        triggers = triggers_of(connection, schema, names)
        chosen["trigger"] = {name: value for name, value in inventory.get("trigger", {}).items() if name in triggers}
        return chosen

    def going(self, present: Inventory) -> frozenset[str]:
        """Return the live tables and sequences that go out."""
        there = {name for kind in TABLES for name in present.get(kind, ())}
        if self.whole:
            return frozenset(there - self.left_alone)
        return frozenset() if self.suffix else frozenset(there & self.tables)


@dataclass(frozen=True)
class Incoming:
    """What comes into the live schema.

    Attributes:
        tables: the tables and sequences in the staging schema.
        bodies: sections with the triggers, routines, events and views, and the preamble that they are loaded under.
        inventory: their definitions, as far as they say which objects of the live schema are the same already.
        charset, collation: of the schema, where known.
        routine_grants: the rights on routines that come back after they were gone, as far as known.
    """

    tables: frozenset[str]
    bodies: list[Section]
    inventory: Inventory
    charset: str | None = None
    collation: str | None = None
    routine_grants: Collection[RoutineGrant] = ()


def swap_in(target: Target, journal: Journal, scope: Scope, incoming: Incoming) -> float:
    """Put what is in the staging schema into the place of the live tables; return the seconds of the swap itself.

    Until the renaming the application sees the old data, after it the new. Raise RecoveryError; go_back() helps then.
    """
    connection = target.keep_connected()
    target.look_again()
    present = scope.within(target, target.present)
    swap = Swap(target.name, journal.staging, journal.previous, scope.going(present), incoming.tables, scope.suffix)
    unchanged = _unchanged(present, incoming)
    routines = routines_of(present)
    rights = read_routine_grants(connection, target.name) if routines else []
    staging.write(
        connection,
        journal,
        staging.SWAPPING,
        going=sorted(swap.going),
        coming=sorted(swap.coming),
        scope=[scope.whole, sorted(scope.tables), scope.suffix, sorted(scope.left_alone)],
        inventory=present,
        definitions=_packed(_definitions_of(target)) if target.schema else [],
        routine_grants=rights,
        schema=[target.schema.charset, target.schema.collation] if target.schema else None,
    )
    if target.schema is None:
        create_schema(connection, target.name, incoming.charset, incoming.collation)
    elif scope.whole:
        set_schema_defaults(connection, target.schema, incoming.charset, incoming.collation)
    # A view in the place of a table that comes in.
    in_the_way = [name for name in present.get("view", ()) if name in swap.coming]
    drop_objects(connection, target.name, {"view": dict.fromkeys(in_the_way)})
    clock = time.monotonic()
    drop_triggers(connection, target.name, swap.going)
    rename(connection, swap.forward())
    seconds = time.monotonic() - clock
    if scope.whole:
        drop_objects(connection, target.name, _bodies_gone(present, incoming))
    _load_bodies(target, _less(incoming.bodies, unchanged))
    coming = [each for each in incoming.routine_grants if (each.kind, each.name) not in routines]
    target.grant_again(rights if rights is None else [*rights, *coming], routines - unchanged)
    return seconds


def scope_of(journal: Journal) -> Scope:
    """Return the scope that a journal notes."""
    whole, tables, suffix, left_alone = journal.facts["scope"]
    return Scope(whole, frozenset(tables), suffix, frozenset(left_alone))


def _unchanged(present: Inventory, incoming: Incoming) -> set[tuple[str, str]]:
    """Return the objects besides tables that are in the live schema as they come in: they need not be touched."""
    expected = incoming.inventory
    return {
        (kind, name)
        for kind, names in present.items()
        if kind not in (*TABLES, "trigger")
        for name, value in names.items()
        if expected.get(kind, {}).get(name) == value
    }


def _covers_only(section: Section, unchanged: set[tuple[str, str]]) -> bool:
    if section.kind in (VIEW, VIEW_PLACEHOLDER):
        return ("view", section.object) in unchanged
    if section.kind in (ROUTINES, EVENTS):
        return all((kind, name) in unchanged for kind, name, _text in bodies_in(section))
    return False


def _less(sections: Iterable[Section], unchanged: set[tuple[str, str]]) -> list[Section]:
    """Return sections less what need not be made: a routine that stays keeps the rights on it."""
    return [
        without_routines(each, unchanged) if each.kind == ROUTINES else each
        for each in sections
        if not _covers_only(each, unchanged)
    ]


def _bodies_gone(present: Inventory, incoming: Incoming) -> Inventory:
    return {
        kind: {name: value for name, value in names.items() if name not in incoming.inventory.get(kind, {})}
        for kind, names in present.items()
        if kind not in (*TABLES, "trigger")
    }


def _load_bodies(target: Target, sections: Iterable[Section]) -> None:
    ordered = sorted(sections, key=lambda section: _ORDER.index(section.kind))
    if any(section.kind != PREAMBLE for section in ordered):
        warnings = load_dump(target.program, target.settings, target.name, [section.data for section in ordered])
        target.warnings += [f"while making triggers, routines, views and events: {warning}" for warning in warnings]


def _definitions_of(target: Target) -> list[Section]:
    """Return what makes the triggers, routines, events and views of the live schema again."""
    program = find_program(DUMP, target.server)
    # The dump would end at a view or a table that cannot be read; it could not be made again either.
    broken = unreadable_views(target.connection, target.name, target.present.get("view", ()))
    damaged = [name for name, value in target.present.get("table", {}).items() if value == UNREADABLE]
    arguments = definition_arguments(program, target.name, [*broken, *damaged])
    with closing(read_dump(program, target.settings, arguments)) as blocks:
        return [each for each in split(blocks) if each.kind in _ORDER]


def _packed(sections: Iterable[Section]) -> list[list]:
    return [[each.kind, each.object, each.data.decode("utf-8", "surrogateescape")] for each in sections]


def definitions_in(journal: Journal) -> list[Section]:
    """Return the definitions of triggers, routines, events and views that a journal keeps."""
    return [
        Section(kind, name, text.encode("utf-8", "surrogateescape"))
        for kind, name, text in journal.facts.get("definitions", ())
    ]


def definitions_within(journal: Journal) -> list[Section]:
    """Return of the definitions that a journal keeps those of what its swap replaced, and the preamble.

    It keeps the whole schema's, and what stayed in place is not to come back.
    """
    replaced = set(objects_of(journal.facts["inventory"]))
    return [each for each in definitions_in(journal) if each.kind == PREAMBLE or _concerns(each, replaced)]


def commit(target: Target, journal: Journal, until: str | None) -> None:
    """Note that a swap is done, so that nobody takes it back.

    Until is when the previous schema is to go, None for at once. Raise RecoveryError; until here go_back() helps.
    """
    connection = target.reconnect()
    if until:
        staging.write(connection, journal, staging.KEPT, until=until)
    else:
        staging.write(connection, journal, staging.DONE)


def put_away(target: Target, journal: Journal, keep: bool) -> dict | None:
    """Keep the previous schema of a swap that is done, or drop it, and what else is beside it; return how it is kept.

    It is dropped in any case where its tables would hold on to rows of tables that are in use. What is done stays done
    whatever goes wrong here; the target's warnings say so then.
    """
    try:
        connection = target.reconnect()
        outward = foreign_keys_to_outside(connection, journal.previous) if keep else []
        if outward:
            target.warnings.append(
                "What was there before is not kept on the server, since rows that the application uses could not be "
                f"deleted while it is: {'; '.join(outward[:5])}."
            )
        if outward or not keep:
            forget(target, journal)
            return None
        staging.remove_staging(connection, journal)
        return {"schema": journal.previous, "until": journal.facts["until"]}
    except Exception as error:
        target.warnings.append(f"{journal.previous} could not be put away, the next restore does it: {words_of(error)}")
        return None


def forget(target: Target, journal: Journal) -> None:
    """Drop what a swap that is done has left beside the live schema. Raise RecoveryError."""
    if journal.state != staging.DONE:
        staging.write(target.connection, journal, staging.DONE)
    staging.remove(target.connection, journal)


def go_back(target: Target, journal: Journal) -> None:
    """Bring the live schema back to what it was before a swap, however far that had come, and forget the swap.

    May be done again after it was interrupted itself. Raise RecoveryError.
    """
    if journal.state == staging.SWAPPING:
        for left in range(_PATIENCE, -1, -1):
            try:
                _undo_swap(target, journal)
                break
            except RecoveryError as error:
                # Another session holds one of the tables; that is no reason to leave the schema as it is.
                if not left or not _LOCK_WAIT.search(str(error)):
                    raise
        staging.write(target.connection, journal, staging.DONE)
    staging.remove(target.connection, journal)


def _undo_swap(target: Target, journal: Journal) -> None:
    connection, facts, scope = target.connection, journal.facts, scope_of(journal)
    going, coming = frozenset(facts["going"]), frozenset(facts["coming"])
    swap = Swap(target.name, journal.staging, journal.previous, going, coming, scope.suffix)
    if find_schema(connection, target.name) is None:
        if facts["schema"] is None:
            return
        create_schema(connection, target.name, *facts["schema"])
    there = staging.tables_in(connection, target.name, journal.staging, journal.previous)
    lost = swap.lost(there)
    if lost:
        raise RecoveryError(
            f"these tables of {target.name} went to {journal.previous}, and are not there any more: {some_of(lost, 20)}"
        )
    renamings = swap.back(there)
    if renamings:
        drop_triggers(connection, target.name, going | {name + scope.suffix for name in coming})
        rename(connection, renamings)
    if facts["schema"] is None:
        _remove_made(target)
        return
    set_schema_defaults(connection, find_schema(connection, target.name), *facts["schema"])
    wanted, kept = facts["inventory"], definitions_in(journal)
    now = scope.within(target, target.inventory())
    routines = routines_of(wanted)
    if compare(wanted, now):
        _make_again(target, wanted, now, kept)
        now = scope.within(target, target.inventory())
    # Whoever was interrupted here may have made them again, and no more.
    if routines:
        target.grant_again(noted_routine_grants(facts.get("routine_grants")), routines)
    difference = less_past_events(connection, target.warnings, compare(wanted, now), kept)
    not_kept = _not_kept(difference.missing, kept)
    target.warn_of_lost(not_kept)
    if difference.unexpected or difference.changed or set(difference.missing) - not_kept:
        raise RecoveryError(f"after going back, {target.name} is not what it was: {difference.describe()}")


def _remove_made(target: Target) -> None:
    """Drop the live schema that was not there before the swap, unless somebody has put tables into it since."""
    found = target.inventory()
    if not any(found.get(kind) for kind in TABLES):
        query(target.connection, f"DROP DATABASE {identifier(target.name)}")


def _make_again(target: Target, wanted: Inventory, now: Inventory, kept: list[Section]) -> None:
    """Bring views, routines, events and triggers to what they were: drop what came, load what is missing or changed."""
    surplus = {
        kind: {name: value for name, value in names.items() if name not in wanted.get(kind, {})}
        for kind, names in now.items()
        if kind not in (*TABLES, "trigger")
    }
    drop_objects(target.connection, target.name, surplus)
    lost = {
        (kind, name)
        for kind, names in wanted.items()
        for name, value in names.items()
        if now.get(kind, {}).get(name) != value
    }
    again = [each for each in kept if each.kind == PREAMBLE or _concerns(each, lost)]
    again = _less(again, routines_of(wanted) - lost)
    # Those that are still there of a table's triggers come again with the others.
    drop_triggers(target.connection, target.name, {each.object for each in again if each.kind == TRIGGERS})
    _load_bodies(target, again)


def _concerns(section: Section, lost: Collection[tuple[str, str]]) -> bool:
    if section.kind in (VIEW, VIEW_PLACEHOLDER):
        return ("view", section.object) in lost
    return any((kind, name) in lost for kind, name, _text in bodies_in(section))


def _not_kept(missing: Iterable[str], kept: Iterable[Section]) -> set[str]:
    """Return those of the missing views that no kept definition makes."""
    views = {label(("view", section.object)) for section in kept if section.kind == VIEW}
    return {each for each in missing if each.startswith("view ") and each not in views}
