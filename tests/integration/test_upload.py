# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""backup_upload on a real S3 server over TLS, and on a directory as a mounted disk."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import signal
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from object_store import READER_KEY, READER_SECRET
from weak_network import WeakNetwork


@pytest.fixture(params=["s3", "file"])
def store(request, object_store, bucket, tmp_path) -> dict:
    """The options of a store, of each kind."""
    if request.param == "s3":
        return object_store.options(bucket, "nightly/shop")
    disk = tmp_path / "disk"
    disk.mkdir()
    return {"store": f"file://{disk}"}


@pytest.fixture
def there(object_store):
    """Return the files of a store, by name."""

    def look(store: dict) -> dict[str, bytes]:
        scheme, _separator, place = store["store"].partition("://")
        if scheme == "file":
            return {path.name: path.read_bytes() for path in Path(place).iterdir()}
        bucket, _separator, prefix = place.partition("/")
        client = object_store.client()
        listed = client.list_objects_v2(Bucket=bucket).get("Contents", [])
        return {
            entry["Key"].removeprefix(prefix).lstrip("/"): client.get_object(Bucket=bucket, Key=entry["Key"])[
                "Body"
            ].read()
            for entry in listed
        }

    return look


def names(store_files: dict) -> set[str]:
    return set(store_files)


def pair_of(taken: dict) -> set[str]:
    return {Path(taken["path"]).name, Path(taken["manifest_path"]).name}


def test_a_backup_arrives_whole_and_is_not_sent_twice(run_module, backup, shop, folder, store, there):
    taken = backup(shop)
    options = {**store, "directory": str(folder)}

    predicted = run_module("backup_upload", options, check=True)
    assert predicted["changed"] is True
    assert [each["state"] for each in predicted["backups"]] == ["uploaded"]
    assert there(store) == {}

    done = run_module("backup_upload", options)
    assert done["changed"] is True
    assert done["backups"][0]["state"] == "uploaded"
    assert done["uploaded_bytes"] == taken["size_bytes"]
    assert there(store) == {
        Path(taken["path"]).name: Path(taken["path"]).read_bytes(),
        Path(taken["manifest_path"]).name: Path(taken["manifest_path"]).read_bytes(),
    }

    for check in (True, False):
        again = run_module("backup_upload", options, check=check)
        assert again["changed"] is False
        assert again["backups"][0]["state"] == "present"
        assert again["uploaded_bytes"] == 0


def test_the_object_says_of_itself_what_it_is(run_module, backup, shop, folder, object_store, bucket):
    taken = backup(shop, labels={"release": "2026.11.3 β"})
    run_module(
        "backup_upload",
        {**object_store.options(bucket), "directory": str(folder), "metadata": {"Team": "payments"}},
    )
    head = object_store.client().head_object(Bucket=bucket, Key=Path(taken["path"]).name, ChecksumMode="ENABLED")
    digest = hashlib.sha256(Path(taken["path"]).read_bytes())
    assert head["Metadata"]["sha256"] == digest.hexdigest() == taken["sha256"]
    assert head["Metadata"]["plain-bytes"] == str(taken["sql_bytes"])
    assert head["Metadata"]["team"] == "payments"
    assert head["Metadata"]["label-release"] == "2026.11.3 %CE%B2"
    # The server itself has verified and kept it, where it is one that does.
    kept = base64.b64encode(digest.digest()).decode() if object_store.keeps_sha256 else None
    assert head.get("ChecksumSHA256") == kept


def test_all_brings_what_is_not_there_yet_and_no_more(run_module, faker, folder, store, there):
    for day in (20, 21, 22):
        faker(datetime(2026, 11, day, 2, tzinfo=timezone.utc))
    faker(datetime(2026, 11, 22, 3, tzinfo=timezone.utc), database="crm")
    options = {**store, "directory": str(folder), "backup": "all"}
    first = run_module("backup_upload", {**options, "database": "shop"})
    assert [each["name"] for each in first["backups"]] == [f"shop_2026-11-{day}_020000" for day in (22, 21, 20)]
    second = run_module("backup_upload", options)
    assert [each["name"] for each in second["backups"] if each["state"] == "uploaded"] == ["crm_2026-11-22_030000"]
    assert len(there(store)) == 8


