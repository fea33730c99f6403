# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every command of the documents is typed as it stands there, and says what stands below it.

A page is read from its beginning to its end, by one reader. What must have happened before a part of it (somebody has
dropped a table, a server has died) is prepared by the scene of that part.
"""

from __future__ import annotations

import gzip
import json
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from documents import DOCUMENTS, ROOT, Command, all_commands, commands_of, read_blocks
from fleet import Fleet
from reader import HOSTS, Reader
from sinks import WebSink, closed_port

from ansible_collections.dbops.recovery.plugins.module_utils._progress import running

# What is not typed here, and why. A command that is neither run nor named here fails the tests.
ELSEWHERE = {
    r"make setup *(#.*)?": "what these tests run in was made by it",
    r"make demo": "it is a part of the tests itself",
    r"export SCENARIO=\S+|scripts/molecule (create|converge|verify|destroy) *(#.*)?": "the part molecule does",
    r"scripts/molecule login -h app1": "a shell for people, on hosts that are there only while that part runs",
    r"python3 -m pip install .*": "test_artifact installs the pinned ones of them into an environment of its own",
    r"ansible-galaxy collection install dbops\.recovery": "test_artifact does it with the file that Galaxy would give",
    r"ansible-playbook -i inventory prepare\.yml": "it installs packages as root: Molecule has it do so on its hosts",
}


def is_elsewhere(command: Command) -> bool:
    return any(re.fullmatch(pattern, command.text) for pattern in ELSEWHERE)


def sense(command: Command) -> str:
    """Return a command without what makes no difference: its comment, the environment, how the playbook is named."""
    text = re.sub(r"\s+#.*|\\\n", " ", command.text)
    text = re.sub(r" -l \S+|(?<=shop_)[\d_-]+", "", text)
    text = "\n".join([text, *command.typed])
    return " ".join(re.sub(r"^(ansible-playbook .*?)dbops\.recovery\.(\w+)", r"\1playbooks/\2.yml", text).split())


SHOP = """
CREATE TABLE customer (id INT PRIMARY KEY, name VARCHAR(80), email VARCHAR(120), city VARCHAR(80));
CREATE TABLE orders (id INT PRIMARY KEY, customer_id INT NOT NULL, total DECIMAL(10,2),
  FOREIGN KEY (customer_id) REFERENCES customer (id));
INSERT INTO customer VALUES (1, 'Ada', 'ada@example.org', 'London'), (2, 'Emre', 'emre@example.org', 'Izmir');
INSERT INTO orders VALUES (1, 1, 10.00), (2, 2, 250.50);
"""


@pytest.fixture
def web_sink() -> Iterator[WebSink]:
    with WebSink() as sink:
        yield sink


@pytest.fixture
def reader(server, make_schema, tmp_path) -> Reader:
    """A reader whose database is shop."""
    server.execute("DROP DATABASE IF EXISTS shop", "DROP DATABASE IF EXISTS shop_staging")
    make_schema(SHOP, name="shop")
    return Reader(tmp_path, server)


def nothing(reader: Reader, fixture: Callable) -> None:
    """All is as it was."""


def empty_desk(reader: Reader, fixture: Callable) -> None:
    """Nothing is there yet but a database and a directory for its backups."""
    reader.server.execute("DROP USER IF EXISTS shop_backup@localhost")
    reader.folder("/var/backups/shop")


def checkout(reader: Reader, fixture: Callable) -> None:
    """The reader sits in a checkout, and production's database is shop."""
    reader.sit_in_a_checkout()
    reader.folder("/var/backups/shop")


def some_nights(reader: Reader, fixture: Callable) -> None:
    """There are the backups that the pages name, and since then a migration has failed."""
    checkout(reader, fixture)
    real = a_backup(reader, fixture)
    for name in ("shop_2026-11-23_230003", "shop_2026-11-24_230004"):
        as_of(real, name)
    as_of(real, "shop_2026-11-25_092145", pinned=True, labels={"purpose": "safety"})
    reader.server.execute(
        "CREATE TABLE loyalty_card (id INT PRIMARY KEY, customer_id INT)",
        "CREATE VIEW card_holders AS SELECT name FROM customer JOIN loyalty_card ON customer.id = customer_id",
        schema="shop",
    )


