# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The text of an SQL dump, as mariadb-dump and mysqldump write it: where its sections lie and what they define.

Two facts carry this reading. A newline inside a value is written as the two characters \\n, so a line that starts
with "--" is never data. And the body of a routine, trigger or event, which can hold any line, stands between
"DELIMITER ;;" and "DELIMITER ;".

Private to the collection.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace

CHUNK_BYTES = 4 * 1024 * 1024

PREAMBLE = "preamble"
SEQUENCE = "sequence"
TABLE = "table"
ROWS = "rows"
TRIGGERS = "triggers"
VIEW_PLACEHOLDER = "view_placeholder"
VIEW = "view"
EVENTS = "events"
ROUTINES = "routines"
EPILOGUE = "epilogue"

_WITH_BODIES = (TRIGGERS, EVENTS, ROUTINES)
# What is changed on the way to another place is looked for in these alone.
DEFINITIONS = (*_WITH_BODIES, VIEW_PLACEHOLDER, VIEW)

# Where a section may begin, in one expression, since one search of the rows takes a quarter of the time of four. Of the
# last three, two stand before the other where the dump notes the position of the binary log: MariaDB's with an empty
# line in front of it that belongs to it, and MySQL's.
_BEGINNING = (
    rb"(?P<line>(?P<header>--\n-- (?P<title>[^\n]*)(?=\n))"
    rb"|(?P<triggers>/\*!50003 SET @saved_cs_client )"
    rb"|/\*!40103 SET TIME_ZONE=@OLD_TIME_ZONE"
    rb"|\n-- The deferred gtid setting for slave "
    rb"|SET @@SESSION\.SQL_LOG_BIN = @MYSQLDUMP_TEMP_LOG_BIN;)"
)
_FIRST_LINE = re.compile(_BEGINNING)
_LATER_LINE = re.compile(rb"\n" + _BEGINNING)
_HEADERS = (
    (b"Sequence structure for ", SEQUENCE),
    (b"Table structure for table ", TABLE),
    (b"Dumping data for table ", ROWS),
    (b"Temporary table structure for view ", VIEW_PLACEHOLDER),
    (b"Temporary view structure for view ", VIEW_PLACEHOLDER),
    (b"Final view structure for view ", VIEW),
    (b"Dumping events for database ", EVENTS),
    (b"Dumping routines for database ", ROUTINES),
    # Dumps of several databases have one before each; what follows is of the kind that a dump begins with.
    (b"Current Database: ", PREAMBLE),
)
_WITHOUT_OBJECT = (EVENTS, ROUTINES, PREAMBLE)
# A header names one object of at most 64 characters, each up to four bytes and perhaps doubled.
_LONGEST_HEADER = 1024

_BODY_BEGINS = b"\nDELIMITER ;;\n"
_BODY_ENDS = b"\nDELIMITER ;\n"
_SPACE = rb"(?:\s|/\*.*?\*/|--\s[^\n]*\n|\#[^\n]*\n)+"
# Double quotes where the object was made under ANSI_QUOTES.
_QUOTED = rb"(?:`(?:[^`]|``)+`|\"(?:[^\"]|\"\")+\")"
_BODY_OBJECT = re.compile(
    rb"^(?:/\*!\d+ )?CREATE(?:\*/)?\s+(?:/\*!\d+ )?"
    rb"(?:DEFINER=(?:" + _QUOTED + rb"|[^\s@*]+)(?:@(?:" + _QUOTED + rb"|[^\s*]+))?(?:\*/)?\s+)?(?:/\*!\d+ )?"
    rb"(?:AGGREGATE\s+)?(TRIGGER|EVENT|PROCEDURE|FUNCTION|PACKAGE\s+BODY|PACKAGE)"
    + _SPACE
    + rb"(?:IF"
    + _SPACE
    + rb"NOT"
    + _SPACE
    + rb"EXISTS"
    + _SPACE
    + rb")?"
    rb"(?:(?:" + _QUOTED + rb"|[^\s`.(]+)\s*\.\s*)?(" + _QUOTED + rb"|[^\s`(]+)",
    re.IGNORECASE | re.MULTILINE | re.DOTALL,
)
_SCHEMA_CHANGE = re.compile(
    rb"^\s*(?:USE|CREATE\s+DATABASE(?:\s*/\*!\d+\s*IF NOT EXISTS\s*\*/|\s+IF\s+NOT\s+EXISTS)?)\s+"
    rb"(" + _QUOTED + rb"|[^\s;`]+)",
    re.IGNORECASE | re.MULTILINE,
)

