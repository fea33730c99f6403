# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Single tables of a backup, in the place of the present ones or beside them."""

from __future__ import annotations

from pathlib import Path

import pytest

LINKED = """
CREATE TABLE country (code CHAR(2) PRIMARY KEY, name VARCHAR(40));
CREATE TABLE person (id INT PRIMARY KEY, country CHAR(2), name VARCHAR(40),
  CONSTRAINT lives_in FOREIGN KEY (country) REFERENCES country (code));
INSERT INTO country VALUES ('se', 'Sweden'), ('us', 'United States');
INSERT INTO person VALUES (1, 'se', 'Ada'), (2, 'us', 'Grace');
CREATE TRIGGER person_name BEFORE INSERT ON person FOR EACH ROW SET NEW.name = TRIM(NEW.name);
CREATE VIEW people AS SELECT name FROM person;
"""


@pytest.fixture
def linked(make_schema) -> str:
    return make_schema(LINKED)


def test_a_single_table_comes_back_with_its_trigger_and_nothing_else_changes(server, linked, backup, run_module):
    taken = backup(linked)
    server.execute(
        "DROP TRIGGER person_name",
        "CREATE TRIGGER person_since BEFORE DELETE ON person FOR EACH ROW SET @seen = 1",
        "DELETE FROM person",
        "UPDATE country SET name = 'since'",
        "CREATE TABLE since (id INT)",
        "CREATE OR REPLACE VIEW people AS SELECT id FROM person",
        schema=linked,
    )

    restore = {"backup": taken["path"], "tables": ["person"]}
    foreseen = run_module("db_restore", restore, check=True)
    done = run_module("db_restore", restore)

    assert (done["outcome"], done["strategy"]) == ("restored", "swap")
    assert foreseen["removed_objects"] == done["removed_objects"] == ["trigger person_since"]
    assert server.query("SELECT name FROM person ORDER BY id", schema=linked) == [("Ada",), ("Grace",)]
    assert server.query("SELECT DISTINCT name FROM country", schema=linked) == [("since",)]
    server.execute("INSERT INTO person VALUES (3, 'se', '  Radia '), (4, NULL, 'Barbara')", schema=linked)
    assert server.query("SELECT name FROM person WHERE id = 3", schema=linked) == [("Radia",)]
    assert server.query("SELECT * FROM people ORDER BY id", schema=linked) == [(1,), (2,), (3,), (4,)]
    # Its foreign key holds again, to the table that stayed.
    with pytest.raises(Exception, match="foreign key constraint fails"):
        server.execute("INSERT INTO person VALUES (5, 'xx', 'Nobody')", schema=linked)
    assert server.query("SHOW TABLES LIKE 'since'", schema=linked) == [("since",)]


def test_a_single_table_that_was_dropped_comes_back(server, linked, backup, run_module):
    taken, before = backup(linked), server.dump(linked)
    server.execute("DROP TABLE person", schema=linked)

    done = run_module("db_restore", {"backup": taken["path"], "tables": ["person"]})

    # The view on it could not be read meanwhile, and that is no reason to refuse.
    assert f"so {done['safety_backup']['name']} is without them: people: View " in str(done["warnings"])
    assert server.dump(linked) == before


def test_a_single_table_can_be_brought_back_and_taken_out_again(server, linked, backup, run_module):
    server.execute("ALTER TABLE person DROP FOREIGN KEY lives_in", schema=linked)
    taken = backup(linked)
    server.execute("DELETE FROM person WHERE id = 2", schema=linked)
    changed = server.dump(linked)

    run_module("db_restore", {"backup": taken["path"], "tables": ["person"], "keep_previous": "1h"})
    assert server.query("SELECT COUNT(*) FROM person", schema=linked) == [(2,)]
    run_module("db_restore", {"database": linked, "undo": True})

    assert server.dump(linked) == changed
    run_module("db_restore", {"database": linked, "drop_previous": True})


