# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Build the tables of a backup in a schema of their own, by several clients, and hold them against the manifest.

Keys and foreign keys are added after the rows: built in one go they cost a fraction of what they cost row by row.

Private to the collection.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Collection, Generator, Iterable, Iterator
from dataclasses import dataclass

from ansible_collections.dbops.recovery.plugins.module_utils import _progress
from ansible_collections.dbops.recovery.plugins.module_utils._actions.target import Target, require_equal, same_version
from ansible_collections.dbops.recovery.plugins.module_utils._archive.catalog import Backup
from ansible_collections.dbops.recovery.plugins.module_utils._archive.definition import (
    Definition,
    ForeignKey,
    add_keys,
    take_apart,
    without_check_names,
)
from ansible_collections.dbops.recovery.plugins.module_utils._archive.dump import (
    PREAMBLE,
    ROWS,
    SEQUENCE,
    TABLE,
    Section,
    statements_in,
)
from ansible_collections.dbops.recovery.plugins.module_utils._archive.sections import read_sections
from ansible_collections.dbops.recovery.plugins.module_utils._database.inventory import Inventory, read_inventory
from ansible_collections.dbops.recovery.plugins.module_utils._database.loading import load_in_parallel, send_in_parallel
from ansible_collections.dbops.recovery.plugins.module_utils._database.orphans import count_orphans, references_across
from ansible_collections.dbops.recovery.plugins.module_utils._database.server import MYSQL
from ansible_collections.dbops.recovery.plugins.module_utils._database.source import count_rows
from ansible_collections.dbops.recovery.plugins.module_utils._errors import Interrupted, RecoveryError

# Below this many bytes of rows a key is as well built row by row: one statement more costs more.
_LATER_KEYS_BYTES = 256 * 1024
# Small tables go to a client in one piece of about this size.
_UNIT_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class CopyPlan:
    """What of a backup is copied, and how.

    Attributes:
        backup: the backup.
        tables: the names of the tables and sequences.
        definitions: of each of those tables, taken apart.
        beside: whether they are to stand beside their namesakes: then without foreign keys, whose names are taken.
        renamed: those of them whose checks come without their names for the same reason, as MySQL has it.
    """

    backup: Backup
    tables: frozenset[str]
    definitions: dict[str, Definition]
    beside: bool = False
    renamed: frozenset[str] = frozenset()

    @property
    def foreign_keys(self) -> list[tuple[str, ForeignKey]]:
        """The foreign keys that are added after the rows, each with its table."""
        if self.beside:
            return []
        return [(table, key) for table, each in self.definitions.items() for key in each.foreign_keys]

    def outward(self) -> list[tuple[str, ForeignKey]]:
        """Return the foreign keys that refer to tables of the same schema that are not copied."""
        return [(table, key) for table, key in self.foreign_keys if key.schema is None and key.table not in self.tables]


def plan_copy(target: Target, backup: Backup, tables: Iterable[str], beside: bool) -> CopyPlan:
    """Read the definitions of some tables of a backup, and nothing else of it. Raise RecoveryError."""
    wanted = frozenset(tables)
    # What is built afterwards must be comparable with the manifest's definition, else nothing is taken apart.
    apart = same_version(target, backup)
    entries = _entries(backup, wanted)
    rows = _bytes_of_rows(entries)
    sections = read_sections(backup, [entry for entry in entries if entry["kind"] == TABLE])
    texts = {section.object: section.data for section in sections}
    if not apart:
        whole = {table: Definition(table, text, understood=False) for table, text in texts.items()}
        return CopyPlan(backup, wanted, whole, beside)
    definitions = {
        table: take_apart(table, text, rows.get(table, 0) >= _LATER_KEYS_BYTES) for table, text in texts.items()
    }
    for table in {name for each in definitions.values() for name in each.needed_at_once if name in texts}:
        definitions[table] = take_apart(table, texts[table], keys_later=False)
    renamed: set[str] = set()
    if beside and target.server.flavour == MYSQL:
        # There a check's name is its schema's, in MariaDB its table's.
        nameless = {table: without_check_names(each) for table, each in definitions.items()}
        renamed = {table for table, each in nameless.items() if each != definitions[table]}
        definitions = nameless
    return CopyPlan(backup, wanted, definitions, beside, frozenset(renamed))


