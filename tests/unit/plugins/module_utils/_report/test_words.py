# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a restore test found, in words."""

from __future__ import annotations

import pytest
import records

from ansible_collections.dbops.recovery.plugins.module_utils._report import words


def test_the_verdict_of_a_good_test_says_how_long_it_took_and_how_old_the_backup_was():
    verdict = words.verdict(records.record())
    assert verdict.result == words.PASSED
    assert verdict.sentence == "shop can be restored: recovery in 5m 24s, newest backup 1h 30m old"


def test_a_missed_target_is_no_failed_restore_and_says_what_was_wanted():
    verdict = words.verdict(records.slow())
    assert verdict.result == words.MISSED
    assert verdict.headline == "shop can be restored, but not within its targets"
    assert verdict.detail == (
        "recovery in 14m 7s instead of 10m at most, newest backup 1d 6h old instead of 1d 2h at most"
    )


def test_failed_checks_come_before_missed_targets_and_are_named():
    both = {**records.slow(), "checks": records.damaged()["checks"]}
    verdict = words.verdict(both)
    assert verdict.result == words.FAILED
    assert verdict.sentence == "shop did not come back as it was backed up: 2 of 10 checks failed: rows, dump_back"


@pytest.mark.parametrize(
    ("phase", "sentence"),
    [
        ("download", "shop could not be restored: failed while downloading the backup"),
        ("smoke", "shop could not be restored: failed in the phase smoke"),
    ],
)
def test_a_failure_says_where(phase, sentence):
    test = {**records.unreachable(), "failure": {"phase": phase, "message": "It broke."}}
    assert words.verdict(test).sentence == sentence


def test_a_test_that_did_not_pass_is_never_called_good():
    assert words.verdict(records.record(passed=False)).result == words.FAILED


def test_a_warning_and_what_could_not_be_asked_do_not_decide():
    checks = [check for check in records.damaged()["checks"] if words.check_result(check) != words.FAILED]
    assert words.verdict(records.record(checks=checks)).result == words.PASSED


def test_a_name_cannot_put_lines_into_a_verdict():
    assert words.verdict(records.record("shop\n## all is well")).headline == "shop ## all is well can be restored"


@pytest.mark.parametrize(
    ("tests", "result", "sentence"),
    [
        ([], words.FAILED, "No database was tested"),
        (
            [records.record(), records.record("crm", rpo={"seconds": 7200, "target_seconds": None, "met": None})],
            words.PASSED,
            "All 2 databases can be restored: recovery in 5m 24s at most, newest backups 2h old at most",
        ),
        (
            [records.record(), records.slow("crm")],
            words.MISSED,
            "All 2 databases can be restored, but 1 not within the targets: crm can be restored, but not within its "
            "targets: recovery in 14m 7s instead of 10m at most, newest backup 1d 6h old instead of 1d 2h at most",
        ),
        (
            [records.record(), records.slow("crm"), records.unreachable("hr"), records.damaged("erp")],
            words.FAILED,
            "3 of 4 databases did not pass: hr could not be restored; erp did not come back as it was backed up; "
            "crm can be restored, but not within its targets",
        ),
    ],
)
def test_the_verdict_on_a_run_is_the_worst_of_its_tests(tests, result, sentence):
    verdict = words.verdict_of_run(tests)
    assert (verdict.result, verdict.sentence) == (result, sentence)


def test_two_backups_of_one_database_are_told_apart_by_their_names():
    tests = [records.record("shop"), records.record("shop", "2026-09"), records.record("crm")]
    assert [words.label(test, tests) for test in tests] == ["shop_2026-11-25_013000", "shop_2026-09-25_013000", "crm"]
    assert words.verdict_of_run(tests).headline == "All 3 backups can be restored"
    assert words.label(records.unreachable(), tests) == "shop_2026-11-25_030000"


def test_of_many_bad_databases_some_are_named_and_the_rest_counted():
    tests = [records.unreachable(name) for name in ("a", "b", "c", "d", "e")]
    assert words.verdict_of_run(tests).detail == (
        "a could not be restored; b could not be restored; c could not be restored and 2 more"
    )


def test_the_figures_of_a_good_test_say_what_they_were_held_against():
    assert [(fact.label, fact.value, fact.note, fact.result) for fact in words.facts(records.record())] == [
        ("Recovery time", "5m 24s", "target 10m: met", words.PASSED),
        ("Newest backup", "1h 30m old", "target 1d 2h: met", words.PASSED),
        ("Size of the SQL", "183.9 MiB", "17.4 MiB stored (zstd)", None),
        ("Checks", "11 of 11", "passed", words.PASSED),
    ]


def test_what_was_not_measured_is_called_unknown_and_neither_met_nor_missed():
    assert [(fact.value, fact.note, fact.result) for fact in words.facts(records.unreachable())] == [
        ("unknown", "target 10m", None),
        ("unknown", "target 1d 2h", None),
        ("unknown", "no backup", None),
        ("none", "none was made", None),
    ]


def test_a_backup_that_was_not_the_newest_has_an_age_and_no_target():
    test = records.record(rpo={"seconds": None, "target_seconds": None, "met": None})
    test["backup"]["started"] = "2026-11-13T01:30:00Z"
    assert words.facts(test)[1] == words.Fact("Older backup", "12d 1h old", "not the newest one")


def test_a_figure_without_a_target_says_so():
    test = records.record(rto={"seconds": 60, "target_seconds": None, "met": None})
    assert words.facts(test)[0] == words.Fact("Recovery time", "1m", "no target")


def test_failed_checks_warnings_and_unasked_ones_are_counted_apart():
    checks = words.facts(records.damaged())[3]
    assert (checks.value, checks.note) == ("6 of 10", "passed, 2 failed, 1 warning, 1 not asked")
    assert checks.result == words.FAILED


def test_checks_that_need_a_person_come_first_and_the_others_keep_their_order():
    names = [check["name"] for check in words.sorted_checks(records.damaged()["checks"])]
    assert names[:4] == ["rows", "dump_back", "size_history", "inventory"]
    assert names[4:] == ["stored_sha256", "plain_sha256", "frame", "sections", "objects", "load"]


def test_databases_that_need_a_person_come_first():
    tests = [records.record("a"), records.slow("b"), records.record("c"), records.unreachable("d")]
    assert [test["database"] for test in words.worst_first(tests)] == ["d", "b", "a", "c"]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(None, "unknown"), (0, "0s"), (0.8, "0.8s"), (9.96, "10s"), (41.2, "41s"), (323.9, "5m 24s"), (93600, "1d 2h")],
)
def test_tenths_are_shown_where_they_matter(seconds, said):
    assert words.duration(seconds) == said


def test_a_phase_without_bytes_or_time_has_no_rate():
    assert words.rate({"seconds": 2.0, "bytes": 3 * records.MIB}) == "1.5 MiB/s"
    assert words.rate({"seconds": 2.0, "bytes": None}) == ""
    assert words.rate({"seconds": 0, "bytes": 5}) == ""


def test_a_tally_counts_what_is_there():
    results = [words.PASSED, words.MISSED, words.PASSED, words.WARNING, words.WARNING]
    assert words.tally(results) == "2 passed, 1 missed a target, 2 warnings"
