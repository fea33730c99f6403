"""Where the demo keeps its things, and which processes are its own."""

from __future__ import annotations

import hashlib
import os
import signal
import tempfile
import time
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent.parent
DEMO = CHECKOUT / ".demo"

LOCK = DEMO / "lock"
PORT = DEMO / "port"
APPLICATION = DEMO / "application"
BACKUPS = DEMO / "backups"
BACKUP_ACCOUNT = DEMO / "backup.cnf"
SOURCES = DEMO / "sources"
REPORTS = DEMO / "reports"
LOGS = DEMO / "logs"
DUMPS = DEMO / "dumps"
SERVICE = DEMO / "service"
DATABASE = DEMO / "mariadb"
DATABASE_TEMPLATE = DEMO / "mariadb-template"

# The kernel's limit for the path of a unix socket, in bytes.
LONGEST_SOCKET_PATH = 107

# Each process of the demo has one of these, with the full path of this checkout, on its command line or in its
# environment: no other process is ever signalled, and none is missed because a pid file was not written yet.
DATABASE_MARK = f"--datadir={DATABASE}/data"
SERVICE_MARK = f"--pid={SERVICE}/gunicorn.pid"
DEPLOYMENT_MARK = f"DBOPS_DEMO={DEMO}"


def socket_path() -> Path:
    """Return the path of the database's socket: in .demo, or by a short link when that path is too long."""
    path = DATABASE / "socket"
    return path if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH else short_link() / "socket"


def short_link() -> Path:
    """Return the name of the link in the temporary directory that stands for the database's directory."""
    checkout = hashlib.sha256(os.fsencode(CHECKOUT)).hexdigest()[:8]
    return Path(tempfile.gettempdir(), f"dbops-demo-{os.getuid()}-{checkout}")


def processes(mark: str) -> list[int]:
    """Return the ids of the running processes that have mark as an argument or as a variable."""
    return [
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and os.fsencode(mark) in words(entry / "cmdline") + words(entry / "environ")
    ]


def words(file: Path) -> list[bytes]:
    """Return what /proc tells about a process, nothing if it is somebody else's or ended meanwhile."""
    try:
        return file.read_bytes().split(b"\0")
    except OSError:
        return []


def stop(mark: str, patience: float = 30) -> None:
    """End the processes with this mark: politely, and by force after patience seconds."""
    for signal_number, seconds in ((signal.SIGTERM, patience), (signal.SIGKILL, 5)):
        for process in processes(mark):
            try:
                os.kill(process, signal_number)
            except ProcessLookupError:
                pass
        deadline = time.monotonic() + seconds
        while processes(mark):
            if time.monotonic() > deadline:
                break
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(f"These processes do not end: {processes(mark)}")
