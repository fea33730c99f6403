"""The two hosts, and what must be true of them whatever was deployed last."""

from __future__ import annotations

import json
import os

import pytest
import testinfra


def reach(name):
    return testinfra.get_host(f"ansible://{name}?ansible_inventory={os.environ['DBOPS_MOLECULE_INVENTORY']}")


class Shop:
    """What a visitor and an administrator see of the shop."""

    def __init__(self):
        self.app = reach("app1")
        self.db = reach("db1")

    def get(self, path):
        """Return status and body of a page, as asked for on the host itself."""
        program = (
            "import sys, urllib.request as r, urllib.error as e\n"
            "try: a = r.urlopen('http://127.0.0.1:8000' + sys.argv[1])\n"
            "except e.HTTPError as error: a = error\n"
            "print(a.status); print(a.read().decode())"
        )
        status, body = self.app.check_output("python3 -c %s %s", program, path).split("\n", 1)
        return int(status), body

    def live(self):
        return self.app.check_output("readlink /srv/shop/current")

    def journal(self):
        """Return (release, result) of each deployment that came to an end."""
        lines = self.app.file("/srv/shop/.dbops/journal.jsonl").content_string.splitlines()
        entries = [json.loads(line) for line in lines]
        return [(entry["release"], entry["result"]) for entry in entries if entry["step"] == "finish"]

    def query(self, statement):
        return self.db.check_output("mariadb -BNe %s shop", statement)

    def tables(self):
        return self.query("SHOW TABLES").split()

    def backups(self):
        return self.db.check_output("find /var/backups/shop -name '*.sql.zst'").split()


@pytest.fixture(scope="session")
def shop():
    return Shop()


@pytest.fixture(autouse=True)
def the_shop_is_open_and_in_order(shop):
    """After every act: visitors get their page, nobody holds the lock, nothing stands open to the world."""
    assert shop.get("/")[0] == 200
    assert shop.app.service("shop").is_running
    assert not shop.app.file("/srv/shop/shared/maintenance.flag").exists
    assert not shop.app.file("/srv/shop/.dbops/lock.json").exists
    assert shop.app.check_output("find /srv/shop ! -type l -perm -o+w") == ""
    assert shop.app.check_output("find /srv/shop ! -user shop") == ""
    assert shop.app.file("/srv/shop/shared/.env").mode == 0o600
    assert shop.db.file("/var/backups/shop").mode == 0o700
    assert shop.db.check_output("find /var/backups/shop -type f -perm /077") == ""
