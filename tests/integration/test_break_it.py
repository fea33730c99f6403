# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every damage is named at the cheapest level that can see it, and no change of a byte ever passes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

import pytest
from handmade import plain_text
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.dbops.recovery.plugins.module_utils._archive import codec
from ansible_collections.dbops.recovery.plugins.module_utils._archive.dump import Section, split
from ansible_collections.dbops.recovery.plugins.module_utils._archive.writer import write_archive

LEVELS = ["file", "content", "restore"]
SCHEMA = "break_it"


@pytest.fixture(scope="module")
def original(server, backup_here, shop_script, tmp_path_factory) -> Iterator[Path]:
    """The archive of a good backup, with its manifest beside it."""
    server.execute(f"CREATE DATABASE {SCHEMA}")
    server.load(SCHEMA, shop_script)
    yield Path(backup_here(SCHEMA, tmp_path_factory.mktemp("original"))["path"])
    server.execute(f"DROP DATABASE {SCHEMA}")


class Copy:
    """A copy of a backup that may be damaged."""

    def __init__(self, original: Path, folder: Path):
        folder.mkdir(exist_ok=True)
        self.path = Path(shutil.copy(original, folder))
        self.manifest = Path(shutil.copy(manifest_of(original), folder))

    @property
    def stored(self) -> bytes:
        return self.path.read_bytes()

    @property
    def content(self) -> dict:
        return json.loads(self.manifest.read_text())

    def store(self, data: bytes) -> None:
        self.path.write_bytes(data)

    def describe(self, content: dict) -> None:
        self.manifest.write_text(json.dumps(content))

    def members(self) -> list[bytes]:
        stored = self.stored
        sections = self.content["archive"]["sections"]
        return [stored[each["offset"] :][: each["stored_bytes"]] for each in sections]

    def place_of(self, kind: str, name: str | None = None) -> int:
        return [(each["kind"], each["object"]) for each in self.content["archive"]["sections"]].index((kind, name))

    def rewrite(self, sections: list[Section]) -> None:
        """Store other sections, and a manifest whose checksums are those of the new archive."""
        content = self.content
        self.path.unlink()
        written = write_archive(str(self.path), sections, codec.choose("zstd"))
        content["archive"] = {"file": self.path.name, **written}
        self.describe(content)

    def sections(self) -> list[Section]:
        return list(split([plain_text(self.path)]))


def manifest_of(archive: Path) -> Path:
    return archive.with_name(archive.name.replace(".sql.zst", ".manifest.json"))


@pytest.fixture
def copy(original, tmp_path) -> Copy:
    return Copy(original, tmp_path / "copy")


