# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the documents tell to write is what the collection reads: plays, tasks, variables, names in the text.

What they tell to type is run by tests/integration/test_documents.py.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from documents import DOCUMENTS, ROOT, Block, all_blocks, all_commands
from markdown_it import MarkdownIt
from specs import faults

from ansible_collections.dbops.recovery.plugins.plugin_utils._watched import SECONDS_VARIABLE

LANGUAGES = {"console", "diff", "ini", "json", "nginx", "python", "sql", "text", "yaml"}
BLOCKS = all_blocks()
SETTINGS = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".venv" / "collections")}


@pytest.fixture(scope="session")
def reference() -> dict[str, Any]:
    """What `ansible-doc` says of the collection: the modules, the roles, and the keywords of a playbook."""
    program = Path(sys.executable).with_name("ansible-doc")
    done = subprocess.run(
        [program, "--metadata-dump", "dbops.recovery"], env=SETTINGS, check=True, capture_output=True, text=True
    )
    return json.loads(done.stdout)["all"]


def entry_points(reference: dict[str, Any]) -> list[dict]:
    return [entry for role in reference["role"].values() for entry in role["entry_points"].values()]


@pytest.fixture(scope="session")
def variables(reference: dict[str, Any]) -> dict[str, dict]:
    """The variables of all roles, by name, and the one that the modules' action plugins read."""
    of_roles = {name: option for entry in entry_points(reference) for name, option in entry["options"].items()}
    return {**of_roles, SECONDS_VARIABLE: {"type": "float"}}


@pytest.fixture(scope="session")
def names(reference: dict[str, Any], variables: dict[str, dict]) -> set[str]:
    """Every name that somebody can write or read: of variables, modules, results, scenarios."""
    playbooks = "".join(path.read_text() for path in (ROOT / "playbooks").glob("*.yml"))
    modules = {name.rpartition(".")[2] for name in [*reference["module"], *reference["role"]]}
    options = {name for module in reference["module"].values() for name in module["doc"]["options"]}
    returned = {name for module in reference["module"].values() for name in module["return"] or {}}
    facts = set(re.findall(r"C\((\w+)\)", json.dumps(entry_points(reference))))
    scenarios = {path.name for path in (ROOT / "extensions" / "molecule").iterdir()}
    return {*variables, *modules, *options, *returned, *facts, *scenarios, *re.findall(r"\{\{ (\w+_hosts) ", playbooks)}


def kind(block: Block) -> str:
    """Say what a block in YAML is: `plays`, `tasks`, `variables` or an `inventory`."""
    content = yaml.safe_load(block.text)
    if isinstance(content, dict):
        groups = all(isinstance(each, dict) and {"hosts", "children"} & each.keys() for each in content.values())
        return "inventory" if groups else "variables"
    return "plays" if all("hosts" in each or "ansible.builtin.import_playbook" in each for each in content) else "tasks"


def tasks_in(content: Any) -> list[dict]:
    """Return all tasks in plays or in a list of tasks, those of blocks too."""
    found = []
    for each in content:
        inner = [each.get(name, []) for name in ("pre_tasks", "tasks", "post_tasks", "block", "rescue", "always")]
        if "hosts" not in each and "block" not in each:
            found.append(each)
        found += [task for part in inner for task in tasks_in(part)]
    return found


def roles_in(content: Any) -> list[tuple[str, str, dict]]:
    """Return the roles that plays and tasks use: name, entry point, the variables that are given to it."""
    found = []
    for play in content:
        for role in play.get("roles", []):
            given = {name: value for name, value in role.items() if name not in ("role", "when", "tags", "become")}
            found.append((role["role"], "main", {**given.pop("vars", {}), **given, **play.get("vars", {})}))
    for task in tasks_in(content):
        for keyword in ("ansible.builtin.include_role", "ansible.builtin.import_role"):
            if keyword in task:
                called = task[keyword]
                found.append((called["name"], called.get("tasks_from", "main"), task.get("vars", {})))
    return found


def variables_in(block: Block) -> dict[str, Any]:
    """Return the variables of ours that a block sets: as such, or for the groups of an inventory."""
    content = yaml.safe_load(block.text)
    groups = content.values() if kind(block) == "inventory" else [{"vars": content}]
    given = {name: value for group in groups for name, value in group.get("vars", {}).items()}
    return {name: value for name, value in given.items() if not name.startswith(("ansible_", "vault_"))}


CODE = [block for block in BLOCKS if block.language == "yaml" and kind(block) in ("plays", "tasks")]
VARIABLES = [block for block in BLOCKS if block.language == "yaml" and kind(block) in ("variables", "inventory")]


