# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The server's own client programs: found by the server's flavour, probed for what they can, run without a shell.

Private to the collection.
"""

from __future__ import annotations

import os
import re
import select
import shutil
import subprocess
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ansible_collections.dbops.recovery.plugins.module_utils._database.connection import Settings
from ansible_collections.dbops.recovery.plugins.module_utils._database.server import MARIADB, MYSQL, Server
from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError

DUMP = "dump"
LOAD = "load"
LOG = "log"
BLOCK_BYTES = 1024 * 1024
_NAMES = {
    (MARIADB, DUMP): ("mariadb-dump", "mysqldump"),
    (MARIADB, LOAD): ("mariadb", "mysql"),
    # Called mysqlbinlog, MariaDB's does not say whose it is.
    (MARIADB, LOG): ("mariadb-binlog",),
    (MYSQL, DUMP): ("mysqldump",),
    (MYSQL, LOAD): ("mysql",),
    (MYSQL, LOG): ("mysqlbinlog",),
}
_PACKAGES = {MARIADB: "mariadb-client (Debian, Ubuntu) or mariadb (RHEL)", MYSQL: "mysql-client or mysql"}
_KEPT_LINES = 20
_KEPT_CHARACTERS = 400
_RULER = "-" * 14
_GRACE_SECONDS = 5


@dataclass(frozen=True)
class Program:
    """A client program: where it is, what it calls itself, which long options it has."""

    path: str
    version: str
    flavour: str
    options: frozenset[str]


def find_program(purpose: str, server: Server) -> Program:
    """Return the program for a purpose (DUMP, LOAD or LOG) that is of the server's flavour.

    Raise RecoveryError that names the package when there is none, or only the other flavour's.
    """
    others = []
    for name in _NAMES[(server.flavour, purpose)]:
        path = shutil.which(name)
        if not path:
            continue
        version = _output_of(path, "--version")
        flavour = MARIADB if "mariadb" in version.lower() else MYSQL
        if flavour == server.flavour:
            return Program(path, version, flavour, _long_options(_output_of(path, "--help")))
        others.append(f"{path} is {flavour}'s")
    names = _NAMES[(server.flavour, purpose)]
    missing = "neither " + " nor ".join(names) if names[1:] else f"no {names[0]}"
    found = f" ({'; '.join(others)})" if others else ""
    raise RecoveryError(
        f"The server is {server.flavour} {server.version}, and {missing} of that flavour is on this host{found}. "
        f"Install {_PACKAGES[server.flavour]}; the role dbops.recovery.prerequisites does."
    )


def _output_of(path: str, option: str) -> str:
    # Without an option file: one that is broken must not hide what the program is.
    done = subprocess.run([path, "--no-defaults", option], capture_output=True, check=False, timeout=60)
    return done.stdout.decode("utf-8", "replace").strip()


def _long_options(help_text: str) -> frozenset[str]:
    return frozenset(re.findall(r"--([a-z][a-z0-9-]+)", help_text))


def option_file_text(settings: Settings, flavour: str) -> str:
    """Return the option file that hands the settings to a client program of a flavour."""
    lines = ["[client]"]
    for key, value in (
        ("user", settings.user),
        ("password", settings.password),
        ("socket", settings.socket),
        ("host", None if settings.socket else settings.host),
        ("port", None if settings.socket else str(settings.port)),
        # To a client "localhost" means its own idea of the socket.
        ("protocol", None if settings.socket else "tcp"),
        ("ssl-ca", settings.ca_cert),
        ("ssl-cert", settings.client_cert),
        ("ssl-key", settings.client_key),
    ):
        if value is not None:
            lines.append(f"{key}={_quoted(value)}")
    if flavour == MARIADB:
        # Said either way: from 11.4 on the client demands a certificate unless told otherwise, even on a socket.
        lines.append("ssl-verify-server-cert=" + ("1" if settings.check_hostname and not settings.socket else "0"))
    elif settings.ca_cert and not settings.socket:
        lines.append("ssl-mode=" + ("VERIFY_IDENTITY" if settings.check_hostname else "VERIFY_CA"))
    return "\n".join(lines) + "\n"


def _quoted(value: str) -> str:
    """Quote a value for an option file, with the escapes of the MySQL manual, "Using Option Files"."""
    for plain, escaped in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t")):
        value = value.replace(plain, escaped)
    return f'"{value}"'


@contextmanager
def option_file(settings: Settings, flavour: str) -> Iterator[int]:
    """Keep an option file in memory while a program runs; yields its descriptor.

    It has no name and no place on disk, so nothing is left when this process is killed.
    """
    descriptor = os.memfd_create("option_file")
    try:
        # A client ignores an option file that others can write to, and a new one in memory is just that.
        os.fchmod(descriptor, 0o600)
        os.write(descriptor, option_file_text(settings, flavour).encode("utf-8", "surrogateescape"))
        yield descriptor
    finally:
        os.close(descriptor)


def read_blocks(descriptor: int) -> Iterator[bytes]:
    """Yield what a program writes into a pipe, BLOCK_BYTES at most at a time, until it ends.

    A signal that comes just before a read blocks is seen a second later, not when that ends.
    """
    while True:
        if select.select([descriptor], [], [], 1)[0]:
            block = os.read(descriptor, BLOCK_BYTES)
            if not block:
                return
            yield block


class Client:
    """A running client program: never through a shell, its exit status waited for, its last words kept."""

    def __init__(self, program: Program, arguments: list[str], option_file_descriptor: int, **pipes: Any):
        # --defaults-file must come first.
        argv = [program.path, f"--defaults-file=/proc/self/fd/{option_file_descriptor}", *arguments]
        self._name = os.path.basename(program.path)
        # The settings say it all; the likes of MYSQL_PWD and MYSQL_HOST would say something else.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MYSQL_")}
        # MySQL's clients read a file of login paths (~/.mylogin.cnf) behind every option file, and what it says wins.
        environment["MYSQL_TEST_LOGIN_FILE"] = "/nonexistent/login-paths"
        self._process = subprocess.Popen(
            argv,
            env=environment,
            stderr=subprocess.PIPE,
            pass_fds=(option_file_descriptor,),
            start_new_session=True,
            **pipes,
        )
        self.stdin = self._process.stdin
        self.stdout = self._process.stdout
        self._words: deque[str] = deque(maxlen=_KEPT_LINES)
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        echoed = False
        for line in self._process.stderr:
            text = line.decode("utf-8", "replace").strip()
            # MariaDB's client repeats the statement that failed, between two rulers: that is data, not a message.
            if text == _RULER:
                echoed = not echoed
            elif text and not echoed:
                self._words.append(text[:_KEPT_CHARACTERS])

    def require_success(self, doing: str) -> None:
        """Wait for the end. Raise RecoveryError with the program's last words unless it exited with 0."""
        status = self._process.wait()
        self._listener.join(_GRACE_SECONDS)
        if status != 0:
            how = f"was killed by signal {-status}" if status < 0 else f"exited with {status}"
            raise RecoveryError(f"{doing}: {self._name} {how}.\n" + "\n".join(self._words or ["It said nothing."]))

    def stop(self) -> None:
        """End the program where it still runs; whoever writes to it or waits for it notices."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def end(self) -> None:
        """Make sure that it runs no more, and close what leads to it."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe and not pipe.closed:
                try:
                    pipe.close()
                except BrokenPipeError:
                    pass
        self.stop()
        self._listener.join(_GRACE_SECONDS)
        self._process.stderr.close()
