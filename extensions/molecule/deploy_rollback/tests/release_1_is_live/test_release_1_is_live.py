import json


def test_the_new_release_answers(shop):
    assert shop.live() == "releases/1"
    status, body = shop.get("/health")
    assert (status, json.loads(body)["release"]) == (200, "1")


def test_the_settings_are_shared(shop):
    assert shop.app.check_output("readlink /srv/shop/releases/1/.env") == "../../shared/.env"


def test_a_second_run_changed_nothing_and_took_no_further_backup(shop):
    assert shop.journal() == [("1", "deployed")]
    assert len(shop.backups()) == 1


def test_the_backup_is_pinned_and_knows_its_release(shop):
    manifest = json.loads(shop.db.file(shop.backups()[0].replace(".sql.zst", ".manifest.json")).content_string)
    assert manifest["backup"]["pinned"]
    assert manifest["backup"]["labels"]["release"] == "1"
