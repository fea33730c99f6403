# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A restore ends restored, reverted or broken, and the database is what that word says."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import signal
import threading
import time
from pathlib import Path

import pytest
from handmade import before_table, plain_text, rewrite

SLOW = before_table("orders", "DO SLEEP(120)")
NOWHERE = before_table("orders", "INSERT INTO nowhere VALUES (1)")


@pytest.fixture(params=["swap", "in_place"])
def strategy(request: pytest.FixtureRequest) -> str:
    """Either way of restoring."""
    return request.param


def beside(server, schema: str) -> list[str]:
    """What a restore has left beside a schema on the server."""
    return [name for (name,) in server.query("SHOW DATABASES") if name.startswith(f"{schema}__")]


def spoil(server, schema: str) -> bytes:
    """Change data and objects after a backup, and return how the schema dumps now."""
    server.execute(
        "UPDATE customer SET name = 'changed since'",
        "CREATE TABLE made_since (id INT)",
        "DROP PROCEDURE count_orders",
        schema=schema,
    )
    return server.dump(schema)


def is_loading(server, schema: str) -> bool:
    """Whether a client is at it, in the schema itself or in the copy beside it."""
    return bool(loading_sessions(server, schema))


def loading_sessions(server, schema: str) -> list[int]:
    """The sessions that are at it."""
    rows = server.query("SHOW FULL PROCESSLIST")
    return [row[0] for row in rows if (row[3] or "").split("__")[0] == schema and "SLEEP" in (row[7] or "")]


def test_what_came_after_the_backup_is_gone_and_named(server, shop, backup, run_module):
    before = server.dump(shop)
    taken = backup(shop)
    server.execute(
        "CREATE TABLE b_new (id INT PRIMARY KEY, c INT, FOREIGN KEY (c) REFERENCES customer (id))",
        "CREATE VIEW a_new AS SELECT id FROM b_new",
        "CREATE SEQUENCE s_new",
        "CREATE TRIGGER t_new AFTER INSERT ON orders FOR EACH ROW SET @seen = 1",
        "CREATE TRIGGER t_newer AFTER INSERT ON b_new FOR EACH ROW SET @seen = 1",
        "CREATE FUNCTION f_new() RETURNS INT RETURN 1",
        "CREATE PROCEDURE p_new() SELECT 1",
        "CREATE EVENT e_new ON SCHEDULE EVERY 1 DAY DO SELECT 1",
        schema=shop,
    )

    foreseen = run_module("db_restore", {"backup": taken["path"]}, check=True)
    restored = run_module("db_restore", {"backup": taken["path"]})

    assert restored["removed_objects"] == [
        "event e_new",
        "function f_new",
        "procedure p_new",
        "sequence s_new",
        "table b_new",
        "trigger t_new",
        "trigger t_newer",
        "view a_new",
    ]
    assert foreseen["removed_objects"] == restored["removed_objects"]
    assert server.dump(shop) == before


def test_tables_left_out_of_the_backup_are_left_alone(server, shop, backup, run_module):
    server.execute(
        "CREATE TABLE `session log` (id INT PRIMARY KEY)",
        "CREATE TRIGGER on_session BEFORE INSERT ON `session log` FOR EACH ROW SET @seen = 1",
        schema=shop,
    )
    taken = backup(shop, exclude_tables=["session log"])
    assert b"session log" not in plain_text(taken["path"])
    server.execute("INSERT INTO `session log` VALUES (1), (2)", "DELETE FROM orders", schema=shop)

    restored = run_module("db_restore", {"backup": taken["path"]})

    assert restored["removed_objects"] == []
    assert server.query("SELECT COUNT(*) FROM `session log`", schema=shop) == [(2,)]
    assert server.query("SELECT COUNT(*) FROM orders", schema=shop) == [(3,)]
    assert server.query("SHOW TRIGGERS LIKE 'session log'", schema=shop)[0][0] == "on_session"


