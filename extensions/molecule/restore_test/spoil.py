"""Spoil what is in the bucket: damage crm's archive, take the manifest from a third database, make a fourth MySQL's."""

from __future__ import annotations

import json
import os

import boto3

BUCKET, FOLDER = "backups", "nightly/"
client = boto3.client(
    "s3", endpoint_url=os.environ["ENDPOINT"], verify=os.environ["AUTHORITY"], region_name="us-east-1"
)


def names(database: str) -> tuple[str, str]:
    """Return the keys of the newest archive and manifest of a database."""
    listed = [entry["Key"] for entry in client.list_objects_v2(Bucket=BUCKET, Prefix=FOLDER + database)["Contents"]]
    return (
        max(key for key in listed if key.endswith(".sql.zst")),
        max(key for key in listed if key.endswith(".manifest.json")),
    )


def read(key: str) -> bytes:
    return client.get_object(Bucket=BUCKET, Key=key)["Body"].read()


def put(key: str, content: bytes) -> None:
    client.put_object(Bucket=BUCKET, Key=key, Body=content)


archive, manifest = names("crm")
content = bytearray(read(archive))
content[len(content) // 2] ^= 1

# Two further databases, as copies of crm's while it was whole.
described = json.loads(read(manifest))
for database, flavour in (("wiki", "mariadb"), ("ledger", "mysql")):
    name = described["backup"]["name"].replace("crm", database)
    put(f"{FOLDER}{name}.sql.zst", read(archive))
    if database == "ledger":
        described["backup"] |= {"name": name, "database": database}
        described["archive"]["file"] = f"{name}.sql.zst"
        described["verifications"] = []
        described["server"] |= {"flavour": flavour, "version": "9.7.1"}
        put(f"{FOLDER}{name}.manifest.json", json.dumps(described).encode())

put(archive, bytes(content))
