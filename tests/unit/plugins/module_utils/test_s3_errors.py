# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What services refuse that no server here can be made to refuse, in words. The answers are as they document them."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from ansible_collections.dbops.recovery.plugins.module_utils._arguments import store_options
from ansible_collections.dbops.recovery.plugins.module_utils._storage.s3_client import PROVIDERS
from ansible_collections.dbops.recovery.plugins.module_utils._storage.s3_errors import explain


def refusal(code: str, message: str, status: int, headers: dict | None = None, **more: str) -> ClientError:
    meta = {"HTTPStatusCode": status, "HTTPHeaders": headers or {}}
    return ClientError({"Error": {"Code": code, "Message": message, **more}, "ResponseMetadata": meta}, "PutObject")


@pytest.mark.parametrize(
    ("error", "verb", "words"),
    [
        (
            refusal(
                "RequestTimeTooSkewed", "The difference is too large.", 403, {"date": "Sun, 22 Nov 2026 10:15:00 GMT"}
            ),
            "list",
            "This host's clock is wrong: it is",
        ),
        (
            refusal("PermanentRedirect", "Use the endpoint.", 301, {"x-amz-bucket-region": "eu-central-1"}),
            "list",
            "The bucket is in the region eu-central-1: set region: eu-central-1 (now: us-east-1)",
        ),
        (
            refusal("AuthorizationHeaderMalformed", "the region is wrong; expecting 'us-west-004'", 400),
            "list",
            "The bucket is in the region us-west-004",
        ),
        (refusal("ExpiredToken", "The token has expired.", 400), "read", "temporary credentials are no longer valid"),
        (refusal("AccessDenied", "Access Denied", 403), "list", "needs the permission s3:ListBucket."),
        (refusal("AccessDenied", "Access Denied", 403), "write", "needs the permission s3:PutObject."),
        (refusal("403", "Forbidden", 403), "look", "it answered 403. The key may not do this"),
        (refusal("SlowDown", "Reduce your request rate.", 503), "write", "The service is overloaded or has a fault"),
        (refusal("EntityTooLarge", "Too large.", 400), "write", "it answered EntityTooLarge: Too large."),
    ],
)
def test_a_refusal_says_what_to_do(error, verb, words):
    said = str(explain(error, "s3://bucket/folder", verb, "https://s3.example.org", "us-east-1"))
    assert said.startswith("The store s3://bucket/folder at https://s3.example.org: ")
    assert words in said


def test_every_provider_is_a_choice_of_the_option():
    assert sorted(PROVIDERS) == store_options()["provider"]["choices"]
