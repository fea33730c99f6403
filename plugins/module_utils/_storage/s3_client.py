# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The client of an S3-compatible service: what each provider needs, and the checksums that travel with every request.

What the providers need was found out on real servers and in their documentation: with the checksums that boto3 adds
by itself, many services refuse every upload; with them turned off and nothing in their place, a bucket with Object
Lock does. Content-MD5 (RFC 1864) is understood by all of them.

Private to the collection.
"""

from __future__ import annotations

import base64
import hashlib
import random
from dataclasses import dataclass
from typing import Any

from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError
from ansible_collections.dbops.recovery.plugins.module_utils._files import BLOCK_BYTES

try:
    import boto3
    import botocore.config
    import botocore.exceptions
except ImportError:
    boto3 = None

_CONNECT_SECONDS = 15
_READ_SECONDS = 90
_LONGEST_WAIT_SECONDS = 20
_RETRIES_TO_BEGIN_WITH = 2
# Requests whose body is hashed on the way.
_HASHED = ("PutObject", "UploadPart", "DeleteObjects")


@dataclass(frozen=True)
class Provider:
    """What a service needs that another does not.

    Attributes:
        endpoint: its address, with {region}; None where the address must be given, or is boto3's own.
        region: taken where none is given.
        path_style: the bucket stands in the path, not in the host's name.
        keeps_sha256: it verifies and keeps a SHA-256 of each object.
        conditional: it refuses to overwrite when asked to (If-None-Match).
    """

    endpoint: str | None = None
    region: str | None = None
    path_style: bool = False
    keeps_sha256: bool = False
    conditional: bool = False


PROVIDERS = {
    "aws": Provider(keeps_sha256=True, conditional=True),
    "backblaze": Provider(endpoint="https://s3.{region}.backblazeb2.com"),
    "ceph": Provider(region="us-east-1", path_style=True, conditional=True),
    "cloudflare": Provider(region="auto", conditional=True),
    "digitalocean": Provider(endpoint="https://{region}.digitaloceanspaces.com"),
    "minio": Provider(region="us-east-1", path_style=True, conditional=True),
    "seaweedfs": Provider(region="us-east-1", path_style=True, keeps_sha256=True, conditional=True),
    "wasabi": Provider(endpoint="https://s3.{region}.wasabisys.com"),
    "other": Provider(region="us-east-1", path_style=True),
}


def choose_provider(options: dict) -> Provider:
    """Given a store's options, return what its service needs: by `provider`, else by whether an address is given."""
    return PROVIDERS[options["provider"] or ("other" if options["endpoint_url"] else "aws")]


def make_client(options: dict, provider: Provider) -> Any:
    """Make a client of boto3.

    Args:
        options: the store's options; what is not given there, boto3 looks for in the environment, its configuration
            files and the host's role, in its own order.
        provider: from choose_provider.
    Raises:
        RecoveryError: boto3 is missing, or the options contradict each other.
    """
    if boto3 is None:
        raise RecoveryError(
            "This host's Python has no boto3, which a store s3:// needs. On Debian and Ubuntu: apt-get install "
            "python3-boto3; the role dbops.recovery.prerequisites installs it with prerequisites_for: [offsite]."
        )
    try:
        session = boto3.session.Session(
            aws_access_key_id=options["access_key"],
            aws_secret_access_key=options["secret_key"],
            aws_session_token=options["session_token"],
            profile_name=options["profile"],
        )
        region = options["region"] or session.region_name or provider.region
        client = session.client(
            "s3",
            region_name=region,
            endpoint_url=_endpoint(options, provider, region),
            verify=(options["aws_ca_bundle"] or None) if options["validate_certs"] else False,
            config=_config(options, provider),
        )
    except (botocore.exceptions.BotoCoreError, ValueError) as error:
        raise RecoveryError(f"The store {options['store']} cannot be used with these options: {error}") from error
    client.meta.events.register("needs-retry.s3", _Patience(options["retries"]))
    for operation in _HASHED:
        client.meta.events.register(f"before-call.s3.{operation}", _add_checksums)
    return client


