# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever ends a backup early: no file under a final name, the earlier backup as it was, the next run succeeds."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from conftest import contents
from private_server import PrivateServer

# Some 13 MB that no compression makes smaller, and a table behind it in the dump.
BULKY = (
    "CREATE TABLE a_bulky (id INT PRIMARY KEY, content LONGBLOB);"
    f"INSERT INTO a_bulky SELECT seq, CONCAT({', '.join(['RANDOM_BYTES(1024)'] * 16)}) FROM seq_1_to_800;"
    "CREATE TABLE z_last (id INT PRIMARY KEY); INSERT INTO z_last VALUES (1);"
)


@pytest.fixture
def bulky(make_schema) -> str:
    return make_schema(BULKY)


@contextlib.contextmanager
def stopping_at_the_last_table(server: PrivateServer, schema: str):
    """Hold a lock that makes the real dump client wait in the middle of its work."""
    with contextlib.closing(server.connect(schema)) as holder, holder.cursor() as cursor:
        cursor.execute("LOCK TABLES z_last WRITE")
        yield


def half_written(folder: Path) -> list[Path]:
    return [each for each in folder.glob("*.partial") if each.stat().st_size > 1_000_000]


def is_waiting(server: PrivateServer, schema: str, folder: Path) -> bool:
    blocked = any(row[3] == schema and "lock" in (row[6] or "") for row in server.query("SHOW FULL PROCESSLIST"))
    return blocked and bool(half_written(folder))


