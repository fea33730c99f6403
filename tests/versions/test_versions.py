# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Backup, proof and restore on every version of the server, by its own programs and its own Python."""

from __future__ import annotations

import contextlib
import json
import re
from pathlib import Path

import pytest
from handmade import before_table, plain_text, rewrite
from place import ADDRESS, ROOT, VERSIONS, Place, end_module

HERE = Path(__file__).parent
DEMANDING = {
    "mariadb": ROOT / "tests" / "integration" / "demanding_schema.sql",
    "mysql": HERE / "mysql_schema.sql",
}
SHOP = """
CREATE TABLE customer (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(80) NOT NULL);
CREATE TABLE orders (id INT PRIMARY KEY AUTO_INCREMENT, customer_id INT NOT NULL, total DECIMAL(10,2),
  FOREIGN KEY (customer_id) REFERENCES customer (id));
CREATE VIEW big_orders AS SELECT * FROM orders WHERE total > 100;
INSERT INTO customer (name) VALUES ('Ada'), ('Grace'), ('Radia');
INSERT INTO orders (customer_id, total) VALUES (1, 10.00), (2, 250.50), (3, 99.99);
DELIMITER ;;
CREATE TRIGGER orders_check BEFORE INSERT ON orders FOR EACH ROW BEGIN
  IF NEW.total < 0 THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'negative'; END IF;
END;;
CREATE PROCEDURE count_orders(OUT n INT) BEGIN SELECT COUNT(*) INTO n FROM orders; END;;
CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY DO DELETE FROM orders WHERE id < 0;;
DELIMITER ;
"""
# Everything that option files, shells and drivers trip over.
PASSWORD = "p#a\"s's\\w o%rdü"


@pytest.fixture
def shop(place: Place) -> str:
    return place.make_schema(SHOP)


@pytest.fixture
def demanding(place: Place) -> str:
    """A schema with all that this version can hold."""
    schema = place.make_schema(DEMANDING[place.version.flavour].read_text())
    place.execute(
        "CREATE TABLE short_utf8 (word VARCHAR(40)) CHARACTER SET utf8 COLLATE utf8_czech_ci",
        "CREATE TABLE collated (a VARCHAR(40), b VARCHAR(40) COLLATE utf8mb4_bin) COLLATE utf8mb4_unicode_ci",
        "INSERT INTO short_utf8 VALUES ('čaj')",
        schema=schema,
    )
    if place.version.flavour == "mariadb" and place.version_tuple < (10, 11):
        # Their history cannot be dumped by this version's client: a test of its own.
        place.execute("DROP TABLE prices", schema=schema)
    if place.version.flavour == "mariadb" and place.version_tuple >= (11, 8):
        place.execute(
            "CREATE TABLE newer (id UUID PRIMARY KEY, word VARCHAR(40) COLLATE uca1400_swedish_ai_ci,"
            " place VECTOR(3) NOT NULL, address INET6, VECTOR INDEX (place))",
            "INSERT INTO newer VALUES ('123e4567-e89b-12d3-a456-426655440000', 'ä', VEC_FromText('[1,2,3]'), '::1')",
            schema=schema,
        )
    return schema


def wreck(place: Place, schema: str) -> None:
    """Do what a failed migration and a bad day do."""
    place.execute(
        "SET foreign_key_checks = 0",
        "DROP TABLE every_byte, `Case`",
        "DROP VIEW `a view, last`",
        "DROP PROCEDURE `look alike`",
        "DROP EVENT nightly",
        "DROP TRIGGER customer_before",
        "UPDATE customer SET favourite = NULL",
        "ALTER TABLE `order` ADD COLUMN half_made INT",
        "DELETE FROM moments",
        "CREATE TABLE `case 2` (id INT)",
        schema=schema,
    )


def back_up(place: Place, schema: str, folder: Path, **options) -> dict:
    return place.module("db_backup", {"database": schema, "directory": str(folder), **options})["backup"]


def settled(dump: bytes) -> bytes:
    """A dump in the words that MySQL has for a table with a collation once it was restored, before and after."""
    return re.sub(rb"CHARACTER SET (\w+) (?=COLLATE \1_)", b"", dump)


def make_swappable(place: Place, schema: str) -> None:
    """Take away the default that names the schema: a rename does not change it, so a swap is refused."""
    if place.version.flavour == "mariadb":
        place.execute("ALTER TABLE numbered ALTER COLUMN id DROP DEFAULT", schema=schema)


