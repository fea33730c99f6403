# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Backup, destroy, restore: the schema dumps to the same bytes as before."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

DEMANDING = Path(__file__).with_name("demanding_schema.sql").read_text()
WITH_HISTORY = "--dump-history"

# It has a table whose engine knows no transactions.
STILL = {"non_transactional": "lock"}

COMPRESSIONS = [
    pytest.param("zstd", (), id="zstd by the package"),
    pytest.param("zstd", ("zstandard",), id="zstd by the program"),
    pytest.param("gzip", (), id="gzip"),
    pytest.param("none", (), id="no compression"),
]


def wreck(server, schema: str) -> None:
    """Do what a failed migration and a bad day do."""
    server.execute(
        "SET foreign_key_checks = 0",
        "DROP TABLE every_byte, prices, `Case`",
        "DROP VIEW `a view, last`",
        "DROP PROCEDURE `look alike`",
        "DROP EVENT nightly",
        "DROP TRIGGER customer_before",
        "UPDATE customer SET favourite = NULL",
        "ALTER TABLE `order` ADD COLUMN half_made INT",
        "DELETE FROM moments",
        "CREATE TABLE `case 2` (id INT)",
        schema=schema,
    )


@pytest.mark.parametrize(("compression", "missing"), COMPRESSIONS)
def test_a_demanding_schema_comes_back_byte_for_byte(server, make_schema, run_module, folder, compression, missing):
    schema = make_schema()
    server.load(schema, DEMANDING, "--comments")
    before = server.dump(schema, WITH_HISTORY)

    taken = run_module(
        "db_backup",
        {"database": schema, "directory": str(folder), "compression": compression, **STILL},
        missing=missing,
    )["backup"]
    assert taken["compression"] == compression
    wreck(server, schema)
    assert server.dump(schema, WITH_HISTORY) != before
    restored = run_module("db_restore", {"backup": taken["name"], "directory": str(folder)}, missing=missing)

    assert restored["outcome"] == "restored"
    assert restored["removed_objects"] == ["table case 2"]
    assert server.dump(schema, WITH_HISTORY) == before


def test_a_dropped_schema_is_created_again_with_its_character_set(server, make_schema, run_module, backup, folder):
    schema = make_schema("CREATE TABLE t (w VARCHAR(9)); INSERT INTO t VALUES ('ÿ');")
    server.execute(f"ALTER DATABASE {schema} CHARACTER SET latin1 COLLATE latin1_german2_ci")
    before = server.dump(schema)
    taken = backup(schema)
    server.execute(f"DROP DATABASE {schema}")

    restored = run_module("db_restore", {"backup": taken["path"]})

    assert restored["safety_backup"] is None
    assert server.dump(schema) == before
    assert server.query(
        "SELECT default_collation_name FROM information_schema.schemata WHERE schema_name = %s", (schema,)
    ) == [("latin1_german2_ci",)]


def test_a_schema_without_tables_comes_back_empty(server, make_schema, run_module, backup):
    schema = make_schema()
    before = server.dump(schema)
    taken = backup(schema)
    server.execute("CREATE TABLE made_since (id INT)", schema=schema)

    restored = run_module("db_restore", {"backup": taken["path"]})

    assert restored["removed_objects"] == ["table made_since"]
    assert server.dump(schema) == before


@pytest.mark.parametrize("name", ["a b.c", "quo'te\"and`tick", "größe ☃", "select", "-x", "per%cent", "=3D", "ä" * 64])
def test_a_schema_of_any_name_comes_back(server, make_schema, run_module, backup, name):
    schema = make_schema("CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1);", name=name)
    before = server.dump(schema)
    taken = backup(schema)
    server.execute("DROP TABLE t", schema=schema)

    run_module("db_restore", {"backup": taken["path"]})

    assert server.dump(schema) == before


def test_two_schemas_whose_names_differ_in_case_are_two(server, make_schema, run_module, backup):
    lower = make_schema(
        "CREATE PROCEDURE p() SELECT 1; CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO SELECT 1;", name="casing"
    )
    upper = make_schema(
        "CREATE TABLE t (id INT); CREATE PROCEDURE q() SELECT 2; CREATE EVENT f ON SCHEDULE EVERY 1 DAY DO SELECT 1;"
        "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET @a = 1;",
        name="Casing",
    )
    before = {name: server.dump(name) for name in (lower, upper)}
    taken = backup(lower)
    server.execute("DROP PROCEDURE p", schema=lower)

    run_module("db_restore", {"backup": taken["path"]})

    assert {name: server.dump(name) for name in (lower, upper)} == before


