# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dumps that others made are checked as far as they allow it, and what they do not allow is said."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

NEW_SANDBOX = b"/*M!999999\\- enable the sandbox mode */ \n"
OLD_SANDBOX = b"/*!999999\\- enable the sandbox mode */ \n"


@pytest.fixture
def put(tmp_path):
    def write(text: bytes | str, name: str = "by-hand.sql") -> Path:
        path = tmp_path / name
        data = text.encode() if isinstance(text, str) else text
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return path

    return write


def bad(result: dict) -> dict[str, str]:
    return {
        each["name"]: each["detail"] for each in result["checks"] if not each["passed"] and each["severity"] == "error"
    }


def not_asked(result: dict) -> dict[str, str]:
    return {
        each["name"]: each["detail"] for each in result["checks"] if not each["passed"] and each["severity"] == "info"
    }


def test_a_dump_made_by_hand_is_proved_and_what_could_not_be_asked_is_named(server, shop, put, verify_here):
    path = put(server.dump(shop), "by-hand.sql.gz")

    result = verify_here(path, queries=[{"sql": "SELECT COUNT(*) FROM orders", "rows": [[3]]}])

    assert bad(result) == {}
    assert result["verified"] is True
    assert result["changed"] is False, "there is no manifest that could take the evidence"
    assert not_asked(result) == {
        "manifest": "there is none, so checksums and objects have nothing to be compared with",
        "objects": "5 objects found; without a manifest it is not known whether that is all",
    }
    by_name = {each["name"]: each["detail"] for each in result["checks"]}
    assert by_name["inventory"] == "5 objects, 5 announced by comments"
    assert by_name["check_table"] == "2 tables"


@pytest.mark.parametrize("line", [b"", NEW_SANDBOX, OLD_SANDBOX], ids=["without", "new spelling", "old spelling"])
def test_a_dump_with_or_without_the_sandbox_line_is_proved(server, shop, put, verify_here, line):
    text = re.sub(rb"\A/\*M?!999999[^\n]*\n", b"", server.dump(shop))
    assert text.startswith(b"-- MariaDB dump")

    result = verify_here(put(line + text))

    assert bad(result) == {}
    assert {each["name"]: each["passed"] for each in result["checks"]}["load"] is True


def test_a_sandbox_line_keeps_its_meaning(server, shop, put, verify_here, tmp_path):
    """A dump that would run a command of the shell is refused by the client, with or without that line."""
    marker = tmp_path / "made by the dump"
    for line in (b"", NEW_SANDBOX):
        text = re.sub(rb"\A/\*M?!999999[^\n]*\n", b"", server.dump(shop))
        command = f"\\! touch '{marker}'\nsystem touch '{marker}'\n".encode()

        result = verify_here(put(line + text.replace(b"-- Dump completed", command + b"-- Dump completed")))

        assert "load" in bad(result)
        assert not marker.exists()


@pytest.mark.parametrize(
    ("options", "announced"),
    [
        (("--skip-comments",), False),
        (("--compact",), False),
        (("--skip-extended-insert",), True),
        (("--complete-insert", "--skip-opt", "--quick"), True),
        (("--databases",), True),
        (("--skip-triggers",), True),
        (("--skip-tz-utc",), True),
        (("--skip-tz-utc", "--skip-routines", "--skip-events"), True),
    ],
    ids=[
        "skip comments",
        "compact",
        "a statement a row",
        "skip opt",
        "databases",
        "skip triggers",
        "skip tz-utc",
        "ends with a view",
    ],
)
def test_a_dump_with_other_options_is_checked_as_far_as_it_goes(server, shop, put, verify_here, options, announced):
    path = put(server.dump(shop, *options))

    content = verify_here(path, "content")
    result = verify_here(path, queries=[{"sql": f"SELECT COUNT(*) FROM `{shop}`.orders", "rows": [[3]]}], database=shop)

    assert content["verified"] is True
    assert bad(result) == {}
    if announced:
        assert not_asked(result).keys() == {"manifest", "objects"}
    else:
        assert not_asked(result).keys() == {"manifest", "objects", "frame", "inventory"}
        assert "it cannot be seen whether it is complete" in not_asked(result)["frame"]
        assert not_asked(result)["inventory"].startswith("5 objects are there; ")


