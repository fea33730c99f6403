# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A restore by swap: what the application sees, what is left beside, the way back."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import signal
import subprocess
import threading
import time

import pytest
from busy_shop import beside, make_busy, migrate, restored
from handmade import before_table, rewrite


@pytest.fixture
def busy(server, shop) -> str:
    make_busy(server, shop)
    return shop


def test_a_swap_brings_everything_back_and_says_so(server, busy, backup, run_module):
    before = server.dump(busy)
    taken = backup(busy)
    migrate(server, busy)

    foreseen = run_module("db_restore", {"backup": taken["path"]}, check=True)
    done = run_module("db_restore", {"backup": taken["path"]})

    for result in (foreseen, done):
        assert result["strategy"] == "swap"
        assert re.fullmatch(r"a second copy takes about [\d.]+ MiB, .* are free in .*/data/", result["strategy_reason"])
        assert result["removed_objects"] == [
            "procedure since",
            "table made_since",
            "trigger made_since_too",
            "view view_since",
        ]
        assert result["needed_bytes"] < result["free_bytes"]
    assert done["outcome"] == "restored"
    assert 0 < done["swap_seconds"] < 5
    assert restored(server, busy, before)
    assert beside(server, busy) == []


def test_what_is_already_as_in_the_backup_is_not_touched(server, busy, backup, run_module):
    taken = backup(busy)
    asked = "SELECT created FROM information_schema.routines WHERE routine_schema = %s"
    server.execute("DELETE FROM payment", schema=busy)
    made = server.query(asked, (busy,))
    time.sleep(1.1)

    run_module("db_restore", {"backup": taken["path"], "safety_backup": False})

    assert server.query(asked, (busy,)) == made
    assert server.query("SELECT COUNT(*) FROM payment", schema=busy) == [(6000,)]


def test_the_application_sees_the_old_rows_or_the_new_and_nothing_else(server, busy, backup, start_module):
    taken = backup(busy)
    rewrite(taken, before_table("orders", "DO SLEEP(1)"))
    server.execute("UPDATE customer SET name = 'new'", schema=busy)
    seen: set[tuple] = set()
    module = start_module("db_restore", {"backup": taken["path"], "safety_backup": False})
    with contextlib.closing(server.connect(busy)) as application, application.cursor() as cursor:
        while module.status is None:
            cursor.execute("SELECT GROUP_CONCAT(DISTINCT name ORDER BY id), COUNT(*) FROM customer")
            seen.update(cursor.fetchall())
    assert module.end().status == 0

    assert seen == {("new", 3), ("Ada,Grace,Radia 🦄", 3)}


def test_a_row_longer_than_a_packet_of_the_protocol_comes_back(server, make_schema, backup, run_module):
    # A statement of 36 MB with its hexadecimal digits; a packet has 16 MiB at most.
    schema = make_schema("CREATE TABLE films (id INT PRIMARY KEY, film LONGBLOB)")
    server.execute("INSERT INTO films VALUES (1, REPEAT(UNHEX('00FF27'), 6000000)), (2, ';\n')", schema=schema)
    asked = "SELECT id, LENGTH(film), SHA1(film) FROM films ORDER BY id"
    before = server.query(asked, schema=schema)
    options = {"backup": backup(schema)["path"], "strategy": "swap", "safety_backup": False}
    server.execute("DELETE FROM films", schema=schema)

    run_module("db_restore", options)

    assert server.query(asked, schema=schema) == before
    assert before[0][1] == 18_000_000


KEYS = {
    "plain": "PRIMARY KEY (id), UNIQUE KEY u (a), KEY a (a), KEY b (b)",
    "counted": "PRIMARY KEY (a), KEY b (b), KEY counted (id, b), KEY c (c)",
    "counted_by_primary": "PRIMARY KEY (id), KEY b (b), KEY counted (id, b), KEY c (c)",
    "ignored": "PRIMARY KEY (id), UNIQUE KEY u (a), KEY b (b), KEY i (b, a) IGNORED, KEY c (c)",
    "ignored_unique": "PRIMARY KEY (id), UNIQUE KEY u (a), UNIQUE KEY i (a, b) IGNORED, UNIQUE KEY v (a, c), KEY b (b)",
    "of_places": "PRIMARY KEY (id), UNIQUE KEY u (a), KEY b (b), SPATIAL KEY s (place), KEY c (c)",
    "of_places_at_last": "PRIMARY KEY (id), UNIQUE KEY u (a), KEY b (b), SPATIAL KEY s (place)",
    "hashed": "PRIMARY KEY (id), UNIQUE KEY u (a), UNIQUE KEY h (c) USING HASH, UNIQUE KEY v (a, b), KEY b (b)",
    "long_and_unique": "PRIMARY KEY (id), UNIQUE KEY u (a), UNIQUE KEY l (words), UNIQUE KEY v (a, b), KEY b (b)",
    "full_text": "FULLTEXT KEY f (words), PRIMARY KEY (id), KEY b (b), FULLTEXT KEY g (c), KEY c (c)",
}


