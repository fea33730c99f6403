# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import resource
from contextlib import contextmanager

import pytest

from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError
from ansible_collections.dbops.recovery.plugins.module_utils._release.journal import append_to_journal, read_journal
from ansible_collections.dbops.recovery.plugins.module_utils._release.lock import describe_lock, read_lock, take_lock


@contextmanager
def files_of_at_most(size):
    """As on a disk that runs full: the system takes what there is room for, and then no more."""
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, usual[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)


def test_entries_come_back_in_the_order_in_which_they_were_written(tmp_path):
    path = str(tmp_path / "below" / "journal.jsonl")
    append_to_journal(path, {"step": "stage", "release": "größer 🦄"})
    append_to_journal(path, {"step": "switch"})
    assert read_journal(path) == [{"step": "stage", "release": "größer 🦄"}, {"step": "switch"}]


def test_no_journal_is_an_empty_one(tmp_path):
    assert read_journal(str(tmp_path / "journal.jsonl")) == []


def test_a_line_that_was_cut_off_is_passed_over_and_spoils_no_later_one(tmp_path):
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b'{"step": "stage"}\n{"step": "mig')
    assert read_journal(str(path)) == [{"step": "stage"}]
    append_to_journal(str(path), {"step": "switch"})
    assert read_journal(str(path)) == [{"step": "stage"}, {"step": "switch"}]


def test_an_entry_that_has_not_all_of_the_room_it_needs_is_an_error_and_no_part_of_it_stays(tmp_path):
    path = tmp_path / "journal.jsonl"
    append_to_journal(str(path), {"step": "stage"})
    before = path.read_bytes()
    with files_of_at_most(len(before) + 5), pytest.raises(RecoveryError, match="Writing the journal"):
        append_to_journal(str(path), {"step": "switch"})
    assert path.read_bytes() == before


def test_bytes_that_are_no_text_and_lines_that_are_no_objects_are_passed_over(tmp_path):
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b'\xff\xfe\x00\n[1]\n"text"\n\n{"step": "stage"}\n')
    assert read_journal(str(path)) == [{"step": "stage"}]


def test_only_one_of_two_takes_the_lock_and_it_says_who(tmp_path):
    path = str(tmp_path / "below" / "lock.json")
    assert take_lock(path, {"deployment": "a", "owner": "ann"})
    assert not take_lock(path, {"deployment": "b", "owner": "ben"})
    assert read_lock(path)["owner"] == "ann"
    assert os.listdir(tmp_path / "below") == ["lock.json"]


def test_force_replaces_the_lock(tmp_path):
    path = str(tmp_path / "lock.json")
    take_lock(path, {"deployment": "a"})
    assert take_lock(path, {"deployment": "b"}, force=True)
    assert json.loads((tmp_path / "lock.json").read_text()) == {"deployment": "b"}


def test_a_lock_that_has_no_room_is_not_taken_and_leaves_nothing_behind(tmp_path):
    with files_of_at_most(5), pytest.raises(RecoveryError, match="Taking the lock"):
        take_lock(str(tmp_path / "lock.json"), {"deployment": "a"})
    assert os.listdir(tmp_path) == []


def test_a_lock_that_cannot_be_read_is_still_a_lock(tmp_path):
    path = tmp_path / "lock.json"
    path.write_text("")
    assert read_lock(str(path)) == {}
    assert "nobody knows who" in describe_lock({})
    assert not take_lock(str(path), {"deployment": "b"})