_LOG_PLACE = re.compile(
    rb"^-- CHANGE (?:MASTER|REPLICATION SOURCE) TO (?:MASTER|SOURCE)_LOG_FILE='([^']+)', "
    rb"(?:MASTER|SOURCE)_LOG_POS=(\d+);",
    re.MULTILINE,
)
# A plus sign in front adds to the GTIDs that a server has.
_GTID = re.compile(rb"SET GLOBAL gtid_slave_pos='([^']+)'|GTID_PURGED=(?:/\*!80000 '\+'\*/ )?'\+?([^']+)'")
# Bodies, which may have any line, are matched first.
_REPLICATION = re.compile(
    rb"^DELIMITER (?!;\n).*?(?:^DELIMITER ;$|\Z)"
    rb"|^(?P<words>SET @MYSQLDUMP_TEMP_LOG_BIN|SET @@SESSION\.SQL_LOG_BIN|SET @@GLOBAL\.GTID_PURGED"
    rb"|SET GLOBAL gtid_slave_pos|CHANGE (?:MASTER|REPLICATION SOURCE)|(?:START|STOP) (?:SLAVE|ALL SLAVES|REPLICA))\b"
    rb"[^;]*;\n",
    re.MULTILINE | re.DOTALL,
)
# Comments, empty lines, and the line of MariaDB's that is a command to the client.
_BETWEEN_STATEMENTS = re.compile(rb"(?:--[^\n]*(?:\n|$)|/\*M?!999999\\-[^\n]*\n|\s+)*")
# At the beginning of a statement, where no value of a row stands.
DEFINER = re.compile(
    rb"^(?:CREATE\b|/\*!)[^\n'\"]{0,80}?DEFINER=(" + _QUOTED + rb")(?:@(" + _QUOTED + rb"))?", re.MULTILINE
)
_CLIENT = re.compile(rb"^-- (?:MariaDB|MySQL) dump .*$", re.MULTILINE)
_MARIADB_VERSION = re.compile(rb"(\d+)\.(\d+)\.\d+-MariaDB")
# As the clients write it, and phpMyAdmin with a colon.
_SERVER_VERSION = re.compile(rb"^-- Server version:?\s+(?P<version>\S*).*$", re.MULTILINE)


@dataclass(frozen=True)
class Section:
    """A run of a dump: its kind, the object that it belongs to (None for the kinds without one) and its bytes."""

    kind: str
    object: str | None
    data: bytes


def split(blocks: Iterable[bytes], chunk_bytes: int = CHUNK_BYTES) -> Iterator[Section]:
    """Cut a dump, given as blocks of any size, into its sections; joined again they are the same bytes.

    Long sections (the rows of a table) come in chunks of about chunk_bytes that end where a statement ends. Memory is
    bounded by a chunk, the longest statement, and the section of all routines.
    """
    pending = bytearray()
    kind: str = PREAMBLE
    name: str | None = None
    # Where the next section may begin at the earliest: behind the line that began this one.
    earliest = 0
    searched = 0
    for block in blocks:
        pending += block
        while True:
            boundary = _next_boundary(pending, max(earliest, searched), kind)
            if boundary is None:
                break
            position, kind_after, name_after = boundary
            for data in _chunks(pending, position, kind, chunk_bytes):
                yield Section(kind, name, data)
            if kind_after != TRIGGERS:
                name = name_after
            kind, earliest, searched = kind_after, 1, 0
        while (end := _chunk_end(pending, len(pending), kind, chunk_bytes, searched)) is not None:
            yield Section(kind, name, _take(pending, end))
            earliest = searched = 0
        searched = max(0, len(pending) - _LONGEST_HEADER)
    if pending:
        yield Section(kind, name, bytes(pending))


def _chunks(pending: bytearray, count: int, kind: str, chunk_bytes: int) -> Iterator[bytes]:
    """Take the first bytes of what is pending, in chunks."""
    while (end := _chunk_end(pending, count, kind, chunk_bytes)) is not None:
        yield _take(pending, end)
        count -= end
    if count:
        yield _take(pending, count)


