# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a listing says of the backups in a place, and what manifests say of their proofs."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dbops.recovery.plugins.module_utils._actions.places import pair_up, verified_level
from ansible_collections.dbops.recovery.plugins.module_utils._archive import names
from ansible_collections.dbops.recovery.plugins.module_utils._storage.store import Stored

MOMENT = datetime(2026, 11, 22, 10, 15, tzinfo=timezone.utc)


def files(*given: str) -> list[Stored]:
    return [Stored(name, 1, MOMENT) for name in given]


def test_archives_and_manifests_become_pairs_newest_first():
    contents = pair_up(
        files(
            "shop_2026-11-21_020000.sql.zst",
            "shop_2026-11-21_020000.manifest.json",
            "shop_2026-11-22_020000.manifest.json",
            "shop_2026-11-22_020000.sql.gz",
            "shop_2026-11-22_020000-2.sql",
            "shop_2026-11-22_020000-2.manifest.json",
        )
    )
    assert [pair.name for pair in contents.pairs] == [
        "shop_2026-11-22_020000-2",
        "shop_2026-11-22_020000",
        "shop_2026-11-21_020000",
    ]
    assert (contents.lone_archives, contents.lone_manifests) == ([], [])


def test_halves_are_told_apart_and_foreign_names_are_left_out():
    contents = pair_up(
        files(
            "shop_2026-11-21_020000.sql.zst",
            "crm_2026-11-21_020000.manifest.json",
            "handmade.sql",
            "handmade.manifest.json",
            "notes.txt",
            "shop_2026-13-41_020000.sql.zst",
            ".shop_2026-11-20_020000.sql.zst.partial",
        )
    )
    assert contents.pairs == []
    assert [file.name for file in contents.lone_archives] == ["shop_2026-11-21_020000.sql.zst"]
    assert [file.name for file in contents.lone_manifests] == ["crm_2026-11-21_020000.manifest.json"]


@given(st.text(min_size=1, max_size=64), st.datetimes(datetime(2000, 1, 1), datetime(2099, 1, 1)), st.integers(0, 3))
def test_a_name_that_was_made_is_read_back(database, moment, number):
    moment = moment.replace(microsecond=0, tzinfo=timezone.utc)
    made = names.candidates(database, moment)
    name = [next(made) for _each in range(number + 1)][-1]
    assert names.parse(name) == names.Name(names.file_safe(database), moment, number + 1)


@pytest.mark.parametrize("name", ["shop", "shop_2026-11-22", "shop_2026-02-30_101500", "_2026-11-22_101500", ""])
def test_what_is_no_name_of_ours_is_not_read_as_one(name):
    assert names.parse(name) is None


@pytest.mark.parametrize(
    ("history", "level"),
    [
        ([], None),
        ([("file", True)], None),
        ([("content", True)], "content"),
        ([("content", True), ("restore", True), ("content", True)], "restore"),
        ([("restore", True), ("content", False)], None),
        ([("restore", True), ("file", False), ("content", True)], "content"),
    ],
)
def test_what_is_proved_holds_until_a_verification_fails(history, level):
    entries = [{"level": at, "verified": good} for at, good in history]
    assert verified_level({"verifications": entries}) == level
