# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError
from ansible_collections.dbops.recovery.plugins.module_utils._release import plan


def entry(release, result="started", step="stage", deployment=None, **more):
    return {"deployment": deployment or f"d{release}", "release": release, "step": step, "result": result, **more}


def deployed(release, deployment=None, backup=None):
    """What a deployment that succeeds leaves in the journal."""
    more = {"backup": {"name": backup}} if backup else {}
    return [
        entry(release, deployment=deployment),
        entry(release, step="migrate", deployment=deployment, **more),
        entry(release, "deployed", "finish", deployment=deployment),
    ]


def rolled_back(release, to, deployment=None):
    return [
        entry(release, deployment=deployment),
        entry(release, "rolled_back", "finish", deployment=deployment, to=to),
    ]


def left_by_hand(release, to):
    """What playbooks/rollback.yml leaves: no stage, the release that was left, and where it went."""
    return [entry(release, "rolled_back", "finish", deployment=f"back-from-{release}", to=to, kind="rollback")]


def test_the_rollback_target_is_the_last_good_release_before_the_live_one():
    entries = deployed("1") + deployed("2") + deployed("3")
    assert plan.rollback_target(entries, "3", ["1", "2", "3"]) == "2"


def test_releases_without_migrations_took_no_backup_and_the_next_one_is_the_database_as_they_left_it():
    entries = deployed("1", backup="b1") + deployed("2") + deployed("3", backup="b3") + deployed("4", backup="b4")
    existing = ["1", "2", "3", "4"]
    assert plan.way_back(entries, "4", existing, "1")["backup"] == {"name": "b3"}
    assert plan.way_back(entries, "4", existing, "3")["backup"] == {"name": "b4"}
    assert plan.way_back(entries[:6], "2", existing[:2], "1")["backup"] is None


def test_there_is_no_rollback_target_for_the_first_release():
    assert plan.rollback_target(deployed("1"), "1", ["1"]) is None


def test_what_was_made_a_release_by_hand_is_the_target_of_the_first_one_and_the_database_goes_along():
    by_hand = [entry("1", previous="before"), *deployed("1", backup="b1")[1:]]
    existing = ["1", "2", "before"]
    assert plan.way_back(by_hand, "1", existing) == {"release": "1", "target": "before", "backup": {"name": "b1"}}
    entries = [*by_hand, entry("2", previous="1"), *deployed("2", backup="b2")[1:]]
    assert plan.rollback_target(entries, "2", existing) == "1"
    assert plan.way_back(entries, "2", existing, "before")["backup"] == {"name": "b1"}
    assert plan.rollback_target(left_by_hand("1", to="before"), "before", existing) is None


def test_a_release_that_the_journal_does_not_know_was_live_before_all_that_it_knows():
    entries = deployed("1", backup="b1") + deployed("2", backup="b2")
    assert plan.way_back(entries, "2", ["1", "2", "20240101"], "20240101")["backup"] == {"name": "b1"}


def test_a_release_that_was_rolled_back_is_never_the_target():
    entries = deployed("1") + rolled_back("2", to="1") + deployed("3")
    assert plan.rollback_target(entries, "3", ["1", "2", "3"]) == "1"


def test_after_a_rollback_by_hand_the_target_is_further_back_and_not_forward():
    entries = deployed("1") + deployed("2") + deployed("3") + left_by_hand("3", to="2")
    assert plan.rollback_target(entries, "2", ["1", "2", "3"]) == "1"


def test_two_bad_releases_in_a_row_do_not_become_each_others_target():
    entries = deployed("1") + deployed("2") + left_by_hand("2", to="1") + deployed("3") + left_by_hand("3", to="1")
    assert plan.rollback_target(entries, "1", ["1", "2", "3"]) is None


def test_a_target_whose_directory_is_gone_is_passed_over():
    entries = deployed("1") + deployed("2") + deployed("3")
    assert plan.rollback_target(entries, "3", ["1", "3"]) == "1"


def test_a_bad_release_that_was_mended_and_deployed_again_is_good():
    entries = deployed("1") + rolled_back("2", to="1") + deployed("2", "again") + deployed("3")
    assert plan.statuses(entries)["2"] == "good"
    assert plan.rollback_target(entries, "3", ["1", "2", "3"]) == "2"


def test_an_abandoned_rollback_changes_no_status():
    entries = deployed("1") + deployed("2") + [entry("2", "abandoned", "finish", "back-from-2", to="2")]
    assert plan.statuses(entries) == {"1": "good", "2": "good"}
    assert plan.rollback_target(entries, "2", ["1", "2"]) == "1"


