# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What earlier restores have left beside a database: interrupted ones are taken back, kept ones removed in time.

Private to the collection.
"""

from __future__ import annotations

from ansible_collections.dbops.recovery.plugins.module_utils._actions.swapping import go_back
from ansible_collections.dbops.recovery.plugins.module_utils._actions.target import BROKEN, Target
from ansible_collections.dbops.recovery.plugins.module_utils._database import staging
from ansible_collections.dbops.recovery.plugins.module_utils._database.staging import Journal
from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError
from ansible_collections.dbops.recovery.plugins.module_utils._units import parse_time, utc_now


def explain_unfinished(target: Target, keep_all: bool = False) -> list[str]:
    """Return in words what put_right() would do."""
    return [_what(journal) for journal in _over(target, keep_all)]


def put_right(target: Target, keep_all: bool = False) -> list[str]:
    """Take back what an interrupted restore has left, and remove what is not kept any more; say what was done.

    Only for the holder of the database's lock. With keep_all, what was kept stays although its time is over. Raise
    RecoveryError when it cannot be put right.
    """
    said = []
    for journal in _over(target, keep_all):
        said.append(_what(journal))
        try:
            go_back(target, journal)
        except RecoveryError as error:
            raise RecoveryError(
                f"BROKEN: {journal.describe()} was interrupted, and {target.name} could not be taken back to what it "
                f"was before: {error}\nWhat it held then is in {journal.previous}. Remove what is in the way, then run "
                "this again; nothing of it is lost.",
                {"outcome": BROKEN, "database": target.name},
            ) from error
    staging.remove_unborn(target.connection, target.name)
    if said:
        target.look_again()
    return said


def _over(target: Target, keep_all: bool) -> list[Journal]:
    return [
        journal
        for journal in staging.journals_of(target.connection, target.name)
        if journal.state != staging.KEPT or (not keep_all and parse_time(journal.facts["until"]) < utc_now())
    ]


def _what(journal: Journal) -> str:
    if journal.state == staging.KEPT:
        return f"{journal.previous}, kept until {journal.facts['until']} by {journal.describe()}, is removed."
    if journal.state == staging.DONE:
        return f"{journal.previous}, which {journal.describe()} could not remove, is removed."
    if journal.state == staging.LOADING:
        return (
            f"{journal.describe()} was interrupted before it had touched {journal.database}; what it was building in "
            f"{journal.staging} is removed."
        )
    return (
        f"{journal.describe()} was interrupted in the middle; {journal.database} is taken back to what it was before."
    )


def steps_after_swap(target: Target) -> list[str]:
    """Return what to do by hand where the server could not be reached for the way back."""
    return [
        "All that was there before is still on the server, and what to do with it stands beside it. When it answers:",
        f"   ansible HOST -m dbops.recovery.db_restore -a 'undo=true database={target.name}'",
    ]
