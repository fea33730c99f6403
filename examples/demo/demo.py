"""The story that `make demo` tells: four deployments of a real application, two of which fail and are undone.

    python demo.py run      # everything from the start, whatever an earlier run left
    python demo.py clean    # stop what runs, remove .demo/

Nothing here helps the deployments: they are plain calls of ansible-playbook. This program prepares the stage, calls
them, and then looks at the database, the files and the answers over HTTP to see whether what they claim is true.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import database
import places
import service

WIDTH = 100
PLAYBOOK = "playbooks/deploy.yml"
NEW_IN_RELEASE = {
    2: "TABLE catalog_loyaltycard",
    3: "TABLE catalog_loyaltycard",
    4: "COLUMN catalog_product.on_hand",
}

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
# The lines of Ansible's output that tell nothing when no other line of their block does.
SILENT = re.compile(r"\s*$|TASK \[|included: |ok: \[[^\]]*\](?: => \(item=.*\))?\s*$")


@dataclass(frozen=True)
class Act:
    """One deployment: which release, what is going to happen, and which release must serve afterwards."""

    release: int
    title: str
    story: str
    serves: int

    @property
    def succeeds(self) -> bool:
        return self.serves == self.release


ACTS = [
    Act(
        1,
        "the first release goes live",
        "An empty server, an empty database. The playbook copies the code into a directory of its own, makes the "
        "tables, points the link `current` at the new directory, starts the shop and asks its health check.",
        serves=1,
    ),
    Act(
        2,
        "a migration fails half-way",
        "Release 2 rewrites all e-mail addresses, adds a table of loyalty cards, fills it, and then wants the "
        "addresses to be unique. Some customers signed up twice: error 1062. MariaDB cannot roll back a schema change, "
        "so the database is left between two releases. The playbook must fail, and must put everything back by itself.",
        serves=1,
    ),
    Act(
        3,
        "the repaired release goes live",
        "Release 3 merges the double accounts first. The same migration passes.",
        serves=3,
    ),
    Act(
        4,
        "the migrations pass, the new code does not work",
        "Release 4 renames a column, and its developers forgot one place that asks for the old name: the health check "
        "answers 500 after the switch. Going back to the old code alone would not help, as it needs the old column: "
        "database, code and service must go back together.",
        serves=3,
    ),
]


class Proofs:
    """What was checked, shown at once and counted for the end (and for the test runner, in the file $RESULTS)."""

    def __init__(self) -> None:
        self.failed: list[str] = []
        self.about = ""

    def check(self, claim: str, holds: object, otherwise: object = "") -> None:
        """Show whether the claim holds; `otherwise` says what was seen instead."""
        verdict = paint("ok", 32) if holds else paint("FAILED", 31)
        print(f"  {verdict}  {claim}" + (f": {otherwise}" if otherwise and not holds else ""))
        if not holds:
            self.failed.append(f"{self.about}: {claim}")
        if os.environ.get("RESULTS"):
            with open(os.environ["RESULTS"], "a", encoding="utf-8") as results:
                results.write(f"{'passed' if holds else 'failed'} {self.about}: {claim}\n")


class Witness(threading.Thread):
    """Somebody who keeps opening the shop's page during a deployment, and keeps looking at the schema."""

    def __init__(self, act: Act) -> None:
        super().__init__(daemon=True)
        self.act = act
        self.pages: dict[int, int] = {}
        self.saw_half_made = False
        self.over = threading.Event()

    def run(self) -> None:
        while not self.over.wait(0.25):
            status, _ = visit("/")
            self.pages[status] = self.pages.get(status, 0) + 1
            self.saw_half_made = self.saw_half_made or exists(NEW_IN_RELEASE.get(self.act.release, ""))

    def stop(self) -> None:
        self.over.set()
        self.join()


def run() -> int:
    proofs = Proofs()
    try:
        begin()
        summarise([perform(act, proofs) for act in ACTS], proofs)
    except BaseException:
        stop_everything()
        raise
    end()
    return 1 if proofs.failed else 0