def _entries(backup: Backup, tables: Iterable[str]) -> list[dict]:
    names = frozenset(tables)
    kinds = (SEQUENCE, TABLE, ROWS)
    return [
        entry for entry in backup.manifest["archive"]["sections"] if entry["kind"] in kinds and entry["object"] in names
    ]


def _bytes_of_rows(entries: Iterable[dict]) -> dict[str, int]:
    rows: dict[str, int] = {}
    for entry in entries:
        if entry["kind"] == ROWS:
            rows[entry["object"]] = rows.get(entry["object"], 0) + entry["plain_bytes"]
    return rows


def units_of(entries: Iterable[dict], unit_bytes: int = _UNIT_BYTES) -> list[list[dict]]:
    """Group sections into units of work, the longest first: a large table alone, small neighbours together."""
    units: list[list[dict]] = []
    size = 0
    for entry in entries:
        begins = entry["kind"] in (SEQUENCE, TABLE)
        if not units or (begins and size >= unit_bytes):
            units.append([])
            size = 0
        units[-1].append(entry)
        size += entry["plain_bytes"]
    return sorted(units, key=lambda unit: sum(entry["plain_bytes"] for entry in unit), reverse=True)


def bytes_to_load(plan: CopyPlan) -> int:
    """Return how many bytes of SQL the planned tables are."""
    return sum(entry["plain_bytes"] for entry in _entries(plan.backup, plan.tables))


def build_copy(target: Target, plan: CopyPlan, schema: str, threads: int) -> float:
    """Load the planned tables into an empty schema, by so many sessions at once. Raise RecoveryError.

    Definitions go through the client program, whatever stands in them. Rows, nearly all of the bytes, are statements
    whose ends are known, and go over connections.

    Return how many of the seconds went to keys and foreign keys. One session builds keys while another loads rows, so
    of that time they are given the share that they have in the time of all sessions.
    """
    entries = _entries(plan.backup, plan.tables)
    units = deque(units_of(entries))
    preamble = preamble_of(plan.backup)
    # A definition that is not taken apart has its foreign keys in it, and tables that wait for each other.
    whole = all(each.understood for each in plan.definitions.values())
    sessions = max(1, min(threads if whole else 1, len(units)))
    definitions = list(_definitions(plan))
    _progress.phase("making tables", target.name)
    _load(target, plan, schema, [[preamble.data, *definitions[first::sessions]] for first in range(sessions)])
    _progress.phase("loading rows, building keys", expected=sum(_bytes_of_rows(entries).values()))
    spent: list[tuple[float, float]] = []
    streams = [_rows_and_keys(plan, preamble, units, spent) for _session in range(sessions)]
    begun = time.monotonic()
    _warn(target, plan, send_in_parallel(target.settings, schema, streams))
    in_all, on_keys = (sum(seconds) for seconds in zip(*spent))
    indexing = (time.monotonic() - begun) * on_keys / in_all
    outward = {key for _table, key in plan.outward()}
    added = [
        add_keys(table, [key.pointing_into(target.name) if key in outward else key.text])
        for table, key in plan.foreign_keys
    ]
    if added:
        _progress.phase("adding foreign keys")
        begun = time.monotonic()
        _load(target, plan, schema, [[preamble.data, *added]])
        indexing += time.monotonic() - begun
    return indexing


def _load(target: Target, plan: CopyPlan, schema: str, streams: Iterable[Iterable[bytes]]) -> None:
    _warn(target, plan, load_in_parallel(target.program, target.settings, schema, streams))


def _warn(target: Target, plan: CopyPlan, warnings: Iterable[str]) -> None:
    target.warnings += [f"while loading {plan.backup.name}: {warning}" for warning in warnings]


def preamble_of(backup: Backup) -> Section:
    """Return what a dump begins with: the settings of the session that it is to be loaded in."""
    first = backup.manifest["archive"]["sections"][:1]
    if not first or first[0]["kind"] != PREAMBLE:
        raise RecoveryError(f"{backup.path} does not begin as a dump does.")
    (section,) = read_sections(backup, first)
    return section


def _definitions(plan: CopyPlan) -> Iterator[bytes]:
    entries = _entries(plan.backup, plan.tables)
    for section in read_sections(plan.backup, [entry for entry in entries if entry["kind"] == SEQUENCE]):
        yield section.data
    for definition in plan.definitions.values():
        yield definition.data


