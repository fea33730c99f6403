"""Which tables change places, and how that is taken back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dbops.recovery.plugins.module_utils._database.staging import new_journal, pattern_beside
from ansible_collections.dbops.recovery.plugins.module_utils._database.swap import Swap

NAMES = st.frozensets(st.sampled_from("abcdef"))


def start(swap: Swap) -> dict:
    """Return which table stands where before a swap: "old" ones and "new" ones by place."""
    there = {(swap.live, name): f"old {name}" for name in swap.going}
    return there | {(swap.staging, name): f"new {name}" for name in swap.coming}


def done(there: dict, renamings: list) -> dict:
    """Return what renamings make of it, one after another as the server does; a place may not be taken."""
    there = dict(there)
    for before, after in renamings:
        assert after not in there
        there[after] = there.pop(before)
    return there


def test_a_swap_takes_the_old_out_and_the_new_in():
    swap = Swap("shop", "in", "out", going=frozenset({"a", "gone"}), coming=frozenset({"a", "made"}))

    assert done(start(swap), swap.forward()) == {
        ("shop", "a"): "new a",
        ("shop", "made"): "new made",
        ("out", "a"): "old a",
        ("out", "gone"): "old gone",
    }


def test_with_a_suffix_the_new_stand_beside_the_old():
    swap = Swap("shop", "in", "out", going=frozenset(), coming=frozenset({"a"}), suffix="_restored")
    there = {**start(swap), ("shop", "a"): "old a"}

    after = done(there, swap.forward())

    assert after == {("shop", "a"): "old a", ("shop", "a_restored"): "new a"}
    assert done(after, swap.back(after)) == there


@given(NAMES, NAMES, st.integers(0, 12))
def test_however_far_a_swap_came_the_way_back_leads_to_the_beginning(going, coming, renamed):
    swap = Swap("shop", "in", "out", going, coming)
    there = start(swap)

    after = done(there, swap.forward()[:renamed])

    assert done(after, swap.back(after)) == there


@given(NAMES, NAMES, st.integers(0, 12), st.integers(0, 12))
def test_a_way_back_that_was_interrupted_can_be_gone_again(going, coming, renamed, returned):
    swap = Swap("shop", "in", "out", going, coming)
    there = start(swap)
    after = done(there, swap.forward()[:renamed])

    half = done(after, swap.back(after)[:returned])

    assert done(half, swap.back(half)) == there


@given(st.text(min_size=1, max_size=64))
def test_the_schemas_beside_have_names_that_the_server_takes_and_share_their_number(database):
    journal = new_journal(database, {})

    assert len(journal.staging) <= 64
    assert len(journal.previous) <= 64
    assert journal.staging.endswith(f"__restore_{journal.id}")
    assert journal.previous.endswith(f"__before_{journal.id}")
    assert database.startswith(journal.previous.split("__before_")[0]) or "__before_" in database


def test_the_pattern_of_a_grant_means_underscores_and_percent_signs_as_they_are():
    assert pattern_beside("my_shop%") == "`my\\_shop\\%\\_\\_%`"
