# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a dump would get wrong without a word: rows that do not stand still, a schema that changes on the way."""

from __future__ import annotations

import contextlib
import itertools
import json
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pymysql
import pytest

from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError


def manifest_of(backup: dict) -> dict:
    return json.loads(Path(backup["manifest_path"]).read_text())


@contextlib.contextmanager
def meanwhile(act) -> Iterator[None]:
    """Do something again and again in another thread until the block ends."""
    ended = threading.Event()
    problems = []

    def work() -> None:
        try:
            while not ended.is_set():
                act()
        except Exception as error:
            problems.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
    assert problems == []


# Engines without transactions

LOOSE = """
CREATE TABLE still (id INT PRIMARY KEY) ENGINE=InnoDB;
CREATE TABLE isam (id INT) ENGINE=MyISAM;
CREATE TABLE aria (id INT) ENGINE=Aria TRANSACTIONAL=1;
CREATE TABLE memory (id INT) ENGINE=MEMORY;
INSERT INTO still VALUES (1); INSERT INTO isam VALUES (1); INSERT INTO aria VALUES (1); INSERT INTO memory VALUES (1);
"""


def test_tables_that_one_snapshot_does_not_hold_still_are_refused_by_name(make_schema, backup_here, folder):
    schema = make_schema(LOOSE)

    with pytest.raises(RecoveryError) as refused:
        backup_here(schema, folder)

    assert "aria (Aria), isam (MyISAM), memory (MEMORY)" in str(refused.value)
    assert "Set non_transactional to lock" in str(refused.value)
    assert list(folder.iterdir()) == []


def test_a_table_with_a_history_does_not_stand_still_either(make_schema, backup_here, folder):
    schema = make_schema("CREATE TABLE kept (id INT) ENGINE=Aria TRANSACTIONAL=0 WITH SYSTEM VERSIONING")

    with pytest.raises(RecoveryError, match="kept \\(Aria\\)"):
        backup_here(schema, folder)


@pytest.mark.parametrize("choice", ["lock", "accept"])
def test_tables_that_do_not_stand_still_are_recorded_whatever_was_chosen(
    make_schema, backup_here, folder, verify_here, choice
):
    taken = backup_here(make_schema(LOOSE), folder, non_transactional=choice)

    recorded = manifest_of(taken)
    assert recorded["non_transactional_tables"] == {"aria": "Aria", "isam": "MyISAM", "memory": "MEMORY"}
    assert recorded["tables_locked"] is (choice == "lock")
    assert verify_here(taken["path"])["verified"] is True


def test_loose_tables_that_are_left_out_are_no_obstacle(make_schema, backup_here, folder):
    taken = backup_here(make_schema(LOOSE), folder, exclude_tables=["isam", "aria", "memory"])

    assert manifest_of(taken)["non_transactional_tables"] == {}


@pytest.mark.parametrize("choice", ["lock", "accept"])
def test_a_writer_is_held_up_during_a_locking_backup_alone(server, make_schema, start_module, folder, choice):
    schema = make_schema(
        "CREATE TABLE log (id INT, word CHAR(200)) ENGINE=MyISAM; INSERT INTO log SELECT seq, 'x' FROM seq_1_to_60000;"
        "CREATE TABLE wide (word CHAR(250)); INSERT INTO wide SELECT REPEAT('y', 250) FROM seq_1_to_200000;"
    )
    module = start_module(
        "db_backup",
        {"database": schema, "directory": str(folder), "non_transactional": choice, "compression": "none"},
    )
    # The client is through with the first table then, which it reads under a lock of its own.
    module.wait_for(lambda: is_dumping(module, server, schema, "wide"))
    # Stopped, it reads no more, so the dump client waits with whatever locks it has.
    module.signal(signal.SIGSTOP)
    time.sleep(0.3)
    assert is_dumping(module, server, schema, "wide"), "the dump ended before it could be stopped"

    with contextlib.closing(server.connect(schema)) as writer, writer.cursor() as cursor:
        cursor.execute("SET SESSION lock_wait_timeout = 1")
        try:
            # Rows may be added behind those that the lock covers (READ LOCAL); none may change.
            cursor.execute("UPDATE log SET word = 'late' WHERE id = 60000")
            waited = None
        except pymysql.OperationalError as error:
            waited = error.args[0]
        module.signal(signal.SIGCONT)
        done = module.end()
        assert done.status == 0, done.message
        cursor.execute("UPDATE log SET word = 'after' WHERE id = 60000")

    assert waited == (1205 if choice == "lock" else None), "lock wait timeout"
    assert manifest_of(done["backup"])["rows"]["tables"]["wide"] == 200000


def is_dumping(module, server, schema: str, table: str = "") -> bool:
    """Whether the client is in the middle of the rows of the schema, or of one of its tables."""
    return any(
        row[3] == schema and row[7] and "SQL_NO_CACHE" in row[7] and table in row[7]
        for row in server.query("SHOW FULL PROCESSLIST")
    )


# Rows


