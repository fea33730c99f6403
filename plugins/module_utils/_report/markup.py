# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTML and SVG out of Python, in which every text is escaped unless it was made here.

Private to the collection.
"""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import Union

from ansible_collections.dbops.recovery.plugins.module_utils._text import clean

_VOID = {"meta", "link", "br"}
# A line each, so that the source of a page can be read, and two pages compared.
_LINES = {"meta", "title", "style", "head", "body", "header", "main", "footer", "section", "figure", "table"}
_LINES |= {"h1", "h2", "h3", "p", "dl", "ul", "li", "div", "tr", "pre", "details", "rect"}


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


Child = Union[str, None, Iterable["Child"]]


def tag(element: str, /, *children: Child, **attributes: object) -> Markup:
    """Given an element's name, what stands in it and its attributes, return it.

    Text is escaped, Markup is not; None stands for nothing. In the names of attributes, "class_" is class and
    "aria_label" is aria-label; an attribute that is None is left out.
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(clean(str(value)))}"'
        for key, value in attributes.items()
        if value is not None
    )
    end = "\n" if element in _LINES else ""
    if element in _VOID:
        return Markup(f"<{element}{written}>{end}")
    return Markup(f"<{element}{written}>{render(children)}</{element}>{end}")


def render(child: Child) -> Markup:
    """Given text, Markup, None or any number of them, return them as Markup."""
    if child is None:
        return Markup("")
    if isinstance(child, Markup):
        return child
    if isinstance(child, str):
        return Markup(html.escape(clean(child)))
    return Markup("".join(render(each) for each in child))
