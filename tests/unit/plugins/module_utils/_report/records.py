# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Records of restore tests (format 1) to make reports of, also for the tests in a browser."""

from __future__ import annotations

MIB = 1024**2
HOUR = 3600
TARGET = 600

CHECKS = [
    ("stored_sha256", "18273645 bytes"),
    ("plain_sha256", "192837465 bytes of SQL"),
    ("frame", "one header, the footer last"),
    ("sections", "61 sections"),
    ("objects", "39 objects, those of the manifest"),
    ("load", "no warning"),
    ("inventory", "39 objects, the same"),
    ("rows", "1204331 rows in 16 tables"),
    ("dump_back", "60 sections, the same bytes"),
    ("check_table", "16 tables"),
    ("query: orders of yesterday", "8412"),
]


def check(name: str, detail: str, passed: bool = True, severity: str = "error") -> dict:
    return {"name": name, "passed": passed, "severity": severity, "detail": detail, "seconds": 1.4}


def record(database: str = "shop", month: str = "2026-11", **changes: object) -> dict:
    """A test that passed, on the 25th of a month, with some keys replaced."""
    return {
        "format": 1,
        "name": f"{database}_{month}-25_030000",
        "database": database,
        "host": "drill1",
        "started": f"{month}-25T03:00:00Z",
        "finished": f"{month}-25T03:06:41Z",
        "passed": True,
        "failure": None,
        "source": f"s3://example-backups/{database}",
        "target": "scratch",
        "target_name": "a scratch server",
        "backup": {
            "name": f"{database}_{month}-25_013000",
            "started": f"{month}-25T01:30:00Z",
            "size_bytes": 18273645,
            "sql_bytes": 192837465,
            "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "compression": "zstd",
        },
        "server": {"backup": "11.8.3-MariaDB", "test": "11.8.3-MariaDB"},
        "phases": [
            {"name": "find", "seconds": 0.8, "bytes": None},
            {"name": "download", "seconds": 41.2, "bytes": 18273645},
            {"name": "load", "seconds": 200.1, "bytes": 192837465},
            {"name": "indexes", "seconds": 81.8, "bytes": None},
            {"name": "verify", "seconds": 60.4, "bytes": 192837465},
        ],
        "rto": {"seconds": 323.9, "target_seconds": TARGET, "met": True},
        "rpo": {"seconds": 5400, "target_seconds": 26 * HOUR, "met": True},
        "checks": [check(name, detail) for name, detail in CHECKS],
        "compared": {
            "previous": f"{database}_2026-10-25_030000",
            "changes": ["the SQL grew from 180.1 MiB to 183.9 MiB (+2 %)", "one table more: refunds"],
        },
        **changes,
    }


def slow(database: str = "shop", month: str = "2026-11") -> dict:
    """A test that restored the database, but too late, and from too old a backup."""
    return record(
        database,
        month,
        finished=f"{month}-25T03:15:12Z",
        passed=False,
        phases=[
            {"name": "find", "seconds": 0.8, "bytes": None},
            {"name": "download", "seconds": 41.2, "bytes": 18273645},
            {"name": "load", "seconds": 612.0, "bytes": 192837465},
            {"name": "indexes", "seconds": 193.0, "bytes": None},
            {"name": "verify", "seconds": 60.4, "bytes": 192837465},
        ],
        rto={"seconds": 847.0, "target_seconds": TARGET, "met": False},
        rpo={"seconds": 30 * HOUR, "target_seconds": 26 * HOUR, "met": False},
    )


def damaged(database: str = "shop", month: str = "2026-11") -> dict:
    """A test whose copy was not what the backup said, with every kind of answer among its checks."""
    return record(
        database,
        month,
        passed=False,
        rto={"seconds": None, "target_seconds": TARGET, "met": None},
        rpo={"seconds": None, "target_seconds": 26 * HOUR, "met": None},
        checks=[
            *(check(name, detail) for name, detail in CHECKS[:6]),
            check("rows", "orders has 8411, the manifest 8412", passed=False),
            check("dump_back", "other bytes: table orders, chunk 3", passed=False),
            check("size_history", "38 % smaller than the last backups", passed=False, severity="warning"),
            check("inventory", "definitions cannot be compared: 11.8.3 and 10.11.14", passed=False, severity="info"),
        ],
    )


def unreachable(database: str = "shop", month: str = "2026-11", message: str | None = None) -> dict:
    """A test that failed before anything ran."""
    return record(
        database,
        month,
        finished=f"{month}-25T03:00:12Z",
        passed=False,
        failure={
            "phase": "find",
            "message": message
            or f"Listing s3://example-backups/{database} failed: https://s3.example.org did not answer 3 times.\n"
            "Check the address, and whether this host may reach it; then run the test again.",
        },
        backup=None,
        server={"backup": None, "test": None},
        phases=[],
        rto={"seconds": None, "target_seconds": TARGET, "met": None},
        rpo={"seconds": None, "target_seconds": 26 * HOUR, "met": None},
        checks=[],
        compared=None,
    )


def months(count: int, last: tuple[int, int] = (2026, 11)) -> list[str]:
    """The last months up to one, oldest first: "2026-10", "2026-11"."""
    number = last[0] * 12 + last[1] - 1
    return [f"{each // 12}-{each % 12 + 1:02}" for each in range(number - count + 1, number + 1)]


def history(last: dict, count: int = 24) -> list[dict]:
    """Tests of one database in the months before its last one: it grows, and each kind of trouble comes once."""
    past = []
    for number, month in enumerate(months(count)[:-1]):
        if number == 7:
            past.append(unreachable(last["database"], month))
        elif number == 13:
            past.append(slow(last["database"], month))
        elif number == 17:
            past.append(damaged(last["database"], month))
        else:
            past.append(_growing(last["database"], month, number))
    return [*past, last]


def _growing(database: str, month: str, number: int) -> dict:
    past = record(database, month)
    past["backup"]["sql_bytes"] = (60 + 5 * number) * MIB
    past["rto"] = {"seconds": 110.0 + 9 * number + 13 * (number % 3), "target_seconds": TARGET, "met": True}
    past["rpo"]["seconds"] = 5400 + 240 * (number % 4)
    return past
