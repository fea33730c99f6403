"""Run the parts of the test suite one after another and report on all of them.

Each part writes its whole output to .cache/logs/PART.log and, unless its exit status says all, its results to
.cache/results/PART: pytest as JUnit XML, the others as lines of `passed NAME` or `failed NAME`. A part that fails does
not stop the next one; a part in which no test ran has failed. The last line is the total; the exit status is 0 only
when everything passed.

With a single part named on the command line the output is shown while it runs; otherwise the lines that begin with
`Note: ` are, and the tail of a part that failed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
LOGS = ROOT / ".cache" / "logs"
RESULTS = ROOT / ".cache" / "results"
SHOWN_LINES = 60
HUNG = 124

PYTEST = [".venv/bin/python", "-m", "pytest", "-p", "no:cacheprovider"]
# Nothing of the demo stays behind, whatever became of it.
DEMO = ["bash", "-c", "examples/demo/run; status=$?; examples/demo/clean && exit $status"]


@dataclass(frozen=True)
class Part:
    """A command; how it reports (JUnit file, lines of results, or its exit status); seconds until it counts as hung."""

    command: list[str]
    reports: Literal["junit", "lines", "status"]
    limit: int


# The quickest answers come first.
PARTS = {
    "lint": Part(["scripts/lint"], "lines", 600),
    "unit": Part([*PYTEST, "tests/unit"], "junit", 600),
    "docs": Part(["scripts/docs"], "lines", 300),
    "browser": Part(["scripts/browser"], "junit", 600),
    "sanity": Part(["scripts/sanity"], "status", 900),
    "integration": Part(["scripts/integration"], "junit", 2400),
    "versions": Part(["scripts/versions"], "junit", 900),
    "conformance": Part(["scripts/conformance"], "junit", 900),
    "molecule": Part(["scripts/molecule", "test"], "lines", 2700),
    "demo": Part(DEMO, "status", 600),
}

# Minutes for what the integration tests have on another server already: on request, and in a job of its own.
ON_REQUEST = ("conformance",)

# An Ansible warning today is a failure after the next upgrade: these parts must be free of them.
WITHOUT_WARNINGS = ("molecule", "demo")
WARNING_MARKS = ("[WARNING]", "[DEPRECATION WARNING]", "DeprecationWarning")


@dataclass
class Outcome:
    part: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0
    remark: str = ""

    @property
    def result(self) -> str:
        return "failed" if self.failed else "passed"


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        print(f"There is no part {', '.join(unknown)}; there are: {', '.join(PARTS)}", file=sys.stderr)
        return 2
    LOGS.mkdir(parents=True, exist_ok=True)
    RESULTS.mkdir(parents=True, exist_ok=True)
    parts = names or [name for name in PARTS if name not in ON_REQUEST]
    outcomes = [run(part, show=len(parts) == 1) for part in parts]
    print_summary(outcomes)
    return 1 if any(outcome.failed for outcome in outcomes) else 0


def run(part: str, show: bool) -> Outcome:
    """Run one part; with `show` its output is seen live."""
    command, limit = PARTS[part].command, PARTS[part].limit
    report = RESULTS / part
    report.unlink(missing_ok=True)
    log = LOGS / f"{part}.log"
    if PARTS[part].reports == "junit":
        command = [*command, f"--junit-xml={report}"]
    print(f"{part}: started, log in {log.relative_to(ROOT)}", flush=True)
    started = time.monotonic()
    status = run_logged(command, log, {**os.environ, **environment(), "RESULTS": str(report)}, limit, show)
    outcome = judge(part, status, report, log)
    outcome.seconds = time.monotonic() - started
    if not show:
        lines = log.read_text(errors="replace").splitlines()
        notes = [line for line in lines if line.startswith("Note: ")]
        for line in notes + (lines[-SHOWN_LINES:] if outcome.failed else []):
            print(f"  | {line}")
    remark = f" ({outcome.remark})" if outcome.remark else ""
    print(f"{part}: {outcome.result} after {outcome.seconds:.0f} s{remark}", flush=True)
    return outcome


def environment() -> dict[str, str]:
    """The variables that every part shares: our programs first on PATH, our collection found under its name."""
    sbin = "/usr/local/sbin:/usr/sbin:/sbin"
    return {
        "PATH": f"{ROOT}/.venv/bin:{os.environ['PATH']}:{sbin}",
        "VIRTUAL_ENV": str(ROOT / ".venv"),
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".venv" / "collections"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "NO_COLOR": "1",
        "ANSIBLE_NOCOLOR": "1",
    }


def run_logged(command: list[str], log: Path, env: dict[str, str], limit: int, show: bool) -> int:
    """Run a command without standard input, its output to the log; return its exit status, or HUNG if we stopped it."""
    try:
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
    except OSError as error:
        log.write_text(f"{command[0]} could not be started: {error}\n")
        return 127
    tail = subprocess.Popen(["tail", "-n", "+1", "-f", f"--pid={process.pid}", str(log)]) if show else None
    try:
        status = process.wait(timeout=limit)
    except subprocess.TimeoutExpired:
        stop(process)
        status = HUNG
    except KeyboardInterrupt:
        stop(process)
        raise
    finally:
        if tail is not None:
            tail.wait()
    return status


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a part with all it started: politely, so that it can clean up, then for good."""
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(timeout=60)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def judge(part: str, status: int, report: Path, log: Path) -> Outcome:
    """Turn an exit status and a report into counts. What is absent or contradictory counts as a failure."""
    outcome = Outcome(part)
    reports = PARTS[part].reports
    if reports == "status":
        outcome.passed, outcome.failed = (1, 0) if status == 0 else (0, 1)
    elif report.exists():
        outcome.passed, outcome.failed, outcome.skipped = (count_junit if reports == "junit" else count_lines)(report)
    if status == HUNG:
        outcome.remark = f"stopped after {PARTS[part].limit} s"
    elif status != 0 and not outcome.failed:
        outcome.remark = f"exit status {status}"
    elif outcome.passed + outcome.failed == 0:
        outcome.remark = "ran no test"
    elif part in WITHOUT_WARNINGS and (warnings := warnings_in(log)):
        outcome.remark = f"{len(warnings)} warnings, the first: {warnings[0]}"
    if outcome.remark and not outcome.failed:
        outcome.failed = 1
    return outcome


