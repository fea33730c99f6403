# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""backup_download and backup_info on a real S3 server over TLS."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import time
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path

import pytest
from test_upload import as_gzip, large_backup, rotten
from weak_network import WeakNetwork


@pytest.fixture
def store(object_store, bucket) -> dict:
    return object_store.options(bucket, "nightly")


@pytest.fixture
def fetched(tmp_path) -> Path:
    return tmp_path / "fetched"


def day(number: int) -> datetime:
    return datetime(2026, 11, number, 2, tzinfo=timezone.utc)


def proof(level: str, good: bool = True) -> list[dict]:
    return [{"time": "2026-11-23T00:00:00Z", "host": "h", "level": level, "verified": good}]


@contextmanager
def small_disk(place: Path, size: str):
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "tmpfs", place], check=True)
    yield place
    subprocess.run(["umount", place], check=True)


def test_what_comes_back_is_what_went_and_restores(run_module, backup, server, shop, folder, store, fetched):
    taken = backup(shop)
    before = server.dump(shop)
    run_module("backup_upload", {**store, "directory": str(folder)})
    options = {**store, "directory": str(fetched)}

    predicted = run_module("backup_download", options, check=True)
    assert predicted["changed"] is True
    assert not fetched.exists()

    done = run_module("backup_download", options)
    assert done["changed"] is True
    for kind in ("path", "manifest_path"):
        copy = Path(done["backup"][kind])
        assert copy.parent == fetched
        assert copy.read_bytes() == Path(taken[kind]).read_bytes()
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert stat.S_IMODE(fetched.stat().st_mode) == 0o700
    assert sorted(path.suffix for path in fetched.iterdir() if not path.name.startswith(".")) == [".json", ".zst"]

    for check in (True, False):
        assert run_module("backup_download", options, check=check)["changed"] is False

    server.execute(f"DROP DATABASE `{shop}`")
    run_module("db_restore", {"backup": done["backup"]["path"]})
    assert server.dump(shop) == before


def test_the_backup_that_is_meant_is_chosen(run_module, faker, folder, store, fetched):
    faker(day(20), verifications=proof("restore"))
    faker(day(21), verifications=proof("content"))
    faker(day(22), verifications=[*proof("content"), *proof("restore", good=False)])
    faker(day(23), labels={"purpose": "safety"})
    faker(day(24), database="crm")
    run_module("backup_upload", {**store, "directory": str(folder), "backup": "all"})

    def chosen(**options) -> str:
        given = {**store, "directory": str(fetched), "database": "shop", **options}
        return run_module("backup_download", given, check=True)["backup"]["name"]

    assert chosen() == "shop_2026-11-22_020000"
    assert chosen(backup="latest_verified") == "shop_2026-11-21_020000"
    assert chosen(before="2026-11-21") == "shop_2026-11-20_020000"
    assert chosen(before="2026-11-21T02:00:01Z") == "shop_2026-11-21_020000"
    assert chosen(before="2026-11-21T03:00:00+02:00") == "shop_2026-11-20_020000"
    # Any but the newest, and nothing that a restore kept for safety.
    assert {chosen(backup="random", before="2026-11-23") for _time in range(4)} <= {
        "shop_2026-11-20_020000",
        "shop_2026-11-21_020000",
    }
    assert chosen(backup="random", before="2026-11-22") == "shop_2026-11-20_020000"
    assert chosen(backup="crm_2026-11-24_020000") == "crm_2026-11-24_020000"
    assert chosen(backup="shop_2026-11-20_020000.sql.zst") == "shop_2026-11-20_020000"

    def refused(**options) -> str:
        return run_module("backup_download", {**store, "directory": str(fetched), **options}, fails=True).message

    assert "latest of which database? Backups of crm, shop are in" in refused()
    assert "There is no verified backup of crm in" in refused(backup="latest_verified", database="crm")
    assert "There is no older backup of crm in" in refused(backup="random", database="crm")
    missing = refused(backup="shop_2020-01-01_000000")
    assert "There is no backup shop_2020-01-01_000000" in missing
    assert "Available, newest first:\n  crm_2026-11-24_020000" in missing
    assert "before: 'yesterday' is not a moment. Write 2026-11-22" in refused(before="yesterday")


