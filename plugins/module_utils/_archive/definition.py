# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The definition of a table in a dump, taken apart: what rows need at once, and what is better added after them.

The server words a definition with one column, key or constraint a line (SHOW CREATE TABLE). A definition with a line
that is not understood is left as it is: then nothing is added later, and nothing can be lost.

Private to the collection.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from ansible_collections.dbops.recovery.plugins.module_utils._archive.dump import unquote

_NAME = rb"`(?:[^`]|``)+`"
_CREATE = re.compile(rb"^CREATE TABLE (" + _NAME + rb") \(\n", re.MULTILINE)
_END = re.compile(rb"\n\)[^\n]*")
_COLUMN = re.compile(rb"  " + _NAME + rb" [^\n]+")
_STAYS = re.compile(
    rb"  (?:PRIMARY KEY|UNIQUE KEY|KEY|FULLTEXT KEY|SPATIAL KEY|VECTOR KEY|PERIOD FOR|CONSTRAINT|CHECK) [^\n]+"
)
_PARTS = rb"\(" + _NAME + rb"(?:\(\d+\))?(?: (?:ASC|DESC))?(?:," + _NAME + rb"(?:\(\d+\))?(?: (?:ASC|DESC))?)*\)"
_PLAIN_KEY = re.compile(rb"  (?:UNIQUE )?KEY " + _NAME + rb" (" + _PARTS + rb")(?: USING BTREE)?(?: COMMENT '[^\n]*')?")
_FOREIGN_KEY = re.compile(
    rb"  CONSTRAINT (?P<name>" + _NAME + rb") FOREIGN KEY \([^\n]*?\) REFERENCES "
    rb"(?:(?P<schema>" + _NAME + rb")\.)?(?P<table>" + _NAME + rb") \([^\n]*\)(?P<rules>[^\n]*)"
)
_REFERRED_TO = re.compile(rb" REFERENCES (?:" + _NAME + rb"\.)?(" + _NAME + rb")")
_CHECK_NAME = re.compile(rb"(?<=^  )CONSTRAINT " + _NAME + rb" (?=CHECK \()", re.MULTILINE)
_AUTO_INCREMENT = re.compile(rb"  (" + _NAME + rb") [^\n]* AUTO_INCREMENT\b")
_LONG_COLUMN = re.compile(
    rb"  (" + _NAME + rb") (?:(?:tiny|medium|long)?(?:text|blob)|(?:varchar|varbinary)\(\d{4,}\))"
)
# The server puts unique keys before all others, and these behind them; among themselves they keep their order.
_UNIQUE = b"  UNIQUE KEY "
_OTHER_KEYS = (b"  KEY ", b"  SPATIAL KEY ", b"  VECTOR KEY ")


@dataclass(frozen=True)
class ForeignKey:
    """A foreign key of a definition: the table that it refers to (schema None: of its own schema) and its text."""

    schema: str | None
    table: str
    text: bytes

    def pointing_into(self, schema: str) -> bytes:
        """Return its text with the table that it refers to looked for in a schema."""
        match = _FOREIGN_KEY.fullmatch(b"  " + self.text)
        place = match.start("table") - 2
        return self.text[:place] + b"`" + schema.replace("`", "``").encode() + b"`." + self.text[place:]


@dataclass(frozen=True)
class Definition:
    """A table's definition.

    Attributes:
        table: its name.
        data: the statements that make it, less the parts below.
        keys: the texts of keys that may be added after the rows.
        foreign_keys: those that may be added when all tables are there.
        understood: whether foreign_keys are all that it has; if not, it was left as it is, and may have others.
    """

    table: str
    data: bytes
    keys: list[bytes] = field(default_factory=list)
    foreign_keys: list[ForeignKey] = field(default_factory=list)
    understood: bool = True

    @property
    def needed_at_once(self) -> set[str]:
        """The tables that it refers to by foreign keys that were not taken out: these want a key there from the start.

        That is so where the table is there already, whatever the session checks.
        """
        return set() if self.understood else {unquote(name) for name in _REFERRED_TO.findall(self.data)}


