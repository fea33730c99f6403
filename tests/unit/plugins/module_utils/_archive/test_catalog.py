"""The backups of a directory: names, choosing one, what interrupted runs left."""

from __future__ import annotations

import json
import multiprocessing
import os
from datetime import datetime, timedelta, timezone

import pytest
from backups import put_backup

from ansible_collections.dbops.recovery.plugins.module_utils._archive import catalog, manifest, names
from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError
from ansible_collections.dbops.recovery.plugins.module_utils._units import utc_now

NOON = datetime(2026, 11, 22, 12, 0, 0, tzinfo=timezone.utc)


def put(directory, database="shop", started=NOON, labels=None, name=None):
    """Put a complete backup into a directory, with an archive of three bytes."""
    name = name or catalog.new_name(str(directory), database, started)
    return put_backup(directory, name, database, started, labels=labels or {})


def test_a_name_tells_database_and_moment_and_a_second_one_in_that_second_gets_a_number(tmp_path):
    assert put(tmp_path) == "shop_2026-11-22_120000"
    assert put(tmp_path) == "shop_2026-11-22_120000-2"
    assert put(tmp_path) == "shop_2026-11-22_120000-3"


def test_a_database_s_name_becomes_a_file_s_name_without_harm():
    assert names.file_safe("shop") == "shop"
    assert names.file_safe("../etc") == "=2E=2E=2Fetc"
    assert names.file_safe("a b`é") == "a=20b=60=C3=A9"


def test_backups_are_listed_newest_first_also_within_one_second(tmp_path):
    first, second = put(tmp_path), put(tmp_path)
    older = put(tmp_path, started=NOON - timedelta(days=1))
    assert [backup.name for backup in catalog.backups_in(str(tmp_path))] == [second, first, older]


def test_a_manifest_without_its_archive_is_no_backup(tmp_path):
    name = put(tmp_path)
    (tmp_path / f"{name}.sql").unlink()
    assert catalog.backups_in(str(tmp_path)) == []


def test_latest_is_the_newest_of_the_database_and_never_what_a_restore_kept_for_safety(tmp_path):
    wanted = put(tmp_path, started=NOON)
    put(tmp_path, started=NOON + timedelta(hours=1), labels={"purpose": "safety"})
    put(tmp_path, database="wiki", started=NOON + timedelta(hours=2))
    assert catalog.find("latest", str(tmp_path), "shop").name == wanted


def test_a_backup_is_found_by_name_by_file_name_and_by_path(tmp_path):
    name = put(tmp_path)
    for wanted in (name, f"{name}.sql", str(tmp_path / f"{name}.sql"), str(tmp_path / f"{name}{manifest.SUFFIX}")):
        assert catalog.find(wanted, str(tmp_path)).manifest["backup"]["name"] == name


def test_a_backup_that_is_not_there_is_answered_with_those_that_are(tmp_path):
    older, newer = put(tmp_path, started=NOON - timedelta(days=1)), put(tmp_path)
    with pytest.raises(RecoveryError) as caught:
        catalog.find("shop_2020-01-01_000000", str(tmp_path))
    lines = str(caught.value).splitlines()
    assert lines[1] == "Available, newest first:"
    assert [line.split()[0] for line in lines[2:]] == [newer, older]
    assert "3 B  2026-11-22T12:00:00Z" in lines[2]


@pytest.mark.parametrize("name", ["../shop", "a/b", "", ".", ".."])
def test_a_name_with_a_path_in_it_is_refused(tmp_path, name):
    with pytest.raises(RecoveryError, match="neither a name nor an absolute path"):
        catalog.find(name, str(tmp_path))


def test_a_manifest_of_another_archive_is_refused(tmp_path):
    first, second = put(tmp_path), put(tmp_path)
    os.replace(tmp_path / f"{first}{manifest.SUFFIX}", tmp_path / f"{second}{manifest.SUFFIX}")
    with pytest.raises(RecoveryError, match=f"describes {first}.sql, not {second}.sql"):
        catalog.find(second, str(tmp_path))


