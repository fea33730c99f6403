# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Events whose time has passed: the server drops or disables them as soon as they are made again."""

from __future__ import annotations

import contextlib
import re
from datetime import datetime, timedelta, timezone
from typing import Callable

import pytest
from busy_shop import beside
from handmade import rewrite

WARNING = "The time of these has passed, so the server has dropped them, or disabled those that it is to preserve: "
WRONG = {"sql": "SELECT 1", "rows": [[2]]}


@pytest.fixture(params=["swap", "in_place"])
def strategy(request: pytest.FixtureRequest) -> str:
    """Either way of restoring."""
    return request.param


def local(hours: int, zone: int) -> str:
    """A moment so many hours from now, as a time zone so many hours ahead of UTC writes it."""
    return f"{datetime.now(timezone.utc) + timedelta(hours=hours + zone):%Y-%m-%d %H:%M:%S}"


def make_past_events(server, schema: str) -> None:
    """Make events as they are after their time where no scheduler runs, and two whose time is still to come."""
    past = "AT '2020-01-01 00:00:00' ON COMPLETION"
    ended = "EVERY 1 DAY STARTS '2019-01-01 00:00:00' ENDS '2020-01-01 00:00:00' ON COMPLETION"
    with contextlib.closing(server.connect(schema)) as session, session.cursor() as cursor:
        for statement in (
            "SET TIMESTAMP = 1",
            f"CREATE EVENT once ON SCHEDULE {past} NOT PRESERVE DO DELETE FROM orders",
            f"CREATE EVENT `it``s kept` ON SCHEDULE {past} PRESERVE DO DELETE FROM orders",
            f"CREATE EVENT ended ON SCHEDULE {ended} NOT PRESERVE DO DELETE FROM orders",
            f"CREATE EVENT of_the_source ON SCHEDULE {past} NOT PRESERVE DISABLE ON SLAVE DO DELETE FROM orders",
            "SET time_zone = '+05:00'",
            f"CREATE EVENT east ON SCHEDULE AT '{local(-1, 5)}' DO DELETE FROM orders",
            "SET time_zone = '-05:00'",
            f"CREATE EVENT west ON SCHEDULE AT '{local(1, -5)}' DO DELETE FROM orders",
            "CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY DO SELECT ' ENDS \\'2020-01-01\\' ON COMPLETION '",
        ):
            cursor.execute(statement)


PAST = ["ended", "it`s kept", "of_the_source", "once", "east"]


def events(server, schema: str) -> dict[str, str]:
    asked = "SELECT event_name, status FROM information_schema.events WHERE event_schema = %s"
    return dict(server.query(asked, (schema,)))


def warned_of(done) -> list[str]:
    """The events that are said to have passed."""
    match = re.search(re.escape(WARNING) + r"(.*?)\.['\"]", str(done.result.get("warnings")))
    return sorted(match.group(1).split(", ")) if match else []


def behind_the_events(statements: str) -> Callable[[bytes], bytes]:
    """Return an edit that has statements run when a dump has made its events."""
    last = b"DELIMITER ;\n/*!50106 SET TIME_ZONE= @save_time_zone */ ;\n"
    return lambda text: text.replace(last, last + statements.encode() + b"\n")


def labels(*names: str) -> list[str]:
    return sorted(f"event {name}" for name in names)


def test_a_backup_with_events_whose_time_has_passed_is_restored_and_names_them(
    server, shop, backup, run_module, strategy
):
    make_past_events(server, shop)
    before = events(server, shop)
    assert before["it`s kept"] == "ENABLED"
    taken = backup(shop)
    server.execute(*(f"DROP EVENT `{name.replace('`', '``')}`" for name in before), "DELETE FROM orders", schema=shop)

    done = run_module("db_restore", {"backup": taken["path"], "strategy": strategy})

    assert done["outcome"] == "restored"
    assert warned_of(done) == labels(*PAST)
    assert events(server, shop) == {"nightly": "ENABLED", "west": "ENABLED", "it`s kept": "DISABLED"}
    assert server.query("SELECT COUNT(*) FROM orders", schema=shop) == [(3,)]


