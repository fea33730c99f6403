import json

import pytest


@pytest.fixture(scope="module")
def last(drill):
    """The last record of each database."""
    return {database: records[-1] for database, records in drill.records().items()}


def test_each_database_that_can_be_chosen_was_tested(last):
    # wiki has an archive without a manifest, which is no backup.
    assert sorted(last) == ["crm", "ledger", "shop"]


def test_a_damaged_object_is_found_and_is_evidence_against_the_backup(drill, last):
    assert last["crm"]["failure"]["phase"] == "download"
    assert "damaged" in last["crm"]["failure"]["message"]
    tested = drill.records()["crm"][0]["backup"]["name"]
    evidence = drill.evidence(tested)[-1]
    assert (evidence["verified"], evidence["restore_test"]) == (False, last["crm"]["name"])


def test_a_backup_of_another_server_says_what_is_missing_and_is_not_called_bad(drill, last):
    assert last["ledger"]["failure"]["phase"] == "restore"
    assert "mysql server program is needed" in last["ledger"]["failure"]["message"]
    assert drill.evidence(last["ledger"]["backup"]["name"]) == []


def test_a_missed_target_fails_though_the_backup_is_good(drill, last):
    shop = last["shop"]
    assert (shop["passed"], shop["failure"], shop["rpo"]["met"]) == (False, None, False)
    assert drill.evidence(shop["backup"]["name"])[-1]["verified"] is True


def test_the_page_says_it_first(drill, last):
    page = (drill.fetched / "index.html").read_text()
    assert page.index("crm") < page.index("<table")


def test_those_who_want_to_know_were_told(drill):
    notice = json.loads((drill.fetched.parent / "notice.json").read_text())
    assert notice["kind"] == "restore_test"
    assert notice["outcome"] == "failure"
    assert notice["title"] == "crm, ledger, shop on drill1: restore test FAILED"
