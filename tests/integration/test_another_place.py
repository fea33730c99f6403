# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A backup in another database, or of another server: its accounts are not there, and its events must not fire."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

OWNED = """
CREATE DEFINER = owner@localhost VIEW customers AS SELECT id, name FROM customer;
CREATE DEFINER = owner@localhost PROCEDURE rename_all() UPDATE customer SET name = 'renamed';
CREATE DEFINER = owner@localhost FUNCTION one() RETURNS INT DETERMINISTIC RETURN 1;
CREATE DEFINER = owner@localhost EVENT nightly ON SCHEDULE EVERY 1 DAY DO DELETE FROM orders WHERE id < 0;
CREATE DEFINER = owner@localhost TRIGGER stamp BEFORE INSERT ON customer FOR EACH ROW SET NEW.name = UPPER(NEW.name);
CREATE EVENT asleep ON SCHEDULE EVERY 1 DAY DISABLE DO DELETE FROM orders WHERE id < 0;
"""


@pytest.fixture
def owned(server, shop, backup):
    """A backup of a shop some of whose objects belong to an account with rights in it alone."""
    server.execute("CREATE USER owner@localhost", f"GRANT ALL ON `{shop}`.* TO owner@localhost")
    server.load(shop, OWNED)
    yield backup(shop)
    server.execute("DROP USER IF EXISTS owner@localhost")


@pytest.fixture
def staging(make_schema) -> str:
    return make_schema()


def change(taken: dict, **entries) -> None:
    """Write other facts of the server into a backup's manifest."""
    path = Path(taken["manifest_path"])
    content = json.loads(path.read_text())
    content["server"].update(entries)
    path.chmod(0o600)
    path.write_text(json.dumps(content))


def owners(server, schema: str) -> set[str]:
    """Whose the objects are that were the owner's."""
    found = server.query(
        "SELECT definer FROM information_schema.views WHERE table_schema = %s AND table_name = 'customers'"
        " UNION SELECT definer FROM information_schema.routines WHERE routine_schema = %s"
        " AND routine_name IN ('rename_all', 'one')"
        " UNION SELECT definer FROM information_schema.events WHERE event_schema = %s AND event_name = 'nightly'"
        " UNION SELECT definer FROM information_schema.triggers WHERE trigger_schema = %s AND trigger_name = 'stamp'",
        (schema,) * 4,
    )
    return {definer for (definer,) in found}


def rights(server, schema: str) -> list[str]:
    """With whose rights the view, the procedure and the function run."""
    found = server.query(
        "SELECT security_type FROM information_schema.views WHERE table_schema = %s AND table_name = 'customers'"
        " UNION ALL SELECT security_type FROM information_schema.routines WHERE routine_schema = %s"
        " AND routine_name IN ('rename_all', 'one')",
        (schema,) * 2,
    )
    return [security for (security,) in found]


def events_of(server, schema: str) -> dict[str, str]:
    asked = "SELECT event_name, status FROM information_schema.events WHERE event_schema = %s"
    return dict(server.query(asked, (schema,)))


@pytest.mark.parametrize("strategy", ["swap", "in_place"])
def test_events_arrive_disabled_in_another_database_and_stay_as_they_are_at_home(
    server, shop, staging, owned, run_module, strategy
):
    options = {"backup": owned["path"], "safety_backup": False, "strategy": strategy}

    run_module("db_restore", {**options, "database": staging})
    assert events_of(server, staging) == {"nightly": "DISABLED", "asleep": "DISABLED"}
    run_module("db_restore", {**options, "database": staging, "events": "keep"})
    assert events_of(server, staging) == {"nightly": "ENABLED", "asleep": "DISABLED"}
    run_module("db_restore", options)
    assert events_of(server, shop) == {"nightly": "ENABLED", "asleep": "DISABLED"}
    # Another host's server.
    change(owned, hostname="production")
    run_module("db_restore", options)
    assert events_of(server, shop) == {"nightly": "DISABLED", "asleep": "DISABLED"}


@pytest.mark.parametrize("strategy", ["swap", "in_place"])
@pytest.mark.parametrize("there", [True, False], ids=["without rights", "gone"])
def test_what_belongs_to_an_account_without_rights_there_arrives_and_stays_its_own(
    server, owned, staging, run_module, strategy, there
):
    if not there:
        server.execute("DROP USER owner@localhost")

    done = run_module("db_restore", {"backup": owned["path"], "database": staging, "strategy": strategy})

    assert done["outcome"] == "restored"
    assert owners(server, staging) == {"owner@localhost"}
    assert rights(server, staging) == ["DEFINER"] * 3
    # Events fire in the place that they come from, not here.
    assert events_of(server, staging)["nightly"] == "DISABLED"
    # What cannot be used is named.
    said = str(done.result.get("warnings"))
    named = "event nightly, function one, procedure rename_all, trigger stamp, view customers. definer: account"
    assert ("There is no owner@localhost here" in said) == (not there)
    assert (named in said) == (not there)


@pytest.mark.parametrize("strategy", ["swap", "in_place"])
@pytest.mark.parametrize(("definer", "security"), [("account", "DEFINER"), ("invoker", "INVOKER")])
def test_definers_that_are_not_there_give_way_as_told(server, owned, staging, run_module, strategy, definer, security):
    server.execute("DROP USER owner@localhost")

    options = {"backup": owned["path"], "database": staging, "definer": definer, "events": "keep"}
    done = run_module("db_restore", {**options, "strategy": strategy})

    assert done["outcome"] == "restored"
    assert owners(server, staging) == {"root@localhost"}
    assert rights(server, staging) == [security] * 3
    said = str(done.result.get("warnings"))
    assert "There is no owner@localhost here" not in said
    server.execute("INSERT INTO customer (name) VALUES ('Grace')", "CALL rename_all()", schema=staging)
    assert server.query("SELECT DISTINCT name FROM customers", schema=staging) == [("renamed",)]
    assert events_of(server, staging)["nightly"] == "ENABLED"