def test_a_dump_of_several_databases_is_proved_as_a_whole(server, shop, make_schema, put, verify_here):
    other = make_schema("CREATE TABLE elsewhere (id INT PRIMARY KEY); INSERT INTO elsewhere VALUES (1);")
    path = put(server.dump(shop, "--databases", "--add-drop-database", also=[other]))

    result = verify_here(
        path,
        queries=[
            {"sql": f"SELECT COUNT(*) FROM `{shop}`.orders", "rows": [[3]]},
            {"sql": f"SELECT COUNT(*) FROM `{other}`.elsewhere", "rows": [[1]]},
        ],
    )

    assert bad(result) == {}
    by_name = {each["name"]: each["detail"] for each in result["checks"]}
    assert by_name["inventory"] == "6 objects, 6 announced by comments"
    assert by_name["check_table"] == "3 tables"


def test_definers_that_do_not_exist_are_no_obstacle(server, shop, put, verify_here):
    text = server.dump(shop).replace(b"`root`@`localhost`", b"`gone`@`10.0.0.%`")
    assert text.count(b"`gone`@`10.0.0.%`") == 3

    result = verify_here(put(text), queries=[{"sql": "SELECT COUNT(*) FROM big_orders", "rows": [[1]]}])

    assert bad(result) == {}


PHPMYADMIN = """-- phpMyAdmin SQL Dump
-- version 5.2.1deb1
-- https://www.phpmyadmin.net/
--
-- Host: localhost:3306
-- Generation Time: Nov 22, 2026 at 10:15 AM
-- Server version: 10.11.6-MariaDB-0+deb12u1
-- PHP Version: 8.2.7

SET SQL_MODE = "NO_AUTO_VALUE_ON_ZERO";
START TRANSACTION;
SET time_zone = "+00:00";

--
-- Database: `shop`
--
CREATE DATABASE IF NOT EXISTS `shop` DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci;
USE `shop`;

DELIMITER $$
--
-- Procedures
--
CREATE DEFINER=`shop`@`localhost` PROCEDURE `count_orders` ()  BEGIN SELECT COUNT(*) FROM orders; END$$

DELIMITER ;

-- --------------------------------------------------------

--
-- Table structure for table `orders`
--

CREATE TABLE `orders` (
  `id` int(11) NOT NULL,
  `note` varchar(80) DEFAULT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

--
-- Dumping data for table `orders`
--

INSERT INTO `orders` (`id`, `note`) VALUES
(1, 'first'),
(2, 'USE `nowhere`;');

--
-- Triggers `orders`
--
DELIMITER $$
CREATE TRIGGER `orders_check` BEFORE INSERT ON `orders` FOR EACH ROW SET NEW.note = TRIM(NEW.note)
$$
DELIMITER ;

-- --------------------------------------------------------

--
-- Stand-in structure for view `big`
-- (See below for the actual view)
--
CREATE TABLE `big` (
`id` int(11)
);

-- --------------------------------------------------------

--
-- Structure for view `big`
--
DROP TABLE IF EXISTS `big`;

CREATE ALGORITHM=UNDEFINED DEFINER=`shop`@`localhost` SQL SECURITY DEFINER VIEW `big`  AS SELECT `id` FROM `orders` ;

--
-- Indexes for dumped tables
--
ALTER TABLE `orders`
  ADD PRIMARY KEY (`id`);
COMMIT;
"""


def test_a_dump_by_phpmyadmin_is_loaded_and_asked(put, verify_here):
    path = put(PHPMYADMIN)

    result = verify_here(
        path,
        queries=[
            {"sql": "SELECT DATABASE()", "rows": [["shop"]]},
            {"sql": "SELECT COUNT(*) FROM big", "rows": [[2]]},
        ],
    )

    assert bad(result) == {}
    assert "no header and no footer" in not_asked(result)["frame"]
    by_name = {each["name"]: each["detail"] for each in result["checks"]}
    assert by_name["inventory"] == "4 objects, 1 announced by comments"


def test_a_table_that_a_foreign_dump_announces_and_does_not_bring_is_missed(server, shop, put, verify_here):
    text = server.dump(shop)
    text = text.replace(b"-- Dump completed", b"DROP VIEW big_orders;\nDROP TABLE orders;\n-- Dump completed")

    result = verify_here(put(text))

    assert bad(result) == {"inventory": "missing: table orders, trigger orders_check, view big_orders"}


