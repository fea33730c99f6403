"""Taking a table's definition apart, and putting the parts together again."""

from __future__ import annotations

import re

import pytest

from ansible_collections.dbops.recovery.plugins.module_utils._archive.definition import add_keys, take_apart

# As MariaDB 10.11 words it in a dump.
PAYMENT = b"""
--
-- Table structure for table `pay``ment`
--

DROP TABLE IF EXISTS `pay``ment`;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `pay``ment` (
  `id` int(11) NOT NULL AUTO_INCREMENT,
  `code` varchar(40) NOT NULL DEFAULT 'a, b\\n) KEY',
  `place` point NOT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `by_code` (`code`),
  SPATIAL KEY `where` (`place`),
  KEY `by_both` (`code`(20),`id` DESC) USING BTREE COMMENT 'two, of (them)',
  KEY `counted` (`id`,`code`),
  FULLTEXT KEY `words` (`code`),
  CONSTRAINT `paid` FOREIGN KEY (`id`) REFERENCES `orders` (`id`) ON DELETE CASCADE,
  CONSTRAINT `far` FOREIGN KEY (`id`) REFERENCES `other`.`orders` (`id`),
  CONSTRAINT `positive` CHECK (`id` > 0)
) ENGINE=InnoDB AUTO_INCREMENT=4 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
/*!40101 SET character_set_client = @saved_cs_client */;
"""


def test_keys_and_foreign_keys_come_out_and_all_else_stays_as_it_was():
    taken = take_apart("pay`ment", PAYMENT, keys_later=True)

    assert taken.keys == [
        b"UNIQUE KEY `by_code` (`code`)",
        b"KEY `by_both` (`code`(20),`id` DESC) USING BTREE COMMENT 'two, of (them)'",
        b"KEY `counted` (`id`,`code`)",
    ]
    assert [(key.schema, key.table) for key in taken.foreign_keys] == [(None, "orders"), ("other", "orders")]
    gone = [b"  " + part + b",\n" for part in [*taken.keys, *(key.text for key in taken.foreign_keys)]]
    expected = PAYMENT
    for line in gone:
        assert line in expected
        expected = expected.replace(line, b"")
    assert taken.data == expected


KEYS = {
    "u": b"UNIQUE KEY `u` (`code`)",
    "hidden_u": b"UNIQUE KEY `hidden_u` (`code`) IGNORED",
    "u_too": b"UNIQUE KEY `u_too` (`id`,`code`)",
    "hash": b"UNIQUE KEY `hash` (`id`,`text`) USING HASH",
    "k": b"KEY `k` (`code`)",
    "counted": b"KEY `counted` (`id`)",
    "where": b"SPATIAL KEY `where` (`place`)",
    "hidden": b"KEY `hidden` (`code`) /*!80000 INVISIBLE */",
    "lower": b"KEY `lower` ((lower(`code`)))",
    "k_too": b"KEY `k_too` (`code`)",
    "words": b"FULLTEXT KEY `words` (`code`)",
}


@pytest.mark.parametrize(
    ("present", "later"),
    [
        ("u k k_too", "u k k_too"),
        # What is added later comes behind those of its sort that are there, so only what stands behind them may.
        ("u k hidden k_too", "u k_too"),
        ("u k lower k_too", "u k_too"),
        ("u k where k_too", "u k_too"),
        ("k k_too where", ""),
        ("u hidden_u u_too k", "u_too k"),
        ("u hash k", "k"),
        # The server puts full-text keys behind all others, whenever they come.
        ("u k words", "u k"),
        ("k counted k_too", "k counted k_too"),
    ],
)
def test_a_key_comes_later_only_where_that_leaves_the_order_as_it_is(present, later):
    text = PAYMENT.replace(b"  `place` point", b"  `text` mediumtext DEFAULT NULL,\n  `place` point")
    for name in ("by_code", "by_both", "counted", "words", "where"):
        text = re.sub(rb"  (?:\w+ )?KEY `" + name.encode() + rb"`[^\n]*\n", b"", text)
    keys = b"".join(b"  " + KEYS[name] + b",\n" for name in present.split())
    text = text.replace(b"  PRIMARY KEY (`id`),\n", b"  PRIMARY KEY (`id`),\n" + keys)

    assert take_apart("pay`ment", text, keys_later=True).keys == [KEYS[name] for name in later.split()]


