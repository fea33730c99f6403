# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private MariaDB servers for the tests: a datadir and a socket of their own, no TCP port unless asked for."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

import pymysql

# Each CREATE TABLE syncs several files, which is most of its time. A server that is killed loses nothing by going
# without: what it wrote is the kernel's. Not for what is measured.
NO_SYNC = "--debug-no-sync"
OPTIONS = [
    "--skip-networking",
    "--character-set-server=utf8mb4",
    "--collation-server=utf8mb4_general_ci",
    "--innodb-buffer-pool-size=64M",
    "--innodb-log-file-size=32M",
    "--innodb-flush-log-at-trx-commit=2",
    "--max-allowed-packet=64M",
    "--performance-schema=OFF",
    "--event-scheduler=OFF",
    "--skip-log-bin",
]


def server_account() -> pwd.struct_passwd:
    """The server refuses to run as root, so root runs it as another: the full package's own user, where it is there."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    try:
        return pwd.getpwnam("mysql")
    except KeyError:
        return pwd.getpwnam("nobody")


def initialise(datadir: Path) -> None:
    """Make a fresh datadir whose root account has no password."""
    account = server_account()
    subprocess.run(
        [
            "mariadb-install-db",
            "--no-defaults",
            f"--user={account.pw_name}",
            f"--datadir={datadir}",
            f"--tmpdir={datadir}",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            "--innodb-log-file-size=32M",
            NO_SYNC,
        ],
        check=True,
        capture_output=True,
        timeout=180,
    )


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class PrivateServer:
    """One server: start() and stop() it, kill() it, look at it as root."""

    def __init__(self, place: Path, template: Path, *options: str):
        self.place = place
        self.datadir = place / "data"
        self.socket = str(place / "s")
        self.options = options
        self.process: subprocess.Popen | None = None
        subprocess.run(["cp", "-a", str(template), str(self.datadir)], check=True)

    def start(self) -> PrivateServer:
        account = server_account()
        with open(self.place / "error.log", "ab") as log:
            told = log.tell()
            self.process = subprocess.Popen(
                [
                    shutil.which("mariadbd") or "/usr/sbin/mariadbd",
                    "--no-defaults",
                    f"--user={account.pw_name}",
                    f"--datadir={self.datadir}",
                    # A server that starts removes the temporary tables of those that share its folder for them.
                    f"--tmpdir={self.place}",
                    f"--socket={self.socket}",
                    f"--pid-file={self.datadir}/pid",
                    *OPTIONS,
                    *self.options,
                ],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + 60
        while "ready for connections" not in self.error_log()[told:]:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"No server came up:\n{self.error_log()[-3000:]}")
            time.sleep(0.05)
        return self

    def error_log(self) -> str:
        return (self.place / "error.log").read_text(errors="replace")

    def kill(self) -> None:
        """As the kernel does when memory is short."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        if self.process:
            self.process.send_signal(number)
            self.process.wait(60)
            self.process = None

    def connect(self, schema: str | None = None, **options) -> pymysql.Connection:
        return pymysql.connect(
            unix_socket=self.socket, user="root", database=schema, charset="utf8mb4", autocommit=True, **options
        )

    def query(self, statement: str, arguments=None, schema: str | None = None) -> list[tuple]:
        with contextlib.closing(self.connect(schema)) as connection, connection.cursor() as cursor:
            cursor.execute(statement, arguments)
            return list(cursor.fetchall())

    def execute(self, *statements: str, schema: str | None = None) -> None:
        with contextlib.closing(self.connect(schema)) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def load(self, schema: str, script: bytes | str, *options: str) -> None:
        """Feed a script to the client, as somebody would by hand."""
        done = subprocess.run(
            [
                "mariadb",
                "--no-defaults",
                "--default-character-set=utf8mb4",
                "-S",
                self.socket,
                "-uroot",
                *options,
                f"--database={schema}",
            ],
            input=script.encode() if isinstance(script, str) else script,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()

    def dump(self, schema: str, *options: str, also: Iterable[str] = ()) -> bytes:
        """The whole schema as text that is the same for the same content: what before and after are compared by."""
        done = subprocess.run(
            [
                "mariadb-dump",
                "--no-defaults",
                "-S",
                self.socket,
                "-uroot",
                "--single-transaction",
                "--routines",
                "--events",
                "--triggers",
                "--hex-blob",
                "--default-character-set=utf8mb4",
                "--skip-dump-date",
                *options,
                "--",
                schema,
                *also,
            ],
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout
