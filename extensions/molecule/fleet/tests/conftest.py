"""The hosts, the collection's playbooks run on them by a user who is not root, and how all of it looks afterwards."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
import testinfra

SCENARIO = Path(__file__).resolve().parents[1]
CHECKOUT = SCENARIO.parents[2]
INVENTORY = os.environ["DBOPS_MOLECULE_INVENTORY"]
EPHEMERAL = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])
APPS = ("app1", "app2")
PATIENCE = 300
# Asked on the host itself: the application listens there only.
GET = """
import sys, urllib.error, urllib.request
try:
    answer = urllib.request.urlopen("http://127.0.0.1:8000" + sys.argv[1])
except urllib.error.HTTPError as error:
    answer = error
print(answer.status)
print(answer.read().decode())
"""


def reach(name):
    return testinfra.get_host(f"ansible://{name}?ansible_inventory={INVENTORY}")


def reach_past_the_network(name):
    engine, scope = os.environ["DBOPS_MOLECULE_ENGINE"], os.environ["DBOPS_MOLECULE_SCOPE"]
    return testinfra.get_host(f"{engine}://{scope}-{name}")


class Run:
    """What a run of a playbook said, and how it ended."""

    def __init__(self, status, output, report):
        self.status, self.output, self.report = status, output, report
        self.words = " ".join(output.split())

    @property
    def outcome(self):
        return self.report["outcome"]

    def way_back(self):
        """Return the arguments of the way back that the run says to type."""
        command = r"ansible-playbook dbops\.recovery\.rollback((?: -e \w+=\w+)+)"
        return re.search(command, self.report["error"] + self.words)[1].split()


class Fleet:
    def __init__(self):
        self.apps = {name: reach(name) for name in APPS}
        self.db = reach("db1")
        self._inside = {name: reach_past_the_network(name) for name in (*APPS, "db1")}

    def on(self, name, command):
        """Do something on a host as root, whether or not it can be reached."""
        return self._inside[name].check_output(command)

    def play(self, playbook, *arguments, before=None, fault=None, **variables):
        """Run a playbook. With a fault, hold it before the task of that name, and let the fault happen then."""
        report = EPHEMERAL / "report.json"
        report.unlink(missing_ok=True)
        extra = json.dumps({"ansible_user": "deploy", "deploy_hosts": "app", **variables})
        command = ["ansible-playbook", "-i", INVENTORY, "-e", extra, *arguments, CHECKOUT / "playbooks" / playbook]
        environment = {
            **os.environ,
            "ANSIBLE_CALLBACK_PLUGINS": str(SCENARIO / "callback_plugins"),
            "ANSIBLE_CALLBACKS_ENABLED": "stop_before",
            "ANSIBLE_FORCE_COLOR": "0",
            **({"STOP_BEFORE": before} if before else {}),
        }
        log = EPHEMERAL / "run.log"
        with log.open("w") as output, ExitStack() as until_it_ended:
            controller = subprocess.Popen(
                command, env=environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
            )
            until_it_ended.callback(controller.kill)
            if fault:
                self._wait_until_it_stops(controller, before)
                until_it_ended.enter_context(fault(self, controller))
                os.kill(controller.pid, signal.SIGCONT)
            controller.wait(PATIENCE)
        output = log.read_text()
        assert "[WARNING]" not in output, output
        assert "DEPRECAT" not in output, output
        assert report.exists(), output
        return Run(controller.returncode, output, json.loads(report.read_text()))

    def deploy(self, release, **more):
        return self.play("deploy.yml", deploy_release=release, **more)

    def _wait_until_it_stops(self, controller, task):
        deadline = time.monotonic() + PATIENCE
        watched = os.WSTOPPED | os.WEXITED | os.WNOWAIT | os.WNOHANG
        while not (seen := os.waitid(os.P_PID, controller.pid, watched)):
            assert time.monotonic() < deadline, f"The run has not come to the task {task!r} yet."
            time.sleep(0.05)
        assert seen.si_code == os.CLD_STOPPED, f"The run never came to the task {task!r}."

    def get(self, app, path):
        status, body = app.check_output("python3 -c %s %s", GET, path).split("\n", 1)
        return int(status), body

    def live(self, app):
        return app.check_output("readlink /srv/shop/current")

    def journal(self, app):
        lines = app.file("/srv/shop/.dbops/journal.jsonl").content_string.splitlines()
        return [json.loads(line) for line in lines]

    def ends(self, app):
        """Return (deployment, release, result) of what came to an end, by the host's journal, and not badly."""
        found = [entry for entry in self.journal(app) if entry["step"] == "finish" and entry["result"] != "broken"]
        return [(entry["deployment"], entry["release"], entry["result"]) for entry in found]

    def database(self):
        """Return the database's bytes, as a checksum of its dump."""
        dump = self.db.check_output("mariadb-dump --skip-dump-date --routines --triggers --events shop")
        return hashlib.sha256(dump.encode()).hexdigest()

    def query(self, statement):
        return self.db.check_output("mariadb -BNe %s shop", statement)

    def schemas(self):
        return self.query("SELECT schema_name FROM information_schema.schemata WHERE schema_name LIKE 'shop%'").split()

    def require(self, release, locked=()):
        """Whatever happened: each host has this release, whole, open to visitors, and nothing is left over."""
        for name, app in self.apps.items():
            assert self.live(app) == f"releases/{release}", name
            status, body = self.get(app, "/health")
            assert (status, json.loads(body)["release"]) == (200, release), name
            # Maintenance mode answers 503.
            assert self.get(app, "/")[0] == 200, name
            assert app.service("shop").is_running, name
            left = {"journal.jsonl"} | ({"lock.json"} if name in locked else set())
            assert set(app.check_output("ls -A /srv/shop/.dbops").split()) - {"repository"} == left, name
            assert app.check_output("ls -A /srv/shop/shared") == ".env", name
            assert app.check_output("find /srv/shop ! -user deploy -o ! -type l -perm -o+w") == "", name
        assert self.schemas() == ["shop"]
        assert self.db.file("/var/backups/shop").mode == 0o700
        assert self.db.check_output("find /var/backups/shop -name '*.partial' -o -type f -perm /077") == ""
        if not locked:
            assert self.ends(self.apps["app1"]) == self.ends(self.apps["app2"])


@pytest.fixture(scope="session")
def fleet():
    return Fleet()
