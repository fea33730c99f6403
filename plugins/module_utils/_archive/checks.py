# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ladder of verification, as far as it needs no server: what a file says of itself and what its manifest says.

Every check is reported, also after one has failed; what could not be looked at any more is reported as failed.

Private to the collection.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from ansible_collections.dbops.recovery.plugins.module_utils import _progress
from ansible_collections.dbops.recovery.plugins.module_utils._archive import codec
from ansible_collections.dbops.recovery.plugins.module_utils._archive.catalog import Backup
from ansible_collections.dbops.recovery.plugins.module_utils._archive.contents import Contents
from ansible_collections.dbops.recovery.plugins.module_utils._archive.dump import ROWS, split
from ansible_collections.dbops.recovery.plugins.module_utils._archive.hashing import PlainHasher
from ansible_collections.dbops.recovery.plugins.module_utils._archive.sections import read_sections
from ansible_collections.dbops.recovery.plugins.module_utils._errors import (
    Interrupted,
    RecoveryError,
    os_error,
)
from ansible_collections.dbops.recovery.plugins.module_utils._files import BLOCK_BYTES, hash_to_end
from ansible_collections.dbops.recovery.plugins.module_utils._text import some_of
from ansible_collections.dbops.recovery.plugins.module_utils._units import (
    CLOCK_TOLERANCE,
    show_duration,
    show_size,
    show_time,
    utc_now,
)

ERROR = "error"
WARNING = "warning"
INFO = "info"

FILE = "file"
CONTENT = "content"
RESTORE = "restore"


@dataclass(frozen=True)
class Check:
    """One question and its answer. Severity says what a "no" means; info is what could not be asked."""

    name: str
    passed: bool
    severity: str
    detail: str
    seconds: float = 0.0

    def as_result(self) -> dict:
        """Return it as modules return a check."""
        return {
            "name": self.name,
            "passed": self.passed,
            "severity": self.severity,
            "detail": self.detail,
            "seconds": round(self.seconds, 3),
        }


@dataclass(frozen=True)
class Limits:
    """What a backup is held against: bytes and age; None means no limit."""

    min_size: int | None = None
    max_size: int | None = None
    max_age: timedelta | None = None


def failed(checks: Iterable[Check]) -> list[Check]:
    """Return the checks whose answer makes the backup a bad one."""
    return [check for check in checks if not check.passed and check.severity == ERROR]


def describe(checks: Iterable[Check]) -> str:
    """Return checks in words, a line each: "- stored_sha256: ..."."""
    return "\n".join(f"- {check.name}: {check.detail}" for check in checks)


@dataclass(frozen=True)
class Findings:
    """What a look at a backup brought: every check, and at level CONTENT what the SQL says of itself."""

    checks: list[Check]
    contents: Contents

    @property
    def objects(self) -> set[tuple[str, str]]:
        """The (type, name) pairs that it defines."""
        return self.contents.objects

    @property
    def schemas(self) -> set[str]:
        """The schemas that it creates or changes to by itself."""
        return self.contents.schemas


def check_backup(backup: Backup, level: str, limits: Limits) -> Findings:
    """Look at a backup up to a level (FILE or CONTENT). The file is read once.

    Raise RecoveryError when it cannot be read; that says nothing of the backup.
    """
    reading = _Reading(backup)
    try:
        checks = list(_outer_checks(backup, limits))
        reading.run(with_content=level == CONTENT)
    except OSError as error:
        raise os_error(f"The backup {backup.name} cannot be read", error) from error
    checks += reading.file_checks()
    if level == CONTENT:
        checks += reading.content_checks()
    return Findings(checks, reading.contents)


def check_before_loading(backup: Backup, level: str) -> Findings:
    """Look at a backup whose rows are loaded by read_sections() next, which holds each section against its checksum.

    So they need not be unpacked here, where the stored bytes are those that the manifest has. Whatever is not as it
    should be is looked at in full, and every check reported. Raise RecoveryError when the backup cannot be read.
    """
    # Without the length of its longest statement, only the rows can say whether the server would take them.
    if backup.manifest and "longest_statement" in backup.manifest["archive"] and _is_as_stored(backup):
        findings = _look_besides_rows(backup) if level == CONTENT else Findings([], Contents())
        if findings and not failed(findings.checks):
            return findings
    return check_backup(backup, level, Limits())


