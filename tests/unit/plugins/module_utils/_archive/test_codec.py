"""Compression in members, and reading any file made of members."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import subprocess

import pytest

from ansible_collections.dbops.recovery.plugins.module_utils._archive import codec
from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError

PARTS = [b"CREATE TABLE t (i int);\n" * 1000, os.urandom(100_000), b"", b"-- Dump completed\n"]
PLAIN = b"".join(PARTS)


@pytest.fixture(params=["package", "program"])
def zstd_by(request, monkeypatch):
    """zstd by the Python package, and by the program where the package is missing."""
    if request.param == "program":
        monkeypatch.setattr(codec, "zstandard", None)
    return request.param


def members(name: str) -> bytes:
    compress = codec.choose(name).compress
    return b"".join(compress(part) for part in PARTS)


def read(data: bytes, name: str) -> bytes:
    return b"".join(codec.decompressed(io.BytesIO(data), name))


@pytest.mark.parametrize("name", ["zstd", "gzip", "none"])
def test_members_joined_are_read_as_one(name, zstd_by):
    assert read(members(name), name) == PLAIN


@pytest.mark.parametrize(("name", "program"), [("zstd", ["zstd", "-dc"]), ("gzip", ["gzip", "-dc"])])
def test_the_programs_of_the_same_name_read_them_too(name, program, zstd_by):
    assert subprocess.run(program, input=members(name), capture_output=True, check=True).stdout == PLAIN


def test_a_file_that_the_zstd_program_made_is_read(zstd_by):
    made = subprocess.run(["zstd", "-c", "-19"], input=PLAIN, capture_output=True, check=True).stdout
    assert read(made, "zstd") == PLAIN


@pytest.mark.parametrize("name", ["zstd", "gzip"])
def test_a_file_cut_anywhere_is_damaged_or_ends_with_a_whole_member(name, zstd_by):
    data = members(name)
    whole = [0]
    for part in PARTS:
        whole.append(whole[-1] + len(codec.choose(name).compress(part)))
    for end in [*range(0, len(data), 5003), whole[1] + 1, whole[1] - 1, len(data) - 1]:
        if end in whole:
            continue
        with pytest.raises(codec.DamagedStream):
            read(data[:end], name)


def test_a_flipped_bit_in_a_gzip_file_is_noticed_by_its_own_checksum():
    data = bytearray(members("gzip"))
    data[len(data) // 2] ^= 1
    with pytest.raises(codec.DamagedStream):
        read(bytes(data), "gzip")


def test_what_was_stored_is_seen_as_it_is_read(zstd_by):
    seen = []
    data = members("zstd")
    assert b"".join(codec.decompressed(io.BytesIO(data), "zstd", seen.append)) == PLAIN
    assert b"".join(seen) == data


def test_compression_is_told_by_the_first_bytes():
    assert codec.detect(gzip.compress(b"x")) == "gzip"
    assert codec.detect(codec.choose("zstd").compress(b"x")) == "zstd"
    assert codec.detect(b"-- MariaDB dump") == "none"
    assert codec.detect(b"") == "none"


def test_auto_is_gzip_where_there_is_no_zstd(monkeypatch):
    monkeypatch.setattr(codec, "zstandard", None)
    monkeypatch.setattr(shutil, "which", lambda program: None)
    assert codec.choose("auto").name == "gzip"
    with pytest.raises(RecoveryError, match="python3-zstandard or zstd"):
        codec.choose("zstd")


@pytest.mark.parametrize(("name", "level"), [("zstd", 0), ("zstd", 20), ("gzip", 10), ("gzip", -1)])
def test_a_level_that_the_compression_does_not_have_is_refused(name, level):
    with pytest.raises(RecoveryError, match="compression_level"):
        codec.choose(name, level)


def test_the_same_bytes_become_the_same_member():
    for name in ("zstd", "gzip"):
        assert codec.choose(name).compress(PLAIN) == codec.choose(name).compress(PLAIN)


def test_a_file_that_cannot_be_read_to_its_end_is_an_error_and_no_waiting(zstd_by):
    class Failing(io.BytesIO):
        def read(self, size=-1):
            if self.tell() > 0:
                raise OSError(5, "Input/output error")
            return super().read(100)

    with pytest.raises(OSError, match="Input/output error"):
        b"".join(codec.decompressed(Failing(members("zstd")), "zstd"))