@pytest.mark.parametrize("strategy", ["swap", "in_place"])
def test_a_wrong_answer_takes_the_restore_back(server, shop, backup, run_module, strategy):
    taken = backup(shop)
    spoilt = spoil(server, shop)
    right = {"sql": "SELECT total FROM big_orders", "rows": [["250.50"]]}
    order = {"backup": taken["path"], "strategy": strategy}

    wrong = {"name": "four orders", "sql": "SELECT COUNT(*) FROM orders", "min": 4}
    refused = run_module("db_restore", {**order, "queries": [right, wrong]}, fails=True)
    assert refused["outcome"] == "reverted"
    assert "four orders: 3, at least 4.0 wanted" in refused.message
    assert "big_orders" not in refused.message
    assert server.dump(shop) == spoilt

    restored = run_module("db_restore", {**order, "queries": [right]})
    assert restored["outcome"] == "restored"
    names = [phase["name"] for phase in restored["phases"]]
    by_swap = ["load", "indexes", "compare", "swap", "queries", "clean_up"]
    between = {"swap": by_swap, "in_place": ["load", "queries"]}[strategy]
    assert names == ["check", "safety_backup", *between, "lost_writes"]
    assert sum(phase["seconds"] for phase in restored["phases"]) == pytest.approx(restored["seconds"], abs=0.1)

    undo = run_module("db_restore", {"database": shop, "undo": True, "queries": [right]}, fails=True)
    assert "queries are asked of what is restored from a backup" in undo.message


def test_what_the_keys_took_is_told_apart_from_the_rows(backup, make_schema, run_module):
    columns = [f"c{number}" for number in range(9)]
    table = f"id INT PRIMARY KEY, {', '.join(f'{column} CHAR(36)' for column in columns)}"
    keys = "".join(f", KEY ({column})" for column in columns)
    rows = f"INSERT INTO t SELECT seq{', UUID()' * len(columns)} FROM seq_1_to_3000"

    def phases(definition: str) -> dict[str, float]:
        taken = backup(make_schema(f"CREATE TABLE t ({definition}); {rows}"))
        restored = run_module("db_restore", {"backup": taken["path"], "safety_backup": False})
        return {phase["name"]: phase["seconds"] for phase in restored["phases"]}

    with_keys = phases(table + keys)
    assert with_keys["indexes"] > 0
    assert with_keys["load"] > 0
    assert phases(table)["indexes"] == 0


def test_a_safety_backup_is_kept_and_is_not_the_latest(server, shop, backup, folder, run_module):
    taken = backup(shop)
    spoilt = spoil(server, shop)

    restored = run_module("db_restore", {"backup": "latest", "database": shop, "directory": str(folder)})

    assert restored["backup"]["name"] == taken["name"]
    safety = restored["safety_backup"]
    assert safety["pinned"] is True
    again = run_module("db_restore", {"backup": "latest", "database": shop, "directory": str(folder)})
    assert again["backup"]["name"] == taken["name"]
    run_module("db_restore", {"backup": safety["name"], "directory": str(folder)})
    assert server.dump(shop) == spoilt


def test_check_mode_touches_nothing_and_says_what_would_go(server, shop, backup, folder, run_module):
    taken = backup(shop)
    spoilt = spoil(server, shop)
    files = sorted(os.listdir(folder))

    foreseen = run_module("db_restore", {"backup": taken["path"]}, check=True, diff=True)

    assert foreseen["changed"] is True
    assert foreseen["removed_objects"] == ["table made_since"]
    assert "table made_since\n" in foreseen["diff"]["before"]
    assert "procedure count_orders\n" in foreseen["diff"]["after"]
    assert server.dump(shop) == spoilt
    assert sorted(os.listdir(folder)) == files


