import json


def test_the_old_release_answers_again(shop):
    assert shop.live() == "releases/3"
    assert json.loads(shop.get("/health")[1])["release"] == "3"


def test_the_database_has_the_columns_of_the_old_release_again(shop):
    columns = shop.query("SHOW COLUMNS FROM catalog_product")
    assert "stock" in columns
    assert "on_hand" not in columns


def test_the_journal_has_it(shop):
    assert shop.journal()[-1] == ("4", "rolled_back")
