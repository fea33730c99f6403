# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Events whose time has passed. No server makes them as they were, so wherever a schema is compared they may differ.

As soon as such an event is made the server drops it, or disables it where it is to be preserved.

Private to the collection.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from ansible_collections.dbops.recovery.plugins.module_utils._archive.bodies import last_times
from ansible_collections.dbops.recovery.plugins.module_utils._archive.catalog import Backup
from ansible_collections.dbops.recovery.plugins.module_utils._archive.dump import EVENTS, Section, split
from ansible_collections.dbops.recovery.plugins.module_utils._archive.reader import plain_bytes
from ansible_collections.dbops.recovery.plugins.module_utils._archive.sections import read_sections
from ansible_collections.dbops.recovery.plugins.module_utils._database.connection import query
from ansible_collections.dbops.recovery.plugins.module_utils._database.inventory import Difference, label


def events_of(backup: Backup) -> Iterator[Section]:
    """Yield a backup's sections with events; nothing is read before the first is asked for. Raise RecoveryError."""
    if backup.manifest:
        yield from read_sections(
            backup, [entry for entry in backup.manifest["archive"]["sections"] if entry["kind"] == EVENTS]
        )
    else:
        yield from (section for section in split(plain_bytes(backup.path)) if section.kind == EVENTS)


def less_past_events(
    connection: Any, warnings: list[str], difference: Difference, sections: Iterable[Section]
) -> Difference:
    """Return a difference less the events whose time has passed by the server's clock.

    Args:
        connection: to the server.
        warnings: get the names of those events.
        difference: of what is there from what was expected.
        sections: the definitions of that; they are only asked for where an event differs.
    Raises:
        RecoveryError: they cannot be read, or the server cannot be asked.
    """
    differing = {each for each in (*difference.missing, *difference.changed) if each.startswith("event ")}
    if not differing:
        return difference
    past = sorted(
        label(("event", name))
        for name, last in last_times(sections).items()
        if label(("event", name)) in differing and _is_past(connection, *last)
    )
    if not past:
        return difference
    warnings.append(
        "The time of these has passed, so the server has dropped them, or disabled those that it is to preserve: "
        f"{', '.join(past)}."
    )
    return replace(
        difference,
        missing=[each for each in difference.missing if each not in past],
        changed=[each for each in difference.changed if each not in past],
    )


def _is_past(connection: Any, moment: str, time_zone: str) -> bool:
    statement = "SELECT CONVERT_TZ(%s, %s, '+00:00') <= UTC_TIMESTAMP()"
    return bool(query(connection, statement, (moment, time_zone))[0][0])
