# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Notices reach real servers, or it is said why not; and no run ends otherwise because of one."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from authority import Authority
from fleet import ANSIBLE_SETTINGS, CHECKOUT, Fleet, require_no_warning
from sinks import MailSink, WebSink, closed_port, silent_port

EVENT = {
    "kind": "backup",
    "outcome": "failed",
    "title": "shop on db1: backup FAILED",
    "lines": ["Dumping shop failed: mariadb-dump was killed by signal 9.", "Next: back up again."],
    "details": {"database": "shop", "backup": {"path": "/b"}},
}
LOGIN = ("dbops", "s3cr3t-Passw0rd")
HOOK = "/services/T024BE7LD/B01ABCDEF/aBcDeFgHiJkLmNoPqRsTuVwX"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def mail_server(authority):
    with MailSink(authority.context("localhost", "127.0.0.1"), LOGIN) as sink:
        yield sink


@pytest.fixture
def by_mail(run_module, authority):
    """Send a notice through a mail server, by default as one does that has a certificate and wants a password."""

    def send(port, **options):
        given = {
            "channel": "mail",
            "event": EVENT,
            "to": ["ops@example.org"],
            "sender": "dbops@example.org",
            "host": "localhost",
            "port": port,
            "ca_cert": str(authority.ca),
            "username": LOGIN[0],
            "password": LOGIN[1],
            "timeout": 20,
        }
        check, fails = options.pop("check", False), options.pop("fails", False)
        given.update(options)
        return run_module(
            "notice", {key: value for key, value in given.items() if value is not None}, check=check, fails=fails
        )

    return send


@pytest.fixture
def by_web(run_module):
    def send(url, channel="webhook", check=False, fails=False, **options):
        return run_module(
            "notice", {"channel": channel, "url": url, "event": EVENT, **options}, check=check, fails=fails
        )

    return send


def require_no_secret(said: str) -> None:
    for secret in (LOGIN[1], "B01ABCDEF", "aBcDeFgHiJ", "t0ken-value", "czNjcjN0LVBhc3N3MHJk"):
        assert secret not in said


def test_a_mail_arrives_over_starttls_with_a_password_for_every_recipient(mail_server, by_mail):
    sent = by_mail(mail_server.port, to=["ops@example.org", "Ada Löv <ada@example.org>"])

    assert sent["changed"]
    assert sent["message"] == f"Sent through localhost:{mail_server.port} to ops@example.org, ada@example.org."
    assert mail_server.envelopes == [("dbops@example.org", ["ops@example.org", "ada@example.org"])]
    (mail,) = mail_server.mails
    assert mail["Subject"] == "[dbops] shop on db1: backup FAILED"
    assert mail.get_content().replace("\r\n", "\n") == (
        "shop on db1: backup FAILED\n\n"
        "Dumping shop failed: mariadb-dump was killed by signal 9.\nNext: back up again.\n\n"
        "database  shop\n"
    )


def test_a_mail_server_on_this_host_needs_neither_tls_nor_a_password(by_mail):
    with MailSink() as sink:
        by_mail(sink.port, secure="never", username=None, password=None, ca_cert=None)
    assert len(sink.mails) == 1


def test_a_password_never_goes_over_a_connection_in_the_clear(by_mail):
    with MailSink(login=LOGIN) as sink:
        refused = by_mail(sink.port, secure="never", fails=True)
        downgraded = by_mail(sink.port, fails=True)

    assert f"The password of dbops would go to localhost:{sink.port} in the clear" in refused.message
    assert "STARTTLS extension not supported by server. Nothing was sent." in downgraded.message
    assert sink.mails == []


def test_a_recipient_that_is_refused_is_named_and_the_others_get_the_mail(mail_server, by_mail):
    sent = by_mail(mail_server.port, to=["ops@example.org", "gone@example.org"], fails=True)

    assert "refused the mail for gone@example.org (550 5.1.1 no such user here)." in sent.message
    assert "It was taken for ops@example.org." in sent.message
    assert (sent["accepted"], sent["refused"]) == (["ops@example.org"], ["gone@example.org"])
    assert mail_server.envelopes == [("dbops@example.org", ["ops@example.org"])]


def test_when_every_recipient_is_refused_it_went_to_nobody(mail_server, by_mail):
    sent = by_mail(mail_server.port, to=["gone@example.org"], fails=True)

    assert "gone@example.org (550 5.1.1 no such user here). It went to nobody." in sent.message
    assert mail_server.mails == []


def test_a_wrong_password_is_said_and_not_shown(mail_server, by_mail):
    sent = by_mail(mail_server.port, password=LOGIN[1] + "x", fails=True)

    assert "did not take the mail: 535 5.7.8 Authentication credentials invalid. Check username" in sent.message
    require_no_secret(sent.output + json.dumps(sent.result))
    assert mail_server.mails == []


