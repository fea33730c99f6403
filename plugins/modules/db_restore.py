#!/usr/bin/python

# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: db_restore
short_description: Restore a MySQL or MariaDB database from a backup, or leave it as it was
description:
  - Replaces what a database holds by what a backup holds. Afterwards the database has exactly the objects that the
    backup's manifest lists; tables, views, routines, triggers, events and sequences that came since are gone and are
    named in the result. Tables that were left out of the backup (C(exclude_tables)) are left alone.
  - Ends in one of three outcomes. V(restored) - the database is what the backup lists. V(reverted) - that failed, and
    the database is as it was before. V(broken) - going back failed too; the message says what to do. The last two fail
    the task.
  - The backup is verified and the target looked at before anything is touched.
  - Where it can, it builds a copy beside the database, compares it with the manifest, and puts it into its place by one
    C(RENAME TABLE). The application sees the old data until then, and the new after it. See O(strategy).
  - A swap that was interrupted, by C(kill -9) or a power cut, is taken back by the next run for the same database, from
    wherever that runs; the server itself holds what is needed.
  - A restore in place that was interrupted so leaves a part of the backup, and a mark in O(directory). While that is
    there M(dbops.recovery.db_backup) refuses the database; O(undo) restores the safety backup, and any whole restore of
    the database that succeeds removes the mark.
  - Also restores dumps made by other means (C(.sql), C(.sql.gz), C(.sql.zst) without a manifest). Statements in them
    that are about replication are left out, and named, so that replicas follow.
  - The application must not write meanwhile, since what it writes is lost.
version_added: 0.1.0
author:
  - The dbops.recovery authors (@dbops)
extends_documentation_fragment:
  - dbops.recovery.connection
  - dbops.recovery.queries
  - dbops.recovery.attributes
  - dbops.recovery.attributes.database_group
attributes:
  check_mode:
    support: full
    details:
      - Verifies the backup, looks at the target and returns what would go, without touching anything.
  diff_mode:
    support: full
    details:
      - The difference is that of the objects, not of their rows.
  idempotent:
    support: none
    details:
      - Every run restores.
