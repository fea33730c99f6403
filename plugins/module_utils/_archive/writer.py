# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write an archive: sections in, compressed members and checksums out, in one pass with flat memory.

Private to the collection.
"""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor

from ansible_collections.dbops.recovery.plugins.module_utils._archive.codec import Codec
from ansible_collections.dbops.recovery.plugins.module_utils._archive.dump import Section

# Compression and hashing release the interpreter's lock, so two threads keep two cores busy.
_WORKERS = 2


def write_archive(path: str, sections: Iterable[Section], codec: Codec) -> dict:
    """Write sections to a new file (mode 0600), one compressed member each, and bring it to disk.

    At most three sections are in memory besides the one that is read.

    Args:
        path: where; it must not exist.
        sections: in their order.
        codec: how each is compressed.
    Returns:
        compression, stored_bytes, plain_bytes, stored_sha256, plain_sha256 and the list of sections (the manifest's
        "archive" without its file).
    Raises:
        OSError: it could not be written; what was written so far is left to the caller.
    """
    stored_hash, plain_hash = hashlib.sha256(), hashlib.sha256()
    stored_bytes = plain_bytes = 0
    described: list[dict] = []
    waiting: deque[tuple[Section, Future]] = deque()

    def store_next() -> None:
        nonlocal stored_bytes, plain_bytes
        section, packed = waiting.popleft()
        stored, sha256 = packed.result()
        file.write(stored)
        stored_hash.update(stored)
        plain_hash.update(section.data)
        described.append(
            {
                "kind": section.kind,
                "object": section.object,
                "offset": stored_bytes,
                "stored_bytes": len(stored),
                "plain_bytes": len(section.data),
                "sha256": sha256,
            }
        )
        stored_bytes += len(stored)
        plain_bytes += len(section.data)

    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "wb") as file, ThreadPoolExecutor(_WORKERS) as pool:
        for section in sections:
            waiting.append((section, pool.submit(_pack, codec, section.data)))
            if len(waiting) > _WORKERS:
                store_next()
        while waiting:
            store_next()
        file.flush()
        os.fsync(file.fileno())
    return {
        "compression": codec.name,
        "stored_bytes": stored_bytes,
        "plain_bytes": plain_bytes,
        "stored_sha256": stored_hash.hexdigest(),
        "plain_sha256": plain_hash.hexdigest(),
        "sections": described,
    }


def _pack(codec: Codec, data: bytes) -> tuple[bytes, str]:
    return codec.compress(data), hashlib.sha256(data).hexdigest()


def section_sha256(section: Section) -> str:
    """Return the checksum that a manifest has for a section: of its plain bytes."""
    return hashlib.sha256(section.data).hexdigest()