def _chunk_end(pending: bytearray, count: int, kind: str, chunk_bytes: int, searched: int = 0) -> int | None:
    """Return where the first chunk of these bytes ends, if one does.

    That is the first end of a statement from chunk_bytes on, so that the same dump is cut at the same places whatever
    blocks it comes in, and its sections can be compared.
    """
    if kind in _WITH_BODIES or count < chunk_bytes:
        return None
    end = pending.find(b";\n", max(0, chunk_bytes - 2, searched - 1), count) + 2
    return end if end >= 2 else None


def _take(pending: bytearray, count: int) -> bytes:
    with memoryview(pending) as view:
        taken = bytes(view[:count])
    del pending[:count]
    return taken


def _next_boundary(pending: bytearray, start: int, kind: str) -> tuple[int, str, str | None] | None:
    """Return position, kind and object of the next section that begins at or after start, if it stands there whole."""
    for match in _candidates(pending, start):
        if match["header"]:
            kind_after, name = _announced(match["title"])
        else:
            kind_after, name = (TRIGGERS if match["triggers"] else EPILOGUE), None
        if kind_after == TRIGGERS and kind not in (ROWS, TABLE):
            continue  # such a line stands before every body
        if kind_after == kind == EPILOGUE or kind_after is None:
            continue
        if not _inside_body(pending, match.start("line"), kind):
            return match.start("line"), kind_after, name
    return None


def _candidates(pending: bytearray, start: int) -> Iterator[re.Match]:
    """Yield the lines at or after start that may begin a section. What is pending begins with a line."""
    first = _FIRST_LINE.match(pending) if start == 0 else None
    if first:
        yield first
    yield from _LATER_LINE.finditer(pending, max(0, start - 1))


def _announced(title: bytes) -> tuple[str | None, str | None]:
    """Given the title of a comment, return the kind and object of the section that it announces."""
    for words, kind in _HEADERS:
        if title.startswith(words):
            return kind, None if kind in _WITHOUT_OBJECT else unquote(title[len(words) :])
    return None, None


def _inside_body(pending: bytearray, position: int, kind: str) -> bool:
    if kind not in _WITH_BODIES:
        return False
    # Events say "DELIMITER ;;" before each and "DELIMITER ;" once, after the last.
    return pending.rfind(_BODY_BEGINS, 0, position) > pending.rfind(_BODY_ENDS, 0, position)


def unquote(name: bytes) -> str:
    """Given an identifier as SQL writes it, with or without quotes, return the name itself."""
    quote = name[:1]
    if quote in (b"`", b'"'):
        name = name[1 : name.rindex(quote)].replace(quote * 2, quote)
    return name.decode("utf-8", "surrogateescape")


def objects_in(section: Section) -> list[tuple[str, str]]:
    """Given a section, return the objects that it defines as (type, name); types as in an inventory.

    A section that continues another one's object names it again: collect the results in a set.
    """
    if section.kind in (SEQUENCE, TABLE, VIEW):
        return [(section.kind, section.object or "")]
    return [(kind, name) for kind, name, _text in bodies_in(section)]


def bodies_in(section: Section) -> list[tuple[str, str, bytes]]:
    """Given a section, return the triggers, routines or events that it makes: (type, name, text of the statement)."""
    if section.kind not in _WITH_BODIES:
        return []
    found = []
    for statement in (b"\n" + section.data).split(_BODY_BEGINS)[1:]:
        # Only the first match is the statement's own; later ones would stand in the body.
        match = _BODY_OBJECT.search(statement)
        if match:
            found.append((*_body_key(match), statement))
    return found


def _body_key(match: re.Match) -> tuple[str, str]:
    return b"_".join(match.group(1).lower().split()).decode(), unquote(match.group(2))


def without_routines(section: Section, left_out: Collection[tuple[str, str]]) -> Section:
    """Return a section of routines without what drops and makes some of them, given as (type, name).

    A package takes its body along, so a body is left out only with its package.
    """
    before, *statements = section.data.split(_BODY_BEGINS)
    # By turns what stands between two bodies, and a body.
    kept = [before]
    for statement in statements:
        body, end, after = statement.partition(_BODY_ENDS)
        match = _BODY_OBJECT.search(statement)
        kind, name = _body_key(match) if match else ("", "")
        whole = kind != "package_body" or ("package", name) in left_out
        shorter = _without_drop(kept[-1] + b"\n", kind, name) if (kind, name) in left_out and whole else None
        if shorter is None:
            kept += [_BODY_BEGINS + body + end, after]
        else:
            kept[-1] = shorter + after
    return replace(section, data=b"".join(kept))


