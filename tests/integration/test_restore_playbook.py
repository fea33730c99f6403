# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The restore playbook: nothing is replaced that was not confirmed, by a person or on the command line.

The hosts and the inventory are those of the tests of deployments; the terminal is a real one.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from fleet import ANSIBLE_SETTINGS, CHECKOUT, Fleet, require_no_warning
from handmade import before_table, rewrite
from sinks import WebSink, closed_port
from terminal import at_terminal

LOCK = {"deployment": "20261122T090000Z-1234", "release": "9", "owner": "ann", "controller": "ci-7", "since": "then"}
# As somebody writes it who uses nothing else of the collection.
OWN_PLAYBOOK = """
- hosts: db
  gather_facts: false
  tasks:
    - block:
        - ansible.builtin.include_role:
            name: dbops.recovery.restore
          vars:
            restore_database: shop
            restore_directory: "{{ directory }}"
            restore_connection: {login_unix_socket: "{{ socket }}", login_user: root}
            restore_safety_backup: false
            restore_confirm: shop
      rescue:
        - ansible.builtin.debug:
            msg: "It ended {{ restore_result.outcome }}, since {{ restore_result.error }}"
    - ansible.builtin.debug:
        msg: "{{ restore_result.outcome }} by {{ restore_result.strategy }} from {{ restore_result.backup.name }}"
"""


class Desk(Fleet):
    """Where playbooks are run from, with or without a person at a terminal."""

    def run(self, *arguments: object, answers: tuple | None = None, **environment: str):
        """Run ansible-playbook; with answers, on a terminal where a person types them, one at each question."""
        program = [Path(sys.executable).parent / "ansible-playbook", "-i", self.inventory(), *arguments]
        # Whatever runs these tests: the playbook is run by a person.
        ours = {name: value for name, value in os.environ.items() if name not in ("CI", "AWX_ISOLATED_DATA_DIR")}
        settings = {**ours, **ANSIBLE_SETTINGS, "ANSIBLE_NOCOLOR": "1", "COLUMNS": "120", **environment}
        started = {"cwd": self.directory, "env": settings}
        if answers is None:
            done = subprocess.run(
                program, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=120, **started
            )
        else:
            done = at_terminal(program, answers, started)
        require_no_warning(done)
        return done

    def restore(self, *arguments: str, answers: tuple | None = None, environment=(), **variables: object):
        extra = json.dumps({"restore_hosts": "one", **variables})
        playbook = CHECKOUT / "playbooks" / "restore.yml"
        return self.run(*arguments, "-e", extra, playbook, answers=answers, **dict(environment))

    def run_own_playbook(self):
        """Run a playbook of somebody's own, on an inventory that has never heard of a deployment."""
        playbook, inventory = self.directory / "own.yml", self.directory / "own_inventory.ini"
        playbook.write_text(OWN_PLAYBOOK)
        # Its group of that name means something else.
        inventory.write_text(
            f"[application]\ndb ansible_connection=local ansible_python_interpreter={sys.executable}\n"
        )
        self.inventory = lambda: inventory
        return self.run(playbook, "-e", json.dumps({"directory": str(self.folder), "socket": self.socket}))

    def lock(self, host: str) -> Path:
        lock = self.root(host) / ".dbops" / "lock.json"
        lock.parent.mkdir(parents=True)
        lock.write_text(json.dumps(LOCK))
        return lock


@pytest.fixture
def desk(server, make_schema, shop_script, backup_here, folder, tmp_path):
    """The database shop, a backup of it, and what has changed since."""
    for name in sorted((name for (name,) in server.query("SHOW DATABASES LIKE 'shop%'")), reverse=True):
        if re.fullmatch(r"shop(__\w+)?", name):
            server.execute(f"DROP DATABASE {name}")
    make_schema(shop_script, name="shop")
    desk = Desk(tmp_path, str(server.socket), 0)
    desk.server, desk.folder = server, folder
    desk.backed_up, desk.backup = server.dump("shop"), backup_here("shop", folder)
    server.execute("DELETE FROM orders", "CREATE TABLE stray (id INT)", schema="shop")
    desk.changed = server.dump("shop")
    return desk


