def test_both_databases_were_restored_and_proved(drill):
    records = drill.records()
    assert sorted(records) == ["crm", "shop"]
    for (record,) in records.values():
        assert record["passed"] is True
        assert record["rto"]["met"] is True
        assert record["rpo"]["met"] is True
        assert {"dump_back", "rows", "inventory", "check_table"} <= {check["name"] for check in record["checks"]}


def test_the_own_query_and_the_own_command_were_asked_of_the_copy(drill):
    (record,) = drill.records()["shop"]
    own = {check["name"]: check["passed"] for check in record["checks"] if ": " in check["name"]}
    assert own == {"query: all sales are there": True, "command: a client reads it": True}


def test_the_record_and_the_evidence_are_in_the_store(drill):
    for (record,) in drill.records().values():
        assert f"{record['name']}.restore-test.json" in drill.in_the_store()
        evidence = drill.evidence(record["backup"]["name"])[-1]
        assert (evidence["level"], evidence["verified"]) == ("restore", True)
        assert evidence["restore_test"] == record["name"]


def test_the_page_and_the_summary_are_on_the_controller(drill):
    page = (drill.fetched / "index.html").read_text()
    summary = (drill.fetched / "summary.md").read_text()
    for (record,) in drill.records().values():
        assert record["name"] in page
        assert f"| {record['database']} | passed |" in summary


def test_it_is_installed_for_every_month(drill):
    timer = drill.host.service("dbops-restore-test.timer")
    assert timer.is_enabled
    assert timer.is_running
    assert (
        "OnCalendar=*-*-01 04:00:00" in drill.host.file("/etc/systemd/system/dbops-restore-test.timer").content_string
    )
