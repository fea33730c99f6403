# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A table whose files are gone or damaged is a reason for a restore, and does not prevent it."""

from __future__ import annotations

import os

import pytest

TABLES = """
CREATE TABLE plain (id INT PRIMARY KEY) ENGINE=MyISAM;
INSERT INTO plain VALUES (1);
CREATE TABLE aside (id INT PRIMARY KEY);
CREATE VIEW names AS SELECT name FROM customer;
CREATE TRIGGER stamp BEFORE INSERT ON customer FOR EACH ROW SET NEW.name = UPPER(NEW.name);
"""


@pytest.fixture
def own_server(start_server):
    server = start_server()
    yield server
    server.stop()


def remove(path):
    path.unlink()


def overwrite(path):
    """Leave the first pages, by which it is known, and spoil those that say what is in it."""
    content = bytearray(path.read_bytes())
    content[3 * 16384 : 6 * 16384] = os.urandom(3 * 16384)
    path.write_bytes(content)


def cut(path):
    path.write_bytes(path.read_bytes()[:10])


@pytest.fixture(
    params=[("customer", "customer.ibd", remove), ("customer", "customer.ibd", overwrite), ("plain", "plain.MYI", cut)],
    ids=["removed", "overwritten", "not of InnoDB"],
)
def damaged(request, own_server, make_schema, shop_script, backup):
    """A server with a shop one of whose tables is damaged; the table, what the shop was, and a backup."""
    table, file, damage = request.param
    schema = make_schema(shop_script + TABLES, on=own_server)
    before = own_server.dump(schema)
    taken = backup(schema, login_unix_socket=own_server.socket, non_transactional="accept")
    own_server.execute("CREATE TABLE made_since (id INT)", schema=schema)
    own_server.stop()
    damage(own_server.datadir / schema / file)
    own_server.start()
    return schema, table, before, taken


@pytest.mark.parametrize("strategy", ["auto", "in_place"])
def test_a_database_with_a_damaged_table_is_restored(own_server, damaged, run_module, strategy):
    schema, table, before, taken = damaged
    order = {"backup": taken["path"], "strategy": strategy, "login_unix_socket": own_server.socket}

    refused = run_module("db_restore", order, fails=True)
    assert f"cannot read all of {schema}: " in refused.message
    assert f"table {table}" in refused.message
    assert "Nothing was touched" in refused.message
    assert "restore with safety_backup: false" in refused.message
    assert ("made_since",) in own_server.query("SHOW TABLES", schema=schema)

    order["safety_backup"] = False
    foreseen = run_module("db_restore", order, check=True)
    done = run_module("db_restore", order)
    for result in (foreseen, done):
        (said,) = [each for each in map(str, result["warnings"]) if "The server cannot read" in each]
        assert f"table {table}" in said
        assert result["strategy"] == "in_place"
        assert "so that cannot be moved out" in result["strategy_reason"] or strategy == "in_place"
        assert result["removed_objects"] == ["table made_since"]
    assert done["outcome"] == "restored"
    assert own_server.dump(schema) == before
    # It is whole again.
    again = run_module("db_restore", {**order, "strategy": "swap", "safety_backup": True})
    assert again["outcome"] == "restored"


def test_a_damaged_table_is_no_obstacle_for_another_one(own_server, damaged, run_module):
    schema, table, _before, taken = damaged
    own_server.execute("INSERT INTO aside VALUES (7)", schema=schema)
    order = {"backup": taken["path"], "safety_backup": False, "login_unix_socket": own_server.socket}

    refused = run_module("db_restore", {**order, "tables": [table]}, fails=True)
    assert "Single tables are restored by a swap alone" in refused.message
    assert f"the server cannot read table {table}" in refused.message
    # Whatever goes wrong, what is not damaged goes back.
    wrong = [{"sql": "SELECT 1", "rows": [[2]]}]
    failed = run_module("db_restore", {**order, "tables": ["aside"], "queries": wrong}, fails=True)
    assert failed["outcome"] == "reverted"
    assert own_server.query("SELECT * FROM aside", schema=schema) == [(7,)]
    done = run_module("db_restore", {**order, "tables": ["aside"]})
    assert done["strategy"] == "swap"
    assert own_server.query("SELECT * FROM aside", schema=schema) == []
