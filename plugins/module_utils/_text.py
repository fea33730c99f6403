# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Text that comes from elsewhere, such as what a program wrote, made fit for a mail or a page.

Private to the collection.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

# Colours and the like, which a migration writes for a terminal.
_TERMINAL_CODES = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?|.)?")


def clean(text: str) -> str:
    """Given any text, return it without codes for terminals, and without control characters but newlines.

    Bytes that were no text when they were read (lone surrogates) become question marks.
    """
    plain = _TERMINAL_CODES.sub("", str(text)).expandtabs(4).replace("\r\n", "\n")
    plain = "".join(each for each in plain if each == "\n" or unicodedata.category(each) not in ("Cc", "Zl", "Zp"))
    return plain.encode("utf-8", "replace").decode("utf-8")


def one_line(text: str) -> str:
    """Given any text, return it on one line, as a subject or a title must be."""
    return " ".join(clean(re.sub(r"[\x00-\x20\x7f-\xa0\u2028\u2029]", " ", _TERMINAL_CODES.sub("", str(text)))).split())


def cut(text: str, limit: int) -> str:
    """Given a text, return as much of it as fits, with an ellipsis where something is gone."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def some_of(items: Sequence[str], limit: int, separator: str = ", ", kind: str = "") -> str:
    """Given texts, return the first of them, and how many more there are: "a, b and 3 more", "... and 3 more rows"."""
    more = f" and {len(items) - limit} more" + (f" {kind}" if kind else "") if len(items) > limit else ""
    return separator.join(items[:limit]) + more


def counted(count: int, noun: str) -> str:
    """Given a number and what is counted, return both: "1 row", "3 rows"."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
