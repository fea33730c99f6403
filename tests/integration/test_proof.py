# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A backup is proved by restoring it into a scratch server, which leaves nothing behind and touches nothing else."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import stat
import time
from pathlib import Path

import pymysql
import pytest
from handmade import before_table, plain_text, rewrite
from private_server import server_account

DEMANDING = Path(__file__).with_name("demanding_schema.sql").read_text()
RUNGS = ["scratch_server", "load", "inventory", "rows", "dump_back", "check_table"]
HOLD = {"name": "hold", "sql": "SELECT SLEEP(60)"}


def failures(result: dict) -> dict[str, str]:
    """The checks of severity error that failed, with their words."""
    return {
        each["name"]: each["detail"] for each in result["checks"] if not each["passed"] and each["severity"] == "error"
    }


def evidence(backup: dict) -> list[dict]:
    return json.loads(Path(backup["manifest_path"]).read_text())["verifications"]


@pytest.fixture
def scratch(short_folder):
    """A place for scratch servers where nobody else has one."""
    place = short_folder / f"scratch{time.monotonic_ns() % 100000}"
    place.mkdir()
    place.chmod(0o755)
    yield place
    shutil.rmtree(place, ignore_errors=True)


def server_in(place: Path) -> int | None:
    """The process of the scratch server below a place that answers on its socket."""
    for pid_file in place.glob("dbops-scratch-*/pid"):
        with contextlib.suppress(OSError, ValueError):
            return int(pid_file.read_text())
    return None


