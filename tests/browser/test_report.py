# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report of a restore test, as a browser shows it to people of all kinds, on all kinds of screens, and on paper."""

from __future__ import annotations

import itertools

import pytest
import records
from axe_playwright_python.sync_playwright import Axe
from conftest import ROOT

from ansible_collections.dbops.recovery.plugins.module_utils._report.page import page

PICTURES = ROOT / ".cache" / "browser"
PHONE = 375
DESKTOP = 1200
# A4 without its margins.
PAPER = 690

LONG_NAME = "warehouse_of_the_northern_region_with_all_that_was_ever_in_it_01"
LONG_MESSAGE = "\n".join(f"ERROR 1064 (42000) at line {number}: near '{'x' * 300}'" for number in range(80))


def report(*tests, count=24):
    return page(list(tests), {test["database"]: records.history(test, count) for test in tests})


REPORTS = {
    "good": report(records.record()),
    "first": report(records.record(), count=1),
    "third": report(records.record(), count=3),
    "damaged": report(records.damaged(), count=6),
    "failed": report(records.unreachable(message=LONG_MESSAGE)),
    "several": report(records.record(LONG_NAME), records.slow("crm"), records.unreachable("mail"), count=6),
    "twelve": report(*(records.damaged(f"shop{number}") for number in range(12))),
}
# Of these, each element is looked at, which takes its time.
EXAMINED = ("good", "damaged", "failed", "several")

# What is wider than the card it stands in, as a reader sees it.
STICKING_OUT = """() => [...document.querySelectorAll('.card *, .verdict *, .facts *')].filter(each => {
    const card = each.closest('.card, .verdict, .facts > div');
    const box = each.getBoundingClientRect();
    return card && box.width && !each.closest('pre') && box.right > card.getBoundingClientRect().right + 0.5;
}).map(each => each.outerHTML.slice(0, 100))"""

LABELS = """() => [...document.querySelectorAll('svg.chart')].map(chart =>
    [...chart.querySelectorAll('.tick, .date')].map(each => {
        const {left, right, top, bottom} = each.getBoundingClientRect();
        return {text: each.textContent, left, right, top, bottom};
    }))"""


def open_all(page):
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")


def picture(page, name):
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}.png", full_page=True)


def overlapping(labels):
    return [
        (one["text"], other["text"])
        for one, other in itertools.combinations(labels, 2)
        if one["left"] < other["right"]
        and other["left"] < one["right"]
        and one["top"] < other["bottom"]
        and other["top"] < one["bottom"]
    ]


@pytest.mark.parametrize("name", EXAMINED)
@pytest.mark.parametrize(("scheme", "width"), [("light", DESKTOP), ("dark", DESKTOP), ("light", PHONE)])
def test_nobody_meets_a_barrier_and_the_browser_has_nothing_to_complain_of(look, name, scheme, width):
    page = look(REPORTS[name], width, scheme)
    picture(page, f"{name}-{scheme}-{width}")
    open_all(page)
    findings = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    assert [(each["id"], each["impact"], each["nodes"][0]["html"]) for each in findings] == []
    assert page.said == []
    assert page.requested == [page.url]


@pytest.mark.parametrize("name", REPORTS)
def test_a_page_fits_every_window(look, name):
    page = look(REPORTS[name])
    open_all(page)
    for width in (320, PHONE, 600, 800, DESKTOP):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert (width, page.evaluate(STICKING_OUT)) == (width, [])


@pytest.mark.parametrize("name", ["good", "third"])
def test_the_labels_of_a_chart_do_not_overlap(look, name):
    page = look(REPORTS[name])
    for width, media in ((DESKTOP, "screen"), (PHONE, "screen"), (PAPER, "print")):
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(media=media)
        assert [overlapping(labels) for labels in page.evaluate(LABELS)] == [[], [], []]


@pytest.mark.parametrize("name", EXAMINED)
def test_a_page_is_printed_dark_on_white_with_all_of_its_text(look, name):
    page = look(REPORTS[name], PAPER, "dark")
    page.emulate_media(media="print", color_scheme="dark")
    picture(page, f"{name}-print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(28, 36, 48)"
    assert page.evaluate(STICKING_OUT) == []
    cut = "[...document.querySelectorAll('*')].filter(each => each.scrollHeight > each.clientHeight + 1 && "
    assert page.evaluate(cut + "getComputedStyle(each).overflowY === 'auto').length") == 0
    assert page.pdf(format="A4").startswith(b"%PDF")


def test_each_database_of_several_is_one_step_away(look):
    page = look(REPORTS["several"])
    page.get_by_role("link", name="crm", exact=True).click()
    box = page.get_by_role("heading", name="crm can be restored").bounding_box()
    assert 0 <= box["y"] < 800


def test_a_long_message_is_scrolled_from_the_keyboard(look):
    page = look(REPORTS["failed"])
    page.keyboard.press("Tab")
    page.evaluate(
        """() => {
            window.scrolled = new Promise(done => document.activeElement.addEventListener('scroll', () => done('yes')));
        }"""
    )
    page.keyboard.press("End")
    assert page.evaluate("Promise.race([window.scrolled, new Promise(done => setTimeout(done, 5000))])") == "yes"
    assert page.locator("pre.message").evaluate("each => each.scrollTop") > 0


def test_the_browser_lets_nothing_into_the_page_that_was_not_made_for_it(look):
    page = look(REPORTS["good"])
    refused = page.evaluate(
        """() => new Promise(done => {
            const refused = [];
            document.addEventListener('securitypolicyviolation', each => refused.push(each.effectiveDirective));
            document.body.insertAdjacentHTML('beforeend',
                '<img src="https://example.org/spy.png"><i style="color: red"></i><b onclick="window.ran = true"></b>');
            document.querySelector('b').click();
            const script = document.createElement('script');
            script.textContent = 'window.ran = true';
            document.body.append(script);
            setTimeout(() => done(refused), 500);
        })"""
    )
    assert sorted(refused) == ["img-src", "script-src-attr", "script-src-elem", "style-src-attr"]
    assert page.evaluate("window.ran") is None
