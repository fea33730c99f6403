# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Backups that no run would make: with other text in them and checksums that are right all the same."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Callable

from ansible_collections.dbops.recovery.plugins.module_utils._archive import codec, manifest
from ansible_collections.dbops.recovery.plugins.module_utils._archive.dump import split
from ansible_collections.dbops.recovery.plugins.module_utils._archive.writer import write_archive


def plain_text(path: str | Path) -> bytes:
    """Return the SQL of an archive."""
    with open(path, "rb") as file:
        compression = codec.detect(file.read(8))
        file.seek(0)
        return b"".join(codec.decompressed(file, compression))


def rewrite(backup: dict, edit: Callable[[bytes], bytes]) -> None:
    """Change the SQL of a backup in its place; its checksums are right again afterwards."""
    before = plain_text(backup["path"])
    after = edit(before)
    assert after != before
    content = manifest.read(backup["manifest_path"])
    os.unlink(backup["path"])
    written = write_archive(backup["path"], split([after]), codec.choose(content["archive"]["compression"]))
    content["archive"] = {"file": os.path.basename(backup["path"]), **written}
    manifest.write(backup["manifest_path"], content)


def before_table(table: str, statement: str) -> Callable[[bytes], bytes]:
    """Return an edit that has a statement run just before a table is made."""

    def edit(text: bytes) -> bytes:
        header = f"--\n-- Table structure for table `{table}`".encode()
        assert text.count(header) == 1
        return text.replace(header, f"{statement};\n\n".encode() + header)

    return edit
