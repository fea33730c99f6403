"""What goes wrong. Each of these begins while a run is held before a step, and is set right after that run."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager


@contextmanager
def app2_loses_the_network(fleet, controller):
    fleet.on("app2", "ip link set eth0 down")
    yield
    fleet.on("app2", "ip link set eth0 up")


@contextmanager
def app2_has_a_full_disk(fleet, controller):
    fleet.on("app2", fill("/srv"))
    yield
    fleet.on("app2", "rm /srv/filler")


@contextmanager
def app2_has_a_disk_that_runs_full(fleet, controller):
    fleet.on("app2", fill("/srv", leaving=64))
    yield
    fleet.on("app2", "rm /srv/filler")


@contextmanager
def app2_cannot_write_what_is_shared(fleet, controller):
    fleet.on("app2", "chown root: /srv/shop/shared")
    yield
    fleet.on("app2", "chown deploy: /srv/shop/shared")


@contextmanager
def app2_loses_a_file_of_the_new_release_and_all_room(fleet, controller):
    """The way back needs neither: not even the journal may stop it."""
    fleet.on("app2", "rm /srv/shop/releases/3/manage.py")
    fleet.on("app2", fill("/srv"))
    yield
    fleet.on("app2", "rm /srv/filler")


@contextmanager
def the_backups_have_a_full_disk(fleet, controller):
    fleet.on("db1", fill("/var/backups"))
    yield
    fleet.on("db1", "rm /var/backups/filler")


@contextmanager
def the_database_is_killed(fleet, controller):
    """Debian's unit starts it again by itself, five seconds later."""
    fleet.on("db1", "systemctl kill --signal=KILL mariadb.service")
    yield
    fleet.on("db1", "systemctl start mariadb.service")


@contextmanager
def the_database_is_killed_and_stays_dead(fleet, controller):
    fleet.on("db1", "systemctl kill --signal=KILL mariadb.service && systemctl stop mariadb.service")
    yield
    fleet.on("db1", "systemctl start mariadb.service")


@contextmanager
def the_controller_is_killed(fleet, controller):
    os.killpg(controller.pid, signal.SIGKILL)
    yield


def fill(directory, leaving=0):
    free = f"$(df --output=avail -k {directory} | tail -n 1)"
    return f"fallocate --length $(({free} - {leaving}))K {directory}/filler"
