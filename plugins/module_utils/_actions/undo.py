# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""db_restore with undo: swap a kept previous schema back in; with drop_previous: remove what is kept.

Private to the collection.
"""

from __future__ import annotations

from ansible_collections.dbops.recovery.plugins.module_utils import _signals
from ansible_collections.dbops.recovery.plugins.module_utils._actions.clock import Clock
from ansible_collections.dbops.recovery.plugins.module_utils._actions.leftovers import (
    explain_unfinished,
    put_right,
    steps_after_swap,
)
from ansible_collections.dbops.recovery.plugins.module_utils._actions.outcome import undone
from ansible_collections.dbops.recovery.plugins.module_utils._actions.past_events import less_past_events
from ansible_collections.dbops.recovery.plugins.module_utils._actions.swapping import (
    Incoming,
    commit,
    definitions_within,
    forget,
    go_back,
    put_away,
    scope_of,
    swap_in,
)
from ansible_collections.dbops.recovery.plugins.module_utils._actions.target import (
    RESTORED,
    Target,
    look_at_target,
    require_confirmation,
)
from ansible_collections.dbops.recovery.plugins.module_utils._database import staging
from ansible_collections.dbops.recovery.plugins.module_utils._database.inventory import (
    compare,
    label,
    objects_of,
)
from ansible_collections.dbops.recovery.plugins.module_utils._database.routine_grants import noted_routine_grants
from ansible_collections.dbops.recovery.plugins.module_utils._database.staging import Journal
from ansible_collections.dbops.recovery.plugins.module_utils._database.swap import foreign_keys_from_outside
from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError


def undo_restore(options: dict, check_mode: bool) -> dict:
    """Swap the newest kept previous schema back in; what it replaces is kept as long, so this can be undone too.

    An interrupted restore is taken back instead. Raise RecoveryError.
    """
    clock, name = Clock(), options["database"]
    require_confirmation(options, name, "what an earlier restore has kept")
    target = look_at_target(options, name)
    if not check_mode:
        target.lock()
    journals = staging.journals_of(target.connection, name)
    # What is still there comes back, also when the time is over for which it had to be kept.
    target.warnings += (explain_unfinished if check_mode else put_right)(target, keep_all=True)
    kept = [each for each in journals if each.state == staging.KEPT]
    result = {
        "changed": True,
        "database": name,
        "backup": None,
        "safety_backup": None,
        "removed_objects": [],
        "previous": None,
        "warnings": target.warnings,
    }
    if any(each.interrupted for each in journals):
        # What was to be undone was not done to its end.
        return {**result, **({} if check_mode else {"outcome": RESTORED}), "seconds": clock.seconds}
    if not kept:
        raise RecoveryError(
            f"There is nothing to undo: no restore of {name} has kept a previous schema on {target.settings.place}. "
            "keep_previous keeps one. Nothing was touched. The state before the last restore may be in a safety "
            "backup, in the backup directory."
        )
    wanted = kept[0]
    scope = scope_of(wanted)
    _refuse_outside(target, scope.going(target.present))
    present = scope.within(target, target.present)
    after = set(objects_of(wanted.facts["inventory"]))
    result["removed_objects"] = [label(key) for key in objects_of(present) if key not in after]
    if check_mode:
        return {**result, "seconds": clock.seconds}
    journal = staging.new_journal(name, {"undoing": wanted.id})
    journal.staging = wanted.previous
    try:
        staging.begin(target.connection, journal)
        incoming = _incoming(wanted)
        seconds = swap_in(target, journal, scope, incoming)
        found = scope.within(target, target.inventory())
        difference = compare(incoming.inventory, found)
        difference = less_past_events(target.connection, target.warnings, difference, incoming.bodies)
        if difference:
            raise RecoveryError(f"After swapping back, {name} is not what it was: {difference.describe()}.")
        # It is undone now; to end before the rest is put away would only leave that lying about.
        _signals.ignore()
        commit(target, journal, wanted.facts["until"])
    except Exception as error:
        why = f"The restore of {name} could not be undone."
        steps = steps_after_swap(target)
        raise undone(target, why, error, result, clock, lambda: _swap_back(target, journal), steps) from error
    previous = put_away(target, journal, keep=True)
    # Its tables have left it, so there is nothing in it to keep.
    put_away(target, wanted, keep=False)
    return {
        **result,
        "outcome": RESTORED,
        "previous": previous,
        "swap_seconds": round(seconds, 3),
        "seconds": clock.seconds,
    }


def _incoming(wanted: Journal) -> Incoming:
    facts = wanted.facts
    rights = noted_routine_grants(facts.get("routine_grants")) or ()
    return Incoming(frozenset(facts["going"]), definitions_within(wanted), facts["inventory"], *facts["schema"], rights)


def _refuse_outside(target: Target, going: frozenset[str]) -> None:
    outside = foreign_keys_from_outside(target.connection, target.name, going)
    if outside:
        raise RecoveryError(
            f"Foreign keys from tables that stay would follow the tables out that now go: {'; '.join(outside[:5])}. "
            "Nothing was touched. Drop them, undo, and make them again."
        )


def _swap_back(target: Target, journal: Journal) -> str:
    target.reconnect()
    go_back(target, journal)
    return "the restored tables are in their place again, and what was before them is still kept"


def drop_previous(options: dict, check_mode: bool) -> dict:
    """Drop what earlier restores of a database have kept. Raise RecoveryError."""
    clock, name = Clock(), options["database"]
    target = look_at_target(options, name)
    if check_mode:
        target.warnings += explain_unfinished(target, keep_all=True)
    else:
        target.lock()
        target.warnings += put_right(target, keep_all=True)
    kept = [each for each in staging.journals_of(target.connection, name) if each.state == staging.KEPT]
    for journal in kept if not check_mode else ():
        forget(target, journal)
    return {
        "changed": bool(kept),
        "database": name,
        "dropped": [journal.previous for journal in kept],
        "warnings": target.warnings,
        "seconds": clock.seconds,
    }
