# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a deployed application keeps what on a host, and the few atomic moves on it.

    ROOT/releases/ID      one directory a release
    ROOT/current          a symbolic link to the live release
    ROOT/shared/          what outlives a release
    ROOT/.dbops/          the journal and the lock

Private to the collection.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
from dataclasses import dataclass

from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError, os_error
from ansible_collections.dbops.recovery.plugins.module_utils._files import sync_directory

_RELEASE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")
SHARED_DIRECTORY_MODE = 0o750
SHARED_FILE_MODE = 0o640


@dataclass(frozen=True)
class Layout:
    """The paths below one application's root."""

    root: str

    @property
    def releases(self) -> str:
        return os.path.join(self.root, "releases")

    @property
    def current(self) -> str:
        return os.path.join(self.root, "current")

    @property
    def shared(self) -> str:
        return os.path.join(self.root, "shared")

    @property
    def bookkeeping(self) -> str:
        return os.path.join(self.root, ".dbops")

    @property
    def journal(self) -> str:
        return os.path.join(self.bookkeeping, "journal.jsonl")

    @property
    def lock(self) -> str:
        return os.path.join(self.bookkeeping, "lock.json")

    def release(self, name: str) -> str:
        return os.path.join(self.releases, name)


def check_root(root: str) -> Layout:
    """Given the application's root, return its layout. Raise RecoveryError for a path that cannot be meant."""
    if not os.path.isabs(root) or not os.path.normpath(root).strip(os.sep):
        raise RecoveryError(f"{root!r} cannot be the root of an application: give an absolute path such as /srv/shop.")
    return Layout(os.path.normpath(root))


def check_release(name: str) -> str:
    """Given a release's name, return it. Raise RecoveryError for one that is not a plain file name."""
    if not _RELEASE.fullmatch(name):
        raise RecoveryError(
            f"{name!r} cannot be the name of a release: use letters, digits and . _ + -, beginning with a letter or a "
            "digit, at most 100 of them."
        )
    return name


def current_release(layout: Layout) -> str | None:
    """Return the live release's name, or None. Raise RecoveryError for a link that leads elsewhere."""
    if not os.path.lexists(layout.current):
        return None
    if not os.path.islink(layout.current):
        raise RecoveryError(
            f"{layout.current} is not a symbolic link, so it cannot be switched between releases. Move it away (or "
            f"into {layout.releases}/, and link to it) before the first deployment."
        )
    target = os.path.join(layout.root, os.readlink(layout.current))
    parent, name = os.path.split(os.path.normpath(target))
    if os.path.realpath(parent) != os.path.realpath(layout.releases):
        raise RecoveryError(f"{layout.current} leads to {target}, which is no release below {layout.releases}.")
    return name


def existing_releases(layout: Layout) -> list[str]:
    """Return the names of the release directories, sorted."""
    try:
        with os.scandir(layout.releases) as entries:
            return sorted(
                entry.name
                for entry in entries
                if entry.is_dir(follow_symlinks=False) and _RELEASE.fullmatch(entry.name)
            )
    except FileNotFoundError:
        return []


def make_release(layout: Layout, name: str) -> None:
    """Make the release's directory, empty, whatever a failed attempt left there; and the layout around it."""
    try:
        for directory in (layout.releases, layout.shared, layout.bookkeeping):
            os.makedirs(directory, exist_ok=True)
        remove_release(layout, name)
        os.mkdir(layout.release(name))
    except OSError as error:
        raise os_error(f"Making the release {name} below {layout.root}", error) from error


def switch(layout: Layout, name: str) -> None:
    """Make the release the live one, in one step that no reader can see half done. Durable when it returns."""
    beside = os.path.join(layout.root, f".current.{os.getpid()}")
    try:
        if os.path.lexists(beside):
            os.unlink(beside)
        os.symlink(os.path.join("releases", name), beside)
        os.rename(beside, layout.current)
        sync_directory(layout.root)
    except OSError as error:
        raise os_error(f"Switching {layout.current} to the release {name}", error) from error


def remove_release(layout: Layout, name: str) -> None:
    """Remove the release's directory when there is one. The caller has made sure that it is not the live one."""
    path = layout.release(name)
    if not os.path.lexists(path):
        return
    # Renamed first: a removal that is interrupted must not leave half a release under its name.
    doomed = os.path.join(layout.releases, f".removing.{name}")
    try:
        if os.path.lexists(doomed):
            shutil.rmtree(doomed)
        os.rename(path, doomed)
        shutil.rmtree(doomed)
    except OSError as error:
        raise os_error(f"Removing the release {name}", error) from error


