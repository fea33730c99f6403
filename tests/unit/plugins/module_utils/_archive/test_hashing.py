"""Hashing the plain bytes in a thread of its own."""

from __future__ import annotations

import hashlib

import pytest

from ansible_collections.dbops.recovery.plugins.module_utils._archive.catalog import Backup
from ansible_collections.dbops.recovery.plugins.module_utils._archive.checks import CONTENT, Limits, check_backup
from ansible_collections.dbops.recovery.plugins.module_utils._archive.hashing import PlainHasher
from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError

BLOCKS = [b"ab", b"cdefg", b"", b"h"]


def section(kind: str, data: bytes) -> dict:
    return {"kind": kind, "object": None, "plain_bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def hashed(sections: list[dict]) -> PlainHasher:
    with PlainHasher(sections) as hasher:
        assert list(hasher.watch(iter(BLOCKS))) == BLOCKS
    return hasher


def test_the_whole_and_each_section_are_hashed_whatever_the_blocks():
    hasher = hashed([section("preamble", b"abc"), section("rows", b"def"), section("epilogue", b"gh")])
    assert (hasher.count, hasher.bad_sections) == (8, [])
    assert hasher.sha256 == hashlib.sha256(b"abcdefgh").hexdigest()


def test_a_section_with_other_bytes_is_named_and_so_is_what_is_missing():
    hasher = hashed([section("preamble", b"abX"), section("rows", b"def"), section("epilogue", b"ghi")])
    assert hasher.bad_sections == ["preamble", "epilogue and all behind it (they are missing)"]


def test_an_error_in_the_thread_reaches_the_reader_who_does_not_wait_for_ever():
    with pytest.raises(KeyError), PlainHasher([{"plain_bytes": 1, "sha256": ""}]) as hasher:
        for _block in hasher.watch(iter([b"x"] * 1000)):
            pass


def test_a_file_that_cannot_be_read_is_an_error_in_words_and_no_verdict(tmp_path):
    with pytest.raises(RecoveryError, match="cannot be read: No such file"):
        check_backup(Backup(str(tmp_path / "gone.sql"), None), CONTENT, Limits())
