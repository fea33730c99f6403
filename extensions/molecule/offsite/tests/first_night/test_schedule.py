import json

import pytest

HOME = "/srv/100% of the night"


@pytest.fixture(scope="module")
def recorded(nights):
    """What a program got that the timer's service has started, by hand."""
    nights.db.check_output("systemctl start shop-night.service")
    return json.loads(nights.db.file(f"{HOME}/record.json").content_string)


def test_the_timer_is_set_to_the_hour_in_its_zone(nights):
    timer = nights.db.service("shop-night.timer")
    assert timer.is_enabled
    assert timer.is_running
    listed = nights.db.check_output("TZ=Europe/Berlin systemctl list-timers --no-legend shop-night.timer")
    assert " 02:00:00 CE" in listed
    assert listed.split()[-1] == "shop-night.service"


def test_systemd_has_nothing_to_say_against_the_units(nights):
    said = nights.db.run("systemd-analyze verify shop-night.timer shop-night.service")
    assert (said.rc, said.stderr) == (0, "")


def test_every_argument_arrives_as_it_was_written(nights, recorded):
    assert recorded["arguments"] == nights.variables["offsite_schedule_command"]


def test_the_environment_arrives_as_it_was_written(nights, recorded):
    assert recorded["environment"] == nights.variables["offsite_schedule_environment"]


def test_it_runs_where_and_as_whom_it_should_and_lets_others_go_first(recorded):
    assert (recorded["directory"], recorded["user"], recorded["nice"]) == (HOME, "backup", 10)


def test_only_root_can_read_the_secrets(nights):
    file = nights.db.file("/etc/systemd/system/shop-night.env")
    assert (file.user, file.mode) == ("root", 0o600)
    shown = nights.db.check_output("systemctl show shop-night.service; systemctl cat shop-night.service")
    assert nights.variables["offsite_schedule_environment"]["SHOP_SECRET"] not in shown
    assert "SHOP_SECRET" not in shown


def test_a_run_that_fails_is_seen(nights):
    nights.db.check_output("touch %s", f"{HOME}/fail")
    assert nights.db.run("systemctl start shop-night.service").rc != 0
    assert "shop-night.service" in nights.db.check_output("systemctl list-units --failed --plain --no-legend")
    assert "s3://backups/nightly cannot be reached" in nights.db.run("systemctl status shop-night.service").stdout
    nights.db.check_output("rm %s", f"{HOME}/fail")
    nights.db.check_output("systemctl start shop-night.service")
