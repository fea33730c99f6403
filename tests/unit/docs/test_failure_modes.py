# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pages for 3 a.m. promise tests and link to parts: all of them must be there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "failure-modes.md").read_text()


def test_every_test_that_the_page_names_exists():
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    written = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)\(", path.read_text(), re.MULTILINE)
    }

    assert len(named) > 60
    assert named - written == set()


@pytest.mark.parametrize("name", ["deploy.md", "failure-modes.md", "notices.md", "restore.md", "status.md"])
def test_every_link_of_a_page_leads_to_a_heading_or_a_file(name):
    page = ROOT / "docs" / name
    linked = {link.partition("#")[::2] for link in re.findall(r"\]\(([^)]+)\)", page.read_text())}

    assert linked
    for path, anchor in linked:
        target = page.parent / path if path else page
        assert target.exists(), path
        assert not anchor or anchor in anchors_of(target), f"{path}#{anchor}"


def anchors_of(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).strip().replace(" ", "-") for title in titles}


def test_every_part_of_the_page_says_what_tests_it():
    parts = re.split(r"^### ", PAGE.split("## Not here yet")[0], flags=re.MULTILINE)[1:]

    assert len(parts) > 20
    assert [part.splitlines()[0] for part in parts if not re.search(r"^Tests?: `test_", part, re.MULTILINE)] == []
