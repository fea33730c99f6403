# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError
from ansible_collections.dbops.recovery.plugins.module_utils._release import layout


@pytest.fixture
def place(tmp_path):
    return layout.check_root(str(tmp_path / "shop"))


@pytest.mark.parametrize("root", ["", "shop", "../shop", "/", "//", "/srv/.."])
def test_a_root_that_cannot_be_meant_is_refused(root):
    with pytest.raises(RecoveryError, match="root of an application"):
        layout.check_root(root)


@pytest.mark.parametrize("name", ["", ".", "..", "../1", "a/b", ".hidden", "-rf", "a b", "a\n", "é", "x" * 101])
def test_a_release_name_that_is_no_plain_file_name_is_refused(name):
    with pytest.raises(RecoveryError, match="name of a release"):
        layout.check_release(name)


@pytest.mark.parametrize("name", ["1", "2026-11-22_101500", "v2.4.0+build-7", "x" * 100])
def test_an_ordinary_release_name_is_taken(name):
    assert layout.check_release(name) == name


def test_nothing_is_live_before_the_first_switch(place):
    assert layout.current_release(place) is None
    assert layout.existing_releases(place) == []


def test_a_switch_makes_a_relative_link_and_leaves_nothing_beside_it(place):
    layout.make_release(place, "1")
    layout.switch(place, "1")
    assert os.readlink(place.current) == "releases/1"
    assert layout.current_release(place) == "1"
    assert sorted(os.listdir(place.root)) == [".dbops", "current", "releases", "shared"]


def test_an_absolute_link_as_other_tools_make_it_is_understood(place):
    layout.make_release(place, "20240101120000")
    os.symlink(place.release("20240101120000"), place.current)
    assert layout.current_release(place) == "20240101120000"


def test_a_link_that_leads_elsewhere_is_refused(place, tmp_path):
    layout.make_release(place, "1")
    os.symlink(str(tmp_path), place.current)
    with pytest.raises(RecoveryError, match="no release below"):
        layout.current_release(place)


def test_a_directory_in_the_place_of_the_link_is_refused(place):
    os.makedirs(place.current)
    with pytest.raises(RecoveryError, match="not a symbolic link"):
        layout.current_release(place)


def test_no_reader_ever_misses_the_live_release_while_it_is_switched(place):
    for name in ("1", "2"):
        layout.make_release(place, name)
    layout.switch(place, "1")
    seen, over = set(), threading.Event()

    def read():
        while not over.is_set():
            seen.add(layout.current_release(place))

    reader = threading.Thread(target=read)
    reader.start()
    deadline = time.monotonic() + 0.5
    while time.monotonic() < deadline:
        layout.switch(place, "2")
        layout.switch(place, "1")
    over.set()
    reader.join()
    assert seen <= {"1", "2"}


def test_staging_again_takes_away_what_a_failed_attempt_left(place):
    layout.make_release(place, "1")
    (open(os.path.join(place.release("1"), "left-over"), "w")).close()
    layout.make_release(place, "1")
    assert os.listdir(place.release("1")) == []


def test_a_removal_that_was_interrupted_leaves_no_release_under_its_name(place):
    layout.make_release(place, "1")
    os.rename(place.release("1"), os.path.join(place.releases, ".removing.1"))
    assert layout.existing_releases(place) == []
    layout.make_release(place, "1")
    layout.remove_release(place, "1")
    assert os.listdir(place.releases) == []


def test_shared_places_are_seeded_from_the_first_release_and_linked_from_each(place):
    for name in ("1", "2"):
        layout.make_release(place, name)
        os.makedirs(os.path.join(place.release(name), "media"))
        for path in (".env", "media/logo"):
            with open(os.path.join(place.release(name), path), "w") as stream:
                stream.write(name)
        assert layout.link_shared(place, name, ["media", "var/log"], [".env"], False) == ["media", "var/log", ".env"]
    for path in (".env", "media/logo"):
        with open(os.path.join(place.release("2"), path)) as stream:
            assert stream.read() == "1"
    assert os.readlink(os.path.join(place.release("2"), "var/log")) == "../../../shared/var/log"
    assert os.stat(os.path.join(place.shared, ".env")).st_mode & 0o777 == 0o640
    assert layout.link_shared(place, "2", ["media", "var/log"], [".env"], False) == []