def test_undoing_a_single_table_leaves_all_else_as_it_has_become_since(server, linked, backup, run_module):
    server.execute("ALTER TABLE person DROP FOREIGN KEY lives_in", schema=linked)
    server.execute(
        "CREATE TRIGGER country_name BEFORE INSERT ON country FOR EACH ROW SET NEW.name = TRIM(NEW.name)",
        "CREATE PROCEDURE count_people() SELECT COUNT(*) FROM person",
        "CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY DO DELETE FROM person WHERE id < 0",
        schema=linked,
    )
    taken = backup(linked)
    server.execute(
        "DELETE FROM person WHERE id = 2",
        "DROP TRIGGER person_name",
        "CREATE TRIGGER person_name BEFORE INSERT ON person FOR EACH ROW SET NEW.name = 'since'",
        schema=linked,
    )
    changed = server.dump(linked, "--skip-routines", "--skip-events")
    run_module("db_restore", {"backup": taken["path"], "tables": ["person"], "keep_previous": "1h"})
    server.execute(
        "DROP PROCEDURE count_people",
        "CREATE PROCEDURE count_people() SELECT 'since'",
        "DROP EVENT nightly",
        schema=linked,
    )

    run_module("db_restore", {"database": linked, "undo": True})

    assert server.dump(linked, "--skip-routines", "--skip-events") == changed
    assert "'since'" in server.query("SHOW CREATE PROCEDURE count_people", schema=linked)[0][2]
    assert server.query("SHOW EVENTS", schema=linked) == []
    # And what that replaced comes back with its own trigger.
    run_module("db_restore", {"database": linked, "undo": True})
    assert server.query("SELECT COUNT(*) FROM person", schema=linked) == [(2,)]
    assert "trim" in server.query("SHOW CREATE TRIGGER person_name", schema=linked)[0][2].lower()
    run_module("db_restore", {"database": linked, "drop_previous": True})


def test_nothing_is_kept_that_would_hold_on_to_rows_in_use(server, linked, backup, run_module):
    taken = backup(linked)
    server.execute("INSERT INTO country VALUES ('fi', 'Finland')", schema=linked)
    server.execute("INSERT INTO person VALUES (3, 'fi', 'Linus')", schema=linked)

    done = run_module("db_restore", {"backup": taken["path"], "tables": ["person"], "keep_previous": "1h"})

    assert done["previous"] is None
    assert f"lives_in of person refers to {linked}.country" in str(done["warnings"])
    server.execute("DELETE FROM country WHERE code = 'fi'", schema=linked)
    assert run_module("db_restore", {"database": linked, "undo": True}, fails=True)


def test_a_table_stands_beside_its_namesake_where_a_suffix_is_given(server, linked, backup, run_module):
    taken = backup(linked)
    server.execute("UPDATE person SET name = 'since'", schema=linked)
    before = server.query("SELECT * FROM person ORDER BY id", schema=linked)

    options = {"backup": taken["path"], "tables": ["person", "country"], "table_suffix": "_restored"}
    done = run_module("db_restore", options)

    assert (done["outcome"], done["removed_objects"]) == ("restored", [])
    assert server.query("SELECT * FROM person ORDER BY id", schema=linked) == before
    assert server.query("SELECT name FROM person_restored ORDER BY id", schema=linked) == [("Ada",), ("Grace",)]
    assert server.query("SELECT COUNT(*) FROM country_restored", schema=linked) == [(2,)]

    again = run_module("db_restore", options, fails=True)
    assert "country_restored, person_restored is there already" in again.message
    assert "another table_suffix" in again.message


def test_a_table_that_others_refer_to_does_not_go_alone(server, linked, backup, run_module):
    taken, before = backup(linked), server.dump(linked)

    refused = run_module("db_restore", {"backup": taken["path"], "tables": ["country"]}, fails=True)

    assert "lives_in of person refers to country" in refused.message
    assert "Restore those tables with them" in refused.message
    assert server.dump(linked) == before
    assert run_module("db_restore", {"backup": taken["path"], "tables": ["country", "person"]})["outcome"] == "restored"
    assert server.dump(linked) == before


def warnings_of(done) -> list[str]:
    """What a module warned of; with none it returns no list."""
    return [str(each) for each in done.result.get("warnings", ())]


def no_row(child: str, parent: str, key: str) -> str:
    return f"Rows of {child} that refer to no row of {parent} by the foreign key {key}"


def test_rows_that_come_back_and_refer_to_none_are_counted(server, linked, backup, run_module):
    taken = backup(linked)
    server.execute("DELETE FROM person", "DELETE FROM country WHERE code = 'us'", schema=linked)
    server.execute("INSERT INTO person VALUES (1, 'se', 'Ada'), (2, NULL, 'Grace')", schema=linked)

    done = run_module("db_restore", {"backup": taken["path"], "tables": ["person"]})

    assert done["outcome"] == "restored"
    (warning,) = warnings_of(done)
    assert f"{no_row('person', 'country', 'lives_in')}: 1. " in warning
    assert "Restore both tables" in warning
    assert server.query("SELECT COUNT(*) FROM person", schema=linked) == [(2,)]
    # With the rows that they refer to, or beside their namesakes, there is nothing to say.
    for more in ({"tables": ["person", "country"]}, {"tables": ["person"], "table_suffix": "_old"}):
        assert warnings_of(run_module("db_restore", {"backup": taken["path"], **more})) == []


