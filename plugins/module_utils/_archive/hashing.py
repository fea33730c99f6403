# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hash the plain bytes of an archive in a thread of its own, so that reading and looking go on meanwhile.

Private to the collection.
"""

from __future__ import annotations

import hashlib
import queue
import threading
from collections.abc import Iterator

from ansible_collections.dbops.recovery.plugins.module_utils._archive.manifest import describe_section

_QUEUED_BLOCKS = 32


class PlainHasher:
    """Hashes blocks as one whole, and by the sections that a manifest lists.

    Use it as a context manager; what it found stands in its attributes afterwards.

    Attributes:
        sha256: of all the bytes.
        count: how many there were.
        bad_sections: the listed sections that have other bytes, in words.
    """

    def __init__(self, sections: list[dict]):
        self.sha256 = ""
        self.count = 0
        self.bad_sections: list[str] = []
        self._sections = sections
        self._error: Exception | None = None
        self._queue: queue.Queue[bytes | None] = queue.Queue(_QUEUED_BLOCKS)
        # A daemon: when the reader is interrupted, nobody must wait for this.
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> PlainHasher:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._queue.put(None)
        self._thread.join()
        if self._error:
            raise self._error

    def watch(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        """Pass blocks on, having handed each to the thread."""
        for block in blocks:
            self._queue.put(block)
            yield block

    def _run(self) -> None:
        try:
            self._hash()
        except Exception as error:
            self._error = error
            # The reader waits until its blocks are taken.
            while self._queue.get() is not None:
                pass

    def _hash(self) -> None:
        whole = hashlib.sha256()
        listed = iter(self._sections)
        section = next(listed, None)
        running, left = hashlib.sha256(), section["plain_bytes"] if section else 0
        while (block := self._queue.get()) is not None:
            whole.update(block)
            self.count += len(block)
            view = memoryview(block)
            while section is not None and view:
                piece = view[:left]
                running.update(piece)
                left -= len(piece)
                view = view[len(piece) :]
                if left == 0:
                    if running.hexdigest() != section["sha256"]:
                        self.bad_sections.append(describe_section(section))
                    section = next(listed, None)
                    running, left = hashlib.sha256(), section["plain_bytes"] if section else 0
        if section is not None:
            self.bad_sections.append(f"{describe_section(section)} and all behind it (they are missing)")
        self.sha256 = whole.hexdigest()
