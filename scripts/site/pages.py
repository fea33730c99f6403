"""Fill a folder with the pages of the site.

    pages.py FOLDER

The reference is there already, in the folder `reference`.

The documents are written to be read where they stand, in a checkout or on the collection's web page. The site has
them in one place: a link between two of them leads to the page, any other to the file in the repository. What stands
in the lists of docs/index.md, heading by heading, is the navigation; so a page that is not named there is an error.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
INDEX = Path("docs/index.md")
# The reference is made by antsibull-docs and has an index of its own.
REFERENCE = "```{toctree}\n:hidden:\n:caption: Reference\n\nOptions <reference/index>\n```\n"

LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCE = re.compile(r"^(?P<mark>```+|~~~+).*?^(?P=mark)\s*$", re.MULTILINE | re.DOTALL)


class UnknownTarget(Exception):
    """A page links to something that is not there."""


def site_pages(root: Path) -> dict[Path, Path]:
    """Return the documents below a checkout, each with its place on the site."""
    documents = {path.relative_to(root): Path(path.name) for path in sorted((root / "docs").glob("*.md"))}
    roles = {
        path.relative_to(root): Path("roles", f"{path.parent.name}.md")
        for path in sorted((root / "roles").glob("*/README.md"))
    }
    return {**documents, **roles, Path("CONTRIBUTING.md"): Path("contributing.md")}


def split_code(text: str) -> list[tuple[bool, str]]:
    """Split a page into its fenced code (True) and what stands between."""
    pieces, end = [], 0
    for fence in FENCE.finditer(text):
        pieces += [(False, text[end : fence.start()]), (True, fence.group())]
        end = fence.end()
    return [*pieces, (False, text[end:])]


def with_links_of_the_site(text: str, document: Path, pages: dict[Path, Path], root: Path, repository: str) -> str:
    """Return a document with its links leading where they lead on the site.

    Raise UnknownTarget when one leads to nothing in the checkout.
    """

    def lead(link: re.Match) -> str:
        target, mark, anchor = link[1].partition("#")
        if not target or re.match(r"[a-z]+:", target):
            return link[0]
        path = Path(os.path.normpath(document.parent / target))
        if path in pages:
            return f"]({os.path.relpath(pages[path], pages[document].parent)}{mark}{anchor})"
        if not (root / path).exists():
            raise UnknownTarget(f"{document} links to {target}, and there is no {path}")
        return f"]({repository}/{'tree' if (root / path).is_dir() else 'blob'}/main/{path}{mark}{anchor})"

    return "".join(piece if code else LINK.sub(lead, piece) for code, piece in split_code(text))


def navigation(index: str) -> str:
    """Return the site's navigation, made of the headings of an index page and of the pages listed under each."""
    trees = []
    for section in re.split(r"^## ", index, flags=re.MULTILINE)[1:]:
        caption, _newline, body = section.partition("\n")
        entries = re.findall(r"^[*-] \[([^\]]+)\]\(([^):#]+)\.md\)", body, re.MULTILINE)
        lines = "\n".join(f"{title} <{page}>" for title, page in entries)
        if entries:
            trees.append(f"```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{lines}\n```\n")
    return "\n".join([*trees, REFERENCE])


def reference_page(text: str) -> str:
    """Return a page of the reference with its plain name as the title, and without a table of contents.

    What the module or role does is too long for a navigation, and the theme shows the contents of a page beside it.
    """
    text = text.replace("Dbops.Recovery\n==============\n", "Modules and roles\n=================\n")
    text = re.sub(r"^\.\. contents::\n(?: +:.*\n)+", "", text, flags=re.MULTILINE)
    title = re.search(r"^dbops\.recovery\.(\w+ \w+) -- (.+)\n(\++)\n", text, re.MULTILINE)
    if title is None:
        return text
    return text.replace(title[0], f"{title[1]}\n{'+' * len(title[1])}\n\n{title[2]}.\n")


def main(folder: Path) -> None:
    repository = yaml.safe_load((ROOT / "galaxy.yml").read_text())["repository"]
    pages = site_pages(ROOT)
    for document, page in pages.items():
        text = with_links_of_the_site((ROOT / document).read_text(), document, pages, ROOT, repository)
        (folder / page).parent.mkdir(parents=True, exist_ok=True)
        (folder / page).write_text(f"{text}\n{navigation(text)}" if document == INDEX else text)
    for path in (folder / "reference").glob("*.rst"):
        path.write_text(reference_page(path.read_text()))


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except UnknownTarget as error:
        sys.exit(f"{error}.")
