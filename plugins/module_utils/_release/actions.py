# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What each release_* module does: options and check mode in, the module's result out.

Private to the collection.
"""

from __future__ import annotations

import os
import time
from typing import Any

from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError
from ansible_collections.dbops.recovery.plugins.module_utils._release import (
    commands,
    journal,
    layout,
    lock,
    plan,
    workers,
)
from ansible_collections.dbops.recovery.plugins.module_utils._release.pm2 import Pm2

JOURNAL_TAIL = 20

_ENTRY_KEYS = ("deployment", "release", "step", "result")

Result = dict[str, Any]


def info(options: dict[str, Any], check: bool) -> Result:
    """Say what is deployed here. Changes nothing."""
    place = layout.check_root(options["root"])
    entries, existing = journal.read_journal(place.journal), layout.existing_releases(place)
    current = layout.current_release(place)
    status, deployed = plan.statuses(entries), plan.deployed_times(entries)
    return {
        "changed": False,
        "current": current,
        "releases": [
            {"id": name, "status": status.get(name, plan.UNKNOWN), "deployed": deployed.get(name)} for name in existing
        ],
        "rollback_target": plan.rollback_target(entries, current, existing),
        "way_back": plan.way_back(entries, current, existing, options["rollback_to"]),
        "lock": lock.read_lock(place.lock),
        "unfinished": plan.unfinished(entries),
        "last_backup": plan.newest_backup(entries),
        "journal": entries[-JOURNAL_TAIL:],
    }


def hold(options: dict[str, Any], check: bool) -> Result:
    """Take or give back the lock."""
    place = layout.check_root(options["root"])
    held = lock.read_lock(place.lock)
    ours = held is not None and held.get("deployment") == options["deployment"]
    result: Result = {"changed": False, "lock": held, "current": layout.current_release(place)}
    if options["state"] == "absent":
        goes = ours or (held is not None and options["force"])
        try:
            _note_first(place, options, check)
        except RecoveryError:
            if not goes:
                raise
            # A full disk, as a rule: without the lock there is room for one more line. And a lock that nobody holds any
            # more must not stay.
            lock.drop_lock(place.lock)
            _note_first(place, options, check)
        if goes:
            result.update(changed=True, lock=None)
            if not check:
                lock.drop_lock(place.lock)
        return result
    if ours:
        return result
    wanted = {
        "deployment": options["deployment"],
        "release": options["release"],
        "owner": options["owner"],
        "controller": options["controller"],
        "since": journal.now(),
    }
    free = held is None or options["force"]
    if free and not check:
        free = lock.take_lock(place.lock, wanted, force=options["force"])
    if not free:
        raise RecoveryError(
            f"{place.root} is locked: {lock.describe_lock(lock.read_lock(place.lock) or held or {})}. If it is still "
            "running, wait for it. If it died, look at what it left (dbops.recovery.release_info), then run again with "
            "-e deploy_force_unlock=true.",
            result,
        )
    _note_first(place, options, check)
    return {**result, "changed": True, "lock": wanted}


def set_release(options: dict[str, Any], check: bool) -> Result:
    """Bring a release into the wanted state: staged, live or absent."""
    place, name = layout.check_root(options["root"]), layout.check_release(options["release"])
    current, existing = layout.current_release(place), layout.existing_releases(place)
    result: Result = {"release": name, "path": place.release(name), "previous": current}
    if options["state"] == "staged":
        _refuse_to_restage(place, name, current)
        changed = name not in existing or bool(os.listdir(place.release(name)))
        before, after = ("a former attempt" if name in existing else "absent"), "an empty directory"
        do = layout.make_release
    elif options["state"] == "live":
        if name not in existing:
            raise RecoveryError(
                f"The release {name} cannot go live: {place.release(name)} does not exist. "
                f"There are: {', '.join(existing) or 'none'}."
            )
        changed, before, after, do = name != current, current or "nothing is live", name, layout.switch
    else:
        if name == current:
            raise RecoveryError(f"The release {name} is live and is not removed. Put another one live first.")
        changed = name in existing
        before, after, do = ("present" if changed else "absent"), "absent", layout.remove_release
    _note_first(place, options, check)
    if changed and not check:
        do(place, name)
    header = place.current if options["state"] == "live" else place.release(name)
    diff = {"before_header": header, "after_header": header, "before": f"{before}\n", "after": f"{after}\n"}
    return {**result, "changed": changed, **({"diff": diff} if changed else {})}


def share(options: dict[str, Any], check: bool) -> Result:
    """Link the shared directories and files into a release."""
    place, name = layout.check_root(options["root"]), layout.check_release(options["release"])
    if name not in layout.existing_releases(place):
        raise RecoveryError(f"Nothing can be linked into the release {name}: {place.release(name)} does not exist.")
    linked = layout.link_shared(place, name, options["directories"], options["files"], check)
    return {"changed": bool(linked), "linked": linked}


def note(options: dict[str, Any], check: bool) -> Result:
    """Append one entry to the journal."""
    place = layout.check_root(options["root"])
    entry = _entry({**(options["details"] or {}), **{key: options[key] for key in _ENTRY_KEYS}})
    if not check:
        journal.append_to_journal(place.journal, entry)
    return {"changed": True, "entry": entry}


def prune(options: dict[str, Any], check: bool) -> Result:
    """Remove the releases that are not needed any more."""
    place = layout.check_root(options["root"])
    if options["keep"] < 1:
        raise RecoveryError(f"keep is {options['keep']}, but at least one release must be kept: the live one.")
    entries, existing = journal.read_journal(place.journal), layout.existing_releases(place)
    current = layout.current_release(place)
    removed = plan.prunable(entries, current, existing, options["keep"])
    if not check:
        for name in removed:
            layout.remove_release(place, name)
    kept = [name for name in existing if name not in removed]
    freed = plan.freed_backups(entries, current, kept, removed)
    result: Result = {"changed": bool(removed), "removed": removed, "kept": kept, "freed_backups": freed}
    if removed:
        lists = {"before": "\n".join(existing) + "\n", "after": "\n".join(kept) + "\n"}
        result["diff"] = {"before_header": place.releases, "after_header": place.releases, **lists}
    return result


def command(options: dict[str, Any], check: bool) -> Result:
    """Run the application's commands in a release."""
    environment = _take_environment(options)
    place = layout.check_root(options["root"])
    directory = _where_to_run(place, options)
    for line in options["commands"]:
        commands.split_command(line)
    _note_first(place, options, check)
    if check or not options["commands"]:
        return {"changed": bool(options["commands"]), "commands": [], "directory": directory}
    if not os.path.isdir(directory):
        raise RecoveryError(f"`{options['commands'][0]}` cannot run: the directory {directory} does not exist.")
    return {
        "changed": True,
        "commands": commands.run_commands(options["commands"], directory, environment),
        "directory": directory,
    }


