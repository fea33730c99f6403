# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the journal means: each release's status, where to go back to, what can go, what was left unfinished.

Pure functions on the journal's entries (dictionaries with "deployment", "release", "step" and "result") and on the
release directories that exist. Modification times play no part.

Private to the collection.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError

Entry = dict[str, Any]

# How a deployment can end. "abandoned": a rollback by hand that failed and was undone.
ENDS = ("deployed", "rolled_back", "abandoned", "broken")
GOOD, BAD, UNFINISHED, UNKNOWN = "good", "bad", "unfinished", "unknown"


def statuses(entries: list[Entry]) -> dict[str, str]:
    """Return each journalled release's status: what was said last about it."""
    found: dict[str, str] = {}
    for entry in entries:
        release, result = entry.get("release"), entry.get("result")
        if not release:
            continue
        if result == "deployed":
            found[release] = GOOD
        elif result in ("rolled_back", "broken"):
            found[release] = BAD
        elif result != "abandoned" and entry.get("step") == "stage":
            found[release] = UNFINISHED
    return found


def times_live(entries: list[Entry]) -> list[str]:
    """Return the releases in the order in which they went live; one that was gone back to appears again.

    A deployment notes what was live when it began, so one that somebody made a release by hand is among them.
    """
    history: list[str] = []
    for entry in entries:
        if entry.get("result") == "deployed":
            history.append(entry.get("release", ""))
        elif entry.get("result") == "rolled_back" and entry.get("to"):
            history.append(entry["to"])
        elif entry.get("previous") and history[-1:] != [entry["previous"]]:
            history.append(entry["previous"])
    return [release for release in history if release]


def rollback_target(entries: list[Entry], current: str | None, existing: list[str]) -> str | None:
    """Return the last good release before the live one whose directory is still there, or None.

    Given [1, 2, 3 deployed, then back to 2], the target from 2 is 1: 3 is bad, and 2 is where we are. What was live
    before the first deployment is as good.
    """
    status, history = statuses(entries), times_live(entries)
    if current in history:
        history = history[: len(history) - 1 - history[::-1].index(current)]
    for release in reversed(history):
        if release != current and status.get(release, UNKNOWN) in (GOOD, UNKNOWN) and release in existing:
            return release
    return None


def deployed_times(entries: list[Entry]) -> dict[str, str]:
    """Return when each release was last declared deployed."""
    return {entry["release"]: entry.get("time", "") for entry in entries if entry.get("result") == "deployed"}


def unfinished(entries: list[Entry]) -> Entry | None:
    """Return what the last deployment left open, or None when it came to an end.

    The result names the deployment, the release, the last step begun, whether migrations had begun ("migrating") or a
    restore by hand had ("restoring", to the release "to"), the backup that takes the database out of that, and the
    result ("started", "failed" or "broken").
    """
    if not entries:
        return None
    deployment = entries[-1].get("deployment")
    own = [entry for entry in entries if entry.get("deployment") == deployment]
    if any(entry.get("result") in ENDS and entry.get("result") != "broken" for entry in own):
        return None
    restore: Entry = next((entry for entry in reversed(own) if entry.get("step") == "restore"), {})
    return {
        "deployment": deployment,
        "release": own[-1].get("release"),
        "step": own[-1].get("step"),
        "result": own[-1].get("result"),
        "time": own[-1].get("time"),
        "migrating": any(entry.get("step") == "migrate" for entry in own),
        "restoring": bool(restore),
        "to": restore.get("to"),
        "backup": restore.get("restoring") or newest_backup(own),
    }


def newest_backup(entries: list[Entry]) -> dict[str, Any] | None:
    """Return the newest backup that the entries name, or None."""
    return next((entry["backup"] for entry in reversed(entries) if entry.get("backup")), None)


def way_back(
    entries: list[Entry], current: str | None, existing: list[str], wanted: str | None = None
) -> dict[str, Any]:
    """Say what a rollback by hand leaves, for what, and with which backup: {"release", "target", "backup"}.

    Normally the live release is left for the last good one before it, or for the wanted one. After a deployment that
    died before it switched, its release is left and the live one stays. Raise RecoveryError for a release that is
    wanted but cannot be gone back to.
    """
    status, open_one = statuses(entries), unfinished(entries)
    release = current
    if open_one and open_one["release"] and open_one["release"] != current:
        release = open_one["release"]
    if wanted:
        _check_wanted(wanted, release, existing, status)
        target: str | None = wanted
    elif release != current and current and status.get(current, UNKNOWN) in (GOOD, UNKNOWN):
        target = current
    else:
        target = rollback_target(entries, current, existing)
    return {"release": release, "target": target, "backup": backup_for(entries, release, target) if target else None}


def backup_for(entries: list[Entry], release: str | None, target: str) -> dict[str, Any] | None:
    """Return the backup with the database as the target left it, when the release is left for it; or None.

    It is the first that was taken after the target went live: before the migrations of the release that followed, or,
    where that one came without any, of the next. A target that the journal does not know was live before all of them.
    """
    history = times_live(entries)
    if target in history:
        history = history[len(history) - history[::-1].index(target) :]
    # The release that is left comes last, whether it went live or died on the way.
    backups = [newest_backup(_last_attempt(entries, follower)) for follower in [*history, release] if follower]
    return next((backup for backup in backups if backup), None)


def prunable(entries: list[Entry], current: str | None, existing: list[str], keep: int) -> list[str]:
    """Return the releases that can go, oldest first.

    Stays: the live one, the rollback target, the newest good ones up to `keep` (the live one counts), and what the
    journal does not know. Goes: what was rolled back or never finished, and older good ones.
    """
    status = statuses(entries)
    target = rollback_target(entries, current, existing)
    newest_first = list(dict.fromkeys(reversed(times_live(entries))))
    good = [release for release in newest_first if status.get(release) == GOOD and release in existing]
    kept = {current, target}
    kept.update([current, *(release for release in good if release != current)][:keep])
    mentioned = list(dict.fromkeys(entry["release"] for entry in entries if entry.get("release")))
    return [release for release in mentioned if release in status and release in existing and release not in kept]


def _last_attempt(entries: list[Entry], release: str) -> list[Entry]:
    # A name can be used again after a failure. What an earlier attempt backed up is older than the database it left.
    staged = [entry for entry in entries if entry.get("release") == release and entry.get("step") == "stage"]
    return [entry for entry in entries if staged and entry.get("deployment") == staged[-1].get("deployment")]


def _check_wanted(wanted: str, release: str | None, existing: list[str], status: dict[str, str]) -> None:
    if wanted == release:
        raise RecoveryError(f"The release {wanted} is the one to be left, so it cannot be gone back to.")
    if wanted not in existing:
        there = ", ".join(existing) or "none"
        raise RecoveryError(
            f"The release {wanted} cannot be gone back to: it is not here any more. There are: {there}."
        )
    if status.get(wanted, UNKNOWN) in (BAD, UNFINISHED):
        raise RecoveryError(
            f"The release {wanted} cannot be gone back to: its deployment did not succeed, or it was rolled back. "
            "To put it live after all, deploy it again under another name."
        )
