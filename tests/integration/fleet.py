# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts that are directories of this machine, an application of shell scripts on them, and the playbooks' runs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

CHECKOUT = Path(__file__).resolve().parents[2]
HOSTS = ("one", "two")
ANSIBLE_SETTINGS = {
    "ANSIBLE_COLLECTIONS_PATH": str(CHECKOUT / ".venv" / "collections"),
    "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg"),
    "ANSIBLE_FORCE_COLOR": "0",
}

# Each script fails where the environment says so: FAIL is STEP@HOST@RELEASE.
STEP = """#!/bin/sh
release=$(basename "$(pwd -P)")
if [ "$FAIL" = "$1@$HOST@$release" ]; then
    echo "$1 begins"
    echo "ERROR 1062 (23000): Duplicate entry in $1" >&2
    exit 3
fi
case $1 in
    maintenance_on) touch ../../closed ;;
    maintenance_off) rm -f ../../closed ;;
    restart) [ "$FAIL" = "health@$HOST@$release" ] && release=unwell; printf %s "$release" >../../running ;;
esac
"""
MIGRATE = """#!/bin/sh
release=$(basename "$(pwd -P)")
mariadb --no-defaults -S "$SOCKET" -u root shop -e "
    CREATE TABLE IF NOT EXISTS product (id INT PRIMARY KEY, name VARCHAR(40));
    REPLACE INTO product VALUES (1, 'changed by $release');
    CREATE TABLE IF NOT EXISTS \\`added_by_$release\\` (id INT)"
eval "$WRECK"
exec sh step migrate
"""


def sql(socket: object, statements: str, schema: str = "") -> str:
    client = ["mariadb", "--no-defaults", "-S", str(socket), "-u", "root", "-BN", "-e", statements]
    return subprocess.run([*client, *([schema] if schema else [])], check=True, capture_output=True, text=True).stdout


def require_no_warning(done: subprocess.CompletedProcess, but: str = "") -> None:
    """Fail when a playbook warned of anything, or not of the one thing that it should."""
    said = done.stdout + done.stderr
    assert said.count("[WARNING]") == bool(but), said
    assert but in " ".join(said.split()), said
    assert "DEPRECAT" not in said, said


