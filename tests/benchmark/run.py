"""Measure what backups and restores cost: time and size beside the plain tools, and peak memory at two sizes.

Absolute seconds depend on the machine and on what else it does; the ratios, taken in turn in one run, are what counts.
Exits with 1 when the memory for a large database exceeds that for a small one by the limit or more.

    tests/benchmark/run.py [--runs N] [--large MEGABYTES] [--restore MEGABYTES] [--only backup|restore]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

TESTS = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TESTS / "integration"))
from private_server import PrivateServer, initialise, server_account

MODULE_DRIVER = TESTS / "integration" / "module_driver.py"
COLLECTIONS = TESTS.parent / ".venv" / "collections"
sys.path.insert(0, str(COLLECTIONS))
from ansible_collections.dbops.recovery.plugins.module_utils._archive.dump import rows_in, split

SMALL_MEGABYTES = 50
MEMORY_LIMIT_MEGABYTES = 20
# Bytes of SQL that one row of the generated table becomes, so that sizes can be asked for.
ROW_BYTES = 246
# Of the database that is restored.
TABLES = 8
MANY_TABLES = 500

TABLE = """
CREATE TABLE orders (
  id INT PRIMARY KEY AUTO_INCREMENT, customer INT NOT NULL, code VARCHAR(40) NOT NULL, note TEXT,
  amount DECIMAL(12,2), placed DATETIME, KEY (customer), KEY (code), KEY (placed)
)"""
ROWS = """
INSERT INTO orders (customer, code, note, amount, placed)
SELECT seq % 50000, SHA1(seq), CONCAT('order ', seq, ' ', REPEAT(MD5(seq % 1000), 3), ' ', SHA2(seq, 224)), seq / 7,
       '2026-01-01' + INTERVAL seq SECOND FROM seq_1_to_{rows}"""


def main() -> int:
    """Run the benchmark, print its tables, return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--runs", type=int, default=3, help="counted runs of each command (default 3)")
    parser.add_argument("--large", type=int, default=500, help="megabytes of SQL in the large database (default 500)")
    parser.add_argument("--restore", type=int, default=1000, help="megabytes of SQL to restore (default 1000)")
    parser.add_argument("--only", choices=["backup", "restore"], help="one half of it")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-", dir="/var/tmp") as folder:
        server = start_server(Path(folder))
        try:
            version = server.query("SELECT VERSION()")[0][0]
            print(f"MariaDB {version}, {os.cpu_count()} cores, {options.runs} runs each, in turn; medians\n")
            bad = 0
            if options.only != "restore":
                bad += measure_backups(server, Path(folder), options.large, options.runs)
            if options.only != "backup":
                bad += measure_restores(server, Path(folder), options.restore, options.runs)
            return 1 if bad else 0
        finally:
            server.stop()


def measure_backups(server: PrivateServer, folder: Path, megabytes: int, runs: int) -> int:
    """Print what a backup and its verification cost; return 1 when memory grows with the database."""
    fill(server, "small", SMALL_MEGABYTES)
    fill(server, "large", megabytes)
    compare_speed(server, folder, runs)
    compare_verification(server, folder, runs)
    measure_row_counts(server, folder)
    return compare_memory(server, folder, megabytes)


def start_server(folder: Path) -> PrivateServer:
    """Start a private server with room in memory for the large database, so that the disk is not what is measured."""
    account = server_account()
    template, place = folder / "template", folder / "server"
    folder.chmod(0o755)
    place.mkdir()
    os.chown(place, account.pw_uid, account.pw_gid)
    initialise(template)
    return PrivateServer(place, template, "--innodb-buffer-pool-size=2G").start()


