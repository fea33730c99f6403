# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The server drops the rights on a routine with it; a restore leaves nobody without them."""

from __future__ import annotations

import re
import signal

import pytest

ROUTINES = """
CREATE PROCEDURE same() SELECT 1;
CREATE PROCEDURE changed() SELECT 1;
CREATE FUNCTION changed() RETURNS INT DETERMINISTIC RETURN 1;
SET sql_mode = ORACLE;
DELIMITER ;;
CREATE PACKAGE `same pack` AS FUNCTION one RETURN INT; END;;
CREATE PACKAGE BODY `same pack` AS FUNCTION one RETURN INT AS BEGIN RETURN 1; END; END;;
CREATE PACKAGE changed_pack AS FUNCTION one RETURN INT; END;;
CREATE PACKAGE BODY changed_pack AS FUNCTION one RETURN INT AS BEGIN RETURN 1; END; END;;
DELIMITER ;
"""
CHANGES = """
CREATE OR REPLACE PROCEDURE changed() SELECT 2;
CREATE OR REPLACE FUNCTION changed() RETURNS INT DETERMINISTIC RETURN 2;
CREATE PROCEDURE since() SELECT 1;
SET sql_mode = ORACLE;
DELIMITER ;;
CREATE OR REPLACE PACKAGE changed_pack AS FUNCTION one RETURN INT; FUNCTION two RETURN INT; END;;
CREATE PACKAGE BODY changed_pack AS FUNCTION one RETURN INT AS BEGIN RETURN 1; END;
  FUNCTION two RETURN INT AS BEGIN RETURN 2; END; END;;
DELIMITER ;
"""
USER, ROLE = "worker@localhost", "reporting"


@pytest.fixture(params=["swap", "in_place"])
def strategy(request: pytest.FixtureRequest) -> str:
    return request.param


def rights(server, schema: str) -> set[tuple]:
    return set(
        server.query(
            "SELECT Routine_type, Routine_name, User, Host, Proc_priv FROM mysql.procs_priv WHERE Db = %s", (schema,)
        )
    )


def of(name: str, there: set[tuple]) -> set[tuple]:
    return {each for each in there if each[1] == name}


@pytest.fixture
def used(server, shop, backup):
    """A backup of a shop whose routines were changed since, with rights on single ones."""
    server.load(shop, ROUTINES)
    taken = backup(shop)
    server.load(shop, CHANGES)
    server.execute(
        f"CREATE USER {USER}",
        f"CREATE ROLE {ROLE}",
        f"GRANT EXECUTE ON PROCEDURE same TO {USER}",
        f"GRANT EXECUTE, ALTER ROUTINE ON PROCEDURE changed TO {USER} WITH GRANT OPTION",
        f"GRANT EXECUTE ON FUNCTION changed TO {ROLE}",
        f"GRANT EXECUTE ON PROCEDURE since TO {USER}",
        "SET sql_mode = ORACLE",
        f"GRANT EXECUTE ON PACKAGE `same pack` TO {ROLE}",
        f"GRANT EXECUTE ON PACKAGE changed_pack TO {USER}",
        f"GRANT EXECUTE ON PACKAGE BODY changed_pack TO {USER}",
        schema=shop,
    )
    yield taken
    server.execute(f"DROP USER IF EXISTS {USER}", f"DROP ROLE {ROLE}")


def test_rights_on_routines_are_there_after_a_restore(server, shop, used, run_module, strategy):
    before = rights(server, shop)
    assert len(before) == 7

    done = run_module("db_restore", {"backup": used["path"], "strategy": strategy})

    assert server.query("CALL changed()", schema=shop) == [(1,)]
    assert rights(server, shop) == before - of("since", before)
    assert "rights" not in str(done.result.get("warnings"))


def test_rights_on_routines_are_there_after_a_restore_that_went_back(server, shop, used, run_module, strategy):
    before, dump = rights(server, shop), server.dump(shop)
    wrong = [{"sql": "SELECT 1", "rows": [[2]]}]

    failed = run_module("db_restore", {"backup": used["path"], "strategy": strategy, "queries": wrong}, fails=True)

    assert failed["outcome"] == "reverted"
    assert server.dump(shop) == dump
    assert rights(server, shop) == before


