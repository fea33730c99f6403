# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""notice: tell of an event through one channel, or say in words why that could not be done.

Private to the collection.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import ssl
from collections.abc import Iterator
from typing import Any, Callable, NamedTuple
from urllib.error import URLError

from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError
from ansible_collections.dbops.recovery.plugins.module_utils._notice import mailing, payloads, posting, text
from ansible_collections.dbops.recovery.plugins.module_utils._text import one_line

MAIL = "mail"
SLACK = "slack"
WEBHOOK = "webhook"
CHANNELS = (MAIL, SLACK, WEBHOOK)


class _Errand(NamedTuple):
    """What is to be done: where, what is sent there, and how."""

    place: str
    to: str
    content: str
    send: Callable[[], None]


class _TooLate(Exception):
    """The time is over. No OSError, which smtplib and urllib would take for something else."""


def send_notice(options: dict, check_mode: bool) -> dict:
    """Tell of an event as notice's options say; return its result. Raise RecoveryError, free of secrets."""
    secrets = [
        *text.secrets_of_url(options["url"]),
        *text.secrets_of_password(options["username"], options["password"]),
        *text.secrets_of_headers(options["headers"]),
    ]
    place = "the server"
    try:
        errand = (_mail if options["channel"] == MAIL else _post)(options)
        place = errand.place
        _require_authorities(options["ca_cert"], place)
        if not check_mode:
            with _deadline(options["timeout"]):
                errand.send()
    except RecoveryError as error:
        raise RecoveryError(text.without(str(error), secrets), error.result) from None
    # Whatever it is: its text may hold a secret, and a trace would show it.
    except Exception as error:
        raise RecoveryError(text.without(_words(error, place, options), secrets)) from None
    done = "Would be sent" if check_mode else "Sent"
    message = f"{done} through {place}{errand.to and f' to {errand.to}'}."
    return {
        "changed": True,
        "sent": not check_mode,
        "message": text.without(message, secrets),
        "content": text.without(errand.content, secrets),
    }


def _require_authorities(file: str | None, place: str) -> None:
    # The system's own error names no file.
    if file and not os.access(file, os.R_OK):
        raise RecoveryError(
            f"ca_cert: {file}, to check the certificate of {place} by, is not there or cannot be read on this host. "
            "Nothing was sent."
        )


def _mail(options: dict) -> _Errand:
    server = mailing.MailServer(
        host=options["host"],
        port=options["port"] or mailing.PORTS[options["secure"]],
        secure=options["secure"],
        ca_cert=options["ca_cert"],
        username=options["username"],
        password=options["password"],
    )
    mailing.check(server)
    event, to = options["event"], payloads.addresses("to", options["to"])
    message = payloads.mail(event, options["sender"] or f"dbops@{socket.getfqdn()}", options["to"])
    return _Errand(
        server.place,
        ", ".join(to),
        f"Subject: {text.subject(event)}\n\n{text.body(event)}",
        lambda: mailing.send(server, message, to, options["timeout"]),
    )


def _post(options: dict) -> _Errand:
    make = payloads.slack if options["channel"] == SLACK else payloads.webhook
    url, payload, headers = options["url"], make(options["event"]), options["headers"] or {}
    return _Errand(
        posting.place(url),
        "",
        json.dumps(payload, indent=2, ensure_ascii=False),
        lambda: posting.post(url, payload, headers, options["ca_cert"], options["timeout"]),
    )


@contextlib.contextmanager
def _deadline(seconds: int) -> Iterator[None]:
    """End what is done in here when the time is over, also where a server answers a byte at a time."""

    def end(_number: int, _frame: Any) -> None:
        raise _TooLate

    before = signal.signal(signal.SIGALRM, end)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _words(error: Exception, place: str, options: dict) -> str:
    reason = error.reason if isinstance(error, URLError) and isinstance(error.reason, Exception) else error
    check = "host, port and secure" if options["channel"] == MAIL else "url"
    if isinstance(reason, (_TooLate, socket.timeout)):
        return (
            f"{place} did not answer within {options['timeout']} s (timeout). Check {check}, and the firewall between. "
            "Whether it took the notice is not known."
        )
    if isinstance(reason, ssl.SSLCertVerificationError):
        return (
            f"The certificate of {place} is not valid: {reason.verify_message}. Nothing was sent. Give the authority "
            "that it is from by ca_cert, and the name that stands in it."
        )
    said = one_line(getattr(reason, "strerror", None) or str(reason) or type(reason).__name__).rstrip(".")
    return f"{place} cannot be reached or does not speak as it should: {said}. Check {check}, and that it runs."