def test_sql_that_does_not_load_is_shown_in_the_servers_words(put, verify_here):
    result = verify_here(put("CREATE TABLE t (id INT);\nINSERT INTO t VALUES (1, 2);\n"))

    assert "Column count doesn't match value count at row 1" in bad(result)["load"]


MYSQL_HEAD = b"""-- MySQL dump 10.13  Distrib 8.0.36, for Linux (x86_64)
--
-- Host: localhost    Database: shop
-- ------------------------------------------------------
-- Server version\t8.0.36
"""
GTID = b"""SET @MYSQLDUMP_TEMP_LOG_BIN = @@SESSION.SQL_LOG_BIN;
SET @@SESSION.SQL_LOG_BIN= 0;
SET @@GLOBAL.GTID_PURGED=/*!80000 '+'*/ '3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5';
"""
BODY = b"--\n-- Table structure for table `t`\n--\n\nCREATE TABLE `t` (`id` int);\n\n"


@pytest.mark.parametrize(
    ("head", "flavour"),
    [
        (MYSQL_HEAD, "mysql"),
        (MYSQL_HEAD + GTID, "mysql"),
        (b"-- MySQL dump 10.13  Distrib 8.0.36, for Linux (x86_64)\n", "mysql"),
        # MySQL's client at a MariaDB server, and an old client of MariaDB.
        (MYSQL_HEAD.replace(b"version\t8.0.36", b"version\t5.5.5-10.11.6-MariaDB"), "mariadb"),
        (MYSQL_HEAD.replace(b"8.0.36", b"10.1.48-MariaDB"), "mariadb"),
        (b"-- MariaDB dump 10.19-11.8.2-MariaDB, for debian-linux-gnu (x86_64)\n", "mariadb"),
        (b"-- phpMyAdmin SQL Dump\n-- version 5.2.1\n-- Server version: 8.0.36-0ubuntu0.22.04.1\n", "mysql"),
        (b"", None),
    ],
    ids=["mysql", "gtid", "no server version", "mysql's client", "old client", "mariadb", "phpmyadmin", "nothing"],
)
def test_the_flavour_of_a_dump_is_that_of_its_server(put, verify_here, monkeypatch, head, flavour):
    from ansible_collections.dbops.recovery.plugins.module_utils._actions import proof

    wanted = []
    monkeypatch.setattr(proof, "find_daemon", lambda name: wanted.append(name) or 1 / 0)
    footer = b"-- Dump completed\n" if b"dump 10" in head else b""

    with pytest.raises(ZeroDivisionError):
        verify_here(put(head + BODY + footer))

    assert wanted == [flavour]


def test_a_dump_of_mysql_asks_for_mysqls_server_where_there_is_only_mariadbs(put, run_module, tmp_path):
    for program in ("mariadbd", "mysqld"):
        (tmp_path / program).symlink_to("/usr/sbin/mariadbd")

    failed = run_module(
        "backup_verify",
        {"backup": str(put(MYSQL_HEAD + GTID + BODY + b"-- Dump completed\n")), "level": "restore"},
        fails=True,
        environment={"PATH": str(tmp_path)},
        settings={"_database.scratch:_SYSTEM_PATH": str(tmp_path)},
    )

    assert "a mysql server program is needed" in failed.message
    assert "Install mysql-server (Debian, Ubuntu, RHEL)" in failed.message
    assert "not good" not in failed.message


def test_where_a_dump_does_not_say_it_any_server_will_do():
    from ansible_collections.dbops.recovery.plugins.module_utils._database.scratch import find_daemon

    assert find_daemon(None).flavour == "mariadb"


def test_a_dump_that_was_compressed_twice_is_told(server, shop, put, verify_here):
    path = put(gzip.compress(server.dump(shop)), "twice.sql.gz")

    assert verify_here(path, "file")["verified"] is True
    assert bad(verify_here(path, "content")) == {"sql": "it is compressed twice: what was unpacked is gzip again"}


@pytest.mark.parametrize(
    "text",
    [
        b"<!DOCTYPE html>\n<html><body>502 Bad Gateway; try again.</body></html>\n",
        b"mysqldump: Got error: 1045: Access denied for user 'backup'@'localhost' (using password: YES);\n",
        bytes(range(256)) * 40,
        b"\n",
    ],
    ids=["a web page", "the words of an error", "any bytes", "a newline"],
)
def test_a_file_that_is_no_dump_is_told(put, verify_here, text):
    assert bad(verify_here(put(text), "content")) == {"sql": "there is no SQL statement in it"}
