# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Open a store by its URL.

Private to the collection.
"""

from __future__ import annotations

import base64
import binascii
import os
import re

from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError
from ansible_collections.dbops.recovery.plugins.module_utils._storage.directory import DirectoryStore
from ansible_collections.dbops.recovery.plugins.module_utils._storage.s3 import S3Store
from ansible_collections.dbops.recovery.plugins.module_utils._storage.store import Store
from ansible_collections.dbops.recovery.plugins.module_utils._units import parse_size

_SECRET_BYTES = 32
# What only uploading has options for.
_UPLOADING = {
    "storage_class": None,
    "encryption": None,
    "kms_key_id": None,
    "object_lock_mode": None,
    "object_lock_days": None,
    "threads": 4,
    "part_size": "16M",
    "bandwidth": None,
}


def open_store(options: dict) -> Store:
    """Given a store's options, return the store; nothing has been asked of it yet.

    Raises:
        RecoveryError: the URL is none, or an option does not go with the store.
    """
    options = {**_UPLOADING, **options}
    options["part_size"] = parse_size(options["part_size"], "part_size")
    options["bandwidth"] = parse_size(options["bandwidth"], "bandwidth") if options["bandwidth"] else None
    url = options["store"]
    scheme, separator, rest = url.partition("://")
    if scheme == "file" and separator and os.path.isabs(rest):
        return DirectoryStore(os.path.normpath(rest), options["bandwidth"])
    if scheme == "s3" and separator and re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9._-]+(/.*)?", rest):
        _require_sense(options)
        bucket, _separator, prefix = rest.partition("/")
        return S3Store(bucket, prefix.strip("/"), options)
    raise RecoveryError(
        f"store: {url!r} is no place for backups. Write s3://BUCKET, s3://BUCKET/FOLDER or file:///ABSOLUTE/DIRECTORY."
    )


def _require_sense(options: dict) -> None:
    if options["sse_customer_key"]:
        try:
            length = len(base64.b64decode(options["sse_customer_key"], validate=True))
        except binascii.Error:
            length = 0
        if length != _SECRET_BYTES:
            raise RecoveryError(
                f"sse_customer_key must be {_SECRET_BYTES} random bytes in Base64, as `openssl rand -base64 "
                f"{_SECRET_BYTES}` makes them."
            )
        if options["encryption"]:
            raise RecoveryError("Give either encryption or sse_customer_key: the service encrypts with one of the two.")
    for number, least in (("threads", 1), ("retries", 0)):
        if options[number] < least:
            raise RecoveryError(f"{number} must be at least {least}. It is {options[number]}.")
