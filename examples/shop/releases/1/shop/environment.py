"""Settings that differ between servers: the environment first, then a file of KEY=value lines."""

import os
from pathlib import Path


def read_environment(path: Path) -> dict:
    """Return the variables of the file at path, where it exists, overridden by those of the process."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    pairs = (line.split("=", 1) for line in lines if "=" in line and not line.lstrip().startswith("#"))
    return {**{key.strip(): value.strip() for key, value in pairs}, **os.environ}
