# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real S3 servers over TLS, started by the tests: SeaweedFS, from a wheel that carries the program, or Ceph.

Over plain HTTP a client speaks another dialect, in which the commonest refusals of real services do not show.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import boto3
import botocore.config
import botocore.exceptions
from authority import Authority

ACCESS_KEY, SECRET_KEY = "AKdbopsTest", "sk/dbops+Test=Secret"
# Who may only read and list.
READER_KEY, READER_SECRET = "AKreader", "skReader1234567"


def free_ports(count: int) -> list[int]:
    """Return ports that nothing listens on, also not ten thousand above, where this server puts its gRPC.

    Both lie below those that the system gives to outgoing connections, and none is another one's gRPC.
    """
    found: list[int] = []
    while len(found) < count:
        port = random.choice([port for port in range(12_000, 22_000) if port not in found])
        with socket.socket() as low, socket.socket() as high, contextlib.suppress(OSError):
            low.bind(("127.0.0.1", port))
            high.bind(("127.0.0.1", port + 10_000))
            found.append(port)
    return found


class ObjectStore:
    """One server with its own data.

    Attributes:
        provider: what the modules' option of that name is for it.
        keeps_sha256: whether it keeps a SHA-256 of each object.
        port, endpoint: where it listens, over TLS.
        authority, certificate: files with the certificate that is to be trusted, and with the server's and its key.
    """

    provider: str
    keeps_sha256: bool

    def __init__(self, folder: Path):
        self.folder = folder
        authority = Authority(folder)
        self.authority, self.certificate = authority.ca, authority.issue("127.0.0.1", "localhost")
        self.port, self.plain_port, *self._ports = free_ports(5)
        self.endpoint = f"https://127.0.0.1:{self.port}"

    def wait(self, process: subprocess.Popen, log: Path) -> None:
        """Wait until it answers, not only until its port is open."""
        deadline = time.monotonic() + 120
        while True:
            try:
                self.client().list_buckets()
                return
            except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError):
                assert process.poll() is None, log.read_text(errors="replace")[-3000:]
                assert time.monotonic() < deadline, log.read_text(errors="replace")[-3000:]
                time.sleep(0.2)

    def client(self, access_key: str = ACCESS_KEY, secret_key: str = SECRET_KEY):
        """Return a plain client for the test's own look at what is there."""
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            aws_access_key_id=access_key,
            aws_secret_access_key=secret_key,
            region_name="us-east-1",
            verify=str(self.authority),
            config=botocore.config.Config(
                retries={"total_max_attempts": 1},
                s3={"addressing_style": "path"},
                request_checksum_calculation="when_required",
            ),
        )

    def options(self, bucket: str, folder: str = "", **more: object) -> dict:
        """Return a module's options for a bucket of this server."""
        return {
            "store": f"s3://{bucket}" + (f"/{folder}" if folder else ""),
            "provider": self.provider,
            "endpoint_url": self.endpoint,
            "aws_ca_bundle": str(self.authority),
            "access_key": ACCESS_KEY,
            "secret_key": SECRET_KEY,
            **more,
        }


class SeaweedFS(ObjectStore):
    """A server of today: it keeps and verifies checksums, and knows versions, locks and conditions."""

    provider = "seaweedfs"
    keeps_sha256 = True

    def __init__(self, folder: Path):
        super().__init__(folder)
        settings = folder / "s3.json"
        settings.write_text(
            json.dumps(
                {
                    "identities": [
                        {
                            "name": "admin",
                            "credentials": [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}],
                            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
                        },
                        {
                            "name": "reader",
                            "credentials": [{"accessKey": READER_KEY, "secretKey": READER_SECRET}],
                            "actions": ["Read", "List"],
                        },
                    ]
                }
            )
        )
        (folder / "data").mkdir()
        self._command = [
            shutil.which("weed", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}"),
            "mini",
            f"-dir={folder / 'data'}",
            "-ip=127.0.0.1",
            "-ip.bind=127.0.0.1",
            f"-master.port={self._ports[0]}",
            f"-volume.port={self._ports[1]}",
            # Each bucket takes some; by itself it allows as many as would fill the disk.
            "-volume.max=10000",
            f"-filer.port={self._ports[2]}",
            "-master.telemetry=false",
            "-admin.ui=false",
            "-webdav=false",
            f"-s3.config={settings}",
            f"-s3.port={self.plain_port}",
            f"-s3.port.https={self.port}",
            f"-s3.cert.file={self.certificate}",
            f"-s3.key.file={self.certificate}",
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            "-s3.autoCreateBucket=false",
        ]
        self.process: subprocess.Popen | None = None

    def start(self) -> SeaweedFS:
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                self._command,
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                cwd=self.folder,
                env={**os.environ, "GOMEMLIMIT": "400MiB"},
            )
        self.wait(self.process, self.folder / "log")
        return self

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(30)
            self.process = None
