# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The status for a person: how it stands in a line, a table of the databases, and one of the places.

Private to the collection.
"""

from __future__ import annotations

from datetime import timedelta

from ansible_collections.dbops.recovery.plugins.module_utils._status.verdict import headline
from ansible_collections.dbops.recovery.plugins.module_utils._units import show_duration, show_size

# Where there is nothing that could be said.
_NOTHING = "-"


def lines(status: dict) -> list[str]:
    """Given what backup_status returns, return it line by line. Rows are short, so that Ansible does not wrap them."""
    said = [headline(status)]
    if status["databases"]:
        header = ["database", "newest", "verified", "off-site", "restore test", "pinned", "size"]
        said += _aligned([header, *(_database_row(facts, status["places"]) for facts in status["databases"])])
    shares = [(facts["database"], share) for facts in status["databases"] for share in facts["places"]]
    if shares:
        header = ["database", "backups", "size", "next deletion", "place"]
        said += _aligned([header, *(_place_row(database, share) for database, share in shares)])
    return said


def _database_row(facts: dict, places: list[dict]) -> list[str]:
    newest, verified, test = facts["newest"], facts["newest_verified"], facts["restore_test"]
    # What a place that cannot be read has is not known.
    missing = "unknown" if any(place["error"] for place in places) else "never"
    return [
        facts["database"],
        _age(newest, missing),
        _age(verified, missing) + (f" ({verified['verified']})" if verified else ""),
        _age(facts["newest_offsite"], missing) if any(place["is_offsite"] for place in places) else _NOTHING,
        ("" if test is None or test["passed"] else "FAILED ") + _age(test, missing),
        str(len(facts["pinned"])),
        show_size(newest["size_bytes"]) if newest else _NOTHING,
    ]


def _place_row(database: str, share: dict) -> list[str]:
    going = share["next_deletion"]
    when = "none" if going is None else "now" if going["in_seconds"] <= 0 else f"in {_duration(going['in_seconds'])}"
    return [database, str(share["backups"]), show_size(share["size_bytes"]), when, share["place"]]


def _age(fact: dict | None, missing: str) -> str:
    return _duration(fact["age_seconds"]) if fact else missing


def _duration(seconds: int) -> str:
    return show_duration(timedelta(seconds=seconds))


def _aligned(rows: list[list[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows)]
    return ["  ".join(f"{cell:{width}}" for cell, width in zip(row, widths)).rstrip() for row in rows]
