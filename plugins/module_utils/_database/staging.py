# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The two schemas beside a live one that a swap works with, and the journal that says how far it has come.

The staging schema (shop__restore_1a2b3c4d) is where the copy is built that comes in; the previous schema
(shop__before_1a2b3c4d) takes what goes out, and holds the journal from the first moment on: a table of its own, on the
server itself, so that whoever comes next from wherever finds it. A schema without a journal is never taken for ours.

Private to the collection.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import socket
import time
import zlib
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from ansible_collections.dbops.recovery.plugins.module_utils._database.connection import identifier, query
from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError
from ansible_collections.dbops.recovery.plugins.module_utils._units import show_time, utc_now

JOURNAL_TABLE = "dbops_recovery_restore"

# The live schema is not touched yet; it may be half of the one and half of the other; all is done, and the previous
# schema is kept; nothing of it is needed any more.
LOADING = "loading"
SWAPPING = "swapping"
KEPT = "kept"
DONE = "done"

_ID_BYTES = 4
# A schema's name has at most 64 characters.
_LONGEST_STEM = 64 - len("__restore_") - 2 * _ID_BYTES


@dataclass
class Journal:
    """One swap: its schemas, how far it has come, and what is needed to finish or to undo it.

    Attributes:
        id: eight hexadecimal digits, at the end of the schemas' names.
        database: the live schema.
        staging, previous: the schemas beside it.
        state: LOADING, SWAPPING, KEPT or DONE.
        facts: of this module's run (host, process, begun) and what its caller noted.
    """

    id: str
    database: str
    staging: str
    previous: str
    state: str = LOADING
    facts: dict = field(default_factory=dict)

    @property
    def interrupted(self) -> bool:
        """Whether it came to no end."""
        return self.state in (LOADING, SWAPPING)

    def describe(self) -> str:
        """Return it in words: "the restore of shop_2026-11-22_101500 begun 2026-11-22T11:00:00Z by ..."."""
        what = f"of {self.facts['backup']}" if self.facts.get("backup") else "that was to be undone"
        who = f"process {self.facts.get('process')} on {self.facts.get('host')}"
        return f"the restore {what} begun {self.facts.get('started')} by {who}"


def new_journal(database: str, facts: dict) -> Journal:
    """Return a journal with names that nobody has used; nothing is written yet."""
    number = secrets.token_hex(_ID_BYTES)
    begun = {
        "host": socket.gethostname(),
        "process": os.getpid(),
        "started": show_time(utc_now()),
        "begun": time.time(),
    }
    names = (_beside(database, word, number) for word in ("restore", "before"))
    return Journal(number, database, *names, facts={**begun, **facts})


def _beside(database: str, word: str, number: str) -> str:
    return f"{database[:_LONGEST_STEM]}__{word}_{number}"


def pattern_beside(database: str) -> str:
    """Return the pattern of a grant, quoted, that takes in the schemas beside a live one."""
    escaped = re.sub(r"([_%\\])", r"\\\1", database[:_LONGEST_STEM])
    return identifier(escaped + "\\_\\_%")


def begin(connection: Any, journal: Journal) -> None:
    """Make the previous schema with the journal in it."""
    query(connection, f"CREATE DATABASE {identifier(journal.previous)}")
    query(connection, f"USE {identifier(journal.previous)}")
    query(
        connection,
        f"CREATE TABLE {_table(journal.previous)} (entry INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,"
        " state VARCHAR(16) NOT NULL, content LONGBLOB NOT NULL) ENGINE=InnoDB"
        " COMMENT='the journal of a restore by dbops.recovery; the last entry counts'",
    )
    write(connection, journal, LOADING)


def write(connection: Any, journal: Journal, state: str, **facts: Any) -> None:
    """Note a state, and facts beside those that are noted already."""
    # Adding to it takes fewer rights than changing it, and an entry is there whole or not at all.
    noted = {**journal.facts, **facts}
    # Where statements are logged, they are as of the session's schema: what a restore does is none of the live one's.
    query(connection, f"USE {identifier(journal.previous)}")
    content = {"id": journal.id, "database": journal.database, "staging": journal.staging, "facts": noted}
    packed = zlib.compress(json.dumps(content).encode())
    # The driver takes a percent sign in a statement with arguments for the beginning of a place for one.
    table = _table(journal.previous).replace("%", "%%")
    query(connection, f"INSERT INTO {table} (state, content) VALUES (%s, %s)", (state, packed))
    journal.state, journal.facts = state, noted


