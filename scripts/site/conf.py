"""Sphinx's configuration of the site of the documents. `scripts/docs` builds it, from a folder that it fills before."""

from __future__ import annotations

from pathlib import Path

import yaml
from docutils import nodes

_COLLECTION = yaml.safe_load((Path(__file__).resolve().parents[2] / "galaxy.yml").read_text())

project = "dbops.recovery"
author = "the dbops.recovery authors"
project_copyright = "2026, the dbops.recovery authors"
release = _COLLECTION["version"]

# sphinx_antsibull_ext knows what the reference of modules and roles is written in.
extensions = ["myst_parser", "sphinx_antsibull_ext"]
# As deep as the pages' headings go; their anchors are those that GitHub makes.
myst_heading_anchors = 3
highlight_language = "text"
# Not every statement that a server takes is known to the highlighter.
suppress_warnings = ["misc.highlighting_failure"]
html_theme = "furo"
html_title = f"dbops.recovery {release}"
html_show_sphinx = False
html_copy_source = False
html_theme_options = {"source_repository": f"{_COLLECTION['repository']}/", "top_of_page_buttons": []}
html_static_path = ["static"]
html_css_files = ["site.css"]

# Where the reference refers to Ansible's own documents, by their labels.
_OF_ANSIBLE = {
    "action_plugins": "https://docs.ansible.com/ansible/latest/plugins/action.html",
    "common_return_values": "https://docs.ansible.com/ansible/latest/reference_appendices/common_return_values.html",
}


def _lead_to_ansible(_app, _environment, node, text):
    address = _OF_ANSIBLE.get(node.get("reftarget"))
    return nodes.reference("", "", text, internal=False, refuri=address) if address else None


def setup(app):
    app.connect("missing-reference", _lead_to_ansible)
