"""Cutting a dump into its sections, and what the sections define."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dbops.recovery.plugins.module_utils._archive import dump

# What mariadb-dump 10.11 writes for one table with a trigger, one view, one event and one procedure, shortened.
DUMP = rb"""/*M!999999\- enable the sandbox mode */
-- MariaDB dump 10.19  Distrib 10.11.19-MariaDB, for debian-linux-gnu (x86_64)
--
-- Host: localhost    Database: shop
-- ------------------------------------------------------
/*!40103 SET TIME_ZONE='+00:00' */;

--
-- Table structure for table `odd``name`
--

DROP TABLE IF EXISTS `odd``name`;
CREATE TABLE `odd``name` (
  `id` int(11) NOT NULL
) ENGINE=InnoDB;

--
-- Dumping data for table `odd``name`
--

LOCK TABLES `odd``name` WRITE;
INSERT INTO `odd``name` VALUES
(1),
(2);
UNLOCK TABLES;
/*!50003 SET @saved_cs_client      = @@character_set_client */ ;
DELIMITER ;;
/*!50003 CREATE*/ /*!50017 DEFINER=`a b`@`%`*/ /*!50003 trigger
  `tr 1` before insert on `odd``name` for each row begin
--
-- Table structure for table `fake`
--
end */;;
DELIMITER ;

--
-- Temporary table structure for view `v`
--

/*!50001 CREATE VIEW `v` AS SELECT 1 AS `id` */;

--
-- Dumping events for database 'shop'
--
DELIMITER ;;
/*!50106 CREATE*/ /*!50117 DEFINER=`root`@`localhost`*/ /*!50106 EVENT `nightly` ON SCHEDULE EVERY 1 DAY DO
/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE */ ;;
DELIMITER ;

--
-- Dumping routines for database 'shop'
--
DELIMITER ;;
CREATE DEFINER=`root`@`localhost` PROCEDURE `p.1`()
begin
CREATE TABLE inner_one (i int);
end ;;
DELIMITER ;
DELIMITER ;;
CREATE DEFINER=`root`@`localhost` FUNCTION `f`() RETURNS int(11)
return 1 ;;
DELIMITER ;

--
-- Final view structure for view `v`
--

/*!50001 VIEW `v` AS select 1 AS `id` */;
/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE */;

