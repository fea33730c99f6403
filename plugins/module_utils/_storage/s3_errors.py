# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a service's refusals mean, and what to do about them.

Private to the collection.
"""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import Any

from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError

try:
    from botocore import exceptions
except ImportError:
    exceptions = None

# The permission of AWS behind each call, which most services name alike.
_PERMISSIONS = {
    "list": "s3:ListBucket",
    "list versions": "s3:ListBucketVersions",
    "look": "s3:GetObject and s3:ListBucket",
    "read": "s3:GetObject",
    "write": "s3:PutObject",
    "delete": "s3:DeleteObject and, in a bucket with versions, s3:DeleteObjectVersion",
    "sweep": "s3:ListBucketMultipartUploads and s3:AbortMultipartUpload",
}
_ATTEMPTS = {
    "list": "listing",
    "list versions": "listing versions",
    "look": "looking for a file",
    "read": "reading",
    "write": "writing",
    "delete": "deleting",
    "sweep": "looking for unfinished uploads",
}
_WRONG_KEYS = ("InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidClientTokenId", "InvalidSecurity")
_EXPIRED = ("ExpiredToken", "TokenRefreshRequired", "InvalidToken")
_WRONG_REGION = ("PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "301")
_BUSY = ("SlowDown", "InternalError", "ServiceUnavailable", "RequestTimeout", "500", "503")


def is_refusal(error: Exception, *codes: str) -> bool:
    """Whether the service answered a request with one of these codes ("404" stands for any code with that status)."""
    return isinstance(error, exceptions.ClientError) and (code_of(error) in codes or str(status_of(error)) in codes)


def code_of(error: Any) -> str:
    """Return the code in a service's refusal: "NoSuchKey"; where its answer had no body, the status: "403"."""
    return str(error.response.get("Error", {}).get("Code", ""))


def status_of(error: Any) -> int:
    """Return the HTTP status of a service's refusal."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def explain(error: Exception, place: str, verb: str, endpoint: str, region: str | None) -> RecoveryError:
    """Turn what boto3 raised into words.

    Args:
        error: a BotoCoreError or ClientError.
        place: the store's URL.
        verb: what was attempted, a key of the permissions above.
        endpoint: the address that was spoken to.
        region: the region that requests were signed for.
    Returns:
        The error to raise: what was attempted, on what, what came back, what to do.
    """
    attempted = f"The store {place} at {endpoint}: {_ATTEMPTS[verb]} failed"
    if isinstance(error, exceptions.ClientError):
        return RecoveryError(f"{attempted}: {_refused(error, place, verb, region)}")
    return RecoveryError(f"{attempted}: {_unreachable(error, endpoint)}")


def _refused(error: Any, place: str, verb: str, region: str | None) -> str:
    code, status = code_of(error), status_of(error)
    said = (error.response.get("Error", {}).get("Message") or "it gave no reason").rstrip(".")
    answer = f"it answered {code}: {said}" if code != str(status) else f"it answered {status}"
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    if code in _WRONG_KEYS:
        return (
            f"{answer}. The access key or the secret key is wrong, or belongs to another account or service. Check "
            "access_key and secret_key (or the profile, or the environment that they come from)."
        )
    if code in _EXPIRED:
        return f"{answer}. The temporary credentials are no longer valid: get new ones."
    if code == "RequestTimeTooSkewed":
        theirs, ours = headers.get("date", "unknown"), datetime.now(timezone.utc)
        return (
            f"{answer}. This host's clock is wrong: it is {ours:%a, %d %b %Y %H:%M:%S} GMT here and {theirs} there. "
            "Set it right (timedatectl set-ntp true)."
        )
    if code == "NoSuchBucket":
        return f"{answer}. There is no bucket {_bucket(place)}: check its name, or make it. It is never made by itself."
    if code in _WRONG_REGION or ("x-amz-bucket-region" in headers and status in (301, 400)):
        actual = headers.get("x-amz-bucket-region") or error.response.get("Error", {}).get("Region")
        meant = re.search(r"expecting '([^']+)'", said)
        actual = actual or (meant.group(1) if meant else None)
        there = f"The bucket is in the region {actual}: set region: {actual}" if actual else "Set the bucket's region"
        return f"{answer}. {there} (now: {region})."
    if status in (401, 403):
        return (
            f"{answer}. The key may not do this on {place}: it needs the permission {_PERMISSIONS[verb]}. A bucket "
            "policy or a lock can forbid it as well."
        )
    if code in _BUSY or status >= 500:
        return f"{answer}, also after several attempts. The service is overloaded or has a fault: run this again later."
    return f"{answer}."


def _unreachable(error: Exception, endpoint: str) -> str:
    if isinstance(error, exceptions.NoCredentialsError):
        return (
            "there are no credentials. Give access_key and secret_key, or a profile, or set AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, or run it on a host with a role."
        )
    if isinstance(error, exceptions.SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(error):
        return (
            f"its certificate was not accepted ({_innermost(error)}). Give the certificate of its authority with "
            "aws_ca_bundle; check that the address is the one the certificate is for."
        )
    if isinstance(error, (exceptions.EndpointConnectionError, exceptions.ConnectTimeoutError)):
        return f"nothing answers at {endpoint} ({_innermost(error)}). Is it up, and open from this host?"
    return f"the connection was lost ({_innermost(error)}). Nothing is half there: run this again."


def _innermost(error: Exception) -> str:
    # botocore wraps what urllib3 wraps what the system said.
    said = str(getattr(error, "kwargs", {}).get("error", error))
    return re.sub(r"<[^<>]+ object at 0x[0-9a-f]+>:? ?|\w+\(host=[^)]*\): ?", "", said).strip()


def _bucket(place: str) -> str:
    return place.split("://", 1)[1].split("/", 1)[0]
