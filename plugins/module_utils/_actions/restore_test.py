# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""restore_test_report: make the records of restore tests, keep them and their evidence, and show them.

Private to the collection.
"""

from __future__ import annotations

import functools
import json
import os
import socket
from collections.abc import Iterable
from datetime import timedelta

from ansible_collections.dbops.recovery.plugins.module_utils._actions.places import at_once
from ansible_collections.dbops.recovery.plugins.module_utils._archive import catalog, manifest, names
from ansible_collections.dbops.recovery.plugins.module_utils._archive.checks import CONTENT, ERROR, RESTORE, Check
from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError
from ansible_collections.dbops.recovery.plugins.module_utils._report.page import HISTORY, page
from ansible_collections.dbops.recovery.plugins.module_utils._report.record import (
    FORMAT,
    STAGING,
    SUFFIX,
    compared,
    lines_of,
    problems_of,
    record_of,
)
from ansible_collections.dbops.recovery.plugins.module_utils._report.summary import markdown
from ansible_collections.dbops.recovery.plugins.module_utils._storage.directory import DirectoryStore
from ansible_collections.dbops.recovery.plugins.module_utils._storage.store import Store, Stored
from ansible_collections.dbops.recovery.plugins.module_utils._storage.stores import open_store
from ansible_collections.dbops.recovery.plugins.module_utils._units import parse_duration, parse_time, utc_now

PAGE = "index.html"
SUMMARY = "summary.md"


def report_restore_tests(options: dict, check_mode: bool) -> dict:
    """Report as restore_test_report's options say; return its result. Raise RecoveryError."""
    targets = {name: _duration(options, f"{name}_target") for name in ("rto", "rpo")}
    directory = os.path.abspath(options["directory"])
    stores = {each["store"].rstrip("/"): open_store(each) for each in options["stores"]}
    if not check_mode:
        catalog.make_directory(directory)
    here = DirectoryStore(directory, name=directory)
    problems: list[str] = []
    tested = {test["database"] for test in options["tests"]}
    histories = _histories([*([here] if os.path.isdir(directory) else []), *stores.values()], tested, problems)
    records = []
    for test in options["tests"]:
        history = histories[test["database"]]
        described = _described(stores, test, problems)
        version = described["server"]["version"] if described else None
        name = _free_name(test, {record["name"] for record in history})
        record = record_of({**test, "server_version": version}, name, socket.gethostname(), utc_now(), targets)
        record = compared(record, history[-1] if history else None)
        if not check_mode:
            _keep([here, *stores.values()], record, problems)
            if described:
                _prove(stores[test["source"].rstrip("/")], described, record, test["proved"] or {}, problems)
        history.append(record)
        records.append(record)
    result = {
        "changed": True,
        "passed": not problems and all(record["passed"] for record in records),
        "problems": [problem for record in records for problem in problems_of(record)] + problems,
        "tests": records,
        "lines": [line for record in records for line in lines_of(record)] + problems,
        "page": os.path.join(directory, PAGE),
        "summary": os.path.join(directory, SUMMARY),
        "markdown": markdown(records),
    }
    if not check_mode:
        here.write(PAGE, page(records, histories).encode("utf-8", "replace"))
        here.write(SUMMARY, result["markdown"].encode("utf-8", "replace"))
    return result


def _duration(options: dict, name: str) -> timedelta | None:
    return parse_duration(options[name], name) if options[name] else None


def _histories(places: list[Store], databases: set[str], problems: list[str]) -> dict[str, list[dict]]:
    """Return the newest records of each database that places have, oldest first.

    A place that cannot be read is a problem.
    """
    found: dict[str, dict] = {}
    for place in places:
        try:
            new = [name for name in _newest(place.files(), databases) if name not in found]
            records = at_once(functools.partial(_read, place), new)
        except RecoveryError as error:
            problems.append(f"Earlier tests are missing in the history: {error}")
            continue
        found.update({name: record for name, record in zip(new, records) if record})
    histories: dict[str, list[dict]] = {database: [] for database in databases}
    for record in sorted(found.values(), key=lambda each: (each["started"], each["name"])):
        histories.setdefault(record["database"], []).append(record)
    return histories