def test_a_shared_file_that_nobody_brings_is_an_error_that_says_where_to_put_it(place):
    layout.make_release(place, "1")
    with pytest.raises(RecoveryError, match=r"shared/config/\.env does not exist"):
        layout.link_shared(place, "1", [], ["config/.env"], False)


@pytest.mark.parametrize("name", ["/etc", "../x", "a/../../b", "", ".", "a//b"])
def test_a_shared_path_that_leads_out_of_the_release_is_refused(place, name):
    layout.make_release(place, "1")
    with pytest.raises(RecoveryError, match="cannot be shared"):
        layout.link_shared(place, "1", [name], [], False)


def test_check_mode_links_nothing(place):
    layout.make_release(place, "1")
    assert layout.link_shared(place, "1", ["media"], [], True) == ["media"]
    assert os.listdir(place.release("1")) == []


def share(place, path, text="precious"):
    path = os.path.join(place.shared, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as stream:
        stream.write(text)
    return path


@pytest.mark.parametrize(
    ("directories", "files"),
    [
        (["storage", "storage/app"], []),
        (["storage/app", "storage"], []),
        (["config"], ["config/.env"]),
        (["config"], ["config"]),
        (["media", "media"], []),
    ],
)
def test_shared_names_of_which_one_lies_in_the_other_are_refused_and_what_is_shared_survives(place, directories, files):
    layout.make_release(place, "1")
    kept = [share(place, path) for path in ("storage/app/upload", "config/.env", "media/logo")]
    with pytest.raises(RecoveryError, match="cannot both be shared"):
        layout.link_shared(place, "1", directories, files, False)
    assert [Path(path).read_text() for path in kept] == ["precious"] * 3
    assert os.listdir(place.release("1")) == []


def test_names_that_only_begin_alike_can_both_be_shared(place):
    layout.make_release(place, "1")
    assert layout.link_shared(place, "1", ["media", "media-old"], [], False) == ["media", "media-old"]


def test_a_link_in_the_release_that_leads_out_of_it_is_refused_and_what_is_there_survives(place):
    layout.make_release(place, "1")
    kept = share(place, "storage/app/upload")
    os.symlink(os.path.join(place.shared, "storage"), os.path.join(place.release("1"), "storage"))
    with pytest.raises(RecoveryError, match="outside of it"):
        layout.link_shared(place, "1", ["media", "storage/app"], [], False)
    assert Path(kept).read_text() == "precious"
    assert os.listdir(place.release("1")) == ["storage"]


def test_a_link_in_the_release_to_a_place_that_is_shared_too_does_not_lead_into_what_is_shared(place):
    layout.make_release(place, "1")
    kept = share(place, "storage/app/upload")
    os.mkdir(os.path.join(place.release("1"), "storage"))
    os.symlink("storage", os.path.join(place.release("1"), "data"))
    with pytest.raises(RecoveryError, match="outside of it"):
        layout.link_shared(place, "1", ["storage", "data/app"], [], False)
    assert Path(kept).read_text() == "precious"


def test_a_seed_that_was_interrupted_never_passes_for_what_is_shared(place, monkeypatch):
    layout.make_release(place, "1")
    with open(os.path.join(place.release("1"), ".env"), "w") as stream:
        stream.write("SECRET=1")

    def full(source, target):
        raise OSError(28, "No space left on device", target)

    with monkeypatch.context() as patched:
        patched.setattr(layout.shutil, "copyfile", full)
        with pytest.raises(RecoveryError, match="No space left"):
            layout.link_shared(place, "1", [], [".env"], False)
    assert not os.path.exists(os.path.join(place.shared, ".env"))
    assert layout.link_shared(place, "1", [], [".env"], False) == [".env"]
    with open(os.path.join(place.shared, ".env")) as stream:
        assert stream.read() == "SECRET=1"
    assert os.listdir(place.shared) == [".env"]
