# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No password on a command line, in an environment, in a result, in Ansible's output, or in a file."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from handmade import before_table, rewrite

# These tests look at every process of the machine: another run of them there has another secret.
OWN = os.getpid()
SECRET = f"pass-{OWN}-phrase#of\"the's\\test ü{OWN}"
# What of it would betray it in JSON or YAML, however it is quoted there.
TRACES = [f"pass-{OWN}-phrase#of", f"test ü{OWN}", f"test \\u00fc{OWN}"]


@pytest.fixture
def account(server, shop) -> dict:
    with contextlib.closing(server.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE OR REPLACE USER keeper_of_secrets@localhost IDENTIFIED BY %s", (SECRET,))
        cursor.execute("GRANT ALL ON *.* TO keeper_of_secrets@localhost")
    return {"login_user": "keeper_of_secrets", "login_password": SECRET}


class Watcher:
    """Reads the command line and the environment of every process, again and again."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self.betrayals: list[str] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Watcher:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.is_set():
            for process in Path("/proc").iterdir():
                if process.name.isdigit() and int(process.name) != os.getpid():
                    self._look_at(process)

    def _look_at(self, process: Path) -> None:
        for file in ("cmdline", "environ"):
            with contextlib.suppress(OSError):
                text = (process / file).read_bytes()
                if file == "cmdline":
                    self.seen.add(os.path.basename(text.split(b"\0")[0].decode(errors="replace")))
                if any(trace.encode() in text for trace in TRACES):
                    self.betrayals.append(f"{process}/{file}: {text!r}")


def require_no_trace(*places: str | Path) -> None:
    for place in places:
        files = [each for each in Path(place).rglob("*") if each.is_file()] if isinstance(place, Path) else []
        for text in [each.read_text(errors="replace") for each in files] or [str(place)]:
            assert not [trace for trace in TRACES if trace in text]


def test_no_process_shows_the_password(server, shop, folder, account, run_module, start_module):
    with Watcher() as watcher:
        taken = run_module("db_backup", {"database": shop, "directory": str(folder), **account})["backup"]
        # Long enough that nobody can miss it.
        with contextlib.closing(server.connect(shop)) as holder, holder.cursor() as cursor:
            server.execute("DROP VIEW big_orders", schema=shop)
            cursor.execute("LOCK TABLES orders WRITE")
            dumping = start_module("db_backup", {"database": shop, "directory": str(folder), **account})
            dumping.wait_for(lambda: {"mariadb-dump"} & watcher.seen)
        dumping.end()
        rewrite(taken, before_table("orders", "DO SLEEP(1)"))
        run_module("db_restore", {"backup": taken["path"], **account})

    assert {"mariadb-dump", "mariadb"} <= watcher.seen
    assert watcher.betrayals == []


def test_the_watcher_would_see_it():
    with Watcher() as watcher:
        subprocess.run(["sleep", "0.5"], check=True, env={**os.environ, "MYSQL_PWD": SECRET})
        subprocess.run(["sh", "-c", "sleep 0.5", SECRET], check=True)

    assert any("/environ" in each for each in watcher.betrayals)
    assert any("/cmdline" in each for each in watcher.betrayals)


def test_neither_results_nor_files_hold_the_password(server, shop, folder, account, run_module, tmp_path):
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    surroundings = {"TMPDIR": str(temporary)}
    backup = run_module("db_backup", {"database": shop, "directory": str(folder), **account}, environment=surroundings)
    path = backup["backup"]["path"]
    runs = [
        backup,
        run_module("db_restore", {"backup": path, **account}, environment=surroundings),
        run_module("db_restore", {"backup": path, **account}, check=True, diff=True),
        run_module("db_backup", {"database": "none", "directory": str(folder), **account}, fails=True),
        run_module("db_restore", {"backup": path, "login_user": "x", "login_password": SECRET}, fails=True),
    ]
    rewrite(backup["backup"], before_table("orders", "INSERT INTO nowhere VALUES (1)"))
    runs.append(run_module("db_restore", {"backup": path, **account}, fails=True))
    rewrite(backup["backup"], lambda text: text.replace(b"nowhere", b"orders_gone"))
    options = {"backup": path, "safety_backup": False, "strategy": "in_place"}
    runs.append(run_module("db_restore", {**options, **account}, fails=True))
    assert runs[-1]["outcome"] == "broken"

    for run in runs:
        result = json.loads(json.dumps(run.result))
        # The driver's echo of the options; Ansible masks what has no_log there.
        assert result["invocation"]["module_args"]["login_password"] == "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
        require_no_trace(run.output, json.dumps(result, ensure_ascii=False))
    require_no_trace(folder, temporary)
    assert list(temporary.iterdir()) == []


@pytest.fixture
def ansible(tmp_path) -> Iterator:
    """Run one of Ansible's programs as a user does; returns status and output."""
    bin_directory = Path(sys.executable).parent
    collections = [path for path in sys.path if (Path(path) / "ansible_collections" / "dbops" / "recovery").exists()]
    (tmp_path / "ansible.cfg").write_text("[defaults]\n")
    environment = {
        **os.environ,
        "PATH": f"{bin_directory}:{os.environ['PATH']}",
        "ANSIBLE_COLLECTIONS_PATH": ":".join(collections),
        "ANSIBLE_CONFIG": str(tmp_path / "ansible.cfg"),
        "ANSIBLE_HOME": str(tmp_path / "ansible"),
        "ANSIBLE_LOCAL_TEMP": str(tmp_path / "ansible" / "local"),
        "ANSIBLE_REMOTE_TEMP": str(tmp_path / "ansible" / "remote"),
        "ANSIBLE_NOCOLOR": "1",
        "PYTHONWARNINGS": "",
    }

    def run(program: str, *arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [str(bin_directory / program), *arguments],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
        )

    return run


PLAYBOOK = """
- name: Back up, look, restore
  hosts: localhost
  connection: local
  gather_facts: false
  vars_files: [vault.json]
  vars:
    ansible_python_interpreter: "{{ ansible_playbook_python }}"
  module_defaults:
    group/dbops.recovery.database:
      login_user: keeper_of_secrets
      login_password: "{{ vault_password }}"
      login_unix_socket: "{{ socket }}"
  tasks:
    - name: Back up
      dbops.recovery.db_backup:
        database: "{{ shop }}"
        directory: "{{ folder }}"
      register: taken
    - name: Verify
      dbops.recovery.backup_verify:
        backup: "{{ taken.backup.path if taken.backup.manifest_path is defined else earlier }}"
    - name: Restore
      dbops.recovery.db_restore:
        backup: "{{ taken.backup.path if taken.backup.manifest_path is defined else earlier }}"
    - name: Fail on purpose
      dbops.recovery.db_backup:
        database: no_such_database
        directory: "{{ folder }}"
      ignore_errors: true
"""


def test_a_playbook_with_module_defaults_shows_no_password(server, shop, folder, account, ansible, tmp_path, backup):
    earlier = backup(shop)["path"]
    (tmp_path / "play.yml").write_text(PLAYBOOK)
    variables = {
        "vault_password": SECRET,
        "socket": server.socket,
        "shop": shop,
        "folder": str(folder),
        "earlier": earlier,
    }
    (tmp_path / "vault.json").write_text(json.dumps(variables))
    files = sorted(os.listdir(folder))
    before = server.dump(shop)

    checked = ansible("ansible-playbook", "-i", "localhost,", "-vvv", "--check", "--diff", "play.yml")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert sorted(os.listdir(folder)) == files
    assert "+++ after" in checked.stdout or "restored" in checked.stdout
    done = ansible("ansible-playbook", "-i", "localhost,", "-vvv", "--diff", "play.yml")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "changed=3" in done.stdout  # the verification is recorded in the manifest
    assert "failed=0" in done.stdout
    assert "no_such_database is not there" in done.stdout
    for run in (checked, done):
        assert "[WARNING]" not in run.stdout + run.stderr
        assert "DEPRECATION" not in run.stdout + run.stderr
        require_no_trace(run.stdout, run.stderr)
    require_no_trace(folder, tmp_path / "ansible")
    assert server.dump(shop) == before


def test_ansible_ad_hoc_with_vvv_shows_no_password(server, shop, folder, account, ansible, tmp_path):
    arguments = {
        "database": shop,
        "directory": str(folder),
        "login_unix_socket": server.socket,
        "login_user": account["login_user"],
        "login_password": "{{ vault_password }}",
    }
    (tmp_path / "vault.json").write_text(json.dumps({"vault_password": SECRET}))

    done = ansible(
        "ansible",
        "localhost",
        "-i",
        "localhost,",
        "-c",
        "local",
        "-e",
        "@vault.json",
        "-e",
        f"ansible_python_interpreter={sys.executable}",
        "-vvv",
        "-m",
        "dbops.recovery.db_backup",
        "-a",
        json.dumps(arguments),
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert '"sha256"' in done.stdout
    require_no_trace(done.stdout, done.stderr)
    require_no_trace(folder, tmp_path / "ansible")
