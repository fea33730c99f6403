# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host with another version of the server: a suite's root file system, a private server and the modules in it.

Nothing of it stays: every process sees the root read-only, in mounts of its own that end with it. What is to last
lies in a folder that has the same path inside and outside.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import ansible
import pymysql

ROOT = Path(__file__).parents[2]
# This machine's, and yet not one of those that MariaDB's client trusts as such.
ADDRESS = "127.0.0.2"
_CLIENT_PACKAGES = ("python3", "python3-pymysql", "zstd")


@dataclass(frozen=True)
class Version:
    """A server's version and the suite that has it."""

    label: str
    flavour: str
    suite: str
    packages: tuple[str, ...]
    may_be_missing: bool = False


VERSIONS = [
    Version(
        # That suite has no zstandard package: zstd is the program there.
        "MariaDB 10.5",
        "mariadb",
        "bullseye",
        ("mariadb-server-core-10.5", "mariadb-client", *_CLIENT_PACKAGES),
        # The suite's life has ended, and mirrors drop it one after another.
        may_be_missing=True,
    ),
    Version(
        "MariaDB 11.8",
        "mariadb",
        "trixie",
        ("mariadb-server-core", "mariadb-client", "python3-zstandard", *_CLIENT_PACKAGES),
    ),
    Version(
        "MySQL 9",
        "mysql",
        "sid",
        ("mysql-server", "mysql-client", "python3-zstandard", "python3-cryptography", *_CLIENT_PACKAGES),
        # The development suite changes every day.
        may_be_missing=True,
    ),
]

# $1 is the root, $2 the folder; the rest is the command.
ENTER = """
mount --bind "$1" "$1"
mount -o remount,bind,ro "$1"
mount --rbind /dev "$1/dev"
mount --rbind /proc "$1/proc"
for each in run tmp var/tmp; do mount -t tmpfs -o mode=1777 tmpfs "$1/$each"; done
mkdir -p "$1$2"
mount --bind "$2" "$1$2"
root=$1 folder=$2
shift 2
exec chroot "$root" \\
    env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME="$folder" LC_ALL=C.UTF-8 PYTHONPATH="$folder/lib" "$@"
"""

# As Ansible runs a module, without a controller.
_RUN_MODULE = """
import importlib, sys
from ansible.module_utils import basic
basic._ANSIBLE_ARGS = sys.stdin.buffer.read()
basic._ANSIBLE_PROFILE = "legacy"
importlib.import_module(f"ansible_collections.dbops.recovery.plugins.modules.{sys.argv[1]}").main()
"""


