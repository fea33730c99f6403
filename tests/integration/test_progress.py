# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Long work says how far it is, to who waits for it and to who asks; and nothing goes on when nobody waits any more."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from fleet import ANSIBLE_SETTINGS
from handmade import rewrite
from test_restore import SLOW, beside, is_loading, spoil

from ansible_collections.dbops.recovery.plugins.module_utils import _progress

LINE = re.compile(
    r"\[here\] backup_upload (shop_?\d*): uploading, (\d+) %, (\d+\.\d) MiB of (\d+\.\d) MiB, \d+\.\d [KM]iB/s, "
    r"(\d+)s left"
)


class Playing:
    """A playbook at work on one host, which is this one; its output is a terminal or a pipe."""

    def __init__(self, folder: Path, tasks: list[dict], on_terminal: bool, **variables: Any):
        play = {"hosts": "all", "gather_facts": False, "tasks": tasks, "vars": variables}
        playbook, inventory = folder / "play.yml", folder / "hosts.yml"
        playbook.write_text(yaml.safe_dump([play]))
        host = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        inventory.write_text(yaml.safe_dump({"all": {"hosts": {"here": host}}}))
        self._mine, theirs = pty.openpty() if on_terminal else os.pipe()
        self.process = subprocess.Popen(
            [Path(sys.executable).parent / "ansible-playbook", "-i", inventory, playbook],
            env={**os.environ, **ANSIBLE_SETTINGS},
            stdin=subprocess.DEVNULL,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)

    def end(self) -> str:
        """Wait for its end and return all that it has said."""
        said = b""
        # A terminal whose other side is closed is an error to read.
        with contextlib.suppress(OSError):
            while block := os.read(self._mine, 65536):
                said += block
        os.close(self._mine)
        self.process.wait(60)
        return said.decode().replace("\r\n", "\n")


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Callable[..., Playing]]:
    """Start a playbook of some tasks."""
    started: list[Playing] = []

    def start(tasks: list[dict], on_terminal: bool = False, **variables: Any) -> Playing:
        folder = tmp_path / f"play{len(started)}"
        folder.mkdir()
        started.append(Playing(folder, tasks, on_terminal, **variables))
        return started[-1]

    yield start
    for each in started:
        each.process.kill()
        each.process.wait(30)


@pytest.fixture
def bulky(make_schema, backup_here, folder) -> dict:
    """A backup of some 8 MB, and the database."""
    schema = make_schema(
        "CREATE TABLE noise (id INT PRIMARY KEY, content LONGBLOB);"
        f"INSERT INTO noise SELECT seq, CONCAT({', '.join(['RANDOM_BYTES(1024)'] * 16)}) FROM seq_1_to_500;"
        "CREATE TABLE z_last (id INT PRIMARY KEY); INSERT INTO z_last VALUES (1);"
    )
    return backup_here(schema, folder)


