# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documents as a program reads them: their blocks of code, and the commands with what they are said to print."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [
    path.relative_to(ROOT)
    for pattern in ("README.md", "CONTRIBUTING.md", "docs/*.md", "roles/*/README.md")
    for path in sorted(ROOT.glob(pattern))
]


@dataclass(frozen=True)
class Block:
    """A block of code: where it stands, under which heading, the language that it is said to be in, and its text."""

    document: Path
    line: int
    heading: str
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.document}:{self.line}"


@dataclass(frozen=True)
class Command:
    """A command to type, the lines that are typed into it, and the lines that it is said to print."""

    block: Block
    text: str
    typed: tuple[str, ...]
    shown: tuple[str, ...]


def read_blocks(document: Path, text: str) -> list[Block]:
    """Return the blocks of code of a document in their order; one that is only indented has no language."""
    found, heading = [], ""
    tokens = MarkdownIt().parse(text)
    for before, token in zip([None, *tokens], tokens):
        if before is not None and before.type == "heading_open":
            heading = token.content
        if token.type in ("fence", "code_block"):
            found.append(Block(document, token.map[0] + 1, heading, token.info.strip(), token.content))
    return found


def all_blocks(*languages: str) -> list[Block]:
    """Return the blocks of every document, or those in some languages."""
    blocks = (block for path in DOCUMENTS for block in read_blocks(path, (ROOT / path).read_text()))
    return [block for block in blocks if not languages or block.language in languages]


def commands_of(block: Block) -> Iterator[Command]:
    """Yield the commands of a block in the language `console`.

    A command begins with `$ ` and goes on behind a backslash. Lines that begin with `> ` right below are typed into it,
    with those that are indented under them. The rest is what it prints.
    """
    for piece in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        lines = piece.rstrip("\n").split("\n")
        command = [lines.pop(0)]
        while command[-1].endswith("\\"):
            command.append(lines.pop(0))
        typed = []
        while lines and (lines[0].startswith("> ") or (typed and lines[0].startswith("  "))):
            typed.append(lines.pop(0).removeprefix("> "))
        yield Command(block, "\n".join(command), tuple(typed), tuple(lines))


def all_commands() -> list[Command]:
    return [command for block in all_blocks("console") for command in commands_of(block)]