def test_an_age_limit_keeps_what_was_pruned_there_from_coming_back(run_module, faker, folder, store):
    faker(datetime(2020, 1, 1, 2, tzinfo=timezone.utc))
    young = faker(datetime.now(timezone.utc).replace(microsecond=0))
    done = run_module("backup_upload", {**store, "directory": str(folder), "backup": "all", "max_age": "7d"})
    assert [each["name"] for each in done["backups"]] == [young.name.removesuffix(".sql.zst")]


def test_a_damaged_backup_does_not_go_and_the_others_do(run_module, faker, folder, store, there):
    damaged = faker(datetime(2026, 11, 22, 2, tzinfo=timezone.utc))
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 0xFF
    damaged.write_bytes(content)
    good = faker(datetime(2026, 11, 21, 2, tzinfo=timezone.utc))
    done = run_module("backup_upload", {**store, "directory": str(folder), "backup": "all"}, fails=True)
    assert "The backup shop_2026-11-22_020000 was not sent, since it is not good" in done.message
    assert "stored_sha256" in done.message
    assert [each["name"] for each in done["backups"]] == [good.name.removesuffix(".sql.zst")]
    assert damaged.name not in there(store)
    assert good.name in there(store)


def test_evidence_that_came_later_is_added_to_the_manifest_there_and_evidence_from_there_stays(
    run_module, backup, shop, folder, store, there
):
    taken = backup(shop)
    options = {**store, "directory": str(folder)}
    run_module("backup_upload", options)
    name = Path(taken["manifest_path"]).name
    tested = json.loads(there(store)[name])
    tested["verifications"] = [{"time": "2026-11-01T00:00:00Z", "host": "far", "level": "restore", "verified": True}]
    elsewhere = folder.parent / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / name).write_text(json.dumps(tested))
    os.link(taken["path"], elsewhere / Path(taken["path"]).name)
    assert run_module("backup_upload", {**store, "directory": str(elsewhere)})["backups"][0]["state"] == "updated"

    run_module("backup_verify", {"backup": taken["path"], "level": "content"})
    assert run_module("backup_upload", options, check=True)["backups"][0]["state"] == "updated"
    assert run_module("backup_upload", options)["backups"][0]["state"] == "updated"
    levels = [entry["level"] for entry in json.loads(there(store)[name])["verifications"]]
    assert levels == ["restore", "content"]
    assert run_module("backup_upload", options)["changed"] is False


def test_another_file_under_the_same_name_is_never_overwritten(run_module, backup, shop, folder, store, there):
    taken = backup(shop)
    options = {**store, "directory": str(folder)}
    run_module("backup_upload", options)
    before = there(store)
    # As from a second host with the same names.
    other = bytearray(Path(taken["path"]).read_bytes())
    Path(taken["path"]).unlink()
    other_taken = json.loads(Path(taken["manifest_path"]).read_text())
    other[-1] ^= 1
    Path(taken["path"]).write_bytes(other)
    other_taken["archive"]["stored_sha256"] = hashlib.sha256(other).hexdigest()
    Path(taken["manifest_path"]).write_text(json.dumps(other_taken))
    refused = run_module("backup_upload", {**options, "verify": "none"}, fails=True)
    assert "has another file" in refused.message
    assert "Nothing there is ever overwritten" in refused.message
    assert there(store) == before


def test_a_copy_that_another_program_put_there_is_read_and_recognised(
    run_module, backup, shop, folder, object_store, bucket
):
    taken = backup(shop)
    object_store.client().put_object(Bucket=bucket, Key=Path(taken["path"]).name, Body=Path(taken["path"]).read_bytes())
    done = run_module("backup_upload", {**object_store.options(bucket), "directory": str(folder)})
    assert done["backups"][0]["state"] == "finished"


def test_a_run_killed_between_archive_and_manifest_is_finished_by_the_next(
    run_module, start_module, backup, shop, folder, store, there
):
    taken = backup(shop)
    options = {**store, "directory": str(folder)}
    module = start_module("backup_upload", options, fault=("_archive.manifest:render", "kill"))
    assert module.wait() == -signal.SIGKILL
    assert names(there(store)) == {Path(taken["path"]).name}

    listed = run_module("backup_info", {"stores": [store]})["backups"]
    assert [(each["state"], each["problem"][:28]) for each in listed] == [("partial", "its manifest is not there, a")]
    done = run_module("backup_upload", options)
    assert done["backups"][0]["state"] == "finished"
    assert names(there(store)) == pair_of(taken)