def link_shared(layout: Layout, release: str, directories: list[str], files: list[str], check: bool) -> list[str]:
    """Make the release use the shared directories and files; return the links made (or to be made, in check mode).

    A shared place that does not exist yet is seeded with what the release brings under that name; a directory that the
    release does not bring is made empty. Raise RecoveryError for a file that is neither shared nor in the release, and,
    before anything is touched, for names of which one lies in the other and for a place outside the release.
    """
    _check_names(directories + files)
    for name in directories + files:
        _check_inside(layout, release, name)
    linked = []
    for name in directories + files:
        shared, place = os.path.join(layout.shared, name), os.path.join(layout.release(release), name)
        target = os.path.relpath(shared, os.path.dirname(place))
        if os.path.islink(place) and os.readlink(place) == target:
            continue
        if name in files and not os.path.exists(shared) and not os.path.isfile(place):
            raise RecoveryError(
                f"The shared file {shared} does not exist, and the release {release} does not bring {name}. "
                f"Put it there (mode 0640, owned by the application's user) and deploy again."
            )
        linked.append(name)
        if check:
            continue
        # Again: a link that was just made may have led this name's parent into shared/.
        _check_inside(layout, release, name)
        try:
            _seed(shared, place, is_file=name in files)
            _put_aside(place)
            os.makedirs(os.path.dirname(place), exist_ok=True)
            os.symlink(target, place)
        except OSError as error:
            raise os_error(f"Linking {place} to {shared}", error) from error
    return linked


def _check_names(names: list[str]) -> None:
    for name in names:
        _check_relative(name)
    # Once the outer one is a link, the inner place is shared/ itself, and putting it aside would remove what is shared.
    for position, name in enumerate(names):
        for other in names[:position]:
            if f"{name}/".startswith(f"{other}/") or f"{other}/".startswith(f"{name}/"):
                raise RecoveryError(
                    f"{other} and {name} cannot both be shared: "
                    + ("they are the same. Name it once." if name == other else "one is in the other. Leave one out.")
                )


def _check_inside(layout: Layout, release: str, name: str) -> None:
    inside = os.path.realpath(layout.release(release))
    parent = os.path.realpath(os.path.dirname(os.path.join(layout.release(release), name)))
    if os.path.commonpath([inside, parent]) != inside:
        raise RecoveryError(
            f"{name} cannot be linked into the release {release}: a symbolic link in the release leads to {parent}, "
            "outside of it. Let the release bring a directory there, or nothing."
        )


def _check_relative(name: str) -> None:
    parts = name.split("/")
    if name.startswith("/") or any(part in ("", ".", "..") for part in parts):
        raise RecoveryError(
            f"{name!r} cannot be shared: give a path below the release, such as storage or config/.env."
        )


def _seed(shared: str, place: str, is_file: bool) -> None:
    if os.path.exists(shared):
        return
    if os.path.islink(shared):
        raise FileNotFoundError(errno.ENOENT, "a symbolic link that leads nowhere", shared)
    parent, name = os.path.split(shared)
    os.makedirs(parent, mode=SHARED_DIRECTORY_MODE, exist_ok=True)
    # Copied beside and renamed: a copy that was interrupted must never pass for what is shared.
    beside = os.path.join(parent, f".seeding.{name}")
    _put_aside(beside)
    if is_file:
        # Such files hold secrets: never wider than the final mode, not even for a moment.
        os.close(os.open(beside, os.O_CREAT | os.O_EXCL, SHARED_FILE_MODE))
        shutil.copyfile(place, beside)
    elif os.path.isdir(place):
        shutil.copytree(place, beside, symlinks=True)
    else:
        os.mkdir(beside, SHARED_DIRECTORY_MODE)
    _sync_tree(beside)
    os.rename(beside, shared)
    sync_directory(parent)


def _sync_tree(path: str) -> None:
    if not os.path.isdir(path):
        _sync_file(path)
        return
    for directory, _directories, files in os.walk(path):
        for name in files:
            _sync_file(os.path.join(directory, name))
        sync_directory(directory)


def _sync_file(path: str) -> None:
    if os.path.islink(path) or not os.path.isfile(path):
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _put_aside(place: str) -> None:
    if os.path.islink(place) or os.path.isfile(place):
        os.unlink(place)
    elif os.path.isdir(place):
        shutil.rmtree(place)
