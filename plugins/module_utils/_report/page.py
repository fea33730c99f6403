# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report of a run of restore tests as one HTML page that needs nothing else.

The verdict first, then per database its figures, what went wrong, the checks, where the time went, the history, and
what was tested. No script, no font, no picture from elsewhere: the page forbids them itself.

Private to the collection.
"""

from __future__ import annotations

import base64
import hashlib

from ansible_collections.dbops.recovery.plugins.module_utils._report import charts, words
from ansible_collections.dbops.recovery.plugins.module_utils._report.markup import Markup, render, tag
from ansible_collections.dbops.recovery.plugins.module_utils._report.style import STYLE
from ansible_collections.dbops.recovery.plugins.module_utils._text import one_line
from ansible_collections.dbops.recovery.plugins.module_utils._units import parse_time, show_duration

# Two years of monthly tests.
HISTORY = 24

_RECOVERY_TIME = charts.Scale("Recovery time", words.duration, charts.DURATION_STEPS)
_AGE = charts.Scale("Newest backup", words.duration, charts.DURATION_STEPS)
_SIZE = charts.Scale("Size of the SQL", words.size, charts.SIZE_STEPS)

_SIGNS = {
    words.PASSED: "M5.5 10.5l3 3 6-7",
    words.MISSED: "M10 5v6M10 14.6v.1",
    words.FAILED: "M6.5 6.5l7 7M13.5 6.5l-7 7",
}


def page(tests: list[dict], histories: dict[str, list[dict]]) -> str:
    """Given the records of a run and the history of each database, oldest first and with this run, return the page."""
    tests = words.worst_first(tests)
    verdict = words.verdict_of_run(tests)
    single = len(tests) == 1
    bodies = [
        _database(f"d{number}", test, words.label(test, tests), histories.get(test["database"], [])[-HISTORY:], single)
        for number, test in enumerate(tests, 1)
    ]
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_policy()),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", f"Restore test: {verdict.headline}"),
        tag("style", Markup(STYLE)),
    )
    main = tag("main", _header(verdict, tests), None if single else _overview(tests), bodies)
    return "<!DOCTYPE html>\n" + tag("html", head, tag("body", main, _footer(tests)), lang="en") + "\n"


def _policy() -> str:
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _header(verdict: words.Verdict, tests: list[dict]) -> Markup:
    return tag(
        "header",
        _icon(verdict.result),
        tag(
            "div",
            tag("h1", verdict.headline),
            tag("p", verdict.detail, class_="lede") if verdict.detail else None,
            tag("p", _when(tests), class_="when") if tests else None,
        ),
        class_=f"verdict {verdict.result}",
    )


def _when(tests: list[dict]) -> str:
    started = min(test["started"] for test in tests)
    finished = max(test["finished"] for test in tests)
    hosts = ", ".join(sorted({one_line(test["host"]) for test in tests}))
    took = show_duration(parse_time(finished) - parse_time(started))
    return f"Restore test on {hosts}, {words.moment(started)}, finished after {took}"


def _icon(result: str) -> Markup:
    """A sign that repeats what the text beside it says."""
    return tag(
        "svg",
        tag("circle", class_="disc", cx=10, cy=10, r=10),
        tag("path", class_="sign", d=_SIGNS[result]),
        class_=f"icon {result}-text",
        viewBox="0 0 20 20",
        aria_hidden="true",
    )


def _overview(tests: list[dict]) -> Markup:
    rows = []
    for number, test in enumerate(tests, 1):
        recovery, newest, size, checks = words.facts(test)
        rows.append(
            tag(
                "tr",
                tag("th", tag("a", words.label(test, tests), href=f"#d{number}"), scope="row", class_="any"),
                tag("td", _result(words.verdict(test).result)),
                _number(recovery.value),
                _number(newest.value, minor=True),
                _number(size.value, minor=True),
                _number(checks.value, minor=True),
            )
        )
    return tag(
        "section",
        tag("h2", "All databases"),
        _table(["Database", "Result", "-Recovery time", "-+Newest backup", "-+Size of the SQL", "-+Checks"], rows),
        class_="card long",
    )


def _database(identifier: str, test: dict, name: str, history: list[dict], single: bool) -> Markup:
    """One database: by itself on the page, or in a section of its own."""
    heading = "h2" if single else "h3"
    content = [
        _facts(test),
        _failure(heading, test),
        _checks(heading, test),
        _phases(heading, identifier, test),
        _history(heading, identifier, history),
        _compared(heading, test),
        _provenance(heading, test),
    ]
    if single:
        return render(content)
    verdict = words.verdict(test, name)
    return tag(
        "section",
        tag("h2", _icon(verdict.result), verdict.headline),
        tag("p", verdict.detail, class_="lede") if verdict.detail else None,
        content,
        class_="database",
        id=identifier,
    )


def _facts(test: dict) -> Markup:
    return tag(
        "dl",
        [
            tag(
                "div",
                tag("dt", fact.label),
                tag("dd", fact.value, class_="value"),
                tag("dd", fact.note, class_=f"note {fact.result}-text" if fact.result else "note"),
            )
            for fact in words.facts(test)
        ],
        class_="facts",
    )


def _failure(heading: str, test: dict) -> Markup | None:
    if not test["failure"]:
        return None
    # Long ones are scrolled, which must work from the keyboard.
    message = tag(
        "pre", test["failure"]["message"].strip(), class_="message", tabindex=0, role="group", aria_label="Message"
    )
    phase = tag("p", "In the phase ", tag("code", test["failure"]["phase"]), ":")
    return _card(heading, "What went wrong", phase, message, long=True)


def _checks(heading: str, test: dict) -> Markup | None:
    if not test["checks"]:
        return None
    rows = [
        tag(
            "tr",
            tag("td", _result(words.check_result(check))),
            # Beside each other, or below where there is no room.
            tag("td", tag("div", tag("code", check["name"]), tag("span", check["detail"]), class_="finding")),
            _number("" if check.get("seconds") is None else words.duration(check["seconds"]), minor=True),
        )
        for check in words.sorted_checks(test["checks"])
    ]
    return _card(heading, "Checks", _table(["Result", "Check and what was found", "-+Time"], rows), long=True)


def _phases(heading: str, identifier: str, test: dict) -> Markup | None:
    if not test["phases"]:
        return None
    total = sum(phase["seconds"] for phase in test["phases"])
    rows = [
        tag(
            "tr",
            tag("th", _swatch(number), phase["name"], scope="row"),
            _number(words.duration(phase["seconds"])),
            _number(f"{100 * phase['seconds'] / total:.0f} %" if total else "", minor=True),
            _number("" if phase["bytes"] is None else words.size(phase["bytes"]), minor=True),
            _number(words.rate(phase)),
        )
        for number, phase in enumerate(test["phases"])
    ]
    return _card(
        heading,
        "Where the time went",
        charts.phases(f"{identifier}-phases", test["phases"]),
        _table(["Phase", "-Time", "-+Share", "-+Data", "-Rate"], rows),
    )


def _swatch(number: int) -> Markup:
    square = tag("rect", class_=charts.phase_class(number), width=10, height=10, rx=2)
    return tag("svg", square, class_="swatch", viewBox="0 0 10 10", aria_hidden="true")


def _history(heading: str, identifier: str, history: list[dict]) -> Markup:
    if len(history) < 2:
        return _card(heading, "History", tag("p", "This is the first test of this database.", class_="soft"))
    judged = [(record, words.verdict(record)) for record in history]

    def points(values: list, targets: list) -> list[charts.Point]:
        return [
            charts.Point(words.day(record["started"]), value, target, verdict.result)
            for (record, verdict), value, target in zip(judged, values, targets)
        ]

    none = [None] * len(history)
    sizes = [record["backup"] and record["backup"]["sql_bytes"] for record in history]
    rto, rpo = ([record[key] for record in history] for key in ("rto", "rpo"))
    measured = [
        ("rto", _RECOVERY_TIME, [each["seconds"] for each in rto], [each["target_seconds"] for each in rto]),
        ("rpo", _AGE, [each["seconds"] for each in rpo], [each["target_seconds"] for each in rpo]),
        ("size", _SIZE, sizes, none),
    ]
    return _card(
        heading,
        f"The last {len(history)} tests",
        tag(
            "figure",
            _caption("Results", words.tally([verdict.result for _record, verdict in judged])),
            charts.results(f"{identifier}-results", points(none, none)),
        ),
        tag(
            "div",
            [
                tag(
                    "figure",
                    _caption(scale.name, f"{scale.say(values[-1])} now"),
                    charts.history(f"{identifier}-{key}", points(values, targets), scale),
                )
                for key, scale, values, targets in measured
            ],
            class_="charts",
        ),
        _history_table(judged),
        long=True,
    )


def _caption(what: str, figures: str) -> Markup:
    return tag("figcaption", tag("strong", what), tag("span", figures, class_="soft"))


def _history_table(judged: list[tuple[dict, words.Verdict]]) -> Markup:
    rows = []
    for record, verdict in reversed(judged):
        recovery, _newest, size, checks = words.facts(record)
        rows.append(
            tag(
                "tr",
                tag("th", words.day(record["started"]), scope="row"),
                tag("td", _result(verdict.result)),
                _number(recovery.value),
                _number(words.duration(record["rpo"]["seconds"])),
                _number(size.value, minor=True),
                _number(checks.value, minor=True),
            )
        )
    columns = ["Day", "Result", "-Recovery time", "-Newest backup", "-+Size of the SQL", "-+Checks"]
    return tag("details", tag("summary", "The same as a table"), _table(columns, rows))


def _compared(heading: str, test: dict) -> Markup | None:
    if not test["compared"]:
        return None
    changes = test["compared"]["changes"]
    since = tag("p", "Since ", tag("code", test["compared"]["previous"]), "" if changes else " nothing has changed.")
    return _card(
        heading, "What has changed", since, tag("ul", [tag("li", each) for each in changes]) if changes else None
    )


def _provenance(heading: str, test: dict) -> Markup:
    backup, server = test["backup"], test["server"]
    known = [("Record", tag("code", test["name"])), ("Source", tag("code", test["source"]))]
    if backup:
        known += [
            ("Backup", tag("code", backup["name"])),
            ("Taken", words.moment(backup["started"])),
            ("Stored", f"{words.size(backup['size_bytes'])}, {backup['compression']}"),
            ("SHA-256", tag("code", backup["sha256"])),
        ]
    known += [
        ("Target", f"{test['target_name']} on {test['host']}"),
        ("Server of the backup", server["backup"]),
        ("Server of the test", server["test"]),
        ("Test", f"{words.moment(test['started'])} to {words.moment(test['finished'])}"),
    ]
    pairs = [(tag("dt", label), tag("dd", value)) for label, value in known if value is not None]
    return _card(heading, "What was tested", tag("dl", pairs, class_="pairs"))


def _footer(tests: list[dict]) -> Markup:
    return tag(
        "footer",
        tag(
            "p",
            tag("strong", "Recovery time"),
            " (RTO): from nothing to a restored copy. ",
            tag("strong", "Newest backup"),
            " (RPO): how old the newest backup that can be restored was when the test began; what was written "
            "after it would have been lost.",
        ),
        tag("p", "Written by dbops.recovery from the records of the tests, which have more for programs."),
    )


def _card(heading: str, title: str, *content: Markup | None, long: bool = False) -> Markup:
    return tag("section", tag(heading, title), content, class_="card long" if long else "card")


def _table(columns: list[str], rows: list[Markup], class_: str | None = None) -> Markup:
    """A table; "-" before a column's name stands for numbers, "+" for what a narrow screen has no room for."""
    head = []
    for column in columns:
        name = column.lstrip("-+")
        marks = column[: len(column) - len(name)]
        classes = " ".join(kind for mark, kind in (("-", "number"), ("+", "minor")) if mark in marks)
        head.append(tag("th", name, scope="col", class_=classes or None))
    return tag("table", tag("thead", tag("tr", head)), tag("tbody", rows), class_=class_)


def _number(value: str, minor: bool = False) -> Markup:
    return tag("td", value, class_="number minor" if minor else "number")


def _result(result: str) -> Markup:
    return tag("span", words.RESULTS[result], class_=f"result {result}-text")