def test_what_was_sent_is_read_back_on_request(run_module, backup, shop, folder, store):
    backup(shop)
    done = run_module("backup_upload", {**store, "directory": str(folder), "read_back": True})
    assert done["backups"][0]["state"] == "uploaded"


def rotten(archive: str) -> bytes:
    """Return an archive with one bit turned: of the right size, and not what its manifest describes."""
    content = bytearray(Path(archive).read_bytes())
    content[len(content) // 2] ^= 1
    return bytes(content)


def test_what_was_not_read_back_yet_is_read_back_before_the_next_run_calls_it_whole(
    run_module, start_module, backup, shop, folder, object_store, bucket, there
):
    taken = backup(shop)
    store, name = object_store.options(bucket), Path(taken["path"]).name
    options = {**store, "directory": str(folder), "read_back": True}
    module = start_module("backup_upload", options, fault=("_actions.upload:_sha256_of", "kill"))
    assert module.wait() == -signal.SIGKILL
    note = {"sha256": taken["sha256"]}
    object_store.client().put_object(Bucket=bucket, Key=name, Body=rotten(taken["path"]), Metadata=note)

    failed = run_module("backup_upload", options, fails=True)
    assert f"{store['store']}/{name} reads back with the SHA-256" in failed.message
    assert f"not {taken['sha256']}. It was deleted there" in failed.message
    assert there(store) == {}
    assert run_module("backup_upload", options)["backups"][0]["state"] == "uploaded"
    assert names(there(store)) == pair_of(taken)


def test_a_copy_that_reads_back_wrong_and_is_locked_never_gets_a_manifest_and_others_still_go(
    run_module, faker, folder, object_store, there
):
    client, bucket = object_store.client(), "locked-and-rotten"
    client.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    moment = datetime(2026, 11, 22, 2, tzinfo=timezone.utc)
    bad, good = faker(moment), faker(moment.replace(day=21))
    until = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(days=5)
    client.put_object(
        Bucket=bucket,
        Key=bad.name,
        Body=rotten(str(bad)),
        Metadata={"sha256": hashlib.sha256(bad.read_bytes()).hexdigest()},
        ObjectLockMode="COMPLIANCE",
        ObjectLockRetainUntilDate=until,
    )
    store = object_store.options(bucket)
    for _night in range(2):
        failed = run_module(
            "backup_upload", {**store, "directory": str(folder), "backup": "all", "read_back": True}, fails=True
        )
        assert "reads back with the SHA-256" in failed.message
        assert f"It cannot be deleted there, since it is locked until {until:%Y-%m-%dT%H:%M:%SZ}" in failed.message
        assert "deleted there. Run" not in failed.message
        assert names(there(store)) == {bad.name, good.name, good.name.replace(".sql.zst", ".manifest.json")}


def as_gzip(archive: Path) -> Path:
    """Make of a backup another one that has its name and another suffix, as a second host would."""
    path = archive.with_name(archive.name.replace(".sql.zst", ".manifest.json"))
    content, other = json.loads(path.read_text()), gzip.compress(b"another")
    content["archive"].update(
        file=archive.name.replace(".zst", ".gz"),
        compression="gzip",
        stored_bytes=len(other),
        stored_sha256=hashlib.sha256(other).hexdigest(),
        sections=[],
    )
    archive.unlink()
    path.write_text(json.dumps(content))
    made = archive.with_suffix(".gz")
    made.write_bytes(other)
    return made


@pytest.mark.parametrize("check", [True, False])
def test_another_backup_of_the_same_name_and_another_suffix_keeps_its_manifest(
    run_module, faker, folder, store, there, check
):
    moment = datetime(2026, 11, 22, 2, tzinfo=timezone.utc)
    proof = {"time": "2026-11-23T00:00:00Z", "host": "db1", "level": "restore", "verified": True}
    archive = faker(moment, verifications=[proof])
    faker(moment.replace(day=21))
    options = {**store, "directory": str(folder), "backup": "all", "verify": "none"}
    run_module("backup_upload", options)
    before = there(store)
    other = as_gzip(archive)
    refused = run_module("backup_upload", options, check=check, fails=True)
    manifest = "shop_2026-11-22_020000.manifest.json"
    assert f"has another file {manifest} already, the manifest of {archive.name} with" in refused.message
    assert f"not of this {other.name}" in refused.message
    assert [each["name"] for each in refused["backups"]] == ["shop_2026-11-21_020000"]
    assert there(store) == before


def large_backup(faker, folder: Path, megabytes: int) -> Path:
    """Make a backup whose archive is large and, for "verify: none", whose content does not matter."""
    archive = faker(datetime(2026, 11, 22, 2, tzinfo=timezone.utc))
    noise = os.urandom(megabytes * 1024 * 1024)
    archive.write_bytes(noise)
    path = archive.with_name(archive.name.replace(".sql.zst", ".manifest.json"))
    content = json.loads(path.read_text())
    content["archive"].update(stored_bytes=len(noise), stored_sha256=hashlib.sha256(noise).hexdigest(), sections=[])
    path.write_text(json.dumps(content))
    return archive


def unfinished(object_store, bucket: str) -> list:
    return object_store.client().list_multipart_uploads(Bucket=bucket).get("Uploads", [])


def test_a_large_archive_goes_in_parts_that_carry_their_checksums(run_module, faker, folder, object_store, bucket):
    archive = large_backup(faker, folder, 23)
    options = {**object_store.options(bucket), "directory": str(folder), "verify": "none", "part_size": "5M"}
    done = run_module("backup_upload", {**options, "read_back": True})
    assert done["backups"][0]["megabytes_per_second"] > 0
    head = object_store.client().head_object(Bucket=bucket, Key=archive.name, ChecksumMode="ENABLED")
    assert head["ETag"].strip('"').endswith("-5")
    assert ("ChecksumSHA256" in head) is object_store.keeps_sha256


def test_every_request_with_a_body_carries_its_md5_in_a_header(run_module, faker, folder, object_store, bucket):
    """Buckets with Object Lock refuse what has none, and many services refuse the trailers that boto3 would send."""
    large_backup(faker, folder, 11)
    faker(datetime(2026, 11, 21, 2, tzinfo=timezone.utc))
    with WeakNetwork(object_store.port, certificate=(object_store.certificate, object_store.authority)) as network:
        for provider in ("seaweedfs", "other"):
            store = {**object_store.options(bucket, provider), "endpoint_url": network.endpoint, "provider": provider}
            upload = {**store, "directory": str(folder), "backup": "all", "verify": "none", "part_size": "5M"}
            run_module("backup_upload", upload)
            prune = {
                **store,
                "keep_daily_days": 1,
                "as_of": "2026-11-22T12:00:00Z",
                "keep_weekly": 0,
                "keep_monthly": 0,
            }
            assert run_module("backup_prune", prune)["deleted"] == ["shop_2026-11-21_020000"]
    with_a_body = [head for head in network.heads if head.startswith("put ") or "?delete" in head.split("\r\n")[0]]
    # For each provider two archives, one of them in three parts, two manifests, and two deletions.
    assert len(with_a_body) == 2 * (1 + 3 + 2 + 2)
    assert [head for head in with_a_body if "\r\ncontent-md5: " not in head] == []
    assert [head for head in network.heads if "aws-chunked" in head or "x-amz-trailer" in head] == []


def test_an_interrupted_upload_leaves_no_parts(run_module, start_module, faker, folder, object_store, bucket):
    large_backup(faker, folder, 30)
    options = {
        **object_store.options(bucket),
        "directory": str(folder),
        "verify": "none",
        "part_size": "5M",
        "bandwidth": "4M",
    }
    module = start_module("backup_upload", options)
    module.wait_for(lambda: unfinished(object_store, bucket))
    module.signal(signal.SIGTERM)
    ended = module.end()
    assert ended.status == 1
    assert ended.message == "Interrupted by SIGTERM."
    assert unfinished(object_store, bucket) == []


def test_parts_of_an_upload_that_was_killed_are_swept_after_a_day(
    run_module, start_module, faker, folder, object_store, bucket
):
    archive = large_backup(faker, folder, 30)
    options = {**object_store.options(bucket), "directory": str(folder), "verify": "none", "part_size": "5M"}
    module = start_module("backup_upload", {**options, "bandwidth": "4M"})
    module.wait_for(lambda: unfinished(object_store, bucket))
    module.end_killed()
    assert len(unfinished(object_store, bucket)) == 1

    # It may be somebody else's that still goes on.
    assert run_module("backup_upload", options)["swept"] == []
    assert len(unfinished(object_store, bucket)) == 1
    time.sleep(1.1)
    swept = run_module("backup_upload", options, settings={"_actions.upload:STALE_SECONDS": 1})
    assert swept["changed"] is True
    assert [text.startswith(f"parts of {archive.name}, begun ") for text in swept["swept"]] == [True]
    assert unfinished(object_store, bucket) == []


def test_two_who_upload_the_same_backup_at_once_both_succeed(start_module, faker, folder, store, there):
    archive = large_backup(faker, folder, 30)
    options = {**store, "directory": str(folder), "verify": "none", "part_size": "5M"}
    running = [start_module("backup_upload", options) for _number in range(2)]
    done = [module.end() for module in running]
    assert [each.status for each in done] == [0, 0], [each.result.get("msg") for each in done]
    assert there(store)[archive.name] == archive.read_bytes()
    assert len(there(store)) == 2


def test_a_connection_that_breaks_in_the_middle_and_comes_back_is_survived(
    start_module, faker, folder, object_store, bucket
):
    archive = large_backup(faker, folder, 30)
    with WeakNetwork(object_store.port) as network:
        options = {
            **object_store.options(bucket),
            "endpoint_url": network.endpoint,
            "directory": str(folder),
            "verify": "none",
            "part_size": "5M",
            "bandwidth": "8M",
        }
        module = start_module("backup_upload", options)
        module.wait_for(lambda: network.sent > 6_000_000)
        network.cut()
        time.sleep(1)
        network.mend()
        done = module.end()
    assert done.status == 0, done.message
    body = object_store.client().get_object(Bucket=bucket, Key=archive.name)["Body"].read()
    assert body == archive.read_bytes()


def test_a_connection_that_stays_away_is_reported_and_the_next_run_brings_it(
    run_module, start_module, faker, folder, object_store, bucket
):
    archive = large_backup(faker, folder, 30)
    options = {**object_store.options(bucket), "directory": str(folder), "verify": "none", "part_size": "5M"}
    with WeakNetwork(object_store.port) as network:
        module = start_module(
            "backup_upload", {**options, "endpoint_url": network.endpoint, "bandwidth": "8M", "retries": 1}
        )
        module.wait_for(lambda: network.sent > 6_000_000)
        network.cut()
        done = module.end()
    assert done.status == 1
    assert f"The store s3://{bucket} at {network.endpoint}: writing failed" in done.message
    assert done["backups"] == []
    assert "Contents" not in object_store.client().list_objects_v2(Bucket=bucket)
    assert run_module("backup_upload", options)["backups"][0]["state"] == "uploaded"
    assert archive.name in {entry["Key"] for entry in object_store.client().list_objects_v2(Bucket=bucket)["Contents"]}


def test_a_service_that_fails_now_and_then_is_asked_again(run_module, backup, shop, folder, object_store, bucket):
    taken = backup(shop)
    with WeakNetwork(object_store.port, certificate=(object_store.certificate, object_store.authority)) as network:
        network.refuse = [500, None, 503, None, 503]
        done = run_module(
            "backup_upload",
            {**object_store.options(bucket), "endpoint_url": network.endpoint, "directory": str(folder)},
        )
        assert done["backups"][0]["state"] == "uploaded"
        assert network.refused == [500, 503, 503]
        network.refuse = [503] * 50
        failed = run_module(
            "backup_upload",
            {
                **object_store.options(bucket),
                "endpoint_url": network.endpoint,
                "directory": str(folder),
                "retries": 1,
            },
            fails=True,
        )
    assert "also after several attempts. The service is overloaded or has a fault" in failed.message
    body = object_store.client().get_object(Bucket=bucket, Key=Path(taken["path"]).name)["Body"].read()
    assert body == Path(taken["path"]).read_bytes()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"secret_key": "not-the-secret"}, "The access key or the secret key is wrong"),
        ({"access_key": "AKnobody"}, "The access key or the secret key is wrong"),
        ({"store": "s3://no-such-bucket"}, "There is no bucket no-such-bucket: check its name, or make it"),
        ({"aws_ca_bundle": None}, "its certificate was not accepted ([SSL: CERTIFICATE_VERIFY_FAILED]"),
        ({"endpoint_url": "https://127.0.0.1:9", "retries": 0}, "nothing answers at https://127.0.0.1:9"),
        ({"access_key": READER_KEY, "secret_key": READER_SECRET}, "it needs the permission s3:PutObject"),
        ({"profile": "nobody", "access_key": None, "secret_key": None}, "The config profile (nobody) could not be"),
        ({"access_key": None, "secret_key": None}, "there are no credentials. Give access_key and secret_key"),
        ({"store": "s4://bucket"}, "'s4://bucket' is no place for backups"),
        ({"store": "file://relative/path"}, "'file://relative/path' is no place for backups"),
        ({"store": "file:///mnt/not-mounted"}, "Is the disk mounted?"),
        ({"sse_customer_key": "c2hvcnQ="}, "must be 32 random bytes in Base64"),
        ({"provider": "backblaze", "endpoint_url": None}, "needs a region, from which its address is made"),
        ({"backup": "all", "directory": None}, "backup: all needs the option directory"),
    ],
)
def test_what_cannot_work_is_said_in_words(run_module, faker, folder, object_store, bucket, options, message):
    faker(datetime(2026, 11, 22, 2, tzinfo=timezone.utc))
    given = {**object_store.options(bucket), "directory": str(folder), "backup": "latest", **options}
    quiet = {"AWS_EC2_METADATA_DISABLED": "true", "HOME": str(folder)}
    failed = run_module("backup_upload", given, fails=True, environment=quiet)
    assert message in failed.message
    assert "sk/dbops" not in failed.output


