# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Answers of services that no server here can be made to give."""

from __future__ import annotations

from datetime import datetime, timezone

import boto3
import pytest
from botocore.stub import Stubber

from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError
from ansible_collections.dbops.recovery.plugins.module_utils._storage import s3

WHEN = datetime(2026, 11, 22, 2, tzinfo=timezone.utc)


def page(*names: str, **more) -> dict:
    return {"Contents": [{"Key": f"nightly/{name}", "Size": 1, "LastModified": WHEN} for name in names], **more}


@pytest.fixture
def files(monkeypatch):
    """Return the names that are listed when the service answers with these pages."""

    def listed(*pages: dict) -> list[str]:
        client = boto3.client("s3", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
        monkeypatch.setattr(s3, "make_client", lambda *_arguments: client)
        store = s3.S3Store("backups", "nightly", {"provider": "other", "endpoint_url": None})
        with Stubber(client) as stub:
            for each in pages:
                stub.add_response("list_objects_v2", each)
            return [file.name for file in store.files()]

    return listed


def test_a_listing_of_several_pages_is_read_to_its_end(files):
    assert files(page("a", IsTruncated=True, NextContinuationToken="2"), page("b", IsTruncated=False)) == ["a", "b"]
    assert files(page("a")) == ["a"]


def test_a_listing_that_says_there_is_more_and_not_where_is_not_taken_for_all(files):
    with pytest.raises(RecoveryError) as caught:
        files(page("a", IsTruncated=True))
    assert "s3://backups/nightly" in str(caught.value)
    assert "lists part of what is there" in str(caught.value)