options:
  backup:
    description:
      - The name of a backup, the absolute path of an archive, or V(latest).
      - What an earlier restore kept for safety is never the V(latest); give its name to restore it.
      - Exactly one of O(backup), O(undo) and O(drop_previous) is given.
    type: str
  directory:
    description:
      - Where to look for a name or for V(latest), and where the safety backup is put. With a path, the archive's own
        directory unless given.
      - With O(undo), where to look for the mark of a restore in place that was interrupted.
    type: path
  database:
    description:
      - The database that is replaced. Without it, the one that the backup's manifest names.
      - One that is not there is created.
      - Required with O(undo) and O(drop_previous).
    type: str
  strategy:
    description:
      - V(swap) loads the backup into a schema beside the database, compares it, and swaps all tables in one statement.
        Whatever fails, the old tables are still there. It takes room for a second copy, and rights on schemas named
        after the database (C(shop__restore_1a2b3c4d), C(shop__before_1a2b3c4d)).
      - V(in_place) takes the old objects away and loads the backup in their place, for servers without that room. On
        failure the safety backup is loaded.
      - V(auto) is V(swap) where that is possible and there is room, else V(in_place). The result says which, and why.
        Room is compared where the server's data directory can be seen from this host, which is where the connection
        goes by a Unix socket; elsewhere it is for this option to decide.
    type: str
    choices: [auto, swap, in_place]
    default: auto
  threads:
    description:
      - By how many sessions the copy is loaded at once. By default twice as many as this host has processors, since
        a session and the server wait for each other in turns, and at most 16.
    type: int
  keep_previous:
    description:
      - How long what was there before is kept after a swap, as a schema of its own on the server, such as V(1h) or
        V(2d). While it is, O(undo) brings it back in about a second. Without it, or V(false), it is dropped at once.
      - It goes with the first restore of the same database after that time. Until then, O(undo) still brings it back.
    type: str
  undo:
    description:
      - Bring back what the last restore of O(database) has kept by O(keep_previous). What that replaces is kept as
        long, so that it can be undone too. Takes no backup.
      - A restore that was interrupted is taken back; one in place by its safety backup, which takes O(directory).
    type: bool
    default: false
  drop_previous:
    description:
      - Drop what restores of O(database) have kept by O(keep_previous).
    type: bool
    default: false
  tables:
    description:
      - Restore these tables alone, with their triggers, by a swap, and leave all else as it is. Only their part of the
        archive is read (set O(verify) to V(none) to read no more than that; each part has a checksum of its own).
      - Tables that others refer to by foreign keys are only restored together with those.
      - Rows whose foreign keys then refer to rows that are not there, of these tables or of others, are counted in a
        warning. They come back all the same, as the other tables may be what is to be put right next.
    type: list
    elements: str
    default: []
  table_suffix:
    description:
      - With O(tables), put them beside their namesakes under names that end with this, such as V(_restored), without
        foreign keys and triggers.
    type: str
  events:
    description:
      - Whether events arrive as they are (V(keep)) or disabled (V(disable)). V(auto) disables them where the
        backup goes to another database, or another host's server, than it comes from.
      - An event whose only time or end has passed is dropped or disabled by the server as soon as it is made. A warning
        names it.
      - In a dump without a manifest, events and definers are found by the dump's comments. Where they stand elsewhere,
        V(disable), and a O(definer) other than V(keep), are refused.
    type: str
    choices: [auto, keep, disable]
    default: auto
  definer:
    description:
      - What becomes of views, triggers, routines and events of an account that the server does not have. V(keep) leaves
        them to it; they cannot be used until it is there. V(account) gives them to the account that restores.
        V(invoker) does too, and lets views and routines run with the rights of whoever uses them.
    type: str
    choices: [keep, account, invoker]
    default: keep
  accept:
    description:
      - What is refused unless it is named here. V(other_flavour) - a backup of MySQL for MariaDB, or the other way
        round. V(newer_server) - a backup of a newer version than the server's.
    type: list
    elements: str
    choices: [other_flavour, newer_server]
    default: []
  safety_backup:
    description:
      - Whether the present state is backed up first, verified and pinned. In place it is the way back if the restore
        fails; with a swap it is what remains of the old state when the previous schema is gone.
      - Where the server cannot read a table any more, the present state cannot be backed up; set this to V(false) then.
    type: bool
    default: true
  queries:
    description:
      - SQL of your own that is asked of the database once it is restored, and what must come back. A wrong answer is a
        restore that failed, so the database goes back to what it was.
  lost_writes:
    description:
      - What becomes of what was written to the database since the backup, as far as the server's binary log has it.
        V(count) counts it; V(keep) also keeps it as SQL in a compressed file beside the backup, which goes when
        M(dbops.recovery.backup_prune) removes that; V(ignore) does neither.
      - The log is read over the connection by C(mariadb-binlog) (C(mysqlbinlog)), after the restore; Debian 11 has that
        program with the server, others with the client. It takes the rights REPLICATION SLAVE and BINLOG MONITOR (MySQL
        - REPLICATION CLIENT), the second one also for the backup, which notes its place in the log.
      - Where the log cannot be read, the result says why. The restore does not depend on it.
    type: str
    choices: [keep, count, ignore]
    default: keep
  verify:
    description:
      - How far the backup is verified first, as with M(dbops.recovery.backup_verify). A dump without a manifest is
        always verified at V(content).
      - For a swap, the rows are not unpacked for it. The file's checksum is right by then, and each section of rows is
        held against its own when it is loaded into the copy, before anything is replaced.
    type: str
    choices: [none, file, content]
    default: content
  protected:
    description:
      - Whether the database is one that must not be replaced by mistake. O(confirm) is required then.
    type: bool
    default: false
  confirm:
    description:
      - With O(protected), the name of the database.
    type: str
