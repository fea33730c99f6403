# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The database that a restore replaces: looked at before anything is touched, and refused where that would end badly.

Private to the collection.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.dbops.recovery.plugins.module_utils._actions.past_events import events_of, less_past_events
from ansible_collections.dbops.recovery.plugins.module_utils._archive.catalog import Backup
from ansible_collections.dbops.recovery.plugins.module_utils._archive.checks import Findings
from ansible_collections.dbops.recovery.plugins.module_utils._database import server as servers
from ansible_collections.dbops.recovery.plugins.module_utils._database.connection import (
    Settings,
    connect,
    identifier,
    settings_from,
    still_connected,
)
from ansible_collections.dbops.recovery.plugins.module_utils._database.inventory import (
    Difference,
    Inventory,
    compare,
    compare_names,
    label,
    objects_of,
    read_inventory,
)
from ansible_collections.dbops.recovery.plugins.module_utils._database.loading import packet_problem
from ansible_collections.dbops.recovery.plugins.module_utils._database.privileges import (
    LOGGED_BODIES,
    Grant,
    definers_of,
    foreign_definers,
    may_create_logged_bodies,
    missing_to_load,
    quoted_account,
    read_grants,
)
from ansible_collections.dbops.recovery.plugins.module_utils._database.programs import LOAD, Program, find_program
from ansible_collections.dbops.recovery.plugins.module_utils._database.routine_grants import RoutineGrant, grant_again
from ansible_collections.dbops.recovery.plugins.module_utils._database.staging import take_lock
from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError
from ansible_collections.dbops.recovery.plugins.module_utils._text import some_of

RESTORED = "restored"
REVERTED = "reverted"
BROKEN = "broken"

OTHER_FLAVOUR = "other_flavour"
NEWER_SERVER = "newer_server"

_SERVER_RETURN_SECONDS = 60
_NAMED = 5

# (type, name) pairs
Objects = set


@dataclass
class Target:
    """A database that is to be replaced, and its server."""

    settings: Settings
    connection: Any
    server: servers.Server
    grants: list[Grant]
    program: Program
    name: str
    schema: servers.Schema | None
    present: Inventory
    warnings: list[str] = field(default_factory=list)
    # The objects that the server cannot read, by their labels, with its words.
    damaged: dict[str, str] = field(default_factory=dict)
    # The rights on routines from before they were dropped; None where nobody could see them.
    routine_grants: list[RoutineGrant] | None = field(default_factory=list)
    locked: bool = False

    def look_again(self) -> None:
        """Look at the schema anew, after something was put right in it."""
        self.schema = servers.find_schema(self.connection, self.name)
        self.damaged.clear()
        self.present = self.inventory() if self.schema else {}

    def inventory(self) -> Inventory:
        """Return what is in the schema now. What is damaged is the very reason for a restore, and no error."""
        return read_inventory(self.connection, self.name, self.damaged)

    def lock(self) -> None:
        """Be the only restore of this database from now on. Raise RecoveryError."""
        take_lock(self.connection, self.name)
        self.locked = True

    def warn_of_lost(self, labels: Iterable[str]) -> None:
        """Say which views a way back could not bring along, since nobody could read them when it was prepared."""
        lost = sorted(labels)
        if lost:
            self.warnings.append(
                f"These could not be read before the restore, nor made again after it: {', '.join(lost)}."
            )

    def grant_again(self, wanted: Iterable[RoutineGrant] | None, dropped: Collection[tuple[str, str]]) -> None:
        """Give rights on routines again that went with them; its warnings say which could not be given."""
        self.warnings += grant_again(self.connection, self.server, self.name, wanted, dropped)

    def keep_connected(self) -> Any:
        """Return the connection, a new one if it was lost in the hours in which nothing was asked on it."""
        return self._use(still_connected(self.connection, self.settings))

    def reconnect(self) -> Any:
        """Return the connection, or a new one; a server that was killed gets a minute to come back."""
        deadline = time.monotonic() + _SERVER_RETURN_SECONDS
        while True:
            try:
                return self.keep_connected()
            except RecoveryError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(1)

    def _use(self, connection: Any) -> Any:
        if connection is not self.connection and self.locked:
            # The server gave the lock back when it lost the connection that held it.
            take_lock(connection, self.name)
        self.connection = connection
        return connection