def upload(taken: dict, disk: Path, seconds: int, **keywords: Any) -> dict:
    """A task that uploads a backup to a disk in about so many seconds."""
    disk.mkdir()
    options = {
        "backup": taken["path"],
        "store": f"file://{disk}",
        "bandwidth": str(taken["size_bytes"] // seconds),
        "verify": "none",
    }
    return {"name": "Upload", "dbops.recovery.backup_upload": options, **keywords}


def test_a_terminal_shows_how_far_it_is_and_other_output_waits_a_minute(play, bulky, run_module, folder, tmp_path):
    watched = play([upload(bulky, tmp_path / "one", 12)], on_terminal=True)
    logged = play([upload(bulky, tmp_path / "two", 12)])

    seen: dict[int, dict] = {}
    deadline = time.monotonic() + 60
    while len(seen) < 2:
        assert time.monotonic() < deadline
        seen.update((each["pid"], each) for each in looked_at(run_module, folder, bulky) if each["done_bytes"])
    for each in seen.values():
        assert (each["action"], each["database"], each["phase"]) == ("backup_upload", bulky["database"], "uploading")
        assert each["expected_bytes"] == bulky["size_bytes"]
        assert each["percent"] == each["done_bytes"] * 100 // bulky["size_bytes"]
        assert 0 < each["bytes_per_second"] < bulky["size_bytes"]
        assert each["estimated"] is False

    lines = LINE.findall(watched.end())
    # Twelve seconds, or somewhat more where the machine has other things to do.
    assert 1 <= len(lines) <= 3
    for database, percent, done, expected, seconds in lines:
        assert database == bulky["database"]
        assert 1 <= int(percent) <= 99
        assert float(done) < float(expected) == pytest.approx(bulky["size_bytes"] / 2**20, abs=0.06)
        assert 0 <= int(seconds) <= 15
    said = logged.end()
    assert "changed=1" in said
    assert "uploading" not in said
    assert looked_at(run_module, folder, bulky) == []


def looked_at(run_module, folder: Path, taken: dict) -> list[dict]:
    return run_module("backup_info", {"directory": str(folder), "database": taken["database"]})["running"]


def test_lines_come_as_often_as_asked_for_where_they_are_wanted_and_change_no_result(play, bulky, tmp_path):
    tasks = [
        upload(bulky, tmp_path / "quiet", 1, vars={"dbops_recovery_progress_seconds": 0}, register="quiet"),
        upload(bulky, tmp_path / "polled", 1, **{"async": 60, "poll": 1}),
        upload(bulky, tmp_path / "hidden", 1, no_log=True),
        upload(bulky, tmp_path / "shown", 2, register="shown", environment={"LANG": "C"}, delegate_to="here"),
        {"ansible.builtin.copy": {"content": "{{ [quiet, shown] | to_json }}", "dest": str(tmp_path / "results")}},
    ]

    said = play(tasks, dbops_recovery_progress_seconds=0.2).end()

    assert "failed=0" in said
    # No other task is delegated.
    assert 3 <= said.count("[here -> here] backup_upload") == said.count("uploading")
    quiet, shown = json.loads((tmp_path / "results").read_text())
    assert quiet.keys() == shown.keys()
    assert quiet["backups"][0].keys() == shown["backups"][0].keys()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_restore_whose_playbook_is_ended_goes_back(play, server, shop, backup, number):
    taken = backup(shop)
    rewrite(taken, SLOW)
    spoilt = spoil(server, shop)
    connection = {"login_unix_socket": server.socket, "login_user": "root", "config_file": "/nonexistent"}
    playing = play([{"name": "Restore", "dbops.recovery.db_restore": {"backup": taken["path"], **connection}}])
    wait_until(lambda: is_loading(server, shop))

    playing.process.send_signal(number)
    playing.process.wait(30)

    wait_until(lambda: not at_work(shop))
    assert server.dump(shop) == spoilt
    assert beside(server, shop) == []


def wait_until(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "what was waited for did not happen"
        time.sleep(0.05)


def at_work(database: str) -> list[dict]:
    return [each for each in _progress.running() if each["database"] == database]


def test_a_module_that_nobody_listens_to_any_more_goes_back(server, shop, backup, start_module):
    # As of a connection without a terminal: no signal comes, the pipe for the result is closed.
    taken = backup(shop)
    rewrite(taken, SLOW)
    spoilt = spoil(server, shop)
    reader, writer = os.pipe()
    module = start_module("db_restore", {"backup": taken["path"]}, output=writer)
    os.close(writer)
    module.wait_for(lambda: is_loading(server, shop))

    os.close(reader)

    module.wait(30)
    assert server.dump(shop) == spoilt
    assert beside(server, shop) == []
    assert at_work(shop) == []


def test_the_note_of_a_module_holds_no_secret_and_does_not_outlive_it(
    server, shop, backup, start_module, run_module, folder
):
    taken = backup(shop)
    rewrite(taken, SLOW)
    server.execute(
        f"CREATE USER {shop}_admin@localhost IDENTIFIED BY 'the_secret'",
        f"GRANT ALL ON *.* TO {shop}_admin@localhost WITH GRANT OPTION",
    )
    account = {"login_user": f"{shop}_admin", "login_password": "the_secret"}
    module = start_module("db_restore", {"backup": taken["path"], **account})
    note = Path(f"{_progress.DIRECTORY}{os.geteuid()}") / f"{module.pid}.json"
    module.wait_for(lambda: note.exists() and "loading rows" in note.read_text())

    assert stat.S_IMODE(note.stat().st_mode) == 0o600
    assert stat.S_IMODE(note.parent.stat().st_mode) == 0o700
    assert "the_secret" not in note.read_text()
    assert [each["pid"] for each in at_work(shop)] == [module.pid]

    module.end_killed()
    assert note.exists()
    assert at_work(shop) == []
    # Whoever works next removes it.
    run_module("backup_verify", {"backup": taken["path"], "level": "file"})
    assert not note.exists()


@pytest.fixture
def phases(run_module, tmp_path) -> Callable[..., dict[str, tuple]]:
    """Run a module and return each phase by name: bytes done, bytes expected, whether that was an estimate."""
    file = tmp_path / "phases"

    def run(module: str, options: dict, **more: Any) -> dict[str, tuple]:
        file.unlink(missing_ok=True)
        run_module(module, options, phases=str(file), **more)
        return {name: tuple(figures) for name, *figures in map(json.loads, file.read_text().splitlines())}

    return run


def test_every_phase_ends_with_the_bytes_that_it_was_to_do(
    shop, backup, phases, folder, object_store, bucket, tmp_path
):
    taken = backup(shop)
    path, stored, plain = taken["path"], taken["size_bytes"], taken["sql_bytes"]
    where = {"directory": str(folder), "database": shop}
    store = object_store.options(bucket)

    # The estimate is the size of the backup before.
    assert phases("db_backup", where) == {"backing up": (plain, plain, True)}

    verified = phases("backup_verify", {"backup": path, "level": "restore"})
    assert verified["checking"] == (stored, stored, False)
    assert verified["loading into the scratch server"] == (plain, plain, False)
    assert verified["dumping back"] == pytest.approx((plain, plain, False), abs=200)

    uploaded = phases("backup_upload", {"backup": path, **store, "read_back": True})
    assert uploaded == dict.fromkeys(("checking", "uploading", "reading back"), (stored, stored, False))
    assert phases("backup_download", {"backup": "latest", **store, "directory": str(tmp_path / "back")}) == {
        "downloading": (stored, stored, False)
    }

    swapped = phases("db_restore", {"backup": path})
    done, expected, _estimated = swapped["loading rows, building keys"]
    assert 0 < done == expected < plain
    replaced = phases("db_restore", {"backup": path, "strategy": "in_place", "safety_backup": False})
    assert replaced["loading"] == (plain, plain, False)
    undone = phases(
        "db_restore",
        {"backup": path, "strategy": "in_place"},
        fault=("_actions.in_place:require_equal", "raise"),
        fails=True,
    )
    done, expected, _estimated = undone["loading the safety backup"]
    assert 0 < done == expected


def test_a_first_backup_is_estimated_by_what_the_server_reports(shop, server, phases, folder):
    data = server.query(f"SELECT SUM(data_length) FROM information_schema.tables WHERE table_schema = '{shop}'")[0][0]
    ((_done, expected, estimated),) = phases("db_backup", {"database": shop, "directory": str(folder)}).values()
    assert (expected, estimated) == (data, True)
