# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real private servers, and the modules run the way Ansible runs them."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import multiprocessing
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Callable

import module_driver
import pytest
from ansible.module_utils.common.parameters import PASS_VARS
from ceph import Ceph
from object_store import ObjectStore, SeaweedFS
from private_server import NO_SYNC, PrivateServer, initialise, server_account

from ansible_collections.dbops.recovery.plugins.module_utils._actions import proof
from ansible_collections.dbops.recovery.plugins.module_utils._actions.backup import backup_database
from ansible_collections.dbops.recovery.plugins.module_utils._actions.verify import verify_backup
from ansible_collections.dbops.recovery.plugins.module_utils._database import scratch
from ansible_collections.dbops.recovery.plugins.module_utils._database.connection import connect, identifier, query
from ansible_collections.dbops.recovery.plugins.module_utils._database.server import SYSTEM_SCHEMAS
from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError

# Modules run in processes that are forked from one that has imported what takes each of them half a second.
FORKING = multiprocessing.get_context("forkserver")
FORKING.set_forkserver_preload(["ansible.module_utils.testing", "boto3", "pymysql", "zstandard"])
# Everything that option files, shells and drivers trip over.
NASTY_PASSWORD = "p#a\"s's\\w o%rdü"
NAMES = itertools.count(1)


def pytest_configure(config: pytest.Config) -> None:
    # Its fixtures are for all tests of deployments.
    config.pluginmanager.import_plugin("fleet")
    # Told to stop, as after a time limit, it still stops the servers on its way out.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    for program in ("mariadb-install-db", "mariadb", "mariadb-dump", "zstd"):
        if not shutil.which(program):
            raise pytest.UsageError(f"{program} is not installed: `make integration` installs what these tests need.")