def count_junit(report: Path) -> tuple[int, int, int]:
    """Count the passed, failed and skipped cases of a JUnit file; an unreadable one has one failure."""
    try:
        cases = list(ElementTree.parse(report).iter("testcase"))
    except ElementTree.ParseError:
        return 0, 1, 0
    kinds = [{child.tag for child in case} for case in cases]
    failed = sum(1 for kind in kinds if kind & {"failure", "error"})
    skipped = sum(1 for kind in kinds if "skipped" in kind)
    return len(cases) - failed - skipped, failed, skipped


def count_lines(report: Path) -> tuple[int, int, int]:
    """Count the `passed NAME` and `failed NAME` lines that a script has written."""
    words = [line.split(maxsplit=1)[0] for line in report.read_text().splitlines() if line.strip()]
    return words.count("passed"), words.count("failed"), 0


def warnings_in(log: Path) -> list[str]:
    lines = log.read_text(errors="replace").splitlines()
    return [line.strip() for line in lines if any(mark in line for mark in WARNING_MARKS)]


def print_summary(outcomes: list[Outcome]) -> None:
    print(f"\n{'part':<12} {'result':<7} {'passed':>7} {'failed':>7} {'skipped':>8} {'seconds':>8}")
    for one in outcomes:
        print(f"{one.part:<12} {one.result:<7} {one.passed:>7} {one.failed:>7} {one.skipped:>8} {one.seconds:>8.1f}")
    skipped = sum(one.skipped for one in outcomes)
    passed, failed = (sum(getattr(one, name) for one in outcomes) for name in ("passed", "failed"))
    print(f"\n{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, interrupt)
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
