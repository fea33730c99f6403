# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a restore ends that failed: it goes back, and says so; or it could not, and says what to do.

Private to the collection.
"""

from __future__ import annotations

from collections.abc import Callable

from ansible_collections.dbops.recovery.plugins.module_utils import _progress, _signals
from ansible_collections.dbops.recovery.plugins.module_utils._actions.clock import Clock
from ansible_collections.dbops.recovery.plugins.module_utils._actions.target import BROKEN, REVERTED, Target
from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError


def undone(
    target: Target, why: str, cause: Exception, result: dict, clock: Clock, back: Callable[[], str], steps: list[str]
) -> RecoveryError:
    """Go back to the state before, and return the error that says how that ended.

    Args:
        target: the database.
        why: what could not be done.
        cause: what went wrong.
        result: what the module returns of it so far.
        clock: since when.
        back: goes back, and returns in words how; raises where it cannot.
        steps: what to do by hand then.
    """
    why = f"{why} {words_of(cause)}"
    # Whoever wants this to end wants the database whole too.
    _signals.ignore()
    _progress.phase("going back to the state before", target.name)
    try:
        how = back()
    except Exception as error:
        return RecoveryError(
            f"BROKEN: {why}\nGoing back failed as well: {words_of(error)}\n{_by_hand(target, steps)}",
            {**result, "outcome": BROKEN, "seconds": clock.seconds},
        )
    return RecoveryError(
        f"{why}\n{target.name} is as it was before: {how}.",
        {**result, "outcome": REVERTED, "seconds": clock.seconds},
    )


def words_of(error: Exception) -> str:
    """Return what went wrong in words; an error that nobody has thought of says what it is."""
    return str(error) if isinstance(error, RecoveryError) else f"Unexpected: {type(error).__name__}: {error}"


def _by_hand(target: Target, steps: list[str]) -> str:
    lines = [
        "What to do now:",
        "  1. Keep the application away from the database (maintenance mode, workers stopped).",
        f"  2. Make sure that the server answers at {target.settings.place}; its error log says why if not.",
        f"  3. {steps[0]}",
    ]
    return "\n".join(lines + [f"  {line}" for line in steps[1:]])
