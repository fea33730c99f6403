# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two hosts and one database: whatever fails, wherever, all of them end on the new release or all on the old one.

The hosts are two directories on this machine, the application is a handful of shell scripts with a real table behind
it, and the playbooks are the collection's own.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from fleet import HOSTS, sql

BEFORE = "added_by_1,product: changed by 1"
AFTER = "added_by_1,added_by_2,product: changed by 2"


def test_a_first_release_goes_live_on_every_host(fleet, deployed_once):
    done = deployed_once.first
    assert fleet.live() == {"one": "1", "two": "1"}
    assert fleet.database() == BEFORE
    assert done.report["outcome"] == "deployed"
    assert done.report["previous_release"] == ""
    assert (fleet.root("two") / "current" / "settings").readlink() == Path("../../shared/settings")
    assert (fleet.root("two") / "shared" / "settings").stat().st_mode & 0o777 == 0o640
    # Where nobody is to be told, that costs one task, which is skipped.
    assert "dbops.recovery.notify" not in done.stdout
    assert done.stdout.count("Tell those who want to know") <= 1


def test_the_same_release_again_is_nothing_to_do_also_where_it_comes_as_a_number(fleet):
    done = fleet.play("deploy.yml", deploy_release=1)
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("changed=0") == 2
    assert "Nothing to do: release 1 is live and good on one, two." in done.stdout
    assert not done.report["changed"]


def test_a_release_that_comes_as_a_number_is_the_one_of_that_name_and_a_rollback_leaves_the_database(fleet):
    done = fleet.play("deploy.yml", deploy_release=2)
    assert done.report["outcome"] == "deployed", done.stdout
    assert {entry["release"] for entry in fleet.journal("one")} == {"1", "2"}
    done = fleet.play("rollback.yml", deploy_rollback_release=1)
    assert done.returncode == 0, done.stdout
    assert fleet.live() == {"one": "1", "two": "1"}
    assert fleet.database() == AFTER


@pytest.mark.usefixtures("one_host")
def test_without_migrations_nothing_that_visitors_wrote_is_taken_back(fleet):
    # A visitor orders something after the backup; then the restart fails, and is well again on the way back.
    (fleet.directory / "source" / "restart").write_text(
        'if [ "$(basename "$(pwd -P)")" = 2 ]; then\n'
        f'mariadb --no-defaults -S {fleet.socket} -u root shop -e "CREATE TABLE ordered (id INT)"; exit 1\nfi\n'
        "exec sh step restart\n"
    )
    restart = ["sh -c 'if test -e restart; then exec sh restart; fi; exec sh step restart'"]
    done = fleet.deploy("2", deploy_migrate_commands=[], deploy_restart_commands=restart)
    assert done.report["outcome"] == "rolled_back", done.stdout
    assert done.report["failed_phase"] == "restart"
    assert done.report["database_outcome"] == ""
    assert "ordered" in fleet.database()


@pytest.mark.usefixtures("one_host")
def test_a_missing_maintenance_mode_and_a_missing_right_are_said_and_stop_nothing(fleet):
    # It may bring all of it back, but not build a copy beside it.
    sql(
        fleet.socket,
        "CREATE OR REPLACE USER cramped@localhost IDENTIFIED BY 'inplaceonly';"
        "GRANT ALL ON shop.* TO cramped@localhost;"
        "GRANT SELECT ON mysql.proc TO cramped@localhost",
    )
    done = fleet.deploy(
        "2",
        deploy_maintenance_on_commands=[],
        deploy_maintenance_off_commands=[],
        deploy_database_connection={
            "login_unix_socket": fleet.socket,
            "login_user": "cramped",
            "login_password": "inplaceonly",
        },
    )
    assert done.report["outcome"] == "deployed", done.stdout
    assert "Mind: There is no maintenance mode (deploy_maintenance_on_commands)" in done.stdout
    assert "To go back: ansible-playbook dbops.recovery.rollback" in done.stdout
    said = " ".join(done.stdout.split())
    assert "Mind: The way back of the database is a restore in place, during which it is not whole" in said
    assert "ON `shop\\_\\_%`.* TO 'cramped'@'localhost'." in said.replace("''", "'")
    assert "takes the database back too; what was written since is then only in the safety backup." in said


