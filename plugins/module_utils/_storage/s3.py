# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A bucket of an S3-compatible service, or a folder in one, as a store.

Private to the collection.
"""

from __future__ import annotations

import base64
import contextlib
import os
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import quote

from ansible_collections.dbops.recovery.plugins.module_utils import _progress
from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError
from ansible_collections.dbops.recovery.plugins.module_utils._files import BLOCK_BYTES
from ansible_collections.dbops.recovery.plugins.module_utils._storage import s3_errors
from ansible_collections.dbops.recovery.plugins.module_utils._storage.s3_client import (
    choose_provider,
    make_client,
    seconds_to_wait,
)
from ansible_collections.dbops.recovery.plugins.module_utils._storage.store import AlreadyThere, Stored
from ansible_collections.dbops.recovery.plugins.module_utils._units import show_time

try:
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        ConnectionClosedError,
        IncompleteReadError,
        ReadTimeoutError,
        ResponseStreamingError,
    )
    from s3transfer.exceptions import RetriesExceededError
    from s3transfer.manager import TransferConfig, TransferManager
except ImportError:
    ClientError = None  # Without it no store of this kind is made.

_MIB = 1024 * 1024
# Of S3: a multipart upload has at most 10,000 parts, of at least 5 MiB each.
_MOST_PARTS = 10_000
# Of S3: in one request of DeleteObjects.
_MOST_DELETED = 1000
# Of S3: user metadata has at most 2 KB in all.
_MOST_METADATA = 1800
_NOT_OFFERED = ("NotImplemented", "501", "405", "MethodNotAllowed")


class S3Store:
    """Objects below a prefix of a bucket. See Store for its methods.

    Args:
        bucket, prefix: the place; the prefix may be empty.
        options: the store's options.
    """

    def __init__(self, bucket: str, prefix: str, options: dict):
        self.url = f"s3://{bucket}" + (f"/{prefix}" if prefix else "")
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        self._options = options
        self._provider = choose_provider(options)
        self._client = make_client(options, self._provider)
        self._must_be_free = False
        if self._provider.conditional:
            self._refuse_to_overwrite()

    def files(self) -> list[Stored]:
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=self._prefix, Delimiter="/"
        )
        found, last = [], {}
        with self._calling("list"):
            for last in pages:
                found += last.get("Contents", ())
        # Whether it is the last one boto3 sees by the token alone.
        if last.get("IsTruncated"):
            raise RecoveryError(
                f"The store {self.url} lists part of what is there ({len(found)} files), says that there is more, and "
                "not how to ask for it. What is missing would be taken for lost, so that nothing was done. Run this "
                "again; when it happens twice, the service does not keep to S3's ListObjectsV2."
            )
        return [
            Stored(entry["Key"][len(self._prefix) :], entry["Size"], entry["LastModified"])
            for entry in found
            if entry["Key"] != self._prefix
        ]

    def look(self, name: str) -> Stored | None:
        with self._calling("look"):
            try:
                head = self._client.head_object(**self._at(name), **self._customer_key())
            except ClientError as error:
                if s3_errors.is_refusal(error, "404", "NoSuchKey"):
                    return None
                raise
        notes = {key.lower(): value for key, value in head.get("Metadata", {}).items()}
        return Stored(name, head["ContentLength"], head["LastModified"], notes.get("sha256"), _lock_of(head))

    def read(self, name: str) -> bytes:
        return b"".join(self.download(name))

    def write(self, name: str, content: bytes) -> None:
        with self._calling("write"):
            self._client.put_object(**self._at(name), Body=content, **self._manner())

    def upload(self, path: str, name: str, sha256: str, notes: dict[str, str]) -> None:
        size = os.path.getsize(path)
        part = max(self._options["part_size"], 5 * _MIB, -(-size // _MOST_PARTS))
        config = TransferConfig(
            multipart_threshold=part,
            multipart_chunksize=part,
            max_request_concurrency=self._options["threads"],
            max_bandwidth=self._options["bandwidth"],
        )
        arguments = {**self._manner(), "Metadata": _metadata({"sha256": sha256, **notes})}
        self._must_be_free = True
        try:
            # On the way out after an error it waits for its threads, and an upload that was begun is aborted.
            with self._calling("write"), TransferManager(self._client, config) as manager:
                manager.upload(path, self._bucket, self._prefix + name, arguments, [_Counter()]).result()
        except AlreadyThere:
            raise AlreadyThere(f"{self.url} has a file {name} already.") from None
        finally:
            self._must_be_free = False

    def download(self, name: str, offset: int = 0) -> Iterator[bytes]:
        attempt, etag = 0, {}
        while True:
            try:
                with self._calling("read"):
                    response = self._client.get_object(
                        **self._at(name),
                        **self._customer_key(),
                        **etag,
                        **({"Range": f"bytes={offset}-"} if offset else {}),
                    )
                # What goes on after an interruption must be the same object.
                etag = {"IfMatch": response["ETag"]}
                for block in response["Body"].iter_chunks(BLOCK_BYTES):
                    attempt = 0
                    offset += len(block)
                    yield block
                return
            except (ConnectionClosedError, ReadTimeoutError, ResponseStreamingError, IncompleteReadError) as error:
                attempt += 1
                if attempt > self._options["retries"]:
                    raise self._explained(error, "read") from error
                time.sleep(seconds_to_wait(attempt + 1))

    def delete(self, names: list[str]) -> dict[str, str]:
        locked: dict[str, str] = {}
        versions = self._versions(names)
        for start in range(0, len(versions), _MOST_DELETED):
            batch = versions[start : start + _MOST_DELETED]
            with self._calling("delete"):
                answer = self._client.delete_objects(Bucket=self._bucket, Delete={"Objects": batch, "Quiet": True})
            for refusal in answer.get("Errors", ()):
                name = refusal["Key"][len(self._prefix) :]
                locked[name] = self._why_not(name, refusal)
        return locked

    def sweep(self, older_than: timedelta) -> list[str]:
        limit = datetime.now(timezone.utc) - older_than
        swept = []
        pages = self._client.get_paginator("list_multipart_uploads").paginate(Bucket=self._bucket, Prefix=self._prefix)
        with self._calling("sweep"):
            for upload in [upload for page in pages for upload in page.get("Uploads", ())]:
                name = upload["Key"][len(self._prefix) :]
                if upload["Initiated"] < limit and "/" not in name:
                    self._client.abort_multipart_upload(**self._at(name), UploadId=upload["UploadId"])
                    swept.append(f"parts of {name}, begun {show_time(upload['Initiated'])}")
        return swept

    def _at(self, name: str) -> dict:
        return {"Bucket": self._bucket, "Key": self._prefix + name}

    def _customer_key(self) -> dict:
        key = self._options["sse_customer_key"]
        return {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": base64.b64decode(key)} if key else {}

    def _manner(self) -> dict:
        """Return how an object is to be stored."""
        options, manner = self._options, self._customer_key()
        if self._provider.keeps_sha256:
            manner["ChecksumAlgorithm"] = "SHA256"
        if options["storage_class"]:
            manner["StorageClass"] = options["storage_class"]
        if options["encryption"]:
            manner["ServerSideEncryption"] = options["encryption"]
        if options["kms_key_id"]:
            manner["SSEKMSKeyId"] = options["kms_key_id"]
        if options["object_lock_mode"]:
            until = datetime.now(timezone.utc) + timedelta(days=options["object_lock_days"])
            manner.update(ObjectLockMode=options["object_lock_mode"].upper(), ObjectLockRetainUntilDate=until)
        return manner

    def _refuse_to_overwrite(self) -> None:
        """Have the service itself refuse an upload whose name is taken meanwhile (RFC 9110 section 13.1.2)."""

        # As a header, since older clients do not know the parameter.
        def add_condition(params: dict, **_more: Any) -> None:
            if self._must_be_free:
                params["headers"]["If-None-Match"] = "*"

        for operation in ("PutObject", "CompleteMultipartUpload"):
            self._client.meta.events.register(f"before-call.s3.{operation}", add_condition)

    def _versions(self, names: list[str]) -> list[dict]:
        """Return what DeleteObjects needs so that nothing of these files remains: every version, every marker."""
        if not self._is_versioned():
            return [{"Key": self._prefix + name} for name in names]
        paginator = self._client.get_paginator("list_object_versions")
        found = []
        with self._calling("list versions"):
            for name in names:
                key = self._prefix + name
                for page in paginator.paginate(Bucket=self._bucket, Prefix=key):
                    found += [
                        {"Key": key, "VersionId": entry["VersionId"]}
                        for kind in ("Versions", "DeleteMarkers")
                        for entry in page.get(kind, ())
                        if entry["Key"] == key
                    ]
        return found

    def _is_versioned(self) -> bool:
        with self._calling("list versions"):
            try:
                return "Status" in self._client.get_bucket_versioning(Bucket=self._bucket)
            except ClientError as error:
                if s3_errors.is_refusal(error, *_NOT_OFFERED):
                    return False
                if not s3_errors.is_refusal(error, "AccessDenied", "403"):
                    raise
                # A key that may not ask this may still list versions; without versions they all have the id "null".
                answer = self._client.list_object_versions(Bucket=self._bucket, Prefix=self._prefix, MaxKeys=1)
                entries = [*answer.get("Versions", ()), *answer.get("DeleteMarkers", ())]
                return any(entry["VersionId"] != "null" for entry in entries)

    def _why_not(self, name: str, refusal: dict) -> str:
        """Return until when a file is locked, given what DeleteObjects said of it. Raise RecoveryError if it is not."""
        version = {"VersionId": refusal["VersionId"]} if refusal.get("VersionId") else {}
        lock = None
        with contextlib.suppress(ClientError):
            lock = _lock_of(self._client.head_object(**self._at(name), **version, **self._customer_key()))
        if lock:
            return lock
        raise RecoveryError(
            f"The store {self.url} did not delete {name}: {refusal.get('Code')}: {refusal.get('Message')}. Nothing "
            "locks it as far as it says, so the key may not have the permission s3:DeleteObject or "
            "s3:DeleteObjectVersion (Backblaze: deleteFiles)."
        )

    @contextlib.contextmanager
    def _calling(self, verb: str) -> Iterator[None]:
        try:
            yield
        except (ClientError, BotoCoreError, RetriesExceededError) as error:
            if self._must_be_free and s3_errors.is_refusal(error, "412", "409"):
                raise AlreadyThere(f"{self.url} refused to overwrite.") from error
            raise self._explained(error, verb) from error

    def _explained(self, error: Exception, verb: str) -> RecoveryError:
        meta = self._client.meta
        return s3_errors.explain(error, self.url, verb, meta.endpoint_url, meta.region_name)


class _Counter:
    """Subscribes to a transfer, and counts what it has sent."""

    def on_progress(self, bytes_transferred: int, **_more: Any) -> None:
        _progress.advance(bytes_transferred)


def _lock_of(head: dict) -> str | None:
    """Given the answer of HeadObject, return until when the object is locked, in words."""
    if head.get("ObjectLockLegalHoldStatus") == "ON":
        return "until its legal hold is lifted"
    until = head.get("ObjectLockRetainUntilDate")
    return f"until {show_time(until)}" if until and until > datetime.now(timezone.utc) else None


def _metadata(notes: dict[str, str]) -> dict[str, str]:
    """Return notes as an object's metadata: ASCII, lower case, and no more than a service takes."""
    kept, total = {}, 0
    for key, value in notes.items():
        key, value = quote(key.lower(), safe=""), quote(value, safe=" !#$&'()*+,/:;=?@[]")
        total += len(key) + len(value)
        if total <= _MOST_METADATA:
            kept[key] = value
    return kept
