# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A schema with one of everything, what a migration does to it that stops half-way, and what is compared afterwards."""

from __future__ import annotations

import re

_TABLES = """
CREATE TABLE payment (id INT PRIMARY KEY AUTO_INCREMENT, orders_id INT NOT NULL, code VARCHAR(40) NOT NULL,
  note TEXT, UNIQUE KEY by_code (code), KEY by_order (orders_id, id), KEY by_note (note(20)),
  CONSTRAINT paid FOREIGN KEY (orders_id) REFERENCES orders (id) ON DELETE CASCADE);
INSERT INTO payment (orders_id, code, note)
  SELECT 1 + seq % 3, SHA1(seq), REPEAT(MD5(seq), 4) FROM seq_1_to_6000;
CREATE SEQUENCE tickets START WITH 100;
CREATE VIEW paid_orders AS SELECT o.id, double_of(o.total) AS twice FROM orders o JOIN payment p ON p.orders_id = o.id;
CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY DO DELETE FROM payment WHERE id < 0;
"""
_FUNCTION = "CREATE FUNCTION double_of(a DECIMAL(10,2)) RETURNS DECIMAL(11,2) DETERMINISTIC RETURN a * 2"


def make_busy(server, schema: str) -> None:
    """Add to the small shop a table large enough that its keys are built after its rows, and one of all else."""
    server.execute(_FUNCTION, schema=schema)
    server.load(schema, _TABLES)


def migrate(server, schema: str) -> bytes:
    """What a migration does that stops half-way; return how the schema dumps then."""
    server.execute(
        "ALTER TABLE payment ADD COLUMN half INT",
        "UPDATE customer SET name = 'changed since'",
        "CREATE TABLE made_since (id INT PRIMARY KEY, c INT, FOREIGN KEY (c) REFERENCES customer (id))",
        "CREATE TRIGGER made_since_too AFTER INSERT ON made_since FOR EACH ROW SET @seen = 1",
        "CREATE OR REPLACE VIEW big_orders AS SELECT id FROM orders",
        "CREATE VIEW view_since AS SELECT * FROM made_since",
        "CREATE OR REPLACE FUNCTION double_of(a DECIMAL(10,2)) RETURNS DECIMAL(11,2) DETERMINISTIC RETURN a * 3",
        "CREATE PROCEDURE since() SELECT 1",
        "DROP EVENT nightly",
        schema=schema,
    )
    return server.dump(schema)


def beside(server, schema: str) -> list[str]:
    """What a restore has left beside a schema on the server."""
    return [name for (name,) in server.query("SHOW DATABASES") if name.startswith(f"{schema}__")]


def restored(server, schema: str, before: bytes) -> bool:
    """Whether a schema is what it was, but for the server's own business: what a counter gives next after a crash."""
    return without_counters(server.dump(schema)) == without_counters(before)


def without_counters(dump: bytes) -> bytes:
    """A dump less what its counters give next."""
    return re.sub(rb"SETVAL\([^)]*\)| AUTO_INCREMENT=\d+", b"", dump)
