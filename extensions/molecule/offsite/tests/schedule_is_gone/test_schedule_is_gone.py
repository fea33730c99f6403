def test_nothing_of_the_schedule_is_left(nights):
    assert nights.db.check_output("find /etc/systemd /var/lib/systemd -name '*shop-night*'") == ""
    assert nights.db.check_output("systemctl list-units --all --plain --no-legend 'shop-night*'") == ""
