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
from dataclasses import dataclass, field

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
_AUTO_INCREMENT = re.compile(rb"  (" + _NAME + rb") [^\n]* AUTO_INCREMENT\b")


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
        understood: whether it was taken apart at all; if not, foreign_keys is empty though it may have some.
    """

    table: str
    data: bytes
    keys: list[bytes] = field(default_factory=list)
    foreign_keys: list[ForeignKey] = field(default_factory=list)
    understood: bool = True


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
    if b" ENGINE=InnoDB" not in end.group() or b"WITH SYSTEM VERSIONING" in data[end.start() :]:
        # Others build their keys fast enough, or refuse to be altered.
        return Definition(table, data, understood=b" ENGINE=InnoDB" not in end.group())
    counted = _auto_increment_of(lines)
    staying, keys, foreign_keys = [], [], []
    for line in lines:
        foreign, plain = _FOREIGN_KEY.fullmatch(line), _PLAIN_KEY.fullmatch(line)
        if foreign:
            foreign_keys.append(
                ForeignKey(
                    unquote(foreign["schema"]) if foreign["schema"] else None, unquote(foreign["table"]), line[2:]
                )
            )
        elif keys_later and plain and not (counted and plain.group(1).startswith(b"(" + counted)):
            keys.append(line[2:])
        else:
            staying.append(line)
    if not any(_COLUMN.fullmatch(line) for line in staying):
        return Definition(table, data, understood=False)
    slim = data[: start.end()] + b",\n".join(staying) + data[end.start() :]
    return Definition(table, slim, keys, foreign_keys)


def _auto_increment_of(lines: Iterable[bytes]) -> bytes | None:
    """Return the quoted name of the column that counts by itself: the server wants a key that begins with it."""
    for line in lines:
        match = _AUTO_INCREMENT.match(line)
        if match:
            return match.group(1)
    return None


def add_keys(table: str, parts: Iterable[bytes]) -> bytes:
    """Given the texts of keys or foreign keys, return the statement that adds them to a table; nothing for none."""
    added = b", ".join(b"ADD " + part for part in parts)
    name = table.replace("`", "``").encode("utf-8", "surrogateescape")
    return b"ALTER TABLE `" + name + b"` " + added + b";\n" if added else b""