@pytest.mark.parametrize(
    ("names", "trusted", "why"),
    [
        (("localhost",), False, "unable to get local issuer certificate"),
        (("mail.example.org",), True, "Hostname mismatch, certificate is not valid for 'localhost'"),
    ],
    ids=["another authority", "another name"],
)
@pytest.mark.parametrize("channel", ["mail", "webhook"])
def test_a_wrong_certificate_is_refused(by_mail, by_web, tmp_path, names, trusted, why, channel):
    other = Authority(tmp_path)
    trust = {"ca_cert": str(other.ca) if trusted else None}
    if channel == "mail":
        with MailSink(other.context(*names), LOGIN) as sink:
            sent = by_mail(sink.port, fails=True, **trust)
        assert sink.mails == []
    else:
        with WebSink(tls=other.context(*names)) as sink:
            sent = by_web(sink.url(HOOK, "localhost"), fails=True, **{k: v for k, v in trust.items() if v})
        assert sink.posted == []

    assert re.search(rf"The certificate of localhost:\d+ is not valid: {why}", sent.message)
    require_no_secret(sent.output + json.dumps(sent.result))


def test_a_file_of_authorities_that_is_not_there_is_named(by_mail):
    assert (
        "ca_cert: /nonexistent.pem, to check" in by_mail(closed_port(), ca_cert="/nonexistent.pem", fails=True).message
    )


def test_a_server_that_is_down_is_named_with_what_to_check(by_mail, by_web):
    port = closed_port()

    by_post = by_web(f"http://127.0.0.1:{port}{HOOK}", fails=True)

    reason = "cannot be reached or does not speak as it should: Connection refused."
    assert by_mail(port, fails=True).message == (
        f"localhost:{port} {reason} Check host, port and secure, and that it runs."
    )
    assert by_post.message == f"127.0.0.1:{port} {reason} Check url, and that it runs."
    require_no_secret(by_post.output + json.dumps(by_post.result))


def test_a_name_that_nobody_has_is_said(by_mail):
    said = by_mail(25, host="mail.invalid", fails=True).message
    assert re.match(r"mail\.invalid:25 cannot be reached .*: (Name or service not known|.*name resolution)", said)


@pytest.mark.parametrize("drip", [b"", b"220-go on\r\n", b"HTTP/1.1 200 OK\r\n"], ids=["silent", "mail", "web"])
@pytest.mark.parametrize("channel", ["mail", "slack"])
def test_a_server_that_hangs_costs_no_more_than_the_timeout(by_mail, by_web, drip, channel):
    begun = time.monotonic()
    with silent_port(drip) as port:
        if channel == "mail":
            sent = by_mail(port, timeout=2, fails=True)
        else:
            sent = by_web(f"http://127.0.0.1:{port}{HOOK}", "slack", timeout=2, fails=True)

    assert time.monotonic() - begun < 12
    if drip and (channel == "mail") != drip.startswith(b"220"):
        assert re.search("does not (speak as it should|answer as a mail server does)", sent.message)
    else:
        assert "did not answer within 2 s (timeout)" in sent.message
    require_no_secret(sent.output + json.dumps(sent.result))


def test_slack_gets_a_short_message_at_the_secret_url(by_web):
    with WebSink() as slack:
        sent = by_web(slack.url(HOOK), "slack")

    ((path, headers, message),) = slack.posted
    assert path == HOOK
    assert headers["Content-Type"] == "application/json"
    assert message["text"] == "[dbops] shop on db1: backup FAILED"
    assert "mariadb-dump was killed by signal 9." in message["blocks"][1]["text"]["text"]
    require_no_secret(sent.output + json.dumps(sent.result))


def test_a_program_gets_all_of_it_with_the_headers_that_it_wants(by_web, authority):
    with WebSink(tls=authority.context("localhost", "127.0.0.1"), status=204) as program:
        sent = by_web(
            program.url("/hooks/x", "localhost"),
            headers={"Authorization": "Bearer t0ken-value"},
            ca_cert=str(authority.ca),
        )

    ((_path, headers, content),) = program.posted
    assert headers["Authorization"] == "Bearer t0ken-value"
    assert {key: content[key] for key in EVENT} == EVENT
    assert content["verdict"] == "failure"
    require_no_secret(sent.output + json.dumps(sent.result))