def schemas_beside(place: Place, schema: str) -> list[str]:
    """What a restore keeps, or has left behind, of a schema."""
    return [name for (name,) in place.query("SHOW DATABASES") if name.startswith(f"{schema}__")]


def manifest(backup: dict) -> dict:
    return json.loads(Path(backup["manifest_path"]).read_text())


@pytest.mark.parametrize("strategy", ["swap", "in_place"])
def test_a_demanding_schema_is_proved_and_comes_back_byte_for_byte(place, demanding, folder, strategy):
    if strategy == "swap":
        make_swappable(place, demanding)
    before = settled(place.dump(demanding))

    taken = back_up(place, demanding, folder, non_transactional="lock")
    verified = place.module("backup_verify", {"backup": taken["path"], "level": "restore"})
    wreck(place, demanding)
    assert settled(place.dump(demanding)) != before
    restored = place.module("db_restore", {"backup": taken["path"], "strategy": strategy})

    checks = {check["name"]: check for check in verified["checks"]}
    assert [check for check in verified["checks"] if not check["passed"]] == []
    assert {"scratch_server", "load", "inventory", "rows", "dump_back", "check_table"} <= checks.keys()
    assert restored["outcome"] == "restored"
    assert restored["strategy"] == strategy
    assert restored["removed_objects"] == ["table case 2"]
    assert settled(place.dump(demanding)) == before


def test_keys_are_in_their_order_again_where_some_are_built_after_the_rows(place, folder):
    unique = "UNIQUE KEY one (id, a), UNIQUE KEY odd_one {}, UNIQUE KEY two (id, b)"
    others = "KEY by_a (a), KEY odd {}, KEY by_b (b), KEY counted (id, a), {} KEY words (words)"
    keys = {
        "MariaDB 10.5": ("(c, words)", "(b, a), SPATIAL KEY by_place (place)", "UNIQUE"),
        "MariaDB 11.8": ("(id, c) IGNORED", "(b, a) IGNORED, SPATIAL KEY by_place (place)", "UNIQUE"),
        "MySQL 9": ("((a + b))", "(b, a) INVISIBLE, KEY computed ((a * 2))", "FULLTEXT"),
    }[place.version.label]
    columns = "id INT AUTO_INCREMENT PRIMARY KEY, a INT, b INT, c CHAR(250), words TEXT, place POINT NOT NULL"
    numbers = "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 900)"
    schema = place.make_schema(
        f"CREATE TABLE t ({columns}, {f'{unique}, {others}'.format(*keys)});"
        f"INSERT INTO t {numbers} SELECT n, n, n, REPEAT('x', 250), CONCAT(n, REPEAT('y', 99)), POINT(1, n)"
        " FROM numbers;"
    )
    before = settled(place.dump(schema))
    taken = back_up(place, schema, folder)
    place.execute("DELETE FROM t", schema=schema)

    place.module("db_restore", {"backup": taken["path"], "strategy": "swap"})

    assert settled(place.dump(schema)) == before


@pytest.mark.parametrize("strategy", ["swap", "in_place"])
def test_an_event_whose_time_has_passed_is_proved_and_no_obstacle(place, shop, folder, strategy):
    due = "ON SCHEDULE AT '2020-01-01 00:00:00' ON COMPLETION"
    place.execute(
        "SET TIMESTAMP = 1",
        f"CREATE EVENT once {due} NOT PRESERVE DO DELETE FROM orders",
        f"CREATE EVENT kept {due} PRESERVE DO DELETE FROM orders",
        schema=shop,
    )
    taken = back_up(place, shop, folder)
    verified = place.module("backup_verify", {"backup": taken["path"], "level": "restore"})
    assert [check for check in verified["checks"] if not check["passed"]] == []
    place.execute("DROP EVENT once", "DROP EVENT kept", "DROP EVENT nightly", schema=shop)

    done = place.module("db_restore", {"backup": taken["path"], "strategy": strategy})

    assert "event kept, event once." in str(done["warnings"])
    statuses = dict(
        place.query("SELECT event_name, status FROM information_schema.events WHERE event_schema = %s", (shop,))
    )
    assert statuses == {"nightly": "ENABLED", "kept": "DISABLED"}


