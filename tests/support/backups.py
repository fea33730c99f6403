# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Backups in a directory for tests that do not read what is in them: an archive of a few bytes and its manifest."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from ansible_collections.dbops.recovery.plugins.module_utils._archive import manifest
from ansible_collections.dbops.recovery.plugins.module_utils._units import show_time


def put_backup(
    directory: Path,
    name: str,
    database: str,
    started: datetime,
    archive: bytes = b"-- ",
    verifications: Any = (),
    **head: Any,
) -> str:
    """Put a backup into a directory and return its name. Its manifest says that the archive has three bytes."""
    (directory / f"{name}.sql").write_bytes(archive)
    content = {
        "format": manifest.FORMAT,
        "backup": {"name": name, "database": database, "started": show_time(started), **head},
        "archive": {
            "file": f"{name}.sql",
            "compression": "none",
            "stored_bytes": 3,
            "plain_bytes": 3,
            "stored_sha256": "",
            "plain_sha256": "",
            "sections": [],
        },
        "server": {"flavour": "mariadb", "version": "10.11", "hostname": "db1"},
        "inventory": {},
        "verifications": list(verifications),
    }
    manifest.write(str(directory / f"{name}{manifest.SUFFIX}"), content)
    return name
