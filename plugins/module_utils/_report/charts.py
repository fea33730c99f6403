# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The charts of a report, as inline SVG that fits any width: where the time went, and how it was in earlier tests.

What is across is in per cent, what is down in pixels: so a chart becomes narrower while its text stays as it is.
Colours are the page's. Each chart has a title and a description for those who do not see it, and the page has the
same figures in a table.

Private to the collection.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby

from ansible_collections.dbops.recovery.plugins.module_utils._report import words
from ansible_collections.dbops.recovery.plugins.module_utils._report.markup import Markup, tag

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
DURATION_STEPS = [
    *(1, 2, 5, 10, 15, 30),
    *(each * _MINUTE for each in (1, 2, 5, 10, 15, 30)),
    *(each * _HOUR for each in (1, 2, 3, 6, 12)),
    *(each * _DAY for each in (1, 2, 7, 14, 28, 56, 112, 224, 448)),
]
SIZE_STEPS = [each * 1024**power for power in range(5) for each in (1, 2, 5, 10, 20, 50, 100, 200, 500)]
_MOST_STEPS = 4

# Down the chart: room for a label, the bars, the dates.
_TOP, _BOTTOM, _HEIGHT = 16, 124, 146
_STRIP = 22
# Fewer tests than this leave the rest of the chart empty: one test is not as wide as two years.
_SLOTS = 12
# The text of a first and a last date beside each other needs as many slots.
_SLOTS_OF_DATES = 6
# A target that is more than twice the highest value would press all bars to the ground.
_TARGET_SHOWN = 2

_MARKS = {words.MISSED: "!", words.FAILED: "\u00d7"}
# As many as the page has colours for phases.
COLOURS = 8
# In per cent: the shortest phase can still be seen.
_THINNEST = 0.7


@dataclass(frozen=True)
class Point:
    """One test in a history: its day, what was measured, what was aimed at, and its result."""

    day: str
    value: float | None
    target: float | None
    result: str


@dataclass(frozen=True)
class Scale:
    """What a chart measures: its name, how its values are said, and the steps that its axis may have."""

    name: str
    say: Callable[[float | None], str]
    steps: list[int]


def phase_class(number: int) -> str:
    """Given the number of a phase in its test, return the class that gives it its colour."""
    return f"phase-{number % COLOURS}"


def shares(seconds: list[float]) -> list[float]:
    """Given the seconds of phases, return how many per cent of the bar each has, none less than can be seen."""
    total = sum(seconds)
    wide = [max(100 * each / total, _THINNEST) if total else 1.0 for each in seconds]
    return [100 * each / sum(wide) for each in wide]


def phases(identifier: str, ran: list[dict]) -> Markup:
    """Given an id and the phases of a record, return a bar of them."""
    parts = shares([phase["seconds"] for phase in ran])
    starts = [sum(parts[:number]) for number in range(len(parts))]
    said = [f"{phase['name']} {words.duration(phase['seconds'])}" for phase in ran]
    segments = [
        tag(
            "rect",
            tag("title", words_of_phase),
            class_=phase_class(number),
            x=_percent(start),
            width=_percent(part),
            height=_STRIP,
        )
        for number, (words_of_phase, start, part) in enumerate(zip(said, starts, parts))
    ]
    return _picture(identifier, "bar", _STRIP, "Where the time went", ", ".join(said), segments)


def results(identifier: str, points: list[Point]) -> Markup:
    """Given an id and a history, oldest first, return a strip with one field for each result."""
    # As wide as two years of months from the first one on: the fields keep their place while the history grows.
    slot = 100 / max(len(points), 2 * _SLOTS)
    fields = [
        (
            tag(
                "rect",
                tag("title", f"{point.day}: {words.RESULTS[point.result]}"),
                class_=point.result,
                x=_percent(number * slot + slot * 0.04),
                width=_percent(slot * 0.92),
                height=_STRIP,
                rx=2,
            ),
            _mark(point, (number + 0.5) * slot, _STRIP / 2 + 5),
        )
        for number, point in enumerate(points)
    ]
    return _picture(
        identifier, "strip", _STRIP, "Results, oldest first", words.tally([each.result for each in points]), fields
    )


