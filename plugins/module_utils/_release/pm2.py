# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Processes under PM2, by its own command. PM2 says success before a process has shown that it can run.

Private to the collection.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from typing import Any

from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError
from ansible_collections.dbops.recovery.plugins.module_utils._release.commands import (
    last_lines,
    redact,
    run_program,
    split_command,
)
from ansible_collections.dbops.recovery.plugins.module_utils._release.layout import Layout, current_release

_LOG_TAIL = 4096


@dataclass(frozen=True)
class Process:
    """One process as PM2 lists it. Its environment, with the application's secrets, is left out."""

    name: str
    pid: int
    status: str
    restarts: int
    script: str
    directory: str
    log: str


def parse_list(text: str) -> list[Process]:
    """Given what `pm2 jlist` printed, return the processes. Raise RecoveryError where no list is in it.

    PM2 greets before the list when it has just started itself.
    """
    for line in reversed(text.splitlines()):
        if line.startswith("["):
            try:
                return [_parse_process(entry) for entry in json.loads(line)]
            except (ValueError, KeyError, TypeError):
                break
    raise RecoveryError("`pm2 jlist` did not print a list of processes. Run it as the application's user to see why.")


def faults(names: list[str], first: list[Process], later: list[Process], place: Layout) -> list[str]:
    """Say what is wrong with the processes of these names, given two lists with a while between them."""
    found = []
    restarts = {(process.name, process.pid): process.restarts for process in first}
    live = current_release(place)
    for name in names:
        own = [process for process in later if process.name == name]
        if not own:
            found.append(f"{name} is not there: the ecosystem file does not describe it.")
        for process in own:
            stale = _releases_of(process, place) - {live}
            if process.status != "online":
                found.append(f"{name} is {process.status} after {process.restarts} restarts.")
            elif restarts.get((name, process.pid)) != process.restarts:
                found.append(f"{name} does not stay up: PM2 has started it {process.restarts} times again.")
            elif stale:
                found.append(
                    f"{name} runs {process.script} in {process.directory}, which is the release {stale.pop()} and not "
                    f"{live}: PM2 keeps the paths that it was given first. Name the ecosystem file, so that it is made "
                    "anew."
                )
    return found


class Pm2:
    """PM2 of the user that runs this, asked from a directory."""

    def __init__(self, program: str, directory: str, environment: dict[str, str]) -> None:
        self._argv = split_command(program)
        self._directory = directory
        self._environment = environment

    def processes(self) -> list[Process]:
        return parse_list(self._run("jlist"))

    def restart(
        self, place: Layout, names: list[str], ecosystem: str | None, settle: float, missing_ok: bool
    ) -> list[Process]:
        """Start the processes from the live release and return them, once they have stayed up for a while.

        With an ecosystem file they are made anew; without one they must be there. A name that the file does not
        describe is passed over where that is allowed. Raise RecoveryError for what fails.
        """
        there = {process.name for process in self.processes()}
        if ecosystem:
            self._delete([name for name in names if name in there])
            self._run("start", ecosystem, "--only", ",".join(names))
        else:
            unknown = [name for name in names if name not in there]
            if unknown:
                raise RecoveryError(
                    f"PM2 does not know {', '.join(unknown)}, and there is no ecosystem file to start it from. "
                    f"It knows {', '.join(sorted(there)) or 'nothing'}."
                )
            self._run("restart", *names, "--update-env")
        first = self.processes()
        if ecosystem and missing_ok:
            names = [name for name in names if name in {process.name for process in first}]
        time.sleep(settle)
        later = self.processes()
        wrong = faults(names, first, later, place)
        if wrong:
            raise RecoveryError("\n".join([*wrong, *self._last_words(names, later)]))
        self._run("save")  # What PM2 starts after a reboot.
        return [process for process in later if process.name in names]

    def remove(self, names: list[str]) -> list[str]:
        """End the processes and forget them; return the names of those that were there."""
        there = {process.name for process in self.processes()}
        doomed = [name for name in names if name in there]
        if doomed:
            self._delete(doomed)
            self._run("save", "--force")
        return doomed

    def _delete(self, names: list[str]) -> None:
        if names:
            self._run("delete", *names)

    def _run(self, *arguments: str) -> str:
        status, text = run_program([*self._argv, *arguments], self._directory, self._environment)
        if status != 0:
            said = "\n".join(redact(line, self._environment) for line in last_lines(text))
            raise RecoveryError(f"`pm2 {' '.join(arguments)}` failed with exit status {status}:\n{said}")
        return text

    def _last_words(self, names: list[str], processes: list[Process]) -> list[str]:
        for process in processes:
            if process.name in names and process.log and os.path.exists(process.log):
                with open(process.log, "rb") as stream:
                    stream.seek(max(0, stream.seek(0, os.SEEK_END) - _LOG_TAIL))
                    text = stream.read().decode("utf-8", errors="replace")
                return [f"The end of {process.log}:", *(redact(line, self._environment) for line in last_lines(text))]
        return []


def _parse_process(entry: dict[str, Any]) -> Process:
    about = entry["pm2_env"]
    return Process(
        name=entry["name"],
        pid=entry.get("pid") or 0,
        status=about["status"],
        restarts=about.get("restart_time", 0),
        script=about.get("pm_exec_path") or "",
        directory=about.get("pm_cwd") or "",
        log=about.get("pm_err_log_path") or "",
    )


def _releases_of(process: Process, place: Layout) -> set[str]:
    """Return the releases that the process was told to run, and to run in; none for what lies elsewhere."""
    releases = os.path.realpath(place.releases)
    paths = [os.path.realpath(path) for path in (process.script, process.directory) if path]
    return {os.path.relpath(path, releases).split(os.sep)[0] for path in paths if path.startswith(releases + os.sep)}