def look_at_target(options: dict, name: str) -> Target:
    """Connect and look at a database; one that is not there yet has no schema. Raise RecoveryError."""
    settings = settings_from(options)
    connection = connect(settings)
    server = servers.look_at_server(connection)
    servers.refuse_other_spelling(connection, server, name)
    schema = servers.find_schema(connection, name)
    damaged: dict[str, str] = {}
    return Target(
        settings=settings,
        connection=connection,
        server=server,
        grants=read_grants(connection, server),
        program=find_program(LOAD, server),
        name=name,
        schema=schema,
        present=read_inventory(connection, name, damaged) if schema else {},
        damaged=damaged,
    )


def require_confirmation(options: dict, name: str, by: str) -> None:
    """Raise RecoveryError when a database is the server's own, or protected and not confirmed by its name."""
    servers.refuse_system_schema(name)
    if options["protected"] and options["confirm"] != name:
        given = f"confirm is {options['confirm']!r}" if options["confirm"] else "confirm was not given"
        raise RecoveryError(
            f"The database {name} is protected: what is in it now would be replaced by {by}. To do that, set "
            f"confirm to {name!r}; {given}. Nothing was touched."
        )


def refuse_other_server(target: Target, backup: Backup, findings: Findings | None, accepted: list[str]) -> None:
    """Raise RecoveryError when a backup is of the other flavour, or of a newer server, and that is not accepted.

    What has no manifest says in its own text where it comes from, if anywhere.
    """
    if backup.manifest:
        source = backup.manifest["server"]
        flavour, version = source["flavour"], source["version"]
    else:
        flavour, version = findings.contents.flavour, findings.contents.version
    comes = f"{backup.name} comes from {flavour} {version or 'of some version'}; the server here is "
    here = f"{comes}{target.server.flavour} {target.server.version}. "
    if flavour not in (None, target.server.flavour):
        if OTHER_FLAVOUR not in accepted:
            raise RecoveryError(
                f"{here}Collations, sequences and generated columns do not go over from one to the other. Nothing was "
                f"touched. To try it all the same, accept: [{OTHER_FLAVOUR}]."
            )
    elif version and _is_newer(version, target.server.version) and NEWER_SERVER not in accepted:
        raise RecoveryError(
            f"{here}An older server does not know all types, collations and clauses of a newer one, and words "
            f"definitions otherwise. Nothing was touched. To try it all the same, accept: [{NEWER_SERVER}]."
        )


def _is_newer(version: str, here: str) -> bool:
    return servers.version_tuple(version)[:2] > servers.version_tuple(here)[:2]


def refuse_other_case(target: Target, backup: Backup) -> None:
    """Raise RecoveryError when the server would turn names of a backup into lower case."""
    if not backup.manifest or target.server.lower_case_table_names != servers.LOWER_CASE:
        return
    inventory = backup.manifest["inventory"]
    names = sorted(
        name for kind in ("table", "sequence", "view") for name in inventory.get(kind, ()) if name != name.lower()
    )
    if names:
        raise RecoveryError(
            f"{backup.name} has names with upper case letters, which the server here would turn into lower case "
            f"(lower_case_table_names is {servers.LOWER_CASE}): {some_of(names, _NAMED)}. An application that knows "
            "them would not find its tables by these names on another server again. Nothing was touched. Restore it on "
            "a server with lower_case_table_names = 0."
        )


def same_version(target: Target, backup: Backup) -> bool:
    """Return whether definitions read the same here as on the backup's server."""
    server = backup.manifest["server"] if backup.manifest else {}
    return (server.get("flavour"), server.get("version")) == (target.server.flavour, target.server.version)


def require_rights(target: Target, expected: Objects | None) -> None:
    """Raise RecoveryError when the account may not do all that replacing the database takes."""
    types = {kind for kind, _name in {*objects_of(target.present), *(expected or ())}}
    missing = missing_to_load(target.grants, target.name, types)
    if missing:
        account = quoted_account(target.connection)
        raise RecoveryError(
            f"{target.settings.place} may not do all that a restore of {target.name} does. Nothing was touched. "
            f"GRANT {', '.join(missing)} ON {identifier(target.name)}.* TO {account};"
        )


