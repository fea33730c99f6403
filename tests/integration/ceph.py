# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ceph's S3 gateway, of Debian 12: a monitor, one OSD that keeps everything in memory, and the gateway, nothing else.

An old server on purpose: it refuses the checksums that boto3 sends by itself, as many services do, keeps none, and
enforces versions and locks.
"""

from __future__ import annotations

import subprocess
import sys
import time
import uuid
from pathlib import Path

from object_store import ACCESS_KEY, READER_KEY, READER_SECRET, SECRET_KEY, ObjectStore

sys.path.append(str(Path(__file__).resolve().parents[1] / "versions"))
from place import ENTER

# No manager is needed; without cephx the gateway never comes up.
SETTINGS = """
[global]
fsid = {fsid}
mon_host = [v2:127.0.0.1:{monitor}/0]
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
ms_bind_ipv6 = false
auth_cluster_required = cephx
auth_service_required = cephx
auth_client_required = cephx
keyring = {folder}/keyring
mon_allow_pool_size_one = true
mon_data_avail_crit = 1
mon_data_avail_warn = 2
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 4
osd_pool_default_pgp_num = 4
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
osd_objectstore = memstore
memstore_device_bytes = 4294967296
run_dir = {folder}
admin_socket = {folder}/$name.asok
log_file = {folder}/$name.log
pid_file = {folder}/$name.pid
mon_data = {folder}/mon
osd_data = {folder}/osd
[client.rgw.a]
rgw_data = {folder}/rgw
rgw_frontends = beast ssl_endpoint=127.0.0.1:{port} ssl_certificate={certificate}
"""
KEYS = {
    "mon.": ("mon", "allow *"),
    "client.admin": ("mon", "allow *", "osd", "allow *"),
    "osd.0": ("mon", "allow profile osd", "osd", "allow *"),
    "client.rgw.a": ("mon", "allow rw", "osd", "allow rwx"),
}


class Ceph(ObjectStore):
    """A cluster of one, in a root file system that has its programs."""

    provider = "ceph"
    keeps_sha256 = False

    def __init__(self, folder: Path, root: Path):
        super().__init__(folder)
        self._root = root
        self._processes: list[subprocess.Popen] = []

    def start(self) -> Ceph:
        for name in ("mon", "osd", "rgw"):
            (self.folder / name).mkdir()
        fsid = str(uuid.uuid4())
        monitor = self._ports[0]
        (self.folder / "ceph.conf").write_text(
            SETTINGS.format(
                fsid=fsid, monitor=monitor, folder=self.folder, port=self.port, certificate=self.certificate
            )
        )
        keyring, map_file = str(self.folder / "keyring"), str(self.folder / "monmap")
        for number, (name, caps) in enumerate(KEYS.items()):
            pairs = [word for cap in zip(caps[::2], caps[1::2]) for word in ("--cap", *cap)]
            create = [] if number else ["--create-keyring"]
            self._run("ceph-authtool", *create, keyring, "--gen-key", "-n", name, *pairs)
        self._run("monmaptool", "--create", "--fsid", fsid, "--addv", "a", f"[v2:127.0.0.1:{monitor}]", map_file)
        self._run("ceph-mon", "--mkfs", "-i", "a", "--monmap", map_file, "--keyring", keyring)
        self._launch("ceph-mon", "-f", "-i", "a")
        osd = str(uuid.uuid4())
        self._run("ceph", "osd", "new", osd)
        self._run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", osd)
        self._launch("ceph-osd", "-f", "-i", "0")
        deadline = time.monotonic() + 60
        while "1 up" not in self._run("ceph", "osd", "stat"):
            assert time.monotonic() < deadline, "its OSD does not come up"
            time.sleep(0.2)
        gateway = self._launch("radosgw", "-f", "-n", "client.rgw.a")
        user = ["--uid=tests", "--display-name=tests", f"--access-key={ACCESS_KEY}", f"--secret-key={SECRET_KEY}"]
        self._run("radosgw-admin", "user", "create", *user)
        reader = ["--uid=tests", "--subuser=tests:reader", "--access=read", "--key-type=s3"]
        self._run(
            "radosgw-admin", "subuser", "create", *reader, f"--access-key={READER_KEY}", f"--secret={READER_SECRET}"
        )
        self.wait(gateway, self.folder / "client.rgw.a.log")
        return self

    def stop(self) -> None:
        for process in reversed(self._processes):
            process.kill()
            process.wait(30)

    def _command(self, *argv: str) -> list[str]:
        enter = ["unshare", "--mount", "sh", "-euc", ENTER, "enter", str(self._root), str(self.folder)]
        return [*enter, "env", f"CEPH_CONF={self.folder}/ceph.conf", *argv]

    def _run(self, *argv: str) -> str:
        done = subprocess.run(self._command(*argv), capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, f"{' '.join(argv[:3])}: {done.stdout[-1000:]}{done.stderr[-2000:]}"
        return done.stdout

    def _launch(self, *argv: str) -> subprocess.Popen:
        with (self.folder / "output").open("ab") as output:
            process = subprocess.Popen(
                self._command(*argv), stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
            )
        self._processes.append(process)
        return process