@pytest.mark.usefixtures("one_host")
def test_an_account_that_could_not_restore_is_refused_before_the_migrations(fleet):
    # It may back all of it up, but not create a trigger in the name of another.
    sql(
        fleet.socket,
        "CREATE DEFINER = root@localhost TRIGGER shop.stamp BEFORE INSERT ON shop.product FOR EACH ROW SET @stamp = 1;"
        "CREATE OR REPLACE USER keeper@localhost IDENTIFIED BY 'onlybacksup';"
        "GRANT ALL ON shop.* TO keeper@localhost;"
        "GRANT SELECT ON mysql.proc TO keeper@localhost",
    )
    connection = {"login_unix_socket": fleet.socket, "login_user": "keeper", "login_password": "onlybacksup"}
    done = fleet.deploy("2", deploy_database_connection=connection)
    assert (done.report["outcome"], done.report["failed_phase"]) == ("rolled_back", "backup"), done.stdout
    assert "GRANT SET USER" in done.report["error"]
    assert done.report["database_outcome"] == ""
    assert fleet.live() == {"one": "1"}
    assert fleet.database() == BEFORE


def test_a_connection_option_that_does_not_exist_is_refused_before_anything_is_touched(fleet):
    done = fleet.deploy("2", deploy_database_connection={"login_unix_socket": fleet.socket, "compression": "gzip"})
    assert done.returncode != 0
    assert "compression" in done.stdout
    assert not (fleet.root("one") / "releases" / "2").exists()


def test_a_host_that_dies_while_staging_is_named_and_nothing_is_broken(fleet):
    # Cut off from the moment when the release's directory is made there.
    (fleet.directory / "cut_two").symlink_to(fleet.root("two") / "releases" / "2")
    done = fleet.deploy("2")
    assert done.returncode != 0
    assert done.report["outcome"] == "rolled_back", done.stdout
    assert "Unreachable: two." in done.stdout
    assert fleet.live() == {"one": "1", "two": "1 .dbops/lock.json"}


@pytest.mark.parametrize(
    ("fail", "phase", "lost"),
    [
        ("stage@two@2", "stage", None),
        ("maintenance_on@two@1", "maintenance_on", None),
        ("health@two@2", "health", "0, as the application was in maintenance mode the whole time"),
        # By then it was off on the other host.
        ("maintenance_off@two@2", "maintenance_off", "unknown: the server writes no binary log."),
    ],
)
def test_a_failure_on_one_host_takes_every_host_and_the_database_back(fleet, fail, phase, lost):
    done = fleet.deploy("2", deploy_environment=fleet.environment(fail=fail))
    assert done.returncode != 0
    assert done.report["outcome"] == "rolled_back", done.stdout
    assert (done.report["failed_phase"], done.report["failed_host"]) == (phase, fail.split("@")[1])
    assert fleet.live() == {"one": "1", "two": "1"}
    assert fleet.database() == BEFORE
    assert done.report["database_outcome"] == ("restored" if lost else "")
    assert done.report["writes_lost"].get("verdict", "").startswith(lost or "")
    assert done.stdout.count("Written to it since that backup, and lost: ") == bool(lost)
    for host in HOSTS:
        last = fleet.journal(host)[-1]
        assert (last["release"], last["result"], last["to"]) == ("2", "rolled_back", "1")


