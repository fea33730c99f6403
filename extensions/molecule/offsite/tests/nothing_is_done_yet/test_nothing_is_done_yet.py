def test_a_rehearsal_leaves_no_backup(nights):
    assert nights.on_the_host() == []
    assert nights.in_the_store() == []


def test_a_rehearsal_leaves_no_schedule(nights):
    assert not nights.db.file("/etc/systemd/system/shop-night.timer").exists
    assert not nights.db.file("/etc/systemd/system/shop-night.env").exists
