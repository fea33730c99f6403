# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What PM2's lists mean. The real PM2 runs in the Molecule scenario `laravel`."""

from __future__ import annotations

import json

import pytest

from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError
from ansible_collections.dbops.recovery.plugins.module_utils._release import layout
from ansible_collections.dbops.recovery.plugins.module_utils._release.pm2 import Process, faults, parse_list


@pytest.fixture
def place(tmp_path):
    place = layout.check_root(str(tmp_path))
    layout.make_release(place, "1")
    layout.make_release(place, "2")
    layout.switch(place, "2")
    return place


def process(place, name="socket", release="2", **about):
    directory = place.release(release)
    return Process(
        **{
            "name": name,
            "pid": 10,
            "status": "online",
            "restarts": 0,
            "script": f"{directory}/server.js",
            "directory": directory,
            "log": "",
            **about,
        }
    )


def test_the_list_is_found_behind_the_greeting_of_a_daemon_that_was_just_started():
    entry = {"name": "socket", "pid": 7, "pm2_env": {"status": "online", "restart_time": 2, "SECRET": "hunter2"}}
    (found,) = parse_list(f"[PM2] Spawning PM2 daemon\n[PM2] PM2 Successfully daemonized\n{json.dumps([entry])}\n")
    assert (found.name, found.pid, found.status, found.restarts) == ("socket", 7, "online", 2)
    assert "hunter2" not in repr(found)


@pytest.mark.parametrize("text", ["", "[PM2] Spawning PM2 daemon", '[{"name": "socket"}]'])
def test_an_answer_without_a_list_is_an_error(text):
    with pytest.raises(RecoveryError, match="did not print a list"):
        parse_list(text)


def test_a_process_that_stays_up_and_runs_the_live_release_is_well(place):
    well = process(place)
    through_current = process(place, "other", script=f"{place.current}/server.js", directory=place.current)
    elsewhere = process(place, "third", script="/usr/bin/node-red", directory="/")
    lists = [well, through_current, elsewhere]
    assert faults(["socket", "other", "third"], lists, lists, place) == []


@pytest.mark.parametrize(
    ("later", "words"),
    [
        ({"status": "errored", "restarts": 15, "pid": 0}, "socket is errored after 15 restarts."),
        ({"restarts": 3, "pid": 12}, "socket does not stay up: PM2 has started it 3 times again."),
        ({"release": "1"}, "which is the release 1 and not 2"),
        ({"script": "/srv/server.js", "release": "1"}, "which is the release 1 and not 2"),
        ({"name": "another"}, "socket is not there"),
    ],
)
def test_what_is_wrong_with_a_process_is_said(place, later, words):
    (fault,) = faults(["socket"], [process(place)], [process(place, **later)], place)
    assert words in fault
