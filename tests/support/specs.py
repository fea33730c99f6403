# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values held against the options that `ansible-doc` shows of a module or a role."""

from __future__ import annotations

from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

# What a template may turn out to be.
INSTEAD_OF_VALUES = {"str": "x", "path": "/x", "raw": "x", "int": 1, "float": 1.0, "bool": True, "list": [], "dict": {}}


def faults(options: dict[str, dict], given: dict[str, Any], all_are_there: bool = True) -> list[str]:
    """Return what is wrong with values for some options, by the rules that Ansible has for a module's."""
    given = {name: option_value(options.get(name, {}), value) for name, value in given.items()}
    templated = {name for name, value in given.items() if value is None}
    spec = {name: specification(option, all_are_there and name not in templated) for name, option in options.items()}
    known = {name: value for name, value in given.items() if value is not None}
    return ArgumentSpecValidator(spec).validate(known).error_messages


def option_value(option: dict, value: Any) -> Any:
    """Return a value with something plausible in the place of its templates; None where nobody can know."""
    if isinstance(value, str) and "{{" in value:
        nested = option.get("suboptions", option.get("options"))
        return None if nested else option.get("choices", [INSTEAD_OF_VALUES[option.get("type", "str")]])[0]
    if isinstance(value, dict):
        nested = option.get("suboptions", option.get("options")) or {}
        return {name: option_value(nested.get(name, {}), each) for name, each in value.items()}
    if isinstance(value, list):
        return [option_value({**option, "type": option.get("elements", "str")}, each) for each in value]
    return value


def specification(option: dict, all_are_there: bool) -> dict:
    """Return the argument spec behind what is documented of an option."""
    spec = {name: option[name] for name in ("type", "elements", "choices", "aliases") if name in option}
    nested = option.get("suboptions", option.get("options"))
    if nested:
        spec["options"] = {name: specification(each, True) for name, each in nested.items()}
    return {**spec, "required": all_are_there and bool(option.get("required"))}