@dataclass
class Fleet:
    """The hosts, the database and what a playbook run on them said."""

    directory: Path
    socket: str
    port: int
    hosts: tuple[str, ...] = HOSTS

    def root(self, host: str) -> Path:
        return self.directory / host

    def play(
        self, playbook: str, *arguments: str, warning: str = "", **variables: object
    ) -> subprocess.CompletedProcess:
        """Run a playbook, one of the checkout or `dbops.recovery.NAME`, with the variables over those of the fleet.

        The result has .report besides.

        Its process is named in the file `controller` of the directory, for a test that kills it.

        It may warn of one thing, and must, where that is given.
        """
        report = self.directory / "report.json"
        report.unlink(missing_ok=True)
        extra = json.dumps({"deploy_environment": self.environment(), **variables})
        program = Path(sys.executable).parent / "ansible-playbook"
        path = CHECKOUT / "playbooks" / playbook if playbook.endswith(".yml") else playbook
        command = [program, "-i", self.inventory(), *arguments, "-e", extra, path]
        with subprocess.Popen(
            command,
            env={**os.environ, **ANSIBLE_SETTINGS},
            cwd=self.directory,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            (self.directory / "controller").write_text(str(process.pid))
            output, errors = process.communicate()
        done = subprocess.CompletedProcess(command, process.returncode, output, errors)
        require_no_warning(done, but=warning)
        done.report = json.loads(report.read_text()) if report.exists() else None  # type: ignore[attr-defined]
        return done

    def deploy(self, release: str, *arguments: str, **variables: object) -> subprocess.CompletedProcess:
        return self.play("deploy.yml", *arguments, deploy_release=release, **variables)

    def environment(self, fail: str = "", wreck: str = "") -> dict[str, str]:
        return {"FAIL": fail, "WRECK": wreck, "SOCKET": self.socket, "HOST": "{{ inventory_hostname }}"}

    def inventory(self) -> Path:
        path = self.directory / "inventory.yml"
        cut = f"('{self.directory}/cut_' ~ inventory_hostname) is exists"
        path.write_text(
            yaml.safe_dump(
                {
                    "application": {
                        "hosts": {host: {} for host in self.hosts},
                        "vars": {
                            # A host is cut off, as by a network that dies, while a file says so.
                            "ansible_connection": f"{{{{ ({cut}) | ternary('ssh', 'local') }}}}",
                            "ansible_host": "127.0.0.1",
                            "ansible_port": 1,
                            "ansible_python_interpreter": sys.executable,
                            "deploy_root": f"{self.directory}/{{{{ inventory_hostname }}}}",
                            "deploy_shared_files": ["settings"],
                            "deploy_database_host": "one",
                            "deploy_database_connection": {
                                "login_unix_socket": self.socket,
                                "login_user": "root",
                            },
                            "deploy_backup_directory": str(self.directory / "backups"),
                            "deploy_report_path": str(self.directory / "report.json"),
                            **self.application(),
                        },
                    }
                },
                sort_keys=False,
            )
        )
        return path

    def application(self) -> dict[str, object]:
        """Return the variables that say how the application is deployed, wherever it is."""
        return {
            "deploy_application": "shop",
            "deploy_source": str(self.directory / "source"),
            "deploy_stage_commands": ["sh step stage"],
            "deploy_maintenance_on_commands": ["sh step maintenance_on"],
            "deploy_maintenance_off_commands": ["sh step maintenance_off"],
            "deploy_migrate_commands": ["sh migrate"],
            "deploy_restart_commands": ["sh step restart"],
            "deploy_health_url": f"http://127.0.0.1:{self.port}/{{{{ deploy_root | basename }}}}",
            "deploy_health_text": "release {{ deploy_expected_release }}",
            "deploy_health_retries": 1,
            "deploy_health_delay": 0,
            "deploy_database": "shop",
        }

    def source(self) -> None:
        source = self.directory / "source"
        source.mkdir(exist_ok=True)
        (source / "step").write_text(STEP)
        (source / "migrate").write_text(MIGRATE)
        (source / "settings").write_text("secret\n")

    def live(self) -> dict[str, str]:
        """Say what is live, running and left over on each host, in one word: "1", or what is odd."""
        return {host: self._state(self.root(host)) for host in self.hosts}

    def _state(self, root: Path) -> str:
        link = (root / "current").readlink().name if (root / "current").is_symlink() else "none"
        running = (root / "running").read_text() if (root / "running").exists() else "none"
        odd = [name for name in ("closed", ".dbops/lock.json") if (root / name).exists()]
        return " ".join([link] + ([f"running {running}"] if running != link else []) + odd)

    def database(self) -> str:
        tables = sql(
            self.socket,
            "SELECT GROUP_CONCAT(table_name ORDER BY 1) FROM information_schema.tables WHERE table_schema = 'shop'",
        ).strip()
        name = sql(self.socket, "SELECT name FROM shop.product").strip() if "product" in tables else "-"
        return f"{tables}: {name}"

    def journal(self, host: str) -> list[dict]:
        lines = (self.root(host) / ".dbops" / "journal.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]


class Answers(BaseHTTPRequestHandler):
    """Each host's application: /HOST answers with the release that was started there last."""

    def do_GET(self) -> None:
        directory, host = self.server.fleet_directory, self.path.strip("/")  # type: ignore[attr-defined]
        running = directory / host / "running"
        release = running.read_text() if running.exists() else "nothing"
        with (directory / "order").open("a") as order:
            order.write(f"{host} is asked\n")
        self.send_response(500 if release == "unwell" else 200)
        self.end_headers()
        self.wfile.write(f"release {release}".encode())

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture(scope="session")
def port_and_application():
    application = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=application.serve_forever)
    thread.start()
    yield application
    application.shutdown()
    thread.join()
    application.server_close()


@pytest.fixture
def empty_fleet(server, port_and_application, tmp_path):
    port_and_application.fleet_directory = tmp_path
    sql(server.socket, "DROP DATABASE IF EXISTS shop; CREATE DATABASE shop")
    fleet = Fleet(tmp_path, str(server.socket), port_and_application.server_address[1])
    fleet.source()
    return fleet


@pytest.fixture(scope="session")
def deployed_once(server, port_and_application, tmp_path_factory):
    """Deploy release 1 for real, once; the tests begin with copies of what that left, here and in the database."""
    directory = tmp_path_factory.mktemp("template")
    port_and_application.fleet_directory = directory
    sql(server.socket, "DROP DATABASE IF EXISTS shop; CREATE DATABASE shop")
    fleet = Fleet(directory, str(server.socket), port_and_application.server_address[1])
    fleet.source()
    fleet.first = fleet.deploy("1", "-vv")  # type: ignore[attr-defined]
    assert fleet.first.returncode == 0, fleet.first.stdout + fleet.first.stderr
    fleet.content = server.dump("shop")  # type: ignore[attr-defined]
    return fleet


@pytest.fixture
def fleet(server, deployed_once, empty_fleet):
    for host in HOSTS:
        shutil.copytree(deployed_once.root(host), empty_fleet.root(host), symlinks=True)
    server.load("shop", deployed_once.content)
    return empty_fleet


@pytest.fixture
def one_host(fleet):
    """Leave one host of the fleet, for what others make no difference to: each of them takes its time."""
    fleet.hosts = HOSTS[:1]


@pytest.fixture
def desk(server, shop_script, tmp_path, folder) -> Fleet:
    """A desk from which one host's database shop is looked after, and a disk that stands for another place."""
    sql(server.socket, "DROP DATABASE IF EXISTS shop; CREATE DATABASE shop")
    server.load("shop", shop_script)
    (tmp_path / "disk").mkdir()
    return Fleet(tmp_path, str(server.socket), 1)
