"""Comparing what a schema holds with what it should hold."""

from __future__ import annotations

from ansible_collections.dbops.recovery.plugins.module_utils._database.inventory import (
    compare,
    compare_names,
    objects_of,
    without,
    without_implied_charset,
)

INVENTORY = {"table": {"orders": "1", "lines": "2"}, "view": {"totals": "3"}, "package_body": {"billing": "4"}}


def test_equal_inventories_have_no_difference():
    assert not compare(INVENTORY, {kind: dict(names) for kind, names in INVENTORY.items()})
    assert not compare({}, {"table": {}})


def test_a_difference_names_each_object_by_type_and_name():
    found = {"table": {"orders": "other", "extra": "5"}, "package_body": {"billing": "4"}}
    difference = compare(INVENTORY, found)
    assert difference.missing == ["table lines", "view totals"]
    assert difference.unexpected == ["table extra"]
    assert difference.changed == ["table orders"]
    assert difference.describe() == "missing: table lines, view totals; unexpected: table extra; changed: table orders"


def test_a_table_and_a_view_of_one_name_are_two_things():
    assert compare({"table": {"x": "1"}}, {"view": {"x": "1"}}).missing == ["table x"]


def test_names_alone_are_compared_with_those_of_a_dump():
    found = {("table", "orders"), ("table", "lines"), ("view", "other"), ("package_body", "billing")}
    difference = compare_names(objects_of(INVENTORY), found)
    assert (difference.missing, difference.unexpected) == (["view totals"], ["view other"])


def test_a_long_difference_is_cut_with_its_count():
    many = {"table": {f"t{number:02}": "1" for number in range(25)}}
    assert compare(many, {}).describe().endswith("table t19 and 5 more")


def test_tables_left_out_take_their_triggers_with_them():
    inventory = {"table": {"a": "1", "b": "2"}, "trigger": {"on_a": "3", "on_b": "4"}}
    assert objects_of(without(inventory, table={"a"}, trigger={"on_a"})) == [("table", "b"), ("trigger", "on_b")]


def test_a_character_set_that_the_collation_implies_is_no_difference():
    before = "`w` varchar(4) COLLATE utf8mb4_unicode_ci, `x` varchar(4) CHARACTER SET latin1 COLLATE latin1_bin"
    after = "`w` varchar(4) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci, `x` varchar(4) COLLATE latin1_bin"
    assert without_implied_charset(after) == without_implied_charset(before)
    assert without_implied_charset("`w` varchar(4) CHARACTER SET latin1") == "`w` varchar(4) CHARACTER SET latin1"
    assert without_implied_charset("CHARACTER SET utf8 COLLATE utf8mb4_bin") == "CHARACTER SET utf8 COLLATE utf8mb4_bin"
