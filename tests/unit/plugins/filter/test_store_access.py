"""The filter that leaves of a store in an inventory what every module takes."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.dbops.recovery.plugins.filter.store_access import store_access

BUCKET = {"store": "s3://backups/shop", "access_key": "key"}


def test_what_only_sending_needs_is_left_out():
    store = {**BUCKET, "is_offsite": True, "bandwidth": "1M", "object_lock_days": 30}

    assert store_access(store) == BUCKET
    assert store_access(store, ["is_offsite"]) == {**BUCKET, "is_offsite": True}


def test_a_key_that_nobody_knows_is_an_error_that_names_the_one_that_was_meant():
    with pytest.raises(AnsibleFilterError, match=r"s3://backups/shop has 'acces_key', .* did you mean access_key"):
        store_access({"store": "s3://backups/shop", "acces_key": "key"})
    with pytest.raises(AnsibleFilterError, match=r"'zzz', which no module knows. There are: store, provider"):
        store_access({**BUCKET, "zzz": 1})


@pytest.mark.parametrize("store", ["s3://backups/shop", None, ["store"]])
def test_what_is_no_mapping_is_an_error(store):
    with pytest.raises(AnsibleFilterError, match="a mapping with the key store"):
        store_access(store)
