#!/usr/bin/python

# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: notice
short_description: Tell people or programs what happened, by mail, Slack or a webhook
description:
  - Sends one notice through one channel. Fails when it cannot be delivered, with what came back and what to check.
  - Neither results nor errors hold a password, a header or more of a webhook's URL than its host.
  - The role C(notify) does it for all channels, once a run, and without failing.
version_added: 0.1.0
author:
  - The dbops.recovery authors (@dbops)
extends_documentation_fragment:
  - dbops.recovery.attributes
attributes:
  check_mode:
    support: full
    details:
      - Returns what would be sent. Nothing is sent, and no server is asked.
  diff_mode:
    support: none
  idempotent:
    support: none
options:
  channel:
    description:
      - V(mail) hands a mail to a server, V(slack) posts to an incoming webhook of Slack, and V(webhook) posts JSON with
        the keys of O(event), and C(time), to a URL of your own.
    type: str
    choices: [mail, slack, webhook]
    required: true
  event:
    description:
      - What happened.
    type: dict
    required: true
    suboptions:
      kind:
        description:
          - What was done, such as V(backup), V(deploy) or V(restore).
        type: str
        required: true
      outcome:
        description:
          - How it ended, in the words of who did it, such as V(rolled_back).
        type: str
        required: true
      verdict:
        description:
          - Whether that is well.
        type: str
        choices: [failure, success]
        default: failure
      title:
        description:
          - One line that says it all. It is the subject of the mail.
        type: str
        required: true
      lines:
        description:
          - What failed and what to do next, for a person, line by line.
        type: list
        elements: str
        default: []
      details:
        description:
          - Values for a program. A mail ends with those that fit on a line, Slack gets none.
        type: dict
        default: {}
  to:
    description:
      - The recipients of the mail.
    type: list
    elements: str
  sender:
    description:
      - Whom the mail is from. Without it, C(dbops) at the full name of the host.
    type: str
  host:
    description:
      - The mail server.
    type: str
    default: localhost
  port:
    description:
      - Its port. Without it, 587 for V(starttls), 465 for V(tls) and 25 for V(never), the values of O(secure).
    type: int
  secure:
    description:
      - V(starttls) begins in the clear and goes on in TLS, or not at all. V(tls) is TLS from the first byte. V(never)
        is for a server on this host or in a network that you trust; O(username) is refused with it.
      - The server's certificate must be valid and be for O(host).
    type: str
    choices: [starttls, tls, never]
    default: starttls
  ca_cert:
    description:
      - A file with the certificate authorities that the server's certificate is checked against. Without it, those of
        the system.
    type: path
  username:
    description:
      - The account on the mail server. Without it, none is used.
    type: str
  password:
    description:
      - The account's password.
    type: str
  url:
    description:
      - The URL to post to. A secret, since whoever knows it may post.
    type: str
  headers:
    description:
      - HTTP headers for V(webhook), the value of O(channel), such as C(Authorization). Secrets.
    type: dict
  timeout:
    description:
      - Seconds that all of it may take.
    type: int
    default: 10
"""

EXAMPLES = r"""
- name: Send a mail
  dbops.recovery.notice:
    channel: mail
    to: [ops@example.org]
    sender: dbops@example.org
    host: mail.example.org
    username: dbops
    password: "{{ vault_mail_password }}"
    event:
      kind: backup
      outcome: failed
      title: "shop on db1: backup FAILED"
      lines:
        - "Dumping shop failed: mariadb-dump was killed by signal 9."
        - "Next: see whether the host ran out of memory, and back up again."
      details: {database: shop, seconds: 12.4}
  delegate_to: localhost

- name: Post to a program
  dbops.recovery.notice:
    channel: webhook
    url: https://alerts.example.org/dbops
    headers: {Authorization: "Bearer {{ vault_alerts_token }}"}
    event: {kind: backup, outcome: done, verdict: success, title: "shop on db1: backed up"}
  delegate_to: localhost
"""

RETURN = r"""
sent:
  description: Whether it was sent, which it is not in check mode.
  returned: success
  type: bool
  sample: true
message:
  description: Where it went, for a person.
  returned: success
  type: str
  sample: Sent through mail.example.org:587 to ops@example.org.
content:
  description: What was sent, or would be. A mail's subject and text, or the JSON.
  returned: success
  type: str
  sample: "Subject: [dbops] shop on db1: backup FAILED\n\nshop on db1: backup FAILED\n"
accepted:
  description: The recipients that the mail server took the mail for, although it refused others.
  returned: when the mail server refused a recipient
  type: list
  elements: str
  sample: [ops@example.org]
refused:
  description: The recipients that the mail server refused.
  returned: when the mail server refused a recipient
  type: list
  elements: str
  sample: [gone@example.org]
"""

from ansible_collections.dbops.recovery.plugins.module_utils._actions.notice import CHANNELS, send_notice
from ansible_collections.dbops.recovery.plugins.module_utils._module import run_module


def main():
    """Run the module."""
    run_module(
        send_notice,
        {
            "channel": {"type": "str", "choices": list(CHANNELS), "required": True},
            "event": {
                "type": "dict",
                "required": True,
                "options": {
                    "kind": {"type": "str", "required": True},
                    "outcome": {"type": "str", "required": True},
                    "verdict": {"type": "str", "choices": ["failure", "success"], "default": "failure"},
                    "title": {"type": "str", "required": True},
                    "lines": {"type": "list", "elements": "str", "default": []},
                    "details": {"type": "dict", "default": {}},
                },
            },
            "to": {"type": "list", "elements": "str"},
            "sender": {"type": "str"},
            "host": {"type": "str", "default": "localhost"},
            "port": {"type": "int"},
            "secure": {"type": "str", "choices": ["starttls", "tls", "never"], "default": "starttls"},
            "ca_cert": {"type": "path"},
            "username": {"type": "str"},
            "password": {"type": "str", "no_log": True},
            "url": {"type": "str", "no_log": True},
            "headers": {"type": "dict", "no_log": True},
            "timeout": {"type": "int", "default": 10},
        },
        required_if=[("channel", "mail", ["to"]), ("channel", "slack", ["url"]), ("channel", "webhook", ["url"])],
        required_together=[("username", "password")],
    )


if __name__ == "__main__":
    main()