def words(text: str) -> str:
    """Text without its line breaks, which the terminal's width decides."""
    return " ".join(text.split())


# A CI system, or AWX, may give its jobs a terminal. Nobody answers there either.
@pytest.mark.parametrize(
    "somewhere", [{}, {"CI": "true"}, {"AWX_ISOLATED_DATA_DIR": "/runner/artifacts/7"}], ids=["cron", "CI", "AWX"]
)
def test_where_nobody_sits_the_restore_needs_its_confirmation_on_the_command_line(desk, somewhere):
    done = desk.restore(answers=() if somewhere else None, environment=somewhere)

    assert done.returncode != 0
    assert "Nothing was touched. If it is meant, say so: -e restore_confirm=shop" in words(done.stdout)
    assert "Restore the database" not in done.stdout
    assert desk.server.dump("shop") == desk.changed


def test_a_person_is_shown_what_will_happen_and_asked_twice(desk):
    done = desk.restore(answers=("shop", "restore"))

    assert done.returncode == 0, done.stdout
    shown, answered = done.stdout.split("Type the name of the database to go on")
    said = words(shown[shown.index("This would") :])
    assert f"This would replace the database shop on one ({desk.socket})." in said
    assert re.search(rf"backup {desk.backup['name']}, made 0 h \d min ago, at {desk.backup['started']}", said)
    assert f"file {desk.backup['path']}, " in said
    assert re.search(r"strategy swap: a second copy takes about [\d.]+ MiB, [\d.]+ [GT]iB are free in /", said)
    assert "removes table stray" in said
    assert "keeps what is there now, in a safety backup deployment none is under way on one, two" in said
    assert re.search(r"What was written since then, in the last 0 h \d min, is lost.", said)
    assert "is lost. How much that is: unknown, since the server writes no binary log." in said
    assert "Last question. Type restore to go on" in answered
    assert "removed: table stray" in answered
    assert desk.server.dump("shop") == desk.backed_up


def test_what_was_shown_is_restored_though_a_newer_backup_came_meanwhile(desk, backup_here):
    def back_up_and_answer() -> str:
        backup_here("shop", desk.folder)
        return "shop"

    done = desk.restore(answers=(back_up_and_answer, "restore"))

    assert done.returncode == 0, done.stdout
    assert desk.server.dump("shop") == desk.backed_up


@pytest.mark.parametrize("answers", [("shop_staging",), ("shop", "")])
def test_a_wrong_answer_touches_nothing(desk, answers):
    done = desk.restore(answers=answers)

    assert done.returncode != 0
    assert f"{answers[-1] or 'Nothing'} was typed, which is not " in words(done.stdout)
    assert desk.server.dump("shop") == desk.changed


def test_check_mode_asks_nothing_and_says_what_would_be_done(desk):
    done = desk.restore("--check", "--diff", restore_keep_previous="1h")

    assert done.returncode == 0, done.stdout
    said = words(done.stdout)
    assert f"This would replace the database shop on one ({desk.socket})." in said
    assert re.search(rf"file {desk.backup['path']}, [\d.]+ .?B \([\d.]+ .?B of SQL\)", said)
    assert "removes table stray" in said
    assert "in a safety backup, and on the server for 1h" in said
    assert "-table stray" in done.stdout
    assert desk.server.dump("shop") == desk.changed