def a_backup(reader: Reader, fixture: Callable) -> dict:
    """Take a backup beside those of the page."""
    return fixture("backup_here")("shop", reader.folder("/var/backups/shop/beside"))


def as_of(backup: dict, name: str, folder: Path | None = None, proofs: Sequence = (), **head: object) -> None:
    """Put a copy of a backup among those of the page, under the name of another moment."""
    folder = folder or Path(backup["path"]).parents[1]
    content = json.loads(Path(backup["manifest_path"]).read_text())
    started = datetime.strptime(name.partition("_")[2], "%Y-%m-%d_%H%M%S")
    content["backup"].update(name=name, started=f"{started:%Y-%m-%dT%H:%M:%SZ}", **head)
    content["archive"]["file"], content["verifications"] = f"{name}.sql.zst", list(proofs)
    (folder / f"{name}.manifest.json").write_text(json.dumps(content))
    shutil.copy(backup["path"], folder / f"{name}.sql.zst")


def empty_bucket(fixture: Callable) -> dict:
    """Return how to reach the bucket of the documents, with nothing in it."""
    store = fixture("object_store")
    client, name = store.client(), "example-backups"
    if name not in [bucket["Name"] for bucket in client.list_buckets()["Buckets"]]:
        client.create_bucket(Bucket=name)
    for item in client.list_objects_v2(Bucket=name).get("Contents", []):
        client.delete_object(Bucket=name, Key=item["Key"])
    return store.options(name, "production")


def staging(reader: Reader, fixture: Callable) -> None:
    """Staging has a database of its own, and production's backup was copied to its host."""
    fixture("make_schema")("CREATE TABLE leftover (id INT)", name="shop_staging")
    reader.set("staging.shop.test", restore_database="shop_staging")
    reader.folder("/var/backups/shop_staging")
    for path in reader.folder("/var/backups/shop").glob("shop_2026-11-24_230004.*"):
        shutil.copy(path, reader.folder("/var/backups/incoming"))


def server_died(reader: Reader, fixture: Callable) -> None:
    """A restore was killed in the middle of its swap."""
    options = {
        "backup": str(reader.folder("/var/backups/shop") / "shop_2026-11-24_230004.sql.zst"),
        "safety_backup": False,
    }
    killed = fixture("start_module")("db_restore", options, fault=("_actions.swapping:_load_bodies", "kill"))
    assert killed.wait(60) == -signal.SIGKILL


def bucket(reader: Reader, fixture: Callable) -> None:
    """There are backups of the last nights; the first of them is in a bucket already."""
    checkout(reader, fixture)
    real, options = a_backup(reader, fixture), empty_bucket(fixture)
    nights = [datetime.now(timezone.utc) - timedelta(days=days) for days in range(11, 0, -1)]
    for night in nights:
        as_of(real, f"shop_{night:%Y-%m-%d}_010004")
        if night is nights[0]:
            here = {"directory": str(reader.folder("/var/backups/shop")), "backup": "latest", "verify": "none"}
            fixture("run_module")("backup_upload", {**options, **here, "database": "shop"})
    reader.set(
        "db1.shop.example.org", offsite_stores=[options], offsite_state_directory=str(reader.folder("/var/lib/dbops"))
    )


def two_databases(reader: Reader, fixture: Callable) -> None:
    """Of two databases there are backups, those of the last nights here, all in a bucket; an old one was tested."""
    checkout(reader, fixture)
    folder = reader.folder("/var/backups/databases")
    real, options = a_backup(reader, fixture), empty_bucket(fixture)
    now = datetime.now(timezone.utc)
    for night in (12, *range(5)):
        moment = now - timedelta(hours=18, days=night)
        proof = {"time": f"{moment:%Y-%m-%dT%H:%M:%SZ}", "host": "db1", "level": "content", "verified": True}
        tested = {**proof, "level": "restore", "restore_test": "drill"}
        for database in ("shop", "wiki"):
            name = f"{database}_{moment:%Y-%m-%d_%H%M%S}"
            head = {"database": database, "pinned": (night, database) == (0, "shop")}
            as_of(real, name, folder, [proof, tested] if night == 12 else [proof], **head)
    fixture("run_module")("backup_upload", {**options, "directory": str(folder), "backup": "all", "verify": "none"})
    for path in folder.glob(f"*_{now - timedelta(hours=18, days=12):%Y-%m-%d}_*"):
        path.unlink()
    reader.set(
        "db1.shop.example.org",
        status_directory=str(folder),
        status_databases=["shop", "wiki"],
        status_nagios_path=str(reader.folder("/var/lib/dbops") / "status.nagios"),
        offsite_stores=[options],
    )


