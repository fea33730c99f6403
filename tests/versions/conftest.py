# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The modules on every version of the server that we support, beside the one that the integration tests use."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from place import ROOT, VERSIONS, Place, Version

# Shared with the integration tests: handmade.py.
sys.path.append(str(ROOT / "tests" / "integration"))

NOT_TESTED = pytest.StashKey[dict[str, str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[NOT_TESTED] = {}


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Version], Path]]:
    """Make all roots at the same time; the function waits for one of them."""
    logs = {each.label: tmp_path_factory.mktemp("roots") / "log" for each in VERSIONS}
    builders = {}
    for each in VERSIONS:
        with logs[each.label].open("wb") as log:
            argv = [str(ROOT / "scripts" / "server-root"), each.suite, *each.packages]
            # mmdebstrap sends SIGHUP to its whole process group when it fails.
            builders[each.label] = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=log, start_new_session=True)

    def wait(version: Version) -> Path:
        output, _nothing = builders[version.label].communicate()
        if builders[version.label].returncode != 0:
            raise ChildProcessError(complaints(logs[version.label].read_text(errors="replace")))
        return Path(output.decode().strip())

    yield wait
    for builder in builders.values():
        if builder.poll() is None:
            os.killpg(builder.pid, signal.SIGTERM)
        with builder:
            pass


def complaints(log: str) -> str:
    """The lines in which apt and mmdebstrap say what is wrong, or the last ones where none says so."""
    lines = log.splitlines()
    said = [line for line in lines if line.startswith(("E: ", "Err:", "W: Failed"))]
    return "\n".join((said or lines or ["it said nothing"])[-20:])


@pytest.fixture(scope="session", params=VERSIONS, ids=lambda version: version.label)
def place(request: pytest.FixtureRequest, build: Callable[[Version], Path]) -> Iterator[Place]:
    """A host with one of the versions, its server running."""
    version = request.param
    try:
        root = build(version)
    except ChildProcessError as error:
        if not version.may_be_missing:
            raise
        reason = f"{version.label} cannot be installed from {version.suite}: {str(error).splitlines()[0]}"
        request.config.stash[NOT_TESTED][version.label] = reason
        pytest.skip(reason)
    host = Place(version, root)
    try:
        host.start()
        yield host
    finally:
        host.remove()


@pytest.fixture
def folder(place: Place, tmp_path: Path) -> Path:
    """An empty backup directory that the modules see too."""
    backups = place.folder / tmp_path.name
    backups.mkdir(mode=0o700)
    return backups


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for reason in config.stash[NOT_TESTED].values():
        terminalreporter.write_line(f"Note: not tested: {reason}")
