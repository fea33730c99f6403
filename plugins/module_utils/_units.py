# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sizes, durations and moments as people write them.

Private to the collection.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError

_SIZE_UNITS = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4}
_DURATION_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_LONGEST_SECONDS = 1000 * 365 * 86400
# Clocks of two hosts are never quite the same. What is further ahead than this is of a clock that was wrong.
CLOCK_TOLERANCE = timedelta(hours=1)


def parse_size(text: str, option: str) -> int:
    """Given "512", "10M" or "1.5 GiB", return bytes (units of 1024). Raise RecoveryError that names the option."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?\s*", text, re.IGNORECASE)
    if not match:
        raise RecoveryError(
            f"{option}: {text!r} is not a size. Write bytes or a number with K, M, G or T, such as 10M."
        )
    return int(float(match.group(1)) * _SIZE_UNITS[match.group(2).lower()])


def parse_duration(text: str, option: str) -> timedelta:
    """Given "90s", "4h" or "7d", return the duration. Raise RecoveryError that names the option."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smhdw])\s*", text, re.IGNORECASE)
    if not match:
        raise RecoveryError(
            f"{option}: {text!r} is not a duration. Write a number with s, m, h, d or w, such as 30m, 26h or 7d."
        )
    seconds = float(match.group(1)) * _DURATION_UNITS[match.group(2).lower()]
    # Farther than that from today no calendar goes.
    if seconds > _LONGEST_SECONDS:
        raise RecoveryError(f"{option}: {text!r} is longer than a thousand years.")
    return timedelta(seconds=seconds)


def show_size(count: int) -> str:
    """Given bytes, return them for a person: "812 B", "3.4 KiB", "1.2 GiB"."""
    if count < 1024:
        return f"{count} B"
    size = float(count)
    for unit in ("KiB", "MiB", "GiB"):
        size /= 1024
        if size < 1023.95:
            return f"{size:.1f} {unit}"
    return f"{size / 1024:.1f} TiB"


def show_duration(duration: timedelta) -> str:
    """Given a duration, return it for a person in its two largest units: "45s", "3h 12m", "12d 4h"."""
    seconds = int(duration.total_seconds())
    if seconds < 0:
        return "-" + show_duration(-duration)
    parts = []
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        if seconds >= length or (unit == "s" and not parts):
            parts.append(f"{seconds // length}{unit}")
            seconds %= length
        elif parts:
            break
    return " ".join(parts[:2])


def utc_now() -> datetime:
    """Return the present moment, in UTC, to the second."""
    return datetime.now(timezone.utc).replace(microsecond=0)


def show_time(moment: datetime) -> str:
    """Given a moment, return it as ISO 8601 in UTC: "2026-11-22T10:15:00Z"."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_time(text: str) -> datetime:
    """Given what show_time wrote, return the moment. Raise ValueError for anything else."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)


def parse_moment(text: str, option: str) -> datetime:
    """Given a date or moment as people write it, return it: "2026-11-22", "2026-11-22T10:15:00Z", "... +01:00".

    Without a zone it is UTC; a date alone is its first moment. Raise RecoveryError that names the option.
    """
    try:
        # Python before 3.11 knows no Z.
        moment = datetime.fromisoformat(re.sub(r"\s*[zZ]$", "+00:00", text.strip()))
    except ValueError:
        raise RecoveryError(
            f"{option}: {text!r} is not a moment. Write 2026-11-22, 2026-11-22T10:15:00Z or 2026-11-22T10:15:00+01:00."
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
