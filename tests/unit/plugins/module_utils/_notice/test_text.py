# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a notice says to a person, and what is never in it."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dbops.recovery.plugins.module_utils._notice import text

ANYTHING = st.text(st.characters(codec=None), max_size=200)
HOOK = "https://hooks.slack.com/services/T024BE7LD/B01ABCDEF/aBcDeFgHiJkLmNoPqRsTuVwX"


def event(**changes):
    return {
        "kind": "backup",
        "outcome": "failed",
        "verdict": "failure",
        "title": "shop on db1: backup FAILED",
        "lines": ["Dumping shop failed.", "Next: back up again."],
        "details": {},
        **changes,
    }


def test_the_subject_says_where_and_what():
    assert text.subject(event()) == "[dbops] shop on db1: backup FAILED"


def test_the_body_says_first_what_failed_then_what_to_do_then_the_details():
    details = {"database": "shop", "changed": False, "hosts": ["db1", "db2"], "seconds": 1.5}
    assert text.body(event(details=details)) == (
        "shop on db1: backup FAILED\n"
        "\n"
        "Dumping shop failed.\n"
        "Next: back up again.\n"
        "\n"
        "database  shop\n"
        "changed   no\n"
        "hosts     db1, db2\n"
        "seconds   1.5\n"
    )


def test_details_that_do_not_fit_on_a_line_are_left_to_programs():
    details = {"error": "one\ntwo", "backup": {"path": "/b"}, "steps": [{"step": "lock"}], "none": None, "empty": ""}
    assert text.detail_lines(details) == []


@given(ANYTHING)
def test_a_subject_is_one_line_of_printable_text(title):
    said = text.subject(event(title=title))
    assert len(said.splitlines()) == 1
    assert not [each for each in said if ord(each) < 32 or 127 <= ord(each) < 160]
    assert said.encode("utf-8")


@given(st.lists(ANYTHING, max_size=5))
def test_lines_have_neither_breaks_nor_control_characters_in_them(lines):
    for line in text.text_lines(event(lines=lines)):
        assert "\n" not in line
        assert not [each for each in line if ord(each) < 32 or 127 <= ord(each) < 160]


@pytest.mark.parametrize(
    "said",
    [
        f"Cannot open {HOOK}",
        "Cannot POST /services/T024BE7LD/B01ABCDEF/aBcDeFgHiJkLmNoPqRsTuVwX",
        "no token aBcDeFgHiJkLmNoPqRsTuVwX here",
    ],
)
def test_no_part_of_a_webhook_is_repeated_but_its_host(said):
    hidden = text.without(f"hooks.slack.com: {said}", text.secrets_of_url(HOOK))
    assert hidden.startswith("hooks.slack.com: ")
    assert text.HIDDEN in hidden
    assert "aBcDeF" not in hidden


def test_the_account_and_the_query_of_a_url_are_secrets_encoded_or_not():
    secrets = text.secrets_of_url("https://ada:s%C3%A9same@h.example/in?token=abc%20defghij")
    assert text.without("sésame s%C3%A9same abc defghij abc%20defghij", secrets) == " ".join([text.HIDDEN] * 4)


def test_a_url_that_is_none_is_a_secret_as_a_whole():
    assert text.without("what is https://[h/x ?", text.secrets_of_url("https://[h/x")) == f"what is {text.HIDDEN} ?"


def test_a_path_of_nothing_hides_nothing():
    assert text.without("either/or", text.secrets_of_url("https://h.example/")) == "either/or"


def test_a_password_is_hidden_in_every_form_that_a_mail_server_gets():
    secrets = text.secrets_of_password("ada", "hunter22")
    plain = base64.b64encode(b"\0ada\0hunter22").decode()
    said = f"hunter22 {base64.b64encode(b'hunter22').decode()} {plain}"
    assert text.without(said, secrets) == " ".join([text.HIDDEN] * 3)


def test_a_header_is_hidden_with_and_without_its_first_word():
    secrets = text.secrets_of_headers({"Authorization": "Bearer abc123"})
    assert text.without("Bearer abc123, abc123", secrets) == f"{text.HIDDEN}, {text.HIDDEN}"


def test_a_secret_is_hidden_where_an_error_quotes_it():
    secrets = text.secrets_of_headers({"Authorization": "tök\r\nen's"})
    for quoted in (repr("tök\r\nen's"), repr("tök\r\nen's".encode())):
        assert "en's" not in text.without(f"Invalid header value {quoted}", secrets)
