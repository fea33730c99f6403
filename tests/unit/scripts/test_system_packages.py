"""scripts/system-packages installs nothing that is there, and says what it would need where it may not install."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "scripts" / "system-packages"


def run(*wanted, path=os.environ["PATH"]):
    return subprocess.run(
        [shutil.which("bash"), str(SCRIPT), *wanted], env={"PATH": path}, capture_output=True, text=True, check=False
    )


@pytest.fixture(name="path_without_apt")
def fixture_path_without_apt(tmp_path, monkeypatch):
    """A PATH with the few programs that the script itself calls, and a script that does not look beyond it."""
    for program in ("id", "mktemp", "rm", "tail", "env"):
        (tmp_path / program).symlink_to(shutil.which(program))
    copy = tmp_path / "system-packages"
    copy.write_text("".join(line for line in SCRIPT.read_text().splitlines(True) if not line.startswith("PATH=")))
    monkeypatch.setattr(f"{__name__}.SCRIPT", copy)
    return str(tmp_path)


def test_nothing_happens_when_all_programs_are_there():
    result = run("bash:bash:runs this", "/bin/sh:dash:runs the other")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_without_apt_it_says_what_to_install_and_why(path_without_apt):
    result = run("frobnicate:frob-tools:turns the knobs", path=path_without_apt)
    assert result.returncode == 1
    assert "frob-tools: turns the knobs" in result.stderr
    assert "Install" in result.stderr


def test_a_package_with_two_missing_programs_is_named_once(path_without_apt):
    result = run("frob:frob-tools:turns the knobs", "unfrob:frob-tools:turns them back", path=path_without_apt)
    assert result.stderr.count("frob-tools") == 1


def test_an_ordinary_user_without_sudo_is_told_the_command(path_without_apt):
    for name, text in (("apt-get", "exit 1"), ("id", "echo 1000")):
        program = Path(path_without_apt, name)
        program.unlink(missing_ok=True)
        program.write_text(f"#!{shutil.which('bash')}\n{text}\n")
        program.chmod(0o755)
    result = run("frob:frob-tools:turns the knobs", path=path_without_apt)
    assert result.returncode == 1
    assert "apt-get install frob-tools" in result.stderr
