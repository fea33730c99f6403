import json


def test_the_old_release_answers_again(shop):
    assert shop.live() == "releases/1"
    assert json.loads(shop.get("/health")[1])["release"] == "1"


def test_nothing_is_left_of_the_half_made_migration(shop):
    assert "catalog_loyaltycard" not in shop.tables()
    assert shop.query("SELECT COUNT(*) FROM django_migrations WHERE name LIKE '0003%'") == "0"


def test_the_failed_release_is_marked_bad_and_kept_to_be_looked_at(shop):
    assert shop.journal() == [("1", "deployed"), ("2", "rolled_back")]
    assert shop.app.file("/srv/shop/releases/2/manage.py").exists


def test_the_journal_says_why(shop):
    assert "Duplicate entry" in shop.app.file("/srv/shop/.dbops/journal.jsonl").content_string
