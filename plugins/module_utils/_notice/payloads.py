# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is sent through each channel: a mail, a message for Slack, JSON for a program.

Pure functions, without any network.

Private to the collection.
"""

from __future__ import annotations

from email import policy
from email.message import EmailMessage
from email.utils import format_datetime, getaddresses, make_msgid

from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError
from ansible_collections.dbops.recovery.plugins.module_utils._notice.text import (
    PREFIX,
    body,
    subject,
    text_lines,
)
from ansible_collections.dbops.recovery.plugins.module_utils._text import cut, one_line
from ansible_collections.dbops.recovery.plugins.module_utils._units import show_time, utc_now

# Slack refuses a message that has more in them.
SLACK_HEADER = 150
SLACK_TEXT = 3000


def addresses(option: str, given: list[str]) -> list[str]:
    """Given the value of an option, return the bare addresses in it. Raise RecoveryError for what is none."""
    for each in given:
        found = [address for _name, address in getaddresses([each])]
        if any(ord(character) < 32 for character in each) or not found or not all(found):
            raise RecoveryError(
                f"{option}: {each!r} is no mail address. Nothing was sent. Write ops@example.org, or "
                "Operations <ops@example.org>."
            )
    return [address for _name, address in getaddresses(given)]


def mail(event: dict, sender: str, to: list[str]) -> EmailMessage:
    """Given an event, the sender and the recipients, return the mail. Raise RecoveryError for what is no address."""
    domain = addresses("sender", [sender])[0].rpartition("@")[2]
    addresses("to", to)
    message = EmailMessage(policy=policy.SMTP)
    # What looks like an encoded word would be decoded, newlines in it and all.
    message["Subject"] = subject(event).replace("=?", "= ?")
    message["From"] = sender
    message["To"] = ", ".join(to)
    message["Date"] = format_datetime(utc_now())
    message["Message-ID"] = make_msgid(domain=domain if domain.isascii() and domain else "localhost")
    # No answer from those who are on holiday.
    message["Auto-Submitted"] = "auto-generated"
    # Safe with servers that take seven bits and a thousand characters a line.
    message.set_content(body(event), cte="quoted-printable")
    return message


def slack(event: dict) -> dict:
    """Given an event, return the message for an incoming webhook of Slack: short, within Slack's limits."""
    title = one_line(event["title"])
    blocks = [{"type": "header", "text": {"type": "plain_text", "text": cut(title, SLACK_HEADER), "emoji": False}}]
    lines = text_lines(event)
    if any(lines):
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": _as_code(lines)}})
    # Shown where there is no room for blocks: on a phone's lock screen, in a list.
    return {"text": escape(f"{PREFIX} {title}"), "blocks": blocks}


def escape(text: str) -> str:
    """Given any text, return it so that Slack shows it as it is, without links, mentions and channels."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _as_code(lines: list[str]) -> str:
    # As code, since a line to be typed must keep its quotes and its spaces. The lines must not end it.
    escaped = [escape(line).replace("```", "'''") for line in lines]
    more = "... {} more lines, in the output of the run"
    room = SLACK_TEXT - len("```\n\n```") - len(more) - 10
    kept: list[str] = []
    for line in escaped:
        if sum(map(len, kept)) + len(kept) + len(line) > room:
            break
        kept.append(line)
    if not kept:
        # One line that is too long: cut before it is escaped, so that no escape is cut in two.
        kept = [escape(cut(lines[0].replace("```", "'''"), room // len("&amp;")))]
    if len(kept) < len(lines):
        kept.append(more.format(len(lines) - len(kept)))
    return "```\n" + "\n".join(kept) + "\n```"


def webhook(event: dict) -> dict:
    """Given an event, return what a program gets: all of it."""
    return {
        "kind": event["kind"],
        "outcome": event["outcome"],
        "verdict": event["verdict"],
        "title": one_line(event["title"]),
        "lines": text_lines(event),
        "details": event["details"] or {},
        "time": show_time(utc_now()),
    }
