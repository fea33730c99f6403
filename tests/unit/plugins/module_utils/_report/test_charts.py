# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The charts of a report: what they show is what was measured."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
import records
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dbops.recovery.plugins.module_utils._report import charts, words

SECONDS = charts.Scale("Recovery time", words.duration, charts.DURATION_STEPS)
SIZES = charts.Scale("Size of the SQL", words.size, charts.SIZE_STEPS)


def points(*values, target=None, result=words.PASSED):
    return [
        charts.Point(f"{month}-25", value, target, result) for month, value in zip(records.months(len(values)), values)
    ]


def drawn(markup):
    return ElementTree.fromstring(markup)


def all_of(svg, name, class_):
    return [each for each in svg.iter(name) if class_ in each.get("class", "").split()]


def texts(svg, class_):
    return [each.text for each in all_of(svg, "text", class_)]


def hints(svg):
    return [each.find("title").text for each in all_of(svg, "rect", "hint")]


@pytest.mark.parametrize(
    ("highest", "steps", "expected"),
    [
        (0, charts.DURATION_STEPS, [0, 1]),
        (323.9, charts.DURATION_STEPS, [0, 120, 240, 360]),
        (3600, charts.DURATION_STEPS, [0, 900, 1800, 2700, 3600]),
        (108000, charts.DURATION_STEPS, [0, 43200, 86400, 129600]),
        (180 * records.MIB, charts.SIZE_STEPS, [each * records.MIB for each in (0, 50, 100, 150, 200)]),
    ],
)
def test_an_axis_has_a_few_round_values_and_room_for_the_highest(highest, steps, expected):
    assert charts.axis(highest, steps) == expected


@given(st.floats(0, 1e18), st.sampled_from([charts.DURATION_STEPS, charts.SIZE_STEPS]))
def test_an_axis_ends_at_or_above_the_highest_value_and_has_at_most_five_lines(highest, steps):
    axis = charts.axis(highest, steps)
    assert axis[-1] >= highest
    assert 2 <= len(axis) <= 5


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=12))
def test_the_parts_of_a_bar_fill_it_and_each_can_be_seen(seconds):
    shares = charts.shares(seconds)
    assert sum(shares) == pytest.approx(100)
    assert min(shares) >= 0.6


def test_the_bar_of_phases_is_as_long_as_they_were_and_says_it_in_words():
    svg = drawn(charts.phases("p", [{"name": "download", "seconds": 30}, {"name": "load", "seconds": 90}]))
    bars = list(svg.iter("rect"))
    assert [(column.get("x"), column.get("width")) for column in bars] == [("0%", "25%"), ("25%", "75%")]
    assert svg.find("desc").text == "download 30s, load 1m 30s"


def test_phases_beside_each_other_differ_in_colour_however_many_there_are():
    svg = drawn(charts.phases("p", [{"name": "load", "seconds": 1}] * 20))
    classes = [column.get("class") for column in svg.iter("rect")]
    assert all(one != other for one, other in zip(classes, classes[1:]))
    assert set(classes) == {f"phase-{number}" for number in range(charts.COLOURS)}


def test_each_chart_is_named_and_described_for_those_who_do_not_see_it():
    for markup in (
        charts.phases("c", [{"name": "load", "seconds": 1}]),
        charts.results("c", points(1, 2)),
        charts.history("c", points(1, 2), SECONDS),
    ):
        svg = drawn(markup)
        assert svg.get("role") == "img"
        assert svg.get("aria-labelledby") == "c-title c-desc"
        assert svg.find("title").get("id") == "c-title"
        assert svg.find("desc").get("id") == "c-desc"
        assert svg.find("desc").text


def test_bars_are_as_high_as_their_values():
    svg = drawn(charts.history("c", points(30, 60, 120), SECONDS))
    heights = [float(column.get("height")) for column in all_of(svg, "rect", words.PASSED)]
    assert heights[1] == pytest.approx(2 * heights[0])
    assert heights[2] == pytest.approx(4 * heights[0])


