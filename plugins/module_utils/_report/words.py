# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a restore test found, in words: the verdict, the figures, the answers to the checks.

Pure functions of records (format 1). The page and the summary say the same, since both take it from here.

Private to the collection.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from ansible_collections.dbops.recovery.plugins.module_utils._report.record import failing
from ansible_collections.dbops.recovery.plugins.module_utils._text import counted, one_line, some_of
from ansible_collections.dbops.recovery.plugins.module_utils._units import parse_time, show_duration, show_size

# A test passed; it restored the database, but too late or from too old a backup; it did not restore it as it should.
PASSED = "passed"
MISSED = "missed"
FAILED = "failed"
# What a check found that does not decide.
WARNING = "warning"
UNASKED = "unasked"

# How a test's or a check's result is called.
RESULTS = {
    PASSED: "passed",
    MISSED: "target missed",
    FAILED: "failed",
    WARNING: "warning",
    UNASKED: "not asked",
}

_WHILE = {
    "find": "while looking for the backup",
    "download": "while downloading the backup",
    "check": "while reading the backup",
    "server": "while starting the scratch server",
    "load": "while loading the backup",
    "restore": "while restoring the backup",
    "verify": "while verifying the copy",
}
_NAMED = 3


@dataclass(frozen=True)
class Verdict:
    """The result, what it means, and the figures or the cause ("" where there is nothing to add)."""

    result: str
    headline: str
    detail: str

    @property
    def sentence(self) -> str:
        return f"{self.headline}: {self.detail}" if self.detail else self.headline


@dataclass(frozen=True)
class Fact:
    """A figure, what it is of, what it is held against; and PASSED or MISSED or FAILED where it was held against it."""

    label: str
    value: str
    note: str
    result: str | None = None


def label(test: dict, tests: list[dict]) -> str:
    """Given one of the tests of a run, return what it is called: the database, or the backup where it had several."""
    if [each["database"] for each in tests].count(test["database"]) < 2:
        return one_line(test["database"])
    return one_line(test["backup"]["name"] if test["backup"] else test["name"])


def verdict(test: dict, name: str | None = None) -> Verdict:
    """Given the record of a test, and what it is called if not by its database, return its verdict."""
    database = name or one_line(test["database"])
    bad = failing(test["checks"])
    if test["failure"]:
        phase = one_line(test["failure"]["phase"])
        return Verdict(
            FAILED, f"{database} could not be restored", f"failed {_WHILE.get(phase, f'in the phase {phase}')}"
        )
    if bad:
        failed = f"{len(bad)} of {counted(len(test['checks']), 'check')} failed"
        named = _and_more([each["name"] for each in bad])
        return Verdict(FAILED, f"{database} did not come back as it was backed up", f"{failed}: {named}")
    if test["passed"]:
        return Verdict(PASSED, f"{database} can be restored", _figures(test))
    missed = _missed_targets(test)
    if missed:
        return Verdict(MISSED, f"{database} can be restored, but not within its targets", missed)
    return Verdict(FAILED, f"{database} did not pass the test", "")


def verdict_of_run(tests: list[dict]) -> Verdict:
    """Given the records of one run, return the verdict on all of them; on the one, where there is one."""
    if len(tests) == 1:
        return verdict(tests[0])
    if not tests:
        return Verdict(FAILED, "No database was tested", "")
    verdicts = [verdict(test, label(test, tests)) for test in worst_first(tests)]
    blamed = [each for each in verdicts if each.result != PASSED]
    what = "databases" if len({test["database"] for test in tests}) == len(tests) else "backups"
    if not blamed:
        return Verdict(PASSED, f"All {len(tests)} {what} can be restored", _worst_figures(tests))
    if blamed[0].result == MISSED:
        headline = f"All {len(tests)} {what} can be restored, but {len(blamed)} not within the targets"
        return Verdict(MISSED, headline, _and_more([each.sentence for each in blamed], "; "))
    headline = f"{len(blamed)} of {len(tests)} {what} did not pass"
    return Verdict(FAILED, headline, _and_more([each.headline for each in blamed], "; "))


def facts(test: dict) -> list[Fact]:
    """Given the record of a test, return its figures: recovery time, age of the newest backup, size, checks."""
    backup = test["backup"] or {"sql_bytes": None, "size_bytes": None, "compression": None}
    stored = (
        f"{size(backup['size_bytes'])} stored ({one_line(backup['compression'])})" if test["backup"] else "no backup"
    )
    return [
        Fact("Recovery time", duration(test["rto"]["seconds"]), *_held(test["rto"])),
        _age_fact(test),
        Fact("Size of the SQL", size(backup["sql_bytes"]), stored),
        _checks_fact(test["checks"]),
    ]