def test_keys_are_in_their_order_again_whichever_of_them_are_built_after_the_rows(
    server, make_schema, backup, run_module
):
    columns = "id INT NOT NULL AUTO_INCREMENT, a INT NOT NULL, b INT, c VARCHAR(40), words TEXT, place POINT NOT NULL"
    schema = make_schema(
        "CREATE TABLE parent (id INT PRIMARY KEY); INSERT INTO parent VALUES (1), (2);"
        + "".join(
            f"CREATE TABLE {name} ({columns}, {keys},"
            f" CONSTRAINT {name}_of FOREIGN KEY (a) REFERENCES parent (id), KEY behind (a, c));"
            f"INSERT INTO {name} VALUES (1, 1, 1, 'x', 'x y', POINT(1, 1)), (2, 2, 2, 'z', 'y z', POINT(2, 2));"
            for name, keys in KEYS.items()
        )
    )
    before = server.dump(schema)
    taken = backup(schema)
    server.execute(*(f"DELETE FROM {name}" for name in KEYS), schema=schema)

    options = {"backup": taken["path"], "strategy": "swap", "safety_backup": False}
    run_module("db_restore", options, settings={"_actions.staged_copy:_LATER_KEYS_BYTES": 0})

    assert server.dump(schema) == before


def test_a_key_that_a_versioned_table_refers_to_is_there_before_the_rows(server, make_schema, backup, run_module):
    # Such a table is not altered, so its foreign key is there from the start; which of both is made first matters.
    child = "(id INT PRIMARY KEY, code CHAR(40), CONSTRAINT %s FOREIGN KEY (code) REFERENCES parent (code))"
    schema = make_schema(
        "CREATE TABLE parent (id INT PRIMARY KEY, code CHAR(40), UNIQUE KEY by_code (code));"
        "INSERT INTO parent VALUES (1, 'x'), (2, 'y');"
        f"CREATE TABLE child {child % 'a'} WITH SYSTEM VERSIONING; INSERT INTO child VALUES (1, 'x');"
        f"CREATE TABLE second_child {child % 'b'} WITH SYSTEM VERSIONING; INSERT INTO second_child VALUES (1, 'y');"
        "UPDATE child SET code = 'y';"
    )
    before = server.dump(schema)
    taken = backup(schema)
    server.execute("DELETE FROM child", schema=schema)

    options = {"backup": taken["path"], "strategy": "swap", "safety_backup": False}
    run_module("db_restore", options, settings={"_actions.staged_copy:_LATER_KEYS_BYTES": 0})

    assert server.dump(schema) == before
    assert server.query("SELECT COUNT(*) FROM child FOR SYSTEM_TIME ALL", schema=schema) == [(2,)]


# The way back


def test_what_was_there_before_is_kept_and_comes_back_and_goes_again(server, busy, backup, run_module):
    before = server.dump(busy)
    taken = backup(busy)
    migrated = migrate(server, busy)
    done = run_module("db_restore", {"backup": taken["path"], "keep_previous": "1h", "safety_backup": False})
    assert beside(server, busy) == [done["previous"]["schema"]]

    undo = {"database": busy, "undo": True}
    foreseen = run_module("db_restore", undo, check=True)
    assert restored(server, busy, before)
    undone = run_module("db_restore", undo)

    assert undone["outcome"] == "restored"
    assert foreseen["removed_objects"] == undone["removed_objects"] == ["event nightly"]
    assert undone["previous"]["until"] == done["previous"]["until"]
    assert restored(server, busy, migrated)
    assert beside(server, busy) == [undone["previous"]["schema"]]

    # What the undoing replaced is kept as well.
    run_module("db_restore", undo)
    assert restored(server, busy, before)

    dropped = run_module("db_restore", {"database": busy, "drop_previous": True})
    assert len(dropped["dropped"]) == 1
    assert beside(server, busy) == []
    assert run_module("db_restore", {"database": busy, "drop_previous": True})["changed"] is False


