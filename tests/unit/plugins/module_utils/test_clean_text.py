# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Text that comes from elsewhere, made fit for a mail or a page."""

from __future__ import annotations

from ansible_collections.dbops.recovery.plugins.module_utils import _text as text


def test_colours_and_progress_of_a_terminal_do_not_reach_a_mail():
    assert text.clean("\x1b[31mERROR\x1b[0m at\t10%\r\n\x07next\x1b]0;title\x07.\x9b") == "ERROR at    10%\nnext."


def test_bytes_that_were_no_text_become_question_marks():
    assert text.clean(b"caf\xe9".decode("utf-8", "surrogateescape")) == "caf?"


def test_one_line_stays_one_line_whatever_ends_a_line():
    assert text.one_line("failed:\r\n\tno room\u2028left ") == "failed: no room left"


def test_of_many_some_are_named_and_the_rest_is_counted():
    assert text.some_of(["a", "b", "c"], 3) == "a, b, c"
    assert text.some_of(["a", "b", "c"], 2) == "a, b and 1 more"
    assert text.some_of(["1 | x", "2 | y", "3 | z"], 1, "; ", "rows") == "1 | x and 2 more rows"
    assert text.some_of([], 3) == ""


def test_one_is_counted_in_the_singular():
    assert [text.counted(count, "row") for count in (0, 1, 2)] == ["0 rows", "1 row", "2 rows"]


def test_what_is_cut_ends_with_an_ellipsis_and_fits():
    assert text.cut("recovery", 8) == "recovery"
    assert text.cut("recovery", 5) == "reco…"