def bad_nights(reader: Reader, fixture: Callable) -> None:
    """Three nights of one of them failed, and now the store does not answer either."""
    folder = reader.folder("/var/backups/databases")
    for path in sorted(folder.glob("wiki_*"))[-6:]:
        path.unlink()
    nowhere = f"https://127.0.0.1:{closed_port()}"
    reader.places[nowhere] = "https://s3.example.org"
    store = fixture("object_store").options("example-backups", "production", endpoint_url=nowhere)
    # What Nagios reads is still that of the good night, and no mail server is asked.
    reader.set("db1.shop.example.org", offsite_stores=[store], status_nagios_path="", notify_mail_to=[])


def drill(reader: Reader, fixture: Callable) -> None:
    """Backups were brought to a mounted disk, which a host reads that is not production's."""
    checkout(reader, fixture)
    fixture("backup_here")("shop", reader.folder("/mnt/nas/backups"))
    reader.write("inventory/drill.yml", "restore_test: {hosts: {drill1: }}")
    reader.set(
        "drill1",
        ansible_connection="local",
        ansible_python_interpreter=sys.executable,
        offsite_stores=[{"store": f"file://{reader.folder('/mnt/nas/backups')}"}],
        restore_test_rto_target="4h",
        restore_test_rpo_target="26h",
        restore_test_directory=str(reader.folder("/srv/restore-test")),
        restore_test_report_directory=str(reader.folder("/var/lib/dbops.recovery/restore-tests")),
    )


def channel(reader: Reader, fixture: Callable) -> None:
    """Somebody listens."""
    checkout(reader, fixture)
    for host in HOSTS:
        reader.set(host, notify_mail_to=[], notify_webhook_url=fixture("web_sink").url())


def another_layout(reader: Reader, fixture: Callable) -> None:
    """The application runs where somebody has copied it to, and how it is deployed is in the inventory."""
    checkout(reader, fixture)
    application, server = reader.folder("/var/www/shop"), fixture("port_and_application")
    server.fleet_directory = reader.folder("/srv")
    fleet = Fleet(reader.directory, str(reader.server.socket), server.server_address[1])
    fleet.source()
    shutil.copytree(fleet.directory / "source", application, dirs_exist_ok=True)
    (application / "storage").mkdir()
    (application / ".env").write_text("APP_KEY=x\n")
    reader.set(
        "staging.shop.test",
        **fleet.application(),
        deploy_preset="custom",
        deploy_owner="ann",
        deploy_environment=fleet.environment(),
        deploy_root=reader.placed("/srv/shop"),
        deploy_shared_files=[".env"],
        deploy_shared_directories=["storage"],
        deploy_backup_directory=reader.placed("/var/backups/shop"),
        deploy_report_path="",
    )


def killed_deployment(reader: Reader, fixture: Callable) -> None:
    """The controller died while a release was migrated. What was there before is kept for the next part."""
    shutil.copytree(reader.placed("/srv/shop"), reader.directory / "deployed", symlinks=True)
    (reader.directory / "deployed.sql").write_bytes(reader.server.dump("shop"))
    controller = reader.directory / "controller"
    environment = Fleet(reader.directory, str(reader.server.socket), 0).environment(
        wreck=f"kill -9 $(cat {controller})"
    )
    extra = json.dumps({"deploy_release": "2.5.0", "deploy_environment": environment})
    command = ["ansible-playbook", "playbooks/deploy.yml", "-l", "staging", "-e", extra]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **reader.desk()) as process:
        controller.write_text(str(process.pid))
    assert process.returncode == -signal.SIGKILL