def test_a_key_of_the_column_that_counts_by_itself_is_there_from_the_start_where_the_primary_key_is_none():
    text = b"CREATE TABLE `t` (\n  `id` int NOT NULL AUTO_INCREMENT,\n%s\n) ENGINE=InnoDB;\n"
    keys = b",\n".join(b"  " + KEYS[name] for name in ("k", "counted", "k_too"))

    assert take_apart("t", text % keys, keys_later=True).keys == [KEYS["k_too"]]
    assert len(take_apart("t", text % (b"  PRIMARY KEY (`id`),\n" + keys), keys_later=True).keys) == 3
    assert len(take_apart("t", text % (b"  PRIMARY KEY (`code`,`id`),\n" + keys), keys_later=True).keys) == 1


def test_the_last_line_of_a_definition_may_be_one_that_comes_out():
    taken = take_apart("t", b"CREATE TABLE `t` (\n  `a` int,\n  KEY `k` (`a`)\n) ENGINE=InnoDB;\n", keys_later=True)

    assert taken.data == b"CREATE TABLE `t` (\n  `a` int\n) ENGINE=InnoDB;\n"
    assert add_keys("t", taken.keys) == b"ALTER TABLE `t` ADD KEY `k` (`a`);\n"


def test_keys_stay_where_they_are_not_to_come_later():
    taken = take_apart("pay`ment", PAYMENT, keys_later=False)

    assert taken.keys == []
    assert len(taken.foreign_keys) == 2
    assert b"  UNIQUE KEY `by_code` (`code`),\n" in taken.data


@pytest.mark.parametrize(
    "change",
    [
        (b"  PRIMARY KEY", b"  NOVEL KEY"),
        (b"CREATE TABLE `pay``ment` (", b"CREATE TABLE `another` ("),
        (b"CREATE TABLE `pay``ment` (\n  `id`", b"CREATE TABLE `pay``ment` (  `id`"),
        (b"CHECK (`id` > 0)\n)", b"CHECK (`id` > 0))"),
    ],
)
def test_a_definition_that_is_not_understood_is_left_as_it_is(change):
    odd = PAYMENT.replace(*change)
    assert odd != PAYMENT

    taken = take_apart("pay`ment", odd, keys_later=True)

    assert (taken.understood, taken.data, taken.keys, taken.foreign_keys) == (False, odd, [], [])


def test_a_versioned_table_is_not_altered_since_the_server_refuses_that():
    odd = PAYMENT.replace(b"utf8mb4_general_ci;", b"utf8mb4_general_ci WITH SYSTEM VERSIONING;")

    taken = take_apart("pay`ment", odd, keys_later=True)

    assert (taken.understood, taken.data) == (False, odd)
    assert taken.needed_at_once == {"orders"}
    # Without foreign keys nothing in it has to wait for another table.
    free = re.sub(rb"  CONSTRAINT `(?:paid|far)`[^\n]*\n", b"", odd)
    assert take_apart("pay`ment", free, keys_later=True).understood is True
    assert take_apart("pay`ment", free, keys_later=True).data == free


def test_a_table_with_a_hash_for_a_key_that_need_not_be_one_is_not_altered_since_the_server_forgets_it_then():
    odd = PAYMENT.replace(b"UNIQUE KEY `by_code` (`code`)", b"UNIQUE KEY `by_code` (`code`) USING HASH")

    taken = take_apart("pay`ment", odd, keys_later=True)

    assert (taken.understood, taken.data, taken.keys) == (False, odd, [])


def test_what_was_taken_out_needs_no_other_table_at_once():
    assert take_apart("pay`ment", PAYMENT, keys_later=False).needed_at_once == set()


def test_other_engines_keep_their_keys_and_have_no_foreign_keys():
    text = b"CREATE TABLE `t` (\n  `a` int,\n  KEY `k` (`a`)\n) ENGINE=MyISAM;\n"

    taken = take_apart("t", text, keys_later=True)

    assert (taken.understood, taken.data, taken.keys) == (True, text, [])


def test_a_foreign_key_can_be_pointed_into_another_schema():
    (inner, outer) = take_apart("pay`ment", PAYMENT, keys_later=False).foreign_keys

    assert inner.pointing_into("li`ve") == (
        b"CONSTRAINT `paid` FOREIGN KEY (`id`) REFERENCES `li``ve`.`orders` (`id`) ON DELETE CASCADE"
    )
    assert outer.text == b"CONSTRAINT `far` FOREIGN KEY (`id`) REFERENCES `other`.`orders` (`id`)"


def test_keys_are_added_in_one_statement_and_none_in_no_statement():
    assert add_keys("a`b", [b"KEY `x` (`x`)", b"KEY `y` (`y`)"]) == (
        b"ALTER TABLE `a``b` ADD KEY `x` (`x`), ADD KEY `y` (`y`);\n"
    )
    assert add_keys("t", []) == b""
