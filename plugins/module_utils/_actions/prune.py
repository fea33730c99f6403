# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""backup_prune: carry out retention in a store or a backup directory, and never more than the plan that was shown.

Private to the collection.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta, timezone, tzinfo

from ansible_collections.dbops.recovery.plugins.module_utils import _retention as retention
from ansible_collections.dbops.recovery.plugins.module_utils._actions.memory import Memories
from ansible_collections.dbops.recovery.plugins.module_utils._actions.places import (
    Contents,
    Pair,
    at_once,
    look_at,
    manifest_of,
    verified_level,
)
from ansible_collections.dbops.recovery.plugins.module_utils._archive import catalog, manifest
from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError
from ansible_collections.dbops.recovery.plugins.module_utils._storage.directory import DirectoryStore
from ansible_collections.dbops.recovery.plugins.module_utils._storage.store import Store, Stored
from ansible_collections.dbops.recovery.plugins.module_utils._storage.stores import open_store
from ansible_collections.dbops.recovery.plugins.module_utils._units import (
    parse_duration,
    parse_moment,
    parse_size,
    show_time,
    utc_now,
)

try:
    from zoneinfo import ZoneInfo
except ImportError:
    ZoneInfo = None

# Half a pair is left alone this long: it may be in the making.
HALF_SECONDS = 86400


def prune_backups(options: dict, check_mode: bool) -> dict:
    """Prune as backup_prune's options say; return its result. Raise RecoveryError when it must not be done."""
    policy, guard = policy_of(options), _guard(options)
    now = parse_moment(options["as_of"], "as_of") if options["as_of"] else utc_now()
    directory = os.path.abspath(options["directory"]) if options["directory"] else None
    store = DirectoryStore(directory, name=directory) if directory else open_store(options)
    contents = look_at(store, options["database"])
    present = [item_of(pair, contents.writes.get(pair.name, ())) for pair in contents.pairs]
    memories = Memories(options["state_directory"], _place(store, options), options["database"])
    lost = retention.losses(memories.recall(), present, policy, now)
    facts = _Facts(store, contents, present)
    decisions = facts.plan(policy, now)
    halves = [
        file.name for file in contents.lone_manifests if file.modified < utc_now() - timedelta(seconds=HALF_SECONDS)
    ]
    objection = retention.objection(decisions, guard, now, lost)
    if not objection and not check_mode:
        # First, so that a run that is killed while it deletes has nothing to explain to the next one.
        going = {decision.item.name for decision in decisions if not decision.keep}
        memories.remember(now, [item for item in present if item.name not in going])
        decisions = _carry_out(store, directory, decisions, halves, facts)
    result = _as_result(store.url, decisions, halves, facts.unusable, contents.lone_archives, lost)
    if objection:
        raise RecoveryError(f"Nothing was deleted from {store.url}: {objection}.", {**result, "changed": False})
    if lost:
        result["warnings"].append(f"In {store.url} {retention.describe_losses(lost)}.")
    return result


def policy_of(options: dict) -> retention.Policy:
    """Given the options that say what is kept, return the policy. Raise RecoveryError where they make no sense."""
    within, size = options["keep_within"], options["max_total_size"]
    policy = retention.Policy(
        zone=_zone(options["timezone"]),
        daily_days=options["keep_daily_days"],
        weekly=options["keep_weekly"],
        monthly=options["keep_monthly"],
        last=options["keep_last"],
        within=parse_duration(within, "keep_within") if within else None,
        min_age=parse_duration(options["min_age"], "min_age"),
        max_total_size=parse_size(size, "max_total_size") if size else None,
        weekday=retention.WEEKDAYS.index(options["weekly_on"]) + 1,
        day=options["monthly_on"],
    )
    numbers = {"keep_daily_days", "keep_weekly", "keep_monthly", "keep_last"}
    for option in sorted(numbers):
        if options[option] < 0:
            raise RecoveryError(f"{option} must not be negative. It is {options[option]}.")
    if not any(options[option] for option in numbers) and not policy.within:
        raise RecoveryError(
            "Every rule is off (keep_daily_days, keep_weekly, keep_monthly, keep_last, keep_within), so that only "
            "protected backups would stay. Turn at least one on."
        )
    if not 1 <= policy.day <= 31:
        raise RecoveryError(f"monthly_on must be a day of the month, 1 to 31. It is {policy.day}.")
    return policy


def _guard(options: dict) -> retention.Guard:
    if not 0 <= options["max_delete_fraction"] <= 1:
        raise RecoveryError(f"max_delete_fraction must be from 0 to 1. It is {options['max_delete_fraction']}.")
    return retention.Guard(options["max_delete_fraction"], parse_duration(options["max_newest_age"], "max_newest_age"))


def _place(store: Store, options: dict) -> str:
    """Return what tells a place from every other one: services have buckets of the same name."""
    endpoint = options["endpoint_url"] if options["store"] else None
    return f"{store.url} at {endpoint}" if endpoint else store.url


def item_of(pair: Pair, writes: Iterable[Stored] = ()) -> retention.Item:
    """Return what the names and the listing say of a backup, and of the files that go with it."""
    size = pair.archive.size + pair.manifest.size + sum(file.size for file in writes)
    return retention.Item(pair.name, pair.parsed.database, pair.parsed.started, pair.parsed.number, size)


def described(item: retention.Item, content: dict) -> retention.Item:
    """Return an item with what the backup's manifest adds."""
    return replace(
        item,
        pinned=bool(content["backup"].get("pinned", False)),
        verified=verified_level(content),
        failed=manifest.failed_last(content),
        is_safety=manifest.is_safety(content),
    )


