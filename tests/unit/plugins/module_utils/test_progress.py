"""How far some work is: the figures, and the notes of other processes."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path

import pytest

from ansible_collections.dbops.recovery.plugins.module_utils import _progress


@pytest.fixture
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this user's notes are, for this test alone."""
    monkeypatch.setattr(_progress, "DIRECTORY", f"{tmp_path}/progress-")
    monkeypatch.setattr(_progress, "_SECONDS_BETWEEN", 0.01)
    return tmp_path / f"progress-{os.geteuid()}"


def figures(*arguments) -> tuple:
    found = _progress.figures(*arguments)
    return found["percent"], found["seconds_left"], found["done_bytes"], found["expected_bytes"]


def test_percent_and_time_left_follow_from_bytes_and_rate():
    assert figures(250, 1000, False, 50.0) == (25, 15, 250, 1000)
    assert figures(999, 1000, False, 50.0) == (99, 0, 999, 1000)
    assert figures(1000, 1000, False, 50.0) == (100, 0, 1000, 1000)


def test_an_estimate_is_raised_by_what_is_done_and_never_reaches_100_percent():
    assert figures(250, 1000, True, 50.0) == (25, 15, 250, 1000)
    assert figures(1000, 1000, True, 50.0) == (99, 0, 1000, 1000)
    assert figures(1500, 1000, True, 50.0) == (99, 0, 1500, 1500)


def test_nothing_is_said_of_percent_or_time_where_it_is_not_known():
    assert figures(250, None, False, 50.0) == (None, None, 250, None)
    assert figures(250, 1000, False, 0.0) == (25, None, 250, 1000)
    assert figures(0, 0, True, 0.0) == (None, None, 0, 0)
    assert figures(-5, 1000, False, 0.0) == (0, None, 0, 1000)


def test_the_rate_is_from_the_first_to_the_last_sample():
    assert _progress.rate([(10.0, 100), (11.0, 500), (14.0, 900)]) == 200.0
    assert _progress.rate([(10.0, 100)]) == 0.0
    assert _progress.rate([(10.0, 100), (11.0, 50)]) == 0.0


def test_what_is_being_done_is_seen_until_it_ends(notes):
    with _progress.noted("db_backup"):
        assert _progress.running() == []
        _progress.phase("backing up", "shop", 1000, estimated=True)
        assert list(_progress.counted([b"x" * 100, b"x" * 150]))
        deadline = time.monotonic() + 10
        while (found := _progress.running())[0]["done_bytes"] != 250:
            assert time.monotonic() < deadline
    assert [(each["action"], each["database"], each["phase"], each["percent"]) for each in found] == [
        ("db_backup", "shop", "backing up", 25)
    ]
    assert found[0]["pid"] == os.getpid()
    assert _progress.running() == []
    assert list(notes.iterdir()) == []


def test_a_note_has_the_name_that_somebody_waits_for_and_no_other_place(notes, monkeypatch):
    for name, file in (("1f2e", "1f2e.json"), ("../1f2e", f"{os.getpid()}.json"), ("", f"{os.getpid()}.json")):
        monkeypatch.setenv(_progress.NAME_VARIABLE, name)
        with _progress.noted("db_backup"):
            _progress.phase("backing up")
            assert file in os.listdir(notes)


def test_without_anybody_who_notes_nothing_is_counted(notes):
    _progress.phase("backing up")
    assert list(_progress.counted([b"x"])) == [b"x"]
    assert not notes.exists()


def note_of(pid: int, started: int | None) -> str:
    note = {"action": "db_backup", "database": "shop", "started": "2026-11-22T10:15:00Z"}
    return json.dumps({**note, "pid": pid, "pid_started": started})


def test_notes_of_processes_that_are_gone_are_neither_shown_nor_kept(notes):
    notes.mkdir(mode=0o700)
    gone = subprocess.Popen(["true"])
    gone.wait()
    (notes / "gone.json").write_text(note_of(gone.pid, 1))
    # Its number belongs to another process now.
    (notes / "other.json").write_text(note_of(os.getpid(), 1))
    (notes / "half.json.x.partial").write_text("{")
    alive = note_of(os.getppid(), _progress.status_of(os.getppid()).started)
    (notes / "alive.json").write_text(alive)

    assert [each["pid"] for each in _progress.running()] == [os.getppid()]
    with _progress.noted("db_backup"):
        _progress.phase("backing up")
        assert sorted(os.listdir(notes)) == sorted(["alive.json", f"{os.getpid()}.json"])


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"pid": "1"}', note_of(1, None)[:-5], "[" * 100_000])
def test_what_is_no_note_is_passed_over(notes, text):
    notes.mkdir(mode=0o700)
    (notes / "odd.json").write_text(text)
    (notes / "link.json").symlink_to(notes / "odd.json")
    os.mkfifo(notes / "pipe.json")
    assert _progress.running() == []


def test_a_directory_that_others_can_write_to_gets_no_note_and_the_work_goes_on(notes):
    notes.mkdir()
    notes.chmod(0o777)
    with _progress.noted("db_backup"):
        _progress.phase("backing up")
        _progress.advance(1)
        assert os.listdir(notes) == []


def test_a_directory_that_is_another_users_is_left_alone(tmp_path, monkeypatch):
    # As somebody who makes it before we do, and lets it lead to what matters.
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "shop.sql.zst").write_text("the only one")
    monkeypatch.setattr(_progress, "DIRECTORY", f"{tmp_path}/notes-")
    (tmp_path / f"notes-{os.geteuid()}").symlink_to(precious)

    with _progress.noted("db_backup"):
        _progress.phase("dumping", "shop", 100)

    assert [path.name for path in precious.iterdir()] == ["shop.sql.zst"]