seealso:
  - module: dbops.recovery.db_backup
  - module: dbops.recovery.backup_verify
"""

EXAMPLES = r"""
- name: Restore last night's backup
  dbops.recovery.db_restore:
    backup: latest
    database: shop
    directory: /var/backups/databases
    protected: true
    confirm: shop
    login_user: restore
    login_password: "{{ vault_restore_password }}"

- name: See what a restore would do
  dbops.recovery.db_restore:
    backup: shop_2026-11-22_101500
    directory: /var/backups/databases
  check_mode: true
  diff: true

- name: Restore, and keep what was there before for a day
  dbops.recovery.db_restore:
    backup: latest
    database: shop
    directory: /var/backups/databases
    keep_previous: 1d

- name: Take that back, in about a second
  dbops.recovery.db_restore:
    database: shop
    undo: true

- name: Bring one table back beside the one that is there
  dbops.recovery.db_restore:
    backup: latest
    database: shop
    directory: /var/backups/databases
    tables: [customer]
    table_suffix: _restored

- name: Restore production's backup into staging
  dbops.recovery.db_restore:
    backup: /var/backups/production/shop_2026-11-22_101500.sql.zst
    database: shop_staging
    definer: account

- name: Load a dump that somebody made by hand into a database for tests
  dbops.recovery.db_restore:
    backup: /root/shop-2019.sql.gz
    database: shop_test
    safety_backup: false
"""

RETURN = r"""
outcome:
  description: How it ended.
  returned: when the restore was begun
  type: str
  choices: [restored, reverted, broken]
  sample: restored
strategy:
  description: How it was done (in check mode, would be).
  returned: once the target was looked at, not with O(undo)
  type: str
  choices: [swap, in_place]
  sample: swap
strategy_reason:
  description: Why so.
  returned: as RV(strategy)
  type: str
  sample: a second copy takes about 1.4 GiB, 80.0 GiB are free in /var/lib/mysql/
needed_bytes:
  description: The room that a second copy takes on the server, as estimated.
  returned: as RV(strategy); null where no copy was considered
  type: int
  sample: 1503238553
free_bytes:
  description: The free room where the server keeps its data.
  returned: as RV(strategy); null where it cannot be seen
  type: int
  sample: 85899345920
swap_seconds:
  description: How long the swap itself took.
  returned: after a swap
  type: float
  sample: 0.065
previous:
  description: The schema that what was there before is kept in, and until when.
  returned: once the target was looked at; null when it is not kept
  type: dict
  sample: {"schema": "shop__before_1a2b3c4d", "until": "2026-11-23T11:22:00Z"}
dropped:
  description: The schemas that were dropped.
  returned: with O(drop_previous)
  type: list
  elements: str
  sample: ["shop__before_1a2b3c4d"]
backup:
  description: The backup, as M(dbops.recovery.db_backup) returns it.
  returned: once the target was looked at; null with O(undo)
  type: dict
  sample: {"name": "shop_2026-11-22_101500", "path": "/var/backups/databases/shop_2026-11-22_101500.sql.zst"}
database:
  description: The database that was replaced.
  returned: once the target was looked at
  type: str
  sample: shop
safety_backup:
  description: The backup of the state before, as M(dbops.recovery.db_backup) returns it.
  returned: once the target was looked at; null when none was taken
  type: dict
  sample: {"name": "shop_2026-11-22_112200", "path": "/var/backups/databases/shop_2026-11-22_112200.sql.zst"}
