# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the application's own commands, and keep the last words of the one that fails.

Private to the collection.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import tempfile
import time
from typing import Any

from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError, os_error

LAST_LINES = 10
_TAIL_BYTES = 64 * 1024
_SECRET_NAME = re.compile(r"PASS|PWD|SECRET|TOKEN|KEY|AUTH(?!OR)|CREDENTIAL|DSN|_URL$", re.IGNORECASE)
_SHORTEST_SECRET = 6


def split_command(command: str) -> list[str]:
    """Given a command as a person writes it, return its words. Raise RecoveryError when a quote is left open."""
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise RecoveryError(f"The command {command!r} cannot be split into words: {error}.") from error
    if not words:
        raise RecoveryError("An empty command was given.")
    return words


def run_commands(commands: list[str], directory: str, environment: dict[str, str]) -> list[dict[str, Any]]:
    """Run the commands in order, in the directory, without a shell; return {command, seconds, last_lines} for each.

    Raise RecoveryError at the first that fails: its message holds the command, its exit status and its last lines,
    which are not said a second time in the values.
    """
    argvs = [split_command(command) for command in commands]
    done: list[dict[str, Any]] = []
    for command, argv in zip(commands, argvs):
        started = time.monotonic()
        status, text = run_program(argv, directory, environment, at_most=_TAIL_BYTES)
        lines = [redact(line, environment) for line in last_lines(text)]
        seconds = round(time.monotonic() - started, 3)
        done.append({"command": command, "seconds": seconds, "last_lines": [] if status else lines})
        if status != 0:
            how = f"was ended by signal {-status}" if status < 0 else f"failed with exit status {status}"
            said = "\n".join(lines) if lines else "It printed nothing."
            raise RecoveryError(f"`{command}` {how} in {directory}:\n{said}", {"commands": done, "status": status})
    return done


def redact(text: str, environment: dict[str, str]) -> str:
    """Return the text without the values of variables whose names sound secret."""
    secrets = [value for name, value in environment.items() if _SECRET_NAME.search(name)]
    # The longest first: a secret that is part of another must not leave the rest of that one behind.
    for value in sorted(secrets, key=len, reverse=True):
        if len(value) >= _SHORTEST_SECRET:
            text = text.replace(value, "********")
    return text


def last_lines(text: str) -> list[str]:
    """Return the last lines of a text that hold anything."""
    return [line.rstrip() for line in text.splitlines() if line.strip()][-LAST_LINES:]


def run_program(
    argv: list[str], directory: str, environment: dict[str, str], at_most: int | None = None
) -> tuple[int, str]:
    """Run one program; return its exit status and what it printed on both its outputs, or the last bytes of that.

    Raise RecoveryError when it cannot be started.
    """
    # Into a file, not a pipe: a restart command may leave a daemon behind that holds the pipe open for ever.
    with tempfile.TemporaryFile() as output:
        try:
            process = subprocess.run(
                argv,
                cwd=directory,
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
            )
        except OSError as error:
            raise os_error(f"Starting `{shlex.join(argv)}` in {directory}", error) from error
        length = output.seek(0, os.SEEK_END)
        output.seek(0 if at_most is None else max(0, length - at_most))
        return process.returncode, output.read().decode("utf-8", errors="replace")
