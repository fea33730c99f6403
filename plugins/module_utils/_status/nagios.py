# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The status as one line of a Nagios plugin: state, text, performance data.

Private to the collection.
"""

from __future__ import annotations

from datetime import timedelta

from ansible_collections.dbops.recovery.plugins.module_utils._status.verdict import Limits, headline
from ansible_collections.dbops.recovery.plugins.module_utils._units import show_duration

# NRPE before version 4 hands on 1024 bytes of all; a text of several paragraphs is for the person who looks.
_LONGEST_MESSAGE = 160


def line(status: dict, limits: Limits) -> str:
    """Given what backup_status returns and the limits, return the line, without a newline."""
    told = [problem["message"] for problem in status["problems"]] or map(_good_news, status["databases"])
    text = "; ".join(map(_clean, told))
    said = f"DBOPS {headline(status)}" + (f": {text}" if text else "")
    measured = " ".join(each for facts in status["databases"] for each in _measured(facts, limits))
    return f"{said} | {measured}" if measured else said


def _good_news(facts: dict) -> str:
    age = timedelta(seconds=facts["newest"]["age_seconds"])
    return f"{facts['database']}: newest backup {show_duration(age)} old"


def _measured(facts: dict, limits: Limits) -> list[str]:
    """Return the performance data of a database: 'label'=value[unit];[warning];[critical]."""
    newest, test = facts["newest"], facts["restore_test"]
    found = []
    if newest:
        critical = int(limits.max_age.total_seconds()) if limits.max_age else ""
        found.append(f"{_label(facts, 'age')}={newest['age_seconds']}s;;{critical}")
        found.append(f"{_label(facts, 'size')}={newest['size_bytes']}B")
    if test:
        warning = int(limits.max_restore_test_age.total_seconds()) if limits.max_restore_test_age else ""
        found.append(f"{_label(facts, 'restore_test_age')}={test['age_seconds']}s;{warning};")
    return found


def _label(facts: dict, what: str) -> str:
    name = _clean(facts["database"]).replace("=", "_").replace("'", "''")
    return f"'{name}_{what}'"


def _clean(text: str) -> str:
    """Return a text on one line, without the character that the performance data begin after."""
    shown = " ".join(text.replace("|", "/").split())
    return shown if len(shown) <= _LONGEST_MESSAGE else shown[: _LONGEST_MESSAGE - 3] + "..."