@pytest.mark.usefixtures("one_host")
def test_what_visitors_wrote_before_the_way_back_is_counted_and_kept(fleet, start_server):
    logging = start_server("--log-bin=binlog", "--server-id=1", "--binlog-format=ROW")
    fleet.socket = str(logging.socket)
    sql(fleet.socket, "CREATE DATABASE shop")
    sql(fleet.socket, "CREATE TABLE ordered (id INT)", "shop")
    visit = 'mariadb --no-defaults -S "$SOCKET" -u root shop -e "INSERT INTO ordered VALUES (1), (2)"'
    done = fleet.deploy(
        "2",
        deploy_environment=fleet.environment(fail="health@one@2", wreck=visit),
        deploy_maintenance_on_commands=[],
        deploy_maintenance_off_commands=[],
    )
    assert done.report["outcome"] == "rolled_back", done.stdout
    lost = done.report["writes_lost"]
    assert lost["rows"]["ordered"] == {"inserted": 2, "updated": 0, "deleted": 0}
    # The visitor's and the migration's: each of its statements is one, and two of them make a table.
    assert (lost["transactions"], lost["definitions"]) == (2, 2)
    assert lost["verdict"] == (
        "2 transactions (3 rows: ordered 2, product 1), and 2 changes of definitions. What the migrations did is among "
        "it; before they began it was 0"
    )
    assert f"That is kept as SQL in {lost['path']} on one." in " ".join(done.stdout.split())
    assert Path(lost["path"]).stat().st_mode & 0o777 == 0o600
    logging.stop()


@pytest.mark.usefixtures("one_host")
def test_a_failed_migration_says_why_and_can_be_deployed_again_when_it_is_mended(fleet):
    done = fleet.deploy("2", deploy_environment=fleet.environment(fail="migrate@one@2"))
    assert "ERROR 1062 (23000): Duplicate entry in migrate" in done.report["error"]
    assert "Why: one failed while migrating the database:" in done.stdout
    assert "Release 2 was rolled back. Release 1 is live again on one." in done.stdout
    (fleet.root("one") / "releases" / "2" / "left-over").write_text("from the first attempt")
    done = fleet.deploy("2")
    assert done.report["outcome"] == "deployed", done.stdout
    assert fleet.live() == {"one": "2"}
    assert not (fleet.root("one") / "releases" / "2" / "left-over").exists()


def test_a_switch_that_fails_on_one_host_is_taken_back_on_the_other(fleet):
    wreck = f"rm -rf {fleet.root('two')}/releases/2"
    done = fleet.deploy("2", deploy_environment=fleet.environment(wreck=wreck))
    assert (done.report["outcome"], done.report["failed_phase"]) == ("rolled_back", "switch")
    assert fleet.live() == {"one": "1", "two": "1"}
    assert fleet.database() == BEFORE


def test_a_backup_that_fails_stops_everything_before_the_migrations(fleet):
    # Seen only at the backup itself: the rehearsal before it finds nothing wrong yet.
    (fleet.directory / "backups").mkdir()
    done = fleet.deploy(
        "2", deploy_stage_commands=[f"sh -c 'rm -rf {fleet.directory}/backups && touch {fleet.directory}/backups'"]
    )
    assert (done.report["outcome"], done.report["failed_phase"]) == ("rolled_back", "backup")
    assert fleet.live() == {"one": "1", "two": "1"}
    assert fleet.database() == BEFORE


def test_a_queue_worker_with_a_long_job_does_not_make_a_clean_way_back_broken(fleet):
    with subprocess.Popen(["sleep", "1234.5"], cwd=fleet.root("two")) as worker:
        done = fleet.deploy(
            "2",
            deploy_worker_restart_commands=["true"],
            deploy_worker_match="sleep 1234.5",
            deploy_worker_timeout=1,
        )
        worker.kill()
    assert (done.report["outcome"], done.report["failed_phase"]) == ("rolled_back", "restart"), done.stdout
    assert fleet.live() == {"one": "1", "two": "1"}
    (untidy,) = done.report["untidy"]
    assert f"these workers still run the old code: {worker.pid} (sleep 1234.5)" in untidy