def begin() -> None:
    """Wipe what an earlier run left, except the expensive empty data directory, and set the stage."""
    heading("Setting the stage")
    stop_everything()
    keep = {places.DATABASE_TEMPLATE, places.LOCK, places.PORT}
    for path in set(places.DEMO.iterdir()) - keep:
        remove(path)
    for directory in (places.REPORTS, places.LOGS, places.DUMPS, places.SERVICE, places.APPLICATION / "shared"):
        directory.mkdir(parents=True)
    print(f"A private MariaDB starts in {places.DATABASE.relative_to(places.CHECKOUT)}/, reachable by a socket only.")
    database.start()
    make_accounts()
    choose_port()
    for act in ACTS:
        assembler = places.CHECKOUT / "examples" / "shop" / "assemble.py"
        subprocess.run([sys.executable, assembler, str(act.release), places.SOURCES / str(act.release)], check=True)
    print("The four releases of the shop are ready in .demo/sources/. Nothing is deployed yet.")


def make_accounts() -> None:
    """Make the database and two ordinary accounts: one for the shop, one for backups and restores."""
    shop_password, backup_password = secrets.token_urlsafe(18), secrets.token_urlsafe(18)
    database.query(f"""
        CREATE DATABASE shop CHARACTER SET utf8mb4;
        CREATE USER shop@localhost IDENTIFIED BY '{shop_password}';
        GRANT ALL PRIVILEGES ON shop.* TO shop@localhost;
        CREATE USER shop_backup@localhost IDENTIFIED BY '{backup_password}';
        GRANT ALL PRIVILEGES ON shop.* TO shop_backup@localhost;
        -- To build a copy beside the database and swap it in, when it is restored.
        GRANT ALL PRIVILEGES ON `shop\\_\\_%`.* TO shop_backup@localhost;
        -- To bring back views and triggers in the name of the account that made them, and to read routines.
        GRANT SET USER ON *.* TO shop_backup@localhost;
        GRANT SELECT ON mysql.proc TO shop_backup@localhost;
    """)
    settings = {
        "SHOP_SECRET_KEY": secrets.token_urlsafe(50),
        "SHOP_ALLOWED_HOSTS": "127.0.0.1,localhost",
        "SHOP_DATABASE": "shop",
        "SHOP_DATABASE_USER": "shop",
        "SHOP_DATABASE_PASSWORD": shop_password,
        "SHOP_DATABASE_HOST": database.socket_path(),
        "SHOP_MAINTENANCE_FILE": places.APPLICATION / "shared" / "maintenance.flag",
    }
    account = {"user": "shop_backup", "password": backup_password, "socket": database.socket_path()}
    write_secret(places.APPLICATION / "shared" / ".env", settings)
    write_secret(places.BACKUP_ACCOUNT, account, "[client]\n")


def write_secret(path: Path, values: dict[str, object], header: str = "") -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(header + "".join(f"{key}={value}\n" for key, value in values.items()))


