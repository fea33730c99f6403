def test_the_history_outlives_the_host(drill):
    # What is here is of this month alone; the one before came from the store.
    for (record,) in drill.records().values():
        assert record["passed"] is True
        before = record["compared"]["previous"]
        assert f"{before}.restore-test.json" in drill.in_the_store()
        assert before in (drill.fetched / "index.html").read_text()
