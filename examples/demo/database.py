"""The demo's private MariaDB: own data directory and socket, no network, no system service."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import time
from pathlib import Path

from places import DATABASE, DATABASE_MARK, DATABASE_TEMPLATE, short_link, socket_path, stop

PATIENCE_SECONDS = 60
# Small files: the data directory is copied for each run.
SERVER_OPTIONS = ["--skip-networking", "--innodb-log-file-size=8M", "--innodb-buffer-pool-size=64M"]


def start() -> None:
    """Start the server on a fresh copy of an empty data directory and wait until it answers.

    Raise TimeoutError or CalledProcessError with the place of the server's own log.
    """
    account = server_account()
    if not DATABASE_TEMPLATE.exists():
        make_template(account)
    DATABASE.mkdir(mode=0o755)
    subprocess.run(["cp", "-a", DATABASE_TEMPLATE, DATABASE / "data"], check=True)
    own(DATABASE, account)
    if socket_path().parent != DATABASE:
        link_short_path()
    log = DATABASE / "error.log"
    subprocess.Popen(
        [
            program("mariadbd"),
            "--no-defaults",
            f"--user={account}",
            DATABASE_MARK,
            f"--socket={socket_path()}",
            f"--pid-file={DATABASE}/pid",
            # Not /tmp: a server that starts removes the temporary tables of those that share it.
            f"--tmpdir={DATABASE}",
            f"--log-error={log}",
            *SERVER_OPTIONS,
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not answers():
        if time.monotonic() > deadline:
            raise TimeoutError(f"MariaDB does not answer after {PATIENCE_SECONDS} s; see {log}")
        time.sleep(0.1)


def stop_server() -> None:
    stop(DATABASE_MARK)
    if short_link().is_symlink():
        short_link().unlink()


def server_account() -> str:
    """Return the account that runs the server: this user, or for root an unprivileged one that can reach .demo."""
    if os.getuid() != 0:
        return this_account()
    for name in ("mysql", "nobody"):
        try:
            pwd.getpwnam(name)
        except KeyError:
            continue
        reaches = subprocess.run(["test", "-x", DATABASE.parent], user=name, extra_groups=[], check=False)
        if reaches.returncode == 0:
            return name
    return "root"


def this_account() -> str:
    """Return the account that this runs as. After a plain `su` the environment still names the one before."""
    return pwd.getpwuid(os.getuid()).pw_name


def make_template(account: str) -> None:
    """Make the empty data directory. Only this user of the machine is its administrator, without a password."""
    unfinished = DATABASE_TEMPLATE.with_name(DATABASE_TEMPLATE.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    command = [
        program("mariadb-install-db"),
        "--no-defaults",
        f"--datadir={unfinished}",
        f"--tmpdir={unfinished}",
        "--auth-root-authentication-method=socket",
        f"--auth-root-socket-user={this_account()}",
        "--skip-test-db",
        *SERVER_OPTIONS,
    ]
    if os.getuid() == 0:
        command.append(f"--user={account}")
    made = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if made.returncode != 0:
        raise RuntimeError(f"The empty data directory could not be made: {made.stdout.strip()[-1500:]}")
    unfinished.rename(DATABASE_TEMPLATE)


def own(path: Path, account: str) -> None:
    if os.getuid() == 0:
        shutil.chown(path, account, pwd.getpwnam(account).pw_gid)


def link_short_path() -> None:
    """Make a short way to the socket, whose path may not be longer than 107 bytes."""
    link = short_link()
    print(f"The path of this checkout is too long for a socket; it is reached by {link}.")
    if link.is_symlink() and link.lstat().st_uid == os.getuid():
        link.unlink()
    link.symlink_to(DATABASE)


def program(name: str) -> str:
    """Return the path of a program. Debian keeps servers where an ordinary user's PATH does not look."""
    path = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin"]))
    if path is None:
        raise FileNotFoundError(f"There is no {name} on this machine; scripts/database-programs installs it.")
    return path


def client(name: str, *arguments: str) -> list[str]:
    """Return the command line of a client program that connects as the administrator."""
    return [program(name), "--no-defaults", f"--socket={socket_path()}", f"--user={this_account()}", *arguments]


def answers() -> bool:
    probe = client("mariadb", "--execute=SELECT 1")
    return subprocess.run(probe, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0


def query(sql: str) -> list[str]:
    """Run SQL, given on standard input because it may hold a password; return the lines of the answer."""
    command = client("mariadb", "--batch", "--skip-column-names")
    answer = subprocess.run(command, input=sql, capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        raise RuntimeError(f"MariaDB refused a statement of the demo: {answer.stderr.strip()}")
    return answer.stdout.splitlines()


def dump(database: str, file: Path) -> None:
    """Write all of a database to a file: rows, views, triggers, routines, events; the same bytes for the same state."""
    everything = ["--skip-dump-date", "--hex-blob", "--routines", "--triggers", "--events", database]
    with file.open("wb") as target:
        subprocess.run(client("mariadb-dump", *everything), stdout=target, check=True)