def test_undoing_leaves_the_triggers_of_tables_alone_that_are_not_in_the_backup(server, busy, backup, run_module):
    server.execute(
        "CREATE TABLE session_log (id INT PRIMARY KEY)",
        "CREATE TRIGGER on_session BEFORE INSERT ON session_log FOR EACH ROW SET @seen = 1",
        schema=busy,
    )
    taken = backup(busy, exclude_tables=["session_log"])
    migrated = migrate(server, busy)
    run_module("db_restore", {"backup": taken["path"], "keep_previous": "1h", "safety_backup": False})

    run_module("db_restore", {"database": busy, "undo": True})

    assert restored(server, busy, migrated)
    run_module("db_restore", {"database": busy, "drop_previous": True})


def test_without_anything_kept_there_is_nothing_to_undo(server, busy, backup, run_module):
    taken = backup(busy)
    run_module("db_restore", {"backup": taken["path"], "safety_backup": False})

    failed = run_module("db_restore", {"database": busy, "undo": True}, fails=True)

    assert "nothing to undo" in failed.message
    assert "Nothing was touched" in failed.message


def test_what_is_kept_goes_with_the_first_restore_after_its_time(server, busy, backup, run_module):
    taken = backup(busy)
    options = {"backup": taken["path"], "safety_backup": False}
    kept = run_module("db_restore", {**options, "keep_previous": "1s"})["previous"]["schema"]
    longer = run_module("db_restore", {**options, "keep_previous": "1h"})["previous"]["schema"]
    assert beside(server, busy) in ([longer], [kept, longer], [longer, kept])
    time.sleep(1.2)

    run_module("db_restore", options)

    assert beside(server, busy) == [longer]


def test_what_is_still_there_after_its_time_comes_back_all_the_same(server, busy, backup, run_module):
    taken = backup(busy)
    migrated = migrate(server, busy)
    run_module("db_restore", {"backup": taken["path"], "safety_backup": False, "keep_previous": "1s"})
    time.sleep(1.2)

    undone = run_module("db_restore", {"database": busy, "undo": True})

    assert undone["outcome"] == "restored"
    assert restored(server, busy, migrated)


@pytest.mark.parametrize("option", ["undo", "drop_previous"])
def test_a_database_is_named_for_what_needs_no_backup(run_module, option):
    assert f"{option} needs the option database" in run_module("db_restore", {option: True}, fails=True).message
    both = run_module("db_restore", {option: True, "backup": "latest", "database": "shop"}, fails=True)
    assert "Give one of backup, undo and drop_previous" in both.message


def test_a_schema_that_only_looks_like_a_leftover_is_left_alone(server, make_schema, busy, backup, run_module):
    taken = backup(busy)
    lookalike = make_schema("CREATE TABLE mine (id INT)", name=f"{busy}__before_0123abcd")
    empty = make_schema(name=f"{busy}__before_archive")
    unborn = make_schema(name=f"{busy}__before_89abcdef")

    run_module("db_restore", {"backup": taken["path"], "safety_backup": False})

    assert sorted(beside(server, busy)) == sorted([lookalike, empty])
    assert unborn not in beside(server, busy)


@pytest.mark.parametrize("option", [{"undo": True}, {"drop_previous": True}, None])
def test_a_copy_of_what_is_kept_is_somebody_elses(server, make_schema, busy, backup, run_module, option):
    taken = backup(busy)
    restore = {"backup": taken["path"], "safety_backup": False}
    kept = run_module("db_restore", {**restore, "keep_previous": "1s" if option is None else "1h"})["previous"][
        "schema"
    ]
    copy = make_schema(server.dump(kept, "--skip-triggers"), name=f"{busy}_kept_for_audit")
    server.execute("CREATE TABLE mine (id INT)", schema=copy)
    copied = server.dump(copy)
    if option is None:
        time.sleep(1.2)

    done = run_module("db_restore", restore if option is None else {"database": busy, **option})

    assert server.dump(copy) == copied
    if option == {"drop_previous": True}:
        assert done["dropped"] == [kept]
    run_module("db_restore", {"database": busy, "drop_previous": True})
    assert beside(server, busy) == []


def test_what_is_dropped_is_foreseen_also_when_its_time_is_over(server, busy, backup, run_module):
    taken = backup(busy)
    options = {"backup": taken["path"], "safety_backup": False, "keep_previous": "1s"}
    kept = run_module("db_restore", options)["previous"]["schema"]
    time.sleep(1.2)

    drop = {"database": busy, "drop_previous": True}
    results = [run_module("db_restore", drop, check=True), run_module("db_restore", drop)]
    assert [(result["changed"], result["dropped"]) for result in results] == [(True, [kept])] * 2
    assert beside(server, busy) == []
    results = [run_module("db_restore", drop, check=True), run_module("db_restore", drop)]
    assert [(result["changed"], result["dropped"]) for result in results] == [(False, [])] * 2


