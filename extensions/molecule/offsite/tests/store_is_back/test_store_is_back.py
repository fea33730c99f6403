def test_what_was_missing_was_sent(nights):
    (store,) = nights.report()["stores"]
    # The old one, that of the night before, and tonight's; the first night's is there.
    old, _first, before, tonight = nights.in_the_store()
    assert set(store["sent"]) == {old, before, tonight}


def test_the_host_was_pruned_once_everything_was_off_site(nights):
    old, first, before, tonight = nights.in_the_store()
    assert nights.on_the_host() == [first, before, tonight]
    (here,) = [place for place in nights.report()["pruned"] if place["place"].endswith("/var/backups/shop")]
    assert here["deleted"] == [old]
