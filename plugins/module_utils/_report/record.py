# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The record of one restore test: what was tested, how long each phase took, what was found, and the verdict.

Format, version 1, a JSON object; every key is always there:

    format       1
    name         shop_2026-11-25_030000: the database and when the test began
    database, host, started, finished (ISO 8601, UTC)
    passed       whether the backup could be restored, every check was passed and no target was missed
    failure      null, or phase and message: what ended the test before its end
    source       the store that the backup came from
    target       "scratch" or "staging"; target_name: the same in words
    backup       null, or name, started, size_bytes, sql_bytes, sha256, compression
    server       backup, test: the versions of the two servers, null where not known
    phases       [{name, seconds, bytes}] in the order they ran; bytes null where that has no meaning
    rto          seconds (the sum of the phases; null where it failed), target_seconds, met; null where there is none
    rpo          the same, of the age that the newest restorable backup had when the test began
    checks       as backup_verify returns them
    compared     null, or previous (the name of the test before) and changes, in words

Pure functions. Private to the collection.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from ansible_collections.dbops.recovery.plugins.module_utils._units import (
    parse_time,
    show_duration,
    show_size,
    show_time,
)

FORMAT = 1
SCRATCH = "scratch"
STAGING = "staging"
SUFFIX = ".restore-test.json"

# A change of less than this share is nothing to speak of.
_NOTABLE_SHARE = 0.1
_SHORTEST_SECONDS = 1.0
_VERSION = re.compile(r"\d+\.\d+(\.\d+)?[-\w.+~]*")


def record_of(test: dict, name: str, host: str, finished: datetime, targets: dict[str, timedelta | None]) -> dict:
    """Given what a test brought, return its record, not compared with any other yet.

    Args:
        test: as the module restore_test_report takes one.
        name: the record's name.
        host: where it was restored.
        finished: when the test ended.
        targets: "rto" and "rpo", each None where there is none.
    """
    downloaded, proved = test["downloaded"] or {}, test["proved"] or {}
    backup = downloaded.get("backup")
    checks = [*_version_checks(test), *_checks(test["target"], proved)]
    # What the checks say already is not said again.
    failure = dict(test["failure"]) if test["failure"] and not failing(checks) else None
    restorable = failure is None and not failing(checks)
    phases = [*downloaded.get("phases", []), *proved.get("phases", [])]
    begun = parse_time(test["started"])
    recovery = sum(phase["seconds"] for phase in phases) if restorable else None
    age = (begun - parse_time(backup["started"])).total_seconds() if restorable and test["newest"] else None
    record = {
        "format": FORMAT,
        "name": name,
        "database": test["database"],
        "host": host,
        "started": test["started"],
        "finished": show_time(finished),
        "passed": False,
        "failure": failure,
        "source": test["source"],
        "target": test["target"],
        "target_name": test["target_name"],
        "backup": {key: backup[key] for key in _BACKUP} if backup else None,
        "server": {"backup": test["server_version"], "test": scratch_version(proved)},
        "phases": phases,
        "rto": _held_against(recovery, targets["rto"]),
        "rpo": _held_against(age, targets["rpo"] if test["newest"] else None),
        "checks": checks,
        "compared": None,
    }
    return {**record, "passed": not problems_of(record)}


_BACKUP = ("name", "started", "size_bytes", "sql_bytes", "sha256", "compression")


def _held_against(seconds: float | None, target: timedelta | None) -> dict:
    wanted = None if target is None else int(target.total_seconds())
    met = None if seconds is None or wanted is None else seconds <= wanted
    return {"seconds": None if seconds is None else round(seconds, 3), "target_seconds": wanted, "met": met}


def _checks(target: str, proved: dict) -> list[dict]:
    """Return the checks of the proof; a restore into a staging database is one check by itself."""
    if target == SCRATCH or "outcome" not in proved:
        return list(proved.get("checks", []))
    passed = proved["outcome"] == "restored"
    detail = f"{proved['strategy']}: {proved['strategy_reason']}" if passed else proved["msg"]
    return [{"name": "restore", "passed": passed, "severity": "error", "detail": detail, "seconds": proved["seconds"]}]


def scratch_version(proved: dict) -> str | None:
    """Given what backup_verify returned, return the version of the scratch server."""
    for check in proved.get("checks", []):
        if check["name"] == "scratch_server":
            found = _VERSION.search(check["detail"])
            return found.group() if found else None
    return None


