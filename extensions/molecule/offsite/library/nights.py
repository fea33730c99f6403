"""Let many nights pass on a host: a backup, its upload, the pruning of both places, with the clock set on by a day.

The backup of each night is the newest real one of a directory under another name. The rest is what the modules do, in
one process and with one connection to the store: to begin anew takes longer than all the rest of such a night.
"""

import os
from datetime import datetime, timedelta, timezone

from ansible_collections.dbops.recovery.plugins.module_utils._actions import prune, upload
from ansible_collections.dbops.recovery.plugins.module_utils._archive import catalog, manifest
from ansible_collections.dbops.recovery.plugins.module_utils._arguments import store_options
from ansible_collections.dbops.recovery.plugins.module_utils._module import run_module
from ansible_collections.dbops.recovery.plugins.module_utils._storage.stores import open_store

DAY = timedelta(days=1)
UPLOAD = {"backup": "latest", "database": None, "max_age": None, "verify": "none", "metadata": None, "read_back": False}
POLICY = {
    "database": None,
    "keep_last": 0,
    "keep_within": None,
    "weekly_on": "sunday",
    "monthly_on": 1,
    "timezone": "UTC",
    "max_total_size": None,
    "min_age": "1h",
    "max_delete_fraction": 0.5,
    "max_newest_age": "14d",
    "state_directory": None,
}


def pass_nights(options, _check_mode):
    real = catalog.find("latest", options["source"])
    directory, last = options["directory"], datetime.fromisoformat(options["last"]).replace(tzinfo=timezone.utc)
    catalog.make_directory(directory)
    store = open_store(options)
    upload.open_store = prune.open_store = lambda _options: store
    there = {**UPLOAD, **POLICY, **options, "directory": directory}
    here = {**there, "store": None, "keep_daily_days": 2, "keep_weekly": 0, "keep_monthly": 0}
    for night in range(options["nights"]):
        moment = last - (options["nights"] - 1 - night) * DAY
        back_up(real, directory, moment)
        upload.upload_backups(there, False)
        as_of = {"as_of": f"{moment + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"}
        prune.prune_backups({**there, **as_of, "directory": None}, False)
        prune.prune_backups({**here, **as_of}, False)
    return {"changed": True}


def back_up(real, directory, moment):
    name, suffix = f"shop_{moment:%Y-%m-%d_%H%M%S}", os.path.basename(real.path)[len(real.name) :]
    head = {**real.manifest["backup"], "name": name, "started": f"{moment:%Y-%m-%dT%H:%M:%SZ}"}
    content = {**real.manifest, "backup": head, "archive": {**real.manifest["archive"], "file": name + suffix}}
    manifest.write(os.path.join(directory, name + manifest.SUFFIX), content)
    os.link(real.path, os.path.join(directory, name + suffix))


if __name__ == "__main__":
    run_module(
        pass_nights,
        {
            **store_options(),
            "source": {"type": "path", "required": True},
            "directory": {"type": "path", "required": True},
            "nights": {"type": "int", "required": True},
            "last": {"type": "str", "required": True},
            "keep_daily_days": {"type": "int", "required": True},
            "keep_weekly": {"type": "int", "required": True},
            "keep_monthly": {"type": "int", "required": True},
        },
    )