def choose_port() -> None:
    """Write a free port of the loopback interface to .demo/port; the one of the last run where it is still free."""
    last = int(places.PORT.read_text(encoding="utf-8")) if places.PORT.exists() else 0
    for wanted in (last, 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", wanted))
            places.PORT.write_text(f"{probe.getsockname()[1]}\n", encoding="utf-8")
            return


def perform(act: Act, proofs: Proofs) -> tuple[str, ...]:
    """Deploy one release, check what came of it, and return its row of the summary."""
    heading(f"Release {act.release}: {act.title}")
    print(textwrap.fill(act.story, WIDTH))
    before = dump_hash(f"before-{act.release}")
    witness = Witness(act)
    witness.start()
    started = time.monotonic()
    status = deploy(act.release)
    seconds = time.monotonic() - started
    witness.stop()
    report = read_report(act.release)

    print(f"\n{paint('Is it true?', 1)}")
    proofs.about = f"release {act.release}"
    if act.succeeds:
        check_deployed(act, proofs, status)
    else:
        check_undone(act, proofs, status, before, witness, report)
    check_service(act, proofs, witness)
    if act.release == 1:
        fill_shop()
    outcome = "deployed" if status == 0 else "rolled back" if report.get("outcome") == "rolled_back" else "failed"
    return str(act.release), outcome, f"{seconds:.1f}", f"{report.get('downtime_seconds', float('nan')):.1f}"


def deploy(release: int) -> int:
    """Call the playbook and show its output live, without what says nothing; return its exit status."""
    command = ["ansible-playbook", PLAYBOOK, "-l", "staging", "-e", f"deploy_release={release}"]
    log = places.LOGS / f"deploy-{release}.log"
    print(f"\n{paint('$ ' + ' '.join(command), 1)}")
    print(
        f"(Tasks that changed nothing are left out here; all of it: {log.relative_to(places.CHECKOUT)})\n", flush=True
    )
    # As in an activated environment. The mark lets a later run find what is left when this program is killed.
    mark, value = places.DEPLOYMENT_MARK.split("=", 1)
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", mark: value}
    if sys.stdout.isatty():
        environment["ANSIBLE_FORCE_COLOR"] = "true"
    with (
        log.open("w", encoding="utf-8") as whole,
        subprocess.Popen(
            command,
            cwd=places.CHECKOUT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as playbook,
    ):
        for line in without_silent_tasks(keep_copy(playbook.stdout, whole)):
            print(line, end="", flush=True)
    return playbook.returncode


def keep_copy(lines: Iterable[str], copy: TextIO) -> Iterator[str]:
    for line in lines:
        copy.write(line)
        copy.flush()
        yield line


def without_silent_tasks(lines: Iterable[str]) -> Iterator[str]:
    """Pass on all lines except the blocks of which each line says only that a task was fine and changed nothing."""
    block: list[str] = []
    for line in lines:
        plain = COLOUR.sub("", line)
        block.append(line)
        if not plain.strip() and all(SILENT.match(COLOUR.sub("", earlier)) for earlier in block):
            block.clear()
        elif not SILENT.match(plain):
            yield from block
            block.clear()
    yield from block


def read_report(release: int) -> dict:
    path = places.REPORTS / f"{release}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def check_deployed(act: Act, proofs: Proofs, status: int) -> None:
    proofs.check("the playbook succeeded", status == 0, f"exit status {status}")
    if act.release in NEW_IN_RELEASE:
        kind, name = NEW_IN_RELEASE[act.release].split()
        proofs.check(f"the {kind.lower()} {name} is there", exists(NEW_IN_RELEASE[act.release]))


def check_undone(act: Act, proofs: Proofs, status: int, before: str, witness: Witness, report: dict) -> None:
    kind, name = NEW_IN_RELEASE[act.release].split()
    proofs.check("the playbook failed, as it must", status != 0, "exit status 0")
    proofs.check(f"for a while the database was changed: the {kind.lower()} {name} was there", witness.saw_half_made)
    proofs.check(f"now the {kind.lower()} {name} is gone", not exists(NEW_IN_RELEASE[act.release]), "it is still there")
    after = dump_hash(f"after-{act.release}")
    proofs.check(
        f"the whole database dumps to the same bytes as before (sha256 {before[:12]}…)",
        after == before,
        f"compare .demo/dumps/before-{act.release}.sql and after-{act.release}.sql",
    )
    backup = read_manifest(report)
    claim = f"the backup from before the migrations is kept, and pinned: {backup.get('name', 'none')}"
    proofs.check(claim, backup.get("pinned"), backup or "the report names none")


def check_service(act: Act, proofs: Proofs, witness: Witness) -> None:
    current = (places.APPLICATION / "current").resolve().name
    proofs.check(f"`current` points at release {act.serves}", current == str(act.serves), current)
    status, body = visit("/health")
    answer = json.loads(body) if status == 200 else {}
    proofs.check(
        f"the running shop says that it is release {act.serves}", answer.get("release") == str(act.serves), body
    )
    status, body = visit("/")
    proofs.check("its page is open to visitors: maintenance is off", status == 200, f"status {status}")
    proofs.check(f"the page shows release {act.serves}", f"Release {act.serves}</span>" in body)
    # 0 is no answer at all: before the first start, and for the moment of a restart behind the maintenance page.
    surprises = {status: count for status, count in witness.pages.items() if status not in (0, 200, 503)}
    proofs.check("meanwhile visitors saw the shop or the maintenance page, never an error", not surprises, surprises)


def fill_shop() -> None:
    """Give the shop the rows that a failed migration can damage."""
    current = places.APPLICATION / "current"
    print("\nThe shop gets something to lose:", flush=True)
    subprocess.run([sys.executable, "manage.py", "seed"], cwd=current.resolve(), check=True)


def read_manifest(report: dict) -> dict:
    """Return name and pin of the backup that the report names, from its manifest; nothing if its archive is gone."""
    archive, manifest = (Path(report.get("backup", {}).get(key, "-")) for key in ("path", "manifest_path"))
    if not archive.is_file() or not manifest.is_file():
        return {}
    return json.loads(manifest.read_text(encoding="utf-8"))["backup"]


def exists(thing: str) -> bool:
    """Tell whether the database has a "TABLE name" or a "COLUMN table.name"."""
    kind, _, name = thing.partition(" ")
    table, _, column = name.partition(".")
    of_column = f"AND column_name = '{column}'" if kind == "COLUMN" else ""
    found = f"FROM information_schema.columns WHERE table_schema = 'shop' AND table_name = '{table}' {of_column}"
    return bool(thing) and database.query(f"SELECT COUNT(*) {found}") != ["0"]


def dump_hash(name: str) -> str:
    file = places.DUMPS / f"{name}.sql"
    database.dump("shop", file)
    return hashlib.sha256(file.read_bytes()).hexdigest()


def visit(path: str) -> tuple[int, str]:
    """Return status and text of a page; status 0 when nothing answers."""
    try:
        with urllib.request.urlopen(service.url(path), timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(errors="replace")
    except OSError as error:
        return 0, str(error)


def summarise(rows: list[tuple[str, ...]], proofs: Proofs) -> None:
    heading("What happened")
    print(f"{'release':<9}{'outcome':<14}{'seconds':>8}{'downtime':>10}")
    for release, outcome, seconds, downtime in rows:
        print(f"{release:<9}{outcome:<14}{seconds:>8}{downtime:>10}")
    print()
    if proofs.failed:
        print(paint(f"{len(proofs.failed)} of the claims did not hold:", 31), *proofs.failed, sep="\n  ")
    else:
        print("Every claim held.")


def end() -> None:
    """Leave the shop open for somebody at a terminal; leave nothing running behind a script."""
    if sys.stdout.isatty():
        print(f"\nThe shop still runs: {service.url()}   `make demo-clean` stops it and removes .demo/.")
    else:
        stop_everything()


def stop_everything() -> None:
    for mark in (places.DEPLOYMENT_MARK, places.SERVICE_MARK):
        places.stop(mark)
    database.stop_server()


def clean() -> int:
    stop_everything()
    shutil.rmtree(places.DEMO)
    print("The demo is stopped and .demo/ is removed.")
    return 0


def remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def heading(text: str) -> None:
    print(f"\n{paint('━━━ ' + text + ' ' + '━' * (WIDTH - len(text) - 5), 36)}\n", flush=True)


def paint(text: str, colour: int) -> str:
    return f"\033[{colour}m{text}\033[0m" if sys.stdout.isatty() else text


def main(action: str) -> int:
    if action == "clean" and not places.DEMO.exists():
        print("There is no .demo/: nothing to clean.")
        return 0
    places.DEMO.mkdir(mode=0o755, exist_ok=True)
    with places.LOCK.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("The demo is running in another terminal; wait for it or end it there.", file=sys.stderr)
            return 1
        return run() if action == "run" else clean()


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in ("run", "clean"):
        sys.exit(__doc__)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        sys.exit(main(sys.argv[1]))
    except KeyboardInterrupt:
        sys.exit("\nInterrupted. `make demo` starts again from the beginning, `make demo-clean` removes everything.")