@pytest.fixture(scope="session")
def short_folder() -> Iterator[Path]:
    """A folder with a short path (a socket's has at most 107 bytes) that the server's user can enter."""
    folder = Path(tempfile.mkdtemp(prefix="dbr", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session", autouse=True)
def state_of_its_own(short_folder: Path) -> Iterator[None]:
    """What the modules remember from run to run is not kept among this machine's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(short_folder / "state"))
        yield


@pytest.fixture(scope="session")
def start_server(short_folder: Path) -> Iterator[Callable[..., PrivateServer]]:
    """Start a further server with options of its own; it ends with the session at the latest."""
    template = short_folder / "template"
    initialise(template)
    servers: list[PrivateServer] = []

    def start(*options: str) -> PrivateServer:
        place = short_folder / f"{len(servers)}"
        place.mkdir()
        account = server_account()
        os.chown(place, account.pw_uid, account.pw_gid)
        servers.append(PrivateServer(place, template, NO_SYNC, *options))
        return servers[-1].start()

    yield start
    for server in servers:
        server.stop()


@pytest.fixture(scope="session")
def server(start_server: Callable[..., PrivateServer]) -> PrivateServer:
    return start_server()


@pytest.fixture
def make_schema(server: PrivateServer) -> Iterator[Callable[..., str]]:
    """Make a schema with a name of its own (or the given one) from a script; it is dropped after the test."""
    made: list[tuple[PrivateServer, str]] = []

    def make(script: str | bytes = "", name: str | None = None, on: PrivateServer = server) -> str:
        name = name or f"shop_{next(NAMES)}"
        quoted = name.replace("`", "``")
        on.execute(f"CREATE DATABASE `{quoted}`")
        made.append((on, quoted))
        if script:
            on.load(name, script)
        return name

    yield make
    for on, name in made:
        if on.process:
            on.execute(f"DROP DATABASE IF EXISTS `{name}`")


SMALL_SHOP = """
CREATE TABLE customer (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(80) NOT NULL);
CREATE TABLE orders (id INT PRIMARY KEY AUTO_INCREMENT, customer_id INT NOT NULL, total DECIMAL(10,2),
  FOREIGN KEY (customer_id) REFERENCES customer (id));
CREATE VIEW big_orders AS SELECT * FROM orders WHERE total > 100;
INSERT INTO customer (name) VALUES ('Ada'), ('Grace'), ('Radia 🦄');
INSERT INTO orders (customer_id, total) VALUES (1, 10.00), (2, 250.50), (3, 99.99);
DELIMITER ;;
CREATE TRIGGER orders_check BEFORE INSERT ON orders FOR EACH ROW BEGIN
  IF NEW.total < 0 THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'negative'; END IF;
END;;
CREATE PROCEDURE count_orders(OUT n INT) BEGIN SELECT COUNT(*) INTO n FROM orders; END;;
DELIMITER ;
"""


@pytest.fixture(scope="session")
def shop_script() -> str:
    """The script of the small schema, for a server of one's own."""
    return SMALL_SHOP


@pytest.fixture
def shop(make_schema: Callable[..., str]) -> str:
    """A small schema with two tables, a view, a trigger and a procedure."""
    return make_schema(SMALL_SHOP)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty backup directory."""
    place = tmp_path / "backups"
    place.mkdir(mode=0o700)
    return place


@dataclass(frozen=True)
class Run:
    """What a module gave back, and what it wrote beside that."""

    status: int
    result: dict
    output: str

    def __getitem__(self, key: str) -> Any:
        return self.result[key]

    @property
    def message(self) -> str:
        return self.result["msg"]


class RunningModule:
    """A module at work. It runs in a session of its own, so that a signal to it reaches nobody else."""

    def __init__(self, order: dict, environment: dict | None, output: int | None):
        self.output = tempfile.TemporaryFile()  # noqa: SIM115 - closed by end()
        with Connection(os.dup(self.output.fileno() if output is None else output), readable=False) as place:
            given = {**os.environ, **(environment or {})}
            self.process = FORKING.Process(target=module_driver.run_apart, args=(order, given, place))
            self.process.start()

    @property
    def pid(self) -> int:
        return self.process.pid

    def children(self) -> list[int]:
        """The processes that it started and that are still there (not those that only wait to be reaped)."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
                except OSError:
                    continue
                if int(parent) == self.pid and state != "Z":
                    found.append(int(entry.name))
        return found

    def wait_for(self, condition: Callable[[], Any], seconds: float = 60) -> Any:
        """Wait until a condition holds while the module is at work; return it."""
        deadline = time.monotonic() + seconds
        while True:
            value = condition()
            if value:
                return value
            assert self.status is None, f"the module ended too early: {self._text()}"
            assert time.monotonic() < deadline, "what was waited for did not happen"
            time.sleep(0.01)

    @property
    def status(self) -> int | None:
        """Its exit status, or that of the signal that ended it with a minus; None while it is at work."""
        return self.process.exitcode

    def signal(self, number: signal.Signals) -> None:
        # It may end at any moment.
        with contextlib.suppress(ProcessLookupError):
            if self.status is None:
                os.kill(self.pid, number)

    def wait(self, seconds: float = 60) -> int:
        """Wait for its end and return its status."""
        self.process.join(seconds)
        assert self.status is not None, f"the module does not end: {self._text()}"
        return self.status

    def end(self, seconds: float = 120) -> Run:
        status = self.wait(seconds)
        text = self._text()
        self.output.close()
        try:
            result = json.loads(text[text.index("{") :])
        except ValueError:
            raise AssertionError(f"The module gave no JSON back:\n{text}") from None
        return Run(status, result, text)

    def end_killed(self) -> None:
        self.process.kill()
        self.process.join(30)
        self.output.close()

    def _text(self) -> str:
        self.output.seek(0)
        return self.output.read().decode(errors="replace")


@pytest.fixture
def start_module(server: PrivateServer) -> Iterator[Callable[..., RunningModule]]:
    """Start a module and return at once; the connection is the session's server as root unless said otherwise."""
    running: list[RunningModule] = []

    def start(
        module: str,
        options: dict,
        check: bool = False,
        environment: dict | None = None,
        missing: tuple = (),
        settings: dict | None = None,
        diff: bool = False,
        kill_at_rename: int = 0,
        fault: tuple | None = None,
        output: int | None = None,
        phases: str | None = None,
        file_size: int | None = None,
        peak: str | None = None,
    ) -> RunningModule:
        name = f"dbops.recovery.{module}"
        arguments = {"_ansible_module_name": name, "_ansible_check_mode": check, "_ansible_diff": diff, **options}
        # From 2.21 on a module has to be told to echo its options; before, it always does and knows no such word.
        if "inject_invocation" in PASS_VARS:
            arguments["_ansible_inject_invocation"] = True
        if module.startswith("db_"):
            defaults = {"login_unix_socket": server.socket, "login_user": "root", "config_file": "/nonexistent"}
            arguments = {**defaults, **arguments}
        arguments = {key: value for key, value in arguments.items() if value is not None}
        order = {
            "module": module,
            "arguments": arguments,
            "missing": list(missing),
            "settings": settings or {},
            "kill_at_rename": kill_at_rename,
            "fault": fault,
            "phases": phases,
            "file_size": file_size,
            "peak": peak,
        }
        running.append(RunningModule(order, environment, output))
        return running[-1]

    yield start
    for each in running:
        each.end_killed()


@pytest.fixture
def run_module(start_module: Callable[..., RunningModule]) -> Callable[..., Run]:
    """Run a module to its end; a failure is a failure of the test unless fails=True, then success is."""

    def run(module: str, options: dict, check: bool = False, fails: bool = False, **more) -> Run:
        done = start_module(module, options, check, **more).end()
        if fails:
            assert done.status == 1, f"it was to fail: {done.result}"
            assert done.result["failed"] is True
        else:
            assert done.status == 0, done.result.get("msg", done.result)
        return done

    return run


@pytest.fixture
def backup(run_module: Callable[..., Run], folder: Path) -> Callable[..., dict]:
    """Take a backup into the folder and return it."""

    def take(database: str, **options) -> dict:
        return run_module("db_backup", {"database": database, "directory": str(folder), **options})["backup"]

    return take


@pytest.fixture(scope="session")
def backup_here(server: PrivateServer) -> Callable[..., dict]:
    """Run db_backup's action in this process; raises its RecoveryError. The connection is as with start_module."""
    unset = ("login_password", "login_host", "login_port", "ca_cert", "client_cert", "client_key", "check_hostname")
    defaults = {
        **dict.fromkeys((*unset, "max_age", "compression_level")),
        "login_user": "root",
        "login_unix_socket": server.socket,
        "config_file": "/nonexistent",
        "connect_timeout": 30,
        "compression": "zstd",
        "labels": {},
        "pin": False,
        "exclude_tables": [],
        "non_transactional": "fail",
        "retries": 0,
    }

    def take(database: str, directory: Path, **options: Any) -> dict:
        given = {**defaults, "database": database, "directory": str(directory), **options}
        return backup_database(given, False)["backup"]

    return take


@pytest.fixture(scope="session")
def kept_scratch_server(short_folder: Path) -> Iterator[Any]:
    """A scratch server that many proofs share, since starting one takes seconds."""
    with scratch.scratch_server(scratch.find_daemon("mariadb"), str(short_folder), 0) as settings:
        yield settings


@pytest.fixture
def verify_here(kept_scratch_server: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict]:
    """Run backup_verify's action in this process, its proofs on one scratch server emptied in between.

    Returns the result; that of a failure has its message under "msg".
    """

    @contextlib.contextmanager
    def emptied(*_arguments: Any) -> Iterator[Any]:
        with contextlib.closing(connect(kept_scratch_server)) as connection:
            for (name,) in query(connection, "SELECT schema_name FROM information_schema.schemata"):
                if name not in SYSTEM_SCHEMAS:
                    query(connection, f"DROP DATABASE {identifier(name)}")
        yield kept_scratch_server

    monkeypatch.setattr(proof, "scratch_server", emptied)
    defaults = dict.fromkeys(("directory", "database", "scratch_directory", "min_size", "max_size", "max_age"))

    def run(
        path: str | Path,
        level: str = "restore",
        check: bool = False,
        queries: Any = (),
        commands: Any = (),
        **options: Any,
    ) -> dict:
        own = {
            "queries": [{"name": None, "rows": None, "min": None, "max": None, **each} for each in queries],
            "commands": [{"name": None, "chdir": None, "environment": None, **each} for each in commands],
        }
        given = {**defaults, **own, "backup": str(path), "level": level, "record": True, **options}
        try:
            return verify_backup(given, check)
        except RecoveryError as error:
            return {"msg": str(error), **error.result}

    return run


def contents(folder: Path) -> dict[str, str]:
    """Every file of a folder by name, with a checksum; locks are left out since they stay."""
    return {
        entry.name: hashlib.sha256(entry.read_bytes()).hexdigest()
        for entry in sorted(folder.iterdir())
        if entry.is_file() and not entry.name.endswith(".lock")
    }


@pytest.fixture(scope="session")
def object_store(short_folder: Path) -> Iterator[ObjectStore]:
    """A real S3 server over TLS: SeaweedFS, or Ceph where the environment names a root file system that has it."""
    place = short_folder / "s3"
    place.mkdir()
    root = os.environ.get("CEPH_ROOT")
    store = Ceph(place, Path(root)) if root else SeaweedFS(place)
    try:
        yield store.start()
    finally:
        store.stop()


@pytest.fixture
def bucket(object_store: ObjectStore) -> str:
    """A bucket of its own, empty."""
    name = f"backups-{next(NAMES)}"
    object_store.client().create_bucket(Bucket=name)
    return name


@pytest.fixture
def faker(folder: Path, server: PrivateServer, backup_here: Callable[..., dict], make_schema: Callable[..., str]):
    """Make many backups of chosen moments out of one real one, in no time."""
    source = folder.parent / "real"
    source.mkdir()
    schema = make_schema(SMALL_SHOP)
    real = backup_here(schema, source)
    content = json.loads(Path(real["manifest_path"]).read_text())
    archive = Path(real["path"]).read_bytes()

    def make(started: datetime, database: str = "shop", where: Path = folder, **head: Any) -> Path:
        name = f"{database}_{started:%Y-%m-%d_%H%M%S}"
        verifications = head.pop("verifications", [])
        made = {
            **content,
            "backup": {
                **content["backup"],
                "name": name,
                "database": database,
                "started": f"{started:%Y-%m-%dT%H:%M:%SZ}",
                **head,
            },
            "archive": {**content["archive"], "file": f"{name}.sql.zst"},
            "verifications": verifications,
        }
        (where / f"{name}.sql.zst").write_bytes(archive)
        (where / f"{name}.manifest.json").write_text(json.dumps(made))
        return where / f"{name}.sql.zst"

    # Only as one of this database does it dump back to the same bytes, as routines name it.
    make.database = schema  # type: ignore[attr-defined]
    return make