def restart_workers(options: dict[str, Any], check: bool) -> Result:
    """Tell the application's queue workers to end, and wait until all that ran before are gone and others run."""
    environment = _take_environment(options)
    place = layout.check_root(options["root"])
    pattern = workers.compile_pattern(options["match"])
    started = time.monotonic()
    if check:
        return {"changed": True, "old": [], "new": [], "seconds": 0.0}
    old, new = workers.restart_workers(
        lambda: workers.running_workers(place.root, pattern),
        lambda: commands.run_commands(options["commands"], place.current, environment),
        options["timeout"],
    )
    pids = {"old": sorted(worker.pid for worker in old), "new": sorted(worker.pid for worker in new)}
    return {"changed": True, **pids, "seconds": round(time.monotonic() - started, 3)}


def pm2(options: dict[str, Any], check: bool) -> Result:
    """Start the application's processes under PM2 from the live release, or end them."""
    environment = _take_environment(options)
    place = layout.check_root(options["root"])
    if check:
        return {"changed": True, "processes": []}
    if options["state"] == "absent":
        removed = Pm2(options["pm2"], place.root, environment).remove(options["processes"])
        return {"changed": bool(removed), "processes": []}
    running = Pm2(options["pm2"], place.current, environment).restart(
        place, options["processes"], options["ecosystem"], options["settle"], options["missing_ok"]
    )
    shown = ("name", "pid", "status", "script")
    return {"changed": True, "processes": [{key: getattr(process, key) for key in shown} for process in running]}


def _take_environment(options: dict[str, Any]) -> dict[str, str]:
    # Taken out of the options before anything can fail, as Ansible shows those in the result: the environment holds the
    # application's secrets.
    return {name: str(value) for name, value in (options.pop("environment") or {}).items()}


def _where_to_run(place: layout.Layout, options: dict[str, Any]) -> str:
    if options["in_root"]:
        return place.root
    return place.release(layout.check_release(options["release"])) if options["release"] else place.current


def _entry(content: dict[str, Any]) -> dict[str, Any]:
    missing = [key for key in _ENTRY_KEYS if content.get(key) in (None, "")]
    if missing:
        raise RecoveryError(f"An entry of the journal needs {', '.join(_ENTRY_KEYS)}; {', '.join(missing)} is missing.")
    # A note is a dictionary of anything: a release named 3 comes as a number, and is the release "3".
    named = {key: str(content[key]) for key in _ENTRY_KEYS}
    layout.check_release(named["release"])
    return {"time": journal.now(), **named, **content, **named}


def _note_first(place: layout.Layout, options: dict[str, Any], check: bool) -> None:
    """Write the note that came with the options, if one did, so that what follows is known to have begun."""
    if options["note"]:
        entry = _entry(options["note"])
        if not check:
            journal.append_to_journal(place.journal, entry)


def _refuse_to_restage(place: layout.Layout, name: str, current: str | None) -> None:
    if name == current:
        raise RecoveryError(
            f"The release {name} is live, so it cannot be staged again. Choose another name for this one."
        )
    if plan.statuses(journal.read_journal(place.journal)).get(name) == plan.GOOD and name in layout.existing_releases(
        place
    ):
        raise RecoveryError(
            f"The release {name} was deployed before and can still be gone back to, so it is not overwritten. Choose "
            f"another name for this one, or go back by dbops.recovery.rollback -e deploy_rollback_release={name}."
        )
