# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a module as Ansible does, and meanwhile say how far it is.

The module is neither started nor awaited otherwise than without this: what it does, returns and hides stays as it is.
Beside it, every few seconds, a thread reads the note that the module keeps of its progress, with one small command
over a connection of the same kind. What ends before the first of them costs nothing.

Private to the collection.
"""

from __future__ import annotations

import copy
import json
import os
import secrets
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from ansible.plugins.action.normal import ActionModule as NormalAction
from ansible.utils.display import Display

from ansible_collections.dbops.recovery.plugins.module_utils._progress import DIRECTORY, NAME_VARIABLE
from ansible_collections.dbops.recovery.plugins.module_utils._text import one_line
from ansible_collections.dbops.recovery.plugins.module_utils._threads import start_beside
from ansible_collections.dbops.recovery.plugins.module_utils._units import show_duration, show_size

SECONDS_VARIABLE = "dbops_recovery_progress_seconds"
_SECONDS_ON_TERMINAL = 10
_SECONDS_ELSEWHERE = 60
# Ansible imports an action plugin before it forks the process that runs it, which has no terminal any more. Lines go
# where warnings go, so that what is piped elsewhere stays as it was.
_ON_TERMINAL = sys.stderr.isatty()
# For a command that is just being answered when the module ends.
_PATIENCE_SECONDS = 1

display = Display()


class WatchedAction(NormalAction):
    """Runs the module of its own name."""

    def run(self, tmp: str | None = None, task_vars: dict | None = None) -> dict:
        """Return what the module returns."""
        # Who says async polls for himself, and what is said of a task with no_log may be a secret.
        if self._task.async_val or self._task.no_log:
            return super().run(tmp, task_vars)
        name = secrets.token_hex(8)
        seconds = seconds_between(self._templar.template((task_vars or {}).get(SECONDS_VARIABLE)), _ON_TERMINAL)
        with self._named(name), _Watch(self, name, _where(self._task, task_vars or {}), seconds):
            return super().run(tmp, task_vars)

    @contextmanager
    def _named(self, name: str) -> Iterator[None]:
        """Tell the module under which name to keep its note."""
        given = self._task.environment
        self._task.environment = [*(given or []), {NAME_VARIABLE: name}]
        try:
            yield
        finally:
            self._task.environment = given


class _Watch:
    """A thread beside the module that shows how far it is, and ends all when nobody waits for it any more."""

    def __init__(self, action: WatchedAction, name: str, where: str, seconds: float | None):
        self._action = _beside(action)
        self._command = f'cat "{DIRECTORY}$(id -u)/{name}.json"'
        self._where = where
        self._seconds = seconds
        self._over = threading.Event()
        self._parent = os.getppid()

    def __enter__(self) -> None:
        self._thread = start_beside(self._run)

    def __exit__(self, *_exception: object) -> None:
        self._over.set()
        self._thread.join(_PATIENCE_SECONDS)

    def _run(self) -> None:
        shown = time.monotonic()
        while not self._over.wait(min(1, self._seconds or 1)):
            if os.getppid() != self._parent:
                # The playbook was killed, and could not pass that on as it does with other signals.
                signal.pthread_kill(threading.main_thread().ident, signal.SIGTERM)
                return
            if self._seconds and time.monotonic() - shown >= self._seconds:
                shown = time.monotonic()
                self._show()

    def _show(self) -> None:
        try:
            done = self._action._low_level_execute_command(self._command)
            text = line(self._where, json.loads(done["stdout"]))
        except Exception as error:
            # Whatever it is, the work goes on.
            display.debug(f"{self._where}: no progress is known: {error}")
            return
        if not self._over.is_set():
            display.display(text, stderr=True)


def _beside(action: WatchedAction) -> WatchedAction:
    """Return an action that runs commands on the same host while this one waits for its own."""
    other = copy.copy(action)
    # They keep of each command what they need until it has ended.
    other._connection = copy.copy(action._connection)
    other._connection.become = copy.copy(action._connection.become)
    return other


def _where(task: Any, task_vars: dict) -> str:
    host = task_vars.get("inventory_hostname", "")
    return f"{host} -> {task.delegate_to}" if task.delegate_to else host


def seconds_between(given: Any, on_terminal: bool) -> float | None:
    """Return how many seconds are between two lines, None for no line at all.

    Args:
        given: what the user has set: a number, where 0 and everything false mean none; None where nothing is set.
        on_terminal: whether somebody watches.
    """
    if given is None:
        return _SECONDS_ON_TERMINAL if on_terminal else _SECONDS_ELSEWHERE
    try:
        return max(0.0, float(given)) or None
    except (TypeError, ValueError):
        return None


def line(where: str, note: dict) -> str:
    """Return in one line how far some work is, given the host and the note that the module keeps.

    "[db1] db_restore shop: loading, 45 %, 1.2 GiB of 2.7 GiB, 24.1 MiB/s, 1m 3s left"; "about" where it is estimated.
    """
    of = f" {note['database']}" if note["database"] else ""
    about = "about " if note["estimated"] else ""
    done, expected = note["done_bytes"], note["expected_bytes"]
    parts = [note["phase"]]
    if note["percent"] is not None:
        parts += [f"{about}{note['percent']} %", f"{show_size(done)} of {about}{show_size(expected)}"]
    elif done:
        parts += [show_size(done)]
    if done and (expected is None or done < expected):
        parts += [f"{show_size(note['bytes_per_second'])}/s"]
        if note["seconds_left"] is not None:
            parts += [f"{about}{show_duration(timedelta(seconds=note['seconds_left']))} left"]
    else:
        parts += [f"{show_duration(timedelta(seconds=note['seconds']))} so far"]
    # A database may be named by anything, and a terminal obeys some of it.
    return one_line(f"[{where}] {note['action']}{of}: {', '.join(parts)}")