def journals_of(connection: Any, database: str) -> list[Journal]:
    """Return the journals of a live schema that are still there, newest first."""
    rows = query(
        connection, "SELECT table_schema FROM information_schema.tables WHERE table_name = %s", (JOURNAL_TABLE,)
    )
    found = []
    for (schema,) in rows:
        journal = _read(connection, schema)
        if journal and journal.database == database:
            found.append(journal)
    return sorted(found, key=lambda journal: journal.facts.get("begun", 0), reverse=True)


def _read(connection: Any, schema: str) -> Journal | None:
    entries = query(connection, f"SELECT state, content FROM {_table(schema)} ORDER BY entry DESC LIMIT 1")
    if not entries:
        return None
    state, packed = entries[0]
    try:
        content = json.loads(zlib.decompress(packed))
        journal = Journal(content["id"], content["database"], content["staging"], schema, state, content["facts"])
    except (zlib.error, ValueError, KeyError, TypeError):
        return None  # not one of ours
    # Somebody may have copied a previous schema with all that is in it: a journal speaks of the schema it began in.
    return journal if schema == _beside(journal.database, "before", journal.id) else None


def _table(schema: str) -> str:
    return f"{identifier(schema)}.{identifier(JOURNAL_TABLE)}"


def tables_in(connection: Any, *schemas: str) -> set[tuple[str, str]]:
    """Return the (schema, name) pairs of the tables and sequences in schemas, journals left out."""
    rows = query(
        connection,
        "SELECT table_schema, table_name FROM information_schema.tables"
        " WHERE table_schema IN %s AND table_type NOT LIKE '%%VIEW' AND table_name <> %s",
        (list(schemas), JOURNAL_TABLE),
    )
    return {(schema, name) for schema, name in rows if schema in schemas}


def remove_staging(connection: Any, journal: Journal) -> None:
    """Drop the staging schema, unless it is the previous one of a swap that is kept."""
    query(connection, "SET SESSION foreign_key_checks = 0")
    if not journal.facts.get("undoing"):
        query(connection, f"DROP DATABASE IF EXISTS {identifier(journal.staging)}")


def remove(connection: Any, journal: Journal) -> None:
    """Drop the schemas beside a live one, with all that is in them; the journal last, lest anything stays unknown."""
    remove_staging(connection, journal)
    left = sorted(tables_in(connection, journal.previous))
    if left:
        names = ", ".join(f"{identifier(schema)}.{identifier(name)}" for schema, name in left)
        query(connection, f"DROP TABLE IF EXISTS {names}")
    query(connection, f"DROP DATABASE IF EXISTS {identifier(journal.previous)}")


def remove_unborn(connection: Any, database: str) -> None:
    """Drop the schemas of swaps that were killed before they had noted anything: of our names, and empty."""
    pattern = re.escape(_beside(database, "before", "")) + "[0-9a-f]{8}"
    rows = query(connection, "SELECT schema_name FROM information_schema.schemata")
    for (schema,) in rows:
        if re.fullmatch(pattern, schema) and _is_unborn(connection, schema):
            query(connection, f"DROP DATABASE {identifier(schema)}")


def _is_unborn(connection: Any, schema: str) -> bool:
    """Return whether a schema holds nothing, or a journal without an entry alone."""
    statement = (
        "SELECT table_name FROM information_schema.tables WHERE table_schema = %s"
        " UNION ALL SELECT routine_name FROM information_schema.routines WHERE routine_schema = %s"
        " UNION ALL SELECT event_name FROM information_schema.events WHERE event_schema = %s"
    )
    objects = [name for (name,) in query(connection, statement, (schema,) * 3)]
    if objects == [JOURNAL_TABLE]:
        return not query(connection, f"SELECT 1 FROM {_table(schema)} LIMIT 1")
    return not objects


def take_lock(connection: Any, database: str) -> None:
    """Be the only restore of a schema on its server, wherever others run, until this connection ends.

    Raise RecoveryError that names the holder when there is another one.
    """
    # At most 64 characters, whatever the schema is called.
    name = "dbops.recovery." + sha256(database.encode("utf-8", "surrogateescape")).hexdigest()[:40]
    ((held,),) = query(connection, "SELECT GET_LOCK(%s, 0)", (name,))
    if not held:
        ((holder,),) = query(connection, "SELECT IS_USED_LOCK(%s)", (name,))
        raise RecoveryError(
            f"Another restore of {database} is at work: connection {holder} of the server. Wait for it to end, then "
            "run this again."
        )