@pytest.mark.usefixtures("one_host")
def test_a_view_that_the_migration_broke_does_not_forbid_the_way_back(fleet):
    wreck = (
        'mariadb --no-defaults -S "$SOCKET" -u root shop -e '
        '"CREATE TABLE t (a INT); CREATE VIEW v AS SELECT a FROM t; DROP TABLE t"'
    )
    environment = fleet.environment(fail="migrate@one@2", wreck=wreck)
    done = fleet.deploy("2", deploy_environment=environment, warning="is without them: v: View 'shop.v' references")
    assert done.report["outcome"] == "rolled_back", done.stdout
    assert fleet.database() == BEFORE


def test_a_host_that_dies_is_named_and_the_others_are_taken_back(fleet):
    done = fleet.deploy("2", deploy_environment=fleet.environment(wreck=f"touch {fleet.directory}/cut_two"))
    assert done.returncode != 0
    assert done.report["outcome"] == "broken"
    assert done.report["unreachable_hosts"] == ["two"]
    assert "Unreachable: two." in done.stdout
    # The lock is kept: a person looks before anybody deploys again.
    assert fleet.live()["one"] == "1 .dbops/lock.json"
    assert fleet.database() == BEFORE
    # Nobody is told to restore once more what visitors write to since.
    refused = fleet.play("rollback.yml", "-l", "one")
    assert refused.report["outcome"] == "refused"
    assert "ended broken" in refused.report["error"]
    assert "database" not in refused.report["error"]


@pytest.mark.parametrize("phase", ["migrate", "restart"])
def test_the_database_is_put_back_though_the_host_that_failed_is_lost_before_that(fleet, phase):
    # Cut off when its failure has come back. The database is another host's.
    script = {"migrate": "migrate", "restart": "step restart"}[phase]
    dying = f"sh -c 'sh {script} || {{ touch {fleet.directory}/cut_one; exit 1; }}'"
    failing = {"deploy_environment": fleet.environment(fail=f"{phase}@one@2"), f"deploy_{phase}_commands": [dying]}
    done = fleet.deploy("2", deploy_database_host="two", **failing)
    assert done.report["outcome"] == "broken", done.stdout
    assert (done.report["failed_phase"], done.report["failed_host"]) == (phase, "one")
    assert (done.report["database_outcome"], done.report["unreachable_hosts"]) == ("restored", ["one"])
    assert fleet.live()["two"] == "1 .dbops/lock.json"
    assert fleet.database() == BEFORE


def test_a_rollback_by_hand_whose_restore_breaks_says_so_and_what_it_says_to_type_finishes_it(fleet):
    # The database's host cannot be reached any more once maintenance is on.
    gone = fleet.directory / "gone"
    limit = ("-l", "application:&all")
    where = {"deploy_database_host": f"{{{{ ('{gone}' is exists) | ternary('gone.invalid', 'one') }}}}"}
    assert fleet.deploy("2", *limit, **where).returncode == 0
    closing = {"deploy_maintenance_on_commands": [f"touch ../../closed {gone}"]}
    done = fleet.play("rollback.yml", *limit, deploy_rollback_database=True, **where, **closing)
    assert done.report["outcome"] == "broken", done.stdout
    assert (done.report["database_outcome"], done.report["unreachable_hosts"]) == ("broken", [])
    said = " ".join(done.stdout.replace("''", "'").split())
    assert "The database shop is NOT as it was before the rollback." in said
    # A limit has characters of the shell's.
    arguments = shlex.split(re.search(r"as far as is needed:' - ' ansible-playbook (.*?)' (?:- |TASK)", said)[1])
    assert arguments[:3] == ["dbops.recovery.rollback", "-l", "application:&all"]

    gone.unlink()
    finished = fleet.play(arguments[0], *arguments[1:], **where)

    assert finished.returncode == 0, finished.stdout
    assert fleet.database() == BEFORE
    assert fleet.live() == {"one": "1", "two": "1"}


