# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What cannot be done gets one clear message before anything is touched."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import time
from pathlib import Path

import pytest
from conftest import contents
from private_server import free_port


@pytest.fixture
def refuse(run_module, shop, folder):
    """Run a backup of the shop that is to fail, and return its message; nothing may have been written."""

    def run(check: bool = False, more: dict | None = None, **options) -> str:
        wanted = {"database": shop, "directory": str(folder), **options}
        failed = run_module("db_backup", wanted, check, fails=True, **(more or {}))
        assert contents(folder) == {}
        return failed.message

    return run


def test_a_database_that_is_not_there_is_named_with_those_that_are(refuse, make_schema, shop):
    other = make_schema()

    message = refuse(database="shpo")

    assert "database: shpo is not there" in message
    assert shop in message
    assert other in message
    assert "information_schema" not in message


def test_a_wrong_password_is_said(refuse, server):
    server.execute("CREATE OR REPLACE USER guarded@localhost IDENTIFIED BY 'right'")

    message = refuse(login_user="guarded", login_password="wrong-one")

    assert "Access denied for user 'guarded'@'localhost'" in message
    assert "login_password" in message
    assert "wrong-one" not in message


def test_a_socket_that_is_not_there_is_said(refuse, tmp_path):
    message = refuse(login_unix_socket=str(tmp_path / "none"))

    assert "Cannot connect to the server" in message
    assert str(tmp_path / "none") in message


def test_a_host_that_does_not_answer_is_said(refuse):
    message = refuse(login_unix_socket=None, login_host="127.0.0.1", login_port=free_port())

    assert "Cannot connect to the server" in message
    assert "127.0.0.1" in message


@pytest.mark.parametrize("check", [False, True])
def test_a_missing_client_program_names_the_package(refuse, tmp_path, check):
    nothing = tmp_path / "bin"
    nothing.mkdir()

    message = refuse(check, {"environment": {"PATH": str(nothing)}})

    assert "neither mariadb-dump nor mysqldump" in message
    assert "mariadb-client" in message


def test_a_client_program_of_the_other_flavour_is_told_apart(refuse, tmp_path):
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "mysqldump"
    program.write_text("#!/bin/sh\necho 'mysqldump  Ver 8.0.36 for Linux on x86_64 (MySQL Community Server - GPL)'\n")
    program.chmod(0o755)

    assert f"{program} is mysql's" in refuse(more={"environment": {"PATH": str(folder)}})


def test_a_missing_driver_names_the_package(refuse):
    message = refuse(more={"missing": ("pymysql", "pymysql.optionfile")})

    assert "PyMySQL" in message
    assert "python3-pymysql" in message


def test_a_missing_zstd_names_the_package(refuse, tmp_path):
    folder = tmp_path / "bin"
    folder.mkdir()
    for program in ("mariadb-dump", "mariadb"):
        (folder / program).symlink_to(shutil.which(program))

    message = refuse(more={"missing": ("zstandard",), "environment": {"PATH": str(folder)}}, compression="zstd")

    assert "python3-zstandard or zstd" in message


def test_without_zstd_auto_is_gzip(run_module, shop, folder, tmp_path):
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "mariadb-dump").symlink_to(shutil.which("mariadb-dump"))

    taken = run_module(
        "db_backup",
        {"database": shop, "directory": str(folder)},
        missing=("zstandard",),
        environment={"PATH": str(programs)},
    )["backup"]

    assert taken["compression"] == "gzip"
    assert taken["path"].endswith(".sql.gz")


def test_a_directory_that_cannot_be_written_to_is_said(run_module, shop, tmp_path):
    if os.geteuid() == 0:
        read_only = Path("/proc/sys/kernel")
    else:
        read_only = tmp_path / "closed"
        read_only.mkdir(mode=0o500)
    for directory in (read_only, read_only / "new"):
        failed = run_module("db_backup", {"database": shop, "directory": str(directory)}, fails=True)
        assert str(read_only) in failed.message


