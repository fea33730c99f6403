# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is published, installed where nothing else is: no file of the checkout is needed for it to work."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]

PLAYBOOK = """
- hosts: localhost
  gather_facts: false
  tasks:
    - dbops.recovery.db_backup:
        database: "{{ restore_database }}"
        directory: "{{ restore_directory }}"
        login_unix_socket: "{{ restore_connection.login_unix_socket }}"
        login_user: root
      register: backed_up
    - dbops.recovery.backup_verify:
        backup: "{{ backed_up.backup.path }}"
        level: restore
"""


def run(directory: Path, *command: str | Path) -> str:
    """Run a command with nothing of this checkout in its environment; return what it wrote."""
    settings = {"HOME": str(directory), "PATH": f"{directory}/venv/bin:{os.environ['PATH']}", "NO_COLOR": "1"}
    pip = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_", "REQUESTS_"))}
    done = subprocess.run(command, cwd=directory, env={**settings, **pip}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stdout + done.stderr, done.stdout + done.stderr
    return done.stdout


def test_the_built_collection_backs_up_proves_and_restores_in_a_clean_environment(server, shop, folder, tmp_path):
    run(tmp_path, CHECKOUT / "scripts" / "artifact", tmp_path / "artifact")
    (artifact,) = (tmp_path / "artifact").glob("*.tar.gz")
    run(tmp_path, sys.executable, "-m", "venv", "--without-pip", "venv")
    pip = (sys.executable, "-m", "pip", "--python", "venv/bin/python")
    runtime = CHECKOUT / "requirements" / "runtime.txt"
    run(tmp_path, *pip, "install", "-q", "--no-input", "--no-compile", "--requirement", runtime)
    run(tmp_path, "venv/bin/ansible-galaxy", "collection", "install", "--offline", artifact)
    playbook = tmp_path / "playbook.yml"
    playbook.write_text(PLAYBOOK)
    before = server.dump(shop)

    options = {
        "restore_hosts": "localhost",
        "restore_database": shop,
        "restore_directory": str(folder),
        "restore_connection": {"login_unix_socket": str(server.socket), "login_user": "root"},
        "restore_confirm": shop,
        "ansible_python_interpreter": str(tmp_path / "venv" / "bin" / "python"),
    }
    ansible = ("venv/bin/ansible-playbook", "-i", "localhost,", "-c", "local", "-e", json.dumps(options))
    run(tmp_path, *ansible, playbook)
    server.execute("DELETE FROM orders", schema=shop)
    said = run(tmp_path, *ansible, "dbops.recovery.restore")

    assert f"Restored {shop} from" in said
    assert server.dump(shop) == before