RENAMED = """
CREATE TABLE city (id INT PRIMARY KEY);
CREATE TABLE {name} (id INT PRIMARY KEY, city INT, CONSTRAINT lives_in FOREIGN KEY (city) REFERENCES city (id));
INSERT INTO city VALUES (1);
INSERT INTO {name} VALUES (1, 1);
"""


@pytest.mark.parametrize(("then", "now"), [("customer", "person"), ("person", "customer")])
def test_a_table_that_was_renamed_since_comes_back_with_its_foreign_key(
    server, make_schema, backup, run_module, then, now
):
    # The names of foreign keys are unique in a schema, and this one is on both tables.
    schema = make_schema(RENAMED.format(name=then))
    before = server.dump(schema)
    taken = backup(schema)
    server.execute(f"RENAME TABLE {then} TO {now}", schema=schema)
    migrated = server.dump(schema)
    options = {"backup": taken["path"], "safety_backup": False, "strategy": "swap"}

    wrong = {"sql": "SELECT COUNT(*) FROM city", "rows": [[0]]}
    failed = run_module("db_restore", {**options, "queries": [wrong]}, fails=True)
    assert failed["outcome"] == "reverted", failed.message
    assert restored(server, schema, migrated)

    run_module("db_restore", {**options, "keep_previous": "1h"})
    assert restored(server, schema, before)
    run_module("db_restore", {"database": schema, "undo": True})
    assert restored(server, schema, migrated)
    run_module("db_restore", {"database": schema, "drop_previous": True})


@pytest.fixture(scope="module")
def blind_to_case(start_server):
    """A server that takes upper and lower case for the same, as on Windows: names become lower case."""
    server = start_server("--lower-case-table-names=1")
    yield server
    server.stop()


def test_a_server_that_spells_a_name_otherwise_has_it_spelled_its_way(
    blind_to_case, make_schema, shop_script, folder, run_module
):
    socket = {"login_unix_socket": blind_to_case.socket}
    shop = make_schema(shop_script, name="spelled", on=blind_to_case)
    before = blind_to_case.dump(shop)
    refused = run_module("db_backup", {"database": "Spelled", "directory": str(folder), **socket}, fails=True)
    assert "its word for Spelled is spelled" in refused.message
    assert list(folder.glob("*.sql*")) == []
    taken = run_module("db_backup", {"database": shop, "directory": str(folder), **socket})["backup"]
    blind_to_case.execute("DELETE FROM orders", schema=shop)
    emptied = blind_to_case.dump(shop)

    for options in ({"backup": taken["path"]}, {"undo": True}, {"drop_previous": True}):
        refused = run_module("db_restore", {"database": "Spelled", **options, **socket}, fails=True)
        assert "Say database: spelled" in refused.message
        assert "Nothing was touched" in refused.message
        assert restored(blind_to_case, shop, emptied)
    refused = run_module("db_restore", {"database": "NewOne", "backup": taken["path"], **socket}, fails=True)
    assert "Say database: newone" in refused.message

    run_module("db_restore", {"backup": taken["path"], **socket})
    assert restored(blind_to_case, shop, before)


def test_names_that_a_server_would_turn_into_lower_case_are_refused_before_anything(
    server, blind_to_case, make_schema, backup, run_module
):
    schema = make_schema("CREATE TABLE Orders (id INT PRIMARY KEY); CREATE TABLE customer (id INT PRIMARY KEY)")
    taken = backup(schema)
    options = {"backup": taken["path"], "login_unix_socket": blind_to_case.socket}

    for check in (True, False):
        refused = run_module("db_restore", options, check=check, fails=True)
        assert "would turn into lower case (lower_case_table_names is 1): Orders" in refused.message
        assert "Nothing was touched" in refused.message
    assert (schema,) not in blind_to_case.query("SHOW DATABASES")