def test_a_directory_that_is_a_file_is_said(run_module, shop, tmp_path):
    file = tmp_path / "file"
    file.write_text("not a directory")

    for directory in (file, file / "below"):
        failed = run_module("db_backup", {"database": shop, "directory": str(directory)}, fails=True)
        assert str(file) in failed.message
    assert file.read_text() == "not a directory"


@pytest.mark.parametrize("check", [False, True])
def test_unknown_tables_to_exclude_are_named(refuse, check):
    message = refuse(check, exclude_tables=["orders", "ordres", "nope"])

    assert "nope, ordres" in message
    assert "exclude_tables" in message


@pytest.mark.parametrize("age", ["", "4", "4 hours", "soon", "-1h"])
def test_a_bad_duration_is_said(refuse, age):
    message = refuse(max_age=age)

    assert "max_age" in message
    assert "26h" in message


@pytest.mark.parametrize("size", ["big", "-1", "10X", "1,5M"])
def test_a_bad_size_is_said(shop, backup, run_module, size):
    failed = run_module("backup_verify", {"backup": backup(shop)["path"], "min_size": size}, fails=True)

    assert "min_size" in failed.message
    assert "10M" in failed.message


@pytest.mark.parametrize(("compression", "level"), [("zstd", 0), ("zstd", 20), ("gzip", 10), ("gzip", -1)])
def test_a_level_that_the_compression_does_not_have_is_said(refuse, compression, level):
    assert f"levels from 1 to {19 if compression == 'zstd' else 9}" in refuse(
        compression=compression, compression_level=level
    )


def test_a_view_that_a_dump_would_stumble_over_is_named_before_anything_is_written(refuse, server, shop):
    server.execute(
        "DROP VIEW big_orders",
        "CREATE TABLE gone (id INT)",
        "CREATE VIEW orphan AS SELECT * FROM gone",
        "DROP TABLE gone",
        schema=shop,
    )

    message = refuse()

    assert "orphan" in message
    assert "Nothing was written" in message


def test_a_young_backup_is_enough_and_an_old_or_damaged_one_is_not(shop, folder, run_module):
    options = {"database": shop, "directory": str(folder), "max_age": "1h"}

    foreseen = run_module("db_backup", options, check=True)
    assert foreseen["changed"] is True
    assert contents(folder) == {}
    first = run_module("db_backup", options)
    assert first["changed"] is True
    files = contents(folder)
    for check in (True, False):
        again = run_module("db_backup", options, check=check)
        assert again["changed"] is False
        assert again["backup"] == first["backup"]
    assert contents(folder) == files

    time.sleep(2.1)
    assert run_module("db_backup", {**options, "max_age": "1s"})["changed"] is True
    for taken in (first, run_module("db_backup", {**options, "max_age": "1h"})):
        with open(taken["backup"]["path"], "r+b") as file:
            file.truncate(100)
    assert run_module("db_backup", {**options, "max_age": "1h"})["changed"] is True


def test_a_young_backup_that_does_not_serve_as_a_new_one_would_is_not_enough(shop, folder, run_module):
    options = {"database": shop, "directory": str(folder), "max_age": "1h"}

    def taken(**more) -> Path | None:
        done = run_module("db_backup", {**options, **more})
        return Path(done["backup"]["manifest_path"]) if done["changed"] else None

    assert taken(exclude_tables=["orders"])
    # It leaves out what is wanted, and a whole one holds what is to be left out.
    first = taken()
    assert first
    assert taken(exclude_tables=["orders"]) is None
    assert taken() is None
    assert taken(pin=True)
    assert taken(pin=True) is None
    for path in folder.glob("*.manifest.json"):
        content = json.loads(path.read_text())
        content["verifications"].append({"time": "2026-11-22T10:15:00Z", "level": "content", "verified": False})
        path.write_text(json.dumps(content))
    mended = taken()
    assert mended
    # Two servers whose hosts share the directory.
    content = json.loads(mended.read_text())
    content["server"]["hostname"] = "another-host"
    mended.write_text(json.dumps(content))
    mended = taken()
    assert mended
    assert taken() is None
    # A clock that was ahead.
    content = json.loads(mended.read_text())
    content["backup"]["started"] = "2999-01-01T00:00:00Z"
    mended.write_text(json.dumps(content))
    future = run_module(
        "backup_verify",
        {"backup": str(mended.with_name(content["archive"]["file"])), "level": "file", "max_age": "1h"},
        fails=True,
    )
    assert "one of two clocks is wrong" in str(future["checks"])
    assert taken()