def test_every_block_says_its_language():
    assert [str(block) for block in BLOCKS if block.language not in LANGUAGES] == []


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.language == "json"], ids=str)
def test_every_block_in_json_can_be_read(block):
    json.loads(block.text)


@pytest.mark.parametrize("block", CODE, ids=str)
def test_every_task_has_options_that_its_module_takes(block, reference):
    keywords = set(reference["keyword"])
    for task in tasks_in(yaml.safe_load(block.text)):
        (module,) = (name for name in task if name not in keywords)
        assert re.fullmatch(r"(ansible\.builtin|dbops\.recovery)\.\w+", module), module
        if module in reference["module"]:
            assert faults(reference["module"][module]["doc"]["options"], task[module]) == []
        else:
            assert not module.startswith("dbops."), f"there is no {module}"


@pytest.mark.parametrize("block", CODE, ids=str)
def test_every_role_is_given_variables_that_it_has(block, reference, variables):
    for name, entry_point, given in roles_in(yaml.safe_load(block.text)):
        entry = reference["role"][name]["entry_points"][entry_point]
        # A role may be given what another one that it calls reads.
        assert faults({**variables, **entry["options"]}, given, all_are_there=False) == []


@pytest.mark.parametrize("block", VARIABLES, ids=str)
def test_every_variable_is_one_of_a_role_and_has_a_value_that_it_takes(block, variables):
    assert faults(variables, variables_in(block), all_are_there=False) == []


def test_every_playbook_passes_ansibles_syntax_check(tmp_path):
    playbooks = {}
    for number, block in enumerate(CODE):
        content = yaml.safe_load(block.text)
        plays = content if kind(block) == "plays" else [{"hosts": "all", "tasks": content}]
        playbooks[tmp_path / f"{number}.yml"] = plays
    for path, plays in playbooks.items():
        path.write_text(yaml.safe_dump(plays, sort_keys=False))
    groups = {play["hosts"] for plays in playbooks.values() for play in plays} - {"all", "localhost"}
    inventory = tmp_path / "inventory.ini"
    inventory.write_text("".join(f"[{group}]\nhost\n" for group in sorted(groups)))

    done = subprocess.run(
        [Path(sys.executable).with_name("ansible-playbook"), "--syntax-check", "-i", inventory, *playbooks],
        env={**SETTINGS, "ANSIBLE_NOCOLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert len(playbooks) > 10
    assert done.returncode == 0, done.stdout + done.stderr
    assert "[WARNING]" not in done.stderr, done.stderr


def extra_variables(command: str) -> set[str]:
    """Return the names of the variables that a command line sets by -e."""
    words = shlex.split(command, comments=True)
    given = [after for word, after in zip(words, words[1:]) if word in ("-e", "--extra-vars")]
    return {
        name
        for each in given
        for name in (json.loads(each) if each.startswith("{") else [word.split("=")[0] for word in shlex.split(each)])
    }


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_every_variable_of_a_command_line_is_one_that_is_read(document, names):
    inline = [code for code in inline_code(document) if re.search(r"(^| )-e ", code)]
    typed = [command.text for command in all_commands() if command.block.document == document]

    assert {name for each in [*inline, *typed] for name in extra_variables(each)} - names == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_every_variable_in_the_text_is_one_that_there_is(document, names, reference):
    prefixes = "|".join(sorted({name.rpartition(".")[2] for name in reference["role"]}))
    words = [word for code in inline_code(document) for word in re.findall(rf"\b(?:{prefixes})_[a-z_]*\b(?!\()", code)]
    # Some stand for several: `notify_*`, `restore_...`; one is Capistrano's.
    assert {word for word in words if word not in names and not word.endswith("_")} - {"deploy_to"} == set()


def test_every_task_that_an_output_shows_is_one_of_its_role():
    shown = {
        found
        for block in all_blocks("console", "text")
        for found in re.findall(r"^TASK \[dbops\.recovery\.(\w+) : (.+?)\]", block.text, re.MULTILINE)
    }
    named = {
        (path.parts[-3], name)
        for path in (ROOT / "roles").glob("*/tasks/*.yml")
        for name in re.findall(r"- name: (.+)", path.read_text())
    }

    assert len(shown) > 10
    assert shown - named == set()


def inline_code(document: Path) -> list[str]:
    tokens = MarkdownIt().enable("table").parse((ROOT / document).read_text())
    return [child.content for token in tokens for child in token.children or [] if child.type == "code_inline"]