def fill(server: PrivateServer, schema: str, megabytes: int) -> None:
    """Make a database whose dump has about this size."""
    server.execute(f"CREATE DATABASE {schema}")
    server.execute(TABLE, ROWS.format(rows=megabytes * 1_000_000 // ROW_BYTES), schema=schema)


def compare_speed(server: PrivateServer, folder: Path, runs: int) -> None:
    """Time the plain tools and db_backup on the large database, in turn, and print the table."""
    dump = dump_command(server)
    ways = {
        "mariadb-dump > /dev/null": lambda: shell(f"{dump} > /dev/null"),
        "mariadb-dump | gzip": lambda: shell(f"{dump} | gzip > {folder}/plain.gz", Path(folder, "plain.gz")),
        "db_backup, zstd": lambda: backup(server, folder, "large", "zstd")[:2],
        "db_backup, gzip": lambda: backup(server, folder, "large", "gzip")[:2],
        "db_backup, none": lambda: backup(server, folder, "large", "none")[:2],
    }
    shell(f"{dump} > /dev/null")  # once, so that the first counted run reads from memory as all the others
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    sizes: dict[str, int] = {}
    for _run in range(runs):
        for name, way in ways.items():
            taken, sizes[name] = way()
            seconds[name].append(taken)
    floor = statistics.median(seconds["mariadb-dump > /dev/null"])
    print(f"{'':28}{'seconds':>9}{'ratio':>8}{'megabytes':>12}")
    for name, taken in seconds.items():
        median = statistics.median(taken)
        size = f"{sizes[name] / 1e6:.0f}" if sizes[name] else ""
        print(f"{name:28}{median:9.2f}{median / floor:8.2f}{size:>12}")


def dump_command(server: PrivateServer, schema: str = "large") -> str:
    """Return how people dump a database by hand."""
    return f"mariadb-dump --no-defaults -S {server.socket} -u root --single-transaction --quick --hex-blob {schema}"


def shell(command: str, result: Path | None = None) -> tuple[float, int]:
    """Run one of the plain tools as people run it; return seconds and the size of what it wrote."""
    started = time.monotonic()
    subprocess.run(["bash", "-o", "pipefail", "-c", command], check=True)
    return time.monotonic() - started, result.stat().st_size if result else 0


def backup(server: PrivateServer, folder: Path, schema: str, compression: str) -> tuple[float, int, float]:
    """Run db_backup and remove what it made; return seconds, the archive's size and peak memory in megabytes."""
    result, seconds, megabytes = run_module("db_backup", backup_options(server, folder, schema, compression))
    archive = Path(result["backup"]["path"])
    size = archive.stat().st_size
    archive.unlink()
    return seconds, size, megabytes


def backup_options(server: PrivateServer, folder: Path, schema: str, compression: str) -> dict:
    """Return db_backup's options."""
    return {
        "database": schema,
        "directory": str(folder / "backups"),
        "compression": compression,
        "login_user": "root",
        "login_unix_socket": str(server.socket),
    }


def run_module(name: str, options: dict) -> tuple[dict, float, float]:
    """Run a module in a process of its own; return its result, seconds, and peak memory in megabytes."""
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, str(MODULE_DRIVER)],
        env={**os.environ, "PYTHONPATH": str(COLLECTIONS)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    process.stdin.write(json.dumps({"module": name, "arguments": options}))
    process.stdin.close()
    output = process.stdout.read()
    _pid, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{name} failed: {output}")
    return json.loads(output), time.monotonic() - started, usage.ru_maxrss / 1024


def compare_verification(server: PrivateServer, folder: Path, runs: int) -> None:
    """Time backup_verify beside the plain tools that read the same file to its end, in turn, and print the table."""
    archive = Path(run_module("db_backup", backup_options(server, folder, "large", "zstd"))[0]["backup"]["path"])
    options = {"backup": str(archive), "record": False}
    plain, file, content = [], [], []
    for _run in range(runs + 1):
        plain.append(shell(f"zstd -dc {archive} | sha256sum > /dev/null")[0])
        file.append(run_module("backup_verify", {**options, "level": "file"})[1])
        content.append(run_module("backup_verify", {**options, "level": "content"})[1])
    # The first round read the file into memory for all of them.
    floor = statistics.median(plain[1:])
    print(f"\n{'':28}{'seconds':>9}{'speed':>8}")
    for name, taken in (("zstd -dc | sha256sum", plain), ("verify, file", file), ("verify, content", content)):
        median = statistics.median(taken[1:])
        print(f"{name:28}{median:9.2f}{floor / median:8.2f}")
    archive.unlink()


def measure_row_counts(server: PrivateServer, folder: Path) -> None:
    """Print how much of a backup's time goes into counting the rows, on the very sections that it counts."""
    backup_seconds = backup(server, folder, "large", "zstd")[0]
    process = subprocess.Popen(dump_command(server).split(), stdout=subprocess.PIPE)
    seconds, rows = 0.0, 0
    for section in split(iter(lambda: process.stdout.read(1024 * 1024), b"")):
        started = time.process_time()
        rows += rows_in(section) or 0
        seconds += time.process_time() - started
    process.wait()
    print(f"\ncounting {rows} rows: {seconds:.2f} s, {100 * seconds / backup_seconds:.1f} % of the backup's time")


def compare_memory(server: PrivateServer, folder: Path, megabytes: int) -> int:
    """Print the peak memory of a small and a large backup; return 1 when it grows with the database."""
    small = backup(server, folder, "small", "zstd")[2]
    large = backup(server, folder, "large", "zstd")[2]
    print(
        f"\npeak memory of db_backup: {small:.0f} MB for {SMALL_MEGABYTES} MB of SQL, {large:.0f} MB for {megabytes} MB"
    )
    if large - small >= MEMORY_LIMIT_MEGABYTES:
        print(f"It grew by {large - small:.0f} MB; less than {MEMORY_LIMIT_MEGABYTES} MB are allowed.")
        return 1
    return 0


def measure_restores(server: PrivateServer, folder: Path, megabytes: int, runs: int) -> int:
    """Time the ways to restore the same database, in turn, and the swap of many tables; return 1 when memory grows."""
    fill_several(server, "several", megabytes)
    dumps = folder / "dumps"
    dumps.mkdir()
    plain, own = dumps / "plain.sql.gz", dumps / "own"
    shell(f"{dump_command(server, 'several')} | gzip -1 > {plain}")
    archive = run_module("db_backup", backup_options(server, folder, "several", "zstd"))[0]["backup"]["path"]
    small_archive = small_backup(server, folder)
    ways = {
        "zcat | mariadb": lambda: shell(f"zcat {plain} | mariadb --no-defaults -S {server.socket} -uroot several")[0],
        "db_restore, swap": lambda: restore(server, archive)[0],
        "db_restore, in place": lambda: restore(server, archive, strategy="in_place")[0],
    }
    if shutil.which("myloader"):
        own_dump = f"-S {server.socket} -u root -t 2 -B several"
        shell(f"mydumper {own_dump} -c -o {own} 2>/dev/null")
        ways["myloader -t 2"] = lambda: shell(f"myloader {own_dump} -o -d {own} 2>/dev/null")[0]
    else:
        print("\nmyloader is not installed (apt-get install mydumper), so it is not among them")
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _run in range(runs):
        for name, way in ways.items():
            server.execute("DROP DATABASE several", "CREATE DATABASE several")
            seconds[name].append(way())
    floor = statistics.median(seconds["zcat | mariadb"])
    print(f"\nrestoring {megabytes} MB of SQL, {TABLES} tables with secondary indexes")
    print(f"{'':28}{'seconds':>9}{'times as fast':>15}")
    for name, taken in seconds.items():
        median = statistics.median(taken)
        print(f"{name:28}{median:9.2f}{floor / median:15.2f}")
    swap_many(server, folder)
    small, large = restore(server, small_archive)[1], restore(server, archive)[1]
    print(
        f"peak memory of db_restore: {small:.0f} MB for {SMALL_MEGABYTES} MB of SQL, {large:.0f} MB for {megabytes} MB"
    )
    return int(large - small >= MEMORY_LIMIT_MEGABYTES)


def fill_several(server: PrivateServer, schema: str, megabytes: int) -> None:
    """Make a database of several tables, the largest with a third of all rows."""
    server.execute(f"CREATE DATABASE {schema}")
    shares = [1 / 3] + [2 / 3 / (TABLES - 1)] * (TABLES - 1)
    for number, share in enumerate(shares):
        rows = int(megabytes * 1_000_000 / ROW_BYTES * share)
        server.execute(
            TABLE.replace("orders", f"orders_{number}"),
            ROWS.replace("INTO orders", f"INTO orders_{number}").format(rows=rows),
            schema=schema,
        )


def small_backup(server: PrivateServer, folder: Path) -> str:
    """Back up a small database of the same kind and return the archive's path."""
    fill_several(server, "few", SMALL_MEGABYTES)
    return run_module("db_backup", backup_options(server, folder, "few", "zstd"))[0]["backup"]["path"]


def restore(server: PrivateServer, archive: str, **options: Any) -> tuple[float, float, dict]:
    """Run db_restore as it is out of the box, but for a copy of what is worth nothing here."""
    given = {"backup": archive, "safety_backup": False, "login_user": "root", "login_unix_socket": str(server.socket)}
    result, seconds, megabytes = run_module("db_restore", {**given, **options})
    return seconds, megabytes, result


def swap_many(server: PrivateServer, folder: Path) -> None:
    """Print how long the swap itself takes with many tables."""
    server.execute("CREATE DATABASE many")
    server.execute(*(f"CREATE TABLE t{number} (id INT PRIMARY KEY)" for number in range(MANY_TABLES)), schema="many")
    archive = run_module("db_backup", backup_options(server, folder, "many", "zstd"))[0]["backup"]["path"]
    seconds = restore(server, archive)[2]["swap_seconds"]
    print(f"\nthe swap of {MANY_TABLES} tables for {MANY_TABLES} others: {seconds:.2f} s")


if __name__ == "__main__":
    sys.exit(main())
