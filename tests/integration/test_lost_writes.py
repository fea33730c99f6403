# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was written between a backup and its restore is counted, and kept so that it can be brought back."""

from __future__ import annotations

import subprocess
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from busy_shop import beside


@pytest.fixture(scope="module")
def logging(start_server):
    """A server that logs each change of a row."""
    server = start_server("--log-bin=binlog", "--server-id=1", "--binlog-format=ROW")
    yield server
    server.stop()


@pytest.fixture
def logged_shop(logging, make_schema, shop_script):
    return make_schema(shop_script, on=logging)


def visit(server, schema: str) -> None:
    """What visitors and a neighbour do: three transactions of this schema, and one that is not."""
    server.execute(
        "INSERT INTO customer (name) VALUES ('Hedy'), ('Mary')",
        "UPDATE orders SET total = total + 1 WHERE id < 3",
        schema=schema,
    )
    # The log goes on in another file, as it does every so often.
    server.execute("FLUSH BINARY LOGS", "CREATE DATABASE IF NOT EXISTS neighbour")
    server.execute("CREATE TABLE IF NOT EXISTS visit (id INT)", "INSERT INTO visit VALUES (1)", schema="neighbour")
    # From a session that is in no schema, as rows are logged by their table.
    server.execute(f"DELETE FROM `{schema}`.orders WHERE id = 3")


@pytest.mark.parametrize("strategy", ["swap", "in_place"])
def test_writes_since_the_backup_are_counted_and_kept_and_can_be_brought_back(
    logging, logged_shop, backup, run_module, folder, strategy
):
    socket = {"login_unix_socket": logging.socket}
    before = logging.dump(logged_shop)
    taken = backup(logged_shop, **socket)
    visit(logging, logged_shop)
    after = logging.dump(logged_shop)
    options = {"backup": taken["path"], "strategy": strategy, **socket}

    predicted = run_module("db_restore", options, check=True)["lost_writes"]
    assert list(folder.glob("*.writes*")) == []
    lost = run_module("db_restore", options)["lost_writes"]

    assert (lost["known"], lost["complete"]) == (True, True)
    assert (lost["transactions"], lost["statements"], lost["definitions"]) == (3, 0, 0)
    assert lost["rows"] == {
        "customer": {"inserted": 2, "updated": 0, "deleted": 0},
        "orders": {"inserted": 0, "updated": 2, "deleted": 1},
    }
    assert lost["summary"] == "3 transactions (5 rows: orders 3, customer 2)"
    assert {**predicted, "path": lost["path"], "log": lost["log"]} == lost
    assert logging.dump(logged_shop) == before
    kept = Path(lost["path"])
    assert kept == folder / f"{taken['name']}.writes.sql.zst"
    assert kept.stat().st_mode & 0o777 == 0o600
    sql = subprocess.run(["zstd", "-dc", kept], check=True, capture_output=True).stdout
    assert f"from the server's binary log: {lost['log']}.".encode() in sql
    assert b"neighbour" not in sql
    logging.load(logged_shop, sql, "--binary-mode")
    assert logging.dump(logged_shop) == after


@pytest.mark.parametrize("strategy", ["swap", "in_place"])
def test_a_module_that_is_told_to_stop_while_it_reads_the_log_has_restored_and_says_so(
    logging, logged_shop, backup, run_module, folder, strategy
):
    socket = {"login_unix_socket": logging.socket}
    before = logging.dump(logged_shop)
    taken = backup(logged_shop, **socket)
    visit(logging, logged_shop)
    options = {"backup": taken["path"], "strategy": strategy, **socket}

    done = run_module("db_restore", options, fault=("_database.binlog:lines_of", "stop"))

    assert done["outcome"] == "restored"
    assert logging.dump(logged_shop) == before
    assert beside(logging, logged_shop) == []
    lost = done["lost_writes"]
    assert (lost["known"], lost["complete"], lost["summary"]) == (False, False, "unknown")
    assert lost["reason"] == "the binary log was not read to the end: Interrupted by SIGTERM."
    said = str(done["warnings"])
    assert f"{logged_shop} is restored." in said
    assert f"What was written to it since {taken['name']} is not counted and not kept" in said
    assert "It is still in the server's binary log, binlog.0" in said
    assert list(folder.glob("*.writes*")) == []


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("_database.binlog:Client", "Reading the binary log failed: No space left on device."),
        ("_actions.lost_writes:find_program", "[Errno 28] No space left on device"),
    ],
)
def test_a_full_disk_leaves_unknown_what_was_written_and_restores_all_the_same(
    logging, logged_shop, backup, run_module, folder, place, reason
):
    socket = {"login_unix_socket": logging.socket}
    before = logging.dump(logged_shop)
    taken = backup(logged_shop, **socket)
    visit(logging, logged_shop)
    options = {"backup": taken["path"], "safety_backup": False, **socket}

    foreseen = run_module("db_restore", options, check=True, fault=(place, "full"))
    done = run_module("db_restore", options, fault=(place, "full"))

    assert done["outcome"] == "restored"
    assert logging.dump(logged_shop) == before
    for lost in (foreseen["lost_writes"], done["lost_writes"]):
        assert (lost["known"], lost["complete"], lost["summary"], lost["reason"]) == (False, False, "unknown", reason)
    assert list(folder.glob("*.writes*")) == []