def test_the_rows_are_counted_for_every_table(place, demanding, folder):
    content = manifest(back_up(place, demanding, folder, non_transactional="lock"))

    # Other clients write the rows of a statement on one line, where they cannot be told apart.
    one_a_line = place.version.label == "MariaDB 11.8"
    assert content["rows"]["counted"] == ("in the dump" if one_a_line else "on the server after the dump")
    assert set(content["rows"]["tables"]) == set(content["inventory"]["table"])
    assert content["rows"]["tables"]["customer"] == 4
    assert content["rows"]["tables"]["no_key"] == 3
    assert content["rows"]["tables"]["no_rows"] == 0


def test_the_place_in_the_binary_log_is_noted(place, shop, folder):
    content = manifest(back_up(place, shop, folder))

    if place.version.flavour == "mysql":
        ((file, position, _do, _ignore, gtid),) = place.query("SHOW BINARY LOG STATUS")
    else:
        ((file, position, _do, _ignore),) = place.query("SHOW MASTER STATUS")
        ((gtid,),) = place.query("SELECT @@gtid_binlog_pos")
    assert content["binlog"] == {"file": file, "position": position, "gtid": gtid.replace("\n", "")}


def test_what_was_written_since_the_backup_is_counted_and_can_be_brought_back(place, shop, folder):
    before = settled(place.dump(shop))
    taken = back_up(place, shop, folder)
    place.execute("INSERT INTO customer (name) VALUES (UUID())", "DELETE FROM orders WHERE id = 2", schema=shop)
    after = settled(place.dump(shop))

    lost = place.module("db_restore", {"backup": taken["path"]})["lost_writes"]

    assert settled(place.dump(shop)) == before
    if place.version.label == "MariaDB 10.5":
        # Debian 11 has the program with the server.
        assert (lost["known"], "no mariadb-binlog of that flavour is on this host" in lost["reason"]) == (False, True)
        return
    assert lost["known"], lost["reason"]
    assert lost["transactions"] == 2
    assert lost["rows"]["customer"] == {"inserted": 1, "updated": 0, "deleted": 0}
    # MariaDB logs a statement where it is safe.
    assert lost["statements"] == (0 if place.version.flavour == "mysql" else 1)
    assert lost["complete"] == (place.version.flavour == "mysql")
    place.replay(shop, lost["path"])
    assert settled(place.dump(shop)) == after


@pytest.fixture
def account(place: Place):
    """An account with a password and no rights yet."""
    quoted = PASSWORD.replace("\\", "\\\\").replace("'", "''")
    place.execute(f"CREATE USER backup@localhost IDENTIFIED BY '{quoted}'")
    yield {"login_user": "backup", "login_password": PASSWORD}
    place.execute("DROP USER backup@localhost")


def test_missing_rights_are_named_and_the_cure_is_enough(place, shop, folder, account):
    place.execute(f"GRANT SELECT ON {shop}.orders TO backup@localhost")
    refused = place.module("db_backup", {"database": shop, "directory": str(folder), **account}, fails=True)["msg"]

    right, cure = {
        "MariaDB 10.5": ("SELECT on mysql.proc", "GRANT SELECT ON `mysql`.`proc`"),
        "MariaDB 11.8": ("SHOW CREATE ROUTINE", f"GRANT SHOW CREATE ROUTINE ON `{shop}`.*"),
        "MySQL 9": ("SHOW_ROUTINE", "GRANT SHOW_ROUTINE ON *.*"),
    }[place.version.label]
    for named in ("SELECT", "SHOW VIEW", "TRIGGER", "EVENT", right):
        assert f"- {named}: " in refused
    assert cure in refused
    assert list(folder.iterdir()) == []

    place.execute(*re.findall(r"GRANT .*?(?=;)", refused))
    taken = back_up(place, shop, folder, **account)
    assert {kind: set(names) for kind, names in manifest(taken)["inventory"].items()} == {
        "table": {"customer", "orders"},
        "view": {"big_orders"},
        "trigger": {"orders_check"},
        "procedure": {"count_orders"},
        "event": {"nightly"},
    }


def test_a_routine_whose_body_is_hidden_is_not_left_out_in_silence(place, shop, folder, account):
    # Who may run it sees its name, and no more.
    place.execute(f"GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, EXECUTE ON {shop}.* TO backup@localhost")
    refused = place.module("db_backup", {"database": shop, "directory": str(folder), **account}, fails=True)["msg"]
    assert "procedure count_orders is hidden" in refused
    assert list(folder.iterdir()) == []