def test_an_event_whose_time_is_still_to_come_is_missed(server, shop, backup, run_module, strategy):
    make_past_events(server, shop)
    taken = backup(shop)
    rewrite(taken, behind_the_events("DROP EVENT west; DROP EVENT nightly;"))
    server.execute("DROP EVENT once", schema=shop)

    failed = run_module("db_restore", {"backup": taken["path"], "strategy": strategy}, fails=True)

    assert failed["outcome"] == "reverted"
    assert "missing: event nightly, event west." in failed.message


def test_the_way_back_does_not_miss_events_whose_time_has_passed(server, shop, backup, run_module, strategy):
    taken = backup(shop)
    make_past_events(server, shop)

    failed = run_module("db_restore", {"backup": taken["path"], "strategy": strategy, "queries": [WRONG]}, fails=True)

    assert failed["outcome"] == "reverted", failed.message
    assert warned_of(failed) == labels(*PAST)
    assert events(server, shop) == {"nightly": "ENABLED", "west": "ENABLED", "it`s kept": "DISABLED"}
    assert beside(server, shop) == []


def test_an_event_that_is_due_during_a_restore_does_not_break_its_way_back(
    start_server, make_schema, shop_script, backup, run_module, strategy
):
    server = start_server("--event-scheduler=ON")
    shop = make_schema(shop_script, on=server)
    socket = {"login_unix_socket": server.socket}
    options = {"backup": backup(shop, **socket)["path"], "strategy": strategy, **socket}
    due = "CREATE EVENT once ON SCHEDULE AT CURRENT_TIMESTAMP + INTERVAL 3 SECOND DO DO 1"
    server.execute(due, schema=shop)

    failed = run_module("db_restore", {**options, "queries": [{"sql": "SELECT SLEEP(3)", "rows": [[1]]}]}, fails=True)

    assert failed["outcome"] == "reverted", failed.message
    assert events(server, shop) == {}
    server.stop()


def test_undoing_does_not_miss_events_whose_time_has_passed_since(server, shop, backup, run_module):
    taken = backup(shop)
    make_past_events(server, shop)
    run_module("db_restore", {"backup": taken["path"], "keep_previous": "1h", "safety_backup": False})

    undone = run_module("db_restore", {"database": shop, "undo": True})

    assert undone["outcome"] == "restored"
    assert warned_of(undone) == labels(*PAST)
    assert events(server, shop) == {"nightly": "ENABLED", "west": "ENABLED", "it`s kept": "DISABLED"}
    run_module("db_restore", {"database": shop, "drop_previous": True})


def test_a_dump_made_by_hand_with_events_whose_time_has_passed_is_restored_and_proved(
    server, shop, run_module, verify_here, tmp_path
):
    make_past_events(server, shop)
    path = tmp_path / "by-hand.sql"
    path.write_bytes(server.dump(shop))

    done = run_module("db_restore", {"backup": str(path), "database": shop})

    # Without a manifest there are no definitions to compare, so that one is disabled now is not seen.
    assert warned_of(done) == labels(*(name for name in PAST if name != "it`s kept"))
    assert verify_here(path)["verified"] is True


def test_a_backup_is_proved_with_the_events_whose_time_has_passed(server, shop, backup, verify_here):
    make_past_events(server, shop)
    taken = backup(shop)

    result = verify_here(taken["path"])

    assert result["verified"] is True, result.get("msg")
    assert [each["detail"] for each in result["checks"] if each["name"] == "inventory"] == [
        "12 objects with the same definitions"
    ]
    # One that does not come is still found.
    rewrite(taken, behind_the_events("DROP EVENT once;"))
    spoilt = verify_here(taken["path"])
    assert "event once" in spoilt["msg"]
