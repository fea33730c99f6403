# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A reader of the documents: sits in a checkout, types what stands there, and compares what comes with what is shown.

The hosts of the example's inventory are directories of this machine, the server is a private one.
"""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

import yaml
from documents import Command
from fleet import CHECKOUT
from terminal import at_terminal

HOSTS = ("staging.shop.test", "web1.shop.example.org", "web2.shop.example.org", "db1.shop.example.org")
SOCKET = "/run/mysqld/mysqld.sock"
# What belongs to hosts and lies below the reader's directory here.
PLACES = re.compile(r"(?<![\w/])/(?=(?:var/backups|var/lib/dbops|var/www|mnt|srv)\b)")


class Reader:
    """Where the reader sits, and what is there."""

    def __init__(self, directory: Path, server):
        self.directory, self.server = directory, server
        self._block, self._here = None, directory
        self.places = {
            str(directory): "",
            str(server.socket): SOCKET,
            str(server.datadir): "/var/lib/mysql",
            f"on {platform.node()} ": "on db1 ",
            f"from {platform.node()},": "from ci-7,",
            f"host: {platform.node()}\n": "host: db1\n",
        }
        (directory / ".my.cnf").write_text(f"[client]\nsocket={server.socket}\nuser=root\n")
        for host in HOSTS:
            self.set(host, ansible_connection="local", ansible_python_interpreter=sys.executable)

    def sit_in_a_checkout(self) -> None:
        """Make this the top of a checkout, with the example's inventory in the place of the reader's own."""
        (self.directory / "playbooks").symlink_to(CHECKOUT / "playbooks")
        settings = (CHECKOUT / "ansible.cfg").read_text()
        self.write("ansible.cfg", settings.replace("examples/inventory", "inventory"))
        examples = CHECKOUT / "examples" / "inventory"
        for path in (path for path in examples.rglob("*") if path.is_file()):
            name = str(path.relative_to(examples.parent)).removesuffix(".example")
            self.write(name, path.read_text())
        connection = {"login_unix_socket": str(self.server.socket), "login_user": "root"}
        for host in HOSTS:
            # Nobody else owns anything here.
            self.set(host, deploy_user="", deploy_group="", deploy_database_connection=connection)

    def write(self, name: str, text: str) -> None:
        """Write a file of the reader's own."""
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.placed(text))

    def placed(self, text: str) -> str:
        """Return text with the paths of its hosts below this directory, and with the private server's socket."""
        here = PLACES.sub(f"{self.directory}/", text).replace(SOCKET, str(self.server.socket))
        # The account that Ansible uses on the hosts is whoever runs this, and so is the application's user.
        here = re.sub("-o (deploy|shop) ", f"-o {os.getuid()} ", here).replace("-g shop ", f"-g {os.getgid()} ")
        return here.replace("/usr/lib/nagios/plugins", str(CHECKOUT / "examples" / "nagios"))

    def folder(self, path: str) -> Path:
        """Make a directory of a host, open to its owner alone, and return where it is."""
        made = Path(self.placed(path))
        made.mkdir(parents=True, exist_ok=True, mode=0o700)
        return made

    def set(self, host: str, **variables: object) -> None:
        """Set variables of a host, over what its inventory says."""
        path = self.directory / "inventory" / "host_vars" / f"{host}.yml"
        path.parent.mkdir(parents=True, exist_ok=True)
        before = yaml.safe_load(path.read_text()) if path.exists() else {}
        path.write_text(json.dumps({**before, **variables}))

    def desk(self) -> dict[str, object]:
        """Return where a program is started by the reader, and with which environment."""
        ours = {name: value for name, value in os.environ.items() if name not in ("CI", "AWX_ISOLATED_DATA_DIR")}
        environment = {
            **ours,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(self.directory),
            "ANSIBLE_COLLECTIONS_PATH": str(CHECKOUT / ".venv" / "collections"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_PIPELINING": "1",
            "COLUMNS": "120",
        }
        return {"cwd": self.directory, "env": environment}

    def type(self, command: Command) -> subprocess.CompletedProcess:
        """Type a command, and the answers to what it asks."""
        started = self.desk()
        if command.block != self._block:
            self._block, self._here = command.block, self.directory
        # Where a command leads the reader, the next one of the block is typed.
        script = f'cd "$1"\n{self.placed(command.text)}\nstatus=$?; pwd >"$2"; exit $status'
        here = self.directory / ".here"
        program = ["bash", "-c", script, "bash", str(self._here), str(here)]
        if command.typed:
            pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "timeout": 120}
            done = subprocess.run(program, input="\n".join(command.typed), check=False, **pipes, **started)
        else:
            done = at_terminal(program, Person(), started)
        self._here = Path(here.read_text().strip())
        # What a document shows of a command is taken from here.
        with (self.directory / "transcript").open("a") as transcript:
            transcript.write(f"$ {command.text}\n{self.as_there(done.stdout)}\n")
        return done

    def hosts(self) -> dict[str, object]:
        """Return what there is on the hosts: the databases, the directories, each file with its size and its moment."""
        names = [name for (name,) in self.server.query("SHOW DATABASES LIKE 'shop%'")]
        files = [path for place in ("var", "srv", "mnt") for path in (self.directory / place).rglob("*")]
        return {
            **{name: self.server.dump(name) for name in names},
            **{str(path): path.is_file() and (path.stat().st_size, path.stat().st_mtime_ns) for path in files},
        }

    def as_there(self, output: str) -> str:
        """Return an output as it would be on the hosts of the documents."""
        for here, there in self.places.items():
            # A long line may be broken wherever it has a space.
            output = re.sub(r"\s+".join(map(re.escape, here.split(" "))), lambda _found, to=there: to, output)
        return output

    def missing(self, command: Command, output: str) -> list[str]:
        """Return the lines that a document shows of a command's output, and that the output lacks.

        They come in their order, with others between them. Their words are compared: numbers, moments and where a line
        ends differ from run to run. What stands for something else is `...`.
        """
        said = shape(self.as_there(output))
        lacking = []
        for passage in filter(shape, re.split(r"\[?\.\.\.\]?|\n", "\n".join(command.shown))):
            _before, found, after = said.partition(shape(passage))
            if found:
                said = after
            else:
                lacking.append(passage.strip())
        return lacking


class Person:
    """Answers questions as somebody does who means it."""

    def __init__(self) -> None:
        self.answered = 0

    def __call__(self, shown: str) -> str | None:
        """Answer the last question, unless it was answered."""
        questions = re.findall(r"Type (.+?) to go on", shown)
        if len(questions) <= self.answered:
            return None
        self.answered += 1
        if questions[-1] != "the name of the database":
            return questions[-1]
        return re.findall(r"(?:database|of|what earlier restores of) (\w+) on \S+ \(", shown)[-1]


def shape(text: str) -> str:
    """Return the words of an output, with all that no two runs have in common replaced by marks."""
    text = re.sub(r"\.shop\.example\.org|['\"]", "", text)
    text = re.sub(r"(__(?:before|restore))_[0-9a-f]{8}", r"\1_#", text)
    text = re.sub(r"(\d{8}T\d{6}Z)-[0-9a-f]{4}\b", r"\1", text)
    # Moments, sizes, versions, names of backups; then one mark for a run of them, with whatever unit.
    text = re.sub(r"\d[\d.,:TZ_-]*", "#", text)
    text = re.sub(r"(#\s*(?:[kKMGT]i?B|B|d|h|min|m|s)\b\s*)+", "# ", text)
    return " ".join(re.sub(r"\*{3,}|-{3,}", "", text).split())