def test_a_deployment_that_is_under_way_is_not_disturbed(desk):
    desk.lock("two")

    refused = desk.restore(restore_confirm="shop")

    assert refused.returncode != 0
    said = words(refused.stdout)
    assert "two is locked by the deployment 20261122T090000Z-1234 of release 9, by ann from ci-7, since then." in said
    look = re.search(r"ansible-playbook (dbops.recovery.rollback -l one,two --check)", said).group(1)
    assert "To restore all the same, add -e restore_during_deployment=true" in said
    # What it says to type explains the lock, and touches nothing either.
    explained = desk.run(*shlex.split(look))
    assert "add -e deploy_force_unlock=true to what you did now" in words(explained.stdout)
    assert desk.server.dump("shop") == desk.changed
    done = desk.restore(restore_confirm="shop", restore_during_deployment=True)
    assert done.returncode == 0, done.stdout
    assert desk.server.dump("shop") == desk.backed_up


def test_a_host_of_the_application_that_is_down_is_named(desk):
    done = desk.restore(restore_confirm="shop", restore_application_hosts=["one", "down.invalid"])

    assert done.returncode != 0
    assert "down.invalid cannot say whether the application is being deployed" in words(done.stdout)
    assert desk.server.dump("shop") == desk.changed


def test_a_playbook_of_ones_own_needs_the_role_and_a_confirmation(desk):
    done = desk.run_own_playbook()

    assert done.returncode == 0, done.stdout
    assert f"restored by swap from {desk.backup['name']}" in words(done.stdout)
    assert desk.server.dump("shop") == desk.backed_up


def test_a_playbook_that_goes_on_after_a_failure_knows_how_it_ended(desk):
    rewrite(desk.backup, before_table("orders", "SELECT * FROM nowhere"))

    done = desk.run_own_playbook()

    assert "It ended reverted, since shop could not be restored" in words(done.stdout)
    assert "shop is as it was before: it was not touched." in words(done.stdout)
    assert desk.server.dump("shop") == desk.changed


def test_a_restore_that_failed_is_told_of_with_what_to_do_and_one_that_went_well_where_that_is_wanted(desk):
    with WebSink() as program:
        channel = {"notify_webhook_url": program.url(), "restore_confirm": "shop"}
        assert desk.restore(**channel).returncode == 0
        assert program.notices == []
        desk.restore(notify_on=["success"], **channel)
        assert [notice["title"] for notice in program.notices] == ["shop on one: restored"]
        rewrite(desk.backup, before_table("orders", "SELECT * FROM nowhere"))
        done = desk.restore(**channel)

    assert done.returncode != 0
    restored, reverted = program.notices
    assert re.match(rf"Restored shop from {desk.backup['path']} in [\d.]+ s, by a swap", restored["lines"][0])
    assert reverted["title"] == "shop on one: restore FAILED, the database is as it was"
    assert (reverted["kind"], reverted["outcome"], reverted["verdict"]) == ("restore", "reverted", "failure")
    assert reverted["lines"][0].startswith("shop could not be restored from")
    assert reverted["lines"][-1].startswith("Next: nothing is lost. Turn maintenance off")
    assert reverted["details"]["safety_backup"]["path"]


def test_restores_on_two_hosts_are_told_of_once_the_worst_first(desk, make_schema):
    make_schema(name="shop_two")
    # On one the backup is good, on two there is none of that name.
    each = "{{ {'one': 'BACKUP', 'two': '/nowhere/shop.sql'}[inventory_hostname] }}".replace(
        "BACKUP", desk.backup["path"]
    )
    database = "{{ {'one': 'shop', 'two': 'shop_two'}[inventory_hostname] }}"
    with WebSink() as program:
        done = desk.restore(
            restore_hosts="one,two",
            restore_backup=each,
            restore_database=database,
            restore_confirm=database,
            restore_during_deployment=True,
            notify_webhook_url=program.url(),
        )

    assert done.returncode != 0
    assert desk.server.dump("shop") == desk.backed_up
    (notice,) = program.notices
    assert notice["title"] == "shop_two on two: restore REFUSED, nothing was touched"
    assert notice["lines"][0] == "two:"
    assert notice["lines"].index("one:") > 1
    assert {host: result["outcome"] for host, result in notice["details"].items()} == {
        "one": "restored",
        "two": "refused",
    }


