# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import time

import pytest

from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError
from ansible_collections.dbops.recovery.plugins.module_utils._release import actions, journal
from ansible_collections.dbops.recovery.plugins.module_utils._release.commands import redact, run_commands

NOTE = {"deployment": "d1", "release": "1", "step": "stage", "result": "started"}


@pytest.fixture
def root(tmp_path):
    return str(tmp_path / "shop")


def stage(root, release="1", check=False, note=None):
    return actions.set_release({"root": root, "release": release, "state": "staged", "note": note}, check)


def go_live(root, release="1", check=False):
    return actions.set_release({"root": root, "release": release, "state": "live", "note": None}, check)


def note(root, release, result, step="finish", **details):
    options = {"root": root, "deployment": f"d{release}", "release": release, "step": step, "result": result}
    return actions.note({**options, "details": details}, False)


def hold(root, deployment="d1", state="present", force=False, check=False, note=None):
    options = {"deployment": deployment, "release": "1", "owner": "ann", "controller": "ci-7", "note": note}
    return actions.hold({"root": root, "state": state, "force": force, **options}, check)


def command(root, commands, check=False, **more):
    options = {"root": root, "release": None, "in_root": False, "environment": {}, "note": None, **more}
    return actions.command({**options, "commands": commands}, check)


def test_a_release_is_staged_switched_to_and_then_nothing_changes_any_more(root):
    assert stage(root, check=True)["changed"]
    assert not os.path.exists(root)
    assert stage(root)["changed"]
    assert not stage(root)["changed"]
    result = go_live(root, check=True)
    assert result["changed"]
    assert result["diff"]["after"] == "1\n"
    assert not os.path.lexists(os.path.join(root, "current"))
    assert go_live(root)["changed"]
    assert not go_live(root)["changed"]


def test_the_live_release_is_neither_staged_again_nor_removed(root):
    stage(root)
    go_live(root)
    with pytest.raises(RecoveryError, match="is live"):
        stage(root)
    with pytest.raises(RecoveryError, match="is live and is not removed"):
        actions.set_release({"root": root, "release": "1", "state": "absent", "note": None}, False)


def test_a_release_that_can_be_gone_back_to_is_not_overwritten(root):
    stage(root)
    note(root, "1", "deployed")
    with pytest.raises(RecoveryError, match="can still be gone back to"):
        stage(root)


def test_a_release_without_a_directory_cannot_go_live(root):
    stage(root)
    with pytest.raises(RecoveryError, match="There are: 1"):
        go_live(root, "2")


def test_the_note_is_in_the_journal_before_a_command_that_fails(root):
    stage(root)
    go_live(root)
    with pytest.raises(RecoveryError):
        command(root, ["false"], note={**NOTE, "step": "migrate"})
    (entry,) = journal.read_journal(os.path.join(root, ".dbops", "journal.jsonl"))
    assert entry["step"] == "migrate"


def test_a_note_without_its_keys_is_refused(root):
    with pytest.raises(RecoveryError, match="deployment, release is missing"):
        stage(root, note={"step": "stage", "result": "started"})


def test_a_held_lock_says_who_holds_it_and_the_holder_may_take_it_again(root):
    assert hold(root, check=True)["changed"]
    assert hold(root)["changed"]
    assert not hold(root)["changed"]
    with pytest.raises(RecoveryError, match=r"by ann from ci-7 .*deploy_force_unlock=true"):
        hold(root, "d2")
    assert not hold(root, "d2", "absent")["changed"]
    assert hold(root, "d2", force=True)["lock"]["deployment"] == "d2"
    assert hold(root, "d2", "absent")["lock"] is None
    assert not hold(root, "d2", "absent")["changed"]


def test_the_lock_is_given_back_also_where_the_journal_cannot_be_written(root):
    hold(root)
    os.mkdir(os.path.join(root, ".dbops", "journal.jsonl"))
    with pytest.raises(RecoveryError, match="Writing the journal"):
        hold(root, "d2", "absent", note=NOTE)
    assert os.path.exists(os.path.join(root, ".dbops", "lock.json"))
    with pytest.raises(RecoveryError, match="Writing the journal"):
        hold(root, "d1", "absent", note=NOTE)
    assert not os.path.exists(os.path.join(root, ".dbops", "lock.json"))


def test_info_says_what_is_live_and_where_a_rollback_goes(root):
    for release in ("1", "2"):
        stage(root, release)
        note(root, release, "started", "stage")
        go_live(root, release)
        note(root, release, "deployed", backup={"name": f"b{release}"})
    os.mkdir(os.path.join(root, "releases", "by-hand"))
    found = actions.info({"root": root, "rollback_to": None}, False)
    assert found["current"] == "2"
    assert found["rollback_target"] == "1"
    assert {one["id"]: one["status"] for one in found["releases"]} == {"1": "good", "2": "good", "by-hand": "unknown"}
    assert found["way_back"]["backup"] == {"name": "b2"}
    assert found["lock"] is None
    assert found["unfinished"] is None