@pytest.mark.parametrize("strategy", ["swap", "in_place"])
def test_a_limit_to_the_time_of_a_statement_does_not_end_a_restore(server, busy, backup, run_module, strategy):
    before = server.dump(busy)
    taken = backup(busy)
    migrate(server, busy)
    # A session keeps the limit that there was when it began.
    with contextlib.closing(server.connect()) as unlimited, unlimited.cursor() as cursor:
        cursor.execute("SET GLOBAL max_statement_time = 0.001")
        try:
            done = run_module("db_restore", {"backup": taken["path"], "strategy": strategy})
        finally:
            cursor.execute("SET GLOBAL max_statement_time = 0")
    assert done["outcome"] == "restored"
    assert restored(server, busy, before)


# Failures in the middle


STEPS = {
    "before the copy is built": "_actions.restore:create_schema",
    "before the copy is compared": "_actions.restore:require_copy",
    "before the triggers go": "_actions.swapping:drop_triggers",
    "before the renaming": "_actions.swapping:rename",
    "after the renaming": "_actions.swapping:_bodies_gone",
    "between the renaming and the views": "_actions.swapping:_load_bodies",
    "before it is compared again": "_actions.restore:require_equal",
    "before it is committed": "_actions.restore:commit",
}


@pytest.mark.parametrize("step", list(STEPS))
def test_a_failure_at_any_step_is_reverted(server, busy, backup, run_module, step):
    taken = backup(busy)
    migrated = migrate(server, busy)

    failed = run_module("db_restore", {"backup": taken["path"]}, fails=True, fault=(STEPS[step], "raise"))

    assert failed["outcome"] == "reverted", failed.message
    assert "a fault was injected" in failed.message
    assert restored(server, busy, migrated)
    assert beside(server, busy) == []


@pytest.mark.parametrize("step", list(STEPS))
def test_a_module_that_is_killed_at_any_step_is_put_right_by_the_next_run(
    server, busy, backup, start_module, run_module, step
):
    before = server.dump(busy)
    taken = backup(busy)
    migrated = migrate(server, busy)
    options = {"backup": taken["path"], "safety_backup": False}

    def kill() -> None:
        assert start_module("db_restore", options, fault=(STEPS[step], "kill")).wait() == -signal.SIGKILL
        assert beside(server, busy)

    kill()
    # In check mode it is explained, and nothing is done.
    for foreseen in (options, {"database": busy, "undo": True}):
        assert "was interrupted" in str(run_module("db_restore", foreseen, check=True)["warnings"])
    assert beside(server, busy)
    # Undoing takes back what was interrupted...
    undone = run_module("db_restore", {"database": busy, "undo": True})
    assert undone["outcome"] == "restored"
    assert "was interrupted" in str(undone["warnings"])
    assert restored(server, busy, migrated)
    assert beside(server, busy) == []

    # ...and so does the next restore, before it begins.
    kill()
    done = run_module("db_restore", {**options, "keep_previous": "1h"})
    assert "was interrupted" in str(done["warnings"])
    assert restored(server, busy, before)
    run_module("db_restore", {"database": busy, "undo": True})
    assert restored(server, busy, migrated)
    run_module("db_restore", {"database": busy, "drop_previous": True})


def test_a_module_that_is_told_to_stop_when_it_has_compared_puts_away_what_was_there_before(
    server, busy, backup, run_module
):
    before = server.dump(busy)
    taken = backup(busy)
    migrated = migrate(server, busy)
    options = {"backup": taken["path"], "safety_backup": False}

    kept = run_module("db_restore", {**options, "keep_previous": "1h"}, fault=("_actions.restore:put_away", "stop"))
    assert kept["outcome"] == "restored"
    assert restored(server, busy, before)
    assert beside(server, busy) == [kept["previous"]["schema"]]

    undo = {"database": busy, "undo": True}
    undone = run_module("db_restore", undo, fault=("_actions.undo:put_away", "stop"))
    assert undone["outcome"] == "restored"
    assert restored(server, busy, migrated)
    assert beside(server, busy) == [undone["previous"]["schema"]]
    run_module("db_restore", {"database": busy, "drop_previous": True})

    done = run_module("db_restore", options, fault=("_actions.swapping:forget", "stop"))
    assert done["outcome"] == "restored"
    assert restored(server, busy, before)
    assert beside(server, busy) == []


def test_what_was_compared_is_never_taken_back_whoever_dies_afterwards(server, busy, backup, start_module, run_module):
    before = server.dump(busy)
    options = {"backup": backup(busy)["path"], "safety_backup": False}
    migrate(server, busy)
    killed = start_module("db_restore", options, fault=("_actions.restore:put_away", "kill"))
    assert killed.wait() == -signal.SIGKILL
    server.execute("INSERT INTO customer (id, name) VALUES (99, 'came after the restore')", schema=busy)
    after = server.dump(busy)
    assert after != before

    dropped = run_module("db_restore", {"database": busy, "drop_previous": True})

    assert "could not remove, is removed" in str(dropped["warnings"])
    assert restored(server, busy, after)
    assert beside(server, busy) == []