-- Dump completed
"""
KINDS = [
    ("preamble", None),
    ("table", "odd`name"),
    ("rows", "odd`name"),
    ("triggers", "odd`name"),
    ("view_placeholder", "v"),
    ("events", None),
    ("routines", None),
    ("view", "v"),
    ("epilogue", None),
]


def blocks(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


@pytest.mark.parametrize("size", [1, 3, 64, 100_000])
def test_a_dump_is_cut_into_the_same_sections_whatever_blocks_it_comes_in(size):
    sections = list(dump.split(blocks(DUMP, size)))
    assert [(section.kind, section.object) for section in sections] == KINDS
    assert b"".join(section.data for section in sections) == DUMP


def test_a_line_in_a_body_that_looks_like_a_header_begins_no_section():
    triggers = list(dump.split([DUMP]))[3]
    assert b"-- Table structure for table `fake`" in triggers.data


def test_rows_come_in_chunks_that_end_with_a_statement():
    rows = b"INSERT INTO `t` VALUES\n(1,'a\\n;b'),\n(2,'c');\n" * 100
    data = (
        b"-- MySQL dump 9\n\n--\n-- Dumping data for table `t`\n--\n"
        + rows
        + b"\n--\n-- Table structure for table `u`\n--\n"
    )
    sections = list(dump.split(blocks(data, 50), chunk_bytes=400))
    chunks = [section for section in sections if section.kind == "rows"]
    assert len(chunks) > 5
    assert all(chunk.data.endswith(b";\n") for chunk in chunks[:-1])
    assert sections[-1].object == "u"
    assert b"".join(section.data for section in sections) == data


def test_a_section_is_seen_when_a_chunk_ended_right_before_it():
    rows = b"INSERT INTO `t` VALUES (1);\n"
    trigger = b"/*!50003 SET @saved_cs_client      = @@character_set_client */ ;\n"
    header = b"-- MySQL dump 9\n\n--\n-- Dumping data for table `t`\n--\n"
    sections = list(dump.split([header, rows, trigger], chunk_bytes=len(rows)))
    assert [section.kind for section in sections] == ["preamble", "rows", "triggers"]


@given(st.binary(max_size=4000), st.integers(1, 500), st.integers(1, 500))
def test_no_byte_is_lost_or_moved_whatever_the_text(data, size, chunk):
    assert b"".join(section.data for section in dump.split(blocks(data, size), chunk)) == data


@given(st.integers(1, 3000), st.integers(1, 3000), st.integers(1, 300))
def test_a_dump_is_cut_at_the_same_places_whatever_blocks_it_comes_in(one_size, other_size, chunk):
    one = list(dump.split(blocks(DUMP * 2, one_size), chunk))
    assert one == list(dump.split(blocks(DUMP * 2, other_size), chunk))


def test_what_stands_behind_several_events_is_seen():
    text = (
        b"--\n-- Dumping events for database 'x'\n--\n"
        b"DELIMITER ;;\nCREATE EVENT `one` ON SCHEDULE EVERY 1 DAY DO SELECT 1 ;;\n"
        b"/*!50106 DROP EVENT IF EXISTS `two` */;;\n"
        b"DELIMITER ;;\nCREATE EVENT `two` ON SCHEDULE EVERY 1 DAY DO SELECT 1 ;;\nDELIMITER ;\n"
        b"\n--\n-- Dumping routines for database 'x'\n--\n"
    )
    events, routines = dump.split([text])
    assert dump.objects_in(events) == [("event", "one"), ("event", "two")]
    assert routines.kind == dump.ROUTINES


def test_the_objects_that_a_dump_defines_are_found():
    found = {each for section in dump.split([DUMP]) for each in dump.objects_in(section)}
    assert found == {
        ("table", "odd`name"),
        ("trigger", "tr 1"),
        ("view", "v"),
        ("event", "nightly"),
        ("procedure", "p.1"),
        ("function", "f"),
    }


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        (b"/*!50003 CREATE*/ /*!50003 TRIGGER `db`.`t1` BEFORE", ("trigger", "t1")),
        (b"CREATE DEFINER=root@localhost PROCEDURE p1()", ("procedure", "p1")),
        (b"CREATE DEFINER=`r`@`%` PACKAGE BODY `pk` AS", ("package_body", "pk")),
        (b"CREATE DEFINER=`a role` PROCEDURE `p2`()", ("procedure", "p2")),
        (b"/*!50003 CREATE*/ /*!50017 DEFINER=`role`*/ /*!50003 TRIGGER `t4` BEFORE", ("trigger", "t4")),
        (b'CREATE DEFINER="a b"@"%" PROCEDURE "an ""ansi"" name"()', ("procedure", 'an "ansi" name')),
        (b"CREATE DEFINER=`r`@`%` AGGREGATE FUNCTION `agg`(x int)", ("function", "agg")),
        (b"/*!50003 CREATE*/ /*!50017 DEFINER=`r`@`%`*/ /*!50003 trigger if not exists\n t2 after", ("trigger", "t2")),
        (b"/*!50003 CREATE*/ /*!50017 DEFINER=`r`@`%`*/ /*!50003 TRIGGER /* why */ `t``3` after", ("trigger", "t`3")),
    ],
)
def test_the_name_in_a_statement_with_a_body_is_read(statement, found):
    section = dump.Section("routines", None, b"DELIMITER ;;\n" + statement + b"\nbody ;;\nDELIMITER ;\n")
    assert dump.objects_in(section) == [found]


def frame_of(data: bytes) -> dump.Frame:
    frame = dump.Frame()
    for section in dump.split([data]):
        frame.feed(section)
    return frame


def test_a_whole_dump_has_nothing_wrong_with_its_frame():
    assert frame_of(DUMP).problem() is None
    assert frame_of(DUMP.replace(b"completed", b"completed on 2026-11-22 10:15:00")).problem() is None


def test_a_dump_that_was_cut_short_is_told_by_its_last_line():
    for end in range(0, len(DUMP) - len(b"-- Dump completed\n"), 7):
        assert "cut short" in frame_of(DUMP[:end]).problem()


def test_two_dumps_joined_are_not_one():
    assert "2 and 2" in frame_of(DUMP + DUMP).problem()


def test_a_footer_in_a_routine_does_not_complete_a_dump():
    cut = DUMP[: DUMP.index(b"CREATE TABLE inner_one")] + b"-- Dump completed\n"
    assert frame_of(cut).problem() is not None


def test_the_schemas_that_a_dump_changes_to_are_found_and_rows_are_not_mistaken_for_them():
    made = (
        b"-- MySQL dump 9\nCREATE DATABASE /*!32312 IF NOT EXISTS*/ `live` /*!40100 X */;\n\nUSE `live`;\nuse other;\n"
    )
    rows = b"\n--\n-- Dumping data for table `t`\n--\n\nINSERT INTO `t` VALUES ('\\nUSE `no`;');\n"
    found = set().union(*(dump.schemas_named(section) for section in dump.split([made + rows])))
    assert found == {"live", "other"}
    assert not any(dump.schemas_named(section) for section in dump.split([DUMP]))


# What is written beside the position of the binary log, by mysqldump 9.7 and mariadb-dump 11.8.
MYSQL_WITH_LOG = rb"""-- MySQL dump 10.13  Distrib 9.7.4, for Linux (x86_64)
SET @MYSQLDUMP_TEMP_LOG_BIN = @@SESSION.SQL_LOG_BIN;
SET @@SESSION.SQL_LOG_BIN= 0;

