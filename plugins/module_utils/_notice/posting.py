# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A webhook: how JSON is posted to it, and what it says when it does not take it.

Private to the collection.
"""

from __future__ import annotations

import json
import urllib.error
from urllib.parse import urlsplit

from ansible.module_utils.urls import open_url

from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError
from ansible_collections.dbops.recovery.plugins.module_utils._text import cut, one_line

# What Slack's answers mean; it says no more than the word.
_SLACK_ADVICE = {
    "no_service": "The webhook was removed or disabled: make a new one in Slack.",
    "no_active_hooks": "The webhook was disabled: make a new one in Slack.",
    "invalid_token": "The webhook's URL is not right, or was withdrawn: copy it from Slack again.",
    "channel_not_found": "The webhook's channel is gone: make a new webhook.",
    "channel_is_archived": "The webhook's channel is archived: make a new webhook for another one.",
    "action_prohibited": "Slack's administrator does not let it post there.",
}


def place(url: str) -> str:
    """Given a URL, return what of it is no secret: the host and the port. Raise RecoveryError where there is none."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise RecoveryError("url is no http or https URL (it is a secret, so it is not shown). Nothing was sent.")
    return parts.netloc.rpartition("@")[2]


def post(url: str, payload: dict, headers: dict, ca_cert: str | None, timeout: float) -> None:
    """Post a payload as JSON. Raise RecoveryError where the answer is not that it was taken."""
    try:
        # A redirect would turn the POST into a GET, which any page answers well.
        with open_url(
            url,
            data=json.dumps(payload).encode(),
            headers={"Content-Type": "application/json", **{key: str(value) for key, value in headers.items()}},
            method="POST",
            timeout=timeout,
            http_agent="dbops.recovery",
            follow_redirects="none",
            ca_path=ca_cert,
            # No password of somebody's own.
            use_netrc=False,
        ):
            pass
    except urllib.error.HTTPError as error:
        with error:
            answer = cut(one_line(error.read(2000).decode("utf-8", "replace")), 200)
        raise RecoveryError(
            f"{place(url)} answered {error.code} {one_line(str(error.reason))}{f': {answer}' if answer else ''}. "
            f"{_advice(error.code, answer)}"
        ) from None


def _advice(status: int, answer: str) -> str:
    if answer in _SLACK_ADVICE:
        return _SLACK_ADVICE[answer]
    if 300 <= status < 400:
        return "It sends elsewhere, which is not followed. Set url to where it leads."
    if status in (401, 403):
        return "Check url and headers: it wants a token, or another one."
    if status in (404, 410):
        return "Check url: there is nothing there."
    if status == 429 or status >= 500:
        return "The trouble is on its side; try again later."
    return "Check url, and whether it takes this JSON."
