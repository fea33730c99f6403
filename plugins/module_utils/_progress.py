# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How far long work is: a process notes it in a small file that is renewed every second and gone at the end.

The notes of a user are in a directory of their own in memory, so that a full disk does not matter, and a restart of the
host leaves none. Nothing here ever fails the work: what cannot be noted is not.

A process does one piece of work, so what its loops count is kept once for all of it.

Private to the collection.
"""

from __future__ import annotations

import contextlib
import glob
import json
import os
import pwd
import re
import socket
import stat
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence

from ansible_collections.dbops.recovery.plugins.module_utils._files import write_whole
from ansible_collections.dbops.recovery.plugins.module_utils._processes import status_of
from ansible_collections.dbops.recovery.plugins.module_utils._threads import start_beside
from ansible_collections.dbops.recovery.plugins.module_utils._units import show_time, utc_now

# Under what name the notes are kept, in the environment, when somebody waits for them: letters and digits.
NAME_VARIABLE = "DBOPS_RECOVERY_PROGRESS"
# Followed by the number of the user.
DIRECTORY = "/dev/shm/dbops-recovery-"
_SUFFIX = ".json"
_SECONDS_BETWEEN = 1.0
# The rate is that of the last half minute, so that a network that stalls is seen.
_RATE_SAMPLES = 30
_LARGEST_NOTE = 64 * 1024
# Of a note, what is looked at here and by those who show it.
_NEEDED = {"action": str, "database": (str, type(None)), "started": str, "pid": int, "pid_started": int}


class _Work:
    """What this process is at, and the thread that notes it."""

    def __init__(self, action: str):
        self._action = action
        self._path = _path_for(os.environ.get(NAME_VARIABLE, ""))
        self._begun, self._started = time.monotonic(), utc_now()
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self._database: str | None = None
        self._phase = ""
        self._enter("", None, False)

    def enter(self, phase: str, database: str | None, expected: int | None, estimated: bool) -> None:
        with self._lock:
            self._database = database or self._database
            self._enter(phase, expected, estimated)
        if self._thread is None and _make_own(os.path.dirname(self._path)):
            _sweep(os.path.dirname(self._path))
            self._note()
            self._thread = start_beside(self._keep_noting)

    def _enter(self, phase: str, expected: int | None, estimated: bool) -> None:
        self._phase, self._expected, self._estimated = phase, expected, estimated
        self._done = 0
        self._samples = deque([(time.monotonic(), 0)], _RATE_SAMPLES)

    def advance(self, count: int) -> None:
        with self._lock:
            self._done += count

    def end(self) -> None:
        self._over.set()
        # Without the thread nothing was noted, and what has the name is somebody else's.
        if self._thread:
            self._thread.join()
            with contextlib.suppress(OSError):
                os.unlink(self._path)

    def _keep_noting(self) -> None:
        while not self._over.wait(_SECONDS_BETWEEN):
            self._note()

    def _note(self) -> None:
        with self._lock:
            self._samples.append((time.monotonic(), self._done))
            note = {
                "action": self._action,
                "database": self._database,
                "phase": self._phase,
                **figures(self._done, self._expected, self._estimated, rate(self._samples)),
                "seconds": int(time.monotonic() - self._begun),
                "started": show_time(self._started),
                "host": socket.gethostname(),
                "user": _user(),
                "pid": os.getpid(),
                "pid_started": status_of(os.getpid()).started,
            }
        with contextlib.suppress(OSError):
            write_whole(self._path, (json.dumps(note) + "\n").encode(), 0o600)


_work: _Work | None = None


@contextlib.contextmanager
def noted(action: str) -> Iterator[None]:
    """Have the work of an action noted while it lasts, from its first phase on."""
    global _work
    _work = _Work(action)
    try:
        yield
    finally:
        _work, over = None, _work
        over.end()


def phase(words: str, database: str | None = None, expected: int | None = None, estimated: bool = False) -> None:
    """Say what begins now.

    Args:
        words: what it is, such as "uploading".
        database: of which database, where that is another one than before.
        expected: how many bytes there are to do, where that is known.
        estimated: whether that is a guess.
    """
    if _work:
        _work.enter(words, database, expected, estimated)


def advance(count: int) -> None:
    """Count bytes that are done; fewer than none where some have to be done again. Any thread may."""
    if _work:
        _work.advance(count)


def counted(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Pass blocks on, and count each when the next one is wanted."""
    for block in blocks:
        yield block
        advance(len(block))
        # It may be large, and need not be there while the next one is read.
        del block


def figures(done: int, expected: int | None, estimated: bool, bytes_per_second: float) -> dict:
    """Return the bytes done and expected, and what follows from them: percent and seconds left, null where unknown.

    An estimate that turns out too low is raised to what is done, and percent stays below 100.
    """
    percent = seconds_left = None
    done = max(0, done)
    if expected:
        if estimated:
            expected = max(expected, done)
        percent = min(99 if estimated else 100, done * 100 // expected)
        if bytes_per_second >= 1:
            seconds_left = round(max(0, expected - done) / bytes_per_second)
    return {
        "percent": percent,
        "estimated": estimated,
        "done_bytes": done,
        "expected_bytes": expected,
        "bytes_per_second": int(bytes_per_second),
        "seconds_left": seconds_left,
    }


def rate(samples: Sequence[tuple[float, int]]) -> float:
    """Given moments in seconds, each with the bytes done by then, return the bytes per second from first to last."""
    (first, before), (last, after) = samples[0], samples[-1]
    return max(0.0, (after - before) / (last - first)) if last > first else 0.0


def running() -> list[dict]:
    """Return the work that is going on, the oldest first: of this user, for root that of all users."""
    user = "*" if os.geteuid() == 0 else str(os.geteuid())
    notes = [_read(path) for path in glob.glob(f"{DIRECTORY}{user}/*{_SUFFIX}")]
    found = [note for note in notes if note and _is_alive(note)]
    for note in found:
        del note["pid_started"]
    return sorted(found, key=lambda note: (note["started"], note["pid"]))


def _path_for(name: str) -> str:
    name = name if re.fullmatch("[0-9A-Za-z]+", name) else str(os.getpid())
    return os.path.join(f"{DIRECTORY}{os.geteuid()}", name + _SUFFIX)


def _make_own(directory: str) -> bool:
    """Make a directory for notes; return whether it is ours alone. Then nobody can put another in its place."""
    try:
        with contextlib.suppress(FileExistsError):
            os.mkdir(directory, 0o700)
        # Anybody may make directories there, or links that lead to what matters.
        status = os.lstat(directory)
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & 0o077


def _read(path: str) -> dict | None:
    """Return a note; None where it is gone, or is none of ours: root reads what any user may have put there."""
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return None
            note = json.loads(file.read(_LARGEST_NOTE))
    except (OSError, ValueError, RecursionError):
        return None
    is_one = isinstance(note, dict) and note.keys() >= _NEEDED.keys()
    return note if is_one and all(isinstance(note[key], kind) for key, kind in _NEEDED.items()) else None


def _sweep(directory: str) -> None:
    """Remove the notes of processes that were killed. One that is just being written may go too; the next one comes."""
    for path in glob.glob(f"{directory}/*"):
        note = _read(path)
        if note is None or not _is_alive(note):
            with contextlib.suppress(OSError):
                os.unlink(path)


def _is_alive(note: dict) -> bool:
    # The number of a process that is gone is given to another one some day.
    status = status_of(note["pid"])
    return status is not None and status.started == note["pid_started"]


def _user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())
