# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A scratch server: a private one that cannot touch any other, started to prove a backup and removed afterwards.

It cannot be pointed at data that matters: its folder is always a new one of its own, it listens on no network, and
nothing of what it is started with comes from a user but the place where that folder is made.

Private to the collection.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ansible_collections.dbops.recovery.plugins.module_utils._database.connection import (
    Settings,
    connect,
    query,
)
from ansible_collections.dbops.recovery.plugins.module_utils._database.programs import read_blocks
from ansible_collections.dbops.recovery.plugins.module_utils._database.server import MARIADB, MYSQL
from ansible_collections.dbops.recovery.plugins.module_utils._errors import Interrupted, RecoveryError, os_error
from ansible_collections.dbops.recovery.plugins.module_utils._files import free_bytes
from ansible_collections.dbops.recovery.plugins.module_utils._units import show_size

_PREFIX = "dbops-scratch-"
_DEFAULT_DIRECTORY = "/var/tmp"
# What a server needs for itself besides the data.
_OWN_BYTES = 256 * 1024 * 1024
_SYSTEM_PATH = "/usr/sbin:/usr/libexec:/usr/bin:/sbin"
_DAEMONS = {MARIADB: ("mariadbd", "mysqld"), MYSQL: ("mysqld",)}
_INSTALLERS = ("mariadb-install-db", "mysql_install_db")
_PACKAGES = {
    MARIADB: "mariadb-server (Debian, Ubuntu, RHEL)",
    MYSQL: "mysql-server (Debian, Ubuntu, RHEL) or mysql-community-server",
}
_UNPRIVILEGED_USERS = ("mysql", "nobody")
# Files that only a server's data directory has: InnoDB's, Aria's, MySQL's.
_DATA_DIRECTORY_MARKS = ("ibdata1", "aria_log_control", "mysql.ibd", "auto.cnf")
_START_SECONDS = 120
_STOP_SECONDS = 30
_SOCKET_BYTES = 107
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Daemon:
    """A server program: where it is and what it calls itself."""

    path: str
    version: str
    flavour: str


def find_daemon(flavour: str | None) -> Daemon:
    """Return the server program of a flavour, or of any (MariaDB's first) where a dump does not say which.

    Raise RecoveryError that names the package when there is none.
    """
    if flavour is None:
        try:
            return find_daemon(MARIADB)
        except RecoveryError:
            return find_daemon(MYSQL)
    for name in _DAEMONS[flavour]:
        path = _which(name)
        if not path:
            continue
        version = _run([path, "--no-defaults", "--version"], "Asking the server program for its version").strip()
        if ("mariadb" in version.lower()) == (flavour == MARIADB):
            return Daemon(path, version, flavour)
    raise RecoveryError(
        f"To prove a backup by restoring it, a {flavour} server program is needed on the host where this runs, and "
        f"there is none. Install {_PACKAGES[flavour]}; its own service need not run. Where the database is a managed "
        "service, run this on another host that has the file."
    )


def _which(name: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path=_SYSTEM_PATH)