def _zone(name: str) -> tzinfo:
    if name == "UTC":
        return timezone.utc
    try:
        return ZoneInfo(name)
    except (TypeError, KeyError, ValueError, OSError) as error:
        raise RecoveryError(
            f"timezone: {name!r} is not known on this host. Write it as Europe/Berlin; the package tzdata has them all."
        ) from error


class _Facts:
    """What is known of the backups: first what their names say, then, where something depends on it, the rest."""

    def __init__(self, store: Store, contents: Contents, items: list[retention.Item]):
        # By the backup's name: why it is never deleted, and never stands for another.
        self.unusable: dict[str, str] = {}
        # By the backup's name: what the database is called, other than in the names of files.
        self.databases: dict[str, str] = {}
        self._store = store
        self._pairs = {pair.name: pair for pair in contents.pairs}
        self._writes = contents.writes
        self._read: set[str] = set()
        self._seen: set[str] = set()
        self._items = {item.name: item for item in items}

    def plan(self, policy: retention.Policy, now: datetime) -> list[retention.Decision]:
        """Plan, and read what the plan depends on, until nothing is open any more.

        Of a database that loses a backup every manifest counts: another one may be the last that is verified, or may be
        known to be bad, and stands for nothing then.
        """
        while True:
            decisions = retention.plan(self._items.values(), policy, now)
            going = {decision.item.name for decision in decisions if not decision.keep}
            affected = {decision.item.database for decision in decisions if not decision.keep}
            unread = [name for name, item in self._items.items() if item.database in affected - self._read]
            self._note(zip(unread, at_once(self._read_manifest, unread)))
            unseen = sorted((going - self._seen) & self._items.keys())
            self._items.update(zip(unseen, at_once(self._look_for_a_lock, unseen)))
            self._read |= affected
            self._seen |= going
            if not unread and not unseen:
                return decisions

    def _note(self, read: Iterable[tuple[str, retention.Item | None]]) -> None:
        for name, item in read:
            if item:
                self._items[name] = item
            else:
                del self._items[name]

    def _read_manifest(self, name: str) -> retention.Item | None:
        """Return what a backup's manifest adds; None where that is of no use, or the archive is not whole."""
        pair = self._pairs[name]
        try:
            content = manifest_of(self._store, pair)
        except manifest.UnusableManifest as error:
            self.unusable[name] = str(error)
            return None
        problem = manifest.size_problem(content, pair.archive.size)
        if problem:
            self.unusable[name] = f"The backup {name} in {self._store.url} is damaged: {problem}."
            return None
        self.databases[name] = content["backup"]["database"]
        return described(self._items[name], content)

    def _look_for_a_lock(self, name: str) -> retention.Item:
        stored = self._store.look(self._pairs[name].archive.name)
        return replace(self._items[name], locked=stored.locked if stored else None)

    def files_of(self, decision: retention.Decision) -> tuple[str, str]:
        """Return the names of the archive and of the manifest."""
        pair = self._pairs[decision.item.name]
        return pair.archive.name, pair.manifest.name

    def writes_after(self, names: Iterable[str]) -> list[str]:
        """Return the names of the files that hold what was written after some backups."""
        return [file.name for name in names for file in self._writes.get(name, ())]


def _carry_out(
    store: Store,
    directory: str | None,
    decisions: list[retention.Decision],
    halves: list[str],
    facts: _Facts,
) -> list[retention.Decision]:
    """Delete what the plan says; return the plan as it was carried out: what turned out to be locked is kept."""
    going = [decision for decision in decisions if not decision.keep]
    with contextlib.ExitStack() as locks:
        for database in sorted({facts.databases[decision.item.name] for decision in going}) if directory else ():
            locks.enter_context(catalog.locked(directory, database))
        # The archive goes first: where it is locked, its manifest has to stay.
        archives = {facts.files_of(decision)[0]: decision for decision in going}
        locked = store.delete(list(archives)) if archives else {}
        gone = [decision for archive, decision in archives.items() if archive not in locked]
        manifests = [facts.files_of(decision)[1] for decision in gone] + halves
        if manifests:
            # The manifest goes last: as long as it is there, the next run finds what this one has left.
            without_backup = [name[: -len(manifest.SUFFIX)] for name in manifests]
            store.delete([*facts.writes_after(without_backup), *manifests])
    after = []
    for decision in decisions:
        lock = locked.get(facts.files_of(decision)[0])
        after.append(retention.Decision(decision.item, True, (f"locked {lock}",), True) if lock else decision)
    return after


def _as_result(
    place: str,
    decisions: list[retention.Decision],
    halves: list[str],
    unusable: dict[str, str],
    lone_archives: list[Stored],
    lost: list[retention.Loss],
) -> dict:
    going = [decision.item.name for decision in decisions if not decision.keep]
    kept = [decision.item.name for decision in decisions if decision.keep] + list(unusable)
    return {
        "changed": bool(going or halves),
        "place": place,
        "plan": [_as_line(decision) for decision in decisions],
        "deleted": going,
        "removed_halves": halves,
        **retention.summary(decisions),
        "lone_archives": [file.name for file in lone_archives],
        "missing": [name for loss in lost for name in loss.gone],
        "warnings": [f"{problem} It was left alone." for problem in unusable.values()],
        "diff": {
            "before_header": place,
            "after_header": place,
            "before": "".join(f"{name}\n" for name in sorted(kept + going)),
            "after": "".join(f"{name}\n" for name in sorted(kept)),
        },
    }


def _as_line(decision: retention.Decision) -> dict:
    item = decision.item
    return {
        "name": item.name,
        "database": item.database,
        "started": show_time(item.started),
        "size_bytes": item.size,
        "action": "keep" if decision.keep else "delete",
        "protected": decision.protected,
        "reasons": list(decision.reasons),
    }
