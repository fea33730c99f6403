# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A replica follows a restore, and what is kept and undone, without a hand laid on it."""

from __future__ import annotations

import re

import pytest
from busy_shop import beside, make_busy, migrate, without_counters
from private_server import free_port


@pytest.fixture
def log_filter() -> tuple[str, ...]:
    """Options of the server's about what is in its log."""
    return ()


@pytest.fixture
def pair(start_server, make_schema, shop_script, log_filter):
    """A server and its replica, and a schema on both."""
    port = free_port()
    listening = ("--skip-networking=0", "--bind-address=127.0.0.1", f"--port={port}")
    primary = start_server("--log-bin=binlog", "--server-id=1", *listening, *log_filter)
    replica = start_server("--server-id=2", "--read-only=ON")
    primary.execute("CREATE USER replica@'%' IDENTIFIED BY 'follows'", "GRANT REPLICATION SLAVE ON *.* TO replica@'%'")
    replica.execute(
        f"CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT={port}, MASTER_USER='replica',"
        " MASTER_PASSWORD='follows', MASTER_USE_GTID=slave_pos",
        "START SLAVE",
    )
    schema = make_schema(shop_script, name="logged_shop", on=primary)
    make_busy(primary, schema)
    yield primary, replica, schema
    replica.execute("STOP SLAVE")
    replica.stop()
    primary.stop()


def follow(primary, replica) -> None:
    """Wait until the replica has done all that the server has."""
    ((position,),) = primary.query("SELECT @@gtid_current_pos")
    ((late,),) = replica.query("SELECT MASTER_GTID_WAIT(%s, 60)", (position,))
    assert late == 0, replica.query("SHOW SLAVE STATUS")


def settled(dump: bytes) -> bytes:
    """A dump without what a replica has otherwise: its version's suffix, what a counter gives next, sleeping events."""
    dump = re.sub(rb"-- Server version.*\n", b"", without_counters(dump))
    return dump.replace(b" DISABLE ON SLAVE DO ", b" ENABLE DO ")


@pytest.mark.parametrize("strategy", ["swap", "in_place"])
def test_a_replica_follows_a_restore_and_its_undoing(pair, backup, run_module, strategy):
    primary, replica, schema = pair
    socket = {"login_unix_socket": primary.socket}
    before = settled(primary.dump(schema))
    taken = backup(schema, **socket)
    migrated = settled(migrate(primary, schema))
    follow(primary, replica)
    assert settled(replica.dump(schema)) == migrated

    kept = "1h" if strategy == "swap" else None
    options = {"backup": taken["path"], "strategy": strategy, "keep_previous": kept, "safety_backup": False, **socket}
    run_module("db_restore", options)
    follow(primary, replica)
    assert settled(replica.dump(schema)) == settled(primary.dump(schema)) == before

    if kept:
        run_module("db_restore", {"database": schema, "undo": True, **socket})
        follow(primary, replica)
        assert settled(replica.dump(schema)) == settled(primary.dump(schema)) == migrated
        run_module("db_restore", {"database": schema, "drop_previous": True, **socket})
        follow(primary, replica)
    assert beside(replica, schema) == beside(primary, schema) == []


# As MySQL's client writes it where GTIDs are on, and either one when it is told to.
REPLICATION = b"""SET @MYSQLDUMP_TEMP_LOG_BIN = @@SESSION.SQL_LOG_BIN;
SET @@SESSION.SQL_LOG_BIN= 0;
SET @@GLOBAL.GTID_PURGED=/*!80000 '+'*/ '692c8522-e66b-11f1-931c-02fc00000001:1-9,
7b1f0a3e-e66b-11f1-931c-02fc00000001:1';
SET GLOBAL gtid_slave_pos='7-7-7';
CHANGE MASTER TO MASTER_LOG_FILE='binlog.000002', MASTER_LOG_POS=344;
"""


@pytest.mark.parametrize("place", ["first", "last"])
@pytest.mark.parametrize("options", [(), ("--skip-comments",)], ids=["with comments", "without"])
def test_a_replica_follows_the_restore_of_a_dump_made_by_hand_that_is_not_to_be_logged(
    pair, run_module, tmp_path, options, place
):
    primary, replica, schema = pair
    before = settled(primary.dump(schema))
    text = primary.dump(schema, *options)
    told = (
        b"/*!40103 SET TIME_ZONE='+00:00' */;\n" if place == "first" else b"/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE */;\n"
    )
    assert told in text
    path = tmp_path / "by-hand.sql"
    path.write_bytes(text.replace(told, told + REPLICATION))
    migrate(primary, schema)

    order = {"backup": str(path), "database": schema, "safety_backup": False, "login_unix_socket": primary.socket}
    done = run_module("db_restore", order)

    assert settled(primary.dump(schema)) == before
    follow(primary, replica)
    assert settled(replica.dump(schema)) == before
    assert primary.query("SELECT @@gtid_slave_pos") == [("",)]
    assert primary.query("SHOW SLAVE STATUS") == []
    (said,) = [each for each in map(str, done["warnings"]) if "Left out of by-hand" in each]
    assert "SET @@SESSION.SQL_LOG_BIN" in said
    assert "SET @@GLOBAL.GTID_PURGED" in said
    assert "CHANGE MASTER" in said


@pytest.mark.parametrize("log_filter", [("--binlog-do-db=logged_shop", "--binlog-do-db=other")])
def test_a_swap_that_a_replica_could_not_follow_is_none(pair, backup, run_module):
    primary, replica, schema = pair
    socket = {"login_unix_socket": primary.socket}
    before = settled(primary.dump(schema))
    taken = backup(schema, **socket)
    migrate(primary, schema)
    order = {"backup": taken["path"], "safety_backup": False, **socket}

    refused = run_module("db_restore", {**order, "strategy": "swap"}, fails=True)
    done = run_module("db_restore", order)

    assert "strategy is swap, and that is not possible: the server's binary log leaves out" in refused.message
    assert done["strategy"] == "in_place"
    assert "(binlog_do_db, binlog_ignore_db)" in done["strategy_reason"]
    follow(primary, replica)
    assert settled(replica.dump(schema)) == settled(primary.dump(schema)) == before


@pytest.mark.parametrize("log_filter", [("--binlog-ignore-db=other",), ("--binlog-do-db=other",)])
def test_a_log_that_leaves_out_all_or_nothing_of_a_database_forbids_no_swap(pair, backup, run_module, log_filter):
    primary, replica, schema = pair
    socket = {"login_unix_socket": primary.socket}
    order = {"backup": backup(schema, **socket)["path"], "safety_backup": False, **socket}

    assert run_module("db_restore", order)["strategy"] == "swap"
    follow(primary, replica)
    there = [name for (name,) in replica.query("SHOW DATABASES")]
    assert [name for name in there if name.startswith(schema)] == ([schema] if "ignore" in log_filter[0] else [])
