# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A person at a terminal, who reads and types."""

from __future__ import annotations

import os
import select
import subprocess
import termios
import time
from typing import Callable, Union

Answers = Union[tuple, Callable[[str], Union[str, None]]]


def at_terminal(program: list, answers: Answers, started: dict) -> subprocess.CompletedProcess:
    """Run a program on a terminal of its own, and type an answer each time it waits for one.

    An answer that is a function is called first, for what happens while the person thinks, and gives the words. So is
    the function that stands for all answers, with what was shown until then; None is what it says to no question.
    """
    ours, its = os.openpty()
    process = subprocess.Popen(["setsid", "--ctty", *program], stdin=its, stdout=its, stderr=its, **started)
    shown, deadline = b"", time.monotonic() + 300
    left = [] if callable(answers) else list(answers)
    try:
        while process.poll() is None or select.select([ours], [], [], 0)[0]:
            assert time.monotonic() < deadline, f"it hangs:\n{shown.decode()}"
            if select.select([ours], [], [], 0.1)[0]:
                shown += os.read(ours, 65536)
            elif waits(its):
                assert left or callable(answers), f"it asks for more:\n{shown.decode()}"
                answer = answers(shown.decode()) if callable(answers) else left.pop(0)
                if answer is None:
                    # It waits, and its question is still on the way.
                    time.sleep(0.01)
                    continue
                # It empties the line of what was typed too early.
                time.sleep(0.2)
                os.write(ours, (answer() if callable(answer) else answer).encode() + b"\r")
                while waits(its) and process.poll() is None:
                    time.sleep(0.01)
    finally:
        process.kill()
        process.wait()
        os.close(its)
        os.close(ours)
    assert not left, f"it did not ask for {left}:\n{shown.decode()}"
    return subprocess.CompletedProcess(program, process.returncode, shown.decode().replace("\r", ""), "")


def waits(terminal: int) -> bool:
    """Whether somebody reads single keys from a terminal, as a question does."""
    return not termios.tcgetattr(terminal)[3] & termios.ICANON
