# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An application's queue workers: processes that somebody else starts again when they end.

Private to the collection.
"""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass
from typing import Callable

from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError
from ansible_collections.dbops.recovery.plugins.module_utils._processes import status_of

_PAUSE = 0.2


@dataclass(frozen=True)
class Worker:
    """One process. The moment of its start tells it from a later one of the same number."""

    pid: int
    started: int
    arguments: tuple[str, ...]

    @property
    def description(self) -> str:
        return f"{self.pid} ({' '.join(' '.join(self.arguments).split())})"


def compile_pattern(match: str) -> re.Pattern[str]:
    """Return the compiled regular expression. Raise RecoveryError for one that is none, or that matches everything."""
    try:
        pattern = re.compile(match)
    except re.error as error:
        raise RecoveryError(f"{match!r} is no regular expression for the workers' command line: {error}.") from error
    if pattern.search(""):
        raise RecoveryError(f"{match!r} matches every command line. Give a part of the workers' own.")
    return pattern


def is_worker(arguments: tuple[str, ...], directory: str, root: str, pattern: re.Pattern[str]) -> bool:
    """Say whether a process is a worker of the application below root: of another one's, the command may be the same.

    Given a root of /srv/shop, it is when the pattern is found in its command line and either it runs in that root or an
    argument names a file there.
    """
    if not pattern.search(" ".join(arguments)):
        return False
    return any(f"{path}/".startswith(f"{root}/") for path in (directory, *arguments))


def running_workers(root: str, pattern: re.Pattern[str]) -> set[Worker]:
    """Return the application's workers that run now, as far as this user may see them."""
    roots = {root, os.path.realpath(root)}
    found = set()
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) == os.getpid():
            continue
        process = _look_at(int(name))
        if process and any(is_worker(process.arguments, _directory(process.pid), one, pattern) for one in roots):
            found.add(process)
    return found


def restart_workers(
    find: Callable[[], set[Worker]], tell: Callable[[], object], timeout: float
) -> tuple[set[Worker], set[Worker]]:
    """Tell the workers to end, wait until all that ran before are gone and others run; return both.

    `find` returns those that run now; `tell` sends the signal. Where none ran before there is nothing to wait for.
    Raise RecoveryError when the timeout is over.
    """
    old = find()
    tell()
    end = time.monotonic() + timeout
    while True:
        now = find()
        staying, new = old & now, now - old
        if not staying and (new or not old):
            return old, new
        if time.monotonic() >= end:
            raise RecoveryError(_too_late(staying, timeout))
        time.sleep(_PAUSE)


def _too_late(staying: set[Worker], timeout: float) -> str:
    if not staying:
        return (
            f"The old workers are gone, but no new one ran within {timeout:g} s. Ask what starts them (supervisorctl "
            "status, systemctl status) why it did not."
        )
    those = ", ".join(worker.description for worker in sorted(staying, key=lambda worker: worker.pid))
    return (
        f"After {timeout:g} s these workers still run the old code: {those}. Either a job takes longer (raise the "
        "timeout), or the signal does not reach them: the cache that it goes by must be the same for all releases."
    )


def _look_at(pid: int) -> Worker | None:
    status = status_of(pid)
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as stream:
            arguments = stream.read().rstrip(b"\0").decode("utf-8", errors="replace").split("\0")
    except OSError:
        return None  # Ended meanwhile, or is another user's where that is hidden.
    if status is None or status.state in ("Z", "X") or not arguments[0]:
        return None
    return Worker(pid, status.started, tuple(arguments))


def _directory(pid: int) -> str:
    try:
        return os.readlink(f"/proc/{pid}/cwd")
    except OSError:
        return ""
