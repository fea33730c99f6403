# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a notice says, as text: lines for a person, and what must never be in them.

Pure functions, without any network.

Private to the collection.
"""

from __future__ import annotations

import base64
import re
from urllib.parse import unquote, urlsplit

from ansible_collections.dbops.recovery.plugins.module_utils._text import clean, one_line

PREFIX = "[dbops]"
HIDDEN = "[hidden]"


def subject(event: dict) -> str:
    """Given an event, return the one line that stands in the list of mails."""
    return f"{PREFIX} {one_line(event['title'])}"


def text_lines(event: dict) -> list[str]:
    """Given an event, return what it says to a person, line by line."""
    return [line.rstrip() for each in event["lines"] or [] for line in clean(each).split("\n")]


def body(event: dict) -> str:
    """Given an event, return the text of a mail: the title, what failed and what to do, then the details."""
    parts = [one_line(event["title"]), "\n".join(text_lines(event)), "\n".join(detail_lines(event["details"] or {}))]
    return "\n\n".join(part for part in parts if part.strip()) + "\n"


def detail_lines(details: dict) -> list[str]:
    """Given details, return those that fit on a line each, aligned. What is nested or long is for programs."""
    shown = {one_line(key): _shown(value) for key, value in details.items()}
    shown = {key: value for key, value in shown.items() if value}
    width = max(map(len, shown), default=0)
    return [f"{key:{width}}  {value}" for key, value in shown.items()]


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return "" if any(isinstance(each, (dict, list)) for each in value) else ", ".join(map(_shown, value))
    if value is None or isinstance(value, dict) or "\n" in str(value):
        return ""
    return one_line(str(value))


def secrets_of_url(url: str | None) -> list[str]:
    """Given a URL whose path is a secret, return all of it that an answer or an error could repeat."""
    try:
        parts = urlsplit(url or "")
    except ValueError:
        return [url or ""]
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    # Servers repeat the path that they do not know, as a whole or in parts.
    pieces = [piece for piece in re.split(r"[/?&=]", path) if len(piece) > 8]
    account = parts.netloc.rpartition("@")[0]
    return [url or "", path, parts.path, parts.query, account, account.partition(":")[2], *pieces]


def secrets_of_password(username: str | None, password: str | None) -> list[str]:
    """Given an account, return its password in every form in which it goes to a mail server."""
    if not password:
        return []
    plain = f"\0{username or ''}\0{password}"
    return [password, *(base64.b64encode(each.encode()).decode() for each in (password, plain))]


def secrets_of_headers(headers: dict | None) -> list[str]:
    """Given HTTP headers, return their values, with and without a first word such as Bearer."""
    values = [str(value) for value in (headers or {}).values()]
    return values + [value.partition(" ")[2] for value in values]


def without(text: str, secrets: list[str]) -> str:
    """Given a text and secrets, return the text with a mark in the place of each secret, also where it is quoted."""
    # Python quotes what it cannot send.
    known = {form for each in secrets for form in (each, unquote(each), repr(each)[1:-1], repr(each.encode())[2:-1])}
    # The longest first. A path of "/" alone is in every text, and no secret.
    for each in sorted((each for each in known if len(each) > 2), key=len, reverse=True):
        text = text.replace(each, HIDDEN)
    return text