def test_without_boto3_a_directory_still_works_and_a_bucket_says_what_to_install(
    run_module, faker, folder, object_store, bucket, tmp_path
):
    faker(datetime(2026, 11, 22, 2, tzinfo=timezone.utc))
    missing = ("boto3", "botocore", "s3transfer")
    disk = {"store": f"file://{tmp_path}", "directory": str(folder)}
    assert run_module("backup_upload", disk, missing=missing)["changed"] is True
    refused = run_module(
        "backup_upload", {**object_store.options(bucket), "directory": str(folder)}, fails=True, missing=missing
    )
    assert "apt-get install python3-boto3" in refused.message


def test_a_foreign_dump_without_a_manifest_does_not_go(run_module, folder, store):
    path = folder / "old.sql"
    path.write_text("CREATE TABLE t (a INT);\n")
    refused = run_module("backup_upload", {**store, "backup": str(path)}, fails=True)
    assert "has no manifest" in refused.message


def test_a_key_of_one_s_own_encrypts_and_nobody_reads_without_it(
    run_module, backup, shop, folder, object_store, bucket, tmp_path
):
    taken = backup(shop)
    key = base64.b64encode(os.urandom(32)).decode()
    options = {**object_store.options(bucket), "sse_customer_key": key}
    done = run_module("backup_upload", {**options, "directory": str(folder), "read_back": True})
    assert done["backups"][0]["state"] == "uploaded"
    assert key not in done.output
    fetched = run_module("backup_download", {**options, "directory": str(tmp_path / "fetched")})
    assert Path(fetched["backup"]["path"]).read_bytes() == Path(taken["path"]).read_bytes()
    without = run_module(
        "backup_download", {**object_store.options(bucket), "directory": str(tmp_path / "none")}, fails=True
    )
    assert "failed: it answered" in without.message


