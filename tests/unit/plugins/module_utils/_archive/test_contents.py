"""What is collected of a dump while it streams by."""

from __future__ import annotations

import pytest

from ansible_collections.dbops.recovery.plugins.module_utils._archive.contents import Contents
from ansible_collections.dbops.recovery.plugins.module_utils._archive.dump import Section, split


def collected(*sections: Section) -> Contents:
    contents = Contents(count_rows=True)
    for _section in contents.watch(sections):
        pass
    return contents


def test_rows_are_counted_over_the_chunks_of_a_table():
    chunk = b"INSERT INTO `t` (`a`) VALUES\n('(\\n(x'),\n('b;\\n');\n"
    contents = collected(
        Section("rows", "t", chunk * 3), Section("rows", "t", chunk), Section("rows", "empty", b"LOCK;")
    )
    assert contents.rows == {"t": 8, "empty": 0}


def test_rows_are_not_counted_where_a_line_holds_several():
    contents = collected(
        Section("rows", "t", b"INSERT INTO `t` VALUES (1,'),('),(2,'x');\n"), Section("rows", "t", b"")
    )
    assert contents.rows == {"t": None}


@pytest.mark.parametrize(
    ("text", "binlog"),
    [
        (
            b"-- CHANGE MASTER TO MASTER_LOG_FILE='bin.000001', MASTER_LOG_POS=1530;\n",
            {"file": "bin.000001", "position": 1530},
        ),
        (
            b"-- CHANGE REPLICATION SOURCE TO SOURCE_LOG_FILE='b.2', SOURCE_LOG_POS=157;\n",
            {"file": "b.2", "position": 157},
        ),
        (
            b"/* SET @@GLOBAL.GTID_PURGED=/*!80000 '+'*/ '3e11fa47:1-5,\n4f22:1-2';*/\n",
            {"gtid": "3e11fa47:1-5,4f22:1-2"},
        ),
        (b"SET NAMES utf8mb4;\n", {}),
    ],
)
def test_the_place_in_the_binary_log_is_read_where_the_dump_notes_it(text, binlog):
    assert collected(Section("preamble", None, text)).binlog == binlog


def test_mariadb_s_gtid_stands_at_the_end_and_not_in_the_last_table():
    dump = (
        b"-- MariaDB dump\n\n--\n-- Dumping data for table `t`\n--\n\nUNLOCK TABLES;\n\n"
        b"-- The deferred gtid setting for slave corresponding to the master-data CHANGE-MASTER follows\n\n"
        b"-- SET GLOBAL gtid_slave_pos='0-7-8';\n/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE */;\n\n-- Dump completed\n"
    )
    sections = list(split([dump]))
    assert [section.kind for section in sections] == ["preamble", "rows", "epilogue"]
    assert collected(*sections).binlog == {"gtid": "0-7-8"}


def test_a_row_that_looks_like_a_note_of_the_binary_log_is_not_one():
    row = b"-- CHANGE MASTER TO MASTER_LOG_FILE='bin.000001', MASTER_LOG_POS=1530;\n"
    assert collected(Section("rows", "t", row)).binlog == {}


MANY_ON_A_LINE = b"--\n-- Dumping data for table `t`\n--\n\nINSERT INTO `t` VALUES (1),(2),(3);\n"
NAMED_COLUMNS = b"--\n-- Dumping data for table `t`\n--\n\nINSERT INTO `t` (`a`) VALUES (1),\n(2),\n(3);\n"


@pytest.mark.parametrize(
    ("client", "rows", "counted"),
    [
        (b"MariaDB dump 10.19  Distrib 10.5.23-MariaDB, for debian-linux-gnu (x86_64)", MANY_ON_A_LINE, None),
        (b"MySQL dump 10.13  Distrib 9.7.4, for Linux (x86_64)", MANY_ON_A_LINE, None),
        (b"MariaDB dump 10.19  Distrib 10.11.19-MariaDB, for debian-linux-gnu (x86_64)", NAMED_COLUMNS, 3),
        (b"MariaDB dump 10.19-11.8.6-MariaDB, for debian-linux-gnu (x86_64)", NAMED_COLUMNS, 3),
    ],
)
def test_rows_are_counted_only_where_the_client_tells_them_apart(client, rows, counted):
    contents = Contents(count_rows=True)
    for section in split([b"-- " + client + b"\n\n" + rows]):
        contents.feed(section)
    assert contents.rows == {"t": counted}


def test_rows_are_counted_where_mariadb_s_client_names_the_columns():
    rows = b"INSERT INTO `t` (`a`, `b`) VALUES (1,'\\n('),\n(2,'x');\nINSERT INTO `t` (`a`, `b`) VALUES (3,'');\n"
    by_mariadb = Section("preamble", None, b"-- MariaDB dump 10.19-11.8.2-MariaDB, for debian-linux-gnu (x86_64)\n")
    by_mysql = Section("preamble", None, b"-- MySQL dump 10.13  Distrib 8.0.36, for Linux (x86_64)\n")
    assert collected(by_mariadb, Section("rows", "t", rows)).rows == {"t": 3}
    # The same text by MySQL's client could hold several rows on a line.
    assert collected(by_mysql, Section("rows", "t", rows)).rows == {"t": None}


def test_the_definers_of_a_dump_are_found_and_values_are_not_taken_for_them():
    found = collected(
        Section("view", "v", b"/*!50001 CREATE ALGORITHM=UNDEFINED */\n/*!50013 DEFINER=`a`@`10.%` SQL SECURITY */\n"),
        Section("triggers", "t", b"/*!50003 CREATE*/ /*!50017 DEFINER=`b``c`@`localhost`*/ /*!50003 TRIGGER x */;;\n"),
        Section(
            "routines", None, b"CREATE DEFINER=`role` PROCEDURE `p`()\nBEGIN\n SELECT 'DEFINER=`no`@`no`';\nEND ;;\n"
        ),
        Section(
            "rows", "t", b"INSERT INTO `t` VALUES\n('CREATE DEFINER=`no`@`no`'),\n('\\nCREATE DEFINER=`no`@`no`');\n"
        ),
    )
    assert found.definers == {("a", "10.%"), ("b`c", "localhost"), ("role", None)}


@pytest.mark.parametrize("sizes", [[10], [10, 30, 20], [30, 10, 10, 10, 31], [5, 5, 5, 5, 5, 5, 40], [40, 5, 39]])
def test_the_longest_statement_is_found_wherever_it_stands(sizes):
    statements = [b"INSERT INTO `t` VALUES".ljust(size, b"x")[:size] + b";\n" for size in sizes]
    whole = collected(Section("rows", "t", b"".join(statements)))
    apart = collected(*(Section("rows", "t", statement) for statement in statements))
    assert whole.longest_statement == apart.longest_statement == max(sizes)