def test_a_restore_that_takes_nothing_away_says_0_and_keeps_no_file(logging, logged_shop, backup, run_module, folder):
    socket = {"login_unix_socket": logging.socket}
    taken = backup(logged_shop, **socket)

    at_once = run_module("db_restore", {"backup": taken["path"], **socket})["lost_writes"]
    assert list(folder.glob("*.writes*")) == []
    again = run_module("db_restore", {"backup": taken["path"], "safety_backup": False, **socket})["lost_writes"]

    assert (at_once["summary"], at_once["complete"], at_once["path"]) == ("0", True, None)
    # The first restore is in the log by now: its rows in schemas of its own, its trigger in this one.
    assert (again["transactions"], again["rows"]) == (0, {})


def test_where_statements_are_logged_the_count_is_a_lower_bound(
    start_server, make_schema, shop_script, backup, run_module
):
    server = start_server("--log-bin=binlog", "--server-id=1", "--binlog-format=MIXED")
    shop = make_schema(shop_script, on=server)
    socket = {"login_unix_socket": server.socket}
    taken = backup(shop, **socket)
    server.execute(
        "INSERT INTO customer (name) VALUES ('Hedy\n### DELETE FROM `a`.`b`')", "DELETE FROM orders", schema=shop
    )
    server.execute("ALTER TABLE customer ADD COLUMN phone INT", "TRUNCATE orders", schema=shop)

    lost = run_module("db_restore", {"backup": taken["path"], "lost_writes": "count", **socket})["lost_writes"]

    assert lost["summary"] == "at least 2 transactions (2 statements), and 2 changes of definitions"
    assert (lost["known"], lost["complete"], lost["path"]) == (True, False, None)
    assert lost["reason"].endswith("With binlog_format = ROW none is missed.")
    server.stop()


def lost_by(run_module, taken: dict, **options) -> dict:
    return run_module("db_restore", {"backup": taken["path"], **options}, check=True)["lost_writes"]


def test_what_is_not_known_is_said_to_be_unknown_with_the_reason(
    server, shop, logging, logged_shop, make_schema, backup, run_module, folder
):
    socket = {"login_unix_socket": logging.socket}
    assert "the server writes no binary log. Turn it on with log_bin" in lost_by(run_module, backup(shop))["reason"]

    taken = backup(logged_shop, **socket)
    elsewhere = lost_by(run_module, taken, database=make_schema("CREATE TABLE t (id INT)", on=logging), **socket)
    assert elsewhere["reason"] == f"{taken['name']} is a backup of {logged_shop}, not of {elsewhere_name(elsewhere)}."
    on_another_server = lost_by(run_module, taken)
    assert "the server writes no binary log" in on_another_server["reason"]

    logging.execute(
        "CREATE USER keeper@localhost",
        f"GRANT ALL ON `{logged_shop}`.* TO keeper@localhost",
        r"GRANT ALL ON `shop\_\_%`.* TO keeper@localhost",
        "GRANT SELECT ON mysql.proc TO keeper@localhost",
        "GRANT SUPER, SET USER ON *.* TO keeper@localhost",
    )
    refused = lost_by(run_module, taken, login_user="keeper", **socket)
    assert refused["reason"].endswith("GRANT REPLICATION SLAVE ON *.* TO 'keeper'@'localhost';")
    logging.execute("GRANT REPLICATION SLAVE ON *.* TO keeper@localhost")
    assert lost_by(run_module, taken, login_user="keeper", **socket)["summary"] == "0"

    logging.execute("FLUSH BINARY LOGS", "RESET MASTER")
    purged = lost_by(run_module, taken, **socket)
    assert (purged["known"], purged["summary"], purged["transactions"]) == (False, "unknown", None)
    assert "it was purged, or is that of another server" in purged["reason"]


def elsewhere_name(lost: dict) -> str:
    return lost["reason"].rsplit(" ", 1)[1].rstrip(".")


def test_what_is_kept_is_no_backup_and_goes_with_its_backup(faker, folder, run_module):
    newest = datetime.now(timezone.utc) - timedelta(hours=2)
    old, new = faker(newest - timedelta(days=400)), faker(newest)
    for archive in (old, new):
        for suffix in (".writes", ".writes-2"):
            (folder / archive.name.replace(".sql.zst", f"{suffix}.sql.zst")).write_bytes(b"since")

    info = run_module("backup_info", {"directory": str(folder)})
    refused = run_module(
        "db_restore",
        {"backup": str(new).replace(".sql.zst", ".writes.sql.zst"), "database": "shop"},
        fails=True,
    )
    pruned = run_module(
        "backup_prune", {"directory": str(folder), "keep_daily_days": 1, "keep_weekly": 0, "keep_monthly": 0}
    )

    assert [each["name"] for each in info["backups"]] == [new.name[: -len(".sql.zst")], old.name[: -len(".sql.zst")]]
    assert "is no backup, but what was written after" in refused.message
    assert pruned["deleted"] == [old.name[: -len(".sql.zst")]]
    assert pruned["lone_archives"] == []
    stem = new.name[: -len(".sql.zst")]
    assert sorted(entry.name for entry in folder.iterdir() if not entry.name.endswith(".lock")) == sorted(
        f"{stem}{suffix}" for suffix in (".sql.zst", ".manifest.json", ".writes.sql.zst", ".writes-2.sql.zst")
    )