def test_rights_that_come_by_a_role_count(place, shop, folder, account):
    place.execute(
        "CREATE ROLE keeper",
        "GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON *.* TO keeper",
        "GRANT keeper TO backup@localhost",
        "SET DEFAULT ROLE keeper FOR backup@localhost"
        if place.version.flavour == "mariadb"
        else "SET DEFAULT ROLE keeper TO backup@localhost",
    )
    try:
        back_up(place, shop, folder, **account)
    finally:
        place.execute("DROP ROLE keeper")


@pytest.mark.parametrize("password", [PASSWORD, ""], ids=["password", "no password"])
def test_a_backup_and_a_restore_go_over_tcp(place, shop, folder, password):
    quoted = password.replace("\\", "\\\\").replace("'", "''")
    place.execute(f"CREATE USER far@'%' IDENTIFIED BY '{quoted}'", "GRANT ALL ON *.* TO far@'%'")
    far = {"login_unix_socket": None, "login_host": ADDRESS, "login_port": place.port}
    far.update(login_user="far", login_password=password)
    before = place.dump(shop)
    try:
        taken = back_up(place, shop, folder, **far)
        place.execute("DELETE FROM orders", schema=shop)
        place.module("db_restore", {"backup": taken["path"], **far})
    finally:
        place.execute("DROP USER far@'%'")
    assert place.dump(shop) == before


