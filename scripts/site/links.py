"""Look at every link and every resource of a site that was built.

    links.py FOLDER

A link within the site leads to a page that is there, and its anchor to a place on that page. A page loads nothing from
elsewhere: it is readable without a network, and tells nobody who reads it.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# What a browser fetches by itself; a link of these kinds only says where something is.
LOADED = {"script": "src", "img": "src", "source": "src", "iframe": "src", "video": "src", "link": "href"}
ONLY_NAMED = ("index", "search", "next", "prev", "canonical", "author", "help")


@dataclass
class Page(HTMLParser):
    """The anchors of a page, where it links to, and what it loads."""

    anchors: set[str] = field(default_factory=set)
    links: set[str] = field(default_factory=set)
    loads: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if given.get(name)}
        if tag == "a" and "href" in given:
            self.links.add(given["href"])
        elif given.get(LOADED.get(tag, "")) and given.get("rel") not in ONLY_NAMED:
            self.loads.add(given[LOADED[tag]])


def read(path: Path) -> Page:
    page = Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def faults(folder: Path) -> list[str]:
    """Return what is wrong with the pages below a folder, each with its page; nothing when all is well."""
    pages = {path: read(path) for path in sorted(folder.rglob("*.html"))}
    found = []
    for path, page in pages.items():
        name = path.relative_to(folder)
        elsewhere = sorted(each for each in page.loads if urlsplit(each).netloc)
        found += [f"{name} loads {each} from elsewhere" for each in elsewhere]
        for link in sorted(page.links | page.loads):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = Path(os.path.normpath(path.parent / unquote(parts.path))) if parts.path else path
            if not target.exists():
                found.append(f"{name} leads to {link}, which is not there")
            elif target in pages and parts.fragment and unquote(parts.fragment) not in pages[target].anchors:
                found.append(f"{name} leads to {link}, and that page has no such place")
    return found if pages else [f"there is no page in {folder}"]


if __name__ == "__main__":
    site = Path(sys.argv[1])
    wrong = faults(site)
    print("\n".join(wrong) or f"{len(list(site.rglob('*.html')))} pages, and every link of them leads somewhere")
    sys.exit(1 if wrong else 0)
