# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Count what was written, in the text of a binary log as mariadb-binlog and mysqlbinlog print it with --verbose.

Every event begins with a line of its own (date, server, position). A change of rows is printed as a comment a row,
"### UPDATE `shop`.`orders`", and says its table. A statement stands as it was sent, after lines that set its session
and end with the delimiter, and before a line that is the delimiter alone; how many rows it changed, the log does not
say.

Private to the collection.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ansible_collections.dbops.recovery.plugins.module_utils._text import counted, some_of

_EVENT = re.compile(rb"#\d{6} [ \d]\d:\d\d:\d\d server id \d+ +end_log_pos \d+ ")
_QUERY = re.compile(rb"\tQuery(?:_compressed)?\t")
_ROW = re.compile(rb"### (INSERT INTO|UPDATE|DELETE FROM) `(?:[^`]|``)+`\.`((?:[^`]|``)+)`")
_KINDS = {b"INSERT INTO": "inserted", b"UPDATE": "updated", b"DELETE FROM": "deleted"}
_DELIMITER = b"/*!*/;\n"
# The first word of a statement, behind comments and what MariaDB sets for that statement alone.
_VERB = re.compile(
    rb"(?:\s|/\*.*?\*/)*(?:SET\s+STATEMENT\s.*?\sFOR\s+)?([A-Za-z]+)(\s+TO\b)?", re.IGNORECASE | re.DOTALL
)
_DEFINING = {b"CREATE", b"ALTER", b"DROP", b"RENAME", b"TRUNCATE"}
_ENDING = {b"COMMIT", b"ROLLBACK", b"XA"}
# Where in an event a line stands: before a statement, in it, or in anything else, such as changes of rows.
_BEFORE, _WITHIN, _ELSEWHERE = range(3)
# They change no rows: how transactions are made up, rights, upkeep.
_SILENT = {
    b"BEGIN",
    b"START",
    b"SAVEPOINT",
    b"RELEASE",
    b"GRANT",
    b"REVOKE",
    b"FLUSH",
    b"ANALYZE",
    b"OPTIMIZE",
    b"REPAIR",
}


# Tables that are named to a person.
_NAMED = 5


@dataclass
class Written:
    """What was written: count() lines, then look.

    Attributes:
        transactions: that changed rows.
        statements: that changed rows and are in the log as they were sent.
        definitions: statements that made, altered, emptied or dropped something.
        rows: by table, how many were inserted, updated and deleted, as far as the log has rows.
    """

    transactions: int = 0
    statements: int = 0
    definitions: int = 0
    rows: dict[str, dict[str, int]] = field(default_factory=dict)
    _where: int = _ELSEWHERE
    _open: bool = False

    def __bool__(self) -> bool:
        return bool(self.transactions or self.definitions)

    def count(self, lines: Iterable[bytes]) -> Iterator[bytes]:
        """Pass lines on, and count what they do."""
        for line in lines:
            self._see(line)
            yield line
        self._end_transaction()

    def _see(self, line: bytes) -> None:
        if line.startswith(b"#") and _EVENT.match(line):
            self._where = _BEFORE if _QUERY.search(line) else _ELSEWHERE
        elif line == _DELIMITER:
            self._where = _ELSEWHERE
        elif self._where == _BEFORE and not line.endswith(_DELIMITER):
            self._see_statement(line)
        elif self._where == _ELSEWHERE:
            self._see_row(line)

    def _see_statement(self, line: bytes) -> None:
        match = _VERB.match(line)
        if not match:
            return  # it begins with empty lines or a long comment
        self._where = _WITHIN
        verb = match[1].upper()
        if verb in _DEFINING:
            self.definitions += 1
        elif verb in _ENDING and not match[2]:
            self._end_transaction()
        elif verb not in _SILENT | _ENDING:
            self.statements += 1
            self._open = True

    def _see_row(self, line: bytes) -> None:
        if line == b"COMMIT" + _DELIMITER:
            self._end_transaction()
        elif match := _ROW.match(line):
            table = match[2].decode("utf-8", "replace").replace("``", "`")
            counts = self.rows.setdefault(table, dict.fromkeys(_KINDS.values(), 0))
            counts[_KINDS[match[1]]] += 1
            self._open = True

    def _end_transaction(self) -> None:
        self.transactions += self._open
        self._open = False

    def describe(self) -> str:
        """Return it for a person: "3 transactions (2 statements, 120 rows: orders 100, customer 20)"."""
        by_table = sorted(((sum(counts.values()), table) for table, counts in self.rows.items()), reverse=True)
        parts = [counted(self.statements, "statement")] if self.statements else []
        if by_table:
            named = some_of([f"{table} {count}" for count, table in by_table], _NAMED, kind="tables")
            parts.append(f"{counted(sum(count for count, _table in by_table), 'row')}: {named}")
        said = counted(self.transactions, "transaction") + (f" ({', '.join(parts)})" if parts else "")
        return said + (f", and {counted(self.definitions, 'change')} of definitions" if self.definitions else "")
