"""Reading SHOW GRANTS, and what an account that backs up a schema lacks."""

from __future__ import annotations

import pytest

from ansible_collections.dbops.recovery.plugins.module_utils._database.privileges import (
    has,
    lacks_for_dump,
    missing_to_load,
    parse_grants,
)
from ansible_collections.dbops.recovery.plugins.module_utils._database.server import Server

ENOUGH = "GRANT SELECT, SHOW VIEW, EVENT, TRIGGER ON `shop`.* TO `backup`@`localhost`"
MARIADB = Server("mariadb", "10.11.19-MariaDB", "/var/lib/mysql/", 0)
NEWER_MARIADB = Server("mariadb", "11.8.6-MariaDB", "/var/lib/mysql/", 0)
MYSQL = Server("mysql", "9.7.4", "/var/lib/mysql/", 0)


def lacking(lines, server=MARIADB, views=()):
    return [lack.privilege for lack in lacks_for_dump(parse_grants(lines), server, "shop", list(views))]


@pytest.mark.parametrize("server", [MARIADB, NEWER_MARIADB, MYSQL])
def test_an_administrator_lacks_nothing(server):
    assert lacking(["GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost` WITH GRANT OPTION"], server) == []


@pytest.mark.parametrize(
    ("line", "lack"),
    [
        ("GRANT SHOW VIEW, EVENT, TRIGGER, EXECUTE ON `shop`.* TO `b`@`%`", "SELECT"),
        ("GRANT SELECT, EVENT, TRIGGER, EXECUTE ON `shop`.* TO `b`@`%`", "SHOW VIEW"),
        ("GRANT SELECT, SHOW VIEW, EVENT, EXECUTE ON `shop`.* TO `b`@`%`", "TRIGGER"),
        ("GRANT SELECT, SHOW VIEW, TRIGGER, EXECUTE ON `shop`.* TO `b`@`%`", "EVENT"),
    ],
)
def test_each_right_that_is_missing_is_named_alone(line, lack):
    assert lacking([line]) == [lack]


@pytest.mark.parametrize(
    ("server", "lack", "cure"),
    [
        (MARIADB, "SELECT on mysql.proc", "GRANT SELECT ON `mysql`.`proc` TO `b`@`%`"),
        (NEWER_MARIADB, "SHOW CREATE ROUTINE", "GRANT SHOW CREATE ROUTINE ON `shop`.* TO `b`@`%`"),
        (MYSQL, "SHOW_ROUTINE", "GRANT SHOW_ROUTINE ON *.* TO `b`@`%`"),
    ],
)
def test_routines_need_what_their_server_calls_it(server, lack, cure):
    assert lacking([ENOUGH], server) == [lack]
    assert lacking([ENOUGH, cure], server) == []


def test_tables_granted_one_by_one_are_not_the_schema():
    lines = [
        "GRANT SELECT, SHOW VIEW ON `shop`.`orders` TO `b`@`%`",
        "GRANT EVENT, TRIGGER, EXECUTE ON `shop`.* TO `b`@`%`",
    ]
    assert lacking(lines) == ["SELECT", "SHOW VIEW"]


def test_columns_granted_are_not_the_table():
    assert not has(parse_grants(["GRANT SELECT (`id`, `name`) ON `shop`.* TO `b`@`%`"]), "SELECT", "shop")
    both = parse_grants(["GRANT SELECT (`id`), INSERT, TRIGGER ON `shop`.* TO `b`@`%`"])
    assert [has(both, right, "shop") for right in ("SELECT", "INSERT", "TRIGGER")] == [False, True, True]


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("shop", True),
        ("sho%", True),
        ("s_op", True),
        ("%", True),
        ("sh\\_p", False),
        ("shop_", False),
        ("shopx", False),
    ],
)
def test_a_schema_pattern_matches_as_the_server_does_it(pattern, matches):
    assert has(parse_grants([f"GRANT SELECT ON `{pattern}`.* TO `b`@`%`"]), "SELECT", "shop") is matches


def test_what_was_revoked_in_part_is_not_held():
    lines = ["GRANT SELECT ON *.* TO `b`@`%`", "REVOKE SELECT ON `shop`.* FROM `b`@`%`"]
    assert not has(parse_grants(lines), "SELECT", "shop")
    assert has(parse_grants(lines), "SELECT", "wiki")


def test_lines_that_grant_no_privilege_on_data_are_passed_over():
    assert (
        parse_grants(["GRANT `role` TO `b`@`%`", "SET DEFAULT ROLE `role` FOR `b`@`%`", "GRANT PROXY ON ''@'' TO 'r'"])
        == []
    )


def test_views_that_would_lose_their_definition_are_named():
    (lack,) = lacks_for_dump(
        parse_grants(["GRANT SELECT, EVENT, TRIGGER, EXECUTE ON `shop`.* TO `b`@`%`"]), MARIADB, "shop", ["totals"]
    )
    assert "totals" in lack.hides
    assert lack.grant == "GRANT SHOW VIEW ON `shop`.*"


def test_what_a_restore_needs_depends_on_what_there_is_to_load():
    reader = parse_grants([ENOUGH])
    assert missing_to_load(reader, "shop", ["table"]) == ["INSERT", "CREATE", "ALTER", "DROP", "LOCK TABLES"]
    writer = parse_grants(["GRANT SELECT, INSERT, CREATE, ALTER, DROP, LOCK TABLES ON `shop`.* TO `b`@`%`"])
    assert missing_to_load(writer, "shop", ["table", "sequence"]) == []
    assert missing_to_load(writer, "shop", ["view", "trigger"]) == ["TRIGGER", "CREATE VIEW", "SHOW VIEW"]
    assert missing_to_load(writer, "shop", ["function", "procedure", "package_body"]) == [
        "CREATE ROUTINE",
        "ALTER ROUTINE",
    ]
    assert missing_to_load(parse_grants(["GRANT ALL PRIVILEGES ON `shop`.* TO `b`@`%`"]), "shop", ["event"]) == []