def test_what_cannot_be_put_away_is_said_and_goes_with_the_next_restore(server, busy, backup, run_module):
    before = server.dump(busy)
    options = {"backup": backup(busy)["path"], "safety_backup": False}
    migrate(server, busy)

    done = run_module("db_restore", options, fault=("_database.staging:remove", "full"))
    (left,) = [each for each in beside(server, busy) if "__before_" in each]

    assert done["outcome"] == "restored"
    assert f"{left} could not be put away, the next restore does it: " in str(done["warnings"])
    again = run_module("db_restore", options)
    assert f"{left}, which the restore of" in str(again["warnings"])
    assert restored(server, busy, before)
    assert beside(server, busy) == []


def test_what_is_half_restored_is_not_backed_up(server, busy, folder, backup, start_module, run_module):
    options = {"backup": backup(busy)["path"], "safety_backup": False}
    step = STEPS["between the renaming and the views"]
    assert start_module("db_restore", options, fault=(step, "kill")).wait() == -signal.SIGKILL

    refused = run_module("db_backup", {"database": busy, "directory": str(folder)}, fails=True)

    assert f"is in the middle of its swap, so {busy} may be half" in refused.message
    assert f"undo: true and database: {busy}" in refused.message
    run_module("db_restore", {"database": busy, "undo": True})
    backup(busy)


def test_a_module_that_is_killed_before_it_has_noted_anything_leaves_nothing(
    server, busy, backup, start_module, run_module
):
    options = {"backup": backup(busy)["path"], "safety_backup": False}
    killed = start_module("db_restore", options, fault=("_database.staging:write", "kill"))
    assert killed.wait() == -signal.SIGKILL
    assert len(beside(server, busy)) == 1

    run_module("db_restore", options)

    assert beside(server, busy) == []


def test_an_undoing_that_is_killed_leaves_what_is_kept(server, busy, backup, start_module, run_module):
    before = server.dump(busy)
    taken = backup(busy)
    migrated = migrate(server, busy)
    run_module("db_restore", {"backup": taken["path"], "keep_previous": "1h", "safety_backup": False})
    undo = {"database": busy, "undo": True}

    process = start_module("db_restore", undo, fault=("_actions.swapping:_load_bodies", "kill"))
    assert process.wait() == -signal.SIGKILL

    # The undoing is what was interrupted, so it is taken back first; then it can be done.
    run_module("db_restore", undo)
    assert restored(server, busy, before)
    run_module("db_restore", undo)
    assert restored(server, busy, migrated)
    run_module("db_restore", {"database": busy, "drop_previous": True})
    assert beside(server, busy) == []


@pytest.fixture
def own_server(start_server, make_schema, shop_script):
    """A server that may be killed, with the busy shop on it: the server, the schema, and the connection's option."""
    server = start_server()
    schema = make_schema(shop_script, on=server)
    make_busy(server, schema)
    yield server, schema, {"login_unix_socket": server.socket}
    server.stop()


@pytest.mark.parametrize("step", list(STEPS))
def test_a_server_that_is_killed_at_any_step_and_comes_back_leaves_one_of_both(own_server, backup, start_module, step):
    server, busy, socket = own_server
    before = server.dump(busy)
    taken = backup(busy, **socket)
    migrated = migrate(server, busy)
    options = {"backup": taken["path"], "safety_backup": False, **socket}
    supervisor = threading.Thread(target=lambda: (server.process.wait(60), server.start()))
    supervisor.start()

    done = start_module("db_restore", options, fault=(STEPS[step], server.process.pid)).end()
    supervisor.join()

    # The last comparison has been asked for by then, so what is left is to say so and to put the old tables away.
    over = step in ("before it is compared again", "before it is committed")
    assert done["outcome"] == ("restored" if over else "reverted"), done.result
    assert restored(server, busy, before if over else migrated)
    assert beside(server, busy) == []


