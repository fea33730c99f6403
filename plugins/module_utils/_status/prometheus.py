# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The status as Prometheus' text format, for the textfile collector of node_exporter.

Ages grow between two runs, so what is written are moments: `time() - dbops_recovery_newest_backup_timestamp_seconds`.

Private to the collection.
"""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.dbops.recovery.plugins.module_utils._status.facts import Place
from ansible_collections.dbops.recovery.plugins.module_utils._status.verdict import CRITICAL, WARNING
from ansible_collections.dbops.recovery.plugins.module_utils._units import parse_time

_HELP = {
    "status_timestamp_seconds": "When this status was taken.",
    "problems": "How many problems were found.",
    "place_readable": "Whether the directory or store could be read.",
    "newest_backup_timestamp_seconds": "When the newest complete backup was begun, 0 without one.",
    "newest_backup_size_bytes": "The size of the newest complete backup.",
    "newest_verified_backup_timestamp_seconds": "When the newest verified backup was begun, 0 without one.",
    "newest_offsite_backup_timestamp_seconds": "When the newest backup that is off-site was begun, 0 without one.",
    "last_restore_test_timestamp_seconds": "When the last restore test ended, 0 without one.",
    "last_restore_test_passed": "Whether the last restore test passed.",
    "pinned_backups": "How many backups retention leaves alone because they are pinned.",
    "backups": "How many backups a place has.",
    "backups_size_bytes": "The size of the backups in a place.",
    "next_deletion_timestamp_seconds": "When the next backup is due to be deleted.",
}
METRICS = tuple(f"dbops_recovery_{name}" for name in _HELP)


def text(status: dict, places: list[Place]) -> str:
    """Given what backup_status returns and the places, return the content of a .prom file."""
    samples: dict[str, list[str]] = {name: [] for name in _HELP}
    for name, labels, value in _samples(status, places):
        samples[name].append(f"dbops_recovery_{name}{_labels(labels)} {value}\n")
    return "".join(
        f"# HELP dbops_recovery_{name} {_HELP[name]}\n# TYPE dbops_recovery_{name} gauge\n" + "".join(lines)
        for name, lines in samples.items()
        if lines
    )


def _samples(status: dict, places: list[Place]) -> Iterator[tuple[str, dict[str, str], int]]:
    yield "status_timestamp_seconds", {}, _seconds(status["time"])
    severities = [problem["severity"] for problem in status["problems"]]
    for severity in (WARNING, CRITICAL):
        yield "problems", {"severity": severity}, severities.count(severity)
    for place in places:
        yield "place_readable", {"place": place.name}, int(place.error is None)
    for facts in status["databases"]:
        # Of what could not be looked at nothing is said, rather than "none".
        if facts["places"]:
            yield from _of_database(facts, places)


def _of_database(facts: dict, places: list[Place]) -> Iterator[tuple[str, dict[str, str], int]]:
    of = {"database": facts["database"]}
    newest, test = facts["newest"], facts["restore_test"]
    yield "newest_backup_timestamp_seconds", of, _begun(newest)
    if newest:
        yield "newest_backup_size_bytes", of, newest["size_bytes"]
    yield "newest_verified_backup_timestamp_seconds", of, _begun(facts["newest_verified"])
    if any(place.is_offsite and place.error is None for place in places):
        yield "newest_offsite_backup_timestamp_seconds", of, _begun(facts["newest_offsite"])
    if test or all(place.error is None for place in places):
        yield "last_restore_test_timestamp_seconds", of, _seconds(test["time"]) if test else 0
    if test:
        yield "last_restore_test_passed", of, int(test["passed"])
    yield "pinned_backups", of, len(facts["pinned"])
    for share in facts["places"]:
        there = {**of, "place": share["place"]}
        yield "backups", there, share["backups"]
        yield "backups_size_bytes", there, share["size_bytes"]
        if share["next_deletion"]:
            yield "next_deletion_timestamp_seconds", there, _seconds(share["next_deletion"]["time"])


def _begun(backup: dict | None) -> int:
    return _seconds(backup["started"]) if backup else 0


def _seconds(moment: str) -> int:
    return int(parse_time(moment).timestamp())


def _labels(labels: dict[str, str]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
