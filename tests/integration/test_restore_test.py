# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The restore test playbook: what is off-site is fetched, restored and proved, and the record of it is kept."""

from __future__ import annotations

import json
import os
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from fleet import Fleet, sql
from object_store import SECRET_KEY
from sinks import WebSink


@pytest.fixture
def desk(tmp_path, server) -> Fleet:
    return Fleet(tmp_path, str(server.socket), 1)


@pytest.fixture
def store(object_store, bucket) -> dict:
    return object_store.options(bucket, "nightly")


def drill(desk: Fleet, store: dict, *arguments: str, **variables):
    """Run the playbook on a host that counts as none of production's, unless it is said."""
    usual = {
        "restore_test_hosts": "one",
        "restore_test_production_groups": [],
        "restore_test_store": store,
        "restore_test_directory": str(desk.directory),
        "restore_test_report_directory": str(desk.directory / "tests"),
    }
    return desk.play("restore_test.yml", *arguments, **{**usual, **variables})


def records(desk: Fleet) -> list[dict]:
    """Every record of the host, oldest first."""
    return [json.loads(path.read_text()) for path in sorted((desk.directory / "tests").glob("*.restore-test.json"))]


def names_in(object_store, bucket: str) -> list[str]:
    listed = object_store.client().list_objects_v2(Bucket=bucket).get("Contents", [])
    return [entry["Key"].removeprefix("nightly/") for entry in listed]


def read(object_store, bucket: str, name: str) -> dict:
    return json.loads(object_store.client().get_object(Bucket=bucket, Key=f"nightly/{name}")["Body"].read())


@pytest.fixture
def off_site(run_module, backup, shop, folder, store) -> dict:
    """A backup of the shop, in the store alone."""
    taken = backup(shop)
    run_module("backup_upload", {**store, "directory": str(folder), "backup": "all"})
    for path in folder.iterdir():
        path.unlink()
    return taken


