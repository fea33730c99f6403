# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError
from ansible_collections.dbops.recovery.plugins.module_utils._release import actions
from ansible_collections.dbops.recovery.plugins.module_utils._release.workers import (
    Worker,
    compile_pattern,
    is_worker,
    restart_workers,
)

WORK = compile_pattern("artisan queue:work")

# Ends at the signal, but not before its job is done; what keeps it running starts the next.
KEEPER = """
import pathlib, subprocess, sys
while not pathlib.Path("stop").exists():
    subprocess.run([sys.executable, "-c", "import pathlib, sys, time\\nwhile not pathlib.Path('told').exists(): "
    "time.sleep(0.02)\\ntime.sleep(0.3)\\npathlib.Path('told').unlink(missing_ok=True)", "artisan", "queue:work"])
    if sys.argv[1] == "once":
        break
"""


@pytest.mark.parametrize(
    ("arguments", "directory", "expected"),
    [
        (("php", "artisan", "queue:work", "--tries=3"), "/srv/shop/releases/1", True),
        (("php", "/srv/shop/current/artisan", "queue:work"), "/", True),
        (("php", "artisan", "queue:work"), "/srv/shop-staging/releases/1", False),
        (("php", "/srv/other/current/artisan", "queue:work"), "/", False),
        (("php", "artisan", "queue:restart"), "/srv/shop/releases/1", False),
    ],
)
def test_a_worker_runs_the_command_and_belongs_to_the_application(arguments, directory, expected):
    assert is_worker(arguments, directory, "/srv/shop", WORK) is expected


@pytest.mark.parametrize(("match", "words"), [("queue:(work", "no regular expression"), ("", "matches every")])
def test_a_pattern_that_cannot_be_meant_is_refused(match, words):
    with pytest.raises(RecoveryError, match=words):
        compile_pattern(match)


@pytest.fixture
def root(tmp_path):
    actions.set_release({"root": str(tmp_path), "release": "1", "state": "staged", "note": None}, False)
    actions.set_release({"root": str(tmp_path), "release": "1", "state": "live", "note": None}, False)
    return tmp_path


@pytest.fixture
def keep(root):
    """Start what keeps one worker running, for ever or for once."""
    started = []

    def start(times):
        started.append(subprocess.Popen([sys.executable, "-c", KEEPER, times], cwd=root / "current"))
        while not actions.workers.running_workers(str(root), WORK):
            pass

    yield start
    for name in ("stop", "told"):
        (root / "current" / name).touch()
    for process in started:
        process.wait(10)


def restart(root, *commands, check=False, timeout=5):
    options = {"root": str(root), "match": WORK.pattern, "commands": list(commands), "timeout": timeout}
    return actions.restart_workers({**options, "environment": None}, check)


def test_the_old_worker_is_gone_and_a_new_one_runs_when_it_is_over(root, keep):
    keep("always")
    result = restart(root, "touch told")
    assert len(result["old"]) == len(result["new"]) == 1
    assert result["old"] != result["new"]
    assert not Path(f"/proc/{result['old'][0]}").exists()


def test_a_new_worker_is_not_enough_while_an_old_one_is_still_at_work():
    busy, idle, new = (Worker(pid, 100, ("worker",)) for pid in (1, 2, 3))
    seen = iter([{busy, idle}, {busy, new}, {new}])
    assert restart_workers(lambda: next(seen), lambda: None, timeout=60) == ({busy, idle}, {new})
    assert not list(seen)


def test_a_worker_that_does_not_hear_the_signal_is_named_when_the_time_is_over(root, keep):
    keep("always")
    with pytest.raises(RecoveryError, match=r"After 0.3 s these workers still run the old code: \d+ \(.*artisan"):
        restart(root, "true", timeout=0.3)


def test_workers_that_nobody_starts_again_are_a_failure(root, keep):
    keep("once")
    with pytest.raises(RecoveryError, match="The old workers are gone, but no new one ran within"):
        restart(root, "touch told", timeout=1)


def test_where_no_worker_runs_the_signal_is_all(root):
    assert restart(root, "touch told")["old"] == []
    assert (root / "current" / "told").exists()


def test_check_mode_tells_the_workers_nothing(root):
    assert restart(root, "touch told", check=True)["changed"]
    assert not (root / "current" / "told").exists()