def _endpoint(options: dict, provider: Provider, region: str | None) -> str | None:
    if options["endpoint_url"] or not provider.endpoint:
        return options["endpoint_url"]
    if not region:
        raise RecoveryError(
            f"The store {options['store']} of provider {options['provider']} needs a region, from which its address is "
            "made: give the option region, as the provider's console shows it (us-west-004, say)."
        )
    return provider.endpoint.format(region=region)


def _config(options: dict, provider: Provider) -> Any:
    settings: dict[str, Any] = {
        "signature_version": "s3v4",
        "connect_timeout": _CONNECT_SECONDS,
        "read_timeout": _READ_SECONDS,
        # It would give up within two seconds; see _Patience.
        "retries": {"mode": "standard", "total_max_attempts": 1},
        "max_pool_connections": options["threads"] + 2,
        "s3": {"addressing_style": "path" if provider.path_style else "auto"},
    }
    # Older ones add none by themselves, and do not know the settings.
    if "request_checksum_calculation" in botocore.config.Config.OPTION_DEFAULTS:
        settings.update(request_checksum_calculation="when_required", response_checksum_validation="when_required")
    return botocore.config.Config(**settings)


class _Patience:
    """Says how long to wait before a request is made again: longer each time, up to 20 seconds.

    A service that has not answered once, as at a wrong address, is soon given up.
    """

    def __init__(self, retries: int):
        self._retries = retries
        self._has_answered = False

    def __call__(self, response: Any, attempts: int, caught_exception: Exception | None, **_more: Any) -> float | None:
        """Return seconds, or None when it is over; botocore calls this after each attempt, numbered from 1."""
        self._has_answered = self._has_answered or response is not None
        retries = self._retries if self._has_answered else min(self._retries, _RETRIES_TO_BEGIN_WITH)
        if attempts > retries or not _may_pass(response, caught_exception):
            return None
        return seconds_to_wait(attempts)


def seconds_to_wait(attempts: int) -> float:
    """Return how long to wait after so many attempts; never quite the same, so that many do not come back at once."""
    return min(2 ** (attempts - 1), _LONGEST_WAIT_SECONDS) * random.uniform(0.5, 1)


def _may_pass(response: Any, error: Exception | None) -> bool:
    """Whether what went wrong may be over by itself; response is (HTTP response, parsed answer)."""
    if error is not None:
        lost = (botocore.exceptions.ConnectionError, botocore.exceptions.HTTPClientError)
        return isinstance(error, lost) and "CERTIFICATE_VERIFY_FAILED" not in str(error)
    http, parsed = response
    return http.status_code in (429, 500, 502, 503, 504) or parsed.get("Error", {}).get("Code") == "RequestTimeout"


def _add_checksums(params: dict, **_more: Any) -> None:
    """Put Content-MD5 into a request, and the SHA-256 where one was asked for, before botocore would do it its way.

    Its way is a trailer behind the body, which many services do not read.
    """
    headers, checksum = params["headers"], params.get("context", {}).get("checksum", {})
    algorithm = checksum.get("request_algorithm")
    hashes = [hashlib.md5(usedforsecurity=False)]
    if isinstance(algorithm, dict) and algorithm.get("algorithm") == "sha256":
        hashes.append(hashlib.sha256())
    _hash_body(params["body"], hashes)
    headers["Content-MD5"] = base64.b64encode(hashes[0].digest()).decode()
    for sha256 in hashes[1:]:
        headers[algorithm["name"]] = base64.b64encode(sha256.digest()).decode()
        # It would sign for a trailer otherwise.
        algorithm["in"] = "header"


def _hash_body(body: Any, hashes: list) -> None:
    if isinstance(body, (bytes, bytearray)):
        for each in hashes:
            each.update(body)
        return
    start = body.tell()
    while block := body.read(BLOCK_BYTES):
        for each in hashes:
            each.update(block)
    body.seek(start)
