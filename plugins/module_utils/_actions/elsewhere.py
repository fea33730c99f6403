# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Restoring a backup to another place than it comes from: what in its definitions still belongs to the old one.

Private to the collection.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ansible_collections.dbops.recovery.plugins.module_utils._actions.target import Target
from ansible_collections.dbops.recovery.plugins.module_utils._archive.bodies import (
    Account,
    account_name,
    qualified_names,
    with_definers,
    with_events_disabled,
)
from ansible_collections.dbops.recovery.plugins.module_utils._archive.catalog import Backup
from ansible_collections.dbops.recovery.plugins.module_utils._archive.contents import Contents
from ansible_collections.dbops.recovery.plugins.module_utils._archive.dump import DEFINITIONS, Section
from ansible_collections.dbops.recovery.plugins.module_utils._archive.sections import read_sections
from ansible_collections.dbops.recovery.plugins.module_utils._database.connection import query
from ansible_collections.dbops.recovery.plugins.module_utils._database.privileges import (
    existing_accounts,
    quoted_account,
)
from ansible_collections.dbops.recovery.plugins.module_utils._database.server import host_of
from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError

KEEP = "keep"
DISABLE = "disable"
INVOKER = "invoker"
AUTO = "auto"


def bodies_of(backup: Backup) -> list[Section]:
    """Return the sections of a backup with its triggers, routines, events and views. Raise RecoveryError."""
    wanted = [entry for entry in backup.manifest["archive"]["sections"] if entry["kind"] in DEFINITIONS]
    return list(read_sections(backup, wanted))


@dataclass
class Adaptation:
    """What is changed in definitions on the way into another place.

    Attributes:
        disable_events: whether events arrive disabled.
        missing: definers that are not on the target's server and give way to the account that restores.
        account: that account.
        as_invoker: whether views and routines then run with the rights of whoever uses them.
        changed: labels of the objects that were changed; filled in by apply().
    """

    disable_events: bool = False
    missing: frozenset[Account] = frozenset()
    account: Account = ("", "")
    as_invoker: bool = False
    changed: set[str] = field(default_factory=set)

    def apply(self, section: Section) -> Section:
        """Return a section as it is to be loaded."""
        if self.missing:
            section, changed = with_definers(
                section, lambda account: account not in self.missing, self.account, self.as_invoker
            )
            self.changed.update(changed)
        if self.disable_events:
            section, names = with_events_disabled(section)
            self.changed.update(f"event {name}" for name in names)
        return section


def adapt(
    target: Target, backup: Backup, bodies: list[Section], options: dict, definers: Iterable[Account]
) -> Adaptation:
    """Decide what is changed on the way into the target, and say in its warnings what is left that names the old place.

    Args:
        target: where it goes.
        backup: the backup; one without a manifest does not say where it comes from.
        bodies: its definitions.
        options: db_restore's.
        definers: the accounts that the definitions belong to.
    """
    if backup.manifest:
        names = qualified_names(bodies, backup.database) if target.name != backup.database else []
        if names:
            target.warnings.append(
                f"These name the database {backup.database} that they come from, and go on using it from "
                f"{target.name}: {', '.join(names)}."
            )
    missing = _missing_accounts(target, options, definers)
    keep = options["definer"] == KEEP
    if keep and missing:
        names = ", ".join(sorted(map(account_name, missing)))
        objects = ", ".join(sorted(_owned_by(missing, bodies))) or "some views, triggers, routines or events"
        target.warnings.append(
            f"There is no {names} here, and what belongs to them cannot be used until there is: {objects}. definer: "
            "account or invoker gives it to the account that restores."
        )
    return Adaptation(
        disable_events=_events_disabled(target, backup, options["events"]),
        missing=frozenset() if keep else missing,
        account=_own_account(target),
        as_invoker=options["definer"] == INVOKER,
    )


def require_reachable(backup: Backup, contents: Contents, adaptation: Adaptation) -> None:
    """Raise RecoveryError where a dump made by hand does not say by comments where that stands which is to be changed.

    contents is what was seen in it.
    """
    unreached = [f"event {name} would stay as it is" for name in sorted(contents.unannounced_events)]
    unreached = unreached if adaptation.disable_events else []
    owners = sorted(map(account_name, contents.unannounced_definers & adaptation.missing))
    unreached += [f"what belongs to {owner} would stay its own" for owner in owners]
    if unreached:
        raise RecoveryError(
            f"{backup.path} has no comments that say where its definitions stand, so {', '.join(unreached)}. Dump it "
            "again with comments, or restore it with events: keep and definer: keep, and change those by hand."
        )


def _missing_accounts(target: Target, options: dict, definers: Iterable[Account]) -> frozenset[Account]:
    """Return those of the definers that are not there; none where that does not matter and cannot be seen."""
    wanted = frozenset(definers)
    try:
        return wanted - existing_accounts(target.connection, wanted)
    except RecoveryError as error:
        if options["definer"] == KEEP:
            return frozenset()
        raise RecoveryError(
            f"definer is {options['definer']}, and {target.settings.place} may not see which accounts there are: "
            f"GRANT SELECT (User, Host) ON mysql.user TO {quoted_account(target.connection)}; {error}"
        ) from error


def _owned_by(accounts: frozenset[Account], bodies: Iterable[Section]) -> set[str]:
    """Return the labels of the objects that belong to some accounts."""
    return {
        name
        for section in bodies
        for name in with_definers(section, lambda account: account not in accounts, ("", ""), as_invoker=False)[1]
    }


def _events_disabled(target: Target, backup: Backup, wanted: str) -> bool:
    if wanted != AUTO:
        return wanted == DISABLE
    if not backup.manifest:
        return False
    if target.name != backup.database:
        return True
    hostname = backup.manifest["server"].get("hostname")
    return hostname is not None and hostname != host_of(target.connection)


def _own_account(target: Target) -> Account:
    ((account,),) = query(target.connection, "SELECT CURRENT_USER()")
    user, _at, host = account.rpartition("@")
    return (user, host)
