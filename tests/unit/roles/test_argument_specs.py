# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A role's documentation is its argument spec, so it must say what the defaults say."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ansible_collections.dbops.recovery.plugins.module_utils._arguments import connection_options, store_options

ROLES = sorted(path for path in (Path(__file__).resolve().parents[3] / "roles").iterdir() if path.is_dir())


def load(path: Path) -> dict:
    return yaml.safe_load(path.read_text(encoding="utf-8")) or {}


def entry_points(role: Path) -> dict:
    return load(role / "meta" / "argument_specs.yml")["argument_specs"]


@pytest.fixture(params=ROLES, ids=lambda path: path.name)
def role(request):
    return request.param


def test_every_default_is_an_option_and_every_option_has_its_default(role):
    defaults = load(role / "defaults" / "main.yml")
    options = {name: option for entry in entry_points(role).values() for name, option in entry["options"].items()}
    assert set(defaults) == set(options)
    for name, option in options.items():
        if "dict" in (option["type"], option.get("elements")) and isinstance(defaults[name], str):
            # A template is no dictionary, so the reference can only describe it.
            assert "By default" in str(option["description"]), name
        # A required one has no default that means something; the commands' is whatever the preset says.
        elif not option.get("required") and "_deploy_preset" not in str(defaults[name]):
            assert option["default"] == defaults[name], name


def test_every_option_has_a_type_and_the_role_as_prefix(role):
    for entry in entry_points(role).values():
        for name, option in entry["options"].items():
            assert option["type"], name
            assert name.startswith(f"{role.name}_"), name


def test_every_entry_point_is_a_file_of_tasks(role):
    for name in entry_points(role):
        assert (role / "tasks" / f"{name}.yml").exists()


def test_every_preset_fills_in_the_same_commands():
    variables = ROLES[0].parent / "deploy" / "vars" / "main"
    presets = {path.stem: load(path)[f"_deploy_{path.stem}"] for path in variables.glob("preset_*.yml")}
    choices = entry_points(ROLES[0].parent / "deploy")["main"]["options"]["deploy_preset"]["choices"]
    assert sorted(presets) == [f"preset_{choice}" for choice in sorted(choices)]
    assert len({tuple(sorted(preset)) for preset in presets.values()}) == 1


@pytest.mark.parametrize("name", ["deploy_database_connection", "backup_connection", "restore_connection"])
def test_a_connection_takes_the_options_of_the_modules_and_no_others(name):
    (role,) = (role for role in ROLES if name.startswith(f"{role.name}_"))
    for entry in entry_points(role).values():
        options = entry["options"][name]["options"]
        # Without the modules' defaults and aliases: what a role does not name is the module's own business.
        assert {key: {k: v for k, v in option.items() if k != "description"} for key, option in options.items()} == {
            key: {k: v for k, v in option.items() if k in ("type", "no_log") and v}
            for key, option in connection_options().items()
        }


def test_the_role_offsite_knows_every_option_of_a_store():
    stores = entry_points(ROLES[0].parent / "offsite")["main"]["options"]["offsite_stores"]["options"]
    for name, option in store_options().items():
        assert stores[name]["type"] == option["type"], name
        assert stores[name].get("no_log", False) is bool(option.get("no_log")), name
        assert stores[name].get("choices") == option.get("choices"), name


@pytest.mark.parametrize(("which", "prefix"), [("offsite", "offsite_"), ("local", "offsite_local_")])
def test_the_role_status_expects_what_the_role_offsite_keeps_by_default(which, prefix):
    policy = load(ROLES[0].parent / "status" / "vars" / "main.yml")[f"_status_{which}_retention"]
    defaults = load(ROLES[0].parent / "offsite" / "defaults" / "main.yml")
    for option, template in policy.items():
        variable = f"{prefix}{option}" if f"{prefix}{option}" in defaults else f"offsite_{option}"
        assert template == f"{{{{ {variable} | default({defaults[variable]!r}) }}}}"