def test_a_deployment_that_ended_leaves_nothing_unfinished():
    assert plan.unfinished(deployed("1")) is None
    assert plan.unfinished(rolled_back("1", to=None)) is None
    assert plan.unfinished([]) is None


def test_a_deployment_that_died_says_how_far_it_came():
    entries = [*deployed("1"), entry("2"), entry("2", step="migrate", backup={"name": "b2"})]
    assert plan.unfinished(entries) == {
        "deployment": "d2",
        "release": "2",
        "step": "migrate",
        "result": "started",
        "time": None,
        "touched": True,
        "migrating": True,
        "restoring": False,
        "to": None,
        "backup": {"name": "b2"},
    }


def test_a_rollback_by_hand_that_died_in_its_restore_says_so_and_changes_no_backup_of_a_release():
    entries = deployed("1", backup="b1") + deployed("2", backup="b2") + deployed("3", backup="b3")
    entries += [entry("3", step="restore", deployment="back", to="1", restoring={"name": "b2"})]
    left = plan.unfinished(entries)
    assert (left["restoring"], left["migrating"], left["to"], left["backup"]) == (True, False, "1", {"name": "b2"})
    assert plan.way_back(entries, "3", ["1", "2", "3"], "1")["backup"] == {"name": "b2"}
    assert plan.way_back(entries, "3", ["1", "2", "3"])["backup"] == {"name": "b3"}


def killed(release, *steps, deployment=None, **more):
    """What a deployment that is killed in the last of some steps leaves; the backup is named like its run."""
    deployment = deployment or f"d{release}"
    entries = [entry(release, step=step, deployment=deployment, **more) for step in ("stage", *steps)]
    if entries[-1]["step"] in ("migrate", "switch"):
        entries[-1]["backup"] = {"name": f"before-{deployment}"}
    return entries


def database_of(left):
    return {key: left[key] for key in ("migrating", "restoring", "to", "backup")}


HALF_MIGRATED = {"migrating": True, "restoring": False, "to": None, "backup": {"name": "before-d3"}}
UNTOUCHED = {"migrating": False, "restoring": False, "to": None, "backup": None}
DIED_MIGRATING = [*deployed("1", backup="b1"), *deployed("2", backup="b2"), *killed("3", "maintenance_on", "migrate")]
RELEASES = ["1", "2", "3", "4"]


@pytest.mark.parametrize(
    "recovery",
    [
        # A rollback by hand that failed and was undone, one that ended broken with the database as it was found, one
        # that was killed before it came to the database, two in a row.
        [entry("3", step="restore", deployment="r", to="2", restoring={"name": "before-d3"}),
         entry("3", step="go_back", deployment="r", database="restored"),
         entry("3", "abandoned", "finish", "r", to="2", kind="rollback")],
        [entry("3", step="restore", deployment="r", to="2", restoring={"name": "before-d3"}),
         entry("3", "broken", "finish", "r", to="2", kind="rollback", database="restored")],
        [entry("3", step="maintenance_on", deployment="r")],
        [entry("3", step="maintenance_on", deployment="r"),
         entry("3", "abandoned", "finish", "again", to="2", kind="rollback")],
        # A deployment over it that failed and went back to what it had found; with its own migrations as well.
        [*killed("4", "maintenance_on"), entry("4", "rolled_back", "finish", to="2", kind="deploy")],
        [*killed("4", "maintenance_on", "migrate"), entry("4", step="go_back", database="restored"),
         entry("4", "rolled_back", "finish", to="2", kind="deploy", database="restored")],
        [*killed("4", "maintenance_on", "migrate")],
        # The same name again.
        [*killed("3", "maintenance_on", "migrate", deployment="again")],
    ],
)  # fmt: skip
def test_a_recovery_that_does_not_succeed_leaves_what_it_had_found(recovery):
    entries = DIED_MIGRATING + recovery
    left = plan.unfinished(entries)
    assert left["touched"] is True
    assert database_of(left) == HALF_MIGRATED
    back = plan.way_back(entries, "2", RELEASES)
    assert (back["target"], back["backup"]) == ("2", {"name": "before-d3"})
    assert back["release"] in ("3", "4")


@pytest.mark.parametrize(
    "recovery",
    [
        left_by_hand("3", to="2"),
        deployed("4"),
        deployed("3", deployment="again"),
        [*killed("4", "migrate"), entry("4", "broken", "finish"), *deployed("4", deployment="mended")],
    ],
)
def test_a_recovery_that_succeeds_leaves_nothing(recovery):
    assert plan.unfinished(DIED_MIGRATING + recovery) is None


