"""What an administrator finds on the test host, in the store and on the controller."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import testinfra

REPORTS = "/var/lib/dbops.recovery/restore-tests"


def reach(name):
    return testinfra.get_host(f"ansible://{name}?ansible_inventory={os.environ['DBOPS_MOLECULE_INVENTORY']}")


class Drill:
    """The test host, the store, and what they have."""

    def __init__(self):
        self.host = reach("drill1")
        self.store = reach("store1")
        self.variables = self.host.ansible.get_variables()
        self.fetched = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "restore-tests"

    def records(self):
        """Return the records on the test host by database, oldest first."""
        found = {}
        for path in sorted(self.host.check_output(f"ls {REPORTS}/*.restore-test.json").split()):
            record = json.loads(self.host.file(path).content_string)
            found.setdefault(record["database"], []).append(record)
        return found

    def in_the_store(self):
        """Return the names of the files in the bucket, as the store itself lists them."""
        shell = "echo fs.ls /buckets/backups/nightly | weed shell -master=127.0.0.1:9333 2>/dev/null"
        return [word for word in self.store.check_output(shell).split() if "." in word]

    def evidence(self, backup):
        """Return the evidence about a backup, oldest first, as its manifest in the store has it."""
        shell = f"echo fs.cat /buckets/backups/nightly/{backup}.manifest.json | weed shell -master=127.0.0.1:9333"
        said = self.store.check_output(f"{shell} 2>/dev/null")
        return json.loads(said[said.index("{") : said.rindex("}") + 1])["verifications"]


@pytest.fixture(scope="session")
def drill():
    return Drill()


@pytest.fixture(scope="session", autouse=True)
def the_host_is_clean(drill):
    """After every act: no server, no data and no secret is left, and the records are nobody else's business."""
    host = drill.host
    assert host.run("pgrep mariadbd").rc == 1
    assert host.check_output("find /var/tmp -name 'dbops-*'") == ""
    assert host.check_output(f"find {REPORTS} -perm /077") == ""
    assert host.check_output("systemctl list-units --failed --plain --no-legend") == ""
    said = host.check_output(f"journalctl --no-pager; cat {REPORTS}/*")
    assert drill.variables["store_secret_key"] not in said
