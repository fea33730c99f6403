"""The summary of `make test` tells the truth, above all when something is absent."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "scripts" / "run_parts.py"


@pytest.fixture(name="runner")
def fixture_runner(tmp_path, monkeypatch):
    """The runner with its parts and its files replaced; the processes it starts are real."""
    specification = importlib.util.spec_from_file_location("run_parts", SCRIPT)
    module = importlib.util.module_from_spec(specification)
    monkeypatch.setitem(__import__("sys").modules, "run_parts", module)
    specification.loader.exec_module(module)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "LOGS", tmp_path / "logs")
    monkeypatch.setattr(module, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(module, "PARTS", {})
    monkeypatch.setattr(module, "LANES", 2)
    return module


def add_part(runner, name, script, reports, limit=60):
    runner.PARTS[name] = runner.Part(["bash", "-c", script, "part"], reports, limit)


def last_line(capsys):
    return capsys.readouterr().out.splitlines()[-1]


def test_all_parts_that_pass_are_added_up(runner, capsys):
    add_part(runner, "lint", 'printf "passed a\\npassed b\\n" >"$RESULTS"', "lines")
    add_part(runner, "sanity", "true", "status")
    assert runner.main([]) == 0
    assert last_line(capsys) == "3 passed, 0 failed"


def test_a_part_that_ran_no_test_has_failed(runner, capsys):
    add_part(runner, "lint", "true", "lines")
    assert runner.main([]) == 1
    assert last_line(capsys) == "0 passed, 1 failed"


def test_parts_run_side_by_side(runner, tmp_path):
    meet = f'touch "{tmp_path}/$0"; until [ -e "{tmp_path}/$1" ]; do sleep 0.05; done'
    runner.PARTS["unit"] = runner.Part(["bash", "-c", meet, "one", "two"], "status", 20)
    runner.PARTS["demo"] = runner.Part(["bash", "-c", meet, "two", "one"], "status", 20)
    assert runner.main([]) == 0


def test_no_more_parts_run_than_there_are_lanes(runner, tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "LANES", 1)
    for name in ("unit", "docs", "demo"):
        add_part(
            runner,
            name,
            f"echo {name} begins >>{tmp_path}/said; sleep 0.3; echo {name} ends >>{tmp_path}/said",
            "status",
        )
    assert runner.main([]) == 0
    said = (tmp_path / "said").read_text().splitlines()
    assert said == [f"{name} {what}" for name in ("unit", "docs", "demo") for what in ("begins", "ends")]


def test_who_interrupts_it_ends_the_parts_that_run(runner, tmp_path):
    add_part(
        runner, "unit", f"trap 'touch {tmp_path}/ended; exit' TERM; touch {tmp_path}/begun; sleep 60 & wait", "status"
    )
    add_part(runner, "demo", f"until [ -e {tmp_path}/begun ]; do sleep 0.05; done; kill -INT $PPID; sleep 60", "status")
    with pytest.raises(KeyboardInterrupt):
        runner.main([])
    assert (tmp_path / "ended").exists()


def test_the_outcomes_are_in_the_order_of_the_parts_with_the_time_of_all(runner, capsys):
    add_part(runner, "unit", "sleep 0.5", "status")
    add_part(runner, "demo", "true", "status")
    assert runner.main([]) == 0
    *_before, unit, demo, together, _empty, _total = capsys.readouterr().out.splitlines()
    assert (unit.split()[0], demo.split()[0]) == ("unit", "demo")
    name, seconds = together.split()
    assert name == "together"
    assert 0.5 <= float(seconds) < 20


def test_a_failing_part_does_not_stop_the_next(runner, capsys):
    add_part(runner, "lint", 'echo "failed a" >"$RESULTS"; exit 1', "lines")
    add_part(runner, "sanity", "true", "status")
    assert runner.main([]) == 1
    assert last_line(capsys) == "1 passed, 1 failed"


def test_an_exit_status_outweighs_a_report_without_failures(runner, capsys):
    add_part(runner, "lint", 'echo "passed a" >"$RESULTS"; exit 3', "lines")
    assert runner.main([]) == 1
    assert last_line(capsys) == "1 passed, 1 failed"


def test_a_report_of_an_earlier_run_does_not_count(runner, capsys):
    add_part(runner, "lint", 'echo "passed a" >"$RESULTS"', "lines")
    assert runner.main([]) == 0
    add_part(runner, "lint", "true", "lines")
    assert runner.main([]) == 1
    assert last_line(capsys) == "0 passed, 1 failed"


def test_pytest_cases_are_counted_one_by_one(runner, capsys):
    report = (
        "<testsuites><testsuite><testcase/><testcase><failure/></testcase><testcase><error/></testcase>"
        "<testcase><skipped/></testcase></testsuite></testsuites>"
    )
    add_part(runner, "unit", f"echo '{report}' >\"${{1#--junit-xml=}}\"; exit 1", "junit")
    assert runner.main([]) == 1
    assert last_line(capsys) == "1 passed, 2 failed, 1 skipped"


def test_a_part_that_hangs_is_stopped_and_has_failed(runner, capsys, monkeypatch):
    add_part(runner, "sanity", "sleep 60", "status", limit=1)
    assert runner.main([]) == 1
    output = capsys.readouterr().out
    assert "stopped after 1 s" in output
    assert output.splitlines()[-1] == "0 passed, 1 failed"


def test_a_program_that_is_absent_has_failed(runner, capsys):
    runner.PARTS["demo"] = runner.Part(["/nonexistent/run"], "status", 60)
    assert runner.main([]) == 1
    assert last_line(capsys) == "0 passed, 1 failed"


def test_an_ansible_warning_fails_the_demo(runner, capsys):
    add_part(runner, "demo", "echo '[WARNING]: something is odd'", "status")
    assert runner.main([]) == 1
    assert "something is odd" in capsys.readouterr().out


def test_the_tail_of_a_failing_part_is_shown_and_the_whole_is_in_its_log(runner, capsys, tmp_path):
    add_part(runner, "sanity", "seq 1000; exit 1", "status")
    add_part(runner, "lint", 'echo "passed a" >"$RESULTS"', "lines")
    runner.main([])
    output = capsys.readouterr().out
    assert "  | 1000" in output
    assert "  | 1\n" not in output
    assert (tmp_path / "logs" / "sanity.log").read_text().startswith("1\n2\n")


def test_what_failed_is_named_above_the_last_line(runner, capsys):
    report = (
        '<testsuites><testsuite><testcase classname="tests.unit.test_a" name="test_one"/>'
        '<testcase classname="tests.unit.test_a" name="test_two"><failure/></testcase></testsuite></testsuites>'
    )
    add_part(runner, "unit", f"echo '{report}' >\"${{1#--junit-xml=}}\"; exit 1", "junit")
    add_part(runner, "lint", 'printf "passed a\\nfailed ruff format\\n" >"$RESULTS"; exit 1', "lines")
    add_part(runner, "sanity", "exit 1", "status")
    add_part(runner, "docs", "exit 3", "lines")
    assert runner.main([]) == 1
    assert capsys.readouterr().out.splitlines()[-7:] == [
        "failed:",
        "  unit: tests/unit/test_a.py::test_two",
        "  lint: ruff format",
        "  sanity",
        "  docs: exit status 3",
        "",
        "2 passed, 4 failed",
    ]


def test_a_run_without_a_failure_names_none(runner, capsys):
    add_part(runner, "lint", 'echo "passed a" >"$RESULTS"', "lines")
    assert runner.main([]) == 0
    assert "failed:" not in capsys.readouterr().out


def test_an_unknown_part_is_named(runner, capsys):
    assert runner.main(["unti"]) == 2
    assert "unti" in capsys.readouterr().err