lost_writes:
  description:
    - What was written to the database between the backup and the moment when its tables were replaced (in check mode,
      until now). Migrations are part of it, since the log does not tell who wrote.
    - C(known) says whether that could be seen, C(complete) whether no change of rows was missed;
      C(reason) why not, and what to do about it. C(statements) changed rows, and the log does not say
      how many. C(definitions) counts what was created, altered, truncated or dropped. C(path) is the
      file that it is kept in.
  returned: once the target was looked at; null without a whole restore
  type: dict
  sample:
    known: true
    complete: true
    transactions: 3
    statements: 0
    definitions: 1
    rows: {"orders": {"inserted": 2, "updated": 1, "deleted": 0}}
    log: binlog.000007 position 344 to binlog.000007 position 1720
    path: /var/backups/databases/shop_2026-11-22_101500.writes.sql.zst
    summary: "3 transactions (3 rows: orders 3), and 1 change of definitions"
    reason: ""
removed_objects:
  description: Objects that the database held and the backup does not; they are gone (in check mode, would be).
  returned: once the target was looked at
  type: list
  elements: str
  sample: ["table customer_new", "trigger orders_audit"]
phases:
  description:
    - What the time went to, in order. C(check) looks at the backup and the database, C(safety_backup) backs up what is
      there, C(load) builds the copy, C(indexes) adds keys and foreign keys to it, C(compare) holds it against the
      manifest, C(swap) swaps it in and compares again, C(queries) asks O(queries), C(clean_up) drops what was there
      before, C(lost_writes) reads the binary log. In place there is no C(indexes), C(compare), C(swap) and C(clean_up),
      as C(load) does it all.
    - Keys are built after the rows of their table, by one session while others load rows of other tables. Of that time
      C(indexes) is given the share that keys have in the time of all sessions. Keys of small tables come with the rows,
      and count as C(load).
  returned: when it ended as predicted or restored, not with O(undo) and O(drop_previous)
  type: list
  elements: dict
  contains:
    name:
      description: The phase.
      type: str
      sample: load
    seconds:
      description: How long it took.
      type: float
      sample: 31.2
    bytes:
      description: What went through it, null where that has no meaning.
      type: int
      sample: 192837465
seconds:
  description: How long it took, verification and safety backup included.
  returned: once the target was looked at
  type: float
  sample: 12.8
checks:
  description: The checks, as M(dbops.recovery.backup_verify) returns them.
  returned: when the backup did not pass them
  type: list
  elements: dict
  sample: [{"name": "frame", "passed": false, "severity": "error", "detail": "the dump was cut short", "seconds": 0.1}]
"""

from ansible_collections.dbops.recovery.plugins.module_utils._actions.restore import restore_database
from ansible_collections.dbops.recovery.plugins.module_utils._arguments import connection_options, query_options
from ansible_collections.dbops.recovery.plugins.module_utils._module import run_module


def main():
    """Run the module."""
    run_module(
        restore_database,
        {
            **connection_options(),
            "backup": {"type": "str"},
            "directory": {"type": "path"},
            "database": {"type": "str"},
            "strategy": {"type": "str", "choices": ["auto", "swap", "in_place"], "default": "auto"},
            "threads": {"type": "int"},
            "keep_previous": {"type": "str"},
            "undo": {"type": "bool", "default": False},
            "drop_previous": {"type": "bool", "default": False},
            "tables": {"type": "list", "elements": "str", "default": []},
            "table_suffix": {"type": "str"},
            "events": {"type": "str", "choices": ["auto", "keep", "disable"], "default": "auto"},
            "definer": {"type": "str", "choices": ["keep", "account", "invoker"], "default": "keep"},
            "accept": {
                "type": "list",
                "elements": "str",
                "choices": ["other_flavour", "newer_server"],
                "default": [],
            },
            "queries": query_options(),
            "safety_backup": {"type": "bool", "default": True},
            "lost_writes": {"type": "str", "choices": ["keep", "count", "ignore"], "default": "keep"},
            "verify": {"type": "str", "choices": ["none", "file", "content"], "default": "content"},
            "protected": {"type": "bool", "default": False},
            "confirm": {"type": "str"},
        },
    )


if __name__ == "__main__":
    main()