def command_lines() -> set[str]:
    lines = set()
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            with contextlib.suppress(OSError):
                for kind in ("cmdline", "environ"):
                    lines.add((process / kind).read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    return lines


def test_a_password_stands_on_no_command_line(place, shop, folder, account):
    place.execute("GRANT ALL ON *.* TO backup@localhost")
    place.execute("CREATE TABLE many (a INT)", f"INSERT INTO many VALUES {', '.join(['(1)'] * 9999)}", schema=shop)
    seen: set[str] = set()

    for module, options in (
        ("db_backup", {"database": shop, "directory": str(folder)}),
        ("db_restore", {"backup": "latest", "database": shop, "directory": str(folder)}),
    ):
        process = place.start_module(module, {**options, **account})
        while process.poll() is None:
            seen |= command_lines()
        result = end_module(process)
        assert PASSWORD not in json.dumps(result, ensure_ascii=False)

    for program in ("mysqldump", "mysql") if place.version.flavour == "mysql" else ("mariadb-dump", "mariadb"):
        assert any(f"/{program} --defaults-file=/proc/self/fd/" in line for line in seen)
    assert not [line for line in seen if PASSWORD in line]


@pytest.mark.parametrize("strategy", ["swap", "in_place"])
def test_a_bad_section_takes_the_database_back_to_where_it_was(place, shop, folder, strategy):
    taken = back_up(place, shop, folder)
    rewrite(taken, before_table("orders", "INSERT INTO nowhere VALUES (1)"))
    place.execute(
        "UPDATE customer SET name = 'changed since'",
        "CREATE TABLE made_since (id INT)",
        "DROP PROCEDURE count_orders",
        schema=shop,
    )
    spoilt = place.dump(shop)

    failed = place.module("db_restore", {"backup": taken["path"], "strategy": strategy}, fails=True)

    assert failed["outcome"] == "reverted"
    where = rf"{shop}__restore_\w+" if strategy == "swap" else shop
    assert re.search(rf"Table '{where}\.nowhere' doesn't exist", failed["msg"])
    assert place.dump(shop) == spoilt
    assert schemas_beside(place, shop) == []


def test_a_swap_keeps_what_was_there_and_undo_brings_it_back(place, demanding, folder):
    make_swappable(place, demanding)
    taken = back_up(place, demanding, folder, non_transactional="lock")
    before = settled(place.dump(demanding))
    wreck(place, demanding)
    wrecked = settled(place.dump(demanding))

    kept = place.module("db_restore", {"backup": taken["path"], "strategy": "swap", "keep_previous": "1h"})
    assert settled(place.dump(demanding)) == before
    assert schemas_beside(place, demanding) == [kept["previous"]["schema"]]

    undone = place.module("db_restore", {"database": demanding, "undo": True})
    assert undone["outcome"] == "restored"
    assert settled(place.dump(demanding)) == wrecked
    place.module("db_restore", {"database": demanding, "drop_previous": True})
    assert schemas_beside(place, demanding) == []


@pytest.mark.parametrize("strategy", ["swap", "in_place"])
def test_a_restore_that_is_killed_is_put_right_by_the_next(place, shop, folder, strategy):
    taken = back_up(place, shop, folder)
    place.execute("CREATE TABLE many (a INT PRIMARY KEY)", "DELETE FROM orders", "DROP EVENT nightly", schema=shop)
    options = {"backup": taken["path"], "database": shop, "strategy": strategy, "safety_backup": False}
    before = dict(place.query("SHOW GLOBAL STATUS LIKE 'Com_create_table'"))
    process = place.start_module("db_restore", options)
    # In the middle of the work, wherever that is on this machine.
    while dict(place.query("SHOW GLOBAL STATUS LIKE 'Com_create_table'")) == before and process.poll() is None:
        pass
    process.kill()
    with process:
        process.wait()

    assert place.module("db_restore", options)["outcome"] == "restored"
    assert place.query(f"SELECT COUNT(*) FROM {shop}.orders") == [(3,)]
    assert schemas_beside(place, shop) == []


def test_a_restore_that_the_binary_log_forbids_is_refused_beforehand(place, shop, folder, account):
    # Else the restore would fail at the first trigger, and the way back as well.
    taken = back_up(place, shop, folder)
    before = place.dump(shop)
    right = "SET USER" if place.version.flavour == "mariadb" else "SET_ANY_DEFINER, SYSTEM_USER"
    place.execute(f"GRANT ALL ON {shop}.* TO backup@localhost", f"GRANT SELECT, {right} ON *.* TO backup@localhost")
    refused = place.module("db_restore", {"backup": taken["path"], **account}, fails=True)

    assert "could not bring back trigger orders_check" in refused["msg"]
    assert "outcome" not in refused
    assert place.dump(shop) == before

    place.execute("SET GLOBAL log_bin_trust_function_creators = ON")
    try:
        place.module("db_restore", {"backup": taken["path"], "safety_backup": False, **account})
    finally:
        place.execute("SET GLOBAL log_bin_trust_function_creators = OFF")
    assert place.dump(shop) == before


@pytest.mark.parametrize("strategy", ["swap", "in_place"])
def test_what_is_restored_goes_into_the_binary_log(place, shop, folder, strategy):
    taken = back_up(place, shop, folder)
    # What is as the backup has it stays where it is.
    place.execute("DROP PROCEDURE count_orders", "DROP TRIGGER orders_check", "DROP EVENT nightly", schema=shop)
    status = "SHOW BINARY LOG STATUS" if place.version.flavour == "mysql" else "SHOW MASTER STATUS"
    file, position = place.query(status)[0][:2]

    place.module("db_restore", {"backup": taken["path"], "safety_backup": False, "strategy": strategy})

    # An event holds whatever bytes its statement has.
    with contextlib.closing(place.connect(use_unicode=False)) as connection, connection.cursor() as cursor:
        cursor.execute(f"SHOW BINLOG EVENTS IN '{file}' FROM {position}")
        logged = str(cursor.fetchall())
    rows = "Write_rows" if place.version.flavour == "mysql" else "INSERT INTO `orders`"
    swap = ["RENAME TABLE"] if strategy == "swap" else []
    for restored in ("CREATE TABLE `orders`", rows, *swap, "TRIGGER", "PROCEDURE", "EVENT"):
        assert restored in logged, logged
    assert b"SQL_LOG_BIN" not in plain_text(taken["path"])


@pytest.mark.parametrize(
    "place", [each for each in VERSIONS if each.flavour == "mysql"], ids=lambda version: version.label, indirect=True
)
def test_what_is_restored_from_a_dump_made_by_hand_goes_into_the_binary_log(place, shop, folder):
    # As anybody would make it: where GTIDs are on, it keeps itself out of the log, and claims what was done before.
    path = folder / "by-hand.sql"
    path.write_bytes(place.run("mysqldump", *place.as_root(), "--routines", "--events", "--single-transaction", shop))
    assert b"\nSET @@SESSION.SQL_LOG_BIN= 0;\n" in path.read_bytes()
    assert b"\nSET @@GLOBAL.GTID_PURGED=" in path.read_bytes()
    before, purged = place.dump(shop), place.query("SELECT @@global.gtid_purged")
    file, position = place.query("SHOW BINARY LOG STATUS")[0][:2]

    done = place.module("db_restore", {"backup": str(path), "database": shop, "safety_backup": False})

    assert place.dump(shop) == before
    assert place.query("SELECT @@global.gtid_purged") == purged
    with contextlib.closing(place.connect(use_unicode=False)) as connection, connection.cursor() as cursor:
        cursor.execute(f"SHOW BINLOG EVENTS IN '{file}' FROM {position}")
        logged = str(cursor.fetchall())
    for restored in ("CREATE TABLE `orders`", "Write_rows", "TRIGGER", "PROCEDURE", "EVENT"):
        assert restored in logged, logged
    assert "SET @@SESSION.SQL_LOG_BIN, SET @@GLOBAL.GTID_PURGED." in str(done["warnings"])


@pytest.mark.parametrize("strategy", ["swap", "in_place"])
def test_rights_on_a_routine_are_there_after_a_restore_and_after_one_that_went_back(place, shop, folder, strategy):
    place.execute("CREATE PROCEDURE same() SELECT 1", schema=shop)
    taken = back_up(place, shop, folder)
    place.execute(
        "DROP PROCEDURE count_orders",
        "CREATE PROCEDURE count_orders(OUT n INT) SET n = 7",
        "CREATE USER worker@localhost",
        "CREATE ROLE reporting",
        "GRANT EXECUTE ON PROCEDURE same TO worker@localhost",
        "GRANT EXECUTE, ALTER ROUTINE ON PROCEDURE count_orders TO worker@localhost WITH GRANT OPTION",
        "GRANT EXECUTE ON PROCEDURE count_orders TO reporting",
        schema=shop,
    )
    asked = "SELECT Routine_name, User, Host, Proc_priv FROM mysql.procs_priv WHERE Db = %s ORDER BY 1, 2"
    rights = place.query(asked, (shop,))
    assert len(rights) == 3
    order = {"backup": taken["path"], "strategy": strategy}
    try:
        wrong = [{"sql": "SELECT 1", "rows": [[2]]}]
        assert place.module("db_restore", {**order, "queries": wrong}, fails=True)["outcome"] == "reverted"
        assert place.query(asked, (shop,)) == rights
        place.module("db_restore", order)
        assert place.query(asked, (shop,)) == rights
    finally:
        place.execute("DROP USER worker@localhost", "DROP ROLE reporting")


@pytest.mark.parametrize(
    "place", [each for each in VERSIONS if each.flavour == "mariadb"], ids=lambda version: version.label, indirect=True
)
def test_history_that_the_client_cannot_dump_is_refused(place, folder):
    schema = place.make_schema("CREATE TABLE prices (id INT PRIMARY KEY, price INT) WITH SYSTEM VERSIONING;")
    options = {"database": schema, "directory": str(folder)}
    if place.version_tuple >= (10, 11):
        assert manifest(place.module("db_backup", options)["backup"])["rows"]["tables"] == {"prices": 0}
        return
    refused = place.module("db_backup", options, fails=True)["msg"]
    assert "history of the system-versioned tables prices would be lost" in refused
    assert "MariaDB 10.11 or newer" in refused
    assert list(folder.iterdir()) == []


def test_a_table_with_named_checks_comes_back_beside_the_present_one(place, folder):
    schema = place.make_schema(
        "CREATE TABLE priced (id INT PRIMARY KEY, price INT, CONSTRAINT sane CHECK (price > 0), CHECK (price < 1000));"
        "INSERT INTO priced VALUES (1, 10);"
    )
    taken = back_up(place, schema, folder)
    place.execute("UPDATE priced SET price = 20", schema=schema)

    options = {"backup": taken["path"], "tables": ["priced"], "table_suffix": "_then"}
    assert place.module("db_restore", options)["outcome"] == "restored"

    assert place.query(f"SELECT price FROM {schema}.priced") == [(20,)]
    assert place.query(f"SELECT price FROM {schema}.priced_then") == [(10,)]
    for price in (0, 1000):
        with pytest.raises(Exception, match=r"(?i)constraint"):
            place.execute(f"UPDATE priced_then SET price = {price}", schema=schema)


@pytest.mark.parametrize(
    "place", [each for each in VERSIONS if each.flavour == "mysql"], ids=lambda version: version.label, indirect=True
)
def test_a_login_path_leads_to_no_other_server(place, shop, folder):
    # Its clients read it behind the option file that they are given, and it wins.
    place.run("mysql_config_editor", "set", "--login-path=client", "--host=127.0.0.1", "--port=1", "--user=nobody")
    try:
        taken = back_up(place, shop, folder)
        assert place.module("db_restore", {"backup": taken["path"]})["outcome"] == "restored"
        assert place.module("backup_verify", {"backup": taken["path"], "level": "restore"})["verified"] is True
    finally:
        (place.folder / ".mylogin.cnf").unlink()
