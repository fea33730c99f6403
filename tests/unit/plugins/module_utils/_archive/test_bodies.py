"""What in views, triggers, routines and events belongs to the place that they come from."""

from __future__ import annotations

import pytest

from ansible_collections.dbops.recovery.plugins.module_utils._archive.bodies import (
    last_times,
    qualified_names,
    with_definers,
    with_events_disabled,
)
from ansible_collections.dbops.recovery.plugins.module_utils._archive.dump import EVENTS, ROUTINES, VIEW, Section

NIGHTLY = (
    b"DELIMITER ;;\n"
    b"/*!50106 CREATE*/ /*!50117 DEFINER=`ann`@`%`*/ /*!50106 EVENT `nightly` ON SCHEDULE EVERY 1 DAY STARTS "
    b"'2026-01-01 00:00:00' ON COMPLETION NOT PRESERVE ENABLE DO SELECT ' ON COMPLETION PRESERVE ENABLE' */ ;;\n"
    b"DELIMITER ;\n"
)


def routine(body: bytes, definer: bytes = b"`ann`@`%`") -> Section:
    text = b"DELIMITER ;;\nCREATE DEFINER=" + definer + b" PROCEDURE `p`()\n" + body + b" ;;\nDELIMITER ;\n"
    return Section(ROUTINES, None, text)


@pytest.mark.parametrize(
    "body",
    [b"SELECT * FROM shop.orders", b"SELECT * FROM `shop`.`orders`", b"CALL shop . clean()", b"SELECT shop.orders.id"],
)
def test_a_body_that_names_its_schema_is_found(body):
    assert qualified_names([routine(body)], "shop") == ["procedure p"]


@pytest.mark.parametrize(
    "body", [b"SELECT * FROM workshop.orders", b"SELECT my.shop.id", b"SELECT shop FROM t", b"SELECT `shop` . 5"]
)
def test_a_body_that_only_has_the_word_is_not(body):
    assert qualified_names([routine(body)], "shop") == (["procedure p"] if b". 5" in body else [])


def test_a_definer_gives_way_and_the_body_stays_as_it_is():
    section = routine(b"SELECT 'DEFINER=`ann`@`%`'")

    changed, names = with_definers(section, lambda account: False, ("ro`ot", "localhost"), as_invoker=False)

    assert names == ["procedure p"]
    assert changed.data == section.data.replace(b"DEFINER=`ann`@`%` PROC", b"DEFINER=`ro``ot`@`localhost` PROC")


def test_a_definer_that_stays_changes_nothing():
    section = routine(b"SELECT 1")

    assert with_definers(section, lambda account: account == ("ann", "%"), ("root", "localhost"), True) == (section, [])


def test_a_role_as_definer_is_one_without_a_host():
    seen = []

    # What append returns is false: it does not stay.
    section = routine(b"SELECT 1", definer=b"`keepers`")
    changed, _names = with_definers(section, seen.append, ("root", "localhost"), False)

    assert seen == [("keepers", None)]
    assert b"DEFINER=`root`@`localhost` PROCEDURE `p`()" in changed.data


def test_a_view_and_a_routine_of_nobody_run_with_the_rights_of_whoever_uses_them():
    view = Section(
        VIEW,
        "v",
        b"/*!50001 CREATE ALGORITHM=UNDEFINED */\n/*!50013 DEFINER=`ann`@`%` SQL SECURITY DEFINER */\n"
        b"/*!50001 VIEW `v` AS select 'SQL SECURITY DEFINER' AS `x` */;\n",
    )

    changed, names = with_definers(view, lambda account: False, ("root", "localhost"), as_invoker=True)
    assert names == ["view v"]
    assert b"DEFINER=`root`@`localhost` SQL SECURITY INVOKER */" in changed.data
    assert b"select 'SQL SECURITY DEFINER'" in changed.data

    changed, _names = with_definers(routine(b"SELECT 1"), lambda account: False, ("root", "localhost"), as_invoker=True)
    assert changed.data.endswith(b"ALTER PROCEDURE `p` SQL SECURITY INVOKER;\n")


def test_an_event_is_disabled_before_its_body_alone():
    changed, names = with_events_disabled(Section(EVENTS, None, NIGHTLY))

    assert names == ["nightly"]
    assert changed.data == NIGHTLY.replace(b"NOT PRESERVE ENABLE DO", b"NOT PRESERVE DISABLE DO")


def test_an_event_that_sleeps_already_is_left_as_it_is():
    asleep = Section(EVENTS, None, NIGHTLY.replace(b"PRESERVE ENABLE DO", b"PRESERVE DISABLE DO"))

    assert with_events_disabled(asleep) == (asleep, [])


def event(schedule: bytes, body: bytes = b"DO 1", zone: bytes = b"SYSTEM", name: bytes = b"`e`") -> bytes:
    """An event as the client writes it, between what sets the session before and after."""
    return (
        b"DELIMITER ;;\n/*!50003 SET sql_mode              = '' */ ;;\n"
        b"/*!50003 SET @saved_time_zone      = @@time_zone */ ;;\n"
        b"/*!50003 SET time_zone             = '" + zone + b"' */ ;;\n"
        b"/*!50106 CREATE*/ /*!50117 DEFINER=`ann`@`%`*/ /*!50106 EVENT "
        + name
        + b" ON SCHEDULE "
        + schedule
        + b" ON COMPLETION NOT PRESERVE ENABLE DO "
        + body
        + b" */ ;;\n"
        b"/*!50003 SET time_zone             = @saved_time_zone */ ;;\n"
    )


def test_the_last_time_of_an_event_is_read_with_its_time_zone():
    daily = b"EVERY '1:30' HOUR_MINUTE STARTS '2026-01-01 00:00:00'"
    ends = b" ENDS '2026-02-01 00:00:00' ON COMPLETION "
    section = Section(
        EVENTS,
        None,
        event(b"AT '2026-01-01 00:00:00'", zone=b"+05:00", name=b"`a``b`")
        + event(daily + b" ENDS '2027-01-01 00:00:00'", b"SELECT '" + ends + b"'", b"Europe/Berlin", b'"ended"')
        # What goes on for ever, whatever its body says.
        + event(daily, b"SELECT '" + ends + b"'", name=b"`endless`")
        + b"DELIMITER ;\n",
    )

    assert last_times([section]) == {
        "a`b": ("2026-01-01 00:00:00", "+05:00"),
        "ended": ("2027-01-01 00:00:00", "Europe/Berlin"),
    }
    assert last_times([Section(EVENTS, None, NIGHTLY), routine(b"SELECT 1")]) == {}