--
-- GTID state at the beginning of the backup
--

/* SET @@GLOBAL.GTID_PURGED='+692c8522-e66b-11f1-931c-02fc00000001:1-9,
7b1f0a3e-e66b-11f1-931c-02fc00000001:1';*/

--
-- Position to start replication or point-in-time recovery from
--

-- CHANGE REPLICATION SOURCE TO SOURCE_LOG_FILE='binlog.000001', SOURCE_LOG_POS=2894;

--
-- Final view structure for view `v`
--

/*!50001 CREATE VIEW `v` AS select 1 */;
SET @@SESSION.SQL_LOG_BIN = @MYSQLDUMP_TEMP_LOG_BIN;
/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE */;

-- Dump completed
"""
MARIADB_VIEW = b"--\n-- Final view structure for view `v`\n--\n\n/*!50001 CREATE VIEW `v` AS select 1 */;\n"
MARIADB_GTID = b"\n-- The deferred gtid setting for slave corresponding to\n\n-- SET GLOBAL gtid_slave_pos='0-7-9';\n"
MARIADB_END = b"/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE */;\n\n-- Dump completed\n"


def test_a_note_of_the_binary_log_belongs_to_no_object():
    without = list(dump.split([b"-- MariaDB dump 10.19\n\n" + MARIADB_VIEW + MARIADB_END]))
    noted = list(dump.split([b"-- MariaDB dump 10.19\n\n" + MARIADB_VIEW + MARIADB_GTID + MARIADB_END]))
    assert noted[1] == without[1] == dump.Section(dump.VIEW, "v", MARIADB_VIEW)
    assert dump.binlog_in(noted[2]) == {"gtid": "0-7-9"}


def test_mysqls_place_in_the_binary_log_is_read():
    preamble = next(dump.split([MYSQL_WITH_LOG]))
    assert dump.binlog_in(preamble) == {
        "file": "binlog.000001",
        "position": 2894,
        "gtid": "692c8522-e66b-11f1-931c-02fc00000001:1-9,7b1f0a3e-e66b-11f1-931c-02fc00000001:1",
    }


def test_what_keeps_a_restore_out_of_the_binary_log_is_taken_out():
    kept = [dump.without_replication(section) for section in dump.split([MYSQL_WITH_LOG])]
    text = b"".join(section.data for section in kept)
    assert b"LOG_BIN" not in text
    assert len(MYSQL_WITH_LOG.splitlines()) - len(text.splitlines()) == 3
    assert kept[1].data.endswith(b"CREATE VIEW `v` AS select 1 */;\n")
    # What merely looks like it, in a body, is the user's own.
    body = dump.Section(dump.ROUTINES, None, b"DELIMITER ;;\nSET @@SESSION.SQL_LOG_BIN= 0;\n;;\nDELIMITER ;\n")
    assert dump.without_replication(body) == body


def _routine(kind: bytes, name: bytes) -> bytes:
    return (
        b"/*!50003 SET sql_mode = '' */ ;\n/*!50003 DROP " + kind + b" IF EXISTS `" + name + b"` */;\nDELIMITER ;;\n"
        b"CREATE DEFINER=`a`@`%` " + kind + b" `" + name + b"` ()\nselect 'DELIMITER ;;'\n;;\nDELIMITER ;\n"
    )


def test_routines_are_left_out_of_their_section_with_what_drops_them():
    one, two, three = _routine(b"PROCEDURE", b"o``ne"), _routine(b"FUNCTION", b"o``ne"), _routine(b"PROCEDURE", b"two")
    pack, body = _routine(b"PACKAGE", b"p"), _routine(b"PACKAGE BODY", b"p")
    head = b"--\n-- Dumping routines for database 'shop'\n--\n"
    section = dump.Section(dump.ROUTINES, None, head + one + two + three + pack + body)
    setting = b"/*!50003 SET sql_mode = '' */ ;\n"

    def left(*keys: tuple[str, str]) -> bytes:
        return dump.without_routines(section, set(keys)).data

    assert left() == left(("procedure", "nowhere")) == section.data
    assert left(("procedure", "o`ne")) == head + setting + two + three + pack + body
    assert left(("function", "o`ne"), ("procedure", "two")) == head + one + setting * 2 + pack + body
    # A package takes its body along.
    assert left(("package_body", "p")) == section.data
    assert left(("package", "p")) == head + one + two + three + setting + body
    # What is not dropped before it is made cannot be left out, as nobody knows how it is.
    odd = dump.Section(dump.ROUTINES, None, section.data.replace(b"DROP PROCEDURE", b"DROP  PROCEDURE"))
    assert dump.without_routines(odd, {("procedure", "two")}) == odd


PREAMBLE = rb"""/*M!999999\- enable the sandbox mode */
-- MariaDB dump 10.19  Distrib 10.11.14-MariaDB, for debian-linux-gnu (x86_64)
--
-- Host: localhost    Database: odd;
-- ------------------------------------------------------