@pytest.mark.parametrize("step", ["_actions.restore:commit", "_actions.swapping:_load_bodies"])
@pytest.mark.parametrize("again", [None, "_database.routine_grants:_grant"], ids=["once", "twice"])
def test_rights_on_routines_are_there_after_a_restore_that_was_killed(
    server, shop, used, start_module, run_module, step, again
):
    before, dump = rights(server, shop), server.dump(shop)
    killed = start_module("db_restore", {"backup": used["path"], "safety_backup": False}, fault=(step, "kill"))
    assert killed.wait() == -signal.SIGKILL
    undo = {"database": shop, "undo": True}
    if again:
        assert start_module("db_restore", undo, fault=(again, "kill")).wait() == -signal.SIGKILL

    run_module("db_restore", undo)

    assert server.dump(shop) == dump
    assert rights(server, shop) == before


@pytest.mark.parametrize("by", ["undoing", "restoring"])
def test_rights_on_routines_are_there_after_a_restore_in_place_that_was_killed(
    server, shop, used, folder, start_module, run_module, by
):
    before = rights(server, shop)
    order = {"backup": used["path"], "strategy": "in_place"}
    killed = start_module("db_restore", order, fault=("_actions.in_place:load_dump", "kill"))
    assert killed.wait() == -signal.SIGKILL
    assert rights(server, shop) == set()

    if by == "undoing":
        run_module("db_restore", {"database": shop, "undo": True, "directory": str(folder)})
        assert rights(server, shop) == before
    else:
        run_module("db_restore", {**order, "safety_backup": False})
        assert rights(server, shop) == before - of("since", before)


def test_rights_on_routines_come_back_with_what_was_kept_and_no_account_does(server, shop, used, run_module):
    before = rights(server, shop)
    run_module("db_restore", {"backup": used["path"], "keep_previous": "1h"})

    run_module("db_restore", {"database": shop, "undo": True})
    assert rights(server, shop) == before
    run_module("db_restore", {"database": shop, "undo": True})
    assert rights(server, shop) == before - of("since", before)
    server.execute(f"DROP USER {USER}")
    undone = run_module("db_restore", {"database": shop, "undo": True})

    (said,) = [each for each in map(str, undone["warnings"]) if "These rights went with routines" in each]
    assert f"GRANT EXECUTE ON PROCEDURE `{shop}`.`since` TO `worker`@`localhost`;" in said
    assert server.query("SELECT 1 FROM mysql.user WHERE User = 'worker'") == []
    run_module("db_restore", {"database": shop, "drop_previous": True})


@pytest.fixture
def account(server, shop):
    """An account that may restore the shop, and no more."""
    name = f"keeper_of_{shop}@localhost"
    server.execute(
        f"CREATE USER {name} IDENTIFIED BY 'x'",
        f"GRANT ALL ON `{shop}`.* TO {name}",
        f"GRANT ALL ON `{shop}\\_\\_%`.* TO {name}",
        f"GRANT SELECT ON mysql.proc TO {name}",
        f"GRANT SET USER ON *.* TO {name}",
    )
    yield {"login_user": name.partition("@")[0], "login_password": "x"}
    server.execute(f"DROP USER {name}")


def test_who_cannot_see_the_rights_on_routines_is_told_which_may_be_gone_and_the_grant(
    server, shop, used, account, run_module, strategy
):
    before = rights(server, shop)
    options = {"backup": used["path"], "strategy": strategy, **account}

    done = run_module("db_restore", options)

    (said,) = [each for each in map(str, done["warnings"]) if "rights on a routine" in each]
    for name in ("function changed", "package changed_pack", "package body changed_pack", "procedure changed"):
        assert name in said
    # By a swap what is the same already keeps its own.
    assert ("procedure same" in said) == (strategy == "in_place")
    assert of("same", rights(server, shop)) == (of("same", before) if strategy == "swap" else set())
    server.execute(re.search(r"GRANT SELECT ON mysql.procs_priv TO \S+;", said).group())
    if strategy == "swap":
        # Nothing is dropped that comes again.
        assert "rights" not in str(run_module("db_restore", {**options, "keep_previous": None}).result.get("warnings"))


def test_who_may_not_give_rights_is_told_what_to_type(server, shop, used, account, run_module, strategy):
    before = rights(server, shop)
    server.execute(f"GRANT SELECT ON mysql.procs_priv TO {account['login_user']}@localhost")

    done = run_module("db_restore", {"backup": used["path"], "strategy": strategy, **account})

    (said,) = [each for each in map(str, done["warnings"]) if "These rights went with routines" in each]
    server.execute("SET sql_mode = ORACLE", *re.findall(r"GRANT [^;]*;", said))
    mine = {each for each in rights(server, shop) if each[2] == account["login_user"]}
    assert rights(server, shop) - mine == before - of("since", before)