def test_a_young_backup_is_found_and_an_older_one_or_a_safety_one_or_another_server_s_is_not(tmp_path):
    put(tmp_path, started=utc_now() - timedelta(hours=2))
    put(tmp_path, started=utc_now(), labels={"purpose": "safety"})
    assert catalog.youngest_within(str(tmp_path), "shop", "db1", timedelta(hours=3)) is not None
    assert catalog.youngest_within(str(tmp_path), "shop", "db1", timedelta(hours=1)) is None
    assert catalog.youngest_within(str(tmp_path), "wiki", "db1", timedelta(hours=3)) is None
    assert catalog.youngest_within(str(tmp_path), "shop", "db2", timedelta(hours=3)) is None


def test_what_an_interrupted_backup_left_is_swept_and_nothing_else(tmp_path):
    kept = put(tmp_path)
    other = put(tmp_path, database="shop_eu")
    orphan = put(tmp_path, started=NOON + timedelta(hours=1))
    (tmp_path / f"{orphan}.sql").unlink()
    mine, theirs = "shop_2026-11-22_130001.sql.zst.partial", "shop_eu_2026-11-22_130001.sql.zst.partial"
    for name in (mine, theirs, "shop.sql.partial", "notes.txt"):
        (tmp_path / name).touch()
    assert catalog.sweep(str(tmp_path), "shop") == sorted([f"{orphan}{manifest.SUFFIX}", mine])
    left = {path.name for path in tmp_path.iterdir()}
    assert {f"{kept}.sql", f"{other}.sql", theirs, "shop.sql.partial", "notes.txt"} <= left


def _hold(directory, ready, done):
    with catalog.locked(directory, "shop"):
        ready.set()
        done.wait()


def test_a_second_backup_of_a_database_is_told_who_holds_the_lock_and_a_dead_holder_frees_it(tmp_path):
    context = multiprocessing.get_context("spawn")
    ready, done = context.Event(), context.Event()
    holder = context.Process(target=_hold, args=(str(tmp_path), ready, done))
    holder.start()
    assert ready.wait(30)
    with pytest.raises(RecoveryError, match=f"process {holder.pid} on "), catalog.locked(str(tmp_path), "shop"):
        pass
    with catalog.locked(str(tmp_path), "wiki"):
        pass
    holder.kill()
    holder.join()
    with catalog.locked(str(tmp_path), "shop"):
        pass


def test_a_manifest_of_a_newer_format_is_refused_in_words(tmp_path):
    path = tmp_path / f"{put(tmp_path)}{manifest.SUFFIX}"
    content = json.loads(path.read_text())
    content["format"]["version"] = 2
    path.write_text(json.dumps(content))
    with pytest.raises(RecoveryError, match="format version 2; this collection reads up to 1"):
        manifest.read(str(path))


def test_unknown_keys_of_a_manifest_are_kept_when_it_is_written_again(tmp_path):
    path = tmp_path / f"{put(tmp_path)}{manifest.SUFFIX}"
    content = manifest.read(str(path))
    content["from_the_future"] = {"a": [1, 2]}
    manifest.write(str(path), content)
    assert manifest.read(str(path))["from_the_future"] == {"a": [1, 2]}
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": {"name": "other", "version": 1}}', '{"format": {}}'])
def test_a_damaged_manifest_is_refused_by_its_path(tmp_path, text):
    path = tmp_path / "x.manifest.json"
    path.write_text(text)
    with pytest.raises(RecoveryError, match=str(path)):
        manifest.read(str(path))


def test_a_manifest_that_is_written_again_keeps_its_mode(tmp_path):
    path = tmp_path / f"{put(tmp_path)}{manifest.SUFFIX}"
    path.chmod(0o640)
    manifest.write(str(path), manifest.read(str(path)))
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_section_without_an_object_makes_a_manifest_a_damaged_one(tmp_path):
    path = tmp_path / f"{put(tmp_path)}{manifest.SUFFIX}"
    content = json.loads(path.read_text())
    content["archive"]["sections"] = [
        {"kind": "preamble", "offset": 0, "stored_bytes": 3, "plain_bytes": 3, "sha256": ""}
    ]
    path.write_text(json.dumps(content))
    with pytest.raises(RecoveryError, match=r"sections\[0\]\.object is no name"):
        manifest.read(str(path))


def test_a_manifest_that_latest_passes_over_is_named(tmp_path):
    put(tmp_path)
    (tmp_path / f"shop_2026-11-23_120000{manifest.SUFFIX}").write_text("{")
    (problem,) = catalog.unreadable_in(str(tmp_path))
    assert "shop_2026-11-23_120000" in problem
    assert "does not count" in problem
