# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""backup_status: look at every place, say how the backups of each database stand, and write it down for monitoring.

Private to the collection.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import fields
from datetime import datetime
from typing import Any

from ansible_collections.dbops.recovery.plugins.module_utils import _retention as retention
from ansible_collections.dbops.recovery.plugins.module_utils._actions.places import (
    Pair,
    at_once,
    look_at,
    manifest_of,
)
from ansible_collections.dbops.recovery.plugins.module_utils._actions.prune import described, item_of, policy_of
from ansible_collections.dbops.recovery.plugins.module_utils._archive import manifest
from ansible_collections.dbops.recovery.plugins.module_utils._errors import Interrupted, RecoveryError, os_error
from ansible_collections.dbops.recovery.plugins.module_utils._files import write_whole
from ansible_collections.dbops.recovery.plugins.module_utils._status import nagios, prometheus, table
from ansible_collections.dbops.recovery.plugins.module_utils._status.facts import Copy, Place, RestoreTest, facts_of
from ansible_collections.dbops.recovery.plugins.module_utils._status.verdict import Limits, problems_of, state_of
from ansible_collections.dbops.recovery.plugins.module_utils._storage.directory import DirectoryStore
from ansible_collections.dbops.recovery.plugins.module_utils._storage.store import Store
from ansible_collections.dbops.recovery.plugins.module_utils._storage.stores import open_store
from ansible_collections.dbops.recovery.plugins.module_utils._units import (
    parse_duration,
    parse_time,
    show_time,
    utc_now,
)

# Other programs read them, under accounts of their own.
_FILE_MODE = 0o644


def take_status(options: dict, check_mode: bool) -> dict:
    """Look and tell as backup_status's options say; return its result. Raise RecoveryError."""
    if not options["directory"] and not options["stores"]:
        # Or all would be well, as nothing is found that is not.
        raise RecoveryError(
            "There is no place to look at: neither directory nor stores names one. Say by directory, stores or both "
            "where the backups are."
        )
    limits = _limits(options)
    for option in ("metrics_path", "nagios_path"):
        _require_directory(option, options[option])
    places = list(_places(options))
    now = utc_now()
    ignored = set(options["ignore_databases"])
    databases = [each for each in facts_of(places, options["databases"], now) if each["database"] not in ignored]
    problems = problems_of(databases, places, limits, options["databases"])
    result: dict[str, Any] = {
        "state": state_of(problems),
        "time": show_time(now),
        "databases": databases,
        "places": [{"place": place.name, "is_offsite": place.is_offsite, "error": place.error} for place in places],
        "problems": problems,
    }
    result["table"] = table.lines(result)
    result["nagios"] = nagios.line(result, limits)
    contents = {
        "metrics_path": prometheus.text(result, places),
        "nagios_path": f"{result['nagios']}\n",
    }
    written = {options[option]: content for option, content in contents.items() if options[option]}
    result["changed"] = bool(written)
    for path, content in {} if check_mode else written.items():
        _write(path, content, result)
    return result


def _limits(options: dict) -> Limits:
    given = {field.name: options[field.name] for field in fields(Limits)}
    return Limits(**{name: parse_duration(text, name) for name, text in given.items() if text})


def _require_directory(option: str, path: str | None) -> None:
    if path and not os.path.isdir(os.path.dirname(os.path.abspath(path))):
        raise RecoveryError(
            f"{option}: there is no directory {os.path.dirname(os.path.abspath(path))} on this host to write "
            f"{os.path.basename(path)} into. Make it first, or correct the path."
        )


def _write(path: str, content: str, result: dict) -> None:
    try:
        write_whole(os.path.abspath(path), content.encode("utf-8", "replace"), _FILE_MODE)
    except OSError as error:
        failure = os_error("The status was taken, but cannot be written down", error)
        raise RecoveryError(str(failure), result) from error


def _places(options: dict) -> Iterator[Place]:
    """Yield the directory and the stores, each with what is there or why that cannot be said."""
    local, offsite = (policy_of(options[each]) if options[each] else None for each in ("local_retention", "retention"))
    if options["directory"]:
        directory = os.path.abspath(options["directory"])
        yield _look(DirectoryStore(directory, name=directory), False, local)
    for each in options["stores"]:
        store = open_store(each)
        by_itself = store.url.startswith("s3://")
        yield _look(store, by_itself if each["is_offsite"] is None else each["is_offsite"], offsite)


def _look(store: Store, is_offsite: bool, policy: retention.Policy | None) -> Place:
    try:
        copies = at_once(lambda pair: _copy(store, pair), look_at(store).pairs)
    except Interrupted:
        raise
    except RecoveryError as error:
        return Place(store.url, is_offsite, error=str(error))
    return Place(store.url, is_offsite, tuple(copies), policy=policy)


def _copy(store: Store, pair: Pair) -> Copy:
    try:
        content = manifest_of(store, pair)
    except manifest.UnusableManifest as error:
        return Copy(pair.name, pair.parsed.database, None, str(error))
    evidence = content.get("verifications", [])
    tests = tuple(test for test in map(_restore_test, evidence) if test)
    problem = _problem_of(content, pair.archive.size)
    item = described(item_of(pair), content)
    is_whole = not manifest.size_problem(content, pair.archive.size)
    return Copy(pair.name, content["backup"]["database"], item, problem, pair.archive.size, tests, is_whole)


def _problem_of(content: dict, size: int) -> str | None:
    wrong_size = manifest.size_problem(content, size)
    if wrong_size:
        return f"{wrong_size}."
    if manifest.failed_last(content):
        when = content["verifications"][-1].get("time")
        return f"it did not pass its last verification, of {when}. Verify it again to see why."
    return None


def _restore_test(entry: dict) -> RestoreTest | None:
    """Return the restore test that an entry of the evidence tells of; None where it is of another kind."""
    when = _moment(entry.get("time"))
    if not entry.get("restore_test") or when is None:
        return None
    return RestoreTest(str(entry["restore_test"]), when, str(entry.get("host")), bool(entry.get("verified")))


def _moment(text: Any) -> datetime | None:
    try:
        return parse_time(text)
    except (TypeError, ValueError):
        return None
