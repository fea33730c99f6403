def test_the_first_release_answers(parcels):
    assert parcels.live() == "1"
    assert parcels.journal() == [("1", "deployed")]


def test_settings_and_storage_are_shared_and_public_files_are_linked(parcels):
    links = ["/.env", "/storage", "/public/storage"]
    found = [parcels.host.check_output(f"readlink /srv/parcels/releases/1{link}") for link in links]
    assert found == ["../../shared/.env", "../../shared/storage", "/srv/parcels/releases/1/storage/app/public"]


def test_the_caches_are_made(parcels):
    made = parcels.host.file("/srv/parcels/current/bootstrap/cache").listdir()
    assert {"config.php", "routes-v7.php"} <= set(made)


def test_a_reboot_would_start_the_live_node_process(parcels):
    saved = parcels.host.file("/home/parcels/.pm2/dump.pm2").content_string
    assert "/srv/parcels/releases/1/node/server.js" in saved