def _rows_and_keys(
    plan: CopyPlan, preamble: Section, units: deque[list[dict]], spent: list[tuple[float, float]]
) -> Iterator[bytes]:
    """Yield the statements of units until none is left; several streams may take theirs from the same units.

    In the end add to `spent` how many seconds that took, and how many of them who takes the statements was at the keys.
    """
    begun, on_keys = time.monotonic(), 0.0
    yield from statements_in(preamble)
    while True:
        try:
            unit = units.popleft()
        except IndexError:
            spent.append((time.monotonic() - begun, on_keys))
            return
        table = None
        for section in read_sections(plan.backup, unit):
            if section.object != table:
                on_keys += yield from _timed(_keys_of(plan, table))
                table = section.object
            if section.kind == ROWS:
                yield from statements_in(section)
                _progress.advance(len(section.data))
            # Megabytes, which need not be there while the next ones are read.
            del section
        on_keys += yield from _timed(_keys_of(plan, table))


def _timed(statements: Iterable[bytes]) -> Generator[bytes, None, float]:
    """Yield statements; return how many seconds who takes them was at them."""
    begun = time.monotonic()
    yield from statements
    return time.monotonic() - begun


def _keys_of(plan: CopyPlan, table: str | None) -> list[bytes]:
    definition = plan.definitions.get(table)
    return [add_keys(table, definition.keys)] if definition and definition.keys else []


def require_copy(target: Target, plan: CopyPlan, schema: str) -> None:
    """Raise RecoveryError unless a schema holds the planned tables with their definitions and their numbers of rows."""
    _progress.phase("counting rows")
    connection = target.keep_connected()
    found = read_inventory(connection, schema)
    expected = chosen_tables(plan.backup.manifest["inventory"], plan.tables)
    # Foreign keys that lead out of the copy read otherwise until it is in its place, and beside it there are none.
    incomparable = {f"table {table}" for table, _key in plan.outward()}
    if plan.beside:
        incomparable = {f"table {table}" for table, each in plan.definitions.items() if each.foreign_keys}
        incomparable |= {f"table {table}" for table in plan.renamed}
    require_equal(target, plan.backup, expected, found, incomparable)
    rows = plan.backup.manifest.get("rows")
    if not rows:
        return
    wanted = {table: count for table, count in rows["tables"].items() if table in plan.tables}
    counted = count_rows(connection, schema, wanted)
    wrong = [
        f"{table} has {counted[table]}, the manifest {count}"
        for table, count in wanted.items()
        if counted[table] != count
    ]
    if wrong and rows["counted"] == "in the dump":
        raise RecoveryError(f"The copy has not as many rows as {plan.backup.name} lists: {'; '.join(wrong[:5])}.")
    if wrong:
        # Counted beside the dump, rows may have come and gone in between.
        target.warnings.append(f"rows that were counted beside the dump of {plan.backup.name}: {'; '.join(wrong[:5])}")


def warn_of_orphans(target: Target, plan: CopyPlan, schema: str, going: Collection[str]) -> None:
    """Say which rows will refer to none, of the copied tables and of those that stay, once these have gone.

    It is no failure: to bring back some tables of several is often the very way to put such rows right.
    """
    if plan.beside:
        return  # they have no foreign keys
    _progress.phase("looking for rows that refer to none")
    connection = target.keep_connected()
    for reference in references_across(connection, target.name, schema, going, plan.tables):
        child, parent = (
            name if there in (target.name, schema) else f"{there}.{name}"
            for there, name in (reference.child, reference.parent)
        )
        rows = f"Rows of {child} that refer to no row of {parent} by the foreign key {reference.name}"
        try:
            count = count_orphans(connection, reference)
        except Interrupted:
            raise
        except RecoveryError as error:
            target.warnings.append(f"{rows} could not be counted: {error}")
            continue
        if count:
            target.warnings.append(
                f"{rows}: {count}. The server keeps them as they are. Restore both tables, or put them right by hand."
            )


def chosen_tables(inventory: Inventory, tables: frozenset[str]) -> Inventory:
    """Return of an inventory only some tables and sequences."""
    return {
        kind: {name: value for name, value in inventory.get(kind, {}).items() if name in tables}
        for kind in ("table", "sequence")
    }
