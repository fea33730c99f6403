import hashlib


def test_every_row_is_what_it_was(nights):
    rows = [f"{number}\t{hashlib.sha256(str(number).encode()).hexdigest()}" for number in range(1, 20001)]
    assert nights.query("SELECT * FROM sale ORDER BY number").split("\n") == rows


def test_what_was_not_in_the_backup_is_gone(nights):
    assert nights.query("SHOW TABLES") == "sale"


def test_it_came_from_the_newest_backup_in_the_store(nights):
    fetched = nights.db.file("/var/backups/fetched").listdir()
    assert f"{nights.in_the_store()[-1]}.sql.zst" in fetched
