# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The manifest: what is in an archive, of which server, with which checksums, and what was proved about it since.

Format, version 1, a JSON object; unknown keys are kept when it is written again:

    format                    {"name": "dbops.recovery.manifest", "version": 1}
    backup                    name, database, started, finished (ISO 8601, UTC), seconds, labels, pinned
    archive                   file, compression, stored_bytes, plain_bytes, stored_sha256, plain_sha256,
                              longest_statement (bytes),
                              sections: [{kind, object, offset, stored_bytes, plain_bytes, sha256 of the plain bytes}]
    server, client            as looked at before the dump
    inventory                 {type: {name: sha256 of the definition}}
    rows                      counted ("in the dump" or "on the server after the dump"), tables {name: number}
    binlog                    file, position, gtid: the place in the binary log, where the account may read it
    non_transactional_tables  {name: engine}; tables_locked: whether they were held still
    excluded                  tables that were left out
    verifications             evidence, oldest first

Private to the collection.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from typing import Any

from ansible_collections.dbops.recovery.plugins.module_utils._archive.codec import SUFFIXES
from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError
from ansible_collections.dbops.recovery.plugins.module_utils._files import write_whole
from ansible_collections.dbops.recovery.plugins.module_utils._units import parse_time

FORMAT = {"name": "dbops.recovery.manifest", "version": 1}
SUFFIX = ".manifest.json"
_REQUIRED = {
    "backup": {"name": str, "database": str, "started": str},
    "archive": {
        "file": str,
        "compression": str,
        "stored_bytes": int,
        "plain_bytes": int,
        "stored_sha256": str,
        "plain_sha256": str,
        "sections": list,
    },
    "server": {"flavour": str, "version": str},
}
_SECTION = {"kind": str, "offset": int, "stored_bytes": int, "plain_bytes": int, "sha256": str}


class UnusableManifest(RecoveryError):
    """A manifest could be read and says nothing that can be relied on: damaged, of another program, of another file."""


def read(path: str) -> dict:
    """Read a manifest. Raise RecoveryError when it is damaged, of something else, or of a newer format."""
    try:
        with open(path, "rb") as file:
            content = file.read()
    except OSError as error:
        raise RecoveryError(f"The manifest {path} cannot be read: {error.strerror}.") from error
    return parse(content, path)


def parse(content: bytes, place: str) -> dict:
    """Given a manifest's bytes and where they are from, return it. Raise UnusableManifest."""
    try:
        manifest = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise UnusableManifest(f"The manifest {place} is damaged: it is not JSON ({error}).") from error
    problem = _problem(manifest)
    if problem:
        raise UnusableManifest(f"The manifest {place} {problem}.")
    return manifest


def require_beside(content: dict, place: str, archive: str) -> None:
    """Raise UnusableManifest unless a manifest, from that place, describes the archive that lies beside it."""
    if content["archive"]["file"] != archive:
        raise UnusableManifest(
            f"The manifest {place} describes {content['archive']['file']}, not {archive}. Put the two files that "
            "belong together side by side."
        )


def size_problem(content: dict, size: int) -> str | None:
    """Return in words that an archive of so many bytes is not the one of a manifest; None where it may be."""
    wanted = content["archive"]["stored_bytes"]
    return None if size == wanted else f"its archive has {size} bytes, the manifest says {wanted}"


def is_same_archive(one: dict, other: dict) -> bool:
    """Given the "archive" of two manifests of one name, return whether that is the same file; the suffix may differ."""
    return all(one[key] == other[key] for key in ("file", "stored_sha256"))


def failed_last(manifest: dict) -> bool:
    """Return whether the backup did not pass its last verification; of one that was never verified nobody knows."""
    return any(not entry.get("verified") for entry in manifest.get("verifications", [])[-1:])


def is_safety(content: dict) -> bool:
    """Whether a restore made the backup of the state that it was about to replace."""
    return content["backup"].get("labels", {}).get("purpose") == "safety"


def render(manifest: dict) -> bytes:
    """Return a manifest as the bytes of its file."""
    return json.dumps(manifest, indent=1).encode() + b"\n"