def flip(copy: Copy, kind: str, name: str | None, bit: int = 3) -> None:
    """Flip a bit in the middle of a section's member."""
    data = bytearray(copy.stored)
    section = copy.content["archive"]["sections"][copy.place_of(kind, name)]
    data[section["offset"] + section["stored_bytes"] // 2] ^= 1 << bit
    copy.store(bytes(data))


def repacked(copy: Copy, edit: Callable[[bytes], bytes]) -> None:
    """Compress other SQL anew under the old manifest, whose checksum of the file is made right."""
    text = edit(plain_text(copy.path))
    copy.store(codec.choose("zstd").compress(text))


def without(kind: str, name: str | None) -> Callable[[Copy], None]:
    def damage(copy: Copy) -> None:
        place = copy.place_of(kind, name)
        copy.rewrite([each for number, each in enumerate(copy.sections()) if number != place])

    return damage


def twice(kind: str, name: str | None) -> Callable[[Copy], None]:
    def damage(copy: Copy) -> None:
        sections, place = copy.sections(), copy.place_of(kind, name)
        copy.rewrite([*sections[: place + 1], *sections[place:]])

    return damage


def swapped(copy: Copy) -> None:
    sections = copy.sections()
    first, second = copy.place_of("table", "customer"), copy.place_of("table", "orders")
    assert sections[first + 1].kind == sections[second + 1].kind == "rows"
    sections[first : first + 2], sections[second : second + 2] = (
        sections[second : second + 2],
        sections[first : first + 2],
    )
    copy.rewrite(sections)


def joined(copy: Copy) -> None:
    copy.rewrite(copy.sections() * 2)


def manifest_says(*path: str | int, value: object) -> Callable[[Copy], None]:
    def damage(copy: Copy) -> None:
        content = copy.content
        place = content
        for key in path[:-1]:
            place = place[key]
        assert place[path[-1]] != value
        place[path[-1]] = value
        copy.describe(content)

    return damage


def of_another(copy: Copy) -> None:
    """The manifest of a backup of the same schema, renamed so that it seems to belong here."""
    content = copy.content
    content["archive"]["plain_sha256"] = content["archive"]["stored_sha256"] = "0" * 64
    for section in content["archive"]["sections"]:
        section["sha256"] = "0" * 64
    copy.describe(content)


# What is done, the level that sees it first, the checks that fail there, and words among theirs.
DAMAGES = {
    "a bit flipped in the preamble": (
        lambda copy: flip(copy, "preamble", None),
        "file",
        {"stored_sha256"},
        "manifest has",
    ),
    "a bit flipped in the middle of a table": (
        lambda copy: flip(copy, "rows", "orders"),
        "file",
        {"stored_sha256", "plain_sha256"},
        "manifest has",
    ),
    "a bit flipped in the footer": (
        lambda copy: flip(copy, "epilogue", None),
        "file",
        {"stored_sha256"},
        "manifest has",
    ),
    "the last byte missing": (
        lambda copy: copy.store(copy.stored[:-1]),
        "file",
        {"size", "stored_sha256", "decompress"},
        "ends in the middle of compressed member",
    ),
    "a byte too many": (
        lambda copy: copy.store(copy.stored + b"\n"),
        "file",
        {"size", "stored_sha256"},
        "bytes, the manifest has",
    ),
    "nothing left": (lambda copy: copy.store(b""), "file", {"exists", "size", "stored_sha256"}, "is empty"),
    "a member removed": (
        lambda copy: copy.store(b"".join(copy.members()[:2] + copy.members()[3:])),
        "file",
        {"size", "stored_sha256", "plain_sha256"},
        "manifest has",
    ),
    "two members swapped": (
        lambda copy: copy.store(b"".join([copy.members()[1], copy.members()[0], *copy.members()[2:]])),
        "file",
        {"stored_sha256", "plain_sha256"},
        "manifest has",
    ),
    "a member repeated": (
        lambda copy: copy.store(b"".join(copy.members()[:3] + copy.members()[2:])),
        "file",
        {"size", "stored_sha256", "plain_sha256"},
        "manifest has",
    ),
    "two archives joined": (
        lambda copy: copy.store(copy.stored * 2),
        "file",
        {"size", "stored_sha256", "plain_sha256"},
        "manifest has",
    ),
    "the archive compressed anew": (
        lambda copy: repacked(copy, bytes),
        "file",
        {"size", "stored_sha256"},
        "manifest has",
    ),
    "something else under its name": (
        lambda copy: copy.store(b"<html>502 Bad Gateway</html>"),
        "file",
        {"size", "magic", "stored_sha256", "plain_sha256"},
        "the content is not compressed, the name says zstd",
    ),
    "the checksums of another backup": (of_another, "file", {"stored_sha256", "plain_sha256"}, "manifest has 00000"),
    "a manifest with another checksum of the SQL": (
        manifest_says("archive", "plain_sha256", value="0" * 64),
        "file",
        {"plain_sha256"},
        "manifest has 00000",
    ),
    "a manifest with another checksum of a section": (
        manifest_says("archive", "sections", 2, "sha256", value="0" * 64),
        "content",
        {"sections"},
        "damaged: table of customer",
    ),
    "a manifest that lists more": (
        manifest_says("inventory", "view", value={"big_orders": "x", "more": "x"}),
        "content",
        {"objects"},
        "missing: view more",
    ),
    "a manifest that lists less": (
        manifest_says("inventory", "trigger", value={}),
        "content",
        {"objects"},
        "not in the manifest: trigger orders_check",
    ),
    "a manifest with another definition": (
        manifest_says("inventory", "table", "orders", value="0" * 64),
        "restore",
        {"inventory"},
        "changed: table orders",
    ),
    "a manifest with other row counts": (
        manifest_says("rows", "tables", "orders", value=4),
        "restore",
        {"rows"},
        "orders has 3, the manifest 4",
    ),
    # From here on every checksum is right: such a backup was bad when it was made.
    "made without the footer": (without("epilogue", None), "content", {"frame"}, "was cut short"),
    "made without the preamble": (without("preamble", None), "content", {"frame"}, "0 and 1 stand in it"),
    "made without a table": (without("table", "orders"), "content", {"objects"}, "missing: table orders"),
    "made without the triggers": (
        without("triggers", "orders"),
        "content",
        {"objects"},
        "missing: trigger orders_check",
    ),
    "made without a table's rows": (
        without("rows", "customer"),
        "restore",
        {"rows"},
        "customer has 0, the manifest 3",
    ),
    "made of two dumps": (joined, "content", {"frame"}, "2 and 2 stand in it"),
    "made with a table's rows twice": (twice("rows", "orders"), "restore", {"load"}, "Duplicate entry '1'"),
    "made with a table emptied again": (
        lambda copy: copy.rewrite(
            [*copy.sections()[:-2], copy.sections()[copy.place_of("table", "orders")], *copy.sections()[-2:]]
        ),
        "restore",
        {"inventory", "rows", "dump_back"},
        "orders has 0, the manifest 3",
    ),
    "made in another order": (swapped, "restore", {"dump_back"}, "the order of the sections"),
}


def test_a_copy_that_nobody_damaged_passes_every_level(copy, verify_here):
    for level in LEVELS:
        result = verify_here(copy.path, level, record=False)
        assert result["verified"] is True, result


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damage_is_named_at_the_cheapest_level_that_can_see_it(copy, verify_here, name):
    damage, level, expected, words = DAMAGES[name]
    damage(copy)

    for cheaper in LEVELS[: LEVELS.index(level)]:
        assert verify_here(copy.path, cheaper, record=False)["verified"] is True
    result = verify_here(copy.path, level, record=False)

    failed = {each["name"]: each["detail"] for each in result["checks"] if not each["passed"]}
    assert expected <= failed.keys()
    assert words in "\n".join(failed.values())
    assert "is not good" in result["msg"]
    assert words in result["msg"]


CONTRADICTIONS = [
    (manifest_says("archive", "stored_bytes", value=1), "do not add up"),
    (manifest_says("archive", "plain_bytes", value=1), "do not add up"),
    (manifest_says("archive", "sections", 2, "plain_bytes", value=1), "do not add up"),
    (manifest_says("archive", "sections", 2, "plain_bytes", value=-5), "plain_bytes is negative"),
    (manifest_says("archive", "sections", 2, "offset", value=0), "do not follow on each other"),
    (manifest_says("archive", "sections", 2, value="rows"), "archive.sections[2] is missing"),
    (manifest_says("archive", "compression", value="gzip"), "would not be"),
    (manifest_says("backup", "name", value="other_2026-01-01_000000"), "would not be"),
    (manifest_says("backup", "started", value="yesterday"), "backup.started is not a moment"),
    (manifest_says("server", "flavour", value="oracle"), "server.flavour is oracle"),
    (manifest_says("server", "collation", value="x; DROP DATABASE shop"), "server.collation is no name"),
    (manifest_says("server", "lower_case_table_names", value="0 --init-file=x"), "lower_case_table_names is not"),
    (manifest_says("rows", value={"counted": "in the dump"}), "rows.tables is missing"),
    (manifest_says("verifications", value="none"), "verifications is not a list"),
    (manifest_says("client", value={}), "client.version is missing"),
]


@pytest.mark.parametrize(("damage", "words"), CONTRADICTIONS, ids=[words for _damage, words in CONTRADICTIONS])
def test_a_manifest_that_cannot_be_right_is_refused_in_words(copy, verify_here, damage, words):
    damage(copy)

    result = verify_here(copy.path, "file")

    assert f"{copy.manifest} is damaged: " in result["msg"]
    assert words in result["msg"]


def test_an_archive_cut_at_any_boundary_of_a_section_is_seen_at_level_file(copy, verify_here):
    whole = copy.stored
    for section in copy.content["archive"]["sections"]:
        copy.store(whole[: section["offset"]])

        result = verify_here(copy.path, "file", record=False)

        failed = {each["name"] for each in result["checks"] if not each["passed"]}
        # Each member is whole, so decompression alone, as with gzip -t, would pass.
        assert {"size", "stored_sha256", "plain_sha256"} <= failed
        assert "decompress" not in failed


def test_without_its_manifest_a_cut_archive_is_seen_by_the_missing_footer(copy, verify_here):
    whole, sections = copy.stored, copy.content["archive"]["sections"]
    copy.manifest.unlink()
    for section in sections[1:]:
        copy.store(whole[: section["offset"]])

        assert verify_here(copy.path, "file")["verified"] is True
        assert "was cut short" in verify_here(copy.path, "content")["msg"]


def test_no_manifest_that_was_changed_anywhere_makes_a_proof_crash(copy, verify_here):
    before = copy.content
    names = [
        ("rows", "tables"),
        ("rows", "counted"),
        ("inventory", "table"),
        ("server", "version"),
        ("client", "version"),
    ]
    for part, key in names:
        for value in (None, "", 7, [], {}, {"orders": None}, {"orders": {}}, {"nowhere": 1}):
            content = json.loads(json.dumps(before))
            content[part][key] = value
            copy.describe(content)

            result = verify_here(copy.path, "restore", record=False)

            assert result.get("verified") is not None or "is damaged" in result["msg"]


FLIPS = st.lists(st.tuples(st.integers(0, 10**9), st.integers(1, 255)), min_size=1, max_size=5)


def flipped(data: bytes, flips: list[tuple[int, int]]) -> bytes:
    changed = bytearray(data)
    for position, change in flips:
        changed[position % len(data)] ^= change
    return bytes(changed)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(flips=FLIPS, level=st.sampled_from(["file", "content"]))
def test_no_changed_byte_of_an_archive_ever_passes(original, tmp_path, verify_here, flips, level):
    copy = Copy(original, tmp_path / "copy")
    changed = flipped(copy.stored, flips)
    if changed == copy.stored:
        return
    copy.store(changed)

    assert verify_here(copy.path, level, record=False)["verified"] is False


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(flips=FLIPS)
def test_no_changed_byte_of_the_sql_ever_passes_whatever_it_is_packed_in(original, tmp_path, verify_here, flips):
    copy = Copy(original, tmp_path / "copy")
    text = plain_text(copy.path)
    changed = flipped(text, flips)
    if changed == text:
        return
    content = copy.content
    copy.store(codec.choose("zstd").compress(changed))
    hit, offset = [], 0
    for section in content["archive"]["sections"]:
        if text[offset:][: section["plain_bytes"]] != changed[offset:][: section["plain_bytes"]]:
            hit.append(section["kind"] + (f" of {section['object']}" if section["object"] else ""))
        offset += section["plain_bytes"]

    result = verify_here(copy.path, "content", record=False)

    failed = {each["name"]: each["detail"] for each in result["checks"] if not each["passed"]}
    assert result["verified"] is False
    assert {"plain_sha256", "sections"} <= failed.keys()
    assert failed["sections"] == f"damaged: {', '.join(hit[:5])}"
