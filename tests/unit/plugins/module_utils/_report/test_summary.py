# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The summary of a run for a ticket."""

from __future__ import annotations

import pytest
import records
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dbops.recovery.plugins.module_utils._report import summary


def test_a_good_test_is_told_in_a_few_lines():
    assert summary.markdown([records.record()]) == (
        "## shop can be restored: recovery in 5m 24s, newest backup 1h 30m old\n"
        "\n"
        "| Database | Result | Recovery time | Newest backup | Size of the SQL | Checks |\n"
        "|---|---|---|---|---|---|\n"
        "| shop | passed | 5m 24s (target 10m: met) | 1h 30m old (target 1d 2h: met) | 183.9 MiB | 11 of 11 |\n"
        "\n"
        "Time: find 0.8s, download 41s, load 3m 20s, indexes 1m 22s, verify 1m\n"
        "\n"
        "Since shop_2026-10-25_030000:\n"
        "\n"
        "* the SQL grew from 180.1 MiB to 183.9 MiB (+2 %)\n"
        "* one table more: refunds\n"
        "\n"
        "Backup shop_2026-11-25_013000 from s3://example-backups/shop; target a scratch server on drill1; "
        "2026-11-25 03:00 UTC; record shop_2026-11-25_030000.\n"
    )


def test_a_failure_is_told_with_its_message_as_it_was():
    text = summary.markdown([records.unreachable(message="ERROR 2002: *no* route\nto <db1>")])
    assert text.startswith("## shop could not be restored: failed while looking for the backup\n")
    assert "\n```\nERROR 2002: *no* route\nto <db1>\n```\n" in text
    assert "| shop | failed | unknown (target 10m) | unknown (target 1d 2h) | unknown | none |" in text


def test_checks_that_did_not_pass_are_listed_with_what_they_found():
    text = summary.markdown([records.damaged()])
    assert (
        "* failed: rows: orders has 8411, the manifest 8412\n"
        "* failed: dump_back: other bytes: table orders, chunk 3\n"
        "* warning: size_history: 38 % smaller than the last backups\n"
        "* not asked: inventory: definitions cannot be compared: 11.8.3 and 10.11.14\n"
    ) in text
    assert "stored_sha256" not in text


def test_of_several_databases_only_those_that_need_a_person_have_a_part_of_their_own():
    text = summary.markdown([records.record("shop"), records.slow("crm"), records.unreachable("hr")])
    assert [line for line in text.splitlines() if line.startswith("#")] == [
        "## 2 of 3 databases did not pass: hr could not be restored; crm can be restored, but not within its targets",
        "### hr could not be restored: failed while looking for the backup",
        "### crm can be restored, but not within its targets: recovery in 14m 7s instead of 10m at most, "
        "newest backup 1d 6h old instead of 1d 2h at most",
    ]
    rows = [line.split(" | ")[0] for line in text.splitlines() if line.startswith("| ")]
    assert rows == ["| Database", "| hr", "| crm", "| shop"]


def test_a_run_without_any_test_says_so():
    assert summary.markdown([]) == "## No database was tested\n"


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("shop_2026-11-25_030000", "shop_2026-11-25_030000"),
        ("_shop_", r"\_shop\_"),
        ("a|b", r"a\|b"),
        ("<img src=x> *[link](x)* `code`", r"\<img src=x\> \*\[link\](x)\* \`code\`"),
        ("two\nlines", "two lines"),
    ],
)
def test_names_mean_nothing_to_markdown(text, escaped):
    assert summary.escape(text) == escaped


@given(st.text(alphabet="`a\n ", max_size=60))
def test_no_message_can_leave_its_block(message):
    fence, *inside, end = summary.fenced(message).split("\n")
    assert fence == end
    assert set(fence) == {"`"}
    assert not [line for line in inside if line.strip().startswith(fence)]


def test_a_long_message_is_cut_and_says_where_the_rest_is():
    lines = [f"line {number}" for number in range(300)]
    shown = summary.fenced("\n".join(lines)).split("\n")
    assert shown[1:-1] == [*lines[:20], "… the rest is in the report"]
    assert len(summary.fenced("x" * 10_000)) < 2100
