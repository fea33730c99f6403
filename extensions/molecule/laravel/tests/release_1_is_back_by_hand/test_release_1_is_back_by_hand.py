def test_the_release_before_the_bad_ones_answers(parcels):
    assert parcels.live() == "1"
    assert "Parcels on their way" not in parcels.ask("http://127.0.0.1/")[1]


def test_the_release_that_was_left_is_marked_bad_and_the_data_stayed(parcels):
    assert parcels.journal()[-1] == ("3", "rolled_back")
    assert int(parcels.query("SELECT COUNT(*) FROM parcels WHERE delivered_by = '3'")) > 0
