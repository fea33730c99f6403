"""Sizes, durations and moments as people write them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from ansible_collections.dbops.recovery.plugins.module_utils import _units
from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError


@pytest.mark.parametrize(
    ("text", "count"),
    [("0", 0), ("512", 512), ("10M", 10485760), ("1.5 GiB", 1610612736), ("2kb", 2048), ("1T", 2**40)],
)
def test_a_size_is_read_in_units_of_1024(text, count):
    assert _units.parse_size(text, "min_size") == count


@pytest.mark.parametrize("text", ["", "M", "-1", "10X", "1,5G", "ten"])
def test_what_is_no_size_is_refused_by_the_name_of_its_option(text):
    with pytest.raises(RecoveryError, match="min_size"):
        _units.parse_size(text, "min_size")


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("90s", timedelta(seconds=90)),
        ("30m", timedelta(minutes=30)),
        ("4h", timedelta(hours=4)),
        ("7D", timedelta(days=7)),
        ("2w", timedelta(days=14)),
        ("0s", timedelta(0)),
    ],
)
def test_a_duration_is_read_with_its_unit(text, duration):
    assert _units.parse_duration(text, "max_age") == duration


@pytest.mark.parametrize("text", ["", "4", "h", "4 hours ago", "-4h", "400000d", f"1{400 * '0'}w"])
def test_a_duration_without_a_unit_or_sense_is_refused(text):
    with pytest.raises(RecoveryError, match="max_age"):
        _units.parse_duration(text, "max_age")


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1048575, "1.0 MiB"), (5 * 2**30, "5.0 GiB"), (2**41, "2.0 TiB")],
)
def test_a_size_is_shown_in_the_unit_that_reads_best(count, shown):
    assert _units.show_size(count) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0s"), (45, "45s"), (60, "1m"), (3 * 3600 + 12 * 60 + 5, "3h 12m"), (86400, "1d"), (-90, "-1m 30s")],
)
def test_a_duration_is_shown_in_its_two_largest_units(seconds, shown):
    assert _units.show_duration(timedelta(seconds=seconds)) == shown


def test_a_moment_is_written_in_utc_and_read_back():
    moment = datetime(2026, 3, 29, 3, 30, tzinfo=timezone(timedelta(hours=2)))
    assert _units.show_time(moment) == "2026-03-29T01:30:00Z"
    assert _units.parse_time("2026-03-29T01:30:00Z") == moment


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-22", "2026-11-22T00:00:00Z"),
        ("2026-11-22T10:15:00Z", "2026-11-22T10:15:00Z"),
        ("2026-11-22 10:15", "2026-11-22T10:15:00Z"),
        ("2026-11-22T10:15:00+01:00", "2026-11-22T09:15:00Z"),
    ],
)
def test_a_date_or_moment_is_read_as_people_write_it(text, moment):
    assert _units.show_time(_units.parse_moment(text, "before")) == moment


@pytest.mark.parametrize("text", ["", "yesterday", "22.11.2026", "2026-11-31"])
def test_what_is_no_moment_is_refused_with_the_option(text):
    with pytest.raises(RecoveryError, match=r"before: .* is not a moment"):
        _units.parse_moment(text, "before")