@pytest.mark.parametrize(
    ("status", "answer", "said"),
    [
        (500, "", "answered 500 Internal Server Error. The trouble is on its side"),
        (404, "no_service", "answered 404 Not Found: no_service. The webhook was removed or disabled"),
        (404, "Cannot POST PATH", "answered 404 Not Found: Cannot POST [hidden]. Check url: there is nothing there."),
        (302, "", "answered 302 Found. It sends elsewhere, which is not followed."),
        (403, "no t0ken-value", "answered 403 Forbidden: no [hidden]. Check url and headers"),
    ],
)
def test_what_a_webhook_answers_is_told_without_its_secrets(by_web, status, answer, said):
    with WebSink(status, answer) as program:
        sent = by_web(program.url(HOOK), headers={"Authorization": "Bearer t0ken-value"}, fails=True)

    # Ansible has a mark of its own for what it hides.
    assert said in sent.message.replace("********", "[hidden]")
    require_no_secret(sent.output + json.dumps(sent.result))


@pytest.mark.parametrize(
    "url", ["hooks.example.org/aBcDeFgHiJ", "ftp://h/aBcDeFgHiJ", "https://[aBcDeFgHiJ", "http://h/aBcDeFgHiJ\n"]
)
def test_a_url_that_is_none_is_refused_without_being_shown(by_web, url):
    sent = by_web(url, fails=True)
    require_no_secret(sent.output + json.dumps(sent.result))


def test_a_header_cannot_bring_another_one(by_web):
    with WebSink() as program:
        sent = by_web(program.url(HOOK), headers={"Authorization": "t0ken-value\r\nX-Admin: 1"}, fails=True)
    assert program.posted == []
    require_no_secret(sent.output + json.dumps(sent.result))


def test_check_mode_says_what_would_be_sent_and_asks_no_server(by_mail, by_web):
    mail, post = by_mail(closed_port(), check=True), by_web(f"http://127.0.0.1:{closed_port()}{HOOK}", check=True)

    assert mail["content"].startswith("Subject: [dbops] shop on db1: backup FAILED\n\nshop on db1")
    assert json.loads(post["content"])["details"] == EVENT["details"]
    for each in (mail, post):
        assert each["changed"]
        assert not each["sent"]
        assert each["message"].startswith("Would be sent through ")


# The roles, as they are run.


class Desk(Fleet):
    """Two hosts of an application without a database, whose inventory has channels."""

    def __init__(self, directory: Path):
        super().__init__(directory, "", 0)
        self.channels: dict = {}
        self.source()

    def inventory(self) -> Path:
        path = super().inventory()
        known = yaml.safe_load(path.read_text())
        known["application"]["vars"].update(
            {
                "deploy_database": "",
                "deploy_migrate_commands": [],
                "deploy_health_url": "",
                "deploy_maintenance_on_commands": [],
                "deploy_maintenance_off_commands": [],
                **self.channels,
            }
        )
        path.write_text(yaml.safe_dump(known))
        return path

    def run(self, playbook: object, *arguments: str, **settings: str) -> subprocess.CompletedProcess:
        program = Path(sys.executable).parent / "ansible-playbook"
        done = subprocess.run(
            [program, "-i", self.inventory(), *arguments, playbook],
            env={**os.environ, **ANSIBLE_SETTINGS, **settings},
            cwd=self.directory,
            capture_output=True,
            text=True,
            check=False,
        )
        require_no_warning(done)
        return done


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


@pytest.fixture
def program(desk):
    """Where notices go: a program behind a webhook, by default."""
    with WebSink() as sink:
        desk.channels = {"notify_webhook_url": sink.url("/")}
        yield sink


def words(text: str) -> str:
    return " ".join(text.split())


FAILS = ["sh -c 'echo no room >&2; exit 3'"]


def test_a_deployment_that_fails_on_two_hosts_is_told_of_once(desk, program):
    done = desk.deploy("1", deploy_stage_commands=FAILS)

    assert done.returncode != 0
    (notice,) = program.notices
    assert notice["title"] == "shop on one, two: deployment of release 1 FAILED, rolled back"
    assert (notice["kind"], notice["outcome"], notice["verdict"]) == ("deploy", "rolled_back", "failure")
    assert notice["lines"][0].startswith("Release 1 was rolled back.")
    assert "    no room" in notice["lines"]
    assert [line for line in notice["lines"] if line.startswith("Next: mend the release")]
    assert notice["details"]["failed_phase"] == "stage"
    assert notice["details"]["deployment"] == done.report["deployment"]
    # Told before the play ends in its error, and visibly.
    assert "webhook: Sent through 127.0.0.1:" in words(done.stdout)


def test_success_is_silent_unless_it_is_wanted_and_a_rollback_by_hand_that_goes_well_is_one(desk, program):
    assert desk.deploy("1").returncode == 0
    assert program.notices == []

    done = desk.deploy("2", notify_on=["failure", "success"])

    assert done.returncode == 0, done.stdout
    assert [(notice["title"], notice["verdict"]) for notice in program.notices] == [
        ("shop on one, two: release 2 is live", "success")
    ]

    # Though its outcome is that of a deployment that failed.
    assert desk.play("rollback.yml").returncode == 0
    assert len(program.notices) == 1
    assert desk.play("rollback.yml", deploy_rollback_release="9").returncode != 0
    assert [notice["title"] for notice in program.notices[1:]] == [
        "shop on one, two: rollback REFUSED, nothing was touched"
    ]


