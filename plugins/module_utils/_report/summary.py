# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report of a run of restore tests as Markdown, short enough for a ticket.

Private to the collection.
"""

from __future__ import annotations

import re

from ansible_collections.dbops.recovery.plugins.module_utils._report import words
from ansible_collections.dbops.recovery.plugins.module_utils._text import clean, cut, one_line

# A ticket is read; the page and the record have all of it.
_MESSAGE_LINES = 20
_MESSAGE_CHARACTERS = 2000


def markdown(tests: list[dict]) -> str:
    """Given the records of a run, return its summary: verdict, a table, then what went wrong and what has changed."""
    tests = words.worst_first(tests)
    verdict = words.verdict_of_run(tests)
    parts = [f"## {escape(verdict.sentence)}", _table(tests)]
    parts += [part for test in tests for part in _database(test, words.label(test, tests), len(tests) == 1)]
    return "\n\n".join(part for part in parts if part) + "\n"


def escape(text: str) -> str:
    """Given any text, return it on one line, so that Markdown shows it as it is, also in a table."""
    # An underscore within a word marks nothing, and names are full of them.
    return re.sub(r"[\\`*{}\[\]<>#|~&]|(?<![^\W_])_|_(?![^\W_])", r"\\\g<0>", one_line(text))


def fenced(text: str) -> str:
    """Given any text, return it as a block of code which nothing in it can end; a long one is cut."""
    plain = clean(text).strip()
    lines = plain[:_MESSAGE_CHARACTERS].splitlines()[:_MESSAGE_LINES]
    shown = "\n".join(lines)
    if len(shown) < len(plain):
        shown += "\n… the rest is in the report"
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", shown)), default=0))
    return f"{fence}\n{shown}\n{fence}"


def _table(tests: list[dict]) -> str:
    rows = [
        "| Database | Result | Recovery time | Newest backup | Size of the SQL | Checks |",
        "|---|---|---|---|---|---|",
    ]
    for test in tests:
        recovery, newest, size, checks = words.facts(test)
        cells = [
            escape(words.label(test, tests)),
            words.RESULTS[words.verdict(test).result],
            f"{recovery.value} ({recovery.note})",
            f"{newest.value} ({newest.note})",
            size.value,
            checks.value,
        ]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows) if tests else ""


def _database(test: dict, name: str, single: bool) -> list[str]:
    """What is to be said of one database beside its row; nothing, where it is one of many that passed."""
    verdict = words.verdict(test, name)
    if verdict.result == words.PASSED and not single:
        return []
    parts = [] if single else [f"### {escape(verdict.sentence)}"]
    if test["failure"]:
        parts.append(fenced(test["failure"]["message"]))
    findings = [check for check in words.sorted_checks(test["checks"]) if not check["passed"]]
    parts.append("\n".join(f"* {_finding(check)}" for check in findings))
    if test["phases"]:
        parts.append(
            "Time: " + ", ".join(f"{escape(each['name'])} {words.duration(each['seconds'])}" for each in test["phases"])
        )
    if test["compared"] and test["compared"]["changes"]:
        changes = "\n".join(f"* {escape(each)}" for each in test["compared"]["changes"])
        parts.append(f"Since {escape(test['compared']['previous'])}:\n\n{changes}")
    backup = f"Backup {test['backup']['name']}" if test["backup"] else "No backup"
    where = f"{backup} from {test['source']}; target {test['target_name']} on {test['host']}"
    parts.append(escape(f"{where}; {words.moment(test['started'])}; record {test['name']}."))
    return parts


def _finding(check: dict) -> str:
    return f"{words.RESULTS[words.check_result(check)]}: {escape(check['name'])}: {escape(cut(check['detail'], 300))}"
