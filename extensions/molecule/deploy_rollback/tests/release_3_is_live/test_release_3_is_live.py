import json


def test_the_release_from_the_repository_answers(shop):
    assert shop.live() == "releases/3"
    assert json.loads(shop.get("/health")[1])["release"] == "3"
    assert "catalog_loyaltycard" in shop.tables()


def test_the_release_holds_no_history(shop):
    assert not shop.app.file("/srv/shop/current/.git").exists


def test_the_commit_is_in_the_journal(shop):
    commit = shop.app.check_output("git -C /var/lib/shop.git -c safe.directory=* rev-parse '3^{commit}'")
    lines = shop.app.file("/srv/shop/.dbops/journal.jsonl").content_string.splitlines()
    assert json.loads(lines[-1])["revision"] == commit


def test_the_release_that_failed_is_gone(shop):
    assert shop.app.file("/srv/shop/releases").listdir() == ["1", "3"]