def test_retries_cannot_be_negative(shop, folder, run_module):
    failed = run_module("db_backup", {"database": shop, "directory": str(folder), "retries": -1}, fails=True)
    assert "retries: it cannot be negative" in failed.message


def test_a_link_in_the_place_of_the_lock_leads_nowhere(shop, folder, tmp_path, run_module):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (folder / f".{shop}.lock").symlink_to(victim)

    failed = run_module("db_backup", {"database": shop, "directory": str(folder)}, fails=True)

    assert "The backup directory cannot be written to" in failed.message
    assert victim.read_text() == "precious"


def test_views_on_tables_that_are_left_out_are_named(server, shop, backup, folder, run_module):
    server.execute("CREATE VIEW of_big_orders AS SELECT id FROM big_orders", schema=shop)
    options = {"database": shop, "directory": str(folder)}

    done = run_module("db_backup", {**options, "exclude_tables": ["orders"]})
    assert "where the tables are that it leaves out: view big_orders reads from them" in str(done["warnings"])
    assert "view of_big_orders reads from them" in str(done["warnings"])
    assert "warnings" not in run_module("db_backup", {**options, "exclude_tables": ["customer"]}).result


def test_a_safety_backup_is_not_taken_for_a_young_backup(shop, backup, folder, run_module):
    taken = backup(shop)
    run_module("db_restore", {"backup": taken["path"]})
    for entry in folder.glob(f"{taken['name']}.*"):
        entry.unlink()

    assert run_module("db_backup", {"database": shop, "directory": str(folder), "max_age": "1h"})["changed"] is True


def test_check_mode_makes_no_directory_and_says_what_would_be(shop, tmp_path, run_module):
    directory = tmp_path / "deep" / "down"

    foreseen = run_module("db_backup", {"database": shop, "directory": str(directory)}, check=True)

    assert foreseen["changed"] is True
    assert foreseen["backup"]["database"] == shop
    assert not (tmp_path / "deep").exists()
    taken = run_module("db_backup", {"database": shop, "directory": str(directory)})["backup"]
    assert os.path.dirname(taken["path"]) == foreseen["backup"]["path"].rpartition("/")[0]


def test_what_is_written_belongs_to_its_owner_alone(shop, tmp_path, run_module):
    directory = tmp_path / "new" / "backups"
    taken = run_module("db_backup", {"database": shop, "directory": str(directory)})["backup"]

    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    for entry in directory.iterdir():
        assert stat.S_IMODE(entry.stat().st_mode) == 0o600, entry
    assert (
        taken["sha256"]
        == subprocess.run(["sha256sum", taken["path"]], capture_output=True, text=True, check=True).stdout.split()[0]
    )


def test_labels_and_pin_are_kept(shop, backup):
    taken = backup(shop, labels={"release": "2026.11.3", "ü": "🦄"}, pin=True)

    assert taken["labels"] == {"release": "2026.11.3", "ü": "🦄"}
    assert taken["pinned"] is True


def test_an_account_that_sees_only_a_part_is_refused(refuse, server, shop):
    """Rows 7 to 9 of what a dump leaves out without a word: triggers, routines, events."""
    rights = {
        "SHOW VIEW": "SELECT, TRIGGER, EVENT",
        "TRIGGER": "SELECT, SHOW VIEW, EVENT",
        "EVENT": "SELECT, SHOW VIEW, TRIGGER",
        "mysql.proc": "SELECT, SHOW VIEW, TRIGGER, EVENT",
    }
    for missing, given in rights.items():
        server.execute(
            "CREATE OR REPLACE USER partly@localhost IDENTIFIED BY 'x'",
            f"GRANT {given} ON {shop}.* TO partly@localhost",
        )
        message = refuse(login_user="partly", login_password="x")
        assert missing in message
        assert "GRANT" in message
