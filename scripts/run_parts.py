"""Run the parts of the test suite, some of them side by side, and report on all of them.

Each part writes its whole output to .cache/logs/PART.log and, unless its exit status says all, its results to
.cache/results/PART: pytest as JUnit XML, the others as lines of `passed NAME` or `failed NAME`. A part that fails does
not stop the others; a part in which no test ran has failed. The last lines name what failed and count it all; the exit
status is 0 only when everything passed.

With a single part named on the command line the output is shown while it runs; otherwise the lines that begin with
`Note: ` are when it has ended, and the tail of a part that failed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
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


# They begin in this order: the quickest answers come first.
PARTS = {
    "lint": Part(["scripts/lint"], "lines", 600),
    "unit": Part([*PYTEST, "tests/unit"], "junit", 600),
    "docs": Part(["scripts/docs"], "lines", 300),
    "browser": Part(["scripts/browser"], "junit", 600),
    "sanity": Part(["scripts/sanity"], "status", 900),
    "integration": Part(["scripts/integration"], "junit", 3600),
    "versions": Part(["scripts/versions"], "junit", 900),
    "conformance": Part(["scripts/conformance"], "junit", 900),
    "molecule": Part(["scripts/molecule", "test"], "lines", 2700),
    "demo": Part(DEMO, "status", 600),
}

# So many parts run side by side. The long ones keep two processors busy by themselves; with two parts at a time there,
# each took so much longer that nothing was gained.
LANES = max(1, (os.cpu_count() or 1) // 2)

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
    failures: list[str] = field(default_factory=list)

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
    started = time.monotonic()
    outcomes = run_all(parts)
    print_summary(outcomes, time.monotonic() - started)
    return 1 if any(outcome.failed for outcome in outcomes) else 0


def run_all(parts: list[str]) -> list[Outcome]:
    """Run the parts, as many side by side as there are lanes, and tell of each when it has ended."""
    show = len(parts) == 1
    waiting, running, outcomes = list(parts), [], {}
    try:
        while waiting or running:
            while waiting and len(running) < LANES:
                running.append(Run(waiting.pop(0), show))
            time.sleep(0.1)
            for run in [run for run in running if run.has_ended()]:
                running.remove(run)
                outcomes[run.part] = run.outcome()
                tell(outcomes[run.part], run.log, shown=show)
    finally:
        for run in running:
            if not run.has_ended():
                stop(run.process)
    return [outcomes[part] for part in parts]


class Run:
    """A part at work, without standard input, its output in the log; with `show` that is seen live."""

    def __init__(self, part: str, show: bool):
        self.part = part
        self.log, self.report = LOGS / f"{part}.log", RESULTS / part
        self.report.unlink(missing_ok=True)
        command = PARTS[part].command
        if PARTS[part].reports == "junit":
            command = [*command, f"--junit-xml={self.report}"]
        print(f"{part}: started, log in {self.log.relative_to(ROOT)}", flush=True)
        self.started = time.monotonic()
        self.status: int | None = None
        self.tail: subprocess.Popen[bytes] | None = None
        try:
            with self.log.open("wb") as output:
                self.process = subprocess.Popen(
                    command,
                    cwd=ROOT,
                    env={**os.environ, **environment(), "RESULTS": str(self.report)},
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
        except OSError as error:
            self.log.write_text(f"{command[0]} could not be started: {error}\n")
            self.status = 127
            return
        if show:
            self.tail = subprocess.Popen(["tail", "-n", "+1", "-f", f"--pid={self.process.pid}", str(self.log)])

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    def has_ended(self) -> bool:
        """Look whether it has ended. What takes longer than its limit hangs, and is stopped."""
        if self.status is None:
            self.status = self.process.poll()
        if self.status is None and self.seconds > PARTS[self.part].limit:
            stop(self.process)
            self.status = HUNG
        return self.status is not None

    def outcome(self) -> Outcome:
        if self.tail is not None:
            self.tail.wait()
        outcome = judge(self.part, self.status, self.report, self.log)
        outcome.seconds = self.seconds
        return outcome


def tell(outcome: Outcome, log: Path, shown: bool) -> None:
    """Say how a part has ended, below what is of interest in its log, unless that was shown."""
    if not shown:
        lines = log.read_text(errors="replace").splitlines()
        notes = [line for line in lines if line.startswith("Note: ")]
        for line in notes + (lines[-SHOWN_LINES:] if outcome.failed else []):
            print(f"  | {line}")
    remark = f" ({outcome.remark})" if outcome.remark else ""
    print(f"{outcome.part}: {outcome.result} after {outcome.seconds:.0f} s{remark}", flush=True)


def environment() -> dict[str, str]:
    """The variables that every part shares: our programs first on PATH, our collection found under its name."""
    sbin = "/usr/local/sbin:/usr/sbin:/sbin"
    return {
        "PATH": f"{ROOT}/.venv/bin:{os.environ['PATH']}:{sbin}",
        "VIRTUAL_ENV": str(ROOT / ".venv"),
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".venv" / "collections"),
        "NO_COLOR": "1",
        "ANSIBLE_NOCOLOR": "1",
    }


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
        (count_junit if reports == "junit" else count_lines)(report, outcome)
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


def count_junit(report: Path, outcome: Outcome) -> None:
    """Count the passed, failed and skipped cases of a JUnit file; an unreadable one has one failure."""
    try:
        cases = list(ElementTree.parse(report).iter("testcase"))
    except ElementTree.ParseError as error:
        outcome.failed, outcome.remark = 1, f"{report.name}: {error}"
        return
    for case in cases:
        kinds = {child.tag for child in case}
        if kinds & {"failure", "error"}:
            outcome.failed += 1
            outcome.failures.append(pytest_name(case))
        elif "skipped" in kinds:
            outcome.skipped += 1
        else:
            outcome.passed += 1


def pytest_name(case: ElementTree.Element) -> str:
    """Return what pytest takes to run the case again. A file that could not be read has a name alone."""
    file, name = case.get("classname", ""), case.get("name", "")
    return f"{file.replace('.', '/')}.py::{name}" if file else name


def count_lines(report: Path, outcome: Outcome) -> None:
    """Count the `passed NAME` and `failed NAME` lines that a script has written."""
    for line in report.read_text().splitlines():
        word, _space, name = line.strip().partition(" ")
        if word == "passed":
            outcome.passed += 1
        elif word == "failed":
            outcome.failed += 1
            outcome.failures.append(name)


def warnings_in(log: Path) -> list[str]:
    lines = log.read_text(errors="replace").splitlines()
    return [line.strip() for line in lines if any(mark in line for mark in WARNING_MARKS)]


def print_summary(outcomes: list[Outcome], seconds: float) -> None:
    print(f"\n{'part':<12} {'result':<7} {'passed':>7} {'failed':>7} {'skipped':>8} {'seconds':>8}")
    for one in outcomes:
        print(f"{one.part:<12} {one.result:<7} {one.passed:>7} {one.failed:>7} {one.skipped:>8} {one.seconds:>8.1f}")
    if len(outcomes) > 1:
        print(f"{'together':<12} {seconds:>42.1f}")
    failures = [(one.part, name) for one in outcomes for name in one.failures or [one.remark] * bool(one.failed)]
    if failures:
        print("\nfailed:")
    for part, name in failures:
        print(f"  {part}: {name}".rstrip(": "))
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