def history(identifier: str, points: list[Point], scale: Scale) -> Markup:
    """Given an id, a history, oldest first, and what is measured, return a chart with one bar a test."""
    values = [point.value for point in points if point.value is not None]
    ticks = axis(_highest(points), scale.steps)
    slot = 100 / max(len(points), _SLOTS)

    def down(value: float) -> float:
        return _BOTTOM - (_BOTTOM - _TOP) * value / ticks[-1]

    description = (
        f"{len(points)} tests from {points[0].day} to {points[-1].day}: lowest {scale.say(min(values))}, "
        f"highest {scale.say(max(values))}, latest {scale.say(points[-1].value)}."
        if values
        else "Nothing was measured."
    )
    return _picture(
        identifier,
        "chart",
        _HEIGHT,
        scale.name,
        description,
        [
            *(_tick(value, down(value), scale) for value in ticks),
            *(_bar(point, number, slot, down) for number, point in enumerate(points)),
            *_targets(points, slot, down, ticks[-1], scale),
            *_dates(points, slot),
            # Last, so that the pointer meets them first.
            *(_hint(point, number, slot, scale) for number, point in enumerate(points)),
        ],
    )


def axis(highest: float, steps: list[int]) -> list[float]:
    """Given the highest value and the steps an axis may have, return the values at its lines, from 0 on."""
    step = next((each for each in steps if highest <= each * _MOST_STEPS), math.ceil(highest / _MOST_STEPS))
    return [number * step for number in range(max(1, math.ceil(highest / step)) + 1)]


def _highest(points: list[Point]) -> float:
    """Return the highest value that is to be seen: the targets too, where they are near."""
    highest = max((point.value for point in points if point.value is not None), default=0)
    near = [each.target for each in points if each.target is not None and each.target <= _TARGET_SHOWN * highest]
    return max([highest, *near])


def _picture(identifier: str, kind: str, height: int, title: str, description: str, content: list) -> Markup:
    return tag(
        "svg",
        tag("title", title, id=f"{identifier}-title"),
        tag("desc", description, id=f"{identifier}-desc"),
        content,
        class_=kind,
        role="img",
        aria_labelledby=f"{identifier}-title {identifier}-desc",
        width="100%",
        height=height,
    )


def _tick(value: float, y: float, scale: Scale) -> tuple[Markup, Markup]:
    said = re.sub(r"\.0(?=\D)", "", scale.say(value)) if value else "0"
    return (
        tag("line", class_="grid", x1="0", x2="100%", y1=_number(y), y2=_number(y)),
        tag("text", said, class_="tick", x="-8", y=_number(y + 4)),
    )


def _bar(point: Point, number: int, slot: float, down: Callable[[float], float]) -> tuple[Markup | None, Markup | None]:
    middle = (number + 0.5) * slot
    if point.value is None:
        absent = tag("text", "\u2013", class_="absent", x=_percent(middle), y=_BOTTOM - 5)
        return None, _mark(point, middle, _BOTTOM - 5) or absent
    y = down(point.value)
    column = tag(
        "rect",
        class_=point.result,
        x=_percent(number * slot + slot * 0.14),
        width=_percent(slot * 0.72),
        y=_number(y),
        height=_number(_BOTTOM - y),
    )
    return column, _mark(point, middle, y - 4)


def _mark(point: Point, x: float, y: float) -> Markup | None:
    if point.result not in _MARKS:
        return None
    return tag("text", _MARKS[point.result], class_=f"mark {point.result}", x=_percent(x), y=_number(y))


def _targets(
    points: list[Point], slot: float, down: Callable[[float], float], top: float, scale: Scale
) -> Iterator[Markup]:
    """A line over the tests that had the same target, and the last target, which goes on, in words."""
    for target, group in groupby(enumerate(points), key=lambda each: each[1].target):
        numbers = [number for number, _point in group]
        if target is not None and target <= top:
            y = _number(down(target))
            latest = numbers[-1] == len(points) - 1
            yield tag(
                "line",
                class_="target",
                x1=_percent(numbers[0] * slot),
                x2="100%" if latest else _percent((numbers[-1] + 1) * slot),
                y1=y,
                y2=y,
            )
    target = points[-1].target
    if target is not None:
        above = target > top
        said = f"target {scale.say(target)}{' ↑' if above else ''}"
        y = _TOP if above else down(target)
        yield tag("text", said, class_="target", x="100%", y=_number(y - 5))


def _dates(points: list[Point], slot: float) -> Iterator[Markup]:
    first, last = points[0].day, points[-1].day
    if len(points) < _SLOTS_OF_DATES:
        yield tag("text", f"{first} to {last}" if len(points) > 1 else first, class_="date", x="0", y=_HEIGHT - 5)
        return
    yield tag("text", first, class_="date", x="0", y=_HEIGHT - 5)
    yield tag("text", last, class_="date end", x=_percent(len(points) * slot), y=_HEIGHT - 5)


def _hint(point: Point, number: int, slot: float, scale: Scale) -> Markup:
    said = f"{point.day}: {scale.say(point.value)}, {words.RESULTS[point.result]}"
    return tag(
        "rect", tag("title", said), class_="hint", x=_percent(number * slot), width=_percent(slot), height=_BOTTOM
    )


def _percent(value: float) -> str:
    return f"{_number(value)}%"


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
