# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An account that would not see all of a schema is refused, with the statements that help, and they do help."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError

# As docs and roles give it to the account for backups.
ENOUGH = {
    "SELECT": "SELECT ON {schema}.*",
    "SHOW VIEW": "SHOW VIEW ON {schema}.*",
    "TRIGGER": "TRIGGER ON {schema}.*",
    "EVENT": "EVENT ON {schema}.*",
    "SELECT on mysql.proc": "SELECT ON mysql.proc",
}
HIDES = {
    "SELECT": "every table and view that it was not granted one by one",
    "SHOW VIEW": "the definitions of views (big_orders)",
    "TRIGGER": "every trigger",
    "EVENT": "every event",
    "SELECT on mysql.proc": "every procedure and function of another definer",
}


@pytest.fixture
def account(server):
    """Return a function that makes an account with some rights, and returns its connection options."""
    made = []

    def make(*rights: str) -> dict:
        name = f"backup_{len(made)}"
        made.append(name)
        server.execute(f"CREATE USER {name}@localhost IDENTIFIED BY 'x'")
        server.execute(*(f"GRANT {right} TO {name}@localhost" for right in rights))
        return {"login_user": name, "login_password": "x"}

    yield make
    for name in made:
        server.execute(f"DROP USER IF EXISTS {name}@localhost")


def grants_in(message: str) -> list[str]:
    return re.findall(r"(GRANT .*?);", message)


@pytest.fixture
def refused(backup_here, folder):
    def refuse(database: str, **options) -> str:
        with pytest.raises(RecoveryError) as raised:
            backup_here(database, folder, **options)
        assert list(folder.iterdir()) == [], "nothing was to be written"
        return str(raised.value)

    return refuse


@pytest.mark.parametrize("missing", ENOUGH)
def test_a_missing_right_is_named_with_what_it_hides_and_the_grant_shown_is_enough(
    server, shop, account, refused, backup_here, folder, missing
):
    server.execute("CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY DO DELETE FROM orders WHERE id < 0", schema=shop)
    who = account(*(right.format(schema=shop) for name, right in ENOUGH.items() if name != missing))

    message = refused(shop, **who)

    assert f"- {missing}: {HIDES[missing]}. GRANT " in message
    assert len(grants_in(message)) == 1
    server.execute(*grants_in(message))
    taken = backup_here(shop, folder, **who)
    inventory = json.loads(Path(taken["manifest_path"]).read_text())["inventory"]
    assert {kind: list(names) for kind, names in inventory.items()} == {
        "table": ["customer", "orders"],
        "view": ["big_orders"],
        "trigger": ["orders_check"],
        "procedure": ["count_orders"],
        "event": ["nightly"],
    }


@pytest.mark.parametrize("name", [None, "back`tick and_more%"])
def test_an_account_with_no_more_than_one_table_is_given_all_it_needs(
    server, make_schema, shop_script, account, refused, backup_here, folder, name
):
    schema = make_schema(shop_script, name=name)
    quoted = schema.replace("`", "``")
    who = account(f"SELECT ON `{quoted}`.orders")

    message = refused(schema, **who)

    assert len(grants_in(message)) == 5
    server.execute(*grants_in(message))
    assert backup_here(schema, folder, **who)["database"] == schema


def test_rights_that_come_by_a_role_count(server, shop, account, refused, backup_here, folder):
    server.execute("CREATE ROLE keeper_of_backups")
    who = account("keeper_of_backups")
    server.execute(*(f"GRANT {right.format(schema=shop)} TO keeper_of_backups" for right in ENOUGH.values()))
    # Without the default role, the account acts without it.
    assert "is not there" in refused(shop, **who)

    server.execute(f"SET DEFAULT ROLE keeper_of_backups FOR {who['login_user']}@localhost")

    assert backup_here(shop, folder, **who)["database"] == shop
    server.execute("DROP ROLE keeper_of_backups")