def test_row_counts_are_those_of_the_snapshot_while_rows_come_in(server, make_schema, backup_here, folder, verify_here):
    schema = make_schema(
        "CREATE TABLE a_first (id INT PRIMARY KEY AUTO_INCREMENT);"
        "CREATE TABLE m_large (word CHAR(200)); INSERT INTO m_large SELECT REPEAT('x', 200) FROM seq_1_to_50000;"
        "CREATE TABLE z_last (id INT PRIMARY KEY AUTO_INCREMENT);"
    )
    with contextlib.closing(server.connect(schema)) as writer, writer.cursor() as cursor:

        def write() -> None:
            cursor.execute("BEGIN")
            cursor.execute("INSERT INTO a_first VALUES ()")
            cursor.execute("INSERT INTO z_last VALUES ()")
            cursor.execute("COMMIT")

        with meanwhile(write):
            time.sleep(0.1)
            taken = backup_here(schema, folder)
            time.sleep(0.1)

    rows = manifest_of(taken)["rows"]
    assert rows["counted"] == "in the dump"
    ((in_the_end,),) = server.query("SELECT COUNT(*) FROM z_last", schema=schema)
    assert 0 < rows["tables"]["z_last"] < in_the_end, "rows came in before and after the snapshot"
    # Both got a row in one transaction, and the second was dumped much later than the first.
    assert rows["tables"]["a_first"] == rows["tables"]["z_last"]
    assert rows["tables"]["m_large"] == 50000
    result = verify_here(taken["path"])
    assert result["verified"] is True, result


# A schema that changes on the way


@contextlib.contextmanager
def dump_waiting_at(server, schema: str, table: str, module_of) -> Iterator[None]:
    """Start a backup that cannot get past a table until the block ends."""
    with contextlib.closing(server.connect(schema)) as holder, holder.cursor() as cursor:
        cursor.execute(f"LOCK TABLES {table} WRITE")
        module = module_of()
        module.wait_for(
            lambda: any(
                row[3] == schema and "metadata lock" in str(row[6]) for row in server.query("SHOW FULL PROCESSLIST")
            )
        )
        yield module


STEPS = """
CREATE TABLE a_done (id INT PRIMARY KEY); INSERT INTO a_done VALUES (1);
CREATE TABLE m_held (id INT PRIMARY KEY); INSERT INTO m_held VALUES (1);
CREATE TABLE z_later (id INT PRIMARY KEY); INSERT INTO z_later VALUES (1), (2);
"""


@pytest.mark.parametrize(
    ("change", "kept", "columns"),
    [
        ("TRUNCATE TABLE z_later", {"a_done": 1, "m_held": 1, "z_later": 0}, 1),
        ("ALTER TABLE a_done ADD COLUMN more INT, ALGORITHM=INSTANT", {"a_done": 1, "m_held": 1, "z_later": 2}, 2),
        ("DROP TABLE z_later", {"a_done": 1, "m_held": 1}, 1),
    ],
    ids=["truncate", "instant column", "drop"],
)
def test_a_change_that_slips_in_makes_the_dump_again(
    server, make_schema, start_module, folder, verify_here, change, kept, columns
):
    schema = make_schema(STEPS)
    options = {"database": schema, "directory": str(folder)}

    with dump_waiting_at(server, schema, "m_held", lambda: start_module("db_backup", options)) as module:
        server.execute(change, schema=schema)
    done = module.end()

    assert done.status == 0, done.message
    assert manifest_of(done["backup"])["rows"]["tables"] == kept
    result = verify_here(
        done["backup"]["path"],
        queries=[
            {
                "sql": "SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE()"
                " AND table_name = 'a_done'",
                "rows": [[columns]],
            }
        ],
    )
    assert result["verified"] is True, result


def test_the_dump_is_planned_anew_for_what_has_slipped_in(server, make_schema, start_module, folder):
    schema = make_schema(STEPS)
    options = {"database": schema, "directory": str(folder)}

    with dump_waiting_at(server, schema, "m_held", lambda: start_module("db_backup", options)) as module:
        server.execute("ALTER TABLE z_later ADD SYSTEM VERSIONING", "UPDATE z_later SET id = id + 10", schema=schema)
    done = module.end()
    assert done.status == 0, done.message
    assert manifest_of(done["backup"])["rows"]["tables"]["z_later"] == 4

    with dump_waiting_at(server, schema, "m_held", lambda: start_module("db_backup", options)) as module:
        server.execute("CREATE TABLE loose (id INT) ENGINE=MyISAM", schema=schema)
    done = module.end()
    assert done.status == 1
    assert "loose (MyISAM)" in done.message


def test_without_retries_a_change_is_an_error_that_names_it(server, make_schema, start_module, folder):
    schema = make_schema(STEPS)
    options = {"database": schema, "directory": str(folder), "retries": 0}

    with dump_waiting_at(server, schema, "m_held", lambda: start_module("db_backup", options)) as module:
        server.execute("TRUNCATE TABLE z_later", schema=schema)
    done = module.end()

    assert done.status == 1
    assert f"{schema} was altered while it was backed up" in done.message
    assert "1412" in done.message
    assert "back up when that is done" in done.message
    assert not [entry.name for entry in folder.iterdir() if not entry.name.endswith(".lock")]


def test_a_schema_that_never_stands_still_is_given_up_with_the_names(server, make_schema, backup_here, folder):
    schema = make_schema(STEPS)
    numbers = itertools.count()
    with contextlib.closing(server.connect(schema)) as other, other.cursor() as cursor:
        cursor.execute("CREATE VIEW restless AS SELECT 0 AS n")

        def alter() -> None:
            cursor.execute(f"CREATE OR REPLACE VIEW restless AS SELECT {next(numbers)} AS n")
            time.sleep(0.005)

        with meanwhile(alter), pytest.raises(RecoveryError) as given_up:
            backup_here(schema, folder, retries=1)

    assert f"{schema} was altered while it was backed up (changed: view restless)" in str(given_up.value)
    assert "That happened 2 times in a row" in str(given_up.value)
    assert not [entry.name for entry in folder.iterdir() if not entry.name.endswith(".lock")]


def test_backups_of_one_schema_in_a_row_get_a_name_each_and_all_are_good(shop, backup_here, folder, verify_here):
    taken = [backup_here(shop, folder) for _attempt in range(3)]

    assert len({each["name"] for each in taken}) == 3
    for each in taken:
        assert verify_here(each["path"], "content")["verified"] is True