def require_definers(target: Target, needed: Iterable[str], with_way_back: bool) -> None:
    """Raise RecoveryError where the account may not create what the backup holds, or what the way back would have to.

    needed are the backup's definers, as "user@host".
    """
    definers = set(needed)
    if with_way_back:
        definers |= definers_of(target.connection, target.name)
    foreign = foreign_definers(target.connection, target.grants, definers)
    if foreign:
        raise RecoveryError(
            f"{target.settings.place} may not create views, triggers, routines and events in the name of "
            f"{', '.join(foreign)}, and there are such ones, so it could not bring them back. Nothing was touched. "
            "GRANT SET USER ON *.* (MySQL: SET_ANY_DEFINER, before 8.2 SET_USER_ID) to it, or restore with an "
            "administrator's account."
        )


def require_trust(target: Target, expected: Objects | None, with_way_back: bool) -> None:
    """Raise RecoveryError where the binary log forbids the account to create triggers and functions."""
    present = objects_of(target.present) if with_way_back else ()
    bodies = [key for key in sorted({*present, *(expected or ())}) if key[0] in LOGGED_BODIES]
    if bodies and not may_create_logged_bodies(target.connection, target.grants):
        more = f" and {len(bodies) - 1} more" if bodies[1:] else ""
        raise RecoveryError(
            f"{target.settings.place} may not create triggers and functions while the server writes a binary log, so "
            f"it could not bring back {label(bodies[0])}{more}. Nothing was touched. "
            "SET GLOBAL log_bin_trust_function_creators = ON, GRANT SUPER ON *.* to it, or restore with an "
            "administrator's account."
        )


def require_whole(target: Target, with_safety: bool) -> None:
    """Raise RecoveryError where the present state cannot be backed up, since the server cannot read all of it."""
    if not target.damaged:
        return
    names, words = some_of(list(target.damaged), _NAMED), next(iter(target.damaged.values()))
    if with_safety:
        raise RecoveryError(
            f"{target.settings.place} cannot read all of {target.name}: {names}. The first of them: {words} So the "
            "present state cannot be backed up, and there would be no way back. Nothing was touched. Save by hand what "
            "you still want of it; then restore with safety_backup: false."
        )
    target.warnings.append(
        f"The server cannot read {names}, so no way back could bring that back as it is. The first of them: {words}"
    )


def require_taken(target: Target, backup: Backup, findings: Findings | None) -> None:
    """Raise RecoveryError when the server would not take the longest statement of a backup."""
    longest = findings.contents.longest_statement if findings else 0
    if backup.manifest:
        longest = backup.manifest["archive"].get("longest_statement", longest)
    problem = packet_problem(target.connection, longest)
    if problem:
        raise RecoveryError(
            f"{target.settings.place} would not take {backup.name}: {problem}. Then run this again. "
            "Nothing was touched."
        )


def schema_defaults(backup: Backup) -> tuple[str | None, str | None]:
    """Return the character set and the collation of the schema that was backed up, as far as known."""
    server = backup.manifest["server"] if backup.manifest else {}
    return server.get("charset"), server.get("collation")


def require_equal(
    target: Target, backup: Backup, expected: Inventory | Objects, found: Inventory, adapted: Iterable[str] = ()
) -> None:
    """Raise RecoveryError when what is there is not what a backup lists.

    Args:
        target: where; its warnings get what cannot be compared.
        backup: the one that was restored.
        expected: an inventory, or (type, name) pairs where there are no definitions.
        found: what is there.
        adapted: labels of the objects whose definitions were changed on purpose.
    """
    difference = _difference(target, backup, expected, found, set(adapted))
    difference = less_past_events(target.connection, target.warnings, difference, events_of(backup))
    if difference:
        raise RecoveryError(f"After loading, {target.name} is not what {backup.name} lists: {difference.describe()}.")


def _difference(
    target: Target, backup: Backup, expected: Inventory | Objects, found: Inventory, adapted: set[str]
) -> Difference:
    if not isinstance(expected, dict):
        return compare_names(expected, objects_of(found))
    difference = compare(expected, found)
    changed = [each for each in difference.changed if each not in adapted]
    if changed and not same_version(target, backup):
        # Another version words the same definition otherwise; what is missing still counts.
        target.warnings.append(
            f"{backup.name} was made by version {backup.manifest['server']['version']}; here "
            f"({target.server.version}) these definitions read otherwise: {', '.join(changed)}."
        )
        changed = []
    return replace(difference, changed=changed)