@contextmanager
def scratch_server(
    daemon: Daemon, directory: str | None, lower_case_table_names: int, room: int = 0
) -> Iterator[Settings]:
    """Run a scratch server and yield how to reach it; it and its folder are gone afterwards, however this ends.

    Should this process be killed, the server dies with it, and the next run removes the folder.

    Args:
        daemon: the program.
        directory: where its folder is made; it needs room for the restored data.
        lower_case_table_names: as on the server that the backup is of.
        room: bytes of data that are going to be loaded.
    Raises:
        RecoveryError: there is not enough room, or it does not start; then with the end of its log.
    """
    parent = os.path.abspath(directory or _DEFAULT_DIRECTORY)
    _refuse_data_directory(parent)
    _require_room(parent, room)
    sweep_stale(parent)
    owner = _unprivileged_user()
    try:
        # Under another name until its lock is held, lest another run takes it for a stale one.
        folder = tempfile.mkdtemp(prefix=f".new-{_PREFIX}", dir=parent)
    except OSError as error:
        raise os_error("The folder for a scratch server cannot be made", error) from error
    process = None
    try:
        with open(os.path.join(folder, "lock"), "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            named = os.path.join(parent, os.path.basename(folder)[len(".new-") :])
            os.rename(folder, named)
            folder = named
            settings = _settings(folder)
            identity = _identity(folder, owner)
            _initialise(daemon, folder, lower_case_table_names, identity)
            process = _start(daemon, folder, lower_case_table_names, identity)
            _wait_until_it_answers(process, settings, folder)
            yield settings
    finally:
        _stop(process)
        shutil.rmtree(folder, ignore_errors=True)


def create_definers(connection: Any, definers: Iterable[tuple[str, str | None]]) -> None:
    """Create the accounts (user, host) and roles (name, None) that a dump names as definers, before it is loaded.

    Without them the server refuses to read a view, words its definition otherwise, and takes a role for an account.
    """
    for name, host in definers:
        kind, words, arguments = ("USER", "%s@%s", (name, host)) if host else ("ROLE", "%s", (name,))
        query(connection, f"CREATE {kind} IF NOT EXISTS {words}", arguments)
        query(connection, f"GRANT ALL ON *.* TO {words}", arguments)


def _refuse_data_directory(parent: str) -> None:
    # By its real path: a link may lead into one.
    current = os.path.realpath(parent)
    while True:
        if any(os.path.exists(os.path.join(current, mark)) for mark in _DATA_DIRECTORY_MARKS):
            raise RecoveryError(f"scratch_directory: {parent} lies in a server's data directory. Give another place.")
        if current == os.path.dirname(current):
            return
        current = os.path.dirname(current)


def _require_room(parent: str, room: int) -> None:
    try:
        free = free_bytes(parent)
    except OSError as error:
        raise os_error("scratch_directory cannot be used", error) from error
    needed = _OWN_BYTES + room
    if free < needed:
        raise RecoveryError(
            f"There is not enough room in {parent} for a scratch server and the data: about {show_size(needed)} are "
            f"needed, {show_size(free)} are free. Make room, or give another scratch_directory."
        )


def sweep_stale(parent: str) -> list[str]:
    """Remove the folders of scratch servers whose process was killed. Returns their paths."""
    removed = []
    for entry in os.listdir(parent) if os.path.isdir(parent) else ():
        folder = os.path.join(parent, entry)
        if not entry.startswith(_PREFIX) or os.path.islink(folder):
            continue
        try:
            if os.lstat(folder).st_uid not in _own_users():
                continue
            with open(os.path.join(folder, "lock"), encoding="utf-8") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
                removed.append(folder)
        except (FileNotFoundError, BlockingIOError, PermissionError):
            continue  # in use, somebody else's, or gone by now
    return removed


def _own_users() -> set[int]:
    owner = _unprivileged_user()
    return {os.geteuid(), owner.pw_uid} if owner else {os.geteuid()}


def _unprivileged_user() -> pwd.struct_passwd | None:
    """Return the user that a server started by root runs as, else None: then it runs as the user that we are."""
    if os.geteuid() != 0:
        return None
    for name in _UNPRIVILEGED_USERS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RecoveryError("A scratch server does not run as root, and there is no user mysql or nobody to run it as.")


def _settings(folder: str) -> Settings:
    socket = os.path.join(folder, "s")
    if len(socket.encode()) > _SOCKET_BYTES:
        raise RecoveryError(
            f"scratch_directory: the path of a socket may have {_SOCKET_BYTES} bytes, {socket} is longer. Give a "
            "shorter place."
        )
    return Settings(
        user="root",
        password="",
        host="localhost",
        port=0,
        socket=socket,
        ca_cert=None,
        client_cert=None,
        client_key=None,
        check_hostname=False,
        timeout=10,
    )


def _identity(folder: str, owner: pwd.struct_passwd | None) -> dict:
    """Return what makes a child process the unprivileged user, having given it the folder."""
    if owner is None:
        return {}
    os.chown(folder, owner.pw_uid, owner.pw_gid)
    return {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}


def _options(daemon: Daemon, folder: str, lower_case_table_names: int) -> list[str]:
    options = [
        "--no-defaults",
        f"--datadir={folder}/data",
        f"--tmpdir={folder}",
        f"--lower-case-table-names={lower_case_table_names}",
        "--innodb-buffer-pool-size=128M",
    ]
    if daemon.flavour == MYSQL:
        options.append("--mysqlx=OFF")
    return options


def _initialise(daemon: Daemon, folder: str, lower_case_table_names: int, identity: dict) -> None:
    options = _options(daemon, folder, lower_case_table_names)
    if daemon.flavour == MYSQL:
        argv = [daemon.path, *options, "--initialize-insecure"]
    else:
        installer = next(filter(None, map(_which, _INSTALLERS)), None)
        if not installer:
            raise RecoveryError(f"{_INSTALLERS[0]} is missing beside {daemon.path}; install {_PACKAGES[MARIADB]}.")
        argv = [
            installer,
            *options,
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            # A host's name that does not resolve matters to nobody on a socket.
            "--force",
        ]
    _run(argv, "Preparing a scratch server", cwd=folder, **identity)


def _start(daemon: Daemon, folder: str, lower_case_table_names: int, identity: dict) -> subprocess.Popen:
    argv = [
        daemon.path,
        *_options(daemon, folder, lower_case_table_names),
        f"--socket={folder}/s",
        f"--pid-file={folder}/pid",
        f"--secure-file-priv={folder}",
        "--skip-networking",
        # Not DISABLED: then no event could be restored either.
        "--event-scheduler=OFF",
        "--skip-log-bin",
        "--innodb-flush-log-at-trx-commit=0",
        "--innodb-doublewrite=0",
        "--performance-schema=OFF",
        "--max-allowed-packet=1G",
    ]
    if daemon.flavour == MARIADB:
        # A dump spells out the defaults of every column; an old server must not add its own.
        argv.append("--explicit-defaults-for-timestamp=ON")
    with open(os.path.join(folder, "log"), "ab") as log:
        return subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folder,
            start_new_session=True,
            preexec_fn=_die_with_parent,
            **identity,
        )


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _wait_until_it_answers(process: subprocess.Popen, settings: Settings, folder: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    problem = "its socket is not there"
    while True:
        if os.path.exists(settings.socket):
            try:
                connect(settings).close()
                return
            except Interrupted:
                raise
            except RecoveryError as error:
                problem = str(error)
        if process.poll() is not None:
            raise RecoveryError(f"The scratch server ended at once. Its log ends with:\n{_log_end(folder)}")
        if time.monotonic() > deadline:
            raise RecoveryError(f"The scratch server does not answer: {problem}\n{_log_end(folder)}")
        time.sleep(0.1)


def _log_end(folder: str) -> str:
    with open(os.path.join(folder, "log"), encoding="utf-8", errors="replace") as log:
        return "".join(log.readlines()[-15:]).strip()


def _stop(process: subprocess.Popen | None) -> None:
    if process is None or process.poll() is not None:
        return
    # Its data is thrown away, so it need not be asked to write it down.
    process.kill()
    process.wait(_STOP_SECONDS)


def _run(argv: list[str], doing: str, **how: object) -> str:
    # In a session of its own, so that all of it can be ended: an installer is a script that starts a server.
    with subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        **how,
    ) as process:
        try:
            output = b"".join(read_blocks(process.stdout.fileno())).decode("utf-8", "replace")
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            # Its end comes when the last of them is gone, and writes no more into the folder.
            process.stdout.read()
            raise
    if process.returncode != 0:
        end = "\n".join(output.strip().splitlines()[-10:])
        raise RecoveryError(f"{doing} failed: {os.path.basename(argv[0])} exited with {process.returncode}.\n{end}")
    return output
