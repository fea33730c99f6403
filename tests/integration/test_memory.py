# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Memory does not grow with the database: everything streams."""

from __future__ import annotations

from typing import Callable

import pytest

MEGABYTE = 1024 * 1024
SMALL_ROWS, LARGE_ROWS = 200_000, 800_000
# Of the SQL of the large database beyond that of the small one: what is read whole would be seen.
ALLOWED_SHARE = 1 / 5

SCRIPT = """
CREATE TABLE notes (id INT PRIMARY KEY, note VARCHAR(255) NOT NULL);
INSERT INTO notes SELECT seq, CONCAT(SHA2(seq, 512), MD5(seq), ' note') FROM seq_1_to_{rows};
"""


@pytest.fixture
def peaks(folder, make_schema, run_module, tmp_path) -> Callable[[int], tuple[dict[str, int], int]]:
    """Given a number of rows, return the peak memory of each module that handled them, and the bytes of their SQL."""

    def measure(rows: int) -> tuple[dict[str, int], int]:
        schema = make_schema(SCRIPT.format(rows=rows))
        found = {}

        def run(name: str, module: str, options: dict) -> dict:
            note = tmp_path / f"{name}.{rows}"
            result = run_module(module, options, peak=str(note)).result
            found[name] = int(note.read_text())
            return result

        backup = run("backup", "db_backup", {"database": schema, "directory": str(folder)})["backup"]
        path = backup["path"]
        run("verify", "backup_verify", {"backup": path, "level": "content", "record": False})
        for strategy in ("swap", "in_place"):
            options = {"backup": path, "strategy": strategy, "safety_backup": False}
            assert run(strategy, "db_restore", options)["outcome"] == "restored"
        return found, backup["sql_bytes"]

    return measure


def test_four_times_the_rows_take_no_more_memory_to_back_up_verify_and_restore(peaks):
    small, small_bytes = peaks(SMALL_ROWS)
    large, large_bytes = peaks(LARGE_ROWS)

    more = large_bytes - small_bytes
    assert more > 80 * MEGABYTE
    grown = {name: large[name] - small[name] for name in small}
    assert {name: by for name, by in grown.items() if by > more * ALLOWED_SHARE} == {}