def deployed(reader: Reader, fixture: Callable) -> None:
    """A release is live, and what was there before it was adopted is kept."""
    shutil.rmtree(reader.placed("/srv/shop"))
    shutil.copytree(reader.directory / "deployed", reader.placed("/srv/shop"), symlinks=True)
    reader.server.execute("DROP DATABASE shop", "CREATE DATABASE shop")
    reader.server.load("shop", (reader.directory / "deployed.sql").read_bytes())


def contributor(reader: Reader, fixture: Callable) -> None:
    """Somebody has cloned the project and set it up."""
    for name in ("Makefile", ".venv"):
        (reader.directory / name).symlink_to(ROOT / name)


def long_upload(reader: Reader, fixture: Callable) -> None:
    """Somebody brings a backup to a mounted disk, over a line that takes its time."""
    checkout(reader, fixture)
    backup = fixture("backup_here")("shop", reader.folder("/var/backups/shop"))
    options = {"backup": backup["path"], "store": f"file://{reader.folder('/mnt/nas/backups')}", "bandwidth": "20"}
    upload = fixture("start_module")("backup_upload", options)
    upload.wait_for(lambda: any(each["pid"] == upload.pid and each["seconds_left"] is not None for each in running()))


def old_dump(reader: Reader, fixture: Callable) -> None:
    """The application has backed itself up."""
    checkout(reader, fixture)
    dump = reader.folder("/var/backups/old") / "backup-2026-11-20.sql.gz"
    dump.write_bytes(gzip.compress(reader.server.dump("shop")))


# Before a page is begun, and before each command below one of its headings. The pages are read in this order.
SCENES = {
    ("docs/getting-started.md", ""): empty_desk,
    ("docs/restore.md", ""): some_nights,
    ("docs/deploy.md", ""): another_layout,
    ("docs/offsite.md", ""): bucket,
    ("docs/restore-test.md", ""): drill,
    ("docs/status.md", ""): two_databases,
    ("docs/notices.md", ""): channel,
    ("docs/progress.md", ""): long_upload,
    ("docs/BACKUP_RESTORE.md", ""): some_nights,
    ("docs/migration.md", ""): old_dump,
    ("docs/restore.md", "Production's backup into staging"): staging,
    ("docs/restore.md", "broken"): server_died,
    ("docs/status.md", "When it is red"): bad_nights,
    ("docs/deploy.md", "When the run was killed"): killed_deployment,
    ("docs/deploy.md", "Go back by hand"): deployed,
    ("CONTRIBUTING.md", ""): contributor,
}


COMMANDS = all_commands()
# A command that shows no output is typed once, where it stands first.
FIRST: dict[str, Command] = {}
for _page in dict.fromkeys([*(page for page, _scene in SCENES), *map(str, DOCUMENTS)]):
    for _command in COMMANDS:
        if str(_command.block.document) == _page:
            FIRST.setdefault(sense(_command), _command)


def is_typed(command: Command) -> bool:
    return not is_elsewhere(command) and bool(command.shown or FIRST[sense(command)] == command)


PAGES = sorted({str(command.block.document) for command in COMMANDS if is_typed(command)})


@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_a_page_works_and_says_what_the_page_shows(page, reader, request):
    assert (page, "") in SCENES, f"{page} has commands that nobody types: give it a scene, or name them in ELSEWHERE"
    SCENES[page, ""](reader, request.getfixturevalue)
    for block in read_blocks(Path(page), (ROOT / page).read_text()):
        if file := re.match(r"# ([\w./-]+\.\w+)\n", block.text):
            reader.write(file[1], block.text)
        for command in commands_of(block) if block.language == "console" else ():
            if not is_typed(command):
                continue
            SCENES.get((page, block.heading), nothing)(reader, request.getfixturevalue)
            before = reader.hosts() if "--check" in command.text else {}
            done = reader.type(command)

            where = f"{block}: {command.text}\n{done.stdout}"
            assert (done.returncode != 0) == ("[ERROR]" in str(command.shown)), where
            assert ("[WARNING]" in done.stdout) == ("[WARNING]" in str(command.shown)), where
            assert reader.missing(command, done.stdout) == [], where
            assert not before or reader.hosts() == before, f"It touched something:\n{where}"


def test_nothing_is_left_out_that_is_in_no_document():
    texts = [command.text for command in COMMANDS]

    assert [pattern for pattern in ELSEWHERE if not any(re.fullmatch(pattern, text) for text in texts)] == []