def test_info_of_a_host_without_the_application_is_empty(root):
    found = actions.info({"root": root, "rollback_to": None}, False)
    assert (found["current"], found["releases"], found["rollback_target"]) == (None, [], None)
    assert not os.path.exists(root)


def test_pruning_in_check_mode_names_what_would_go_and_removes_nothing(root):
    for release in ("1", "2", "3"):
        stage(root, release)
        go_live(root, release)
        note(root, release, "deployed")
    assert actions.prune({"root": root, "keep": 1}, True)["removed"] == ["1"]
    assert actions.prune({"root": root, "keep": 1}, False)["removed"] == ["1"]
    assert not actions.prune({"root": root, "keep": 1}, False)["changed"]
    assert sorted(os.listdir(os.path.join(root, "releases"))) == ["2", "3"]


def test_a_failing_command_tells_its_last_lines_and_stops_those_after_it(tmp_path):
    script = "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo line $i; done; echo boom >&2; exit 3"
    with pytest.raises(RecoveryError) as failure:
        run_commands(["true", f"sh -c '{script}'", "touch never"], str(tmp_path), {})
    lines = str(failure.value).splitlines()
    assert "failed with exit status 3" in lines[0]
    assert lines[1:] == [f"line {i}" for i in range(4, 13)] + ["boom"]
    assert failure.value.result["status"] == 3
    assert len(failure.value.result["commands"]) == 2
    assert os.listdir(tmp_path) == []


def test_no_shell_reads_the_commands(tmp_path):
    (done,) = run_commands(["echo $HOME; touch 'a b' | true"], str(tmp_path), {})
    assert done["last_lines"] == ["$HOME; touch a b | true"]


def test_a_daemon_that_is_left_behind_does_not_hold_the_command_up(tmp_path):
    started = time.monotonic()
    run_commands(["sh -c 'sleep 5 & echo started'"], str(tmp_path), {})
    assert time.monotonic() - started < 3


def test_a_program_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(RecoveryError, match="Starting `no-such-program --now`"):
        run_commands(["no-such-program --now"], str(tmp_path), {})


def test_an_open_quote_is_found_before_anything_runs(tmp_path):
    with pytest.raises(RecoveryError, match="cannot be split"):
        run_commands(["touch one", "echo 'open"], str(tmp_path), {})
    assert os.listdir(tmp_path) == []


def test_secrets_of_the_environment_are_masked_in_what_a_command_prints(tmp_path):
    environment = {"DB_PASSWORD": "hunter2secret", "DATABASE_URL": "mysql://u:pw@h/db", "DEBUG": "1"}
    (done,) = run_commands(["sh -c 'echo $DB_PASSWORD $DATABASE_URL $DEBUG'"], str(tmp_path), environment)
    assert done["last_lines"] == ["******** ******** 1"]
    assert redact("12", {"KEY": "1"}) == "12"
    assert redact("hunter2 by ann.lee", {"MYSQL_PWD": "hunter2", "GIT_AUTHOR": "ann.lee"}) == "******** by ann.lee"


def test_a_secret_that_is_part_of_another_leaves_nothing_of_the_other_behind():
    environment = {"DB_PASSWORD": "hunter2secret", "AMQP_AUTH": "amqp://u:hunter2secret@rabbit"}
    assert redact("to amqp://u:hunter2secret@rabbit", environment) == "to ********"


def test_a_note_whose_release_came_as_a_number_is_written_as_the_text_that_names_the_directory(root):
    stage(root, "3", note={**NOTE, "release": 3})
    (entry,) = journal.read_journal(os.path.join(root, ".dbops", "journal.jsonl"))
    assert entry["release"] == "3"


def test_commands_run_in_the_live_release_in_a_named_one_or_in_the_root(root):
    stage(root)
    go_live(root)
    stage(root, "2")
    where = [{}, {"release": "2"}, {"in_root": True}]
    said = [command(root, ["pwd -P"], **one)["commands"][0]["last_lines"] for one in where]
    assert said == [[f"{root}/releases/1"], [f"{root}/releases/2"], [root]]


def test_the_environment_is_taken_out_of_the_options_that_ansible_shows(root):
    stage(root)
    given = {"root": root, "release": "1", "in_root": False, "note": None}
    options = {**given, "commands": ["true"], "environment": {"A": "b"}}
    actions.command(options, False)
    assert "environment" not in options


def test_the_environment_is_taken_out_also_when_the_root_is_refused():
    options = {"root": "shop", "release": "1", "commands": ["true"], "environment": {"A": "b"}, "note": None}
    with pytest.raises(RecoveryError, match="root of an application"):
        actions.command(options, False)
    assert "environment" not in options