def test_a_restore_that_fails_leaves_maintenance_on_and_says_broken(fleet):
    wreck = f"find {fleet.directory}/backups -name '*.sql*' -exec truncate -s 100 {{}} +"
    done = fleet.deploy("2", deploy_environment=fleet.environment(fail="migrate@one@2", wreck=wreck))
    assert done.returncode != 0
    assert done.report["outcome"] == "broken", done.stdout
    assert fleet.live() == {"one": "1 closed .dbops/lock.json", "two": "1 closed .dbops/lock.json"}
    assert "NOT as it was before" in done.stdout
    assert "deploy_rollback_database=true" in done.stdout


def test_a_host_that_is_unwell_after_the_way_back_stays_closed_alone(fleet):
    wreck = f"touch {fleet.directory}/sick; printf unwell >{fleet.root('two')}/running"
    # On two, neither the new nor the old release gets well again.
    restart = ["sh -c 'test $HOST = two && printf unwell >../../running || sh step restart'"]
    done = fleet.deploy("2", deploy_environment=fleet.environment(wreck=wreck), deploy_restart_commands=restart)
    assert done.report["outcome"] == "broken"
    assert [trouble["host"] for trouble in done.report["troubles"]] == ["two"]
    assert fleet.live() == {"one": "1 .dbops/lock.json", "two": "1 running unwell closed .dbops/lock.json"}
    assert fleet.database() == BEFORE
    # What the report says to type next heals it, now that the cause is gone.
    assert "ansible-playbook dbops.recovery.rollback -e deploy_force_unlock=true" in done.stdout
    healed = fleet.play("rollback.yml", deploy_force_unlock=True)
    assert healed.returncode == 0, healed.stdout
    assert fleet.live() == {"one": "1", "two": "1"}


def test_a_first_release_that_fails_leaves_no_release_live(empty_fleet):
    done = empty_fleet.deploy("1", deploy_environment=empty_fleet.environment(fail="restart@two@1"))
    assert done.report["outcome"] == "rolled_back", done.stdout
    assert not (empty_fleet.root("one") / "current").exists()
    assert empty_fleet.database() == "NULL: -"
    # Nothing was live that could have been in maintenance mode.
    assert done.report["writes_lost"]["verdict"].startswith("unknown: the server writes no binary log.")
    assert "No release is live, as there was none before" in done.stdout


def test_an_application_that_was_made_a_release_by_hand_is_what_the_first_deployment_goes_back_to(empty_fleet):
    for host in HOSTS:
        root = empty_fleet.root(host)
        shutil.copytree(empty_fleet.directory / "source", root / "releases" / "before")
        (root / "current").symlink_to("releases/before")
        (root / "running").write_text("before")
    done = empty_fleet.deploy("1", deploy_environment=empty_fleet.environment(fail="health@two@1"))
    assert (done.report["outcome"], done.report["previous_release"]) == ("rolled_back", "before"), done.stdout
    assert empty_fleet.live() == {"one": "before", "two": "before"}
    assert empty_fleet.database() == "NULL: -"


def test_a_lock_of_another_deployment_is_explained_and_a_good_release_goes_live_over_it_where_that_is_meant(fleet):
    lock = {
        "deployment": "20261122T090000Z-1234",
        "release": "9",
        "owner": "ann",
        "controller": "ci-7",
        "since": "then",
    }
    (fleet.root("two") / ".dbops" / "lock.json").write_text(json.dumps(lock))
    refused = fleet.deploy("2")
    assert refused.report["outcome"] == "refused"
    assert "by ann from ci-7" in refused.report["error"]
    assert "deploy_force_unlock=true" in refused.report["error"]
    # A rollback would take back what that deployment never began: the live release.
    assert "nothing is half done" in refused.report["error"]
    assert "rollback" not in refused.report["error"]
    assert fleet.live() == {"one": "1", "two": "1 .dbops/lock.json"}
    assert not (fleet.root("one") / "releases" / "2").exists()
    done = fleet.deploy("2", deploy_force_unlock=True)
    assert done.report["outcome"] == "deployed", done.stdout
    assert fleet.live() == {"one": "2", "two": "2"}
    assert fleet.database() == AFTER
    assert done.report["previous_release"] == "1"
    assert Path(done.report["backup"]["path"]).exists()
    assert done.report["downtime_seconds"] > 0
    # The one before it stays what a rollback goes to, even for who deploys it again by mistake.
    before = [fleet.journal(host) for host in HOSTS]
    again = fleet.deploy("1")
    assert again.report["outcome"] == "refused"
    assert "ansible-playbook dbops.recovery.rollback -e deploy_rollback_release=1" in again.report["error"]
    assert [fleet.journal(host) for host in HOSTS] == before


