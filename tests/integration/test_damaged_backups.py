# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A backup that is not what was written is refused, at the cheapest level that can see it, and nothing is touched."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import random
import shutil
import time
from pathlib import Path

import pytest
import zstandard
from handmade import before_table, plain_text, rewrite
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.dbops.recovery.plugins.module_utils._archive import catalog
from ansible_collections.dbops.recovery.plugins.module_utils._archive.checks import Limits, check_backup, failed
from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError


@pytest.fixture(params=["zstd", "gzip", "none"])
def taken(request, shop, backup) -> dict:
    return backup(shop, compression=request.param)


def failures(path: str | Path, level: str) -> list[str]:
    """The names of the checks that make a backup a bad one, by the same code that the modules run."""
    return [check.name for check in failed(check_backup(catalog.find(str(path), None), level, Limits()).checks)]


def section_ends(taken: dict) -> list[int]:
    sections = json.loads(Path(taken["manifest_path"]).read_text())["archive"]["sections"]
    return [section["offset"] for section in sections]


def test_a_good_backup_passes_every_check(taken, run_module):
    verified = run_module("backup_verify", {"backup": taken["path"], "level": "content"})

    assert verified["verified"] is True
    assert all(check["passed"] for check in verified["checks"])
    assert {"stored_sha256", "plain_sha256", "decompress", "magic", "frame", "sections", "objects"} <= {
        check["name"] for check in verified["checks"]
    }


def test_an_archive_that_was_cut_anywhere_is_refused_at_the_cheapest_level(taken):
    path = Path(taken["path"])
    whole = path.read_bytes()
    cuts = {*section_ends(taken), *random.Random(1).sample(range(len(whole)), 40), len(whole) - 1}
    for cut in sorted(cuts):
        path.write_bytes(whole[:cut])
        assert "stored_sha256" in failures(path, "file"), cut


def test_a_dump_without_a_manifest_that_was_cut_anywhere_is_refused(taken, tmp_path):
    whole = Path(taken["path"]).read_bytes()
    alone = tmp_path / Path(taken["path"]).name
    for cut in sorted({*section_ends(taken), *random.Random(2).sample(range(len(whole)), 40)}):
        alone.write_bytes(whole[:cut])
        assert failures(alone, "content"), cut


def flipped(content: bytes, position: int, bit: int) -> bytes:
    position %= len(content)
    return content[:position] + bytes([content[position] ^ (1 << bit)]) + content[position + 1 :]


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.integers(0, 10**6), bit=st.integers(0, 7))
def test_a_flipped_bit_never_passes(taken, position, bit):
    path = Path(taken["path"])
    whole = path.read_bytes()
    path.write_bytes(flipped(whole, position, bit))
    try:
        assert "stored_sha256" in failures(path, "file")
    finally:
        path.write_bytes(whole)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.integers(0, 10**6), bit=st.integers(0, 7))
def test_a_compressed_dump_without_a_manifest_with_a_flipped_bit_is_refused_or_still_the_same_sql(
    shop_archives, position, bit
):
    for path, content, text in shop_archives:
        path.write_bytes(flipped(content, position, bit))
        assert failures(path, "content") or plain_text(path) == text


@pytest.fixture
def shop_archives(shop, backup, tmp_path) -> list[tuple[Path, bytes, bytes]]:
    found = []
    for compression, suffix in (("zstd", ".sql.zst"), ("gzip", ".sql.gz")):
        content = Path(backup(shop, compression=compression)["path"]).read_bytes()
        path = tmp_path / f"alone{suffix}"
        path.write_bytes(content)
        found.append((path, content, plain_text(path)))
    return found