def test_an_account_that_cannot_see_which_owners_there_are_is_told_the_grant(server, owned, staging, run_module):
    server.execute("DROP USER owner@localhost")
    account = {"login_user": "keeper_of_staging", "login_password": "x"}
    name = "keeper_of_staging@localhost"
    server.execute(
        f"CREATE USER {name} IDENTIFIED BY 'x'",
        f"GRANT ALL ON `{staging}`.* TO {name}",
        f"GRANT SELECT ON mysql.proc TO {name}",
        f"GRANT SET USER ON *.* TO {name}",
    )
    try:
        options = {"backup": owned["path"], "database": staging, "definer": "account", **account}
        refused = run_module("db_restore", options, fails=True)
        assert "Nothing was touched" in refused.message
        server.execute(re.search(r"GRANT .*? TO '[^']+'@'[^']+'", refused.message).group())
        assert run_module("db_restore", options)["outcome"] == "restored"
        assert owners(server, staging) == {name}
    finally:
        server.execute(f"DROP USER {name}")


def test_what_names_the_old_database_is_reported(server, shop, make_schema, backup, run_module):
    server.execute(
        f"CREATE PROCEDURE named() SELECT COUNT(*) FROM {shop}.customer",
        f"CREATE PROCEDURE not_named() SELECT '{shop} is the place' FROM customer",
        schema=shop,
    )
    copy = make_schema()

    done = run_module("db_restore", {"backup": backup(shop)["path"], "database": copy})

    (said,) = [warning for warning in map(str, done["warnings"]) if "name the database" in warning]
    assert f"These name the database {shop} that they come from, and go on using it from {copy}: " in said
    assert "procedure named." in said


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize(
    ("facts", "accept", "words"),
    [
        ({"version": "99.1.0-MariaDB"}, "newer_server", "An older server does not know all types"),
        ({"flavour": "mysql", "version": "9.7.0"}, "other_flavour", "do not go over from one to the other"),
    ],
)
def test_a_backup_of_another_kind_of_server_is_refused_unless_told(
    server, shop, backup, run_module, facts, accept, words, check
):
    taken, before = backup(shop), server.dump(shop)
    change(taken, **facts)
    options = {"backup": taken["path"], "safety_backup": False}

    refused = run_module("db_restore", options, check=check, fails=True)

    assert words in refused.message
    assert f"accept: [{accept}]" in refused.message
    assert server.dump(shop) == before
    done = run_module("db_restore", {**options, "accept": [accept]}, check=check)
    assert done["strategy"] == "swap"
    assert server.dump(shop) == before


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"events": "disable"}, "event nightly would stay as it is"),
        ({"definer": "account"}, "what belongs to owner@localhost would stay its own"),
        ({"definer": "invoker"}, "what belongs to owner@localhost would stay its own"),
    ],
)
def test_what_cannot_be_changed_in_a_dump_without_comments_is_refused(
    server, shop, owned, staging, run_module, tmp_path, options, words
):
    paths = {}
    for comments in ("--comments", "--skip-comments"):
        paths[comments] = tmp_path / f"by-hand{comments}.sql"
        paths[comments].write_bytes(server.dump(shop, comments))
    server.execute("DROP USER owner@localhost", "CREATE TABLE untouched (id INT)", schema=staging)
    before = server.dump(staging)
    order = {"database": staging, "safety_backup": False, **options}

    refused = run_module("db_restore", {"backup": str(paths["--skip-comments"]), **order}, fails=True)

    assert words in refused.message
    assert "Nothing was touched" in refused.message
    assert server.dump(staging) == before
    # Where they are announced, or as they are, they arrive.
    run_module("db_restore", {"backup": str(paths["--comments"]), **order})
    changed = events_of(server, staging)["nightly"], owners(server, staging)
    assert changed in [("DISABLED", {"owner@localhost"}), ("ENABLED", {"root@localhost"})]
    as_they_are = {**order, "events": "keep", "definer": "keep"}
    run_module("db_restore", {"backup": str(paths["--skip-comments"]), **as_they_are})
    assert owners(server, staging) == {"owner@localhost"}


@pytest.mark.parametrize(
    ("version", "flavour", "accept"),
    [("8.0.36", "mysql", "other_flavour"), ("99.1.0-MariaDB", "mariadb", "newer_server")],
)
def test_a_dump_made_by_hand_of_another_kind_of_server_is_refused_unless_told(
    server, shop, run_module, tmp_path, version, flavour, accept
):
    before = server.dump(shop)
    path = tmp_path / "by-hand.sql"
    path.write_bytes(re.sub(rb"(?m)^(-- Server version\t).*$", rb"\g<1>" + version.encode(), before))
    order = {"backup": str(path), "database": shop, "safety_backup": False}

    refused = run_module("db_restore", order, fails=True)

    assert f"by-hand comes from {flavour} {version}; the server here is" in refused.message
    assert f"accept: [{accept}]" in refused.message
    assert server.dump(shop) == before
    assert run_module("db_restore", {**order, "accept": [accept]})["outcome"] == "restored"