def test_what_is_off_site_is_restored_proved_and_written_down(
    desk, store, off_site, shop, object_store, bucket, server, run_module
):
    before = server.dump(shop)
    more = {
        "restore_test_queries": {shop: [{"name": "orders", "sql": "SELECT COUNT(*) FROM orders", "rows": [[3]]}]},
        "restore_test_commands": {
            shop: [{"name": "smoke", "command": f"mariadb --no-defaults -u root {shop} -e 'CALL count_orders(@n)'"}]
        },
        "restore_test_rto_target": "1h",
        "restore_test_rpo_target": "1h",
    }
    predicted = drill(desk, store, "--check", **more)
    assert predicted.returncode == 0, predicted.stdout
    assert f"Would restore {shop} from {off_site['name']}" in " ".join(predicted.stdout.split())
    assert not (desk.directory / "tests").exists()

    with WebSink() as sink:
        hook = {"notify_webhook_url": sink.url("/hook"), "notify_on": ["failure", "success"]}
        done = drill(desk, store, **more, **hook, restore_test_fetch_directory=str(desk.directory / "desk"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert SECRET_KEY not in done.stdout + done.stderr
    (record,) = records(desk)
    assert record["passed"] is True
    assert record["backup"]["name"] == off_site["name"]
    assert [phase["name"] for phase in record["phases"]] == ["find", "download", "check", "server", "load", "verify"]
    assert record["rto"]["seconds"] == pytest.approx(sum(phase["seconds"] for phase in record["phases"]), abs=0.01)
    assert record["rto"]["met"] is True
    assert record["rpo"]["met"] is True
    assert {"query: orders", "command: smoke", "dump_back"} <= {each["name"] for each in record["checks"]}
    assert all(each["passed"] for each in record["checks"])

    # The record and the evidence are in the store, and nothing of the backup is left here.
    assert read(object_store, bucket, f"{record['name']}.restore-test.json") == record
    evidence = read(object_store, bucket, f"{off_site['name']}.manifest.json")["verifications"][-1]
    assert (evidence["level"], evidence["verified"], evidence["restore_test"]) == ("restore", True, record["name"])
    (status,) = run_module("backup_status", {"stores": [store]})["databases"]
    assert (status["restore_test"]["name"], status["restore_test"]["passed"]) == (record["name"], True)
    assert status["newest"]["verified"] == "restore"
    assert not (desk.directory / "dbops-restore-test").exists()
    assert server.dump(shop) == before

    page = (desk.directory / "desk" / "index.html").read_text()
    assert page == (desk.directory / "tests" / "index.html").read_text()
    assert off_site["name"] in page
    assert (desk.directory / "desk" / "summary.md").stat().st_size > 0
    (notice,) = sink.notices
    assert notice["title"] == f"{shop} on one: restore test passed"

    # Later, on a host that has no history of its own: it comes from the store.
    for path in (desk.directory / "tests").iterdir():
        path.unlink()
    assert drill(desk, store).returncode == 0
    (second,) = records(desk)
    assert second["compared"]["previous"] == record["name"]
    assert second["rto"]["met"] is None
    assert (desk.directory / "tests" / "index.html").read_text().count(record["name"]) >= 1


def test_a_target_that_is_missed_fails_after_the_record_is_kept(desk, store, faker, run_module, folder):
    old = datetime.now(timezone.utc) - timedelta(days=3)
    faker(old, faker.database)
    run_module("backup_upload", {**store, "directory": str(folder), "backup": "all"})
    with WebSink() as sink:
        done = drill(desk, store, restore_test_rpo_target="26h", notify_webhook_url=sink.url("/hook"))
    assert done.returncode == 2
    words = " ".join(done.stdout.split())
    assert f"{faker.database}: its newest backup was 3d old, the target is 1d 2h" in words
    (record,) = records(desk)
    assert (record["passed"], record["failure"], record["rpo"]["met"]) == (False, None, False)
    (notice,) = sink.notices
    assert notice["title"] == f"{faker.database} on one: restore test FAILED"


def test_a_damaged_object_fails_is_told_of_and_does_not_count_as_verified(
    desk, store, off_site, shop, object_store, bucket
):
    key = f"nightly/{Path(off_site['path']).name}"
    body = bytearray(object_store.client().get_object(Bucket=bucket, Key=key)["Body"].read())
    body[len(body) // 2] ^= 1
    object_store.client().put_object(Bucket=bucket, Key=key, Body=bytes(body))

    done = drill(desk, store)
    assert done.returncode == 2
    assert f"{shop} could not be restored: download failed: The off-site copy" in " ".join(done.stdout.split())
    (record,) = records(desk)
    assert record["failure"]["phase"] == "download"
    evidence = read(object_store, bucket, f"{off_site['name']}.manifest.json")["verifications"][-1]
    assert (evidence["verified"], evidence["restore_test"]) == (False, record["name"])
    assert not (desk.directory / "dbops-restore-test").exists()


def test_one_that_fails_does_not_keep_the_others_from_being_tested(
    desk, store, faker, run_module, folder, object_store, bucket
):
    now = datetime.now(timezone.utc)
    for hours, database in ((1, "crm"), (2, faker.database), (3, faker.database)):
        faker(now - timedelta(hours=hours), database=database)
    run_module("backup_upload", {**store, "directory": str(folder), "backup": "all"})
    (crm,) = (name for name in names_in(object_store, bucket) if name.startswith("crm") and name.endswith(".zst"))
    # Its size is right.
    size = object_store.client().head_object(Bucket=bucket, Key=f"nightly/{crm}")["ContentLength"]
    object_store.client().put_object(Bucket=bucket, Key=f"nightly/{crm}", Body=os.urandom(size))

    done = drill(desk, store, restore_test_also_random=True)
    assert done.returncode == 2
    crm_test, *shop_tests = records(desk)
    assert crm_test["failure"]["phase"] == "download"
    assert [test["passed"] for test in shop_tests] == [True, True]
    newest, older = shop_tests
    assert newest["backup"]["started"] > older["backup"]["started"]
    assert newest["rpo"]["seconds"] >= 2 * 3600
    assert older["rpo"]["seconds"] is None


def test_a_wrong_answer_of_the_copy_is_evidence_against_the_backup(desk, store, off_site, shop, object_store, bucket):
    wrong = {"name": "orders", "sql": "SELECT COUNT(*) FROM orders", "min": 4}
    done = drill(desk, store, restore_test_queries={shop: [wrong]})
    assert done.returncode == 2
    assert f"{shop} is not what was backed up: query: orders: 3, at least 4.0 wanted" in " ".join(done.stdout.split())
    evidence = read(object_store, bucket, f"{off_site['name']}.manifest.json")["verifications"][-1]
    assert evidence["verified"] is False


def test_a_server_that_cannot_be_started_says_nothing_of_the_backup(
    desk, store, off_site, object_store, bucket, tmp_path
):
    done = drill(desk, store, restore_test_scratch_directory=str(tmp_path / "nowhere"))
    assert done.returncode == 2
    (record,) = records(desk)
    assert record["failure"]["phase"] == "restore"
    assert "scratch_directory cannot be used" in record["failure"]["message"]
    evidence = read(object_store, bucket, f"{off_site['name']}.manifest.json").get("verifications", [])
    assert [each for each in evidence if "restore_test" in each or not each["verified"]] == []


def test_a_staging_database_is_replaced_by_it(desk, store, off_site, shop, server, make_schema, object_store, bucket):
    staging = make_schema("CREATE TABLE stale (id INT)")
    variables = {
        "restore_test_target": "staging",
        "restore_test_staging_databases": {shop: staging},
        "restore_test_staging_connection": {"login_unix_socket": str(server.socket), "login_user": "root"},
        "restore_test_queries": {shop: [{"sql": "SELECT COUNT(*) FROM orders", "rows": [[3]]}]},
    }
    done = drill(desk, store, **variables)
    assert done.returncode == 0, done.stdout
    assert sql(server.socket, "SHOW TABLES", staging).split() == ["big_orders", "customer", "orders"]
    (record,) = records(desk)
    assert record["target_name"] == f"{staging} on {server.socket}"
    names = [phase["name"] for phase in record["phases"]]
    assert names[: names.index("clean_up")][-5:] == ["load", "indexes", "compare", "swap", "queries"]
    evidence = read(object_store, bucket, f"{off_site['name']}.manifest.json")["verifications"][-1]
    assert evidence["verified"] is True

    smoke = {
        "name": "smoke",
        "command": "sh -c 'echo no greeting for $API_TOKEN >&2; exit 4'",
        "environment": {"API_TOKEN": "hunter2000"},
    }
    kept = desk.directory / "kept"
    safety = {
        "restore_test_staging_safety_backup": True,
        "restore_test_staging_safety_directory": str(kept),
    }
    failed = drill(desk, store, "-v", **variables, **safety, restore_test_commands={shop: [smoke]})
    assert failed.returncode == 2
    words = " ".join(failed.stdout.split())
    assert "command: smoke:" in words
    assert "no greeting for ********" in words
    assert "hunter2000" not in "".join(path.read_text() for path in (desk.directory / "tests").iterdir())
    # What was in staging before is not thrown away with what was downloaded.
    assert [path.name.startswith(staging) for path in kept.glob("*.sql.zst")] == [True]
    evidence = read(object_store, bucket, f"{off_site['name']}.manifest.json")["verifications"][-1]
    assert (evidence["verified"], evidence["checks"][-1]["name"]) == (False, "restore")


def test_a_host_that_is_lost_is_told_of_while_another_one_is_fine(desk, store, off_site, shop):
    (desk.directory / "cut_two").touch()
    with WebSink() as sink:
        done = drill(desk, store, restore_test_hosts="application", notify_webhook_url=sink.url("/hook"))
    assert done.returncode != 0
    (notice,) = sink.notices
    assert (notice["verdict"], notice["title"]) == ("failure", "backups on two: restore test FAILED")
    assert notice["lines"][0].startswith("Lost: two. ")
    assert "one:" in notice["lines"]
    assert notice["details"]["one"]["outcome"] == "success"


def test_a_restore_test_that_is_refused_is_told_of(desk, store):
    with WebSink() as sink:
        done = drill(desk, store, restore_test_target="staging", notify_webhook_url=sink.url("/hook"))
    assert done.returncode == 2
    (notice,) = sink.notices
    assert (notice["verdict"], notice["title"]) == ("failure", "backups on one: restore test FAILED")
    assert "Say by restore_test_staging_databases" in str(notice["lines"])


def test_what_cannot_be_meant_is_refused_first(desk, store, off_site):
    def refused(*arguments: str, **variables) -> str:
        done = drill(desk, store, *arguments, **variables)
        assert done.returncode == 2
        return " ".join(done.stdout.split())

    assert "a restore test belongs on a host that production does not need" in refused(
        restore_test_production_groups=["application"]
    )
    assert "Say by restore_test_staging_databases" in refused(restore_test_target="staging")
    assert "shpo has queries or commands" in refused(restore_test_queries={"shpo": [{"sql": "SELECT 1"}]})
    assert not (desk.directory / "tests").exists()
    empty = refused(restore_test_store={**store, "store": store["store"] + "/empty"})
    assert "There is no complete backup in" in empty
