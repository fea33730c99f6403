# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measure what uploads and retention cost: beside boto3's own upload, to a real S3 server over TLS on this machine.

Absolute seconds depend on the machine; the ratios, taken in turn in one run, are what counts. Exits with 1 when an
upload is slower than 0.9 times boto3's, when its memory grows with the file, or when the plan of a million backups
takes 20 s.

    tests/benchmark/offsite.py [--runs N] [--large MEGABYTES]
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import statistics
import sys
import tempfile
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import boto3
import botocore.config
from boto3.s3.transfer import TransferConfig

# It puts what the tests share, and the collection, on the path.
from run import MEMORY_LIMIT_MEGABYTES, SMALL_MEGABYTES, run_module

# isort: split
from object_store import ACCESS_KEY, SECRET_KEY, ObjectStore, SeaweedFS

from ansible_collections.dbops.recovery.plugins.module_utils._retention import Item, Policy, plan

BUCKET = "backups"
PART_BYTES = 16 * 1024 * 1024
THREADS = 4
WANTED_RATIO = 0.9
PLANNED = 1_000_000
WANTED_PLAN_SECONDS = 20


def main() -> int:
    """Run the benchmark, print its tables, return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--runs", type=int, default=3, help="counted runs of each way (default 3)")
    parser.add_argument("--large", type=int, default=1000, help="megabytes of the archive (default 1000)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-", dir="/var/tmp") as name:
        folder = Path(name)
        (folder / "server").mkdir()
        server = SeaweedFS(folder / "server").start()
        try:
            server.client().create_bucket(Bucket=BUCKET)
            bad = measure_uploads(server, folder, options.large, options.runs)
        finally:
            server.stop()
    # In the end: the memory of a process counts for those that it starts.
    return 1 if bad + measure_plan() else 0


def measure_plan() -> int:
    """Print how long the plan of a million backups takes; return 1 when that is too long."""
    now = datetime.now(timezone.utc)
    items = [
        Item(f"shop_{number}", f"database_{number % 50}", now - timedelta(minutes=3 * number), size=1000)
        for number in range(PLANNED)
    ]
    started = time.monotonic()
    decisions = plan(items, Policy(timezone.utc, daily_days=30, weekly=12, monthly=12, max_total_size=10**12), now)
    seconds = time.monotonic() - started
    kept = sum(decision.keep for decision in decisions)
    print(f"\nRetention of {PLANNED} backups of 50 databases: planned in {seconds:.1f} s, {kept} kept")
    return int(seconds >= WANTED_PLAN_SECONDS)


def measure_uploads(server: ObjectStore, folder: Path, megabytes: int, runs: int) -> int:
    """Print what uploads cost; return how many of the goals were missed."""
    large, small = make_backup(folder / "large", megabytes), make_backup(folder / "small", SMALL_MEGABYTES)
    ways = {
        "boto3 upload_file": lambda: plain_upload(server, large)[0],
        "backup_upload, verify none": lambda: upload(server, large, "none")[0],
        "backup_upload, read back": lambda: upload(server, large, "none", read_back=True)[0],
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _run in range(runs):
        for name, way in ways.items():
            seconds[name].append(way())
    floor = statistics.median(seconds["boto3 upload_file"])
    print(f"Upload of {megabytes} MB over TLS, parts of 16 MiB, {THREADS} threads\n")
    print(f"{'':28}{'seconds':>9}{'ratio':>8}{'MB/s':>8}")
    for name, taken in seconds.items():
        median = statistics.median(taken)
        print(f"{name:28}{median:9.2f}{floor / median:8.2f}{megabytes / median:8.0f}")
    memory = {size: upload(server, archive, "none")[1] for size, archive in (("small", small), ("large", large))}
    print(
        f"\nPeak memory: {memory['small']:.0f} MB for {SMALL_MEGABYTES} MB, {memory['large']:.0f} MB for {megabytes} MB"
    )
    slow = floor / statistics.median(seconds["backup_upload, verify none"]) < WANTED_RATIO
    return slow + (memory["large"] - memory["small"] >= MEMORY_LIMIT_MEGABYTES)


def make_backup(folder: Path, megabytes: int) -> Path:
    """Make an archive of noise and a manifest that fits it; what is in it does not matter to a store."""
    folder.mkdir()
    archive = folder / "shop_2026-11-22_101500.sql.zst"
    digest = hashlib.sha256()
    with archive.open("wb") as file:
        for _megabyte in range(megabytes):
            block = os.urandom(1_000_000)
            digest.update(block)
            file.write(block)
    manifest = {
        "format": {"name": "dbops.recovery.manifest", "version": 1},
        "backup": {"name": "shop_2026-11-22_101500", "database": "shop", "started": "2026-11-22T10:15:00Z"},
        "archive": {
            "file": archive.name,
            "compression": "zstd",
            "stored_bytes": archive.stat().st_size,
            "plain_bytes": archive.stat().st_size,
            "stored_sha256": digest.hexdigest(),
            "plain_sha256": "",
            "sections": [],
        },
        "server": {"flavour": "mariadb", "version": "10.11"},
        "inventory": {},
    }
    (folder / "shop_2026-11-22_101500.manifest.json").write_text(json.dumps(manifest))
    return archive


def plain_upload(server: ObjectStore, archive: Path) -> tuple[float, None]:
    """Time boto3's own upload, as people write it, with the same settings."""
    server.client().delete_object(Bucket=BUCKET, Key=archive.name)
    started = time.monotonic()
    client = boto3.client(
        "s3",
        endpoint_url=server.endpoint,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        region_name="us-east-1",
        verify=str(server.authority),
        config=botocore.config.Config(s3={"addressing_style": "path"}),
    )
    config = TransferConfig(multipart_threshold=PART_BYTES, multipart_chunksize=PART_BYTES, max_concurrency=THREADS)
    client.upload_file(str(archive), BUCKET, archive.name, Config=config)
    return time.monotonic() - started, None


def upload(server: ObjectStore, archive: Path, verify: str, **options: object) -> tuple[float, float]:
    """Time backup_upload, a process of its own from start to end; return seconds and peak megabytes."""
    for file in (archive.name, archive.name.replace(".sql.zst", ".manifest.json")):
        server.client().delete_object(Bucket=BUCKET, Key=file)
    store = server.options(BUCKET, directory=str(archive.parent), verify=verify, threads=THREADS, **options)
    result, seconds, peak = run_module("backup_upload", store)
    assert [each["state"] for each in result["backups"]] == ["uploaded"], result
    return seconds, peak


if __name__ == "__main__":
    sys.exit(main())
