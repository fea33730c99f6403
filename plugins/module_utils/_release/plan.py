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

# How a run can end with nothing of its own left half done. "rolled_back": a deployment that failed and went back, or a
# rollback by hand that succeeded; "abandoned": one that failed and was undone.
ENDS = ("deployed", "rolled_back", "abandoned")
BY_HAND = "rollback"
# Nobody notices a release that is staged and not live.
_UNNOTICED = ("stage", "go_back", "finish")
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
    """Return what deployments and rollbacks have left half done, or None when all came to an end.

    The result names the last of them: the deployment, the release, the last step begun, its time and its result
    ("started", "failed" or "broken"). Of all of them together it says whether more than staging had begun ("touched");
    what became of the database: migrations had begun ("migrating"), or a restore by hand had ("restoring", to the
    release "to"); and the backup that takes the database out of that.
    """
    runs = _open_runs(entries)
    if not runs:
        return None
    last = runs[-1][-1]
    migrating, restore = _database_left(runs)
    return {
        **{key: last.get(key) for key in ("deployment", "release", "step", "result", "time")},
        "touched": any(_is_touched(run) for run in runs),
        "migrating": bool(migrating),
        "restoring": restore is not None,
        "to": restore.get("to") if restore else None,
        # The first one has the database as it was before all of them.
        "backup": restore.get("restoring") if restore else newest_backup(migrating[0]) if migrating else None,
    }


def _open_runs(entries: list[Entry]) -> list[list[Entry]]:
    """Return the entries of each run that left something half done, oldest first.

    One that succeeds sets right what it finds. One that fails and goes back undoes only what it did itself: it leaves
    what it found, which goes on being half done.
    """
    runs: dict[Any, list[Entry]] = {}
    for entry in entries:
        runs.setdefault(entry.get("deployment"), []).append(entry)
    found: list[list[Entry]] = []
    for run in runs.values():
        end = next((entry for entry in reversed(run) if entry.get("result") in ENDS), None)
        if end is None:
            found.append(run)
        elif end["result"] == "deployed" or (end["result"] == "rolled_back" and end.get("kind") == BY_HAND):
            found = []
        else:
            found = [each for each in found if _is_touched(each)]
    return found


def _is_touched(run: list[Entry]) -> bool:
    return any(entry.get("step") not in _UNNOTICED for entry in run)


def _database_left(runs: list[list[Entry]]) -> tuple[list[list[Entry]], Entry | None]:
    """Given open runs, return those whose migrations are still in the database, and a restore that may be half done."""
    migrating: list[list[Entry]] = []
    restoring: Entry | None = None
    for run in runs:
        if any(entry.get("database") == "restored" for entry in run):
            continue  # it has put back what it found
        steps = [entry.get("step") for entry in run]
        if "restore" in steps:
            following = steps[len(steps) - steps[::-1].index("restore") :]
            if "switch" in following and "go_back" not in following:
                # It switches when the database is restored.
                migrating, restoring = [], None
            else:
                restoring = next(entry for entry in reversed(run) if entry.get("step") == "restore")
        elif "migrate" in steps:
            migrating.append(run)
    return migrating, restoring


def newest_backup(entries: list[Entry]) -> dict[str, Any] | None:
    """Return the newest backup that the entries name, or None."""
    return next((entry["backup"] for entry in reversed(entries) if entry.get("backup")), None)


def way_back(
    entries: list[Entry], current: str | None, existing: list[str], wanted: str | None = None
) -> dict[str, Any]:
    """Say what a rollback by hand leaves, for what, and with which backup: {"release", "target", "backup"}.

    Normally the live release is left for the last good one before it, or for the wanted one. After a deployment that
    died before it switched, its release is left and the live one stays. Where the wanted one is live already and
    nothing is half done, the release that is left is None. Raise RecoveryError for a release that is wanted but cannot
    be gone back to.
    """
    status, left = statuses(entries), unfinished(entries)
    release = current
    if left and left["release"] and left["release"] != current:
        release = left["release"]
    if wanted and wanted == current and not left:
        return {"release": None, "target": wanted, "backup": None}
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
    # What died on the way came after what went live. The release that is left comes last.
    attempts = [_last_attempt(entries, follower) for follower in history]
    attempts += [*_open_runs(entries), _last_attempt(entries, release)]
    return next((backup for backup in map(newest_backup, attempts) if backup), None)


def prunable(entries: list[Entry], current: str | None, existing: list[str], keep: int) -> list[str]:
    """Return the releases that can go, oldest first.

    Stays: the live one, the rollback target, the newest good ones up to `keep` (the live one counts), what somebody may
    be staging in this moment, and what the journal does not know. Goes: what was rolled back or never finished before
    the last success, and older good ones.
    """
    status = statuses(entries)
    target = rollback_target(entries, current, existing)
    newest_first = list(dict.fromkeys(reversed(times_live(entries))))
    good = [release for release in newest_first if status.get(release) == GOOD and release in existing]
    kept = {current, target, *(run[-1].get("release") for run in _open_runs(entries))}
    kept.update([current, *(release for release in good if release != current)][:keep])
    mentioned = list(dict.fromkeys(entry["release"] for entry in entries if entry.get("release")))
    return [release for release in mentioned if release in status and release in existing and release not in kept]


def freed_backups(entries: list[Entry], current: str | None, kept: list[str], removed: list[str]) -> list[str]:
    """Return the names of the backups that the journal names for removed releases, and that no way back needs any more.

    Those of releases that stay are needed, and those with the database as one of these left it.
    """
    ways = [backup_for(entries, current, target) for target in kept]
    theirs = [entry.get("backup") for entry in entries if entry.get("release") in kept]
    needed = {backup["name"] for backup in (*ways, *theirs) if backup}
    named = [entry["backup"]["name"] for entry in entries if entry.get("backup") and entry.get("release") in removed]
    return [name for name in dict.fromkeys(named) if name not in needed]


def _last_attempt(entries: list[Entry], release: str | None) -> list[Entry]:
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