/*!40101 SET NAMES utf8mb4 */;
/*!40103 SET TIME_ZONE='+00:00' */;

--
-- Position to start replication or point-in-time recovery from
--

-- CHANGE MASTER TO MASTER_LOG_FILE='binlog.000002', MASTER_LOG_POS=344;
SET @@GLOBAL.GTID_PURGED=/*!80000 '+'*/ '692c8522-e66b-11f1-931c-02fc00000001:1-9,
7b1f0a3e-e66b-11f1-931c-02fc00000001:1';
"""


def test_the_statements_of_a_preamble_are_those_that_the_client_would_send():
    assert list(dump.statements_in(dump.Section(dump.PREAMBLE, None, PREAMBLE))) == [
        b"/*!40101 SET NAMES utf8mb4 */",
        b"/*!40103 SET TIME_ZONE='+00:00' */",
        b"SET @@GLOBAL.GTID_PURGED=/*!80000 '+'*/ '692c8522-e66b-11f1-931c-02fc00000001:1-9,\n"
        b"7b1f0a3e-e66b-11f1-931c-02fc00000001:1'",
    ]


def test_the_statements_of_rows_are_whole_whatever_stands_in_the_values():
    head = b"--\n-- Dumping data for table `t`\n--\n\n"
    insert = rb"INSERT INTO `t` VALUES" b"\n" rb"(1,'a;\n-- b'),(2,'/*!999999\\-'),(3,'it\'s;')," b"\n" rb"(4,';')"
    rows = head + b"LOCK TABLES `t` WRITE;\n" + insert + b";\nUNLOCK TABLES;\n\n--\n"
    found = list(dump.statements_in(dump.Section(dump.ROWS, "t", rows)))
    assert found == [b"LOCK TABLES `t` WRITE", insert, b"UNLOCK TABLES"]
    assert list(dump.statements_in(dump.Section(dump.ROWS, "t", b"\n--\n-- nothing\n--"))) == []


@given(st.lists(st.binary(max_size=60).filter(lambda value: b"\n" not in value), max_size=8))
def test_no_byte_of_a_value_is_lost_between_statements(values):
    statements = [b"INSERT INTO t VALUES ('" + value + b"')" for value in values]
    data = b"--\n-- Dumping data for table `t`\n--\n\n" + b"".join(each + b";\n" for each in statements)
    assert list(dump.statements_in(dump.Section(dump.ROWS, "t", data))) == statements
