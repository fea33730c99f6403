# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""backup_pin: what retention leaves alone, here and, with the next upload, off-site."""

from __future__ import annotations

import json
from pathlib import Path


def is_pinned(path: Path) -> bool:
    return json.loads(path.read_text())["backup"]["pinned"]


def test_a_pin_is_set_and_taken_off_and_goes_off_site_with_the_next_upload(
    shop, backup, folder, run_module, object_store, bucket
):
    taken = backup(shop)
    here = Path(taken["manifest_path"])
    store = object_store.options(bucket, "nightly")
    upload = {**store, "directory": str(folder), "backup": "all"}
    run_module("backup_upload", upload)

    for pinned in (True, False):
        options = {"directory": str(folder), "backup": [taken["name"]], "pinned": pinned}
        results = [run_module("backup_pin", options, check=check, diff=True) for check in (True, False, True, False)]
        assert [result["changed"] for result in results] == [True, True, False, False]
        assert [result["backups"] for result in results] == [[taken["name"]]] * 2 + [[]] * 2
        word = "pinned" if pinned else "not pinned"
        assert results[0]["diff"]["after"] == results[1]["diff"]["after"] == f"{taken['name']} {word}\n"
        assert is_pinned(here) is pinned
        assert here.stat().st_mode & 0o777 == 0o600
        run_module("backup_upload", upload)
        key = f"nightly/{here.name}"
        there = json.load(object_store.client().get_object(Bucket=bucket, Key=key)["Body"])
        assert there["backup"]["pinned"] is pinned
    assert run_module("backup_verify", {"backup": taken["path"], "level": "content"})["verified"] is True


def test_check_mode_sets_no_pin(shop, backup, folder, run_module):
    taken = backup(shop)
    run_module("backup_pin", {"directory": str(folder), "backup": [taken["name"]]}, check=True)
    assert is_pinned(Path(taken["manifest_path"])) is False


def test_what_is_not_there_cannot_be_pinned_and_needs_no_unpinning(shop, backup, folder, run_module):
    taken = backup(shop)
    options = {"directory": str(folder), "backup": [taken["name"], "shop_2026-01-01_000000"]}

    failed = run_module("backup_pin", options, fails=True)
    assert f"shop_2026-01-01_000000 is not in {folder}" in failed.message
    assert is_pinned(Path(taken["manifest_path"])) is False
    done = run_module("backup_pin", {**options, "pinned": False})
    assert (done["changed"], done["missing"]) == (False, ["shop_2026-01-01_000000"])
    nowhere = run_module("backup_pin", {**options, "directory": str(folder / "gone"), "pinned": False})
    assert nowhere["changed"] is False
