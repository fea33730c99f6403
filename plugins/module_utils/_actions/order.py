# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A restore as it is to be done, looked at from all sides before anything is touched: what goes where, and how.

Private to the collection.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from ansible_collections.dbops.recovery.plugins.module_utils._actions.elsewhere import (
    Adaptation,
    adapt,
    bodies_of,
    require_reachable,
)
from ansible_collections.dbops.recovery.plugins.module_utils._actions.staged_copy import chosen_tables
from ansible_collections.dbops.recovery.plugins.module_utils._actions.strategy import SWAP, Strategy, choose_strategy
from ansible_collections.dbops.recovery.plugins.module_utils._actions.swapping import TABLES, Scope
from ansible_collections.dbops.recovery.plugins.module_utils._actions.target import (
    Objects,
    Target,
    require_definers,
    require_rights,
    require_taken,
    require_trust,
    require_whole,
)
from ansible_collections.dbops.recovery.plugins.module_utils._archive import catalog
from ansible_collections.dbops.recovery.plugins.module_utils._archive.bodies import Account, account_name
from ansible_collections.dbops.recovery.plugins.module_utils._archive.checks import Findings
from ansible_collections.dbops.recovery.plugins.module_utils._archive.dump import (
    TRIGGERS,
    Section,
    bodies_in,
    definers_in,
)
from ansible_collections.dbops.recovery.plugins.module_utils._database.inventory import Inventory, label, objects_of
from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError


@dataclass(frozen=True)
class Order:
    """A restore that was looked at from all sides: what goes where, how, and what must be there afterwards.

    Attributes:
        target: the database.
        backup: the backup.
        scope: what of the database is replaced.
        expected: what must be there afterwards: an inventory, (type, name) pairs, or None where nothing says so.
        bodies: the backup's definitions besides tables, where a manifest says where they lie.
        definers: the accounts that they belong to.
        adaptation: what is changed in them on the way.
        strategy: how it is done.
    """

    target: Target
    backup: catalog.Backup
    scope: Scope
    expected: Inventory | Objects | None
    bodies: list[Section]
    definers: set[Account]
    adaptation: Adaptation
    strategy: Strategy

    @property
    def expected_objects(self) -> set[tuple[str, str]]:
        """The (type, name) pairs that must be there afterwards, as far as known."""
        return set(objects_of(self.expected)) if isinstance(self.expected, dict) else set(self.expected or ())


def make_order(target: Target, backup: catalog.Backup, findings: Findings | None, options: dict) -> Order:
    """Return what a restore of a backup, of which that was found, is to do by a module's options.

    Raise RecoveryError where it cannot be done.
    """
    scope = _scope(options, backup, target)
    bodies = _bodies(backup, scope)
    definers = {account for section in bodies for account in definers_in(section)}
    if backup.manifest is None:
        # Its sections are not at hand, and its text was looked at as a whole.
        definers = set(findings.contents.definers)
    adaptation = adapt(target, backup, bodies, options, definers)
    if backup.manifest is None:
        require_reachable(backup, findings.contents, adaptation)
    strategy = choose_strategy(target, backup, scope, options["strategy"])
    expected = _expected(backup, findings, scope, bodies)
    return Order(target, backup, scope, expected, bodies, definers, adaptation, strategy)


def require_possible(order: Order, findings: Findings | None, with_safety: bool) -> None:
    """Raise RecoveryError where the account or the server forbids what the restore, or the way back, would do."""
    target, backup = order.target, order.backup
    with_way_back = with_safety or (order.strategy.name == SWAP and target.schema is not None)
    kept = order.definers - order.adaptation.missing
    if order.scope.whole or with_safety:
        require_whole(target, with_safety)
    require_rights(target, order.expected_objects)
    require_definers(target, set(map(account_name, kept)), with_way_back)
    require_trust(target, order.expected_objects, with_way_back)
    require_taken(target, backup, findings)
    if backup.manifest is None and findings.contents.replication:
        said = ", ".join(dict.fromkeys(findings.contents.replication))
        target.warnings.append(
            f"Left out of {backup.name}, since they are about the server and not about {target.name}: {said}."
        )
    if order.expected is None:
        target.warnings.append(
            f"{backup.name} has no manifest and no comments that say what it holds, so the restored objects cannot be "
            "compared with anything."
        )


