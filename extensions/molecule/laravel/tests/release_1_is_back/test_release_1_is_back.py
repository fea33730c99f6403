def test_nothing_is_left_of_the_half_made_migration(parcels):
    assert "couriers" not in parcels.query("SHOW TABLES").split()
    assert parcels.query("SELECT COUNT(*) FROM migrations WHERE migration LIKE '2026_02%'") == "0"
    assert parcels.query("SELECT recipient FROM parcels WHERE code = 'P-1'") == "Ada"


def test_the_failed_release_is_marked_bad(parcels):
    assert parcels.live() == "1"
    assert parcels.journal() == [("1", "deployed"), ("2", "rolled_back")]


def test_no_secret_of_the_maintenance_is_in_the_journal(parcels):
    assert "let-me-in" not in parcels.host.file("/srv/parcels/.dbops/journal.jsonl").content_string