def _problem(manifest: Any) -> str | None:
    if not isinstance(manifest, dict) or not isinstance(manifest.get("format"), dict):
        return "is damaged: it has no format"
    if manifest["format"].get("name") != FORMAT["name"]:
        return "belongs to another program"
    version = manifest["format"].get("version")
    if not isinstance(version, int):
        return "is damaged: its format has no version"
    if version > FORMAT["version"]:
        return f"has format version {version}; this collection reads up to {FORMAT['version']}. Update the collection"
    problem = next(_misfits(manifest), None)
    return f"is damaged: {problem}" if problem else None


def _misfits(manifest: dict) -> Iterator[str]:
    """Yield what readers rely on and this manifest does not have."""
    for part, keys in _REQUIRED.items():
        yield from _wrong_keys(part, manifest.get(part), keys)
    archive, head = manifest["archive"], manifest["backup"]
    for number, section in enumerate(archive["sections"]):
        yield from _wrong_keys(f"archive.sections[{number}]", section, _SECTION)
        if not isinstance(section.get("object", 0), (str, type(None))):
            yield f"archive.sections[{number}].object is no name"
    if archive["file"] != os.path.basename(archive["file"]) or not archive["file"]:
        yield "archive.file is not the name of a file beside it"
    if not isinstance(archive.get("longest_statement", 0), int):
        yield "archive.longest_statement is no int"
    yield from _contradictions(head, archive)
    yield from _wrong_facts(manifest["server"])
    try:
        parse_time(head["started"])
    except ValueError:
        yield "backup.started is not a moment"
    if not isinstance(head.get("labels", {}), dict):
        yield "backup.labels is not an object"
    excluded, inventory = manifest.get("excluded", []), manifest.get("inventory")
    if not isinstance(excluded, list) or not all(isinstance(table, str) for table in excluded):
        yield "excluded is not a list of names"
    if not isinstance(inventory, dict) or not all(isinstance(names, dict) for names in inventory.values()):
        yield "the inventory is missing"
    rows = manifest.get("rows")
    if rows is not None and not (isinstance(rows, dict) and isinstance(rows.get("counted"), str)):
        yield "rows does not say where they were counted"
    elif rows is not None and not isinstance(rows.get("tables"), dict):
        yield "rows.tables is missing"
    evidence = manifest.get("verifications", [])
    if not isinstance(evidence, list) or not all(isinstance(entry, dict) for entry in evidence):
        yield "verifications is not a list of evidence"
    yield from _wrong_keys("client", manifest.get("client", {"version": ""}), {"version": str})


def _contradictions(head: dict, archive: dict) -> Iterator[str]:
    suffix = SUFFIXES.get(archive["compression"])
    if suffix is None or archive["file"] != head["name"] + suffix:
        yield f"the archive of {head['name']}, compression {archive['compression']}, would not be {archive['file']}"
    stored = plain = 0
    for section in archive["sections"]:
        if section["offset"] != stored:
            yield "archive.sections do not follow on each other"
        stored, plain = stored + section["stored_bytes"], plain + section["plain_bytes"]
    if archive["sections"] and (stored, plain) != (archive["stored_bytes"], archive["plain_bytes"]):
        yield "archive.sections do not add up to the archive"


def _wrong_facts(server: dict) -> Iterator[str]:
    if server["flavour"] not in ("mariadb", "mysql"):
        yield f"server.flavour is {server['flavour']}"
    for key in ("charset", "collation"):
        # They become part of a statement.
        if not re.fullmatch(r"\w+", str(server.get(key, "none"))):
            yield f"server.{key} is no name"
    if server.get("lower_case_table_names", 0) not in (0, 1, 2):
        yield "server.lower_case_table_names is not 0, 1 or 2"


def _wrong_keys(place: str, part: Any, keys: dict[str, type]) -> Iterator[str]:
    if not isinstance(part, dict):
        yield f"{place} is missing"
        return
    for key, wanted in keys.items():
        if not isinstance(part.get(key), wanted):
            yield f"{place}.{key} is missing" if key not in part else f"{place}.{key} is no {wanted.__name__}"
        elif wanted is int and part[key] < 0:
            yield f"{place}.{key} is negative"


def write(path: str, manifest: dict) -> None:
    """Write a manifest so that the path holds the old one or the new one whole at any moment.

    A new one has mode 0600; one that is written again keeps its owner and mode. Raise OSError.
    """
    write_whole(path, render(manifest))


def describe_section(entry: dict) -> str:
    """Given an entry of the list of sections, return it in words: "rows of orders"."""
    return entry["kind"] + (f" of {entry['object']}" if entry.get("object") else "")