def test_a_wrong_password_is_found_before_anything_is_touched(fleet):
    connection = {
        "login_unix_socket": fleet.socket,
        "login_user": "nobody",
        "login_password": "hunter2hunter",
    }
    done = fleet.deploy("2", "-vvv", deploy_database_connection=connection)
    assert done.report["outcome"] == "refused"
    assert done.report["failed_phase"] == "preflight"
    assert "hunter2hunter" not in done.stdout + done.stderr
    assert not (fleet.root("one") / "releases" / "2").exists()


def test_a_rollback_by_hand_takes_the_database_along_on_request(fleet):
    fleet.deploy("2")
    done = fleet.play("rollback.yml", deploy_rollback_database=True)
    assert done.returncode == 0, done.stdout
    assert fleet.live() == {"one": "1", "two": "1"}
    assert fleet.database() == BEFORE


def test_a_rollback_by_hand_that_fails_is_undone_with_the_database(fleet):
    fleet.deploy("2")
    done = fleet.play(
        "rollback.yml", deploy_rollback_database=True, deploy_environment=fleet.environment(fail="health@two@1")
    )
    assert done.returncode != 0
    assert done.report["outcome"] == "abandoned", done.stdout
    assert fleet.live() == {"one": "2", "two": "2"}
    assert fleet.database() == AFTER
    # Release 2 is still good and 1 is still where a rollback goes.
    assert fleet.play("rollback.yml", "--check").stdout.count("Would leave release 2 and put release 1 live") == 1


def test_a_deployment_that_was_killed_is_taken_back_by_the_rollback_playbook(fleet):
    # A view in the half-migrated database has lost its table.
    client = 'mariadb --no-defaults -S "$SOCKET" -u root shop -e'
    break_view = f'{client} "CREATE TABLE t (a INT); CREATE VIEW v AS SELECT a FROM t; DROP TABLE t"'
    killing = fleet.environment(wreck=f"{break_view}; kill -9 $(cat {fleet.directory}/controller)")
    killed = fleet.deploy("2", deploy_environment=killing)
    assert killed.returncode == -9
    assert killed.report["outcome"] == "unfinished"
    assert fleet.database() != BEFORE
    refused = fleet.deploy("2")
    assert refused.report["outcome"] == "refused"
    assert "the database may be half migrated" in refused.report["error"]
    assert "-e deploy_force_unlock=true -e deploy_rollback_database=true" in refused.report["error"]
    done = fleet.play(
        "rollback.yml", warning="is without them: v: View", deploy_force_unlock=True, deploy_rollback_database=True
    )
    assert done.returncode == 0, done.stdout
    assert fleet.live() == {"one": "1", "two": "1"}
    assert fleet.database() == BEFORE


@pytest.mark.usefixtures("one_host")
def test_a_backup_is_pinned_until_the_release_goes_that_needed_it(fleet):
    backups = {}
    for release in ("2", "3", "4"):
        done = fleet.deploy(release, deploy_keep_releases=1)
        assert done.report["untidy"] == [], done.stdout
        backups[release] = Path(done.report["backup"]["manifest_path"])

    assert sorted(path.name for path in (fleet.root("one") / "releases").iterdir()) == ["3", "4"]
    pinned = {release: json.loads(path.read_text())["backup"]["pinned"] for release, path in backups.items()}
    assert pinned == {"2": False, "3": True, "4": True}