def _without_drop(text: bytes, kind: str, name: str) -> bytes | None:
    """Return a text without the statement that drops a routine; None where there is no such one."""
    routine = kind.upper().replace("_", " ") + " IF EXISTS `" + name.replace("`", "``") + "`"
    drop = rb"^/\*!\d+ DROP " + re.escape(routine.encode("utf-8", "surrogateescape")) + rb" ?\*/ ?;\n"
    shorter, count = re.subn(drop, b"", text, flags=re.MULTILINE)
    return shorter if count == 1 else None


def rows_in(section: Section, one_row_a_line: bool = False) -> int | None:
    """Given a chunk of a table's rows, return how many it has; None where the client writes several on one line.

    A client may begin each row on a line of its own, and a newline in a value is never written as one. Where it names
    the columns, the first row of a statement stands on the statement's line, and looks as if several could.
    """
    if b"INSERT INTO " not in section.data:
        return 0
    if b" VALUES\n(" in section.data:
        return section.data.count(b"\n(")
    if one_row_a_line:
        return section.data.count(b"\n(") + (b"\n" + section.data).count(b"\nINSERT INTO ")
    return None


def has_one_row_a_line(section: Section) -> bool:
    """Return whether this section says that the dump is of a client that begins each row on a line of its own.

    MariaDB's does since some version after 10.5.
    """
    match = _CLIENT.search(section.data) if section.kind == PREAMBLE else None
    version = _MARIADB_VERSION.search(match.group()) if match else None
    return bool(version) and tuple(map(int, version.groups())) >= (10, 11)


def longest_statement(section: Section, known: int = 0) -> int:
    """Return the bytes of a section's longest statement, or what is known of others if that is more."""
    data, start = section.data, 0
    while len(data) - start > known:
        end = data.rfind(b";\n", start, start + known)
        if end < 0:
            end = data.find(b";\n", start + max(0, known - 1))
            end = len(data) if end < 0 else end
            known = max(known, end - start)
        start = end + 2
    return known


def statements_in(section: Section) -> Iterator[bytes]:
    """Given a section of rows, or the preamble, return its statements, without what the client would not send.

    Wherever a line of it ends with a semicolon a statement does, as no value has a newline in it.
    """
    data = section.data
    start = _BETWEEN_STATEMENTS.match(data).end()
    while start < len(data):
        end = data.find(b";\n", start)
        end = len(data) if end < 0 else end
        yield data[start:end]
        start = _BETWEEN_STATEMENTS.match(data, min(end + 2, len(data))).end()


def client_in(section: Section) -> str | None:
    """Return the flavour of the client that wrote a dump, "mariadb" or "mysql", where this section says so."""
    match = _CLIENT.search(section.data) if section.kind == PREAMBLE else None
    if not match:
        return None
    return "mariadb" if b"mariadb" in match.group().lower() else "mysql"


def flavour_in(section: Section) -> str | None:
    """Return the flavour of the server that a dump is of, "mariadb" or "mysql", where this section says so.

    The line "Server version" counts, as either client dumps either server; the client's name where there is none.
    """
    match = _SERVER_VERSION.search(section.data) if section.kind == PREAMBLE else None
    if not match:
        return client_in(section)
    return "mariadb" if b"mariadb" in match.group().lower() else "mysql"


def server_version_in(section: Section) -> str | None:
    """Return the version of the server that a dump is of, where this section says so."""
    match = _SERVER_VERSION.search(section.data) if section.kind == PREAMBLE else None
    return match["version"].decode("ascii", "replace") or None if match else None


def binlog_in(section: Section) -> dict:
    """Return what the dump notes of the binary log at its moment: file and position, gtid; {} where it does not."""
    if section.kind not in (PREAMBLE, EPILOGUE):
        return {}
    noted: dict = {}
    place = _LOG_PLACE.search(section.data)
    if place:
        noted.update(file=place.group(1).decode(), position=int(place.group(2)))
    gtid = _GTID.search(section.data)
    if gtid:
        noted["gtid"] = b"".join((gtid.group(1) or gtid.group(2)).split()).decode()
    return noted


def replication_in(section: Section) -> list[str]:
    """Return the beginnings of a section's statements that are about replication, and so about the server.

    They keep what follows out of the binary log, so that replicas would miss it without a word, or set which
    transactions the server has seen and whom it follows. MySQL's client writes them where GTIDs are on, and either one
    when it is told to (--source-data=1, --dump-replica).
    """
    # No line of rows begins so.
    if section.kind == ROWS and b"\nS" not in section.data and b"\nC" not in section.data:
        return []
    return [match["words"].decode() for match in _REPLICATION.finditer(section.data) if match["words"]]


