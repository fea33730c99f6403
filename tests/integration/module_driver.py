# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run one module in this process as Ansible would: real AnsibleModule, with arguments, JSON out.

The order is {"module": ..., "arguments": {...}}, and where it is wanted "missing": [Python packages that this host is
not to have], "settings": {"dotted.module:NAME": value}, "kill_at_rename": which renaming of a file is to be this
process's last moment, "fault": ["dotted.module:function", what happens when it is called for the first time: "raise",
"full" (the disk is), "stop" or "kill" (this process) or the number of a process that is killed then], "phases": a file
that gets a line of JSON for each phase that ends: [what it was, bytes done, bytes expected, whether that was
estimated], "file_size": the most bytes that a file may have, "peak": a file that gets the most memory that this process
ever had, in bytes. As a program it takes the order from standard input.
"""

from __future__ import annotations

import errno
import importlib
import json
import os
import resource
import runpy
import signal
import sys
from multiprocessing.connection import Connection

from ansible.module_utils.testing import patch_module_args

COLLECTION = "ansible_collections.dbops.recovery.plugins"


def kill_at_rename(count: int) -> None:
    real, seen = os.replace, []

    def replace(*arguments) -> None:
        seen.append(arguments)
        if len(seen) == count:
            os.kill(os.getpid(), signal.SIGKILL)
        real(*arguments)

    os.replace = replace


def inject(place: str, fault: str | int) -> None:
    name, function = place.split(":")
    module = importlib.import_module(f"{COLLECTION}.module_utils.{name}")
    error = importlib.import_module(f"{COLLECTION}.module_utils._errors").RecoveryError
    real, seen = getattr(module, function), []

    def faulty(*arguments, **more):
        seen.append(arguments)
        if len(seen) == 1 and fault == "raise":
            raise error("a fault was injected")
        if len(seen) == 1 and fault == "full":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if len(seen) == 1 and fault == "stop":
            os.kill(os.getpid(), signal.SIGTERM)
        elif len(seen) == 1:
            os.kill(os.getpid() if fault == "kill" else fault, signal.SIGKILL)
        return real(*arguments, **more)

    setattr(module, function, faulty)


def record_phases(file: str) -> None:
    work = importlib.import_module(f"{COLLECTION}.module_utils._progress")._Work
    enter, end = work._enter, work.end

    def note(self) -> None:
        with open(file, "a", encoding="utf-8") as lines:
            print(json.dumps([self._phase, self._done, self._expected, self._estimated]), file=lines)

    def noting_enter(self, *arguments) -> None:
        if self._phase:
            note(self)
        enter(self, *arguments)

    def noting_end(self) -> None:
        note(self)
        end(self)

    work._enter, work.end = noting_enter, noting_end


def note_peak(file: str) -> None:
    """Of this process alone; what getrusage() says counts what a parent had as well."""
    with open("/proc/self/status", encoding="ascii") as status, open(file, "w", encoding="ascii") as note:
        (kilobytes,) = [line.split()[1] for line in status if line.startswith("VmHWM:")]
        note.write(str(int(kilobytes) * 1024))


def run_apart(order: dict, environment: dict, output: Connection) -> None:
    """Run the module in a session of its own, with an environment of its own, that writes to the output."""
    os.setsid()
    for stream in (1, 2):
        os.dup2(output.fileno(), stream)
    output.close()
    os.environ.clear()
    os.environ.update(environment)
    run(order)


def run(order: dict) -> None:
    if order.get("file_size"):
        resource.setrlimit(resource.RLIMIT_FSIZE, (order["file_size"], order["file_size"]))
    for package in order.get("missing", ()):
        sys.modules[package] = None
    for place, value in order.get("settings", {}).items():
        module, name = place.split(":")
        loaded = importlib.import_module(f"{COLLECTION}.module_utils.{module}")
        assert hasattr(loaded, name), place
        setattr(loaded, name, value)
    if order.get("kill_at_rename"):
        kill_at_rename(order["kill_at_rename"])
    if order.get("phases"):
        record_phases(order["phases"])
    if order.get("fault"):
        inject(*order["fault"])
    try:
        with patch_module_args(order["arguments"]):
            runpy.run_module(f"{COLLECTION}.modules.{order['module']}", run_name="__main__")
    finally:
        if order.get("peak"):
            note_peak(order["peak"])


if __name__ == "__main__":
    run(json.load(sys.stdin))
