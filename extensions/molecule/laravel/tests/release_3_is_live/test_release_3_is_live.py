def test_the_release_without_migrations_is_live_and_took_no_backup(parcels):
    assert parcels.live() == "3"
    assert "Parcels on their way" in parcels.ask("http://127.0.0.1/")[1]
    # Before the migrations of 1 and of 2, and what 2 had made of it.
    assert len(parcels.backups()) == 3
