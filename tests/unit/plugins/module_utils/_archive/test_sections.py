"""Reading single sections of an archive."""

from __future__ import annotations

import pytest

from ansible_collections.dbops.recovery.plugins.module_utils._archive import codec, sections
from ansible_collections.dbops.recovery.plugins.module_utils._archive.catalog import Backup
from ansible_collections.dbops.recovery.plugins.module_utils._archive.dump import ROWS, TABLE, Section
from ansible_collections.dbops.recovery.plugins.module_utils._archive.writer import write_archive
from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError

WRITTEN = [
    Section(TABLE, "a", b"CREATE TABLE `a` ();\n"),
    Section(ROWS, "a", b"INSERT INTO `a` VALUES\n(1);\n" * 5000),
    Section(TABLE, "b", b"CREATE TABLE `b` ();\n"),
    Section(ROWS, "b", b"INSERT INTO `b` VALUES\n(2);\n"),
]


@pytest.fixture(params=["none", "gzip"])
def backup(request, tmp_path):
    path = tmp_path / "shop.sql"
    archive = write_archive(str(path), WRITTEN, codec.choose(request.param))
    content = {"archive": {**archive, "compression": request.param}, "backup": {"name": "shop", "database": "shop"}}
    return Backup(str(path), content)


@pytest.mark.parametrize("wanted", [[0, 1, 2, 3], [1], [0, 3], [3, 0], [2, 3], []])
def test_the_wanted_sections_are_read_in_the_wanted_order(backup, wanted):
    listed = backup.manifest["archive"]["sections"]

    assert list(sections.read_sections(backup, [listed[place] for place in wanted])) == [
        WRITTEN[place] for place in wanted
    ]


def test_a_section_that_is_not_what_the_manifest_says_is_refused_by_name(backup):
    listed = backup.manifest["archive"]["sections"]
    listed[2]["sha256"] = "0" * 64

    with pytest.raises(RecoveryError, match="another checksum"):
        list(sections.read_sections(backup, listed[2:3]))
    assert list(sections.read_sections(backup, listed[3:])) == WRITTEN[3:]


def test_an_archive_that_is_cut_short_is_an_error(backup):
    with open(backup.path, "r+b") as file:
        file.truncate(backup.manifest["archive"]["sections"][3]["offset"] + 3)

    with pytest.raises(RecoveryError, match=r"damaged|ends in the middle"):
        list(sections.read_sections(backup, backup.manifest["archive"]["sections"]))


def test_an_archive_that_is_gone_is_an_error_with_its_path(backup, tmp_path):
    (tmp_path / "shop.sql").unlink()

    with pytest.raises(RecoveryError, match=r"shop\.sql cannot be read"):
        list(sections.read_sections(backup, backup.manifest["archive"]["sections"]))
