"""Measure what a deployment costs beside the application's own commands: forward and back, on one host and on many.

The hosts are directories of this machine, the commands are trivial, and there is no database. Where an sshd is
installed they are reached over SSH with pipelining, and the round trips are counted; else by local connections. There
are as many forks as hosts. Exits with 1 when a goal is missed. On a machine that does other things as well, look at the
counts and at the processor time of the controller rather than at the seconds.

"Nothing" is what Ansible itself needs: a play of as many tasks for each host, of which as many go to the host, that do
nothing. A deployment cannot be faster on as many hosts, and on few processors it is that which takes the time. The
controller's part alone is the least that hosts with processors of their own would leave of it.

    tests/benchmark/deploy.py [--hosts N] [--runs N]
"""

from __future__ import annotations

import argparse
import getpass
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

TESTS = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TESTS / "integration"))
from fleet import ANSIBLE_SETTINGS, CHECKOUT
from private_server import free_port

WANTED_FORWARD_SECONDS = 15
WANTED_BACK_SECONDS = 8
WANTED_RATIO = 4
# What is named bad does not start.
RESTART = "sh -c 'case $(pwd -P) in */bad*) exit 1;; esac'"


@dataclass(frozen=True)
class Cost:
    """What one run took: the processor time is the controller's; the seconds of a way back are those of that alone.

    Tasks are those that the last host was given, skipped ones as well: each is a process of the controller's.
    """

    seconds: float
    processor: float
    tasks: int
    trips: float | None


def main() -> int:
    """Run the benchmark, print its table, return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--hosts", type=int, default=20, help="how many are many hosts (default 20)")
    parser.add_argument("--runs", type=int, default=3, help="runs of each (default 3)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, ssh_server(Path(folder)) as server:
        print(f"Deployments over {'SSH' if server else 'local connections'}, {os.cpu_count()} cores, medians\n")
        print(f"{'':22}{'seconds':>9}{'processor':>11}{'tasks a host':>14}{'round trips a host':>20}")
        found = {}
        for hosts in sorted({1, options.hosts}):
            fleet = Fleet(Path(folder) / str(hosts), server, hosts)
            fleet.make()
            fleet.deploy("first")
            forward = median([fleet.deploy(f"good{number}") for number in range(options.runs)])
            back = median([fleet.deploy(f"bad{number}") for number in range(options.runs)])
            nothing = median([fleet.do_nothing(as_much_as=forward) for _run in range(options.runs)])
            for way, cost in (("forward", forward), ("back", back), ("nothing", nothing)):
                show(f"{way}, {hosts} host{'s' * (hosts > 1)}", cost)
                found[hosts, way] = cost
    slow = found[1, "forward"].seconds > WANTED_FORWARD_SECONDS or found[1, "back"].seconds > WANTED_BACK_SECONDS
    if options.hosts == 1:
        return int(slow)
    one, many = found[1, "forward"].seconds, found[options.hosts, "forward"]
    nothing = found[options.hosts, "nothing"].seconds / found[1, "nothing"].seconds
    alone = many.processor / (os.cpu_count() or 1)
    print(f"\nOn {options.hosts} hosts it takes {many.seconds / one:.1f} times as long as on one", end="")
    print(f", and nothing {nothing:.1f} times.")
    print(f"The controller's part alone, spread over its cores, is {alone:.1f} s: {alone / one:.1f} times.")
    return int(slow or many.seconds / one > WANTED_RATIO)


def show(name: str, cost: Cost) -> None:
    trips = "" if cost.trips is None else f"{cost.trips:.1f}"
    print(f"{name:22}{cost.seconds:9.1f}{cost.processor:11.1f}{cost.tasks:14}{trips:>20}", flush=True)


def median(costs: list[Cost]) -> Cost:
    seconds, processor = (statistics.median(each) for each in zip(*((cost.seconds, cost.processor) for cost in costs)))
    return Cost(seconds, processor, costs[0].tasks, costs[0].trips)


@dataclass(frozen=True)
class Fleet:
    """Hosts that are directories, and what it takes to deploy to them."""

    folder: Path
    server: Server | None
    hosts: int

    def make(self) -> None:
        """Write the inventory and the application."""
        self.folder.mkdir()
        (self.folder / "VERSION").write_text("1\n")
        with tarfile.open(self.folder / "shop.tar.gz", "w:gz") as archive:
            archive.add(self.folder / "VERSION", "VERSION")
        settings = {
            "ansible_connection": "ssh" if self.server else "local",
            "ansible_python_interpreter": sys.executable,
            "deploy_root": f"{self.folder}/{{{{ inventory_hostname }}}}",
            "deploy_source": str(self.folder / "shop.tar.gz"),
            "deploy_stage_commands": ["true"],
            "deploy_maintenance_on_commands": ["true"],
            "deploy_migrate_commands": ["true"],
            "deploy_restart_commands": [RESTART],
            "deploy_maintenance_off_commands": ["true"],
        }
        names = [f"host{number}" for number in range(1, self.hosts + 1)]
        each = {name: self.server.reached_by(number) if self.server else {} for number, name in enumerate(names, 1)}
        inventory = {"application": {"hosts": each, "vars": settings}}
        (self.folder / "inventory.yml").write_text(yaml.safe_dump(inventory))

    def deploy(self, release: str) -> Cost:
        """Deploy once. A release that is bad must have come back, any other must be live."""
        cost, said = self.run(CHECKOUT / "playbooks" / "deploy.yml", "-e", f"deploy_release={release}")
        wanted = r"the way back took ([\d.]+) s" if release.startswith("bad") else rf"Release {release} is live on"
        found = re.search(wanted, " ".join(said.split()))
        assert found, said
        return replace(cost, seconds=float(found[1])) if found.groups() else cost

    def do_nothing(self, as_much_as: Cost) -> Cost:
        """Run as many tasks for each host, of which as many go to the host."""
        pings = round(as_much_as.trips or 0)
        skipped = as_much_as.tasks - pings
        tasks = [{"ansible.builtin.ping": {}} for _ping in range(pings)]
        tasks += [{"ansible.builtin.debug": {"msg": "nothing"}, "when": False} for _skipped in range(skipped)]
        play = [{"hosts": "application", "gather_facts": False, "tasks": tasks}]
        (self.folder / "nothing.yml").write_text(yaml.safe_dump(play))
        return self.run(self.folder / "nothing.yml")[0]

    def run(self, playbook: Path, *arguments: str) -> tuple[Cost, str]:
        """Run a playbook; return what that took and what it said."""
        program = Path(sys.executable).parent / "ansible-playbook"
        command = [program, "-i", self.folder / "inventory.yml", "--forks", str(self.hosts), playbook, *arguments]
        before = self.server.sessions() if self.server else 0
        started, used = time.monotonic(), processor_seconds()
        done = subprocess.run(
            command,
            env={**os.environ, **ANSIBLE_SETTINGS, "ANSIBLE_PIPELINING": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        seconds, used = time.monotonic() - started, processor_seconds() - used
        counts = re.search(rf"^host{self.hosts} +: (.*)", done.stdout, re.MULTILINE)
        assert counts, done.stdout + done.stderr
        tasks = sum(int(counted) for counted in re.findall(r"(?:ok|skipped|failed|rescued)=(\d+)", counts[1]))
        trips = (self.server.sessions() - before) / self.hosts if self.server else None
        return Cost(seconds, used, tasks, trips), done.stdout + done.stderr


def processor_seconds() -> float:
    """Return the processor time of all processes that have ended by now and were waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@dataclass(frozen=True)
