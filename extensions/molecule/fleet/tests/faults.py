"""What goes wrong. Each of these begins while a run is held before a step, and is set right after that run."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager


@contextmanager
def meanwhile(fleet, host, goes_wrong, is_set_right):
    fleet.on(host, goes_wrong)
    yield
    fleet.on(host, is_set_right)


def full_disk(fleet, host, directory, leaving=0):
    free = f"$(df --output=avail -k {directory} | tail -n 1)"
    fill = f"fallocate --length $(({free} - {leaving}))K {directory}/filler"
    return meanwhile(fleet, host, fill, f"rm {directory}/filler")


def app2_loses_the_network(fleet, controller):
    return meanwhile(fleet, "app2", "ip link set eth0 down", "ip link set eth0 up")


def app2_has_a_full_disk(fleet, controller):
    return full_disk(fleet, "app2", "/srv")


def app2_has_a_disk_that_runs_full(fleet, controller):
    return full_disk(fleet, "app2", "/srv", leaving=64)


def app2_cannot_write_what_is_shared(fleet, controller):
    return meanwhile(fleet, "app2", "chown root: /srv/shop/shared", "chown deploy: /srv/shop/shared")


def app2_loses_a_file_of_the_new_release_and_all_room(fleet, controller):
    """The way back needs neither: not even the journal may stop it."""
    fleet.on("app2", "rm /srv/shop/releases/3/manage.py")
    return full_disk(fleet, "app2", "/srv")


def the_backups_have_a_full_disk(fleet, controller):
    return full_disk(fleet, "db1", "/var/backups")


def the_database_is_killed(fleet, controller):
    """Debian's unit starts it again by itself, five seconds later."""
    kill = "systemctl kill --signal=KILL mariadb.service"
    return meanwhile(fleet, "db1", kill, "systemctl start mariadb.service")


def the_database_is_killed_and_stays_dead(fleet, controller):
    kill = "systemctl kill --signal=KILL mariadb.service && systemctl stop mariadb.service"
    return meanwhile(fleet, "db1", kill, "systemctl start mariadb.service")


@contextmanager
def the_controller_is_killed(fleet, controller):
    os.killpg(controller.pid, signal.SIGKILL)
    yield
