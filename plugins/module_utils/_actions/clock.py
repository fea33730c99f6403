# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an action took, as modules return it: in all, and phase by phase.

Private to the collection.
"""

from __future__ import annotations

import time


def as_phase(name: str, seconds: float, count: int | None = None) -> dict:
    """Return a phase as modules return it; count: the bytes that it read, None where that has no meaning."""
    return {"name": name, "seconds": round(seconds, 3), "bytes": count}


class Clock:
    """Counts the seconds since it was made, and what they went to.

    Attributes:
        phases: {"name", "seconds", "bytes"} of each phase that has ended, in order.
    """

    def __init__(self) -> None:
        self._begun = self._ended = time.monotonic()
        self.phases: list[dict] = []

    def end_of(self, phase: str, count: int | None = None) -> None:
        """Note that a phase has ended, which began where the one before it ended; count: the bytes that it read."""
        now = time.monotonic()
        self.phases.append(as_phase(phase, now - self._ended, count))
        self._ended = now

    def tell_apart(self, phase: str, seconds: float) -> None:
        """Note of the last phase's seconds those that went to another one, which is told behind it."""
        before = self.phases[-1]
        before["seconds"] = round(before["seconds"] - seconds, 3)
        self.phases.append(as_phase(phase, seconds))

    @property
    def seconds(self) -> float:
        """To the millisecond."""
        return round(time.monotonic() - self._begun, 3)
