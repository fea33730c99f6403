# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a dump turns out to hold, collected section by section while it streams by.

Private to the collection.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ansible_collections.dbops.recovery.plugins.module_utils._archive.dump import (
    ROWS,
    Frame,
    Section,
    binlog_in,
    definers_in,
    flavour_in,
    has_one_row_a_line,
    longest_statement,
    objects_in,
    replication_in,
    rows_in,
    schemas_named,
    server_version_in,
    unannounced_definers,
    unannounced_events,
)


@dataclass
class Contents:
    """What was seen in a dump.

    Attributes:
        frame: its header and footer.
        objects: the (type, name) pairs that it defines.
        schemas: those that it changes to or creates by itself.
        definers: the accounts (user, host) and roles (name, None) that views and bodies belong to.
        rows: {table: number of rows}, None where they could not be counted.
        binlog: file, position and gtid, as far as noted.
        one_row_a_line: whether its client says that it writes so.
        flavour, version: of the server that it is of, as far as it says so.
        replication: the beginnings of the statements about replication in it.
        unannounced_events, unannounced_definers: events, and accounts that views and bodies belong to, where no comment
            says that such ones follow.
        count_rows: whether rows are counted at all.
        start: its first bytes.
        longest_statement: in bytes; a server takes it only if its max_allowed_packet is larger.
        search_rows: whether rows are searched for what does not belong there. A dump that the client has just written,
            or whose checksums a manifest has, need not be.
    """

    frame: Frame = field(default_factory=Frame)
    objects: set[tuple[str, str]] = field(default_factory=set)
    schemas: set[str] = field(default_factory=set)
    definers: set[tuple[str, str | None]] = field(default_factory=set)
    rows: dict[str, int | None] = field(default_factory=dict)
    binlog: dict = field(default_factory=dict)
    one_row_a_line: bool = False
    flavour: str | None = None
    version: str | None = None
    replication: list[str] = field(default_factory=list)
    unannounced_events: set[str] = field(default_factory=set)
    unannounced_definers: set[tuple[str, str | None]] = field(default_factory=set)
    count_rows: bool = False
    start: bytes = b""
    longest_statement: int = 0
    search_rows: bool = True

    def feed(self, section: Section) -> None:
        """Look at one more section, in order."""
        self.start = self.start or section.data[:8]
        self.longest_statement = longest_statement(section, self.longest_statement)
        if section.kind == ROWS and section.object is not None:
            self._count(section)
            if not self.search_rows:
                self.frame.pass_over(section)
                return
        self.frame.feed(section)
        self.objects.update(objects_in(section))
        self.schemas |= schemas_named(section)
        self.definers |= definers_in(section)
        self.binlog.update(binlog_in(section))
        self.one_row_a_line = self.one_row_a_line or has_one_row_a_line(section)
        self.flavour = self.flavour or flavour_in(section)
        self.version = self.version or server_version_in(section)
        self.replication += replication_in(section)
        self.unannounced_events |= unannounced_events(section)
        self.unannounced_definers |= unannounced_definers(section)

    def _count(self, section: Section) -> None:
        if self.count_rows:
            before, more = self.rows.get(section.object, 0), rows_in(section, self.one_row_a_line)
            self.rows[section.object] = None if before is None or more is None else before + more

    def watch(self, sections: Iterable[Section]) -> Iterator[Section]:
        """Pass sections on, having looked at each."""
        for section in sections:
            self.feed(section)
            yield section
