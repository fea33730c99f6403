# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documents promise tests, above all the page of failures: all of them must be there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "failure-modes.md").read_text()


def test_every_test_that_a_page_names_exists():
    named = {name for path in (ROOT / "docs").glob("*.md") for name in re.findall(r"`(test_\w+)`", path.read_text())}
    written = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)\(", path.read_text(), re.MULTILINE)
    }

    assert len(named) > 60
    assert named - written == set()


def test_every_part_of_the_page_says_what_tests_it():
    parts = re.split(r"^### ", PAGE.split("## Not here yet")[0], flags=re.MULTILINE)[1:]

    assert len(parts) > 20
    assert [part.splitlines()[0] for part in parts if not re.search(r"^Tests?: `test_", part, re.MULTILINE)] == []