def _is_as_stored(backup: Backup) -> bool:
    archive = backup.manifest["archive"]
    _begin_checking(backup)
    try:
        with open(backup.path, "rb") as file:
            stored = hash_to_end(file, _progress.advance).hexdigest()
            count = file.tell()
    except OSError as error:
        raise os_error(f"The backup {backup.name} cannot be read", error) from error
    return (count, stored) == (archive["stored_bytes"], archive["stored_sha256"])


def _begin_checking(backup: Backup) -> None:
    _progress.phase("checking", backup.database or backup.name, os.path.getsize(backup.path))


def _look_besides_rows(backup: Backup) -> Findings | None:
    """Return what the sections besides the rows bring; None where one of them is not what the manifest says."""
    sections = backup.manifest["archive"]["sections"]
    # The last one too, whatever it holds: the footer stands there.
    wanted = [each for each in sections if each["kind"] != ROWS or each is sections[-1]]
    reading = _Reading(backup, contents=Contents(search_rows=False))
    try:
        for section in read_sections(backup, wanted):
            reading.contents.feed(section)
    except Interrupted:
        raise
    except RecoveryError:
        return None
    return Findings(list(reading.content_checks()), reading.contents)


def _outer_checks(backup: Backup, limits: Limits) -> Iterator[Check]:
    size = os.path.getsize(backup.path)
    shown = show_size(size)
    yield Check("exists", size > 0, ERROR, f"{backup.path}, {shown}" if size else f"{backup.path} is empty")
    if backup.manifest:
        wanted = backup.manifest["archive"]["stored_bytes"]
        detail = f"{size} bytes" + ("" if size == wanted else f", the manifest has {wanted}")
        yield Check("size", size == wanted, ERROR, detail)
    if limits.min_size is not None:
        yield Check(
            "min_size", size >= limits.min_size, ERROR, f"{shown}, at least {show_size(limits.min_size)} wanted"
        )
    if limits.max_size is not None:
        yield Check(
            "max_size", size <= limits.max_size, WARNING, f"{shown}, at most {show_size(limits.max_size)} wanted"
        )
    if limits.max_age is not None:
        age = utc_now() - backup.started
        begun = f"begun {show_time(backup.started)}, {show_duration(age)} ago"
        detail = f"{begun}, at most {show_duration(limits.max_age)} wanted"
        if age < -CLOCK_TOLERANCE:
            detail = f"begun {show_time(backup.started)}, which is to come: one of two clocks is wrong"
        yield Check("max_age", -CLOCK_TOLERANCE <= age <= limits.max_age, ERROR, detail)
    if backup.manifest is None:
        yield Check("manifest", False, INFO, "there is none, so checksums and objects have nothing to be compared with")