def test_storage_class_and_encryption_by_the_service_are_asked_for(
    run_module, faker, folder, object_store, bucket, tmp_path
):
    large_backup(faker, folder, 11)
    faker(datetime(2026, 11, 21, 2, tzinfo=timezone.utc))
    asked = {"encryption": "AES256", "storage_class": "STANDARD", "part_size": "5M", "verify": "none"}
    with WeakNetwork(object_store.port, certificate=(object_store.certificate, object_store.authority)) as network:
        store = {**object_store.options(bucket), "endpoint_url": network.endpoint}
        run_module("backup_upload", {**store, "directory": str(folder), "backup": "all", **asked})
    stored = [head for head in network.heads if head.startswith(("put ", "post ")) and "partnumber=" not in head]
    # Two manifests and a small archive, and the beginning of an upload in parts; its end says nothing of it any more.
    begun = [head for head in stored if "uploadid=" not in head.split("\r\n")[0]]
    assert len(begun) == 4
    for head in begun:
        assert "\r\nx-amz-server-side-encryption: aes256" in head
        assert "\r\nx-amz-storage-class: standard" in head
    both = run_module(
        "backup_upload",
        {**store, "directory": str(folder), "encryption": "AES256", "sse_customer_key": "A" * 43 + "="},
        fails=True,
    )
    assert "Give either encryption or sse_customer_key" in both.message
