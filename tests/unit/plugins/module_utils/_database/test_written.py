# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.dbops.recovery.plugins.module_utils._database.binlog import lines_of
from ansible_collections.dbops.recovery.plugins.module_utils._database.written import Written

EVENT = "#261125  9:44:45 server id 1  end_log_pos 1198 CRC32 0x1eb281f3 \t"
QUERY = EVENT + "Query\tthread_id=11\texec_time=0\terror_code=0\txid=0\n"
COMMIT = EVENT + "Xid = 25\nCOMMIT/*!*/;\n"
BEGIN = QUERY + "SET TIMESTAMP=1795632285/*!*/;\nBEGIN\n/*!*/;\n"


def statement(text: str) -> str:
    return f"# at 1078\n{QUERY}use `shop`/*!*/;\nSET TIMESTAMP=1795632285/*!*/;\n{text}\n/*!*/;\n"


def rows(*changes: str) -> str:
    words = "".join(f"### {change}\n### WHERE\n###   @1=1\n" for change in changes)
    return f"{EVENT}Write_rows: table id 18 flags: STMT_END_F\n\nBINLOG '\nnSwHaxMB\n'/*!*/;\n{words}"


def counted(text: str) -> Written:
    written = Written()
    assert b"".join(written.count(lines_of([text.encode()]))) == text.encode()
    return written


def test_a_transaction_counts_once_whatever_it_holds():
    written = counted(
        BEGIN
        + statement("INSERT INTO orders VALUES (1)")
        + statement("SAVEPOINT a")
        + rows("INSERT INTO `shop`.`orders`", "INSERT INTO `shop`.`orders`", "DELETE FROM `shop`.`a``b`")
        + statement("ROLLBACK TO a")
        + COMMIT
    )
    assert (written.transactions, written.statements, written.definitions) == (1, 1, 0)
    assert written.rows == {
        "orders": {"inserted": 2, "updated": 0, "deleted": 0},
        "a`b": {"inserted": 0, "updated": 0, "deleted": 1},
    }


def test_transactions_of_other_schemas_of_which_only_the_frame_is_printed_do_not_count():
    assert not counted(BEGIN + COMMIT + BEGIN + COMMIT)


def test_a_log_that_ends_within_a_transaction_has_it():
    assert counted(BEGIN + rows("UPDATE `shop`.`orders`")).transactions == 1


@pytest.mark.parametrize(
    ("text", "statements", "definitions"),
    [
        ("/* from the shop */ update orders set total = 0", 1, 0),
        ("\nREPLACE INTO orders VALUES (1)", 1, 0),
        ("SET STATEMENT max_statement_time=5 FOR INSERT INTO orders VALUES (1)", 1, 0),
        ("CREATE DEFINER=`root`@`localhost` TRIGGER t BEFORE INSERT ON orders\nFOR EACH ROW SET @a = 1", 0, 1),
        ("truncate orders", 0, 1),
        ("GRANT SELECT ON orders TO ann", 0, 0),
        # Lines of a text that look like lines of the log.
        ("INSERT INTO note VALUES ('\n# at 5\nx\n### DELETE FROM `shop`.`orders`\nDROP TABLE orders')", 1, 0),
    ],
)
def test_a_statement_counts_by_its_first_word(text, statements, definitions):
    written = counted(statement(text))
    assert (written.statements, written.definitions, written.rows) == (statements, definitions, {})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (statement("ALTER TABLE orders ADD a INT"), "0 transactions, and 1 change of definitions"),
        (
            statement("INSERT INTO a VALUES (1)") + statement("COMMIT") + rows("UPDATE `shop`.`orders`") + COMMIT,
            "2 transactions (1 statement, 1 row: orders 1)",
        ),
        (
            rows(*(f"DELETE FROM `shop`.`t{number}`" for number in range(7)), "DELETE FROM `shop`.`t3`"),
            "1 transaction (8 rows: t3 2, t6 1, t5 1, t4 1, t2 1 and 2 more tables)",
        ),
    ],
)
def test_the_count_is_said_in_words(text, words):
    assert counted(text).describe() == words


def test_lines_are_put_together_across_blocks():
    assert list(lines_of([b"one\ntw", b"o\n", b"\nrest"])) == [b"one\n", b"two\n", b"\n", b"rest"]
