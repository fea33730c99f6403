# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the system says of a process.

Private to the collection.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Status:
    """A process's state, one letter ("Z" has ended and was not asked for yet), and when it was started.

    The start, as the system counts, tells it from a later process of the same number.
    """

    state: str
    started: int


def status_of(pid: int) -> Status | None:
    """Return the status of a process; None where there is none, or it may not be seen (proc_pid_stat(5))."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            # The program's name, in parentheses, may hold anything; what follows it is the state, then numbers.
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return None
    return Status(fields[0], int(fields[19]))
