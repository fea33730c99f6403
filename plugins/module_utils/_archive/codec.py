# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compression: one member for one section, and a reader for any file made of members.

A gzip file and a zstd file may be a series of members (RFC 1952 section 2.2, RFC 8878 section 3.1); `zcat` and
`zstd -dc` read them as one.

Private to the collection.
"""

from __future__ import annotations

import gzip
import shutil
import subprocess
import threading
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, Callable

try:
    import zstandard
except ImportError:
    zstandard = None

from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError

# Compressed input is read in small pieces, since one piece may stand for a thousand times as much.
_READ_BYTES = 64 * 1024
_PLAIN_READ_BYTES = 1024 * 1024

ZSTD = "zstd"
GZIP = "gzip"
NONE = "none"

SUFFIXES = {ZSTD: ".sql.zst", GZIP: ".sql.gz", NONE: ".sql"}
_MAGIC = {ZSTD: b"\x28\xb5\x2f\xfd", GZIP: b"\x1f\x8b"}
# Both hide behind the dump client on two cores; higher levels make the backup wait for the compressor.
_DEFAULT_LEVELS = {ZSTD: 3, GZIP: 3}
_LEVELS = {ZSTD: (1, 19), GZIP: (1, 9)}


class DamagedStream(Exception):
    """What is read is not a whole file of its kind; the message says where and how."""


@dataclass(frozen=True)
class Codec:
    """A compression and the function that makes one member of it (called from several threads at once)."""

    name: str
    suffix: str
    compress: Callable[[bytes], bytes]


def choose(name: str, level: int | None = None) -> Codec:
    """Given the name of a compression ("auto": zstd where it is installed, else gzip), return its codec.

    Raise RecoveryError when it is not installed or the level is out of its range.
    """
    if name == "auto":
        name = ZSTD if zstandard or shutil.which("zstd") else GZIP
    if name == NONE:
        return Codec(NONE, SUFFIXES[NONE], bytes)
    low, high = _LEVELS[name]
    if level is not None and not low <= level <= high:
        raise RecoveryError(f"compression_level: {name} has levels from {low} to {high}, {level} is none of them.")
    level = level or _DEFAULT_LEVELS[name]
    if name == GZIP:
        # mtime=0 keeps the time of the backup out of the bytes.
        return Codec(GZIP, SUFFIXES[GZIP], lambda data: gzip.compress(data, level, mtime=0))
    if zstandard:
        return Codec(
            ZSTD, SUFFIXES[ZSTD], lambda data: zstandard.ZstdCompressor(level, write_checksum=True).compress(data)
        )
    program = _zstd_program()
    return Codec(ZSTD, SUFFIXES[ZSTD], lambda data: _run_filter([program, "-q", "-c", f"-{level}"], data))


def detect(start: bytes) -> str:
    """Given the first bytes of a file, return its compression by its magic bytes."""
    for name, magic in _MAGIC.items():
        if start.startswith(magic):
            return name
    return NONE


def decompressed(stream: BinaryIO, compression: str, seen: Callable[[bytes], Any] | None = None) -> Iterator[bytes]:
    """Read a stream to its end and yield its plain bytes in blocks.

    Args:
        stream: opened for reading, at its start.
        compression: as detect() names it.
        seen: called with the stored bytes as they are read (to hash them in the same pass).
    Raises:
        DamagedStream: it ends in the middle of a member, holds something else, or a member's own checksum is wrong.
    """
    if compression == NONE:
        return _blocks(stream, _PLAIN_READ_BYTES, seen)
    if compression == GZIP:
        return _members(stream, seen, lambda: zlib.decompressobj(wbits=31), zlib.error)
    # Older zstandard packages cannot say where a frame ends; the program always can.
    if zstandard and hasattr(zstandard.ZstdDecompressor().decompressobj(), "unused_data"):
        unpacker = zstandard.ZstdDecompressor(max_window_size=2**31)
        return _members(stream, seen, unpacker.decompressobj, zstandard.ZstdError)
    return _through_program([_zstd_program(), "-q", "-dc", "--memory=2048MB"], stream, seen)


def _blocks(stream: BinaryIO, size: int, seen: Callable[[bytes], Any] | None) -> Iterator[bytes]:
    while block := stream.read(size):
        if seen:
            seen(block)
        yield block


def _members(
    stream: BinaryIO, seen: Callable[[bytes], Any] | None, new_member: Callable[[], Any], error_type: type[Exception]
) -> Iterator[bytes]:
    member = None
    count = 0
    for block in _blocks(stream, _READ_BYTES, seen):
        while block:
            if member is None:
                member = new_member()
                count += 1
            try:
                plain = member.decompress(block)
            except error_type as error:
                raise DamagedStream(f"compressed member {count} is damaged ({error})") from error
            if plain:
                yield plain
            block = member.unused_data if member.eof else b""
            if member.eof:
                member = None
    if member is not None:
        raise DamagedStream(f"the file ends in the middle of compressed member {count}")


def _zstd_program() -> str:
    program = shutil.which("zstd")
    if not program:
        raise RecoveryError(
            "zstd is needed for this and is not installed here. Install the package python3-zstandard or zstd "
            "(the role dbops.recovery.prerequisites does), or use compression: gzip."
        )
    return program


def _run_filter(argv: list[str], data: bytes) -> bytes:
    done = subprocess.run(argv, input=data, capture_output=True, check=False)
    if done.returncode != 0:
        words = done.stderr.decode("utf-8", "replace").strip()
        raise RecoveryError(f"{argv[0]} could not compress (exit status {done.returncode}): {words}")
    return done.stdout


def _through_program(argv: list[str], stream: BinaryIO, seen: Callable[[bytes], Any] | None) -> Iterator[bytes]:
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        errors: list[OSError] = []

        def feed() -> None:
            try:
                with process.stdin:
                    for block in _blocks(stream, _PLAIN_READ_BYTES, seen):
                        process.stdin.write(block)
            except BrokenPipeError:
                pass  # the program ended early; its exit status says why
            except OSError as error:
                errors.append(error)

        feeder = threading.Thread(target=feed, daemon=True)
        feeder.start()
        try:
            while plain := process.stdout.read(_PLAIN_READ_BYTES):
                yield plain
            feeder.join()
            if errors:
                raise errors[0]
            words = process.stderr.read().decode("utf-8", "replace").strip()
            if process.wait() != 0:
                raise DamagedStream(f"zstd could not read it ({words})")
        finally:
            if process.poll() is None:
                process.kill()
