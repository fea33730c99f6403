# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The site is made of the documents as they stand, and what leads nowhere is found."""

from __future__ import annotations

from pathlib import Path

import links
import pages
import pytest

REPOSITORY = "https://example.org/ours"
ROOT = Path(__file__).parents[3]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name in ("docs/index.md", "docs/restore.md", "roles/deploy/README.md", "CONTRIBUTING.md", "examples/hosts.yml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    return tmp_path


@pytest.mark.parametrize(
    ("document", "link", "on_the_site"),
    [
        ("docs/index.md", "restore.md", "restore.md"),
        ("docs/index.md", "restore.md#undo", "restore.md#undo"),
        ("docs/index.md", "#guides", "#guides"),
        ("docs/index.md", "https://example.net/a.md", "https://example.net/a.md"),
        ("docs/index.md", "../roles/deploy/README.md", "roles/deploy.md"),
        ("docs/index.md", "../CONTRIBUTING.md", "contributing.md"),
        ("roles/deploy/README.md", "../../docs/restore.md#undo", "../restore.md#undo"),
        ("docs/index.md", "../examples/hosts.yml", f"{REPOSITORY}/blob/main/examples/hosts.yml"),
        ("docs/index.md", "../examples", f"{REPOSITORY}/tree/main/examples"),
    ],
)
def test_a_link_leads_to_the_page_or_to_the_file_in_the_repository(checkout, document, link, on_the_site):
    known = pages.site_pages(checkout)

    text = pages.with_links_of_the_site(f"See [it]({link}).", Path(document), known, checkout, REPOSITORY)

    assert text == f"See [it]({on_the_site})."


def test_a_link_to_nothing_is_named_with_its_page(checkout):
    known = pages.site_pages(checkout)

    with pytest.raises(pages.UnknownTarget, match=r"docs/index.md links to gone.md, and there is no docs/gone.md"):
        pages.with_links_of_the_site("[it](gone.md)", Path("docs/index.md"), known, checkout, REPOSITORY)


def test_every_link_of_the_readme_leads_to_a_file():
    # It is no page of the site, whose building would see it.
    readme = Path("README.md")
    known = {**pages.site_pages(ROOT), readme: readme}

    assert "(docs/restore.md)" in (ROOT / readme).read_text()
    pages.with_links_of_the_site((ROOT / readme).read_text(), readme, known, ROOT, REPOSITORY)


def test_code_is_left_as_it_is(checkout):
    text = "[a](restore.md)\n\n```yaml\n- [b](../examples)\n```\n\n[c](../examples)\n"

    made = pages.with_links_of_the_site(text, Path("docs/index.md"), pages.site_pages(checkout), checkout, REPOSITORY)

    assert "[b](../examples)" in made
    assert f"[c]({REPOSITORY}/tree/main/examples)" in made


def test_the_lists_of_the_index_are_the_navigation():
    made = pages.navigation(
        "# Title\n\nWords.\n\n## Guides\n\n* [Undo it](restore.md): words\n* no page\n\n## Empty\n\nA\n"
    )

    assert made.startswith("```{toctree}\n:hidden:\n:caption: Guides\n\nUndo it <restore>\n```\n")
    assert "Empty" not in made
    assert made.endswith(pages.REFERENCE)


def test_a_page_of_the_reference_has_a_short_title_and_no_contents_of_its_own():
    title = "dbops.recovery.db_backup module -- Back up a database"
    text = f".. Title\n\n{title}\n{'+' * len(title)}\n\nNew\n\n.. contents::\n   :local:\n   :depth: 1\n\nSynopsis\n"

    made = pages.reference_page(text)

    assert made == ".. Title\n\ndb_backup module\n++++++++++++++++\n\nBack up a database.\n\nNew\n\n\nSynopsis\n"


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ('<a href="b.html">', None),
        ('<a href="b.html#there">', None),
        ('<a href="#here"><p id="here">', None),
        ('<a href="https://example.org/">', None),
        ('<link rel="stylesheet" href="b.html">', None),
        ('<link rel="canonical" href="https://example.org/a.html">', None),
        ('<a href="c.html">', "a.html leads to c.html, which is not there"),
        ('<a href="b.html#gone">', "a.html leads to b.html#gone, and that page has no such place"),
        ('<a href="#gone">', "a.html leads to #gone, and that page has no such place"),
        ('<img src="c.png">', "a.html leads to c.png, which is not there"),
        ('<script src="https://cdn.example.org/x.js">', "a.html loads https://cdn.example.org/x.js from elsewhere"),
        ('<link rel="stylesheet" href="//fonts.example.org/x">', "a.html loads //fonts.example.org/x from elsewhere"),
    ],
)
def test_a_link_that_leads_nowhere_and_what_comes_from_elsewhere_is_named(tmp_path, content, fault):
    (tmp_path / "a.html").write_text(content)
    (tmp_path / "b.html").write_text('<p id="there">')

    assert links.faults(tmp_path) == ([fault] if fault else [])


def test_a_site_without_pages_is_none(tmp_path):
    assert links.faults(tmp_path) == [f"there is no page in {tmp_path}"]