def test_rows_that_stay_and_refer_to_none_in_a_table_that_comes_back_are_counted(server, linked, backup, run_module):
    server.execute(
        "CREATE TABLE town (country CHAR(2), name VARCHAR(40), PRIMARY KEY (country, name),"
        " CONSTRAINT lies_in FOREIGN KEY (country) REFERENCES country (code))",
        "CREATE TABLE street (id INT PRIMARY KEY, country CHAR(2), town VARCHAR(40), CONSTRAINT runs_through"
        " FOREIGN KEY (country, town) REFERENCES town (country, name))",
        "INSERT INTO town VALUES ('se', 'Lund')",
        "INSERT INTO street VALUES (1, 'se', 'Lund'), (2, 'se', NULL), (3, NULL, NULL)",
        schema=linked,
    )
    taken = backup(linked)
    server.execute(
        "INSERT INTO town VALUES ('se', 'Kiruna'), ('us', 'Lund')",
        "INSERT INTO street VALUES (4, 'se', 'Kiruna'), (5, 'us', 'Lund'), (6, 'us', NULL)",
        "SET foreign_key_checks = 0",
        "DROP TABLE town",
        schema=linked,
    )

    done = run_module("db_restore", {"backup": taken["path"], "tables": ["town"], "safety_backup": False})

    (warning,) = warnings_of(done)
    assert f"{no_row('street', 'town', 'runs_through')}: 2. " in warning


def test_rows_that_refer_to_a_table_that_is_not_there_are_said_and_come_back(server, linked, backup, run_module):
    taken = backup(linked)
    server.execute("SET foreign_key_checks = 0", "DROP TABLE country", schema=linked)

    done = run_module("db_restore", {"backup": taken["path"], "tables": ["person"]})

    assert done["outcome"] == "restored"
    (warning,) = warnings_of(done)
    assert f"{no_row('person', 'country', 'lives_in')} could not be counted: " in warning
    assert f"Table '{linked}.country' doesn't exist" in warning


def test_rows_that_refer_to_none_in_a_table_that_a_backup_leaves_out_are_counted(server, linked, backup, run_module):
    taken = backup(linked, exclude_tables=["country"])
    server.execute("DELETE FROM person", "DELETE FROM country", schema=linked)

    done = run_module("db_restore", {"backup": taken["path"], "strategy": "swap"})

    (warning,) = warnings_of(done)
    assert f"{no_row('person', 'country', 'lives_in')}: 2. " in warning


@pytest.mark.parametrize(
    ("tables", "options", "words"),
    [
        (["person", "nobody"], {}, "nobody is not in "),
        (["person"], {"strategy": "in_place"}, "Single tables are restored by a swap alone"),
        (["person"], {"database": "nowhere_yet"}, "there is no database nowhere_yet for them to go into"),
        ([], {"table_suffix": "_old"}, "table_suffix goes with tables"),
    ],
)
def test_tables_that_cannot_be_restored_are_refused(server, linked, backup, run_module, tables, options, words):
    taken, before = backup(linked), server.dump(linked)

    refused = run_module("db_restore", {"backup": taken["path"], "tables": tables, **options}, fails=True)

    assert words in refused.message
    assert server.dump(linked) == before


def test_of_a_large_backup_only_the_wanted_table_is_read(server, linked, backup, run_module):
    server.execute(
        "CREATE TABLE large (id INT PRIMARY KEY, text CHAR(64))",
        "INSERT INTO large SELECT seq, MD5(seq) FROM seq_1_to_200000",
        schema=linked,
    )
    taken = backup(linked, compression="none")
    # A fault in the rows of another table does not matter to this one.
    path = Path(taken["path"])
    path.chmod(0o600)
    spoilt = path.read_bytes().replace(b"'c4ca4238a0b923820dcc509a6f75849b'", b"'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'")
    assert len(spoilt) == taken["size_bytes"]
    assert spoilt != path.read_bytes()
    path.write_bytes(spoilt)

    options = {"backup": taken["path"], "verify": "none", "safety_backup": False}
    assert run_module("db_restore", {**options, "tables": ["person"]})["outcome"] == "restored"
    failed = run_module("db_restore", {**options, "tables": ["large"]}, fails=True)
    assert failed["outcome"] == "reverted"
    assert "rows of large" in failed.message
    assert "another checksum" in failed.message
