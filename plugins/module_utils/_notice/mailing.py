# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The mail server: how a mail is handed to it, and what it says when it does not take it.

Private to the collection.
"""

from __future__ import annotations

import contextlib
import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage

from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError
from ansible_collections.dbops.recovery.plugins.module_utils._text import one_line

STARTTLS = "starttls"
TLS = "tls"
NEVER = "never"
PORTS = {STARTTLS: 587, TLS: 465, NEVER: 25}


@dataclass(frozen=True)
class MailServer:
    """Where a mail is handed over, and how."""

    host: str
    port: int
    secure: str
    ca_cert: str | None
    username: str | None
    password: str | None

    @property
    def place(self) -> str:
        return f"{self.host}:{self.port}"


def check(server: MailServer) -> None:
    """Refuse a password that anybody on the way could read, or that cannot be sent. Raise RecoveryError."""
    if server.username and server.secure == NEVER:
        raise RecoveryError(
            f"The password of {server.username} would go to {server.place} in the clear, as secure is never. Nothing "
            "was sent. Set secure to starttls or tls, or leave username and password out."
        )
    if not f"{server.username or ''}{server.password or ''}".isascii():
        raise RecoveryError(
            f"Username and password for {server.place} must be ASCII, as Python sends no others to a mail server. "
            "Nothing was sent."
        )


def send(server: MailServer, message: EmailMessage, to: list[str], timeout: float) -> None:
    """Hand a mail over. Raise RecoveryError, with the values "accepted" and "refused" where it names recipients."""
    try:
        with contextlib.closing(_connected(server, timeout)) as session:
            if server.username:
                session.login(server.username, server.password or "")
            refused = session.send_message(message, to_addrs=to)
            # The mail is the server's now, however the farewell goes.
            with contextlib.suppress(Exception):
                session.quit()
    except smtplib.SMTPRecipientsRefused as error:
        raise _refused(server, to, error.recipients) from None
    except smtplib.SMTPException as error:
        raise RecoveryError(f"{server.place} did not take the mail: {_answer(error)} {_advice(error)}") from None
    if refused:
        raise _refused(server, to, refused)


def _connected(server: MailServer, timeout: float) -> smtplib.SMTP:
    if server.secure == TLS:
        return smtplib.SMTP_SSL(server.host, server.port, timeout=timeout, context=_context(server))
    session = smtplib.SMTP(server.host, server.port, timeout=timeout)
    if server.secure == STARTTLS:
        try:
            session.starttls(context=_context(server))
        except BaseException:
            session.close()
            raise
    return session


def _context(server: MailServer) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=server.ca_cert)


def _refused(server: MailServer, to: list[str], refused: dict) -> RecoveryError:
    accepted = [each for each in to if each not in refused]
    who = ", ".join(f"{each} ({_words(*answer)})" for each, answer in refused.items())
    others = f"It was taken for {', '.join(accepted)}." if accepted else "It went to nobody."
    return RecoveryError(
        f"{server.place} refused the mail for {who}. {others} Check the addresses, and whom it takes mail for.",
        {"accepted": accepted, "refused": list(refused)},
    )


def _answer(error: smtplib.SMTPException) -> str:
    if isinstance(error, smtplib.SMTPSenderRefused):
        return f"it refused the sender {error.sender} ({_words(error.smtp_code, error.smtp_error)})."
    if isinstance(error, smtplib.SMTPResponseException) and error.smtp_code < 0:
        return "it does not answer as a mail server does."
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{_words(error.smtp_code, error.smtp_error)}."
    return f"{one_line(str(error)).rstrip('.')}."


def _words(code: int, answer: bytes | str) -> str:
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else str(answer)
    return one_line(f"{code} {text}").rstrip(".")


def _advice(error: smtplib.SMTPException) -> str:
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return "Check username and password."
    if isinstance(error, smtplib.SMTPSenderRefused):
        return "Check sender, and whether the server wants username and password."
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return "Nothing was sent. Check port and secure (starttls: 587, tls: 465, never: 25)."
    return "Check host, port and secure (starttls: 587, tls: 465, never: 25), and the server's log."