def processes_in(place: Path) -> dict[int, str]:
    """Every process that names the place on its command line (not those that only wait to be reaped)."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and entry.name != str(os.getpid()):
            with contextlib.suppress(OSError):
                words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                if f"{place}/dbops-scratch-" in words:
                    found[int(entry.name)] = words
    return found


def wait_until(condition, seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "what was waited for did not happen"
        time.sleep(0.02)


# Good backups


def test_a_demanding_backup_is_proved_with_every_check_passed(server, make_schema, run_module, backup, scratch):
    schema = make_schema()
    server.load(schema, DEMANDING, "--comments")
    server.execute(
        "CREATE USER app@'10.1.%'",
        "CREATE ROLE IF NOT EXISTS reader",
        f"GRANT SELECT ON `{schema}`.* TO app@'10.1.%'",
        f"GRANT SELECT ON `{schema}`.* TO reader",
    )
    server.execute(
        "CREATE DEFINER=app@'10.1.%' VIEW `of the app` AS SELECT id, name FROM customer",
        "CREATE DEFINER=reader VIEW `of a role` AS SELECT id FROM customer",
        "CREATE DEFINER=app@'10.1.%' PROCEDURE `by the app`() SELECT 1",
        schema=schema,
    )
    taken = backup(schema, non_transactional="lock")
    # Neither is there when the backup is proved: the scratch server has no accounts but its own.
    server.execute("DROP USER app@'10.1.%'", "DROP ROLE reader")
    manifest = json.loads(Path(taken["manifest_path"]).read_text())

    proved = run_module(
        "backup_verify",
        {
            "backup": taken["path"],
            "level": "restore",
            "scratch_directory": str(scratch),
            "queries": [{"sql": "SELECT COUNT(*) FROM `of the app`", "rows": [[4]]}],
        },
    )

    assert [each["name"] for each in proved["checks"]] == [
        "exists",
        "size",
        "magic",
        "stored_sha256",
        "decompress",
        "plain_sha256",
        "frame",
        "sql",
        "sections",
        "objects",
        *RUNGS,
        "query: SELECT COUNT(*) FROM `of the app`",
    ]
    assert [each for each in proved["checks"] if not each["passed"]] == []
    assert manifest["rows"]["counted"] == "in the dump"
    # Two rows were entered, one of them was changed and the other deleted.
    assert manifest["rows"]["tables"]["prices"] == 3
    assert manifest["rows"]["tables"]["no_key"] == 3
    (entry,) = evidence(taken)
    assert {key: entry[key] for key in ("level", "verified", "host")} == {
        "level": "restore",
        "verified": True,
        "host": os.uname().nodename,
    }
    assert entry["checks"] == proved["checks"]
    assert list(scratch.iterdir()) == []


def test_rows_counted_beside_the_dump_hold_the_history_too(server, make_schema, backup, monkeypatch):
    from ansible_collections.dbops.recovery.plugins.module_utils._database.source import count_rows

    schema = make_schema(
        "CREATE TABLE prices (id INT PRIMARY KEY, price INT) WITH SYSTEM VERSIONING;"
        "INSERT INTO prices VALUES (1, 10); UPDATE prices SET price = 11; CREATE TABLE `a b` (id INT);"
    )
    with contextlib.closing(server.connect()) as connection:
        assert count_rows(connection, schema, ["prices", "a b"]) == {"prices": 2, "a b": 0}


def test_an_empty_schema_is_proved_without_a_false_alarm(make_schema, backup, verify_here):
    result = verify_here(backup(make_schema())["path"])

    assert [each for each in result["checks"] if not each["passed"]] == []


def test_a_row_too_long_to_be_loaded_again_is_warned_of_and_refused_before_anything_is_touched(
    start_server, make_schema, run_module, folder, verify_here
):
    """Bytes are dumped as hexadecimal digits, so a row takes twice its size when it is loaded."""
    server = start_server("--max-allowed-packet=2M")
    schema = make_schema(
        "CREATE TABLE films (id INT PRIMARY KEY, film LONGBLOB);"
        "INSERT INTO films VALUES (1, REPEAT(X'00FF', 750000)), (2, 'short');",
        on=server,
    )
    here = {"login_unix_socket": server.socket}
    run = run_module("db_backup", {"database": schema, "directory": str(folder), **here})
    taken = run["backup"]
    before = server.dump(schema)

    result = verify_here(taken["path"])
    failed = run_module("db_restore", {"backup": taken["path"], "safety_backup": False, **here}, fails=True)
    server.execute("UPDATE films SET film = 'cut' WHERE id = 1", schema=schema)
    small = run_module("db_backup", {"database": schema, "directory": str(folder), **here})["backup"]
    server.execute("UPDATE films SET film = REPEAT(X'00FF', 750000) WHERE id = 1", schema=schema)
    no_way_back = run_module("db_restore", {"backup": small["path"], **here}, fails=True)

    assert "would not take it back: its longest statement has 2.9 MiB" in json.dumps(run["warnings"])
    assert result["verified"] is True, result
    for refused in (failed, no_way_back):
        assert "its longest statement has 2.9 MiB, and the server takes at most 2.0 MiB" in refused.message
        assert "Nothing was touched" in refused.message
    assert server.dump(schema) == before
    server.execute(re.search(r"SET GLOBAL max_allowed_packet = \d+", failed.message).group())
    run_module("db_restore", {"backup": taken["path"], **here})
    assert server.dump(schema) == before
    server.stop()


# Evidence


def test_every_verification_leaves_its_evidence_also_one_that_failed(shop, backup, verify_here):
    taken = backup(shop)

    assert verify_here(taken["path"], "content")["changed"] is True
    assert verify_here(taken["path"], "file", min_size="1G")["verified"] is False
    assert verify_here(taken["path"], "restore", queries=[{"sql": "SELECT 1", "rows": [[2]]}])["verified"] is False

    entries = evidence(taken)
    assert [(each["level"], each["verified"]) for each in entries] == [
        ("content", True),
        ("file", False),
        ("restore", False),
    ]
    assert "at least 1.0 GiB wanted" in {each["name"]: each for each in entries[1]["checks"]}["min_size"]["detail"]
    assert all(each["time"] and each["host"] and each["seconds"] >= 0 for each in entries)
    for each in entries[2]["checks"]:
        assert each.keys() == {"name", "passed", "severity", "detail", "seconds"}


@pytest.mark.parametrize(("options", "check"), [({}, True), ({"record": False}, False)])
def test_no_evidence_is_written_in_check_mode_or_when_it_is_not_wanted(shop, backup, run_module, options, check):
    taken = backup(shop)
    before = Path(taken["manifest_path"]).read_bytes()

    verified = run_module("backup_verify", {"backup": taken["path"], **options}, check=check)

    assert verified["verified"] is True
    assert verified["changed"] is False
    assert Path(taken["manifest_path"]).read_bytes() == before


def test_evidence_that_cannot_be_written_is_a_warning_and_no_failure(shop, backup, run_module):
    taken = backup(shop)

    verified = run_module("backup_verify", {"backup": taken["path"]}, fault=["_archive.manifest:write_whole", "raise"])

    assert verified["verified"] is True
    assert verified["changed"] is False
    assert "the evidence could not be written" in json.dumps(verified["warnings"])
    assert evidence(taken) == []


# The user's own queries


def test_the_users_own_queries_are_asked_of_the_copy(shop, backup, verify_here):
    taken = backup(shop)
    good = [
        {
            "name": "rows",
            "sql": "SELECT id, name FROM customer WHERE id < 3 ORDER BY id",
            "rows": [[1, "Ada"], [2, "Grace"]],
        },
        {"name": "null and decimals", "sql": "SELECT NULL, 10.00", "rows": [[None, "10.00"]]},
        {"name": "no rows", "sql": "SELECT id FROM customer WHERE id > 99", "rows": []},
        {"name": "between", "sql": "SELECT SUM(total) FROM orders", "min": 360.49, "max": 360.49},
        {"name": "just asked", "sql": "SELECT * FROM big_orders"},
    ]
    bad = [
        {"name": "other rows", "sql": "SELECT name FROM customer WHERE id = 1", "rows": [["Bob"]]},
        {"name": "too few", "sql": "SELECT COUNT(*) FROM orders", "min": 4},
        {"name": "too many", "sql": "SELECT COUNT(*) FROM orders", "max": 2.5},
        {"name": "not a number", "sql": "SELECT MIN(name) FROM customer", "min": 1},
        {"name": "nothing", "sql": "SELECT MAX(total) FROM orders WHERE id > 99", "min": 0},
        {"name": "several", "sql": "SELECT total FROM orders", "min": 0},
        {"name": "refused", "sql": "SELECT nothing FROM nowhere"},
    ]

    result = verify_here(taken["path"], queries=good + bad)

    words = failures(result)
    assert list(words) == [f"query: {each['name']}" for each in bad]
    assert words["query: other rows"] == "Ada, wanted Bob"
    assert words["query: too few"] == "3, at least 4 wanted"
    assert words["query: too many"] == "3, at most 2.5 wanted"
    assert "Ada came" in words["query: not a number"]
    assert "NULL came" in words["query: nothing"]
    assert "one value" in words["query: several"]
    assert f"Table '{shop}.nowhere' doesn't exist" in words["query: refused"]
    assert "- query: too few: 3, at least 4 wanted" in result["msg"]


def test_the_users_own_commands_reach_the_copy(shop, backup, verify_here):
    taken = backup(shop)
    ask = "mariadb --no-defaults -u root -BN -e"
    result = verify_here(
        taken["path"],
        commands=[
            {"name": "clients find the socket by themselves", "command": f"{ask} 'SELECT COUNT(*) FROM {shop}.orders'"},
            {
                "name": "an application is told by its own names",
                "command": """sh -c 'mariadb --no-defaults -S "$SOCKET" -u "$DBOPS_USER" -BN -e "SELECT 7" "$NAME"'""",
                "environment": {"SOCKET": "{socket}", "NAME": "{database}"},
            },
            {"command": f"{ask} 'SELECT * FROM {shop}.customer_loyalty'"},
            {
                "name": "a secret",
                "command": "sh -c 'echo it is $API_TOKEN; exit 3'",
                "environment": {"API_TOKEN": "hunter2000"},
            },
            {"name": "no such program", "command": "/no/such/program"},
        ],
    )
    found = {each["name"]: (each["passed"], each["detail"]) for each in result["checks"] if "command" in each["name"]}
    assert found["command: clients find the socket by themselves"] == (True, "3")
    assert found["command: an application is told by its own names"] == (True, "7")
    passed, detail = found[f"command: {ask} 'SELECT * FROM {shop}.customer_loyalty'"]
    assert not passed
    assert "doesn't exist" in detail
    assert found["command: a secret"][0] is False
    assert "it is ********" in found["command: a secret"][1]
    assert "hunter2000" not in str(result)
    assert found["command: no such program"][0] is False
    assert "No such file" in found["command: no such program"][1]
    assert result["verified"] is False


def test_a_rehearsal_runs_no_command(shop, backup, verify_here, tmp_path):
    command = {"command": f"touch {tmp_path}/touched"}
    result = verify_here(backup(shop)["path"], check=True, commands=[command])
    (check,) = (each for each in result["checks"] if "command" in each["name"])
    assert (check["passed"], check["severity"], check["detail"]) == (False, "info", "not run in check mode")
    assert not (tmp_path / "touched").exists()
    assert result["verified"] is True


def test_what_the_commands_are_told_is_in_no_result(shop, backup, run_module):
    told = {"command": "true", "environment": {"API_TOKEN": "hunter2000"}}
    order = {"backup": backup(shop)["path"], "level": "restore", "commands": [told]}
    assert "hunter2000" not in run_module("backup_verify", order).output


# Backups whose checksums are right and which are bad all the same


def test_a_row_that_is_missing_is_found_by_counting_and_by_dumping_back(shop, backup, verify_here):
    taken = backup(shop)
    rewrite(taken, lambda text: text.replace(b"(1,1,10.00),\n", b""))

    words = failures(verify_here(taken["path"]))

    # Dumped back it is what the archive holds, so the count alone can tell.
    assert words == {"rows": "orders has 2, the manifest 3"}


def test_a_row_that_the_dump_itself_takes_away_is_found(shop, backup, verify_here):
    taken = backup(shop)
    rewrite(
        taken,
        lambda text: text.replace(
            b"-- Dump completed", b"UPDATE orders SET total = 1 WHERE id = 1;\n-- Dump completed"
        ),
    )

    words = failures(verify_here(taken["path"]))

    assert words == {"dump_back": "other bytes: rows of orders"}


def test_a_definition_that_changed_is_named(shop, backup, verify_here):
    taken = backup(shop)
    rewrite(taken, lambda text: text.replace(b"`name` varchar(80)", b"`name` varchar(70)"))

    words = failures(verify_here(taken["path"]))

    assert words == {"inventory": "changed: table customer"}


def test_a_trigger_that_is_missing_is_named(shop, backup, verify_here):
    taken = backup(shop)
    rewrite(taken, lambda text: text.replace(b"-- Dump completed", b"DROP TRIGGER orders_check;\n-- Dump completed"))

    words = failures(verify_here(taken["path"]))

    assert words.keys() == {"inventory", "dump_back"}
    assert words["inventory"] == "missing: trigger orders_check"
    assert "triggers of orders" in words["dump_back"]


def test_a_table_that_is_missing_is_named_and_the_other_checks_are_made(shop, backup, verify_here):
    taken = backup(shop)
    rewrite(
        taken,
        lambda text: text.replace(
            b"-- Dump completed", b"DROP VIEW big_orders;\nDROP TABLE orders;\n-- Dump completed"
        ),
    )

    words = failures(verify_here(taken["path"], queries=[{"sql": "SELECT COUNT(*) FROM customer", "min": 3}]))

    assert words.keys() == {"inventory", "rows", "dump_back"}
    assert words["inventory"] == "missing: table orders, trigger orders_check, view big_orders"
    assert words["rows"] == "orders is not there"


def test_sql_that_does_not_load_is_shown_in_the_servers_words(shop, backup, verify_here):
    taken = backup(shop)
    rewrite(taken, before_table("orders", "INSERT INTO nowhere VALUES (1)"))

    result = verify_here(taken["path"])

    words = failures(result)
    assert words.keys() == {"load"}
    assert f"Table '{shop}.nowhere' doesn't exist" in words["load"]
    assert evidence(taken)[-1]["verified"] is False


def test_a_warning_while_loading_is_shown_and_nothing_is_left_unchecked(shop, backup, verify_here):
    taken = backup(shop)
    rewrite(
        taken,
        lambda text: text.replace(
            b"-- Dump completed", b"SET sql_mode='';\nUPDATE orders SET total = 'x' WHERE id = 1;\n-- Dump completed"
        ),
    )

    result = verify_here(taken["path"], queries=[{"sql": "SELECT 1"}])

    load = {each["name"]: each for each in result["checks"]}["load"]
    assert (load["passed"], load["severity"]) == (False, "warning")
    assert (
        "Truncated incorrect DECIMAL value: 'x'" in load["detail"] or "Incorrect decimal value: 'x'" in load["detail"]
    )
    assert failures(result) == {"dump_back": "other bytes: rows of orders"}
    assert result["checks"][-1]["name"] == "query: SELECT 1"


# The scratch server


def test_the_scratch_server_is_alone_unprivileged_and_gone_after_sigterm(
    make_schema, backup, start_module, scratch, shop_script
):
    schema = make_schema(
        shop_script + "CREATE EVENT tick ON SCHEDULE EVERY 1 SECOND DO INSERT INTO customer (name) VALUES ('tick');"
    )
    taken = backup(schema)
    module = start_module(
        "backup_verify",
        {"backup": taken["path"], "level": "restore", "scratch_directory": str(scratch), "queries": [HOLD]},
    )
    (folder,) = module.wait_for(lambda: list(scratch.iterdir()))

    module.wait_for(lambda: answers(folder))

    def held() -> bool:
        with contextlib.closing(connected(folder)) as connection:
            return any("SLEEP" in str(row[7]) for row in asked(connection, "SHOW FULL PROCESSLIST") if row[3] == schema)

    module.wait_for(held)
    pid = server_in(scratch)

    assert re.search(r"^Uid:\t(\d+)\t\1\t\1\t\1$", status_of(pid), re.MULTILINE)
    uid = os.stat(f"/proc/{pid}").st_uid
    assert uid != 0
    assert uid == server_account().pw_uid
    assert "CapEff:\t0000000000000000" in status_of(pid)
    assert tcp_sockets_of(pid) == []
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    with contextlib.closing(connected(folder)) as connection:
        assert asked(connection, "SELECT @@skip_networking, @@event_scheduler, @@log_bin") == [(1, "OFF", 0)]
        assert asked(connection, "SELECT @@datadir") == [(f"{folder}/data/",)]
        before = asked(connection, f"SELECT COUNT(*) FROM `{schema}`.customer")
        assert asked(connection, f"SHOW EVENTS FROM `{schema}` LIKE 'tick'")
        time.sleep(2.2)
        assert asked(connection, f"SELECT COUNT(*) FROM `{schema}`.customer") == before == [(3,)]

    module.signal(signal.SIGTERM)
    ended = module.end()

    assert ended.status == 1
    assert "Interrupted by SIGTERM" in ended.message
    assert list(scratch.iterdir()) == []
    assert processes_in(scratch) == {}
    assert evidence(taken) == [], "an interrupted verification says nothing of the backup"


def answers(folder: Path) -> bool:
    """Whether the server listens: its process is there some time before."""
    with socket.socket(socket.AF_UNIX) as attempt:
        return attempt.connect_ex(str(folder / "s")) == 0


def connected(folder: Path) -> pymysql.Connection:
    return pymysql.connect(unix_socket=str(folder / "s"), user="root")


def asked(connection: pymysql.Connection, statement: str) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


def status_of(pid: int) -> str:
    return Path(f"/proc/{pid}/status").read_text()


def tcp_sockets_of(pid: int) -> list[str]:
    """The process's sockets that are in the system's tables of TCP sockets."""
    inodes = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            inodes |= set(re.findall(r"socket:\[(\d+)\]", os.readlink(entry)))
    assert inodes, "it has a socket at least"
    lines = [line for table in ("tcp", "tcp6") for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()]
    return [line for line in lines if line.split()[9] in inodes]


def test_a_module_that_is_told_to_stop_while_it_prepares_the_server_leaves_nothing(shop, backup, start_module, scratch):
    taken = backup(shop)
    module = start_module(
        "backup_verify", {"backup": taken["path"], "level": "restore", "scratch_directory": str(scratch)}
    )
    pids = module.wait_for(lambda: [pid for pid, words in processes_in(scratch).items() if "--bootstrap" in words])
    # Held, it cannot come to its end by itself.
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)

    module.signal(signal.SIGTERM)
    ended = module.end()

    assert "Interrupted by SIGTERM" in ended.message
    assert processes_in(scratch) == {}
    assert list(scratch.iterdir()) == []


def test_a_killed_module_takes_the_server_along_and_two_at_once_sweep_its_folder(shop, backup, start_module, scratch):
    taken = backup(shop)
    options = {"backup": taken["path"], "level": "restore", "scratch_directory": str(scratch)}
    module = start_module("backup_verify", {**options, "queries": [HOLD]})
    pid = module.wait_for(lambda: server_in(scratch))

    module.end_killed()
    wait_until(lambda: not os.path.exists(f"/proc/{pid}") or "State:\tZ" in status_of(pid), seconds=5)
    assert len(list(scratch.iterdir())) == 1
    both = [start_module("backup_verify", options) for _attempt in range(2)]
    results = [each.end() for each in both]

    for result in results:
        assert result.status == 0, result.message
        assert result["verified"] is True
    assert [each["verified"] for each in evidence(taken)] == [True, True]
    assert list(scratch.iterdir()) == []


def test_a_scratch_server_in_a_servers_data_directory_is_refused(
    server, shop, backup, verify_here, tmp_path, monkeypatch
):
    monkeypatch.undo()
    taken = backup(shop)
    inside = tmp_path / "harmless"
    inside.symlink_to(server.datadir / shop)
    before = server.dump(shop)
    files = sorted(os.listdir(server.datadir))

    for place in (server.datadir, server.datadir / shop, inside, inside / "not there yet"):
        result = verify_here(taken["path"], scratch_directory=str(place))
        assert "lies in a server's data directory" in result["msg"]

    assert sorted(os.listdir(server.datadir)) == files
    assert server.dump(shop) == before
    assert evidence(taken) == []


def test_there_is_no_option_that_names_a_server(shop, backup, run_module):
    taken = backup(shop)
    server_options = ["config_file", "datadir", "login_host", "login_unix_socket", "socket"]

    failed = run_module(
        "backup_verify",
        {"backup": taken["path"], "level": "restore", **dict.fromkeys(server_options, "/x")},
        fails=True,
    )

    assert "Unsupported parameters" in failed.message
    assert f": {', '.join(server_options)}. Supported" in failed.message


def test_a_socket_in_the_environment_or_an_option_file_does_not_lead_to_production(
    server, shop, backup, run_module, tmp_path, scratch
):
    taken = backup(shop)
    (tmp_path / ".my.cnf").write_text(f"[client]\nsocket={server.socket}\n[mysqld]\ndatadir={server.datadir}\n")
    server.execute("DELETE FROM orders", schema=shop)
    before = server.dump(shop)

    proved = run_module(
        "backup_verify",
        {
            "backup": taken["path"],
            "level": "restore",
            "scratch_directory": str(scratch),
            "queries": [{"sql": "SELECT COUNT(*) FROM orders", "rows": [[3]]}],
        },
        environment={
            "HOME": str(tmp_path),
            "MYSQL_HOME": str(tmp_path),
            "MYSQL_UNIX_PORT": server.socket,
            "MYSQL_HOST": "localhost",
        },
    )

    assert proved["verified"] is True
    assert server.dump(shop) == before


def test_bodies_that_name_their_schema_never_touch_the_production_server(server, make_schema, backup, verify_here):
    schema = make_schema(
        "CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, w VARCHAR(20)); INSERT INTO t (w) VALUES ('one');"
    )
    server.execute(
        f"CREATE VIEW v AS SELECT * FROM `{schema}`.`t`",
        "CREATE TABLE log (id INT PRIMARY KEY AUTO_INCREMENT)",
        f"CREATE TRIGGER tr AFTER INSERT ON t FOR EACH ROW INSERT INTO `{schema}`.`log` VALUES (NULL)",
        f"CREATE EVENT ev ON SCHEDULE EVERY 1 SECOND DO INSERT INTO `{schema}`.`t` (w) VALUES ('event')",
        f"CREATE PROCEDURE p() INSERT INTO `{schema}`.`t` (w) VALUES ('procedure')",
        schema=schema,
    )
    taken = backup(schema)
    before = server.dump(schema)

    result = verify_here(taken["path"], queries=[{"sql": "CALL p()"}, {"sql": "SELECT COUNT(*) FROM v", "rows": [[2]]}])

    assert failures(result) == {}
    assert server.dump(schema) == before


def test_a_host_without_the_server_program_is_told_the_package(shop, backup, run_module, tmp_path):
    taken = backup(shop)

    failed = run_module(
        "backup_verify",
        {"backup": taken["path"], "level": "restore"},
        fails=True,
        environment={"PATH": str(tmp_path)},
        settings={"_database.scratch:_SYSTEM_PATH": str(tmp_path)},
    )

    assert "Install mariadb-server (Debian, Ubuntu, RHEL)" in failed.message
    assert "another host" in failed.message
    assert "not good" not in failed.message
    assert evidence(taken) == [], "it says nothing of the backup"


# Size against the backups before it


@pytest.fixture
def with_history(shop, backup):
    """A backup with others before it whose SQL had the given sizes."""

    def make(*earlier: int) -> dict:
        taken = backup(shop)
        content = json.loads(Path(taken["manifest_path"]).read_text())
        for number, size in enumerate(earlier):
            name = f"{shop}_2026-01-{number + 1:02}_000000"
            old = json.loads(json.dumps(content))
            old["backup"].update(name=name, started=f"2026-01-{number + 1:02}T00:00:00Z")
            old["archive"].update(file=f"{name}.sql.zst", plain_bytes=size, sections=[])
            path = Path(taken["path"]).with_name(f"{name}.sql.zst")
            path.write_bytes(b"")
            path.with_name(f"{name}.manifest.json").write_text(json.dumps(old))
        return taken

    return make


def test_a_backup_of_less_than_half_the_size_of_those_before_is_warned_of_with_the_figures(with_history, verify_here):
    taken = with_history(1, 20 * 1024 * 1024, 20 * 1024 * 1024)

    result = verify_here(taken["path"], "content")

    (check,) = [each for each in result["checks"] if each["name"] == "size_history"]
    assert (check["passed"], check["severity"]) == (False, "warning")
    assert re.fullmatch(r"[\d.]+ KiB of SQL, the median of the 3 before it is 20.0 MiB", check["detail"])
    assert result["verified"] is True
    assert [each for each in result["warnings"] if "size_history" in each]


def test_half_the_size_is_no_warning_and_the_first_backup_has_no_such_check(with_history, verify_here):
    taken = with_history()
    assert "size_history" not in [each["name"] for each in verify_here(taken["path"], "content")["checks"]]
    size = len(plain_text(taken["path"]))

    result = verify_here(with_history(size * 2)["path"], "content")

    (check,) = [each for each in result["checks"] if each["name"] == "size_history"]
    assert check["passed"] is True


def test_a_disk_without_room_for_the_copy_is_said_and_is_no_evidence_against_the_backup(backup, shop, run_module):
    taken = backup(shop)
    options = {"backup": taken["path"], "level": "restore"}
    refused = run_module("backup_verify", options, fails=True, settings={"_database.scratch:_OWN_BYTES": 10**15})
    assert "not enough room" in refused.message
    assert json.loads(Path(taken["manifest_path"]).read_text())["verifications"] == []


def test_what_a_scratch_server_lacks_is_not_held_against_the_backup(run_module, folder, scratch):
    # A key for encryption here; the plugin of an engine is the same.
    dump = folder / "secret.sql"
    dump.write_text("CREATE TABLE secret (id INT) ENGINE=InnoDB ENCRYPTED=YES;\n")

    options = {"backup": str(dump), "database": "secret", "level": "restore", "scratch_directory": str(scratch)}
    failed = run_module("backup_verify", options, fails=True)

    assert "The scratch server lacks what a table of the backup needs" in failed.message
    assert "That says nothing of the backup" in failed.message