def refuse_other_schemas(backup: catalog.Backup, findings: Findings | None, name: str) -> None:
    """Raise RecoveryError when a dump would not stay within the schema of this name."""
    others = sorted((findings.schemas if findings else set()) - {name})
    if others:
        raise RecoveryError(
            f"{backup.path} changes to another database by itself (USE or CREATE DATABASE {', '.join(others)}), so it "
            f"would not stay within {name}. Nothing was touched. Take those lines out of the dump, or restore it into "
            f"{others[0]}."
        )


def _scope(options: dict, backup: catalog.Backup, target: Target) -> Scope:
    """Return what is replaced. Raise RecoveryError when tables are asked for that cannot be brought back."""
    # A table that was left out of the backup on purpose has no other copy there: it stays.
    left_alone = frozenset(backup.manifest.get("excluded", ())) if backup.manifest else frozenset()
    if not options["tables"]:
        return Scope(whole=True, left_alone=left_alone)
    if backup.manifest is None:
        raise RecoveryError(f"tables: {backup.name} has no manifest that says where they lie. Nothing was touched.")
    inventory, suffix = backup.manifest["inventory"], options["table_suffix"] or ""
    offered = {name for kind in TABLES for name in inventory.get(kind, ())}
    unknown = sorted(set(options["tables"]) - offered)
    if unknown:
        raise RecoveryError(
            f"tables: {', '.join(unknown)} is not in {backup.name}; it has {', '.join(sorted(offered)) or 'no table'}. "
            "Nothing was touched."
        )
    if target.schema is None:
        raise RecoveryError(
            f"tables: there is no database {target.name} for them to go into; without tables it is made from the whole "
            "backup. Nothing was touched."
        )
    there = {name for kind in (*TABLES, "view") for name in target.present.get(kind, ())}
    taken = sorted(name + suffix for name in options["tables"] if suffix and name + suffix in there)
    taken += sorted(name for name in options["tables"] if not suffix and name in target.present.get("view", ()))
    if taken:
        raise RecoveryError(
            f"tables: {', '.join(taken)} is there already in {target.name}, and is no table that would be replaced. "
            "Nothing was touched. Drop or rename it, or choose another table_suffix."
        )
    return Scope(whole=False, tables=frozenset(options["tables"]), suffix=suffix)


def _bodies(backup: catalog.Backup, scope: Scope) -> list[Section]:
    """Return the definitions besides tables that are restored with a scope."""
    if backup.manifest is None or scope.suffix:
        return []
    bodies = bodies_of(backup)
    if scope.whole:
        return bodies
    return [section for section in bodies if section.kind == TRIGGERS and section.object in scope.tables]


def _expected(
    backup: catalog.Backup, findings: Findings | None, scope: Scope, bodies: list[Section]
) -> Inventory | Objects | None:
    """Return what the schema must hold afterwards, as far as a scope replaces it; None when nothing says so."""
    if backup.manifest is None:
        return findings.objects or None
    inventory = backup.manifest["inventory"]
    if scope.whole:
        return inventory
    tables = chosen_tables(inventory, scope.tables)
    if scope.suffix:
        return {kind: {name + scope.suffix: value for name, value in of.items()} for kind, of in tables.items()}
    names = {name for section in bodies for _kind, name, _text in bodies_in(section)}
    return {**tables, "trigger": {name: inventory["trigger"][name] for name in names}}


def removed(order: Order) -> list[str]:
    """Return the labels of the objects that a restore takes away; none where nothing says what it brings."""
    if order.expected is None:
        return []
    return gone(order.scope.within(order.target, order.target.present), order.expected_objects)


def gone(before: Inventory, after: Collection[tuple[str, str]]) -> list[str]:
    """Return the labels of the objects of an inventory that are not among the (type, name) pairs."""
    return [label(key) for key in objects_of(before) if key not in after]


def diff_of(order: Order) -> dict:
    """Return what Ansible shows with --diff: the objects that are there, and those that will be."""
    target = order.target
    present = order.scope.within(target, target.present)
    return {
        "before_header": f"{target.name} now",
        "after_header": f"{target.name} restored",
        "before": "".join(f"{label(key)}\n" for key in objects_of(present)),
        "after": "".join(f"{label(key)}\n" for key in sorted(order.expected_objects)),
    }