def without_replication(section: Section) -> Section:
    """Return a section without the statements that replication_in() finds."""
    if not replication_in(section):
        return section
    return replace(section, data=_REPLICATION.sub(lambda match: b"" if match["words"] else match.group(), section.data))


def _outside_bodies(section: Section) -> bytes:
    """Return a section's text less its bodies, which may have any line: what follows the last of them."""
    if section.kind not in _WITH_BODIES:
        return section.data
    tail = section.data.rpartition(_BODY_ENDS)[2]
    return b"" if _BODY_BEGINS in b"\n" + tail else tail


def definers_in(section: Section) -> set[tuple[str, str | None]]:
    """Return the accounts that a section's views and bodies belong to, as (user, host); a role has no host."""
    if b"DEFINER=" not in section.data:
        return set()
    return {(unquote(user), unquote(host) if host else None) for user, host in DEFINER.findall(section.data)}


def unannounced_events(section: Section) -> set[str]:
    """Return the events that a section makes although no comment announces that it would."""
    if section.kind in DEFINITIONS or b" EVENT " not in section.data:
        return set()
    return {unquote(name) for kind, name in _BODY_OBJECT.findall(section.data) if kind.upper() == b"EVENT"}


def unannounced_definers(section: Section) -> set[tuple[str, str | None]]:
    """Return the accounts that a section's views and bodies belong to although no comment announces any."""
    return set() if section.kind in DEFINITIONS else definers_in(section)


def schemas_named(section: Section) -> set[str]:
    """Return the schemas that a section would create or change to (USE, CREATE DATABASE).

    Dumps of this collection have none; one made by hand with --databases has.
    """
    data = _outside_bodies(section)
    if section.kind == ROWS and b"\nUSE " not in data and b"\nCREATE DATABASE " not in data:
        return set()
    return {unquote(match) for match in _SCHEMA_CHANGE.findall(data)}


class Frame:
    """Counts what frames a dump: feed it every section, then ask what is wrong.

    A complete dump has one header line, and its last line is the footer; a footer in the middle means that two dumps
    were joined, none that the dump ended early.
    """

    _HEADER = re.compile(rb"^-- (?:MariaDB dump|MySQL dump) ", re.MULTILINE)
    _FOOTER = re.compile(rb"^-- Dump completed(?: on [-0-9: ]+)?$", re.MULTILINE)

    _STATEMENT = re.compile(
        rb"^\s*(?:/\*M?!\d*\s*)?(?:CREATE|INSERT|REPLACE|UPDATE|SET|ALTER|DROP|USE|LOCK|START|BEGIN)\s",
        re.MULTILINE | re.IGNORECASE,
    )

    def __init__(self) -> None:
        self.headers = 0
        self.footers = 0
        self.statements = False
        self._last = b""

    def feed(self, section: Section) -> None:
        """Look at one more section, in order."""
        # Anywhere but in a body: a dump that was cut short may stand in front of a whole one, and without tz-utc it has
        # no epilogue.
        data = _outside_bodies(section)
        if section.kind in (PREAMBLE, EPILOGUE) or b"\n-- M" in data or b"\n-- Dump completed" in data:
            self.headers += len(self._HEADER.findall(data))
            self.footers += len(self._FOOTER.findall(data))
        self.pass_over(section)

    def pass_over(self, section: Section) -> None:
        """Note that there is one more section, which has neither header nor footer in it."""
        self.statements = self.statements or bool(self._STATEMENT.search(section.data))
        self._last = section.data[-200:]

    @property
    def ends_with_footer(self) -> bool:
        """Whether the last line that is not empty is the footer."""
        lines = self._last.rstrip().splitlines()
        return bool(lines) and bool(self._FOOTER.fullmatch(lines[-1]))

    def problem(self) -> str | None:
        """Return what is wrong with the frame, or None."""
        if not self.ends_with_footer:
            last = self._last.rstrip().splitlines()[-1:] or [b""]
            return (
                f"the dump does not end with '-- Dump completed', so it was cut short; its last line is "
                f"{last[0][-80:].decode('utf-8', 'replace')!r}"
            )
        if self.headers != 1 or self.footers != 1:
            return f"one header and one footer were expected, {self.headers} and {self.footers} stand in it"
        return None