DAMAGES = {
    "empty": lambda content: b"",
    "cut": lambda content: content[: len(content) // 2],
    "flipped": lambda content: flipped(content, len(content) // 2, 3),
    "twice": lambda content: content + content,
    "longer": lambda content: content + b"\0",
    "not an archive": lambda content: b"<html>404 Not Found</html>\n" * 20,
}


@pytest.mark.parametrize("damage", list(DAMAGES))
def test_a_damaged_backup_is_neither_verified_nor_restored(server, shop, backup, run_module, damage):
    taken = backup(shop)
    path = Path(taken["path"])
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    server.execute("DELETE FROM orders", schema=shop)
    before = server.dump(shop)

    for level in ("file", "content"):
        refused = run_module("backup_verify", {"backup": taken["path"], "level": level}, fails=True)
        assert refused["verified"] is False
        assert "stored_sha256" in [check["name"] for check in refused["checks"] if not check["passed"]]
        restore = run_module("db_restore", {"backup": taken["path"], "verify": level}, fails=True)
        assert "Nothing was touched" in restore.message
        assert "stored_sha256" in restore.message
    assert server.dump(shop) == before


def damage_rows(taken: dict) -> None:
    """Change one value, and the checksums of the whole file: those of its sections alone still tell."""
    path, manifest = Path(taken["path"]), Path(taken["manifest_path"])
    path.chmod(0o600)
    spoilt = path.read_bytes().replace(b"'Ada'", b"'Eve'")
    assert spoilt != path.read_bytes()
    path.write_bytes(spoilt)
    content = json.loads(manifest.read_text())
    content["archive"]["stored_sha256"] = content["archive"]["plain_sha256"] = hashlib.sha256(spoilt).hexdigest()
    manifest.write_text(json.dumps(content))


def test_a_section_that_is_damaged_is_found_before_the_swap_although_it_was_not_read_beforehand(
    server, shop, backup, run_module
):
    taken = backup(shop, compression="none")
    damage_rows(taken)
    server.execute("DELETE FROM orders", schema=shop)
    before = server.dump(shop)

    failed = run_module("db_restore", {"backup": taken["path"], "strategy": "swap"}, fails=True)

    assert failed["outcome"] == "reverted"
    assert "rows of customer has another checksum" in failed.message
    assert "it was not touched" in failed.message
    assert server.dump(shop) == before
    assert [name for (name,) in server.query("SHOW DATABASES") if name.startswith(f"{shop}__")] == []


def test_a_section_that_is_damaged_is_found_before_anything_is_removed_in_place(server, shop, backup, run_module):
    taken = backup(shop, compression="none")
    damage_rows(taken)
    before = server.dump(shop)

    failed = run_module("db_restore", {"backup": taken["path"], "strategy": "in_place"}, fails=True)

    assert "sections: damaged: rows of customer" in failed.message
    assert "Nothing was touched" in failed.message
    assert "outcome" not in failed.result
    assert server.dump(shop) == before


def test_a_name_that_lies_about_the_content_is_refused(server, shop, backup, run_module, tmp_path):
    lie = tmp_path / "shop.sql.gz"
    shutil.copy(backup(shop, compression="zstd")["path"], lie)

    refused = run_module("backup_verify", {"backup": str(lie), "level": "file"}, fails=True)

    assert "the content is zstd, the name says gzip" in refused.message
    assert "the name says gzip" in run_module("db_restore", {"backup": str(lie), "database": shop}, fails=True).message


def test_two_whole_dumps_in_one_file_are_refused(shop, backup, tmp_path, run_module):
    content = Path(backup(shop)["path"]).read_bytes()
    both = tmp_path / "both.sql.zst"
    both.write_bytes(content + content)

    assert failures(both, "file") == []
    refused = run_module("backup_verify", {"backup": str(both)}, fails=True)

    assert "one header and one footer were expected, 2 and 2" in refused.message


@pytest.mark.parametrize("compress", [gzip.compress, zstandard.ZstdCompressor().compress])
def test_a_cut_dump_in_front_of_a_whole_one_is_refused(server, shop, tmp_path, compress):
    text = server.dump(shop)
    cut = text[: text.index(b"(2,2,250.50)") + 13]
    both = tmp_path / ("both.sql.gz" if compress is gzip.compress else "both.sql.zst")
    both.write_bytes(compress(cut) + compress(text))

    assert "frame" in failures(both, "content")


def test_a_footer_that_does_not_stand_last_is_no_footer(server, shop, tmp_path):
    path = tmp_path / "shop.sql"
    path.write_bytes(server.dump(shop) + b"INSERT INTO customer VALUES (9, 'late');\n")

    assert failures(path, "content") == ["frame"]


def test_a_dump_with_a_dated_footer_is_whole(server, shop, tmp_path):
    path = tmp_path / "shop.sql"
    path.write_bytes(server.dump(shop, "--dump-date"))

    assert path.read_bytes().rstrip().splitlines()[-1].startswith(b"-- Dump completed on ")
    assert failures(path, "content") == []


@pytest.mark.parametrize("kind", ["customer", "orders", "big_orders"])
def test_an_object_that_is_missing_is_seen_although_every_checksum_is_right(shop, backup, run_module, kind):
    taken = backup(shop)
    header, behind = b"Table structure for table", b"--\n-- "
    if kind == "big_orders":
        header, behind = b"Final view structure for view", b"/*!40103 SET TIME_ZONE=@OLD"

    def without(text: bytes) -> bytes:
        start = text.index(b"--\n-- " + header + b" `" + kind.encode() + b"`")
        return text[:start] + text[text.index(behind, start + 8) :]

    rewrite(taken, without)

    assert failures(taken["path"], "file") == []
    refused = run_module("backup_verify", {"backup": taken["path"]}, fails=True)
    assert f"{'view' if kind == 'big_orders' else 'table'} {kind}" in refused.message


def test_an_object_that_the_manifest_does_not_know_is_seen(shop, backup, run_module):
    taken = backup(shop)
    rewrite(
        taken,
        before_table("orders", "--\n-- Table structure for table `smuggled`\n--\nCREATE TABLE `smuggled` (id INT)"),
    )

    refused = run_module("backup_verify", {"backup": taken["path"]}, fails=True)

    assert "not in the manifest: table smuggled" in refused.message


# Manifests


@pytest.fixture
def manifest(shop, backup) -> Path:
    return Path(backup(shop)["manifest_path"])


def paths_of(value, path=()):
    """Every place in a JSON document."""
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in items:
        yield from paths_of(each, (*path, key))


def test_no_change_of_the_manifest_crashes_a_reader(shop, manifest):
    archive = catalog.find(str(manifest), None).path
    text = manifest.read_text()
    for path in list(paths_of(json.loads(text))):
        for value in (None, "", "x", 0, -1, [], {}, [1], {"x": 1}, "../../etc/passwd"):
            content = json.loads(text)
            place = content
            for key in path[:-1]:
                place = place[key]
            place[path[-1]] = value
            manifest.write_text(json.dumps(content))
            catalog.backups_in(str(manifest.parent), shop)
            with contextlib.suppress(RecoveryError):
                found = catalog.find(archive, None)
                found.describe()
                assert found.path == archive
                check_backup(found, "content", Limits())


NO_MANIFESTS = [b"", b"{", b"[]", b"null", b'{"format": 1}', b"[" * 100_000, b"\xff\xfe"]


@pytest.mark.parametrize("text", NO_MANIFESTS, ids=[str(text[:20]) for text in NO_MANIFESTS])
def test_a_manifest_that_is_none_is_refused_and_hides_no_other(shop, backup, manifest, run_module, folder, text):
    first = backup(shop)
    second = backup(shop)
    Path(second["manifest_path"]).write_bytes(text)

    refused = run_module("backup_verify", {"backup": second["path"]}, fails=True)
    assert second["manifest_path"] in refused.message
    refused = run_module("db_restore", {"backup": second["name"], "directory": str(folder)}, fails=True)
    assert second["manifest_path"] in refused.message
    latest = run_module("backup_verify", {"backup": "latest", "directory": str(folder), "database": shop})
    assert latest["backup"]["name"] == first["name"]


def test_a_manifest_of_a_newer_format_asks_for_an_update(manifest, run_module):
    manifest.write_text(manifest.read_text().replace('"version": 1', '"version": 2', 1))

    refused = run_module("backup_verify", {"backup": str(manifest)}, fails=True)

    assert "format version 2" in refused.message
    assert "Update the collection" in refused.message


def test_the_manifest_of_another_backup_is_refused(shop, backup, run_module):
    first, second = backup(shop), backup(shop)
    shutil.copy(first["manifest_path"], second["manifest_path"])

    refused = run_module("backup_verify", {"backup": second["path"]}, fails=True)

    assert "describes" in refused.message
    assert Path(first["path"]).name in refused.message


def test_sections_of_another_table_are_seen(server, shop, backup):
    """Swapped, repeated, removed: the whole file's checksum is the cheapest that sees it."""
    taken = backup(shop)
    path = Path(taken["path"])
    whole = path.read_bytes()
    ends = [*section_ends(taken)[1:], len(whole)]
    parts = [whole[start:end] for start, end in zip([0, *ends[:-1]], ends)]
    for changed in (
        [parts[1], parts[0], *parts[2:]],
        [*parts[:2], *parts[1:]],
        [*parts[:2], *parts[3:]],
    ):
        path.write_bytes(b"".join(changed))
        assert "stored_sha256" in failures(path, "file")


def test_limits_are_held(shop, backup, run_module):
    taken = backup(shop)
    time.sleep(1.1)  # its age is told in whole seconds

    for limit, word in (({"min_size": "1G"}, "at least 1.0 GiB wanted"), ({"max_age": "0s"}, "at most 0s wanted")):
        refused = run_module("backup_verify", {"backup": taken["path"], **limit}, fails=True)
        assert word in refused.message
    large = run_module("backup_verify", {"backup": taken["path"], "max_size": "10"})
    assert large["verified"] is True
    assert "at most 10 B wanted" in json.dumps(large["warnings"])
