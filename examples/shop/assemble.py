"""Put the source of one release of the shop into a directory, or all of them into a git repository.

    python3 examples/shop/assemble.py 3 /tmp/shop-3
    python3 examples/shop/assemble.py --git /tmp/shop.git-work      # a commit and a tag for each release

Release 1 is complete; each later one holds only the files that it changes, so release 3 is 1, then 2, then 3.
Needs the standard library only; --git needs git.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
from pathlib import Path

RELEASES = Path(__file__).resolve().parent / "releases"


def numbers() -> list[int]:
    """Return the numbers of all releases, oldest first."""
    return sorted(int(path.name) for path in RELEASES.iterdir() if path.name.isdigit())


def assemble(release: int, directory: Path) -> None:
    """Write the source tree of a release into directory, which is made if it is missing and must be empty.

    Raise FileExistsError for a directory that holds something, ValueError for a release that does not exist.
    """
    if release not in numbers():
        raise ValueError(f"There is no release {release}; there are {', '.join(map(str, numbers()))}.")
    if directory.exists() and any(directory.iterdir()):
        raise FileExistsError(f"{directory} is not empty; choose a new directory or empty it first.")
    for number in numbers():
        if number <= release:
            lay_over(number, directory)


def lay_over(number: int, directory: Path) -> None:
    """Copy the files that this one release brings over what stands in directory."""
    # New times (copy, not copy2): to git a file of the same size and time is an unchanged one.
    leftovers = shutil.ignore_patterns("__pycache__", "*.pyc")
    source = RELEASES / str(number)
    shutil.copytree(source, directory, copy_function=shutil.copy, ignore=leftovers, dirs_exist_ok=True)


def make_repository(directory: Path) -> None:
    """Make a git repository with one commit and one tag (1, 2, ...) for each release; the same hashes every time."""
    directory.mkdir(parents=True, exist_ok=True)
    if any(directory.iterdir()):
        raise FileExistsError(f"{directory} is not empty; choose a new directory or empty it first.")
    git(directory, "init", "--quiet", "--initial-branch=main")
    for number in numbers():
        lay_over(number, directory)
        git(directory, "add", "--all")
        git(directory, "commit", "--quiet", "--no-gpg-sign", f"--message=Release {number}")
        git(directory, "tag", "--no-sign", str(number))


def git(directory: Path, *arguments: str) -> None:
    """Run git in directory as a fixed author at a fixed time, whatever this user's configuration says."""
    person = {"NAME": "The shop's developers", "EMAIL": "developers@shop.example.org", "DATE": "2026-01-01T12:00:00Z"}
    identity = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in person.items()}
    environment = {**os.environ, **identity, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    subprocess.run(["git", *arguments], cwd=directory, env=environment, check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("release", nargs="?", type=int, help="number of the release")
    parser.add_argument("directory", type=Path, help="where to; made if missing, must be empty")
    parser.add_argument("--git", action="store_true", help="make a repository with a tag for each release")
    options = parser.parse_args()
    if options.git == (options.release is not None):
        parser.error("give either a release or --git")
    try:
        if options.git:
            make_repository(options.directory)
        else:
            assemble(options.release, options.directory)
    except (FileExistsError, ValueError) as error:
        parser.exit(1, f"{error}\n")


if __name__ == "__main__":
    main()