def test_check_mode_shows_the_notice_and_sends_nothing(desk, program):
    done = desk.deploy("1", "--check", notify_on=["success"])
    rollback = desk.play("rollback.yml", "--check")

    assert done.returncode == 0, done.stdout
    assert program.notices == []
    assert "webhook: Would be sent through 127.0.0.1" in words(done.stdout)
    assert "shop on one, two: release 1 would be deployed" in words(done.stdout)
    # Refused, as there is no release before.
    assert rollback.returncode != 0
    assert "REFUSED, nothing was touched" in words(rollback.stdout)


ENDS = {
    "deployed": {},
    "rolled_back": {"deploy_stage_commands": FAILS},
    "refused": {"deploy_after_restart_tasks": "no/such/file.yml"},
}


@pytest.mark.parametrize(
    ("channels", "said", "outcome"),
    [
        ({"notify_mail_secure": "ssl"}, "mail: NOT DELIVERED. value of secure must be one of: starttls", "refused"),
        ({"notify_timeout": "soon"}, "mail: NOT DELIVERED. argument", "rolled_back"),
        ({"notify_mail_password": "{{ vault_nothing }}"}, "No notice was sent: ", "refused"),
        ({"notify_on": "{{ vault_nothing }}"}, "No notice was sent: ", "deployed"),
    ],
)
def test_channels_that_are_set_up_wrongly_do_not_change_how_a_deployment_ends(desk, channels, said, outcome):
    desk.channels = {"notify_mail_to": ["ops@example.org"], "notify_on": ["failure", "success"], **channels}

    done = desk.deploy("1", **ENDS[outcome])

    assert done.report["outcome"] == outcome, done.stdout
    assert (done.returncode == 0) == (outcome == "deployed"), done.stdout
    assert said in words(done.stdout)


def test_a_trial_tells_of_every_channel_that_does_not_work_and_shows_no_secret_at_any_verbosity(
    desk, mail_server, authority
):
    # As in an inventory with a vault: what is given by -e, Ansible shows by itself.
    desk.channels = {
        "notify_mail_to": ["ops@example.org"],
        "notify_mail_host": "localhost",
        "notify_mail_port": mail_server.port,
        "notify_mail_ca_cert": str(authority.ca),
        "notify_mail_username": LOGIN[0],
        "notify_mail_password": LOGIN[1] + "x",
        "notify_webhook_headers": {"Authorization": "Bearer t0ken-value"},
    }
    with WebSink(404, "Cannot POST PATH") as slack, WebSink(500, "t0ken-value is wrong") as program:
        desk.channels.update(notify_slack_webhook=slack.url(HOOK), notify_webhook_url=program.url("/aBcDeFgHiJ"))
        done = desk.run(CHECKOUT / "playbooks" / "notify.yml", "-vvvvv", ANSIBLE_DISPLAY_TRACEBACK="always")
        checked = desk.run(CHECKOUT / "playbooks" / "notify.yml", "-vvv", "--check", "--diff")

    assert done.returncode != 0
    said = words(done.stdout)
    assert "mail: NOT DELIVERED. localhost:" in said
    assert "slack: NOT DELIVERED. 127.0.0.1:" in said
    assert "webhook: NOT DELIVERED. 127.0.0.1:" in said
    assert "500 Internal Server Error" in said
    assert len(slack.posted) == len(program.posted) == 1
    assert checked.returncode == 0, checked.stdout
    for run in (done, checked):
        require_no_secret(run.stdout + run.stderr)


def test_a_trial_that_arrives_ends_well(desk, program, mail_server, authority):
    desk.channels.update(
        notify_mail_to=["ops@example.org", "ada@example.org"],
        notify_mail_from="dbops@example.org",
        notify_mail_port=mail_server.port,
        notify_mail_ca_cert=str(authority.ca),
        notify_mail_username=LOGIN[0],
        notify_mail_password=LOGIN[1],
        notify_slack_webhook=program.url(HOOK),
    )

    done = desk.run(CHECKOUT / "playbooks" / "notify.yml")

    assert done.returncode == 0, done.stdout
    assert "changed=0" in done.stdout
    assert [mail["Subject"] for mail in mail_server.mails] == ["[dbops] one, two: a notice on TRIAL, nothing failed"]
    assert sorted(path for path, _headers, _content in program.posted) == ["/", HOOK]


def test_a_trial_without_a_channel_says_which_variables_there_are(desk):
    done = desk.run(CHECKOUT / "playbooks" / "notify.yml")
    assert done.returncode != 0
    assert "No channel is set up for these hosts: notify_mail_to" in words(done.stdout)
