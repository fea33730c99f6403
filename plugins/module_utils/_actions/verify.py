# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""backup_verify: climb the ladder of verification, report every rung, and write down how far it went.

Private to the collection.
"""

from __future__ import annotations

import socket
import statistics
import time

from ansible_collections.dbops.recovery.plugins.module_utils._actions.clock import as_phase
from ansible_collections.dbops.recovery.plugins.module_utils._actions.proof import LOADED, SCRATCH_SERVER, prove
from ansible_collections.dbops.recovery.plugins.module_utils._archive import catalog
from ansible_collections.dbops.recovery.plugins.module_utils._archive.checks import (
    CONTENT,
    RESTORE,
    WARNING,
    Check,
    Findings,
    Limits,
    check_backup,
    describe,
    failed,
)
from ansible_collections.dbops.recovery.plugins.module_utils._errors import Interrupted, RecoveryError
from ansible_collections.dbops.recovery.plugins.module_utils._units import (
    parse_duration,
    parse_size,
    show_size,
    show_time,
    utc_now,
)

# A backup is compared with the median of this many before it, and is suspect below this share of it.
_COMPARED_BACKUPS = 10
_SUSPECT_SHARE = 0.5


def verify_backup(options: dict, check_mode: bool) -> dict:
    """Verify a backup as backup_verify's options say; return its result. Raise RecoveryError when it is a bad one."""
    clock = time.monotonic()
    commands = _take_commands(options)
    limits = Limits(
        min_size=parse_size(options["min_size"], "min_size") if options["min_size"] else None,
        max_size=parse_size(options["max_size"], "max_size") if options["max_size"] else None,
        max_age=parse_duration(options["max_age"], "max_age") if options["max_age"] else None,
    )
    level = options["level"]
    backup = catalog.find(options["backup"], options["directory"], options["database"])
    findings = check_backup(backup, CONTENT if level == RESTORE else level, limits)
    checks = list(findings.checks)
    if level != "file":
        checks += _held_against_earlier(backup)
    if level == RESTORE and not failed(checks):
        checks += prove(
            backup,
            findings,
            _schema_name(options, backup, findings),
            options["queries"],
            commands,
            options["scratch_directory"],
            check_mode,
        )
    bad = failed(checks)
    seconds = time.monotonic() - clock
    result = {
        "changed": False,
        "verified": not bad,
        "level": level,
        "backup": backup.describe(),
        "checks": [check.as_result() for check in checks],
        "phases": phases_of(checks, seconds, backup.sql_bytes),
        "seconds": round(seconds, 3),
        "warnings": [
            f"{backup.name}: {check.name}: {check.detail}"
            for check in checks
            if not check.passed and check.severity == WARNING
        ]
        + (catalog.unreadable_in(options["directory"]) if options["backup"] == "latest" else []),
    }
    if options["record"] and backup.manifest and not check_mode:
        _record(backup, result)
    if bad:
        raise RecoveryError(
            f"The backup {backup.name} is not good, checked at level {level}:\n{describe(bad)}\n"
            "Do not restore it. Verify an earlier one, and find out what happened to this file.",
            result,
        )
    return result


def _take_commands(options: dict) -> list[dict]:
    """Take the commands' environments out of the options, which Ansible returns with the result: they have secrets."""
    return [{**each, "environment": each.pop("environment", None)} for each in options["commands"]]


def phases_of(checks: list[Check], seconds: float, plain_bytes: int | None) -> list[dict]:
    """Return what the time of a verification went to, in order: check, server, load, verify (the last three where a
    scratch server was started).

    Args:
        checks: all that were made, in order.
        seconds: of the whole verification.
        plain_bytes: of SQL that was loaded, where that is known.
    """
    taken = {check.name: check.seconds for check in checks if check.name in (SCRATCH_SERVER, LOADED)}
    if SCRATCH_SERVER not in taken:
        return [as_phase("check", seconds)]
    names = [check.name for check in checks]
    after = sum(check.seconds for check in checks[names.index(SCRATCH_SERVER) + 1 :] if check.name != LOADED)
    phases = [
        as_phase("check", max(0.0, seconds - sum(taken.values()) - after)),
        as_phase("server", taken[SCRATCH_SERVER]),
        as_phase("load", taken.get(LOADED, 0.0), plain_bytes),
    ]
    return [*phases, as_phase("verify", after)] if names[-1] not in taken else phases


def _schema_name(options: dict, backup: catalog.Backup, findings: Findings) -> str:
    """Return the schema that the scratch server loads it into: the backup's own, as far as that is known."""
    if backup.database:
        return backup.database
    return options["database"] or next(iter(sorted(findings.schemas)), "restored")


def _held_against_earlier(backup: catalog.Backup) -> list[Check]:
    """Compare the size of the SQL with that of the backups before it, whatever their compression."""
    if backup.manifest is None:
        return []
    earlier = [
        each.manifest["archive"]["plain_bytes"]
        for each in catalog.backups_in(catalog.directory_of(backup), backup.database)
        if each.started < backup.started and not each.is_safety
    ][:_COMPARED_BACKUPS]
    if not earlier:
        return []
    size, median = backup.manifest["archive"]["plain_bytes"], statistics.median(earlier)
    detail = f"{show_size(size)} of SQL, the median of the {len(earlier)} before it is {show_size(int(median))}"
    return [Check("size_history", size >= median * _SUSPECT_SHARE, WARNING, detail)]


def _record(backup: catalog.Backup, result: dict) -> None:
    """Write the evidence into the manifest; that it cannot be written makes no good backup a bad one."""
    entry = {
        "time": show_time(utc_now()),
        "host": socket.gethostname(),
        "level": result["level"],
        "verified": result["verified"],
        "seconds": result["seconds"],
        "checks": result["checks"],
    }
    try:
        catalog.record_evidence(backup, entry)
        result["changed"] = True
    except Interrupted:
        raise
    except (OSError, RecoveryError) as error:
        result["warnings"].append(f"{backup.name}: the evidence could not be written into its manifest: {error}")
