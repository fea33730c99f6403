# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an answer is held against, and how what is wrong with it is worded."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ansible_collections.dbops.recovery.plugins.module_utils._database.questions import answer_problem


@pytest.mark.parametrize(
    ("rows", "wanted", "problem"),
    [
        ([(3,)], {}, None),
        ([(1, "Ada"), (2, None)], {"rows": [["1", "Ada"], [2, None]]}, None),
        ([(b"\xc3\xa9",)], {"rows": [["é"]]}, None),
        ([(2,), (1,)], {"rows": [[1], [2]]}, "2; 1, wanted 1; 2"),
        ([], {"rows": [[1]]}, "no row, wanted 1"),
        ([(Decimal("10.50"),)], {"min": 10.5, "max": 10.5}, None),
        ([(9,)], {"min": 10}, "9, at least 10 wanted"),
        ([(11,)], {"max": 10}, "11, at most 10 wanted"),
        ([(1, 2)], {"min": 0}, "min and max compare one value, 1 | 2 came"),
        ([("many",)], {"min": 0}, "min and max compare a number, many came"),
        ([(number,) for number in range(7)], {"rows": []}, "0; 1; 2; 3; 4 and 2 more rows, wanted no row"),
    ],
)
def test_an_answer_is_held_against_what_is_wanted(rows, wanted, problem):
    assert answer_problem(rows, {"rows": None, "min": None, "max": None, **wanted}) == problem