def wait_until_gone(processes: list[int], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while any(os.path.exists(f"/proc/{each}") for each in processes):
        assert time.monotonic() < deadline, "a process that the module started is still there"
        time.sleep(0.05)


@pytest.fixture
def waiting(server, bulky, backup, folder, start_module):
    """An earlier backup, and a second one that stands in the middle of its work."""
    earlier = backup(bulky)
    before = contents(folder)
    with stopping_at_the_last_table(server, bulky):
        module = start_module("db_backup", {"database": bulky, "directory": str(folder)})
        module.wait_for(lambda: is_waiting(server, bulky, folder))
        yield module, earlier, before


def require_nothing_new(folder: Path, before: dict, earlier: dict, run_module) -> None:
    assert contents(folder) == before
    assert run_module("backup_verify", {"backup": earlier["path"]})["verified"]


def test_a_dump_client_that_is_killed_leaves_no_backup(waiting, folder, run_module):
    module, earlier, before = waiting
    (client,) = module.children()

    os.kill(client, signal.SIGKILL)
    failed = module.end()

    assert failed.status == 1
    assert re.search(r"Dumping shop_\d+ failed: (mariadb-dump|mysqldump) was killed by signal 9", failed.message)
    require_nothing_new(folder, before, earlier, run_module)


def test_a_dump_that_ends_without_its_last_line_is_no_backup_whatever_the_client_says(
    shop, backup, folder, run_module, tmp_path
):
    # The real client, and something between that swallows the end: all objects are there, and the status is 0.
    earlier = backup(shop)
    before = contents(folder)
    programs = tmp_path / "programs"
    programs.mkdir()
    wrapper = programs / "mariadb-dump"
    wrapper.write_text(f'#!/bin/sh\n{shutil.which("mariadb-dump")} "$@" | sed "/^-- Dump completed/d"\n')
    wrapper.chmod(0o755)

    failed = run_module(
        "db_backup",
        {"database": shop, "directory": str(folder)},
        environment={"PATH": f"{programs}:{os.environ['PATH']}"},
        fails=True,
    )

    assert f"The backup of {shop} is not complete and was removed" in failed.message
    require_nothing_new(folder, before, earlier, run_module)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_module_that_is_told_to_stop_cleans_up(waiting, folder, run_module, number):
    module, earlier, before = waiting
    children = module.children()
    assert children

    module.signal(number)
    module.signal(number)
    failed = module.end()

    assert failed.status == 1
    assert f"Interrupted by {number.name}" in failed.message
    wait_until_gone(children)
    require_nothing_new(folder, before, earlier, run_module)


def test_a_module_that_is_killed_leaves_what_the_next_run_sweeps(
    server, bulky, backup, folder, start_module, run_module
):
    earlier = backup(bulky)
    before = contents(folder)
    with stopping_at_the_last_table(server, bulky):
        module = start_module("db_backup", {"database": bulky, "directory": str(folder)})
        module.wait_for(lambda: is_waiting(server, bulky, folder))
        children = module.children()
        module.end_killed()
        left = contents(folder)
        (partial,) = set(left) - set(before)
        assert partial.endswith(".sql.zst.partial")
        assert {name: left[name] for name in before} == before
    wait_until_gone(children)

    again = run_module("db_backup", {"database": bulky, "directory": str(folder)})

    assert again["swept"] == [partial]
    assert not (folder / partial).exists()
    assert run_module("backup_verify", {"backup": again["backup"]["path"]})["verified"]
    require_nothing_new(folder, {**before, **_files_of(again["backup"])}, earlier, run_module)


def _files_of(backup: dict) -> dict:
    path = Path(backup["path"])
    return {name: value for name, value in contents(path.parent).items() if name.startswith(backup["name"] + ".")}


def test_a_kill_between_the_two_renames_leaves_no_archive(server, shop, backup, folder, start_module, run_module):
    earlier = backup(shop)
    before = contents(folder)
    module = start_module("db_backup", {"database": shop, "directory": str(folder)}, kill_at_rename=2)
    assert module.wait() == -signal.SIGKILL
    assert {name for name in set(contents(folder)) - set(before) if name.endswith(".sql.zst")} == set()

    assert (
        run_module("backup_verify", {"backup": "latest", "database": shop, "directory": str(folder)})["backup"]["name"]
        == earlier["name"]
    )
    again = run_module("db_backup", {"database": shop, "directory": str(folder)})

    assert len(again["swept"]) == 2
    assert set(contents(folder)) == set(before) | set(_files_of(again["backup"]))


def test_a_server_that_is_killed_leaves_no_backup(start_server, make_schema, backup, folder, start_module, run_module):
    server = start_server()
    schema = make_schema(BULKY, on=server)
    earlier = backup(schema, login_unix_socket=server.socket)
    before = contents(folder)
    holder = server.connect(schema)
    with holder.cursor() as cursor:
        cursor.execute("LOCK TABLES z_last WRITE")
    module = start_module(
        "db_backup", {"database": schema, "directory": str(folder), "login_unix_socket": server.socket}
    )
    module.wait_for(lambda: is_waiting(server, schema, folder))

    server.kill()
    failed = module.end()
    holder._force_close()

    assert failed.status == 1
    assert f"Dumping {schema} failed" in failed.message
    assert "(2013)" in failed.message
    require_nothing_new(folder, before, earlier, run_module)


def test_a_connection_that_the_server_ends_leaves_no_backup(server, waiting, folder, run_module):
    module, earlier, before = waiting
    ((session,),) = [
        (row[0],)
        for row in server.query("SHOW FULL PROCESSLIST")
        if row[3] == earlier["database"] and "lock" in (row[6] or "")
    ]

    server.execute(f"KILL CONNECTION {session}")
    failed = module.end()

    assert failed.status == 1
    assert f"Dumping {earlier['database']} failed" in failed.message
    require_nothing_new(folder, before, earlier, run_module)


@pytest.fixture
def small_disk(tmp_path):
    """A file system with room for one backup of the bulky schema and not for two."""
    if os.geteuid() != 0:
        pytest.skip("a small tmpfs can only be mounted as root; the limit on file sizes is tested instead")
    place = tmp_path / "small"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=26m", "tmpfs", str(place)], check=True)
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.parametrize("compression", ["zstd", "gzip", "none"])
def test_a_full_disk_leaves_no_backup(small_disk, bulky, run_module, compression):
    # The estimate passes, since random bytes compress worse than rows do.
    no_care = {
        "_actions.backup:_SPARE_BYTES": 0,
        "_actions.backup:_ESTIMATED_SHARE": dict.fromkeys(["zstd", "gzip", "none"], 0),
    }
    options = {"database": bulky, "directory": str(small_disk)}
    earlier = run_module("db_backup", {**options, "compression": "zstd"}, settings=no_care)["backup"]
    before = contents(small_disk)

    failed = run_module("db_backup", {**options, "compression": compression}, settings=no_care, fails=True)

    assert "No space left on device" in failed.message
    assert str(small_disk) in failed.message
    require_nothing_new(small_disk, before, earlier, run_module)


def test_a_limit_on_the_size_of_files_leaves_no_backup(bulky, backup, folder, run_module):
    earlier = backup(bulky)
    before = contents(folder)
    options = {"database": bulky, "directory": str(folder)}
    failed = run_module("db_backup", options, fails=True, file_size=4_000_000)

    assert "File too large" in failed.message
    require_nothing_new(folder, before, earlier, run_module)


def test_too_little_room_is_seen_before_anything_is_written(bulky, folder, run_module):
    disk = os.statvfs(folder)
    for check in (True, False):
        failed = run_module(
            "db_backup",
            {"database": bulky, "directory": str(folder)},
            check,
            settings={"_actions.backup:_SPARE_BYTES": disk.f_blocks * disk.f_frsize},
            fails=True,
        )
        assert f"There is not enough room in {folder}" in failed.message
        assert "Nothing was written" in failed.message
    assert list(folder.iterdir()) == []


def test_a_second_backup_names_the_holder_of_the_lock(waiting, folder, run_module):
    module, earlier, _before = waiting
    options = {"database": earlier["database"], "directory": str(folder)}

    failed = run_module("db_backup", options, fails=True)
    assert f"process {module.pid} on {os.uname().nodename} since " in failed.message
    failed = run_module("db_restore", {"backup": earlier["path"]}, fails=True)
    assert f"process {module.pid}" in failed.message

    module.end_killed()


def test_the_lock_of_a_dead_holder_is_taken_over(server, bulky, folder, start_module, run_module):
    with stopping_at_the_last_table(server, bulky):
        module = start_module("db_backup", {"database": bulky, "directory": str(folder)})
        module.wait_for(lambda: is_waiting(server, bulky, folder))
        module.end_killed()

    assert run_module("db_backup", {"database": bulky, "directory": str(folder)})["changed"]


def test_backups_of_two_schemas_do_not_disturb_each_other(waiting, shop, folder, run_module):
    assert run_module("db_backup", {"database": shop, "directory": str(folder)})["swept"] == []
    assert half_written(folder), "the other backup's partial file was swept"


def test_a_schema_that_changes_while_it_is_dumped_is_dumped_again(server, bulky, folder, start_module, run_module):
    with stopping_at_the_last_table(server, bulky):
        module = start_module("db_backup", {"database": bulky, "directory": str(folder)})
        module.wait_for(lambda: is_waiting(server, bulky, folder))
        server.execute("CREATE TABLE slipped_in (id INT)", schema=bulky)
    done = module.end()

    assert done.status == 0, done.message
    verified = run_module("backup_verify", {"backup": done["backup"]["path"]})
    assert verified["verified"]
    server.execute("DROP TABLE slipped_in", schema=bulky)
    restored = run_module("db_restore", {"backup": done["backup"]["path"]})
    assert restored["outcome"] == "restored"
    assert server.query("SHOW TABLES LIKE 'slipped_in'", schema=bulky)