@pytest.mark.usefixtures("one_host")
def test_what_was_left_half_migrated_stays_known_until_a_recovery_succeeds(fleet):
    kill = f"kill -9 $(cat {fleet.directory}/controller)"
    fleet.deploy("2", deploy_environment=fleet.environment(wreck=kill))
    half_migrated = fleet.database()
    assert half_migrated != BEFORE
    (migrating,) = [entry for entry in fleet.journal("one") if entry["release"] == "2" and entry["step"] == "migrate"]
    first_backup = migrating["backup"]["path"]

    # A deployment over it fails, and so does the first try to take it back, on whose way back nothing gets well either.
    failing = {"deploy_force_unlock": True, "deploy_environment": fleet.environment(fail="migrate@one@3")}
    over_it = fleet.deploy("3", **failing)
    unwell = fleet.environment(fail="health@one@1")
    back = {"deploy_force_unlock": True, "deploy_rollback_database": True}
    first_try = fleet.play("rollback.yml", deploy_environment=unwell, **back)

    assert "what it had found half done is so again" in " ".join(over_it.stdout.split())
    for failed in (over_it, first_try):
        assert failed.report["outcome"] == "broken", failed.stdout
        assert first_backup in failed.stdout
        assert "-e deploy_force_unlock=true -e deploy_rollback_database=true" in " ".join(failed.stdout.split())
        assert ".dbops/lock.json" in fleet.live()["one"]
    assert fleet.database() == half_migrated
    done = fleet.play("rollback.yml", **back)
    assert done.returncode == 0, done.stdout
    assert fleet.live() == {"one": "1"}
    assert fleet.database() == BEFORE


def test_a_host_that_a_killed_run_did_not_reach_goes_the_way_of_the_others(fleet):
    fleet.deploy("2")
    lock = {"deployment": "20261122T090000Z-1234", "release": "3", "owner": "ann", "controller": "ci-7"}
    for host in HOSTS:
        (fleet.root(host) / ".dbops" / "lock.json").write_text(json.dumps(lock))
    with (fleet.root("one") / ".dbops" / "journal.jsonl").open("a") as journal:
        begun = {"deployment": lock["deployment"], "release": "3", "step": "maintenance_on", "result": "started"}
        journal.write(json.dumps({"time": "2026-11-22T09:00:00.000Z", **begun}) + "\n")

    named = fleet.play("rollback.yml", "--check", deploy_force_unlock=True, deploy_rollback_release="2")
    assert "Would leave release 3 and put release 2 live on one, two" in named.stdout
    done = fleet.play("rollback.yml", deploy_force_unlock=True)

    assert done.returncode == 0, done.stdout
    assert fleet.live() == {"one": "2", "two": "2"}
    assert fleet.database() == AFTER
    # What is live is good, and the way from it leads further back.
    assert "Would leave release 2 and put release 1 live" in fleet.play("rollback.yml", "--check").stdout


def test_the_backup_and_restore_playbooks_need_no_more_than_the_inventory_of_the_deployment(fleet):
    assert fleet.play("backup.yml", backup_hosts="one").returncode == 0
    sql(fleet.socket, "DROP TABLE product; CREATE TABLE stray (id INT)", "shop")
    refused = fleet.play("restore.yml", restore_hosts="one")
    assert refused.returncode != 0
    assert "-e restore_confirm=shop" in refused.stdout
    predicted = fleet.play("restore.yml", "--check", restore_hosts="one")
    assert predicted.returncode == 0, predicted.stdout
    assert "This would replace the database shop" in predicted.stdout
    assert fleet.database() == "added_by_1,stray: -"
    done = fleet.play("restore.yml", restore_hosts="one", restore_confirm="shop")
    assert done.returncode == 0, done.stdout
    assert "removed: table stray" in done.stdout
    assert fleet.database() == BEFORE
