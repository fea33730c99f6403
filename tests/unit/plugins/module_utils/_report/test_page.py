# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page of a report: one file, whole, with nothing from elsewhere in it."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest
import records

from ansible_collections.dbops.recovery.plugins.module_utils._report.page import page

VOID = {"meta", "link", "br"}


class Outline(HTMLParser):
    """The elements of a page in their order, its text, its headings, and what was not closed as it was opened."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self.open, self.headings, self.words, self.crossed = [], [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append([int(tag[1]), ""])

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.crossed.append(tag)

    def handle_data(self, data):
        if "style" not in self.open:
            self.words.append(data)
        if self.open and re.fullmatch("h[1-6]", self.open[-1]):
            self.headings[-1][1] += data

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())

    def attributes(self, name):
        return [value for _element, attributes in self.elements if (value := attributes.get(name)) is not None]


def outline(*tests, count=1):
    return Outline(page(list(tests), {test["database"]: records.history(test, count) for test in tests}))


SITUATIONS = {
    "good": [records.record()],
    "slow": [records.slow()],
    "damaged": [records.damaged()],
    "unreachable": [records.unreachable()],
    "nothing": [],
    "twelve": [*(records.record(f"db{number}") for number in range(10)), records.slow("x"), records.unreachable("y")],
}


@pytest.mark.parametrize("tests", SITUATIONS.values(), ids=SITUATIONS)
@pytest.mark.parametrize("count", [1, 2, 24])
def test_a_page_is_whole_whatever_was_found(tests, count):
    seen = outline(*tests, count=count)
    assert (seen.open, seen.crossed) == ([], [])
    identifiers = seen.attributes("id")
    assert len(identifiers) == len(set(identifiers))
    referred = {each for value in seen.attributes("aria-labelledby") for each in value.split()}
    referred |= {value[1:] for value in seen.attributes("href")}
    assert referred <= set(identifiers)


@pytest.mark.parametrize("tests", SITUATIONS.values(), ids=SITUATIONS)
def test_headings_begin_with_the_verdict_and_skip_no_level(tests):
    levels = [level for level, _text in outline(*tests, count=24).headings]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(levels, levels[1:]))


def test_the_page_forbids_whatever_is_not_in_it():
    text = page([records.record()], {})
    style = re.search("<style>(.*?)</style>", text, re.DOTALL).group(1)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    (policy,) = [
        attributes["content"]
        for name, attributes in Outline(text).elements
        if attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


@pytest.mark.parametrize("tests", SITUATIONS.values(), ids=SITUATIONS)
def test_a_page_loads_nothing_and_runs_nothing(tests):
    text = page(tests, {test["database"]: records.history(test) for test in tests})
    seen = Outline(text)
    assert not {name for name, _attributes in seen.elements} & {"script", "link", "img", "iframe", "object", "base"}
    names = {name for _element, attributes in seen.elements for name in attributes}
    assert not [name for name in names if name == "style" or name == "src" or name.startswith("on")]
    assert all(href.startswith("#") for href in seen.attributes("href"))
    assert not re.search(r"url\(|@import", text)


def test_the_verdict_is_the_title_and_the_first_thing_on_the_page():
    seen = outline(records.record())
    assert seen.text.startswith("Restore test: shop can be restored shop can be restored recovery in 5m 24s, newest")


def test_one_database_has_what_was_promised_in_its_order():
    assert [text for _level, text in outline(records.damaged(), count=24).headings] == [
        "shop did not come back as it was backed up",
        "Checks",
        "Where the time went",
        "The last 24 tests",
        "What has changed",
        "What was tested",
    ]


def test_a_failure_before_anything_ran_shows_its_message_and_no_empty_parts():
    seen = outline(records.unreachable(), count=24)
    assert [text for _level, text in seen.headings] == [
        "shop could not be restored",
        "What went wrong",
        "The last 24 tests",
        "What was tested",
    ]
    assert "https://s3.example.org did not answer 3 times. Check the address" in seen.text


def test_nothing_of_a_long_message_is_left_out():
    lines = [f"ERROR 1064 (42000) at line {number}: <b>syntax</b>" for number in range(3000)]
    seen = outline(records.unreachable(message="\n".join(lines)))
    text = seen.text
    assert all(line in text for line in lines)
    # It is scrolled, and not every browser lets the keyboard do so by itself.
    assert [attributes["tabindex"] for name, attributes in seen.elements if name == "pre"] == ["0"]


def test_several_databases_are_listed_with_the_bad_ones_first_and_lead_to_their_part():
    seen = outline(records.record("shop"), records.unreachable("crm"), count=2)
    assert seen.headings[0] == [1, "1 of 2 databases did not pass"]
    assert [text for level, text in seen.headings if level == 2] == [
        "All databases",
        "crm could not be restored",
        "shop can be restored",
    ]
    assert seen.attributes("href") == ["#d1", "#d2"]


def test_the_history_is_that_of_the_last_two_years_also_as_a_table_with_the_newest_first():
    seen = outline(records.record(), count=30)
    table = seen.text[seen.text.index("The same as a table") :]
    days = re.findall(r"\d{4}-\d\d-25 (?=passed|failed|target)", table)
    assert len(days) == 24
    assert days[0] == "2026-11-25 "
    assert days[-1] == "2024-12-25 "


def test_the_first_test_of_a_database_has_no_charts_of_a_history():
    assert "This is the first test of this database." in outline(records.record()).text


def test_a_database_whose_history_is_missing_is_reported_all_the_same():
    assert "This is the first test of this database." in Outline(page([records.record()], {})).text


def test_what_comes_from_elsewhere_stays_text():
    evil = "<script>alert(1)</script>\" onload='x'"
    test = records.record(
        evil,
        passed=False,
        host=evil,
        source=evil,
        target_name=evil,
        failure={"phase": evil, "message": evil},
        checks=[records.check(evil, evil)],
        phases=[{"name": evil, "seconds": 1, "bytes": None}],
        compared={"previous": evil, "changes": [evil]},
        server={"backup": evil, "test": evil},
    )
    seen = outline(test, {**test, "database": "crm"}, count=3)
    assert "script" not in {name for name, _attributes in seen.elements}
    assert not [name for _element, attributes in seen.elements for name in attributes if name.startswith("on")]
    assert "<script>alert(1)</script>" in seen.text