def test_a_server_that_is_killed_during_the_renaming_leaves_one_of_both(own_server, backup, start_module, run_module):
    server, busy, socket = own_server
    taken = backup(busy, **socket)
    migrate(server, busy)
    # With triggers on them the tables would be waited for before the renaming.
    server.execute("DROP TRIGGER made_since_too", "DROP TRIGGER orders_check", schema=busy)
    migrated = server.dump(busy)
    options = {"backup": taken["path"], "safety_backup": False, **socket}
    module = start_module("db_restore", options)
    with contextlib.closing(server.connect(busy)) as holder, holder.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("SELECT COUNT(*) FROM orders")
        module.wait_for(lambda: any("RENAME" in (row[7] or "") for row in server.query("SHOW FULL PROCESSLIST")))
        supervisor = threading.Timer(1, server.start)
        server.kill()
        supervisor.start()
        failed = module.end()
        supervisor.join()

    assert failed["outcome"] == "reverted"
    assert restored(server, busy, migrated)
    assert beside(server, busy) == []


@pytest.fixture
def full_server(start_server):
    """A server whose data directory lies on a disk with little room left, and the function that fills it."""
    if os.geteuid() != 0:
        pytest.skip("a small tmpfs can only be mounted as root")
    server = start_server()
    server.stop()
    aside = server.datadir.rename(server.place / "aside")
    server.datadir.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512m,mode=0755", "tmpfs", str(server.datadir)], check=True)

    def leave(count: int) -> None:
        room = os.statvfs(server.datadir)
        with open(server.datadir / "filler", "wb") as filler:
            os.posix_fallocate(filler.fileno(), 0, room.f_bavail * room.f_frsize - count)

    try:
        subprocess.run(["cp", "-a", f"{aside}/.", str(server.datadir)], check=True)
        yield server.start(), leave
    finally:
        server.stop()
        subprocess.run(["umount", str(server.datadir)], check=True)


def test_a_data_directory_that_fills_up_while_the_copy_is_built_is_reverted(
    full_server, make_schema, backup, run_module
):
    server, leave = full_server
    schema = make_schema("CREATE TABLE bulky (id INT PRIMARY KEY, text CHAR(250)) CHARACTER SET latin1;", on=server)
    server.execute("INSERT INTO bulky SELECT seq, REPEAT(MD5(seq), 7) FROM seq_1_to_100000", schema=schema)
    options = {"backup": backup(schema, login_unix_socket=server.socket)["path"], "login_unix_socket": server.socket}
    before = server.dump(schema)
    leave(10_000_000)

    # It is seen beforehand...
    seen = run_module("db_restore", options, check=True)
    assert "there is no room for a second copy" in seen["strategy_reason"]
    # ...and where the room goes only then, it does no harm.
    no_care = {"_actions.strategy:_ROOM_FACTOR": 0, "_actions.strategy:_SPARE_BYTES": 0}
    failed = run_module("db_restore", {**options, "safety_backup": False}, settings=no_care, fails=True)

    assert failed["outcome"] == "reverted"
    assert "is full" in failed.message
    assert server.dump(schema) == before
    assert beside(server, schema) == []
    (server.datadir / "filler").unlink()
    assert run_module("db_restore", options)["outcome"] == "restored"


def test_broken_names_the_one_step_that_puts_it_right(own_server, backup, start_module, run_module):
    server, busy, socket = own_server
    taken = backup(busy, **socket)
    migrated = migrate(server, busy)
    options = {"backup": taken["path"], "safety_backup": False, **socket}

    failed = start_module(
        "db_restore",
        options,
        fault=("_actions.swapping:_load_bodies", server.process.pid),
        settings={"_actions.target:_SERVER_RETURN_SECONDS": 2},
    ).end()
    assert failed["outcome"] == "broken"
    assert failed.message.startswith("BROKEN: ")
    server.process.wait(60)
    server.start()

    command = re.search(r"db_restore -a '(.*)'", failed.message).group(1)
    done = run_module("db_restore", {**dict(each.split("=", 1) for each in shlex.split(command)), **socket})

    assert done["outcome"] == "restored"
    assert restored(server, busy, migrated)
    assert beside(server, busy) == []


def test_a_connection_that_is_cut_while_it_loads_is_reverted(server, busy, backup, start_module):
    taken = backup(busy)
    rewrite(taken, before_table("orders", "DO SLEEP(60)"))
    migrated = migrate(server, busy)
    module = start_module("db_restore", {"backup": taken["path"], "safety_backup": False})

    def loading() -> list:
        rows = server.query("SHOW FULL PROCESSLIST")
        return [row[0] for row in rows if (row[3] or "").startswith(f"{busy}__") and "SLEEP" in (row[7] or "")]

    (connection,) = module.wait_for(loading)
    server.execute(f"KILL CONNECTION {connection}")
    failed = module.end()

    assert failed["outcome"] == "reverted"
    assert restored(server, busy, migrated)
    assert beside(server, busy) == []


