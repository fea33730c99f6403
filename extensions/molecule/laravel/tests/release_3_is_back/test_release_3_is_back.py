def test_the_column_has_its_old_name_again(parcels):
    columns = parcels.query("SHOW COLUMNS FROM parcels")
    assert "delivered_by" in columns
    assert "courier" not in columns


def test_the_journal_has_it(parcels):
    assert parcels.live() == "3"
    assert parcels.journal()[-1] == ("4", "rolled_back")