def _newest(files: Iterable[Stored], databases: set[str]) -> list[str]:
    """Return the names of the records worth reading: a place keeps all of them for ever, the page shows the last."""
    named: dict[str, list[tuple]] = {names.file_safe(database): [] for database in databases}
    for file in files:
        parsed = names.parse(file.name[: -len(SUFFIX)]) if file.name.endswith(SUFFIX) else None
        if parsed and parsed.database in named:
            named[parsed.database].append((parsed.started, parsed.number, file.name))
    return [name for each in named.values() for _started, _number, name in sorted(each)[-HISTORY:]]


def _read(place: Store, name: str) -> dict | None:
    """Return a record; None where it is damaged or of a newer format, as it is only history."""
    try:
        record = json.loads(place.read(name))
    except ValueError:
        return None
    return record if isinstance(record, dict) and record.get("format") == FORMAT else None


def _free_name(test: dict, taken: set[str]) -> str:
    """Return the name for a record; of two tests in the same second the second one ends with -2."""
    return next(name for name in names.candidates(test["database"], parse_time(test["started"])) if name not in taken)


def _described(stores: dict[str, Store], test: dict, problems: list[str]) -> dict | None:
    """Return the manifest, as its store has it, of the backup that was tested; None where none was chosen."""
    downloaded = test["downloaded"] or {}
    name = downloaded.get("damaged") or (downloaded.get("backup") or {}).get("name")
    store = stores.get(test["source"].rstrip("/"))
    if not (name and store):
        return None
    file = name + manifest.SUFFIX
    try:
        return manifest.parse(store.read(file), f"{store.url}/{file}")
    except RecoveryError as error:
        problems.append(f"The evidence about {name} is not written: {error}")
        return None


def _keep(places: list[Store], record: dict, problems: list[str]) -> None:
    """Keep a record in every place."""
    content = json.dumps(record, indent=1).encode() + b"\n"
    for place in places:
        try:
            place.write(record["name"] + SUFFIX, content)
        except RecoveryError as error:
            problems.append(f"The record {record['name']} is not kept in {place.url}: {error}")


def _prove(store: Store, described: dict, record: dict, proved: dict, problems: list[str]) -> None:
    """Write into a manifest in its store what the test has shown about the backup, if it has shown anything."""
    verified = verdict_on_backup(record, proved)
    if verified is None:
        return
    entry = {
        "time": record["finished"],
        "host": record["host"],
        # A staging database is compared by its objects and rows, and not dumped back.
        "level": CONTENT if record["target"] == STAGING else RESTORE,
        "verified": verified,
        "seconds": round(sum(phase["seconds"] for phase in record["phases"]), 3),
        "checks": record["checks"] + ([_failed_check(record["failure"])] if record["failure"] else []),
        "restore_test": record["name"],
    }
    content = {**described, "verifications": [*described.get("verifications", []), entry]}
    name = described["backup"]["name"]
    try:
        store.write(name + manifest.SUFFIX, manifest.render(content))
    except RecoveryError as error:
        problems.append(f"The evidence about {name} is not written: {error}")


def _failed_check(failure: dict) -> dict:
    return Check(failure["phase"], False, ERROR, failure["message"]).as_result()


def verdict_on_backup(record: dict, proved: dict) -> bool | None:
    """Return what a test says of the backup itself: a good one, a bad one, or None where something else failed.

    Args:
        record: of the test of a backup that a store has.
        proved: what the module returned that restored it; empty where it did not come to that.
    """
    if record["backup"] is None:
        # It was chosen, and is not there as its manifest says.
        return False
    if record["target"] == STAGING:
        # Why a staging database could not be replaced may have nothing to do with the backup.
        return record["failure"] is None if proved.get("outcome") == "restored" else None
    return proved.get("verified")