def test_the_axes_say_the_values_and_the_first_and_last_day():
    svg = drawn(charts.history("c", points(*[100 * records.MIB] * 24), SIZES))
    assert texts(svg, "tick") == ["0", "50 MiB", "100 MiB"]
    assert texts(svg, "date") == ["2024-12-25", "2026-11-25"]


def test_a_description_has_the_extremes_and_the_latest():
    svg = drawn(charts.history("c", points(60, 180, 120), SECONDS))
    assert svg.find("desc").text == ("3 tests from 2026-09-25 to 2026-11-25: lowest 1m, highest 3m, latest 2m.")


def test_every_test_can_be_asked_for_its_figures():
    history = [*points(60, result=words.FAILED), charts.Point("2026-12-25", None, None, words.PASSED)]
    svg = drawn(charts.history("c", history, SECONDS))
    assert hints(svg) == ["2026-11-25: 1m, failed", "2026-12-25: unknown, passed"]


def test_what_was_not_measured_has_no_bar_but_a_mark():
    svg = drawn(charts.history("c", points(60, None, 120), SECONDS))
    assert len(all_of(svg, "rect", words.PASSED)) == 2
    assert len(all_of(svg, "text", "absent")) == 1


def test_a_history_without_any_value_says_so():
    svg = drawn(charts.history("c", points(None, None, target=60), SECONDS))
    assert svg.find("desc").text == "Nothing was measured."
    assert len(all_of(svg, "text", "absent")) == 2


def test_a_test_that_did_not_pass_has_a_sign_beside_its_colour():
    history = [*points(60), *points(60, result=words.MISSED), *points(None, result=words.FAILED)]
    for svg in (drawn(charts.history("c", history, SECONDS)), drawn(charts.results("c", history))):
        assert texts(svg, "mark") == ["!", "\u00d7"]


def test_a_target_is_a_line_at_its_height_over_the_tests_that_had_it():
    history = [*points(100, 100, target=60), *points(100, 100, target=120)]
    svg = drawn(charts.history("c", history, SECONDS))
    first, second = all_of(svg, "line", "target")
    ticks = {tick.text: float(tick.get("y")) - 4 for tick in all_of(svg, "text", "tick")}
    assert (float(first.get("y1")), float(second.get("y1"))) == (ticks["1m"], ticks["2m"])
    assert (first.get("x2"), second.get("x1"), second.get("x2")) == ("16.67%", "16.67%", "100%")
    assert texts(svg, "target") == ["target 2m"]


def test_a_target_far_above_is_said_and_does_not_press_the_bars_to_the_ground():
    svg = drawn(charts.history("c", points(60, 60, target=3600), SECONDS))
    assert not all_of(svg, "line", "target")
    assert texts(svg, "target") == ["target 1h ↑"]
    assert texts(svg, "tick") == ["0", "15s", "30s", "45s", "1m"]


def test_without_a_target_there_is_no_line():
    svg = drawn(charts.history("c", points(60, 60), SECONDS))
    assert not all_of(svg, "line", "target")
    assert not texts(svg, "target")


def test_the_strip_of_results_has_a_field_for_each_test_and_says_how_many():
    history = [*points(1, 1, 1), *points(1, result=words.FAILED)]
    svg = drawn(charts.results("c", history))
    assert [field.get("class") for field in svg.iter("rect")] == ["passed", "passed", "passed", "failed"]
    assert svg.find("desc").text == "3 passed, 1 failed"


@given(st.lists(st.one_of(st.none(), st.floats(0, 1e15)), min_size=1, max_size=30), st.floats(0, 1e15))
def test_nothing_is_drawn_outside_of_a_chart(values, target):
    svg = drawn(charts.history("c", points(*values, target=target), SIZES))
    height = float(svg.get("height"))
    for column in svg.iter("rect"):
        assert 0 <= float(column.get("x").rstrip("%")) <= 100
        assert float(column.get("y", 0)) >= 0
        assert float(column.get("y", 0)) + float(column.get("height")) <= height
    for line in svg.iter("line"):
        assert 0 <= float(line.get("y1")) <= height
