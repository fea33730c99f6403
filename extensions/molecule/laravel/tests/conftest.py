"""The host, and what must be true of it whatever was deployed last."""

from __future__ import annotations

import json
import os
import time

import pytest
import testinfra


class Parcels:
    """What a visitor and an administrator see of the parcel service."""

    def __init__(self):
        self.host = testinfra.get_host(f"ansible://app1?ansible_inventory={os.environ['DBOPS_MOLECULE_INVENTORY']}")

    def ask(self, address, method="GET"):
        """Return status and body of a page, as asked for on the host itself."""
        program = (
            "import sys, urllib.request as r, urllib.error as e\n"
            "try: a = r.urlopen(r.Request(sys.argv[1], method=sys.argv[2]))\n"
            "except e.HTTPError as error: a = error\n"
            "print(a.status); print(a.read().decode())"
        )
        status, body = self.host.check_output("python3 -c %s %s %s", program, address, method).split("\n", 1)
        return int(status), body

    def live(self):
        return os.path.basename(self.host.check_output("readlink /srv/parcels/current"))

    def running(self, command):
        """Return the release in which each process with this command runs."""
        look = f"for one in $(pgrep -f '^{command}'); do readlink /proc/$one/cwd; done"
        # As their user: root of a container may not look.
        places = self.host.check_output("runuser -u parcels -- sh -c %s", look)
        return [os.path.basename(place) for place in places.split()]

    def journal(self):
        """Return (release, result) of each deployment that came to an end."""
        lines = self.host.file("/srv/parcels/.dbops/journal.jsonl").content_string.splitlines()
        entries = [json.loads(line) for line in lines]
        return [(entry["release"], entry["result"]) for entry in entries if entry["step"] == "finish"]

    def query(self, statement):
        return self.host.check_output("mariadb -BNe %s parcels", statement)

    def backups(self):
        return self.host.check_output("find /var/backups/parcels -name '*.sql.zst'").split()


@pytest.fixture(scope="session")
def parcels():
    return Parcels()


@pytest.fixture(autouse=True, scope="session")
def all_of_it_runs_the_live_release_and_is_in_order(parcels):
    """After every act: page, workers, scheduler and Node run the live release, and nothing is locked or open to all."""
    live = parcels.live()
    status, page = parcels.ask("http://127.0.0.1/")
    assert (status, f"Release {live}" in page) == (200, True)
    assert parcels.running("/usr/bin/php /srv/parcels/current/artisan queue:work") == [live, live]
    assert parcels.running("/usr/bin/php /srv/parcels/current/artisan schedule:work") == [live]
    assert json.loads(parcels.ask("http://127.0.0.1:8081/")[1]) == {"release": live}
    assert not parcels.host.file("/srv/parcels/shared/storage/framework/down").exists
    assert not parcels.host.file("/srv/parcels/.dbops/lock.json").exists
    assert parcels.host.check_output("find /srv/parcels ! -type l -perm -o+w") == ""
    assert parcels.host.check_output("find /srv/parcels ! -user parcels") == ""
    assert parcels.host.file("/srv/parcels/shared/.env").mode == 0o640


@pytest.fixture(autouse=True, scope="session")
def a_parcel_is_delivered_by_a_worker_of_the_live_release(parcels, all_of_it_runs_the_live_release_and_is_in_order):
    code = f"P-{time.time():.0f}"
    assert parcels.ask(f"http://127.0.0.1/parcels/{code}", "POST")[0] == 202
    patience = time.monotonic() + 15
    while (by := parcels.query(f"SELECT delivered_by FROM parcels WHERE code = '{code}'")) == "NULL":
        assert time.monotonic() < patience, "no worker takes the job"
        time.sleep(0.5)
    assert by == parcels.live()