@dataclass
class _Reading:
    """One pass over a file and what was seen on the way."""

    backup: Backup
    problem: str | None = None
    compression: str = codec.NONE
    stored_sha256: str = ""
    plain_sha256: str = ""
    plain_bytes: int = 0
    seconds: float = 0.0
    contents: Contents = field(default_factory=Contents)
    bad_sections: list = field(default_factory=list)

    def run(self, with_content: bool) -> None:
        clock = time.monotonic()
        self.contents.search_rows = self.backup.manifest is None
        stored_hash = hashlib.sha256()

        def seen(block: bytes) -> None:
            stored_hash.update(block)
            _progress.advance(len(block))

        _begin_checking(self.backup)
        sections = self.backup.manifest["archive"]["sections"] if self.backup.manifest and with_content else []
        with open(self.backup.path, "rb") as file, PlainHasher(sections) as hasher:
            self.compression = codec.detect(file.read(8))
            file.seek(0)
            blocks = hasher.watch(codec.decompressed(file, self.compression, seen))
            try:
                for section in split(blocks) if with_content else ():
                    self.contents.feed(section)
                for _block in blocks:
                    pass
            except codec.DamagedStream as error:
                self.problem = str(error)
                # The rest is still read: the stored checksum says whether these are the bytes that were written.
                while block := file.read(BLOCK_BYTES):
                    seen(block)
        self.stored_sha256, self.plain_sha256 = stored_hash.hexdigest(), hasher.sha256
        self.plain_bytes, self.bad_sections = hasher.count, hasher.bad_sections
        self.seconds = time.monotonic() - clock

    def file_checks(self) -> Iterator[Check]:
        expected = _compression_by_name(self.backup.path)
        right = expected in (None, self.compression)
        yield Check(
            "magic",
            right,
            ERROR,
            f"the content is {_words(self.compression)}" + ("" if right else f", the name says {_words(expected)}"),
        )
        archive = self.backup.manifest["archive"] if self.backup.manifest else None
        if archive:
            yield _equal("stored_sha256", archive["stored_sha256"], self.stored_sha256, self.seconds)
        detail = self.problem or f"{show_size(self.plain_bytes)} of SQL"
        yield Check("decompress", self.problem is None, ERROR, detail, 0.0 if archive else self.seconds)
        if archive:
            yield _equal("plain_sha256", archive["plain_sha256"], self.plain_sha256)

    def content_checks(self) -> Iterator[Check]:
        problem = self.contents.frame.problem()
        if self.backup.manifest is None and problem and self.contents.frame.footers == self.contents.frame.headers == 0:
            # Made by another tool, or without comments: completeness cannot be seen.
            yield Check("frame", False, INFO, "no header and no footer, so it cannot be seen whether it is complete")
        else:
            yield Check("frame", problem is None, ERROR, problem or "one header, and the footer stands last")
        yield self._sql_check()
        if self.backup.manifest is None:
            found = f"{len(self.contents.objects)} objects found"
            yield Check("objects", False, INFO, f"{found}; without a manifest it is not known whether that is all")
            return
        yield from self._manifest_checks()

    def _sql_check(self) -> Check:
        again = codec.detect(self.contents.start)
        if again != codec.NONE:
            return Check("sql", False, ERROR, f"it is compressed twice: what was unpacked is {again} again")
        statements = self.contents.frame.statements
        return Check("sql", statements, ERROR, "SQL statements" if statements else "there is no SQL statement in it")

    def _manifest_checks(self) -> Iterator[Check]:
        shown = ", ".join(self.bad_sections[:5])
        yield Check(
            "sections", not self.bad_sections, ERROR, f"damaged: {shown}" if shown else "every checksum is right"
        )
        wanted = {(kind, name) for kind, names in self.backup.manifest["inventory"].items() for name in names}
        missing, unexpected = sorted(wanted - self.contents.objects), sorted(self.contents.objects - wanted)
        words = [f"missing: {_names(missing)}"] if missing else []
        words += [f"not in the manifest: {_names(unexpected)}"] if unexpected else []
        detail = "; ".join(words) or f"all {len(wanted)} objects of the manifest"
        yield Check("objects", not words, ERROR, detail)


def _equal(name: str, expected: str, found: str, seconds: float = 0.0) -> Check:
    passed = expected == found
    return Check(name, passed, ERROR, found if passed else f"{found}, the manifest has {expected}", seconds)


def _compression_by_name(path: str) -> str | None:
    # Longest suffix first: every name that ends with .sql.gz is not a .sql.
    for name, suffix in sorted(codec.SUFFIXES.items(), key=lambda item: -len(item[1])):
        if path.endswith(suffix):
            return name
    return None


def _words(compression: str | None) -> str:
    return "not compressed" if compression == codec.NONE else f"{compression}"


def _names(objects: list[tuple[str, str]], limit: int = 10) -> str:
    return some_of([f"{kind.replace('_', ' ')} {name}" for kind, name in objects], limit)