class Place:
    """One version's host: run(), modules by module(), the server by start(), query(), load(), dump()."""

    def __init__(self, version: Version, root: Path):
        self.version = version
        self.root = root
        # A socket's path has at most 107 bytes.
        self.folder = Path(tempfile.mkdtemp(prefix="dbv", dir="/tmp"))
        self.folder.chmod(0o755)
        self.socket = str(self.folder / "server" / "s")
        self.port = _free_port()
        self.process: subprocess.Popen | None = None
        self._schemas = 0
        _copy_library(self.folder / "lib")

    def command(self, *argv: str) -> list[str]:
        """The command line that runs a program in there; the process that it makes is the program itself."""
        return ["unshare", "--mount", "sh", "-euc", ENTER, "enter", str(self.root), str(self.folder), *argv]

    def run(self, *argv: str, given: bytes | None = None) -> bytes:
        done = subprocess.run(self.command(*argv), input=given, capture_output=True, check=False, timeout=300)
        words = (done.stdout[-1000:] + done.stderr[-3000:]).decode(errors="replace")
        assert done.returncode == 0, f"{argv[0]}: {words}"
        return done.stdout

    def start_module(self, module: str, options: dict) -> subprocess.Popen:
        if module not in ("backup_verify", "backup_info"):
            options = {"login_unix_socket": self.socket, "login_user": "root", "config_file": "/nonexistent", **options}
        given = {key: value for key, value in options.items() if value is not None}
        process = subprocess.Popen(
            self.command("python3", "-c", _RUN_MODULE, module),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        process.stdin.write(json.dumps({"ANSIBLE_MODULE_ARGS": given}).encode())
        process.stdin.close()
        return process

    def module(self, module: str, options: dict, fails: bool = False) -> dict:
        """Run a module to its end and return its result; a failure is one of the test, unless fails says otherwise."""
        return end_module(self.start_module(module, options), fails)

    def start(self) -> None:
        self.run("install", "-d", "-o", "mysql", "-g", "mysql", str(self.folder / "server"))
        data = f"--datadir={self.folder}/server/data"
        options = ["--no-defaults", "--user=mysql", data]
        if self.version.flavour == "mysql":
            self.run("mysqld", *options, "--initialize-insecure")
            options += ["--mysqlx=OFF", "--gtid-mode=ON", "--enforce-gtid-consistency=ON"]
        else:
            anybody = ["--auth-root-authentication-method=normal", "--skip-test-db", "--force"]
            self.run("mariadb-install-db", *options, *anybody)
            # As every server before 11.4 is out of the box, and newer clients refuse by default.
            options.append("--skip-ssl")
        options += [
            f"--socket={self.socket}",
            f"--pid-file={self.folder}/server/pid",
            f"--bind-address={ADDRESS}",
            f"--port={self.port}",
            "--server-id=7",
            f"--log-bin={self.folder}/server/binlog",
            "--event-scheduler=OFF",
            "--innodb-buffer-pool-size=64M",
            "--performance-schema=OFF",
        ]
        log = self.folder / "error.log"
        with log.open("ab") as output:
            self.process = subprocess.Popen(self.command("mysqld", *options), stdout=output, stderr=output)
        deadline = time.monotonic() + 120
        while "ready for connections" not in log.read_text(errors="replace"):
            late = self.process.poll() is not None or time.monotonic() > deadline
            assert not late, f"No server came up:\n{log.read_text(errors='replace')[-3000:]}"
            time.sleep(0.1)

    def remove(self) -> None:
        """End the server and remove the folder."""
        if self.process:
            self.process.terminate()
            self.process.wait(60)
        shutil.rmtree(self.folder)

    def connect(self, **options) -> pymysql.Connection:
        options = {"user": "root", "charset": "utf8mb4", "autocommit": True, **options}
        return pymysql.connect(unix_socket=self.socket, **options)

    def query(self, statement: str, arguments=None, schema: str | None = None) -> list[tuple]:
        with contextlib.closing(self.connect(database=schema)) as connection, connection.cursor() as cursor:
            cursor.execute(statement, arguments)
            return list(cursor.fetchall())

    def execute(self, *statements: str, schema: str | None = None) -> None:
        with contextlib.closing(self.connect(database=schema)) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    @property
    def version_tuple(self) -> tuple[int, ...]:
        ((version,),) = self.query("SELECT VERSION()")
        return tuple(int(part) for part in version.split("-")[0].split("."))

    def make_schema(self, *scripts: str) -> str:
        """Make a schema with a name of its own from scripts, by the client program as somebody would by hand."""
        self._schemas += 1
        schema = f"shop_{self._schemas}"
        self.execute(f"CREATE DATABASE {schema} CHARACTER SET utf8mb4")
        for script in scripts:
            self.run(
                self._program("mariadb", "mysql"),
                *self.as_root(),
                "--comments",
                f"--database={schema}",
                given=script.encode(),
            )
        return schema

    def replay(self, schema: str, path: str) -> None:
        """Run compressed SQL, as the first lines of what a restore keeps of lost writes say it."""
        sql = subprocess.run(["zstd", "-dc", path], check=True, capture_output=True).stdout
        self.run(self._program("mariadb", "mysql"), *self.as_root(), "--binary-mode", schema, given=sql)

    def dump(self, schema: str) -> bytes:
        """The whole schema as text that is the same for the same content: what before and after are compared by."""
        options = ["--single-transaction", "--routines", "--events", "--triggers", "--hex-blob", "--skip-dump-date"]
        if self.version.flavour == "mysql":
            options += ["--set-gtid-purged=OFF", "--no-tablespaces"]
        elif self.version_tuple >= (10, 11):
            options += ["--dump-history"]
        return self.run(self._program("mariadb-dump", "mysqldump"), *self.as_root(), *options, schema)

    def as_root(self) -> list[str]:
        """Return the options by which a client program reaches the server as root."""
        options = ["--no-defaults", "--default-character-set=utf8mb4", f"--socket={self.socket}", "--user=root"]
        return options if self.version.flavour == "mysql" else [*options, "--skip-ssl-verify-server-cert"]

    def _program(self, mariadb: str, mysql: str) -> str:
        return mysql if self.version.flavour == "mysql" else mariadb


def end_module(process: subprocess.Popen, fails: bool = False) -> dict:
    with process:
        text = process.stdout.read().decode(errors="replace")
        status = process.wait(300)
    try:
        result = json.loads(text[text.index("\n{") :])
    except ValueError:
        raise AssertionError(f"The module gave no JSON back:\n{text}") from None
    assert status == (1 if fails else 0), json.dumps(result, indent=1)
    return result


def _free_port() -> int:
    with socket.socket() as found:
        found.bind((ADDRESS, 0))
        return found.getsockname()[1]


def _copy_library(target: Path) -> None:
    """Put there what Ansible would pack with a module: its own module_utils, and the collection."""
    source = Path(ansible.__file__).parent
    (target / "ansible").mkdir(parents=True)
    (target / "ansible" / "__init__.py").touch()
    shutil.copy(source / "release.py", target / "ansible")
    unwanted = shutil.ignore_patterns("__pycache__")
    shutil.copytree(source / "module_utils", target / "ansible" / "module_utils", ignore=unwanted)
    collection = target / "ansible_collections" / "dbops" / "recovery"
    shutil.copytree(ROOT / "plugins", collection / "plugins", ignore=unwanted)