class Server:
    """An sshd of the benchmark's own, which this user may log in to."""

    folder: Path
    port: int

    def reached_by(self, number: int) -> dict[str, object]:
        """Return the variables of a host. Each has a connection of its own."""
        known = self.folder / "known_hosts"
        return {
            "ansible_host": "127.0.0.1",
            "ansible_control_path": str(self.folder / f"to{number}"),
            "ansible_port": self.port,
            "ansible_user": getpass.getuser(),
            "ansible_ssh_private_key_file": str(self.folder / "key"),
            "ansible_ssh_common_args": f"-F none -o StrictHostKeyChecking=accept-new -o UserKnownHostsFile={known}",
        }

    def sessions(self) -> int:
        """Return how many commands it has run, and files it has taken, so far."""
        return (self.folder / "log").read_text().count("Starting session: ")


@contextmanager
def ssh_server(folder: Path) -> Iterator[Server | None]:
    """Run an sshd for this machine alone; None where there is no such program."""
    program = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
    if not program:
        yield None
        return
    server = Server(folder, free_port())
    for name in ("key", "host_key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    settings = {
        "ListenAddress": f"127.0.0.1:{server.port}",
        "HostKey": folder / "host_key",
        "AuthorizedKeysFile": f"{folder}/key.pub",
        "PidFile": "none",
        "StrictModes": "no",
        "UsePAM": "no",
        "PermitRootLogin": "prohibit-password",
        "MaxStartups": 100,
        "Subsystem": "sftp internal-sftp",
        "LogLevel": "VERBOSE",
        # Debian's bash then takes itself for no login and leaves alone ~/.bashrc, which may do whatever takes long.
        "SetEnv": "SHLVL=2",
    }
    lines = [f"{name} {value}\n" for name, value in settings.items()]
    (folder / "sshd_config").write_text("".join(lines))
    log = folder / "log"
    log.touch()
    with subprocess.Popen([program, "-D", "-f", folder / "sshd_config", "-E", log]) as process:
        try:
            while "Server listening" not in log.read_text():
                assert process.poll() is None, log.read_text()
                time.sleep(0.1)
            yield server
        finally:
            process.terminate()


if __name__ == "__main__":
    sys.exit(main())
