# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os

from ansible_collections.dbops.recovery.plugins.module_utils._release.journal import append_to_journal, read_journal
from ansible_collections.dbops.recovery.plugins.module_utils._release.lock import describe_lock, read_lock, take_lock


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


def test_a_lock_that_cannot_be_read_is_still_a_lock(tmp_path):
    path = tmp_path / "lock.json"
    path.write_text("")
    assert read_lock(str(path)) == {}
    assert "nobody knows who" in describe_lock({})
    assert not take_lock(str(path), {"deployment": "b"})
