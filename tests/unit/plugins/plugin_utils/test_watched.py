"""What a person reads while a module is at work."""

from __future__ import annotations

import pytest

from ansible_collections.dbops.recovery.plugins.plugin_utils._watched import line, seconds_between

MIB = 1024 * 1024


def note(**figures) -> dict:
    return {
        "action": "db_restore",
        "database": "shop",
        "phase": "loading",
        "percent": None,
        "estimated": False,
        "done_bytes": 0,
        "expected_bytes": None,
        "bytes_per_second": 0,
        "seconds_left": None,
        "seconds": 95,
        **figures,
    }


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        (
            {
                "percent": 45,
                "done_bytes": 450 * MIB,
                "expected_bytes": 1000 * MIB,
                "bytes_per_second": 5 * MIB,
                "seconds_left": 110,
            },
            "loading, 45 %, 450.0 MiB of 1000.0 MiB, 5.0 MiB/s, 1m 50s left",
        ),
        (
            {
                "estimated": True,
                "percent": 45,
                "done_bytes": 450 * MIB,
                "expected_bytes": 1000 * MIB,
                "bytes_per_second": 5 * MIB,
                "seconds_left": 110,
            },
            "loading, about 45 %, 450.0 MiB of about 1000.0 MiB, 5.0 MiB/s, about 1m 50s left",
        ),
        (
            {"percent": 45, "done_bytes": 450 * MIB, "expected_bytes": 1000 * MIB},
            "loading, 45 %, 450.0 MiB of 1000.0 MiB, 0 B/s",
        ),
        (
            {"percent": 100, "done_bytes": MIB, "expected_bytes": MIB, "bytes_per_second": 5, "seconds_left": 0},
            "loading, 100 %, 1.0 MiB of 1.0 MiB, 1m 35s so far",
        ),
        ({"done_bytes": MIB, "bytes_per_second": 512}, "loading, 1.0 MiB, 512 B/s"),
        ({}, "loading, 1m 35s so far"),
    ],
)
def test_a_line_says_what_is_known(figures, words):
    assert line("db1", note(**figures)) == f"[db1] db_restore shop: {words}"


def test_a_line_without_a_database_has_no_gap():
    assert line("db1", note(database=None)) == "[db1] db_restore: loading, 1m 35s so far"


def test_a_name_cannot_command_the_terminal():
    assert line("db1", note(database="a\x1b[2Jb\nc")) == "[db1] db_restore ab c: loading, 1m 35s so far"


@pytest.mark.parametrize(
    ("given", "on_terminal", "seconds"),
    [
        (None, True, 10),
        (None, False, 60),
        (5, False, 5),
        ("0.5", True, 0.5),
        (0, True, None),
        (False, True, None),
        ("false", True, None),
        (-1, True, None),
    ],
)
def test_lines_are_ten_seconds_apart_on_a_terminal_and_a_minute_elsewhere_unless_the_user_says_otherwise(
    given, on_terminal, seconds
):
    assert seconds_between(given, on_terminal) == seconds
