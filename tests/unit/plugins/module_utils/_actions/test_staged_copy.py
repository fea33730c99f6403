"""Cutting the loading of a copy into units of work."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dbops.recovery.plugins.module_utils._actions.staged_copy import units_of
from ansible_collections.dbops.recovery.plugins.module_utils._archive.dump import ROWS, SEQUENCE, TABLE


def entry(kind: str, name: str, size: int) -> dict:
    return {"kind": kind, "object": name, "plain_bytes": size}


def test_small_tables_go_together_and_a_large_one_alone_and_first():
    entries = [
        entry(TABLE, "a", 10),
        entry(ROWS, "a", 10),
        entry(TABLE, "b", 100),
        entry(ROWS, "large", 500),
        entry(ROWS, "large", 500),
        entry(SEQUENCE, "s", 1),
    ]

    units = units_of(entries, unit_bytes=100)

    assert [[each["object"] for each in unit] for unit in units] == [["a", "a", "b", "large", "large"], ["s"]]


@given(
    st.lists(st.tuples(st.integers(1, 50), st.lists(st.integers(1, 300), max_size=4)), max_size=20), st.integers(1, 200)
)
def test_each_section_is_in_one_unit_after_its_table_and_in_its_order(tables, unit_bytes):
    entries = []
    for number, (definition, chunks) in enumerate(tables):
        entries.append(entry(TABLE, f"t{number}", definition))
        entries += [entry(ROWS, f"t{number}", size) for size in chunks]

    units = units_of(entries, unit_bytes)

    assert sorted(id(each) for unit in units for each in unit) == sorted(map(id, entries))
    for unit in units:
        assert unit[0]["kind"] == TABLE
        place = {id(each): number for number, each in enumerate(entries)}
        assert [place[id(each)] for each in unit] == sorted(place[id(each)] for each in unit)
        # Whole tables only.
        names = {each["object"] for each in unit}
        assert len(unit) == sum(each["object"] in names for each in entries)
    sizes = [sum(each["plain_bytes"] for each in unit) for unit in units]
    assert sizes == sorted(sizes, reverse=True)