@pytest.mark.parametrize(
    ("channels", "is_good", "said"),
    [
        ({"notify_timeout": "soon"}, True, "NOT DELIVERED"),
        ({"notify_on": "{{ vault_nothing }}"}, False, "No notice was sent"),
    ],
)
def test_a_channel_that_does_not_work_leaves_a_failed_restore_failed_and_a_good_one_good(desk, channels, is_good, said):
    channels = {"notify_on": ["failure", "success"], **channels}
    if not is_good:
        rewrite(desk.backup, before_table("orders", "SELECT * FROM nowhere"))

    done = desk.restore(notify_webhook_url=f"http://127.0.0.1:{closed_port()}/", restore_confirm="shop", **channels)

    assert (done.returncode == 0) == is_good, done.stdout
    assert ("shop is as it was before" in words(done.stdout)) != is_good
    assert said in done.stdout


def test_single_tables_come_back_beside_their_namesakes(desk):
    tables = {"restore_tables": ["orders"], "restore_table_suffix": "_restored"}

    foreseen = desk.restore("--check", **tables)
    done = desk.restore(restore_confirm="shop", **tables)

    where = f"shop on one ({desk.socket}) beside them, under names that end with _restored."
    assert f"This would put a copy of the tables orders of {where}" in words(foreseen.stdout)
    assert "is lost" not in foreseen.stdout
    assert "Restored copies of orders of shop, under names that end with _restored, from" in words(done.stdout)
    assert desk.server.query("SELECT COUNT(*) FROM shop.orders_restored") == [(3,)]
    desk.server.execute("DROP TABLE orders_restored", schema="shop")
    assert desk.server.dump("shop") == desk.changed


def test_what_is_kept_comes_back_by_the_line_in_the_report_and_can_be_dropped(desk):
    done = desk.restore(restore_confirm="shop", restore_keep_previous="1h")

    assert done.returncode == 0, done.stdout
    said = words(done.stdout)
    assert re.search(rf"Restored shop from {desk.backup['path']} in [\d.]+ s, by a swap that took [\d.]+ s\.", said)
    assert re.search(r"What was there before stays on the server as shop__\w+ until \d{4}-\d\d-\d\dT[\d:]+Z\.", said)
    assert desk.server.dump("shop") == desk.backed_up
    line = re.search(r"ansible-playbook dbops.recovery.restore( -e restore_\w+=\w+)+", said).group()

    undone = desk.run(*shlex.split(line)[1:])

    assert undone.returncode == 0, undone.stdout
    assert "shop is what it was before its last restore" in words(undone.stdout)
    assert desk.server.dump("shop") == desk.changed

    dropped = desk.restore(answers=("shop", "drop"), restore_drop_previous=True)

    assert dropped.returncode == 0, dropped.stdout
    assert re.search(r"Dropped of what earlier restores of shop have kept: shop__\w+\.", words(dropped.stdout))
    assert desk.server.query("SHOW DATABASES LIKE 'shop\\_\\_%'") == []
    assert desk.server.dump("shop") == desk.changed


@pytest.mark.parametrize(
    ("variables", "words_said"),
    [
        ({"restore_confirm": "shop_staging"}, "restore_confirm is 'shop_staging', but the database is shop."),
        ({"restore_undo": True, "restore_backup": "shop_2026-11-22_101500"}, "Leave one of them out."),
        ({"restore_hosts": "one,two"}, "This play is for one, two, and a question is about one host."),
    ],
)
def test_what_cannot_be_meant_is_refused_in_words(desk, variables, words_said):
    done = desk.restore(answers=(), **variables)

    assert done.returncode != 0
    assert words_said in words(done.stdout)
    assert "Restore the database" not in done.stdout
