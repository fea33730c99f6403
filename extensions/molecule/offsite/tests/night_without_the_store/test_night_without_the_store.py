def test_the_new_backup_waits_beside_the_old_ones(nights):
    assert len(nights.on_the_host()) == 3
    assert nights.report()["backup"]["name"] == nights.on_the_host()[-1]


def test_nothing_was_pruned_not_even_what_is_a_week_old(nights):
    assert nights.report()["pruned"] == []


def test_the_report_names_the_store_and_what_is_wrong_with_it(nights):
    report = nights.report()
    assert report["outcome"] == "failure"
    assert "The store s3://backups/nightly" in report["error"]
    assert "nothing answers at https://store1:8333" in report["error"]
    assert "a copy off-site" in report["three_two_one"]["missing"]