def test_two_restores_of_a_database_do_not_meet_wherever_they_run(
    server, busy, backup, start_module, run_module, tmp_path
):
    taken = backup(busy)
    rewrite(taken, before_table("orders", "DO SLEEP(4)"))
    elsewhere = {"backup": taken["path"], "directory": str(tmp_path / "of another host"), "safety_backup": False}
    module = start_module("db_restore", {"backup": taken["path"], "safety_backup": False})
    module.wait_for(lambda: beside(server, busy))

    failed = run_module("db_restore", elsewhere, fails=True)

    assert f"Another restore of {busy} is at work: connection" in failed.message
    assert module.end().status == 0


# Room and rights


def test_a_swap_without_room_for_a_second_copy_is_none(server, busy, backup, run_module):
    before = server.dump(busy)
    taken = backup(busy)
    migrate(server, busy)
    scarce = {"_actions.strategy:_SPARE_BYTES": 2**60}

    refused = run_module("db_restore", {"backup": taken["path"], "strategy": "swap"}, fails=True, settings=scarce)
    assert "there is no room for a second copy" in refused.message
    assert "Nothing was touched" in refused.message
    done = run_module("db_restore", {"backup": taken["path"]}, settings=scarce)

    assert done["strategy"] == "in_place"
    assert "there is no room for a second copy" in done["strategy_reason"]
    assert restored(server, busy, before)


def test_an_account_without_rights_beside_the_database_restores_in_place_or_is_told_the_grant(
    server, busy, backup, run_module
):
    taken = backup(busy)
    account = {"login_user": f"{busy}_user", "login_password": "x"}
    name = f"{busy}_user@localhost"
    server.execute(
        f"CREATE USER {name} IDENTIFIED BY 'x'",
        f"GRANT ALL ON `{busy}`.* TO {name}",
        f"GRANT SELECT ON mysql.proc TO {name}",
        f"GRANT SET USER ON *.* TO {name}",
    )
    try:
        options = {"backup": taken["path"], **account}
        assert run_module("db_restore", options)["strategy"] == "in_place"
        refused = run_module("db_restore", {**options, "strategy": "swap"}, fails=True)
        server.execute(re.search(r"GRANT .*? TO '[^']+'@'[^']+'", refused.message).group())
        done = run_module("db_restore", {**options, "strategy": "swap", "keep_previous": "1h"})
        assert done["outcome"] == "restored"
        run_module("db_restore", {"database": busy, "undo": True, **account})
        run_module("db_restore", {"database": busy, "drop_previous": True, **account})
    finally:
        server.execute(f"DROP USER {name}")
    assert beside(server, busy) == []


def test_a_default_that_names_a_sequence_of_the_schema_forbids_a_swap(server, busy, backup, run_module):
    # A rename does not change it: it would go on counting in the schema that the sequence has left.
    server.execute(
        "CREATE TABLE numbered (id INT DEFAULT (NEXTVAL(tickets)) PRIMARY KEY, word VARCHAR(10))",
        "INSERT INTO numbered (word) VALUES ('first')",
        schema=busy,
    )
    before = server.dump(busy)
    taken = backup(busy)

    refused = run_module("db_restore", {"backup": taken["path"], "strategy": "swap"}, fails=True)
    assert "a default names a sequence of the schema itself, in numbered" in refused.message
    assert "Nothing was touched" in refused.message
    done = run_module("db_restore", {"backup": taken["path"]})
    assert done["strategy"] == "in_place"
    assert "a default names a sequence of the schema itself" in done["strategy_reason"]
    assert restored(server, busy, before)


def test_foreign_keys_from_tables_that_stay_forbid_a_swap(server, make_schema, busy, backup, run_module):
    taken = backup(busy)
    other = make_schema(
        "CREATE TABLE guest (id INT PRIMARY KEY, c INT,"
        f" CONSTRAINT guest_of FOREIGN KEY (c) REFERENCES `{busy}`.customer (id))"
    )

    refused = run_module("db_restore", {"backup": taken["path"], "strategy": "swap"}, fails=True)
    assert f"guest_of of {other}.guest refers to customer" in refused.message
    assert run_module("db_restore", {"backup": taken["path"]})["strategy"] == "in_place"
    assert f"REFERENCES `{busy}`.`customer`" in server.query("SHOW CREATE TABLE guest", schema=other)[0][1]
    server.execute("DROP TABLE guest", schema=other)