def test_a_definer_that_is_a_role_is_understood(server, make_schema, run_module, backup):
    server.execute("CREATE ROLE IF NOT EXISTS keeper")
    schema = make_schema(
        "CREATE DEFINER = keeper PROCEDURE by_role() SELECT 1; CREATE DEFINER = keeper VIEW role_view AS SELECT 1;"
        "CREATE TABLE t (id INT);"
        "CREATE DEFINER = keeper TRIGGER role_trigger BEFORE INSERT ON t FOR EACH ROW SET @a = 1;"
    )
    before = server.dump(schema)
    taken = backup(schema)
    server.execute("DROP PROCEDURE by_role", schema=schema)

    run_module("db_restore", {"backup": taken["path"]})

    assert server.dump(schema) == before


@pytest.mark.parametrize("mode", ["ANSI_QUOTES", "NO_BACKSLASH_ESCAPES", "ORACLE"])
def test_the_servers_sql_mode_may_change_between_backup_and_restore(
    start_server, make_schema, run_module, backup, folder, mode
):
    server = start_server()
    schema = make_schema("CREATE TABLE t (id INT COMMENT 'a\\nb'); CREATE VIEW v AS SELECT id FROM t;", on=server)
    before = server.dump(schema)
    taken = backup(schema, login_unix_socket=server.socket)
    server.execute(f"SET GLOBAL sql_mode = '{mode}'")

    run_module("db_restore", {"backup": taken["path"], "login_unix_socket": server.socket})

    assert server.dump(schema) == before
    server.stop()


@pytest.mark.parametrize(
    ("compression", "missing", "program"),
    [
        ("zstd", (), ["zstd", "-dc"]),
        ("zstd", ("zstandard",), ["zstd", "-dc"]),
        ("gzip", (), ["zcat"]),
        ("none", (), ["cat"]),
    ],
)
def test_an_archive_restores_by_hand(server, make_schema, run_module, folder, compression, missing, program):
    schema = make_schema()
    server.load(schema, DEMANDING, "--comments")
    before = server.dump(schema, WITH_HISTORY)
    taken = run_module(
        "db_backup",
        {"database": schema, "directory": str(folder), "compression": compression, **STILL},
        missing=missing,
    )["backup"]
    server.execute(f"DROP DATABASE {schema}", f"CREATE DATABASE {schema}")

    plain = subprocess.run([*program, taken["path"]], check=True, capture_output=True).stdout
    server.load(schema, plain, "--comments")

    assert server.dump(schema, WITH_HISTORY) == before


def test_a_backup_goes_into_another_database_and_leaves_its_own_alone(server, make_schema, run_module, backup, shop):
    taken = backup(shop)
    server.execute("DELETE FROM orders", schema=shop)
    own = server.dump(shop)
    copy = make_schema("CREATE TABLE stale (id INT);")

    restored = run_module("db_restore", {"backup": taken["path"], "database": copy})

    assert restored["database"] == copy
    assert restored["removed_objects"] == ["table stale"]
    assert server.query("SELECT name FROM customer ORDER BY id", schema=copy) == [("Ada",), ("Grace",), ("Radia 🦄",)]
    assert server.dump(shop) == own


def test_a_backup_made_without_the_package_is_read_with_it_and_the_other_way_round(shop, run_module, folder, backup):
    with_package = backup(shop)
    with_program = run_module("db_backup", {"database": shop, "directory": str(folder)}, missing=("zstandard",))[
        "backup"
    ]
    assert shutil.which("zstd")

    assert run_module("backup_verify", {"backup": with_package["path"]}, missing=("zstandard",))["verified"]
    assert run_module("backup_verify", {"backup": with_program["path"]})["verified"]


def test_more_tables_than_the_server_keeps_open_come_back(server, make_schema, backup, start_module):
    # It keeps 2000 open.
    schema = make_schema()
    server.load(schema, "".join(f"CREATE TABLE t{number} (id INT PRIMARY KEY);" for number in range(2500)))
    before = server.dump(schema)
    taken = backup(schema)
    server.execute(f"DROP DATABASE `{schema}`")
    # Thousands of statements: a machine that is busy takes its time.
    done = start_module("db_restore", {"backup": taken["path"]}).end(seconds=600)
    assert done["outcome"] == "restored"
    assert server.dump(schema) == before