@pytest.mark.parametrize("compression", ["zstd", "gzip", "none"])
def test_an_archive_that_ends_too_early_is_refused_even_without_verification(
    server, shop, backup, run_module, compression, strategy
):
    taken = backup(shop, compression=compression)
    spoilt = spoil(server, shop)
    with open(taken["path"], "r+b") as file:
        file.truncate(taken["size_bytes"] // 2)

    options = {"backup": taken["path"], "verify": "none", "strategy": strategy}
    failed = run_module("db_restore", options, fails=True)

    assert "outcome" not in failed.result
    assert "Nothing was touched" in failed.message
    assert server.dump(shop) == spoilt


def test_rows_that_are_not_the_listed_ones_are_noticed_while_they_are_loaded(
    server, shop, backup, run_module, strategy
):
    taken = backup(shop, compression="none")
    spoilt = spoil(server, shop)
    path = Path(taken["path"])
    text = path.read_bytes()
    path.write_bytes(text.replace(b"250.50", b"250.51"))
    assert path.read_bytes() != text

    options = {"backup": taken["path"], "verify": "none", "strategy": strategy}
    failed = run_module("db_restore", options, fails=True)

    assert failed["outcome"] == "reverted"
    assert "another checksum" in failed.message
    assert server.dump(shop) == spoilt
    assert beside(server, shop) == []


def test_rows_that_are_missing_from_a_copy_are_counted_before_it_is_swapped_in(server, shop, backup, run_module):
    taken = backup(shop)
    spoilt = spoil(server, shop)
    rewrite(taken, lambda text: text.replace(b",\n(3,3,99.99);", b";"))

    failed = run_module("db_restore", {"backup": taken["path"]}, fails=True)

    assert failed["outcome"] == "reverted"
    assert "orders has 2, the manifest 3" in failed.message
    assert server.dump(shop) == spoilt
    assert beside(server, shop) == []


def test_sql_that_fails_in_the_middle_is_reverted_with_the_servers_words(server, shop, backup, run_module, strategy):
    taken = backup(shop)
    rewrite(taken, NOWHERE)
    spoilt = spoil(server, shop)

    failed = run_module("db_restore", {"backup": taken["path"], "strategy": strategy}, fails=True)

    assert failed["outcome"] == "reverted"
    assert "nowhere' doesn't exist" in failed.message
    how = "it was not touched" if strategy == "swap" else f"from the safety backup {failed['safety_backup']['name']}"
    assert failed.message.endswith(f"{shop} is as it was before: {how}.")
    assert server.dump(shop) == spoilt
    assert beside(server, shop) == []


def test_an_object_that_the_manifest_does_not_list_is_reverted(server, shop, backup, run_module, strategy):
    taken = backup(shop)
    rewrite(taken, before_table("orders", "CREATE TABLE smuggled (id INT)"))
    spoilt = spoil(server, shop)

    options = {"backup": taken["path"], "verify": "none", "strategy": strategy}
    failed = run_module("db_restore", options, fails=True)

    assert failed["outcome"] == "reverted"
    assert "unexpected: table smuggled" in failed.message
    assert server.dump(shop) == spoilt


def test_a_failed_restore_into_a_new_database_leaves_none(server, shop, backup, run_module, strategy):
    taken = backup(shop)
    rewrite(taken, NOWHERE)

    options = {"backup": taken["path"], "database": f"{shop}_copy", "strategy": strategy}
    failed = run_module("db_restore", options, fails=True)

    assert failed["outcome"] == "reverted"
    assert server.query("SHOW DATABASES LIKE %s", (f"{shop}_copy",)) == []


def test_a_server_that_is_killed_and_comes_back_is_reverted(
    start_server, make_schema, backup, start_module, shop_script, strategy
):
    server = start_server()
    shop = make_schema(shop_script, on=server)
    taken = backup(shop, login_unix_socket=server.socket)
    rewrite(taken, SLOW)
    spoilt = spoil(server, shop)
    options = {"backup": taken["path"], "login_unix_socket": server.socket, "strategy": strategy}
    module = start_module("db_restore", options)
    module.wait_for(lambda: is_loading(server, shop))

    server.kill()
    supervisor = threading.Timer(2, server.start)
    supervisor.start()
    failed = module.end()
    supervisor.join()

    assert failed.status == 1
    assert failed["outcome"] == "reverted"
    assert "Lost connection" in failed.message
    assert server.dump(shop) == spoilt
    assert beside(server, shop) == []
    server.stop()


def test_a_client_that_is_killed_is_reverted(server, shop, backup, start_module, strategy):
    taken = backup(shop)
    # In a definition: for a swap the client gets no more than those.
    rewrite(taken, lambda text: text.replace(b"\nCREATE TABLE `orders`", b"\nDO SLEEP(120);\nCREATE TABLE `orders`"))
    spoilt = spoil(server, shop)
    module = start_module("db_restore", {"backup": taken["path"], "strategy": strategy})
    module.wait_for(lambda: is_loading(server, shop))

    for client in module.children():
        os.kill(client, signal.SIGKILL)
    failed = module.end()

    assert failed["outcome"] == "reverted"
    assert "was killed by signal 9" in failed.message
    assert server.dump(shop) == spoilt
    assert beside(server, shop) == []


def test_a_connection_that_is_killed_is_reverted(server, shop, backup, start_module):
    taken = backup(shop)
    rewrite(taken, SLOW)
    spoilt = spoil(server, shop)
    module = start_module("db_restore", {"backup": taken["path"], "strategy": "swap"})
    (loading,) = module.wait_for(lambda: loading_sessions(server, shop))

    server.execute(f"KILL {loading}")
    failed = module.end()

    assert failed["outcome"] == "reverted"
    assert f"Loading into {shop}__restore_" in failed.message
    assert server.dump(shop) == spoilt
    assert beside(server, shop) == []


def test_the_servers_warnings_about_rows_are_passed_on(server, shop, backup, run_module, strategy):
    taken = backup(shop)
    rewrite(taken, before_table("orders", "SELECT CAST('seven' AS INT)"))

    done = run_module("db_restore", {"backup": taken["path"], "strategy": strategy})

    warned = f"while loading {taken['name']}: Warning (Code 1292): Truncated incorrect INTEGER value: 'seven'"
    assert [warning for warning in map(str, done["warnings"]) if warned in warning]


def test_a_way_back_that_is_told_to_stop_is_gone_to_its_end(server, shop, backup, start_module):
    taken = backup(shop)
    rewrite(taken, SLOW)
    spoilt = spoil(server, shop)
    module = start_module("db_restore", {"backup": taken["path"], "strategy": "in_place"})
    module.wait_for(lambda: is_loading(server, shop))

    # The way back has to wait for this session, and is told to stop while it does.
    with contextlib.closing(server.connect(shop)) as reader, reader.cursor() as cursor:
        cursor.execute("START TRANSACTION")
        cursor.execute("SELECT COUNT(*) FROM customer")
        (client,) = module.children()
        os.kill(client, signal.SIGKILL)
        module.wait_for(lambda: any("DROP TABLE" in (row[7] or "") for row in server.query("SHOW FULL PROCESSLIST")))
        module.signal(signal.SIGTERM)
        time.sleep(0.2)
    failed = module.end()

    assert failed["outcome"] == "reverted"
    assert server.dump(shop) == spoilt


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_module_that_is_told_to_stop_reverts_first(server, shop, backup, start_module, number, strategy):
    taken = backup(shop)
    rewrite(taken, SLOW)
    spoilt = spoil(server, shop)
    module = start_module("db_restore", {"backup": taken["path"], "strategy": strategy})
    module.wait_for(lambda: is_loading(server, shop))

    module.signal(number)
    module.signal(number)
    failed = module.end()

    assert failed.status == 1
    assert failed["outcome"] == "reverted"
    assert f"Interrupted by {number.name}" in failed.message
    assert server.dump(shop) == spoilt
    assert beside(server, shop) == []


def test_broken_says_what_to_do_and_that_works(
    start_server, make_schema, backup, start_module, run_module, shop_script
):
    server = start_server()
    shop = make_schema(shop_script, on=server)
    taken = backup(shop, login_unix_socket=server.socket)
    rewrite(taken, SLOW)
    spoilt = spoil(server, shop)
    module = start_module(
        "db_restore",
        {"backup": taken["path"], "login_unix_socket": server.socket, "strategy": "in_place"},
        settings={"_actions.target:_SERVER_RETURN_SECONDS": 2},
    )
    module.wait_for(lambda: is_loading(server, shop))

    server.kill()
    failed = module.end()

    assert failed.status == 1
    assert failed["outcome"] == "broken"
    assert failed.message.startswith("BROKEN: ")
    assert failed["safety_backup"]["path"] in failed.message
    command = re.search(r"db_restore -a '(.*)'", failed.message).group(1)
    server.start()
    options = dict(each.split("=", 1) for each in shlex.split(command))
    run_module("db_restore", {**options, "login_unix_socket": server.socket})
    assert server.dump(shop) == spoilt
    server.stop()


def test_a_failed_restore_without_a_safety_backup_is_broken_and_says_so(server, shop, backup, run_module):
    taken = backup(shop)
    rewrite(taken, NOWHERE)

    options = {"backup": taken["path"], "safety_backup": False, "strategy": "in_place"}
    failed = run_module("db_restore", options, fails=True)

    assert failed["outcome"] == "broken"
    assert failed["safety_backup"] is None
    assert "Restore another backup" in failed.message


def test_a_kill_of_the_module_leaves_the_safety_backup_and_the_next_run_succeeds(
    server, shop, backup, start_module, run_module, folder
):
    before = server.dump(shop)
    taken = backup(shop)
    good = {name: (folder / name).read_bytes() for name in os.listdir(folder)}
    rewrite(taken, before_table("orders", "DO SLEEP(3)"))
    spoilt = spoil(server, shop)
    module = start_module("db_restore", {"backup": taken["path"], "strategy": "in_place"})
    module.wait_for(lambda: is_loading(server, shop))
    children = module.children()

    module.end_killed()
    wait_until_gone(children)

    for name, content in good.items():
        (folder / name).write_bytes(content)
    run_module("db_restore", {"backup": taken["path"], "safety_backup": False})
    assert server.dump(shop) == before
    (safety,) = [
        name for name in os.listdir(folder) if name.endswith(".sql.zst") and not name.startswith(taken["name"] + ".")
    ]
    run_module("db_restore", {"backup": str(folder / safety)})
    assert server.dump(shop) == spoilt


@pytest.fixture
def killed_in_place(server, shop, backup, start_module, folder):
    """Return a function that has a restore in place be killed when it has dropped all and loaded nothing."""
    taken = backup(shop)

    def kill(fault: str = "_actions.in_place:load_dump", **options) -> dict:
        order = {"backup": taken["path"], "strategy": "in_place", **options}
        assert start_module("db_restore", order, fault=(fault, "kill")).wait() == -signal.SIGKILL
        return taken

    return kill


def marks(folder: Path) -> list[Path]:
    """The marks of restores in place that have not come to their end."""
    return [each for each in folder.iterdir() if "in-place" in each.name]


def test_a_restore_in_place_that_was_killed_is_undone_and_not_backed_up(
    server, shop, folder, killed_in_place, run_module
):
    spoilt = spoil(server, shop)
    taken = killed_in_place()
    assert server.query("SHOW TABLES", schema=shop) == []
    (mark,) = marks(folder)
    assert mark.stat().st_mode & 0o777 == 0o600

    for check in (True, False):
        refused = run_module("db_backup", {"database": shop, "directory": str(folder)}, check=check, fails=True)
        assert f"the restore of {shop} in place from {taken['path']}, begun" in refused.message
        assert f"undo: true, database: {shop} and directory: {folder}" in refused.message
        assert str(mark) in refused.message
    undo = {"database": shop, "undo": True, "directory": str(folder)}
    foreseen = run_module("db_restore", undo, check=True)
    assert server.query("SHOW TABLES", schema=shop) == []
    undone = run_module("db_restore", undo)

    assert "has not come to its end" in str(foreseen["warnings"])
    assert "has not come to its end" in str(undone["warnings"])
    assert undone["outcome"] == "restored"
    assert undone["safety_backup"] is None
    assert server.dump(shop) == spoilt
    assert marks(folder) == []
    run_module("db_backup", {"database": shop, "directory": str(folder)})
    assert "There is nothing to undo" in run_module("db_restore", undo, fails=True).message


def test_the_state_before_a_killed_restore_in_place_is_known_until_a_restore_succeeds(
    server, shop, folder, killed_in_place, run_module
):
    before, spoilt = server.dump(shop), spoil(server, shop)
    taken = killed_in_place()
    (mark,) = marks(folder)
    first = mark.read_text()
    order = {"backup": taken["path"], "strategy": "in_place", "directory": str(folder)}

    # Another one that is killed, and one that goes back to what it found.
    killed_in_place()
    wrong = [{"sql": "SELECT 1", "rows": [[2]]}]
    assert run_module("db_restore", {**order, "queries": wrong}, fails=True)["outcome"] == "reverted"
    assert mark.read_text() == first
    run_module("db_restore", {"database": shop, "undo": True, "directory": str(folder)})
    assert server.dump(shop) == spoilt

    killed_in_place()
    done = run_module("db_restore", {**order, "strategy": "swap", "keep_previous": "1h"})
    assert "has not come to its end" in str(done["warnings"])
    assert server.dump(shop) == before
    assert marks(folder) == []
    run_module("db_restore", {"database": shop, "drop_previous": True})


def test_a_swap_after_a_killed_restore_in_place_is_undone_first(
    server, shop, folder, tmp_path, killed_in_place, run_module
):
    before, spoilt = server.dump(shop), spoil(server, shop)
    taken = killed_in_place()
    undo = {"database": shop, "undo": True, "directory": str(folder)}
    time.sleep(1.1)
    # From a directory where there is no mark.
    order = {"backup": taken["path"], "strategy": "swap", "keep_previous": "1h", "directory": str(tmp_path / "other")}
    run_module("db_restore", order)
    assert server.dump(shop) == before

    run_module("db_restore", undo)
    assert server.query("SHOW TABLES", schema=shop) == []
    run_module("db_restore", {"database": shop, "drop_previous": True})
    run_module("db_restore", undo)
    assert server.dump(shop) == spoilt


def test_a_restore_in_place_that_came_to_its_end_leaves_no_mark(server, shop, folder, killed_in_place, run_module):
    taken = killed_in_place(fault="_archive.unfinished:write_whole")
    assert marks(folder) == []
    order = {"backup": taken["path"], "strategy": "in_place"}

    run_module("db_restore", order)
    assert marks(folder) == []
    wrong = [{"sql": "SELECT 1", "rows": [[2]]}]
    assert run_module("db_restore", {**order, "queries": wrong}, fails=True)["outcome"] == "reverted"
    assert marks(folder) == []
    with contextlib.closing(server.connect(shop)) as holder, holder.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("SELECT * FROM orders")
        held = run_module("db_restore", order, fails=True, settings={"_database.loading:LOCK_WAIT_SECONDS": 1})
    assert "Nothing was touched" in held.message
    assert marks(folder) == []
    # Nor does one that could not leave its mark beforehand touch anything.
    full = run_module("db_restore", order, fails=True, fault=("_archive.unfinished:write_whole", "full"))
    assert "The mark of a restore in place cannot be written: No space left on device" in full.message
    assert "Nothing was touched" in full.message
    assert server.query("SELECT COUNT(*) FROM orders", schema=shop) == [(3,)]


def test_without_a_safety_backup_a_killed_restore_in_place_says_that_it_cannot_be_undone(
    server, shop, folder, killed_in_place, run_module
):
    before = server.dump(shop)
    taken = killed_in_place(safety_backup=False)

    undo = {"database": shop, "undo": True, "directory": str(folder)}
    assert "so it cannot be undone" in run_module("db_restore", undo, fails=True).message
    refused = run_module("db_backup", {"database": shop, "directory": str(folder)}, fails=True)
    assert "If it is not still at work, restore a backup" in refused.message
    run_module("db_restore", {"backup": taken["path"], "safety_backup": False})
    assert server.dump(shop) == before
    assert marks(folder) == []


def wait_until_gone(processes: list[int], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while any(os.path.exists(f"/proc/{each}") for each in processes):
        assert time.monotonic() < deadline, "children of the killed module are still there"
        time.sleep(0.05)


@pytest.fixture
def account(server, shop):
    """Return a function that makes an account with some rights on the shop, and returns its connection options."""
    name = f"{shop}_user"

    def make(*rights: str) -> dict:
        server.execute(f"CREATE USER {name}@localhost IDENTIFIED BY 'x'")
        server.execute(*(f"GRANT {right} TO {name}@localhost" for right in rights))
        return {"login_user": name, "login_password": "x"}

    yield make
    server.execute(f"DROP USER IF EXISTS {name}@localhost")


def test_an_account_that_may_not_drop_touches_nothing(server, shop, backup, run_module, account):
    taken = backup(shop)
    spoilt = spoil(server, shop)
    rights = f"SELECT, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES ON {shop}.*"
    reader = account(rights, "SELECT ON mysql.proc", "SET USER ON *.*")

    failed = run_module("db_restore", {"backup": taken["path"], **reader}, fails=True)

    assert "outcome" not in failed.result
    assert "Nothing was touched" in failed.message
    assert server.dump(shop) == spoilt
    # The cure that it names is enough.
    server.execute(re.search(r"GRANT .*?;", failed.message).group())
    assert run_module("db_restore", {"backup": taken["path"], **reader})["outcome"] == "restored"


def test_an_account_that_may_not_create_the_database_touches_nothing(server, shop, backup, run_module, account):
    taken = backup(shop)
    reader = account(f"ALL ON {shop}.*", "SET USER ON *.*")

    failed = run_module("db_restore", {"backup": taken["path"], "database": f"{shop}_new", **reader}, fails=True)

    assert "outcome" not in failed.result
    assert f"ON `{shop}_new`.*" in failed.message
    assert server.query("SHOW DATABASES LIKE %s", (f"{shop}_new",)) == []


def test_an_account_that_may_not_set_definers_is_refused_beforehand(server, shop, backup, run_module, account):
    taken = backup(shop)
    spoilt = spoil(server, shop)
    owner = account(f"ALL ON {shop}.*", "SELECT ON mysql.proc")

    failed = run_module("db_restore", {"backup": taken["path"], **owner}, fails=True)

    assert "outcome" not in failed.result
    assert "in the name of root@localhost" in failed.message
    assert "GRANT SET USER" in failed.message
    assert server.dump(shop) == spoilt


def test_a_table_that_another_session_holds_is_not_the_end_of_the_database(server, shop, backup, run_module, strategy):
    taken = backup(shop)
    spoilt = spoil(server, shop)
    with contextlib.closing(server.connect(shop)) as holder, holder.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("SELECT * FROM orders")

        failed = run_module(
            "db_restore",
            {"backup": taken["path"], "strategy": strategy},
            fails=True,
            settings={"_database.loading:LOCK_WAIT_SECONDS": 1, "_database.swap:LOCK_WAIT_SECONDS": 1},
        )

    assert "Lock wait timeout" in failed.message
    if strategy == "swap":
        assert failed["outcome"] == "reverted"
    else:
        assert "outcome" not in failed.result
        assert "Nothing was touched" in failed.message
    assert server.dump(shop) == spoilt
    assert beside(server, shop) == []


def test_a_server_that_soon_hangs_up_on_idle_sessions_does_no_harm(
    start_server, make_schema, backup, run_module, shop_script
):
    server = start_server("--wait-timeout=1", "--interactive-timeout=1")
    shop = make_schema(shop_script, on=server)
    before = server.dump(shop)
    taken = backup(shop, login_unix_socket=server.socket)
    rewrite(taken, before_table("orders", "DO SLEEP(3)"))

    assert (
        run_module("db_restore", {"backup": taken["path"], "login_unix_socket": server.socket})["outcome"] == "restored"
    )
    assert server.dump(shop) == before
    server.stop()


# Guards


def test_a_protected_database_is_not_touched_without_its_name(server, shop, backup, run_module):
    taken = backup(shop)
    spoilt = spoil(server, shop)

    for confirm in (None, "yes", shop.upper()):
        options = {"backup": taken["path"], "protected": True, "confirm": confirm}
        failed = run_module("db_restore", options, fails=True)
        assert "is protected" in failed.message
        assert f"set confirm to '{shop}'" in failed.message
    assert server.dump(shop) == spoilt
    assert (
        run_module("db_restore", {"backup": taken["path"], "protected": True, "confirm": shop})["outcome"] == "restored"
    )


@pytest.mark.parametrize("name", ["mysql", "sys", "information_schema", "Performance_Schema"])
def test_a_system_schema_is_refused(shop, backup, run_module, folder, name):
    taken = backup(shop)

    assert (
        "belongs to the server itself"
        in run_module("db_restore", {"backup": taken["path"], "database": name}, fails=True).message
    )
    assert (
        "belongs to the server itself"
        in run_module("db_backup", {"database": name, "directory": str(folder)}, fails=True).message
    )


def test_another_flavours_backup_is_refused(server, shop, backup, run_module):
    taken = backup(shop)
    spoilt = spoil(server, shop)
    manifest = Path(taken["manifest_path"])
    manifest.write_text(manifest.read_text().replace('"flavour": "mariadb"', '"flavour": "mysql"'))

    failed = run_module("db_restore", {"backup": taken["path"]}, fails=True)

    assert "comes from mysql" in failed.message
    assert "Nothing was touched" in failed.message
    assert server.dump(shop) == spoilt


def test_an_unknown_backup_lists_those_there_newest_first(shop, backup, run_module, folder):
    first, second = backup(shop), backup(shop)

    for module in ("db_restore", "backup_verify"):
        failed = run_module(module, {"backup": "shop_1999-01-01_000000", "directory": str(folder)}, fails=True)

        assert f"There is no backup shop_1999-01-01_000000 in {folder}" in failed.message
        assert failed.message.index(second["name"] + " ") < failed.message.index(first["name"] + " ")
        assert re.search(rf"{second['name']}  [\d.]+ (B|KiB)  {second['started']} \(\d+s ago\)", failed.message)


def test_the_latest_of_several_databases_is_asked_for(make_schema, shop, backup, run_module, folder):
    other = make_schema()
    backup(shop)
    backup(other)

    for module in ("db_restore", "backup_verify"):
        failed = run_module(module, {"backup": "latest", "directory": str(folder)}, fails=True)
        assert f"Backups of {', '.join(sorted([shop, other]))} are in {folder}" in failed.message


def test_the_directory_for_the_safety_backup_is_made(server, shop, backup, run_module, tmp_path):
    taken = backup(shop)

    restored = run_module("db_restore", {"backup": taken["path"], "directory": str(tmp_path / "safe" / "place")})

    assert Path(restored["safety_backup"]["path"]).parent == tmp_path / "safe" / "place"


@pytest.mark.parametrize("name", ["../shop", "a/b", "..", ".", ""])
def test_a_name_with_a_path_in_it_is_refused(run_module, folder, name):
    for module in ("db_restore", "backup_verify"):
        failed = run_module(module, {"backup": name, "directory": str(folder)}, fails=True)
        assert "neither a name nor an absolute path" in failed.message


def test_a_missing_directory_is_said(run_module, tmp_path):
    failed = run_module("db_restore", {"backup": "latest", "directory": str(tmp_path / "none")}, fails=True)
    assert f"There is no directory {tmp_path}/none" in failed.message


# Foreign dumps


@pytest.mark.parametrize("suffix", [".sql", ".sql.gz", ".sql.zst"])
def test_a_dump_made_by_hand_is_restored(server, shop, run_module, tmp_path, suffix):
    before = server.dump(shop)
    path = tmp_path / f"by-hand{suffix}"
    path.write_bytes(COMPRESS[suffix](before))
    spoil(server, shop)

    restored = run_module("db_restore", {"backup": str(path), "database": shop})

    assert restored["outcome"] == "restored"
    assert restored["removed_objects"] == ["table made_since"]
    assert server.dump(shop) == before


def _gzip(data: bytes) -> bytes:
    import gzip

    return gzip.compress(data)


def _zstd(data: bytes) -> bytes:
    import zstandard

    return zstandard.ZstdCompressor().compress(data)


COMPRESS = {".sql": bytes, ".sql.gz": _gzip, ".sql.zst": _zstd}


def test_a_dump_without_comments_is_restored_and_says_what_it_removed(server, shop, run_module, tmp_path):
    before = server.dump(shop)
    path = tmp_path / "by-hand.sql"
    path.write_bytes(server.dump(shop, "--skip-comments"))
    spoil(server, shop)

    restored = run_module("db_restore", {"backup": str(path), "database": shop})

    assert restored["removed_objects"] == ["table made_since"]
    assert "has no manifest" in json.dumps(restored["warnings"])
    assert server.dump(shop) == before


def test_a_dump_that_says_no_database_asks_for_one(server, shop, run_module, tmp_path):
    path = tmp_path / "by-hand.sql"
    path.write_bytes(server.dump(shop))

    failed = run_module("db_restore", {"backup": str(path)}, fails=True)

    assert "say which by the option database" in failed.message


@pytest.mark.parametrize(
    "options", [(), ("--skip-comments",), ("--skip-routines",), ("--skip-routines", "--skip-events")]
)
@pytest.mark.parametrize("order", ["other first", "other last"])
def test_a_dump_of_several_databases_stays_out_of_the_others(
    server, make_schema, shop, run_module, tmp_path, shop_script, options, order
):
    other = make_schema(shop_script)
    server.execute("DROP VIEW big_orders", schema=shop)
    server.execute("DROP VIEW big_orders", schema=other)
    names = [other, shop] if order == "other first" else [shop, other]
    path = tmp_path / "several.sql"
    path.write_bytes(server.dump(names[0], *options, "--databases", also=names[1:]))
    server.execute("DELETE FROM orders", schema=other)
    server.execute("DELETE FROM orders", schema=shop)
    untouched = {name: server.dump(name) for name in names}

    failed = run_module("db_restore", {"backup": str(path), "database": shop}, fails=True)

    assert other in failed.message
    assert "Nothing was touched" in failed.message
    assert {name: server.dump(name) for name in names} == untouched


def test_a_dump_with_create_database_of_its_own_name_is_restored(server, shop, run_module, tmp_path):
    before = server.dump(shop)
    path = tmp_path / "one.sql"
    path.write_bytes(server.dump(shop, "--databases", "--add-drop-database"))
    spoil(server, shop)

    run_module("db_restore", {"backup": str(path), "database": shop})

    assert server.dump(shop) == before


def test_a_dump_that_was_cut_short_is_refused(server, shop, run_module, tmp_path):
    path = tmp_path / "cut.sql"
    text = server.dump(shop)
    path.write_bytes(text[: len(text) // 2])
    spoilt = spoil(server, shop)

    failed = run_module("db_restore", {"backup": str(path), "database": shop}, fails=True)

    assert "cut short" in failed.message
    assert server.dump(shop) == spoilt


def test_a_cut_dump_in_front_of_a_whole_one_is_refused(server, shop, run_module, tmp_path):
    path = tmp_path / "joined.sql"
    text = server.dump(shop)
    cut = text[: text.index(b"(2,2,250.50)") + 13]
    path.write_bytes(cut + b"\n" + text)
    spoilt = spoil(server, shop)

    failed = run_module("db_restore", {"backup": str(path), "database": shop}, fails=True)

    assert "one header and one footer" in failed.message
    assert server.dump(shop) == spoilt


def test_an_error_that_nobody_foresaw_still_ends_in_an_outcome_with_steps(server, shop, backup, run_module):
    taken = backup(shop)
    # Starting the load client fails in a way that no code expects, for the restore and for the way back alike.
    broken = run_module(
        "db_restore",
        {"backup": taken["path"], "strategy": "in_place"},
        fails=True,
        settings={"_database.loading:subprocess": None},
    )
    assert broken["outcome"] == "broken"
    assert "Unexpected: AttributeError" in broken.message
    assert "What to do now" in broken.message
    assert run_module("db_restore", {"backup": taken["path"], "safety_backup": False})["outcome"] == "restored"