def take_apart(table: str, data: bytes, keys_later: bool) -> Definition:
    """Given the bytes of a table's definition in a dump, return it taken apart, as far as it is understood.

    With keys_later, keys are taken out too where they can be; foreign keys always.
    """
    start = _CREATE.search(data)
    end = _END.search(data, start.end() - 1) if start else None
    if not start or not end or unquote(start.group(1)) != table:
        return Definition(table, data, understood=False)
    lines = [line[:-1] if line.endswith(b",") else line for line in data[start.end() : end.start()].split(b"\n")]
    if not all(_COLUMN.fullmatch(line) or _STAYS.fullmatch(line) for line in lines):
        return Definition(table, data, understood=False)
    if (
        b" ENGINE=InnoDB" not in end.group()
        or b"WITH SYSTEM VERSIONING" in data[end.start() :]
        or _has_hash_by_hand(lines)
    ):
        # Others build their keys fast enough, or refuse to be altered, or forget by that what a key was to be.
        return Definition(table, data, understood=not any(b" FOREIGN KEY (" in line for line in lines))
    later = _may_come_later(lines) if keys_later else set()
    staying, keys, foreign_keys = [], [], []
    for line in lines:
        foreign = _FOREIGN_KEY.fullmatch(line)
        if foreign:
            foreign_keys.append(
                ForeignKey(
                    unquote(foreign["schema"]) if foreign["schema"] else None, unquote(foreign["table"]), line[2:]
                )
            )
        elif line in later:
            keys.append(line[2:])
        else:
            staying.append(line)
    if not any(_COLUMN.fullmatch(line) for line in staying):
        return Definition(table, data, understood=False)
    slim = data[: start.end()] + b",\n".join(staying) + data[end.start() :]
    return Definition(table, slim, keys, foreign_keys)


def without_check_names(definition: Definition) -> Definition:
    """Return a definition whose checks have no names; the server gives them new ones."""
    return replace(definition, data=_CHECK_NAME.sub(b"", definition.data))


def _has_hash_by_hand(lines: list[bytes]) -> bool:
    """Return whether a unique key is a hash because somebody wanted it so: MariaDB's ALTER makes it another one.

    That of a column which is too long for any other is made one again.
    """
    long = [match.group(1) for match in map(_LONG_COLUMN.match, lines) if match]
    hashes = [line.partition(b" (")[2] for line in lines if line.startswith(_UNIQUE) and b" USING HASH" in line]
    return any(not any(column in parts for column in long) for parts in hashes)


def _may_come_later(lines: list[bytes]) -> set[bytes]:
    """Return those of a definition's lines that are keys which come to stand in the same place when added later.

    What is added comes behind the other keys of its sort, so one that stands before a key that stays has to stay too.
    """
    counted = _needs_a_key(lines)
    later: set[bytes] = set()
    before_one_that_stays: set[bool] = set()
    for line in reversed(lines):
        unique = line.startswith(_UNIQUE)
        plain = _PLAIN_KEY.fullmatch(line)
        if plain and unique not in before_one_that_stays and not (counted and plain.group(1).startswith(counted)):
            later.add(line)
        elif unique or line.startswith(_OTHER_KEYS):
            before_one_that_stays.add(unique)
    return later


def _needs_a_key(lines: Iterable[bytes]) -> bytes | None:
    """Return how the parts of a key begin that the server wants from the start, for the column that counts by itself.

    None where there is no such column, or the primary key begins with it.
    """
    for line in lines:
        match = _AUTO_INCREMENT.match(line)
        if match:
            parts = b"(" + match.group(1)
            return None if any(each.startswith(b"  PRIMARY KEY " + parts) for each in lines) else parts
    return None


def add_keys(table: str, parts: Iterable[bytes]) -> bytes:
    """Given the texts of keys or foreign keys, return the statement that adds them to a table; nothing for none."""
    added = b", ".join(b"ADD " + part for part in parts)
    name = table.replace("`", "``").encode("utf-8", "surrogateescape")
    return b"ALTER TABLE `" + name + b"` " + added + b";\n" if added else b""
