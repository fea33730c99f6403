import json


def test_the_release_before_the_bad_ones_answers(shop):
    assert shop.live() == "releases/1"
    assert json.loads(shop.get("/health")[1])["release"] == "1"


def test_the_database_went_along(shop):
    assert "catalog_loyaltycard" not in shop.tables()
    assert int(shop.query("SELECT COUNT(*) FROM catalog_order")) > 0


def test_the_release_that_was_left_is_marked_bad(shop):
    assert shop.journal()[-1] == ("3", "rolled_back")