def test_what_only_staged_is_over_with_the_next_run_whatever_became_of_that():
    entries = [*deployed("1"), *deployed("2"), *killed("3"), *rolled_back("4", to="2")]
    assert plan.unfinished(entries[:-2])["touched"] is False
    assert plan.unfinished(entries) is None
    assert plan.way_back(entries, "2", RELEASES)["target"] == "1"


def test_a_database_that_is_put_back_is_not_to_be_put_back_again():
    broken = [entry("3", step="go_back", database="restored"), entry("3", "broken", "finish", database="restored")]
    for number in (1, 2):
        left = plan.unfinished(DIED_MIGRATING + broken[:number])
        assert left["touched"] is True
        assert database_of(left) == UNTOUCHED


def test_a_rollback_by_hand_that_died_after_its_restore_has_restored_and_is_not_to_do_it_again():
    restore = entry("3", step="restore", deployment="r", to="2", restoring={"name": "before-d3"})
    entries = [*DIED_MIGRATING, restore, entry("3", step="switch", deployment="r", to="2")]
    assert database_of(plan.unfinished(entries)) == UNTOUCHED
    # On its way back it restores what it had found, and may be in the middle of that.
    entries.append(entry("3", step="go_back", deployment="r"))
    expected = {"migrating": True, "restoring": True, "to": "2", "backup": {"name": "before-d3"}}
    assert database_of(plan.unfinished(entries)) == expected


def test_a_release_that_is_wanted_and_live_with_nothing_half_done_leaves_none():
    assert plan.way_back(deployed("1"), "1", ["1"], "1") == {"release": None, "target": "1", "backup": None}


def test_the_release_of_a_deployment_that_died_cannot_be_gone_back_to():
    with pytest.raises(RecoveryError, match="the one to be left"):
        plan.way_back(DIED_MIGRATING, "2", RELEASES, "3")


def test_what_somebody_is_staging_is_not_removed():
    entries = [*deployed("1"), *deployed("2"), *deployed("3"), *killed("4")]
    assert plan.prunable(entries, "3", RELEASES, keep=1) == ["1"]


def test_a_broken_deployment_counts_as_unfinished():
    entries = [*deployed("1"), entry("2"), entry("2", "broken", "finish")]
    assert plan.unfinished(entries)["result"] == "broken"
    assert plan.statuses(entries)["2"] == "bad"


def test_the_way_back_from_a_live_release_takes_the_backup_from_before_its_migrations():
    entries = deployed("1", backup="b1") + deployed("2", backup="b2")
    expected = {"release": "2", "target": "1", "backup": {"name": "b2"}}
    assert plan.way_back(entries, "2", ["1", "2"]) == expected


def test_the_way_back_over_several_releases_takes_the_backup_of_the_one_after_the_target():
    entries = deployed("1", backup="b1") + deployed("2", backup="b2") + deployed("3", backup="b3")
    assert plan.way_back(entries, "3", ["1", "2", "3"], "1")["backup"] == {"name": "b2"}


def test_a_bad_release_in_between_does_not_give_its_backup():
    bad = [entry("2"), entry("2", step="migrate", backup={"name": "b2"}), *rolled_back("2", to="1")[1:]]
    entries = deployed("1", backup="b1") + bad + deployed("3", backup="b3")
    assert plan.way_back(entries, "3", ["1", "2", "3"]) == {"release": "3", "target": "1", "backup": {"name": "b3"}}


def test_a_release_name_that_is_used_again_does_not_give_the_backup_of_an_earlier_attempt():
    failed = [entry("2", deployment="a"), entry("2", step="migrate", deployment="a", backup={"name": "old"})]
    failed += [entry("2", "rolled_back", "finish", "a", to="1")]
    without = deployed("1", backup="b1") + failed + [entry("2", deployment="b"), entry("2", "deployed", "finish", "b")]
    assert plan.way_back(without, "2", ["1", "2"]) == {"release": "2", "target": "1", "backup": None}
    entries = without + deployed("3", backup="b3")
    assert plan.way_back(entries, "3", ["1", "2", "3"], "1")["backup"] == {"name": "b3"}


