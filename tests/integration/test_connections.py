# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The driver and the client programs reach the same server as the same account, whatever surrounds them."""

from __future__ import annotations

import contextlib

import pytest
from conftest import NASTY_PASSWORD
from private_server import free_port


@pytest.fixture
def account(server, shop) -> dict:
    """An ordinary account that may do everything with the shop, and definers."""
    with contextlib.closing(server.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE OR REPLACE USER `o'wner`@localhost IDENTIFIED BY %s", (NASTY_PASSWORD,))
        for right in (f"ALL ON {shop}.*", "SELECT ON mysql.proc", "SET USER ON *.*"):
            cursor.execute(f"GRANT {right} TO `o'wner`@localhost")
    return {"login_user": "o'wner", "login_password": NASTY_PASSWORD}


def back_and_forth(run_module, shop, folder, connection: dict, **more) -> None:
    taken = run_module("db_backup", {"database": shop, "directory": str(folder), **connection}, **more)["backup"]
    assert run_module("db_restore", {"backup": taken["path"], **connection}, **more)["outcome"] == "restored"


def test_a_nasty_password_reaches_driver_and_clients(run_module, shop, folder, account):
    back_and_forth(run_module, shop, folder, account)


@pytest.mark.parametrize("quote", ['"', "'", ""])
def test_the_users_option_file_is_enough(server, run_module, shop, folder, account, tmp_path, quote):
    password = NASTY_PASSWORD
    if quote == '"':
        password = password.replace("\\", "\\\\").replace('"', '\\"')
    elif quote == "'":
        password = password.replace("\\", "\\\\").replace("'", "\\'")
    else:
        password = "plain"
        server.execute("SET PASSWORD FOR `o'wner`@localhost = PASSWORD('plain')")
    option_file = tmp_path / "my.cnf"
    option_file.write_text(
        f"[mysqld]\nport=1\n[client]\nuser=o'wner\npassword={quote}{password}{quote}\nsocket={server.socket}\n"
    )
    connection = {"config_file": str(option_file), "login_user": None, "login_unix_socket": None}

    back_and_forth(run_module, shop, folder, connection)


def test_options_go_before_the_option_file(server, run_module, shop, folder, account, tmp_path):
    option_file = tmp_path / "my.cnf"
    option_file.write_text("[client]\nuser=nobody\npassword=wrong\nsocket=/nowhere\n")

    back_and_forth(run_module, shop, folder, {**account, "config_file": str(option_file)})


def test_localhost_leaves_the_socket_to_the_option_file(server, run_module, shop, folder, account, tmp_path):
    option_file = tmp_path / "my.cnf"
    option_file.write_text(f"[client]\nsocket={server.socket}\n")
    connection = {**account, "config_file": str(option_file), "login_unix_socket": None, "login_host": "localhost"}

    back_and_forth(run_module, shop, folder, connection)


@pytest.mark.parametrize("text", ["password=x\n", "[client\nuser=x\n"])
def test_an_option_file_that_is_none_is_said(run_module, shop, folder, tmp_path, text):
    option_file = tmp_path / "my.cnf"
    option_file.write_text(text)

    failed = run_module(
        "db_backup", {"database": shop, "directory": str(folder), "config_file": str(option_file)}, fails=True
    )

    assert f"config_file: {option_file} cannot be read as an option file" in failed.message


def test_a_port_that_is_none_is_said(run_module, shop, folder, tmp_path):
    option_file = tmp_path / "my.cnf"
    option_file.write_text("[client]\nport=mysql\n")

    failed = run_module(
        "db_backup", {"database": shop, "directory": str(folder), "config_file": str(option_file)}, fails=True
    )

    assert "port" in failed.message
    assert "mysql" in failed.message


ELSEWHERE = {
    "MYSQL_PWD": "wrong",
    "MYSQL_HOST": "db.example.org",
    "MYSQL_TCP_PORT": "1",
    "MYSQL_UNIX_PORT": "/nowhere",
    "MYSQL_HOME": "/nowhere",
    "LC_ALL": "C",
}


def test_the_environment_does_not_disturb(run_module, shop, folder, account):
    back_and_forth(run_module, shop, folder, account, environment=ELSEWHERE)


def test_the_environment_does_not_disturb_an_account_without_a_password(run_module, shop, folder):
    back_and_forth(run_module, shop, folder, {}, environment=ELSEWHERE)


def test_option_files_of_the_host_do_not_disturb(run_module, shop, folder, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    (home / ".my.cnf").write_text(
        "[client]\npassword=wrong\n[mariadb-dump]\nno-data\n[mysqldump]\nno-data\n[mariadb]\nforce\n[mysql]\nforce\n"
    )

    back_and_forth(run_module, shop, folder, {}, environment={"HOME": str(home)})


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_server_without_a_known_socket_is_reached_by_tcp(
    start_server, make_schema, shop_script, run_module, folder, host
):
    port = free_port()
    server = start_server("--skip-networking=0", f"--port={port}", "--bind-address=127.0.0.1")
    shop = make_schema(shop_script, on=server)
    server.execute("CREATE USER far@'%' IDENTIFIED BY 'x'", "GRANT ALL ON *.* TO far@'%'")
    connection = {
        "login_unix_socket": None,
        "login_host": host,
        "login_port": port,
        "login_user": "far",
        "login_password": "x",
    }

    back_and_forth(run_module, shop, folder, connection)
    server.stop()