def test_locking_needs_its_right_and_the_grant_shown_is_enough(
    server, make_schema, account, refused, backup_here, folder
):
    schema = make_schema("CREATE TABLE log (id INT) ENGINE=MyISAM; INSERT INTO log VALUES (1);")
    who = account(*(right.format(schema=schema) for right in ENOUGH.values()))

    message = refused(schema, non_transactional="lock", **who)

    assert "- LOCK TABLES: " in message
    server.execute(*grants_in(message))
    assert backup_here(schema, folder, non_transactional="lock", **who)["database"] == schema


def test_the_position_of_the_binary_log_is_left_out_where_the_account_may_not_read_it(
    start_server, make_schema, shop_script, backup_here, folder
):
    server = start_server("--log-bin", "--server-id=1")
    shop = make_schema(shop_script, on=server)
    server.execute(
        "CREATE USER simple@localhost",
        *(f"GRANT {right.format(schema=shop)} TO simple@localhost" for right in ENOUGH.values()),
    )
    options = {"login_unix_socket": server.socket, "login_user": "simple"}

    without = backup_here(shop, folder, **options)
    server.execute("GRANT BINLOG MONITOR ON *.* TO simple@localhost")
    # Nothing writes meanwhile: the server's own words must be those of the manifest.
    ((file, position, *_rest),) = server.query("SHOW MASTER STATUS")
    ((gtid,),) = server.query("SELECT @@gtid_binlog_pos")
    with_position = backup_here(shop, folder, **options)
    again = backup_here(shop, folder, **options)
    server.execute("INSERT INTO customer (name) VALUES ('later')", schema=shop)
    later = backup_here(shop, folder, **options)

    def binlog(backup: dict) -> dict:
        return json.loads(Path(backup["manifest_path"]).read_text())["binlog"]

    assert binlog(without) == {}
    assert binlog(with_position) == {"file": file, "position": position, "gtid": gtid}
    assert binlog(again) == binlog(with_position)
    assert binlog(later)["position"] > position
    server.stop()


def test_a_restore_whose_safety_backup_would_not_be_whole_is_refused_in_check_mode_too(
    server, shop, account, backup, run_module
):
    taken = backup(shop)
    rights = [right.format(schema=f"`{shop}`") for kind, right in ENOUGH.items() if kind != "EVENT"]
    to_restore = "ALTER, CREATE, DROP, INSERT, LOCK TABLES, CREATE VIEW, CREATE ROUTINE, ALTER ROUTINE"
    blind = account(f"{to_restore} ON `{shop}`.*", "SET USER ON *.*", *rights)

    messages = [
        run_module("db_restore", {"backup": taken["path"], **blind}, check=check, fails=True).message
        for check in (True, False)
    ]

    assert messages[0] == messages[1]
    assert "there would be no way back" in messages[0]
    assert "- EVENT: every event" in messages[0]


def test_a_locking_backup_holds_no_more_than_its_database_still_where_a_log_is_written(
    start_server, make_schema, run_module, folder
):
    # For the place in the log, without a transaction, the client would hold the whole server still, which takes RELOAD.
    logging = start_server("--log-bin=binlog", "--server-id=1")
    try:
        schema = make_schema("CREATE TABLE loose (id INT) ENGINE=MyISAM", name="logged", on=logging)
        logging.execute(
            "CREATE USER backup@localhost IDENTIFIED BY 'x'",
            f"GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES ON `{schema}`.* TO backup@localhost",
            "GRANT SELECT ON mysql.proc TO backup@localhost",
            "GRANT BINLOG MONITOR ON *.* TO backup@localhost",
        )
        account = {"login_unix_socket": logging.socket, "login_user": "backup", "login_password": "x"}
        options = {"database": schema, "directory": str(folder), "non_transactional": "lock", **account}
        assert run_module("db_backup", options)["backup"]["database"] == schema
    finally:
        logging.stop()
