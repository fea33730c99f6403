# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Views, triggers, routines and events in a dump: what in them belongs to the place that they come from.

Only definitions are read and changed here, never rows, and in a definition only the words before its body.

Private to the collection.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace

from ansible_collections.dbops.recovery.plugins.module_utils._archive.dump import (
    DEFINER,
    EVENTS,
    ROUTINES,
    TRIGGERS,
    VIEW,
    Section,
    bodies_in,
    unquote,
)

_BODIES = (TRIGGERS, ROUTINES, EVENTS)
_ROUTINES = ("procedure", "function")
_INVOKER = re.compile(rb"SQL SECURITY DEFINER")
# As the server words it; the schedule before it has no such words, and the body comes after it.
_ENABLED = re.compile(
    rb"( EVENT (?:`(?:[^`]|``)+`|\"(?:[^\"]|\"\")+\") ON SCHEDULE (?:(?! ON COMPLETION )[^\n])*"
    rb" ON COMPLETION (?:NOT )?PRESERVE) ENABLE\b"
)

# When an event is due for the only time, or ends, and the time zone that this is in, which the dump sets before it.
_LAST_TIME = re.compile(
    rb" EVENT (?:`(?:[^`]|``)+`|\"(?:[^\"]|\"\")+\") ON SCHEDULE"
    rb" (?:AT|EVERY (?:(?! ON COMPLETION )[^\n])* ENDS) '([^'\n]+)' ON COMPLETION "
)
_TIME_ZONE = re.compile(rb"^/\*!\d+ SET time_zone *= '([^'\n]*)'", re.MULTILINE)

# (user, host); a role has no host.
Account = tuple


def account_name(account: Account) -> str:
    """Return an account as "user@host", a role as its name."""
    user, host = account
    return f"{user}@{host}" if host else user


def qualified_names(sections: Iterable[Section], schema: str) -> list[str]:
    """Return in words the views, triggers, routines and events that name the schema they come from.

    Restored under another name they would still read from there, or write to it.
    """
    bare = re.escape(schema.encode("utf-8", "surrogateescape"))
    quoted = re.escape(schema.replace("`", "``").encode("utf-8", "surrogateescape"))
    named = re.compile(rb"(?:`" + quoted + rb"`|(?<![\w$`.])" + bare + rb")\s*\.\s*[\w`$\"]")
    found = []
    for section in sections:
        if section.kind == VIEW and named.search(section.data):
            found.append(f"view {section.object}")
        elif section.kind in _BODIES:
            found += [
                f"{kind.replace('_', ' ')} {name}" for kind, name, text in bodies_in(section) if named.search(text)
            ]
    return sorted(found)


def with_definers(
    section: Section, stays: Callable[[Account], bool], account: Account, as_invoker: bool
) -> tuple[Section, list[str]]:
    """Give the objects of a section another definer where theirs is not to stay.

    Args:
        section: of views or bodies.
        stays: tells of a definer whether it stays.
        account: the one that takes the place of others.
        as_invoker: whether views and routines then run with the rights of whoever uses them.
    Returns:
        the section, and in words the objects that were changed.
    """
    changed: list[str] = []

    def of(text: bytes) -> bytes:
        match = DEFINER.search(text)
        if not match:
            return text
        user, host = match.groups()
        if stays((unquote(user), unquote(host) if host else None)):
            return text
        name, place = (each.replace("`", "``").encode("utf-8", "surrogateescape") for each in account)
        return text[: match.start(1)] + b"`" + name + b"`@`" + place + b"`" + text[match.end(2 if host else 1) :]

    data = section.data
    if section.kind == VIEW:
        data = of(data)
        if data != section.data:
            changed.append(f"view {section.object}")
            data = _INVOKER.sub(b"SQL SECURITY INVOKER", data, count=1) if as_invoker else data
    for kind, name, text in bodies_in(section):
        new = of(text)
        if new != text:
            changed.append(f"{kind.replace('_', ' ')} {name}")
            data = data.replace(text, new, 1)
            if as_invoker and kind in _ROUTINES:
                quoted = b"`" + name.replace("`", "``").encode("utf-8", "surrogateescape") + b"`"
                data += b"ALTER " + kind.upper().encode() + b" " + quoted + b" SQL SECURITY INVOKER;\n"
    return replace(section, data=data), changed


def with_events_disabled(section: Section) -> tuple[Section, list[str]]:
    """Return a section with its enabled events disabled, and their names."""
    if section.kind != EVENTS:
        return section, []
    data, names = section.data, []
    for _kind, name, text in bodies_in(section):
        new = _ENABLED.sub(rb"\1 DISABLE", text, count=1)
        if new != text:
            names.append(name)
            data = data.replace(text, new, 1)
    return replace(section, data=data), names


def last_times(sections: Iterable[Section]) -> dict[str, tuple[str, str]]:
    """Return the events that come to an end by themselves, each with its last moment and the time zone of that."""
    found = {}
    for section in sections:
        for kind, name, text in bodies_in(section):
            moment = _LAST_TIME.search(text) if kind == "event" else None
            if moment:
                zone = _TIME_ZONE.search(text, 0, moment.start())
                found[name] = (moment.group(1).decode(), zone.group(1).decode() if zone else "SYSTEM")
    return found
