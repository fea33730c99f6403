# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lock: one JSON file that says who is deploying, so that two deployments never meet on a host.

Private to the collection.
"""

from __future__ import annotations

import json
import os
from typing import Any

from ansible_collections.dbops.recovery.plugins.module_utils._errors import os_error


def read_lock(path: str) -> dict[str, Any] | None:
    """Return what the lock says, {} when it cannot be read as JSON, None when there is no lock."""
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            content = json.load(stream)
    except FileNotFoundError:
        return None
    except ValueError:
        return {}
    except OSError as error:
        raise os_error("Reading the lock", error) from error
    return content if isinstance(content, dict) else {}


def take_lock(path: str, content: dict[str, Any], force: bool = False) -> bool:
    """Take the lock, and return whether it was taken; force replaces a held one.

    The file is written beside and then linked to its name: it appears whole, or not at all, or was there before.
    """
    beside = f"{path}.{os.getpid()}"
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        try:
            with open(beside, "w", encoding="utf-8") as stream:
                json.dump(content, stream)
                stream.flush()
                os.fsync(stream.fileno())
            if force:
                os.replace(beside, path)
            else:
                os.link(beside, path)
        finally:
            if os.path.lexists(beside):
                os.unlink(beside)
    except FileExistsError:
        return False
    except OSError as error:
        raise os_error("Taking the lock", error) from error
    return True


def drop_lock(path: str) -> None:
    """Remove the lock."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise os_error("Removing the lock", error) from error


def describe_lock(lock: dict[str, Any]) -> str:
    """Given a lock's content, say in words who holds it: "release 2 is being deployed by ann on ci-7 since ..."."""
    if not lock:
        return "the lock file is there but cannot be read, so nobody knows who holds it"
    release = f" of release {lock['release']}" if lock.get("release") else ""
    return (
        f"the deployment {lock.get('deployment', '(unnamed)')}{release} by {lock.get('owner', 'somebody')} "
        f"from {lock.get('controller') or 'an unknown machine'} holds it since {lock.get('since', 'an unknown time')}"
    )
