# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a backup is good enough to be restored, and the safety backup that the way back of a restore is.

Private to the collection.
"""

from __future__ import annotations

from ansible_collections.dbops.recovery.plugins.module_utils._actions.backup import take_backup
from ansible_collections.dbops.recovery.plugins.module_utils._actions.target import Target, require_taken
from ansible_collections.dbops.recovery.plugins.module_utils._archive import catalog, codec
from ansible_collections.dbops.recovery.plugins.module_utils._archive.checks import (
    CONTENT,
    Findings,
    Limits,
    check_backup,
    check_before_loading,
    describe,
    failed,
)
from ansible_collections.dbops.recovery.plugins.module_utils._database.source import LOCK, Source, look_at_source
from ansible_collections.dbops.recovery.plugins.module_utils._errors import Interrupted, RecoveryError


def require_good(backup: catalog.Backup, level: str, before_loading: bool = False) -> Findings | None:
    """Return what verifying a backup brought, or raise; before_loading as check_before_loading() has it."""
    if backup.manifest is None:
        # Only its own text can say what it holds.
        level = CONTENT
    if level == "none":
        return None
    findings = check_before_loading(backup, level) if before_loading else check_backup(backup, level, Limits())
    bad = failed(findings.checks)
    if bad:
        raise RecoveryError(
            f"{backup.name} is not restored, it did not pass the check at level {level}:\n{describe(bad)}\n"
            "Nothing was touched. Choose another backup.",
            {"checks": [check.as_result() for check in findings.checks]},
        )
    return findings


def look_at_present(options: dict, target: Target) -> Source:
    """Return what a safety backup would be taken of. Raise RecoveryError where it could not be taken whole."""
    try:
        return look_at_source(options, target.name, [], LOCK, without_broken_views=True)
    except Interrupted:
        raise
    except RecoveryError as error:
        raise _no_way_back(target, error) from error


def _no_way_back(target: Target, error: RecoveryError) -> RecoveryError:
    return RecoveryError(
        f"The present state of {target.name} could not be backed up, so there would be no way back. {error}\n"
        "Nothing was touched. Where that state is worth nothing, restore with safety_backup: false."
    )


def take_safety_backup(options: dict, target: Target, directory: str) -> catalog.Backup:
    """Back up the present state, pinned and verified. Raise RecoveryError."""
    source = look_at_present(options, target)
    try:
        safety = take_backup(source, directory, codec.choose("auto"), {"purpose": "safety"}, pin=True, retries=1)
    except Interrupted:
        raise
    except RecoveryError as error:
        raise _no_way_back(target, error) from error
    if source.plan.broken_views:
        # Often the very reason for a restore: somebody has dropped a table under them.
        views = "; ".join(f"{view}: {words}" for view, words in source.plan.broken_views.items())
        target.warnings.append(f"These views cannot be read, so {safety.name} is without them: {views}")
    # It is the way back, so it must be one.
    require_good(safety, CONTENT)
    require_taken(target, safety, None)
    return safety
