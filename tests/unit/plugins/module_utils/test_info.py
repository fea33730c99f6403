"""Listing a backup directory, whatever lies in it."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone

from backups import put_backup

from ansible_collections.dbops.recovery.plugins.module_utils._actions.info import list_backups
from ansible_collections.dbops.recovery.plugins.module_utils._archive import manifest

NOON = datetime(2026, 11, 22, 12, 0, 0, tzinfo=timezone.utc)


def put(directory, name, database="shop", started=NOON, size=3, verifications=()):
    put_backup(directory, name, database, started, b"-" * size, verifications, labels={"a": "b"})


def listed(directory, database=None):
    return list_backups({"directory": str(directory), "database": database, "stores": []}, False)["backups"]


def test_backups_are_listed_newest_first_with_what_is_known_of_them(tmp_path):
    put(tmp_path, "older", started=NOON - timedelta(days=1))
    evidence = [{"time": "x", "level": "file", "verified": False}, {"time": "y", "level": "restore", "verified": True}]
    put(tmp_path, "newer", verifications=evidence)
    newer, older = listed(tmp_path)
    assert (newer["name"], older["name"]) == ("newer", "older")
    assert (newer["state"], newer["problem"], newer["labels"]) == ("complete", None, {"a": "b"})
    assert newer["verified"] == {"time": "y", "host": None, "level": "restore", "verified": True}
    assert older["verified"] is None
    assert older["age_seconds"] - newer["age_seconds"] == 86400


def test_what_is_wrong_is_listed_with_the_reason(tmp_path):
    put(tmp_path, "short", size=2)
    put(tmp_path, "gone")
    (tmp_path / "gone.sql").unlink()
    (tmp_path / f"rubbish{manifest.SUFFIX}").write_text("{")
    (tmp_path / "byhand.sql.gz").write_bytes(b"x")
    (tmp_path / "shop_2026-11-22_120000.sql.zst.partial").write_bytes(b"x")
    (tmp_path / "notes.txt").write_bytes(b"x")
    found = {each["name"]: each for each in listed(tmp_path)}
    assert {name: each["state"] for name, each in found.items()} == {
        "short": "damaged",
        "gone": "damaged",
        "rubbish": "damaged",
        "byhand": "foreign",
        "shop_2026-11-22_120000.sql.zst.partial": "partial",
    }
    assert "2 bytes, the manifest says 3" in found["short"]["problem"]
    assert "gone.sql is missing" in found["gone"]["problem"]
    assert "not JSON" in found["rubbish"]["problem"]


def test_only_one_database_s_backups_are_listed_when_it_is_named(tmp_path):
    put(tmp_path, "one")
    put(tmp_path, "two", database="wiki")
    assert [each["name"] for each in listed(tmp_path, "wiki")] == ["two"]


def test_ten_thousand_backups_are_listed_in_less_than_five_seconds(tmp_path):
    for number in range(10_000):
        put(tmp_path, f"b{number:05}", started=NOON + timedelta(hours=number))
    clock = time.process_time()
    assert len(listed(tmp_path)) == 10_000
    assert time.process_time() - clock < 5


def test_a_link_that_leads_nowhere_is_listed_and_ends_nothing(tmp_path):
    put(tmp_path, "whole")
    (tmp_path / "shop_gone.sql.gz").symlink_to(tmp_path / "nowhere")
    assert {each["name"]: each["state"] for each in listed(tmp_path)} == {"whole": "complete", "shop_gone": "foreign"}


def test_a_damaged_backup_of_a_database_is_listed_with_those_of_the_database(tmp_path):
    put(tmp_path, "shop_2026-11-22_120000")
    (tmp_path / f"shop_2026-11-22_130000{manifest.SUFFIX}").write_text("{")
    (tmp_path / f"wiki_2026-11-22_130000{manifest.SUFFIX}").write_text("{")
    names = {each["name"] for each in listed(tmp_path, "shop")}
    assert names == {"shop_2026-11-22_120000", "shop_2026-11-22_130000"}
