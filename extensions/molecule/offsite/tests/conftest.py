"""The two hosts, and what must be true of them after every night."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import testinfra


def reach(name):
    return testinfra.get_host(f"ansible://{name}?ansible_inventory={os.environ['DBOPS_MOLECULE_INVENTORY']}")


class Nights:
    """What an administrator finds in the morning."""

    def __init__(self):
        self.db = reach("db1")
        self.store = reach("store1")
        self.variables = self.db.ansible.get_variables()

    def report(self):
        """Return what the last night has reported to the controller."""
        return json.loads((Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "night.json").read_text())

    def on_the_host(self, directory="/var/backups/shop"):
        """Return the names of the backups on the host, oldest first."""
        listed = self.db.check_output(f"find {directory} -name '*.sql.zst' -printf '%f\n' 2>/dev/null || true")
        return sorted(name.removesuffix(".sql.zst") for name in listed.split())

    def in_the_store(self, folder="nightly"):
        """Return the names of the backups in a folder of the bucket, oldest first, as the store itself lists them."""
        shell = f"echo fs.ls /buckets/backups/{folder} | weed shell -master=127.0.0.1:9333 2>/dev/null"
        files = [word for word in self.store.check_output(shell).split() if word.startswith("shop_")]
        archives = sorted(name.removesuffix(".sql.zst") for name in files if name.endswith(".sql.zst"))
        # Each has its manifest, and there is nothing else.
        assert sorted(files) == sorted(
            [f"{name}.sql.zst" for name in archives] + [f"{name}.manifest.json" for name in archives]
        )
        return archives

    def query(self, statement):
        return self.db.check_output("mariadb -BNe %s shop", statement)


@pytest.fixture(scope="session")
def nights():
    return Nights()


@pytest.fixture(scope="session", autouse=True)
def the_host_is_in_order(nights):
    """After every act: nothing failed or half-made, nothing open to others, no secret where it can be read."""
    assert nights.db.check_output("systemctl list-units --failed --plain --no-legend") == ""
    assert nights.db.check_output("find /var/backups -name '*.partial'") == ""
    assert nights.db.check_output("find /var/backups -path '*/shop_*' -perm /077") == ""
    said = nights.db.check_output("journalctl --no-pager; cat /etc/systemd/system/*.service")
    assert nights.variables["store_secret_key"] not in said
    assert nights.variables["shop_backup_password"] not in said
