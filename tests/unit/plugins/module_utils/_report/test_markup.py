# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTML out of Python: nothing that comes from elsewhere becomes markup."""

from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dbops.recovery.plugins.module_utils._report.markup import Markup, render, tag

ANYTHING = st.text(st.characters(codec=None), max_size=100)


class Reader(HTMLParser):
    """What a browser would see: the elements with their attributes, and the text."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.elements, self.text = [], ""

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


def read(markup):
    reader = Reader()
    reader.feed(markup)
    reader.close()
    return reader


def test_an_element_has_its_attributes_and_content():
    assert tag("a", "shop", href="#d1", class_="name") == '<a href="#d1" class="name">shop</a>'


def test_an_attribute_that_is_none_is_left_out_and_underscores_become_hyphens():
    assert tag("b", aria_hidden="true", class_=None) == '<b aria-hidden="true"></b>'


def test_an_element_without_content_is_not_closed():
    assert tag("meta", name="robots", content="none") == '<meta name="robots" content="none">\n'


def test_text_is_escaped_once_and_markup_is_not():
    assert tag("b", "a < b & c", tag("i", "<>")) == "<b>a &lt; b &amp; c<i>&lt;&gt;</i></b>"


def test_children_may_be_lists_within_lists_and_none():
    assert render(["a", None, ("b", [Markup("<br>")])]) == "ab<br>"


@given(ANYTHING)
def test_no_text_can_become_an_element(text):
    seen = read(tag("b", text))
    assert [name for name, _attributes in seen.elements] == ["b"]


@given(ANYTHING)
def test_no_value_can_leave_its_attribute(text):
    ((name, attributes),) = read(tag("b", title=text)).elements
    assert (name, set(attributes)) == ("b", {"title"})


def test_colours_of_a_terminal_do_not_reach_a_page():
    assert tag("b", "\x1b[31mERROR\x1b[0m\0") == "<b>ERROR</b>"