@pytest.mark.parametrize("before", [[], rolled_back("3", to="1", deployment="a"), deployed("3", "a", backup="old")])
def test_the_way_back_from_a_death_past_the_live_release_takes_the_backup_of_the_one_after_the_target(before):
    back = left_by_hand("3", to="1") if before else []
    entries = deployed("1", backup="b1") + before + back + deployed("2", backup="b2")
    entries += [entry("3", deployment="b"), entry("3", step="migrate", deployment="b", backup={"name": "b3"})]
    existing = ["1", "2", "3"]
    assert plan.way_back(entries, "2", existing, "1") == {"release": "3", "target": "1", "backup": {"name": "b2"}}
    assert plan.way_back(entries, "2", existing) == {"release": "3", "target": "2", "backup": {"name": "b3"}}


def test_the_way_back_from_a_deployment_that_died_before_the_switch_keeps_the_live_release():
    entries = [*deployed("1"), entry("2"), entry("2", step="migrate", backup={"name": "b2"})]
    assert plan.way_back(entries, "1", ["1", "2"]) == {"release": "2", "target": "1", "backup": {"name": "b2"}}


def test_the_way_back_from_a_deployment_that_died_after_the_switch_goes_to_the_release_before():
    entries = [*deployed("1"), entry("2"), entry("2", step="migrate", backup={"name": "b2"}), entry("2", step="switch")]
    assert plan.way_back(entries, "2", ["1", "2"]) == {"release": "2", "target": "1", "backup": {"name": "b2"}}


def test_a_live_release_that_the_journal_does_not_know_is_gone_back_to_after_a_death():
    assert plan.way_back([entry("2")], "20240101", ["20240101", "2"])["target"] == "20240101"


@pytest.mark.parametrize(
    ("wanted", "words"),
    [("9", "not here any more"), ("2", "did not succeed, or it was rolled back")],
)
def test_a_release_that_cannot_be_gone_back_to_is_refused_by_name(wanted, words):
    entries = deployed("1") + rolled_back("2", to="1") + deployed("3")
    with pytest.raises(RecoveryError, match=words):
        plan.way_back(entries, "3", ["1", "2", "3"], wanted)


def test_the_newest_good_releases_are_kept_and_bad_ones_go():
    entries = deployed("1") + deployed("2") + rolled_back("3", to="2") + deployed("4") + deployed("5")
    assert plan.prunable(entries, "5", ["1", "2", "3", "4", "5"], keep=2) == ["1", "2", "3"]


def test_the_rollback_target_is_kept_even_when_only_one_release_is_to_be_kept():
    entries = deployed("1") + deployed("2") + deployed("3")
    assert plan.prunable(entries, "3", ["1", "2", "3"], keep=1) == ["1"]


def test_the_live_release_is_kept_even_when_it_is_bad():
    entries = [*deployed("1"), entry("2"), entry("2", "broken", "finish")]
    assert "2" not in plan.prunable(entries, "2", ["1", "2"], keep=1)


def test_what_the_journal_does_not_know_is_never_removed():
    assert plan.prunable(deployed("2"), "2", ["1", "2", "old"], keep=1) == []


def test_backups_are_freed_with_the_releases_that_needed_them():
    entries = [each for number in "1234" for each in deployed(number, backup=f"b{number}")]
    assert plan.freed_backups(entries, "4", ["3", "4"], ["1", "2"]) == ["b1", "b2"]
    # Release 3 came without migrations: the database as 2 left it is in the backup of 4.
    entries = deployed("1", backup="b1") + deployed("2", backup="b2") + deployed("3") + deployed("4", backup="b4")
    assert plan.freed_backups(entries, "4", ["2", "4"], ["1", "3"]) == ["b1"]
    # What 3 backed up has the database as 2 left it, which stays.
    entries = deployed("2", backup="b2") + deployed("3", backup="b3") + deployed("4", backup="b4")
    assert plan.freed_backups(entries, "4", ["2", "4"], ["3"]) == []
    assert plan.freed_backups(entries, "4", ["2", "3", "4"], []) == []


HISTORY = st.lists(
    st.tuples(
        st.sampled_from("123456"), st.sampled_from(["deployed", "rolled_back", "broken", "started", "abandoned"])
    ),
    max_size=25,
)


@given(HISTORY, st.sampled_from("123456"), st.integers(1, 6))
def test_whatever_happened_the_live_release_and_the_target_stay_and_the_target_is_not_bad(history, current, keep):
    entries = [entry(release, result, deployment=str(n), to="1") for n, (release, result) in enumerate(history)]
    existing = list("123456")
    target = plan.rollback_target(entries, current, existing)
    removed = plan.prunable(entries, current, existing, keep)
    assert not {current, target} & set(removed)
    assert len(removed) == len(set(removed))
    assert target is None or target != current
    assert plan.statuses(entries).get(target) not in ("bad", "unfinished")