def test_a_damaged_object_is_found_and_nothing_is_kept_of_it(
    run_module, backup, shop, folder, store, fetched, object_store
):
    taken = backup(shop)
    run_module("backup_upload", {**store, "directory": str(folder)})
    bucket, name = store["store"].split("/")[2], Path(taken["path"]).name
    body = bytearray(Path(taken["path"]).read_bytes())
    body[len(body) // 2] ^= 1
    object_store.client().put_object(Bucket=bucket, Key=f"nightly/{name}", Body=bytes(body))
    failed = run_module("backup_download", {**store, "directory": str(fetched)}, fails=True)
    assert f"The off-site copy {store['store']}/{name} is damaged: its SHA-256 is" in failed.message
    assert [path.name for path in fetched.iterdir() if not path.name.startswith(".")] == []

    object_store.client().put_object(Bucket=bucket, Key=f"nightly/{name}", Body=bytes(body[:-1]))
    cut = run_module("backup_download", {**store, "directory": str(fetched)}, fails=True)
    assert "Nothing was downloaded" in cut.message

    object_store.client().delete_object(Bucket=bucket, Key=f"nightly/{name}")
    half = run_module("backup_download", {**store, "directory": str(fetched), "backup": taken["name"]}, fails=True)
    assert "its archive is missing" in half.message


def test_a_rotten_copy_that_is_there_already_is_found_and_left_alone(run_module, faker, folder, store, fetched):
    faker(day(22))
    run_module("backup_upload", {**store, "directory": str(folder)})
    copy = Path(run_module("backup_download", {**store, "directory": str(fetched)})["backup"]["path"])
    copy.write_bytes(rotten(str(copy)))
    content = copy.read_bytes()
    for check in (True, False):
        refused = run_module("backup_download", {**store, "directory": str(fetched)}, check=check, fails=True)
        assert f"{copy} is there already and is not the backup that is in the store: its SHA-256 is" in refused.message
    assert copy.read_bytes() == content


def test_the_manifest_of_another_backup_is_not_replaced_by_a_download(run_module, faker, folder, store, fetched):
    faker(day(22))
    run_module("backup_upload", {**store, "directory": str(folder)})
    fetched.mkdir()
    other = as_gzip(faker(day(22), where=fetched))
    before = {path.name: path.read_bytes() for path in fetched.iterdir()}
    for check in (True, False):
        refused = run_module("backup_download", {**store, "directory": str(fetched)}, check=check, fails=True)
        wanted = f"shop_2026-11-22_020000.manifest.json is there already and describes another backup, {other.name}"
        assert wanted in refused.message
    assert {path.name: path.read_bytes() for path in fetched.iterdir()} == before


def test_a_run_that_was_killed_is_gone_on_with(run_module, start_module, faker, folder, store, fetched, object_store):
    archive = large_backup(faker, folder, 30)
    run_module("backup_upload", {**store, "directory": str(folder), "verify": "none"})
    partial = fetched / f"{archive.name}.partial"
    with WeakNetwork(object_store.port) as network:
        network.pace = 10_000_000
        module = start_module("backup_download", {**store, "directory": str(fetched), "endpoint_url": network.endpoint})
        module.wait_for(lambda: partial.exists() and partial.stat().st_size > 8_000_000)
        module.end_killed()
    left = partial.stat().st_size
    assert left < archive.stat().st_size
    assert run_module("backup_info", {"directory": str(fetched)})["backups"][0]["state"] == "partial"
    done = run_module("backup_download", {**store, "directory": str(fetched)})
    assert done["resumed_at"] == left
    assert (fetched / archive.name).read_bytes() == archive.read_bytes()


def test_what_an_interrupted_run_left_is_not_trusted(run_module, faker, folder, store, fetched):
    archive = large_backup(faker, folder, 3)
    run_module("backup_upload", {**store, "directory": str(folder), "verify": "none"})
    fetched.mkdir()
    (fetched / f"{archive.name}.partial").write_bytes(os.urandom(1_000_000))
    done = run_module("backup_download", {**store, "directory": str(fetched)})
    assert done["resumed_at"] == 0
    assert (fetched / archive.name).read_bytes() == archive.read_bytes()


def test_a_connection_that_breaks_in_the_middle_is_taken_up_where_it_broke(
    start_module, run_module, faker, folder, store, fetched, object_store
):
    archive = large_backup(faker, folder, 30)
    run_module("backup_upload", {**store, "directory": str(folder), "verify": "none"})
    with WeakNetwork(object_store.port) as network:
        network.pace = 15_000_000
        module = start_module("backup_download", {**store, "directory": str(fetched), "endpoint_url": network.endpoint})
        partial = fetched / f"{archive.name}.partial"
        module.wait_for(lambda: partial.exists() and partial.stat().st_size > 8_000_000)
        network.cut()
        time.sleep(0.5)
        network.mend()
        done = module.end()
        # What had arrived was not asked for again.
        assert network.received < archive.stat().st_size + 8_000_000
    assert done.status == 0, done.message
    assert (fetched / archive.name).read_bytes() == archive.read_bytes()


def test_a_disk_that_is_too_small_is_seen_before_and_one_that_fills_up_is_left_clean(
    run_module, faker, folder, store, tmp_path
):
    large_backup(faker, folder, 30)
    run_module("backup_upload", {**store, "directory": str(folder), "verify": "none"})
    with small_disk(tmp_path / "small", "20m") as place:
        early = run_module("backup_download", {**store, "directory": str(place)}, fails=True)
        assert "are to be downloaded. Make room" in early.message
        late = run_module(
            "backup_download",
            {**store, "directory": str(place)},
            fails=True,
            settings={"_actions.download:_SPARE_BYTES": -(10**9)},
        )
        assert "cannot be written to" in late.message
        assert "No space left on device" in late.message
        assert [path.name for path in place.iterdir() if not path.name.startswith(".")] == []


def test_nothing_local_is_overwritten(run_module, backup, shop, folder, store, fetched):
    taken = backup(shop)
    run_module("backup_upload", {**store, "directory": str(folder)})
    fetched.mkdir()
    (fetched / Path(taken["path"]).name).write_text("mine")
    refused = run_module("backup_download", {**store, "directory": str(fetched)}, fails=True)
    assert "is there already and is not the backup that is in the store" in refused.message
    assert (fetched / Path(taken["path"]).name).read_text() == "mine"


def test_every_copy_of_a_backup_is_listed_with_it(run_module, faker, folder, store, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    nas = {"store": f"file://{disk}"}
    faker(day(20))
    run_module("backup_upload", {**store, "directory": str(folder)})
    run_module("backup_upload", {**nas, "directory": str(folder)})
    faker(day(21))
    run_module("backup_upload", {**store, "directory": str(folder)})
    assert "There is no place to look at" in run_module("backup_info", {"stores": []}, fails=True).message
    listed = run_module("backup_info", {"directory": str(folder), "stores": [store, nas]})
    assert [(each["name"], each["copies"]) for each in listed["backups"]] == [
        ("shop_2026-11-21_020000", [str(folder), store["store"]]),
        ("shop_2026-11-20_020000", [str(folder), store["store"], nas["store"]]),
    ]
    assert {each["state"] for each in listed["backups"]} == {"complete"}
    only_there = run_module("backup_info", {"stores": [store], "database": "shop"})["backups"]
    assert [each["copies"] for each in only_there] == [[store["store"]]] * 2
    assert only_there[0]["path"] == f"{store['store']}/shop_2026-11-21_020000.sql.zst"


def test_what_was_proved_off_site_is_seen_beside_the_local_copy(run_module, faker, folder, store, object_store):
    archive = faker(day(20))
    run_module("backup_upload", {**store, "directory": str(folder)})
    manifest = archive.with_name(archive.name.replace(".sql.zst", ".manifest.json"))
    content = json.loads(manifest.read_text())
    content["verifications"] = proof("restore")
    object_store.client().put_object(
        Bucket=store["store"].split("/")[2], Key=f"nightly/{manifest.name}", Body=json.dumps(content).encode()
    )
    (listed,) = run_module("backup_info", {"directory": str(folder), "stores": [store]})["backups"]
    assert listed["verified"]["level"] == "restore"
