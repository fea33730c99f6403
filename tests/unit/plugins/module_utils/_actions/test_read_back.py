# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An upload to a store that damages what it takes."""

from __future__ import annotations

import os
from datetime import datetime, timezone

import pytest
from backups import put_backup

from ansible_collections.dbops.recovery.plugins.module_utils._actions import upload
from ansible_collections.dbops.recovery.plugins.module_utils._errors import Interrupted, RecoveryError
from ansible_collections.dbops.recovery.plugins.module_utils._storage.directory import DirectoryStore


class RottenStore(DirectoryStore):
    """Gives back other bytes than it was given, and does not delete: refusal is what deleting raises."""

    refusal: RecoveryError = RecoveryError("The key may not delete.")

    def download(self, name, offset=0):
        for block in super().download(name, offset):
            yield bytes(byte ^ 1 for byte in block)

    def delete(self, names):
        raise self.refusal


@pytest.fixture
def send(tmp_path, monkeypatch):
    """Upload a backup and return the error that this ends with."""
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    put_backup(here, "shop_2026-11-22_020000", "shop", datetime(2026, 11, 22, 2, tzinfo=timezone.utc))

    def run(refusal):
        store = RottenStore(str(there))
        store.refusal = refusal
        monkeypatch.setattr(upload, "open_store", lambda _options: store)
        options = {"directory": str(here), "backup": "latest", "database": None, "verify": "none"}
        with pytest.raises(RecoveryError) as caught:
            upload.upload_backups({**options, "read_back": True, "metadata": None}, check_mode=False)
        assert os.listdir(there) == ["shop_2026-11-22_020000.sql"]
        return caught.value

    return run


def test_where_the_key_may_not_delete_what_reads_back_wrong_both_are_said_the_graver_first(send):
    said = str(send(RecoveryError("The key may not delete.")))
    mismatch, refusal = said.index("reads back with the SHA-256"), said.index("The key may not delete.")
    assert mismatch < refusal
    assert "It gets no manifest" in said
    assert "It was deleted there" not in said


def test_who_is_asked_to_stop_while_it_deletes_stops(send):
    assert str(send(Interrupted("Interrupted by SIGTERM."))) == "Interrupted by SIGTERM."