def check_result(check: dict) -> str:
    """Given a check of a record, return what its answer means."""
    if check["passed"]:
        return PASSED
    return {"error": FAILED, "warning": WARNING}.get(check["severity"], UNASKED)


def sorted_checks(checks: list[dict]) -> list[dict]:
    """Given the checks of a record, return them with what needs a person first."""
    order = [FAILED, WARNING, UNASKED, PASSED]
    return sorted(checks, key=lambda check: order.index(check_result(check)))


def worst_first(tests: list[dict]) -> list[dict]:
    """Given the records of one run, return them with those first that need a person."""
    order = [FAILED, MISSED, PASSED]
    return sorted(tests, key=lambda test: order.index(verdict(test).result))


def duration(seconds: float | None) -> str:
    """Given seconds, return them for a person: "0.8s", "5m 24s"; "unknown" for None."""
    if seconds is None:
        return "unknown"
    # A tenth matters to a phase of seconds, and nowhere else.
    return f"{seconds:.1f}s" if 0 < seconds < 9.95 else show_duration(timedelta(seconds=round(seconds)))


def old(seconds: float | None) -> str:
    """Given an age in seconds, return it for a person: "1h 30m old"; "unknown" for None."""
    return "unknown" if seconds is None else f"{duration(seconds)} old"


def size(count: int | None) -> str:
    """Given bytes, return them for a person: "183.9 MiB"; "unknown" for None."""
    return "unknown" if count is None else show_size(count)


def rate(phase: dict) -> str:
    """Given a phase of a record, return bytes a second for a person; "" where it has none."""
    if phase["bytes"] is None or not phase["seconds"]:
        return ""
    return f"{show_size(round(phase['bytes'] / phase['seconds']))}/s"


def moment(text: str) -> str:
    """Given a moment of a record, return it for a person: "2026-11-25 03:00 UTC"."""
    return f"{text[:10]} {text[11:16]} UTC"


def day(text: str) -> str:
    """Given a moment of a record, return its date: "2026-11-25"."""
    return text[:10]


def tally(results: list[str]) -> str:
    """Given results, return how many there are of each: "21 passed, 2 missed a target, 1 failed"."""
    counts = {each: results.count(each) for each in RESULTS}
    said = {**RESULTS, MISSED: "missed a target", WARNING: "warning" if counts[WARNING] == 1 else "warnings"}
    return ", ".join(f"{count} {said[each]}" for each, count in counts.items() if count)


def _figures(test: dict) -> str:
    said = []
    if test["rto"]["seconds"] is not None:
        said.append(f"recovery in {duration(test['rto']['seconds'])}")
    if test["rpo"]["seconds"] is not None:
        said.append(f"newest backup {old(test['rpo']['seconds'])}")
    return ", ".join(said)


def _worst_figures(tests: list[dict]) -> str:
    times, ages = (
        [test[key]["seconds"] for test in tests if test[key]["seconds"] is not None] for key in ("rto", "rpo")
    )
    said = []
    if times:
        said.append(f"recovery in {duration(max(times))} at most")
    if ages:
        said.append(f"newest backups {old(max(ages))} at most")
    return ", ".join(said)


def _missed_targets(test: dict) -> str:
    said = []
    if test["rto"]["met"] is False:
        took, most = duration(test["rto"]["seconds"]), duration(test["rto"]["target_seconds"])
        said.append(f"recovery in {took} instead of {most} at most")
    if test["rpo"]["met"] is False:
        age, most = old(test["rpo"]["seconds"]), duration(test["rpo"]["target_seconds"])
        said.append(f"newest backup {age} instead of {most} at most")
    return ", ".join(said)


def _held(figure: dict) -> tuple[str, str | None]:
    if figure["target_seconds"] is None:
        return "no target", None
    target = f"target {duration(figure['target_seconds'])}"
    if figure["met"] is None:
        return target, None
    return (f"{target}: met", PASSED) if figure["met"] else (f"{target}: missed", MISSED)


def _age_fact(test: dict) -> Fact:
    if test["passed"] and test["rpo"]["seconds"] is None and test["backup"]:
        age = parse_time(test["started"]) - parse_time(test["backup"]["started"])
        return Fact("Older backup", old(age.total_seconds()), "not the newest one")
    return Fact("Newest backup", old(test["rpo"]["seconds"]), *_held(test["rpo"]))


def _checks_fact(checks: list[dict]) -> Fact:
    if not checks:
        return Fact("Checks", "none", "none was made")
    results = [check_result(check) for check in checks]
    others = tally([each for each in results if each != PASSED])
    value = f"{results.count(PASSED)} of {len(checks)}"
    return Fact("Checks", value, f"passed, {others}" if others else "passed", FAILED if FAILED in results else PASSED)


def _and_more(items: list[str], separator: str = ", ") -> str:
    return some_of([one_line(each) for each in items], _NAMED, separator)
