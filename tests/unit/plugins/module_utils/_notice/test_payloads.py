# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever stands in a title or in the output of a migration, a notice stays one, and says what it said."""

from __future__ import annotations

import re
from email import message_from_bytes, policy

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError
from ansible_collections.dbops.recovery.plugins.module_utils._notice import payloads, text

ANYTHING = st.text(st.characters(codec=None), max_size=400)
HEADERS = ["Subject", "From", "To", "Date", "Message-ID", "Auto-Submitted", "Content-Type"]
HEADERS += ["Content-Transfer-Encoding", "MIME-Version"]


def event(title="t", lines=(), details=None):
    return {
        "kind": "deploy",
        "outcome": "rolled_back",
        "verdict": "failure",
        "title": title,
        "lines": list(lines),
        "details": details,
    }


def parsed(message):
    return message_from_bytes(message.as_bytes(), policy=policy.default)


@given(ANYTHING, ANYTHING)
@example("x\nBcc: all@example.org", "")
@example("x\r\n\r\nbody", "")
@example("=?utf-8?q?x=0ABcc:_all=40example.org?=", "")
@example("ü" * 200, ".\r\n.\r\nQUIT")
def test_no_title_makes_a_header_and_no_line_leaves_the_body(title, line):
    mail = parsed(payloads.mail(event(title, [line]), "dbops@example.org", ["ops@example.org"]))
    assert sorted(mail.keys()) == sorted(HEADERS)
    assert mail["Bcc"] is None
    assert mail.get_content().replace("\r\n", "\n").rstrip() == text.body(event(title, [line])).rstrip()


@given(st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "Zs"]), max_size=300))
def test_a_subject_arrives_as_it_was_written(title):
    mail = parsed(payloads.mail(event(title), "dbops@example.org", ["ops@example.org"]))
    assert " ".join(mail["Subject"].split()) == " ".join(text.subject(event(title)).replace("=?", "= ?").split())


def test_every_line_of_a_mail_is_short_and_seven_bits():
    raw = payloads.mail(event("ü" * 300, ["é" * 5000]), "dbops@example.org", ["ops@example.org"]).as_bytes()
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) < 200


def test_a_mail_names_all_recipients_and_asks_for_no_automatic_answer():
    mail = payloads.mail(event(), "Dbops <dbops@example.org>", ["ops@example.org", "Ada Löv <ada@example.org>"])
    assert [each.addr_spec for each in mail["To"].addresses] == ["ops@example.org", "ada@example.org"]
    assert mail["To"].addresses[1].display_name == "Ada Löv"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"].endswith("@example.org>")


@pytest.mark.parametrize("address", ["", " ", "ops@example.org\nBcc: all@example.org", "<>", "ops@example.org\0"])
def test_what_is_no_address_is_refused_with_the_name_of_the_option(address):
    with pytest.raises(RecoveryError, match=r"^to: .* is no mail address\. Nothing was sent\."):
        payloads.mail(event(), "dbops@example.org", ["ops@example.org", address])
    with pytest.raises(RecoveryError, match=r"^sender: "):
        payloads.mail(event(), address, ["ops@example.org"])


@given(st.lists(st.text(max_size=4000), max_size=40), st.text(max_size=400))
@example(["&" * 4000], "&" * 400)
@example(["<!channel> & <https://example.org|click>", "```", "x" * 2900, "y"], "<!here>")
def test_slack_gets_no_more_than_it_takes_and_nothing_that_it_would_act_on(lines, title):
    message = payloads.slack(event(title, lines))
    header, *sections = message["blocks"]
    assert len(header["text"]["text"]) <= 150
    assert header["text"]["type"] == "plain_text"
    for said in [message["text"], *(section["text"]["text"] for section in sections)]:
        assert not set("<>") & set(said)
        assert re.sub(r"&(amp|lt|gt);", "", said).count("&") == 0
    for section in sections:
        said = section["text"]["text"]
        assert len(said) <= 3000
        assert said.startswith("```\n")
        assert said.endswith("\n```")
        assert said.count("```") == 2


def test_slack_gets_the_lines_as_they_are():
    message = payloads.slack(event("shop on db1: backup FAILED", ["Why: a < b && c", "    mariadb `shop`"]))
    assert message["text"] == "[dbops] shop on db1: backup FAILED"
    assert message["blocks"][0]["text"]["text"] == "shop on db1: backup FAILED"
    assert message["blocks"][1]["text"]["text"] == "```\nWhy: a &lt; b &amp;&amp; c\n    mariadb `shop`\n```"


def test_slack_is_told_how_many_lines_there_are_besides():
    said = payloads.slack(event("t", ["x" * 99] * 100))["blocks"][1]["text"]["text"]
    kept = said.count("x" * 99)
    assert kept > 25
    assert f"... {100 - kept} more lines, in the output of the run" in said


def test_a_notice_without_lines_is_a_title_in_slack():
    assert len(payloads.slack(event("t"))["blocks"]) == 1


def test_a_program_gets_all_of_it():
    got = payloads.webhook(event("a\nb", ["one\ntwo"], {"backup": {"path": "/b"}}))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", got.pop("time"))
    assert got == {
        "kind": "deploy",
        "outcome": "rolled_back",
        "verdict": "failure",
        "title": "a b",
        "lines": ["one", "two"],
        "details": {"backup": {"path": "/b"}},
    }