def _version_checks(test: dict) -> list[dict]:
    """Return a check of the two servers' release series, where both are known."""
    made, tested = test["server_version"], scratch_version(test["proved"] or {})
    if not (made and tested):
        return []
    same = made.split(".")[:2] == tested.split(".")[:2]
    detail = f"made by {made}, restored by {tested}"
    return [{"name": "server_version", "passed": same, "severity": "warning", "detail": detail, "seconds": 0.0}]


def failing(checks: list[dict]) -> list[dict]:
    """Return the checks that make a backup a bad one."""
    return [check for check in checks if not check["passed"] and check["severity"] == "error"]


def problems_of(record: dict) -> list[str]:
    """Return in words what keeps a test from having passed; [] where nothing does."""
    database, failure, bad = record["database"], record["failure"], failing(record["checks"])
    if failure:
        return [f"{database} could not be restored: {failure['phase']} failed: {failure['message']}"]
    if bad:
        found = "; ".join(f"{check['name']}: {check['detail']}" for check in bad)
        return [f"{database} is not what was backed up: {found}"]
    problems = []
    for key, what in (("rto", "it took {} to restore"), ("rpo", "its newest backup was {} old")):
        if record[key]["met"] is False:
            problems.append(
                f"{database}: {what.format(_duration(record[key]['seconds']))}, the target is "
                f"{_duration(record[key]['target_seconds'])}"
            )
    return problems


def compared(record: dict, previous: dict | None) -> dict:
    """Return a record compared with the one of the test before it, if there was one."""
    if previous is None:
        return record
    return {**record, "compared": {"previous": previous["name"], "changes": list(_changes(previous, record))}}


def _changes(before: dict, after: dict) -> list[str]:
    changes = []
    if before["passed"] != after["passed"]:
        changes.append("the test before had passed" if before["passed"] else "the test before had failed")
    if before["backup"] and after["backup"]:
        sizes = before["backup"]["sql_bytes"], after["backup"]["sql_bytes"]
        changes += _grown("the SQL", *sizes, show_size)
    if before["rto"]["seconds"] and after["rto"]["seconds"]:
        changes += _grown("the time to restore", before["rto"]["seconds"], after["rto"]["seconds"], _duration)
    for which, what in (("backup", "the server that was backed up"), ("test", "the server it was restored by")):
        versions = before["server"][which], after["server"][which]
        if all(versions) and versions[0] != versions[1]:
            changes.append(f"{what} was {versions[0]}, now {versions[1]}")
    if before["host"] != after["host"]:
        changes.append(f"the host was {before['host']}, now {after['host']}")
    return changes


def _grown(what: str, before: float, after: float, show) -> list[str]:
    share = (after - before) / before if before else 0.0
    if abs(share) < _NOTABLE_SHARE:
        return []
    return [f"{what} {'grew' if share > 0 else 'shrank'} from {show(before)} to {show(after)} ({share:+.0%})"]


def lines_of(record: dict) -> list[str]:
    """Return a record in a few lines for a person."""
    if record["failure"] or failing(record["checks"]):
        lines = [f"FAILED: {problem}" for problem in problems_of(record)]
    else:
        backup = record["backup"]
        lines = [
            f"{record['database']} can be restored: {backup['name']} ({show_size(backup['size_bytes'])}) from "
            f"{record['source']} into {record['target_name']} in {_measured(record['rto'])}"
        ]
        if record["rpo"]["seconds"] is not None:
            lines.append(f"  its newest backup was {_measured(record['rpo'], ' old')}")
        lines += [f"  MISSED: {problem}" for problem in problems_of(record)]
    lines += [f"  {phase['name']}: {_phase(phase)}" for phase in record["phases"]]
    lines += [
        f"  note: {check['name']}: {check['detail']}"
        for check in record["checks"]
        if not check["passed"] and check["severity"] == "warning"
    ]
    return lines + [f"  since the test before: {change}" for change in (record["compared"] or {}).get("changes", [])]


def _measured(measure: dict, after: str = "") -> str:
    target = measure["target_seconds"]
    return _duration(measure["seconds"]) + after + (f" (target {_duration(target)})" if target is not None else "")


def _phase(phase: dict) -> str:
    seconds, count = phase["seconds"], phase["bytes"]
    # Of next to nothing there is no rate.
    if not count or seconds < _SHORTEST_SECONDS:
        return f"{seconds:.1f} s"
    return f"{seconds:.1f} s, {show_size(count)}, {count / 1e6 / seconds:.1f} MB/s"


def _duration(seconds: float) -> str:
    return f"{seconds:.1f}s" if seconds < 60 else show_duration(timedelta(seconds=seconds))
