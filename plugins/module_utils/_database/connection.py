# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How to reach a server: one set of settings for PyMySQL and for the client programs.

Private to the collection.
"""

from __future__ import annotations

import os
import re
import ssl
import traceback
from configparser import RawConfigParser
from dataclasses import dataclass
from socket import SHUT_RDWR
from typing import Any

from ansible.module_utils.basic import missing_required_lib

try:
    import pymysql
    from pymysql.optionfile import Parser

    PYMYSQL_ERROR = None
    PYMYSQL_ERRORS: tuple = (pymysql.err.Error, OSError, RuntimeError)
except ImportError:
    pymysql = None
    PYMYSQL_ERROR = traceback.format_exc()
    PYMYSQL_ERRORS = ()

from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError


@dataclass(frozen=True)
class Settings:
    """Where the server is and who asks. Never printed: it holds the password."""

    user: str | None
    password: str
    host: str
    port: int
    socket: str | None
    ca_cert: str | None
    client_cert: str | None
    client_key: str | None
    check_hostname: bool
    timeout: int

    @property
    def place(self) -> str:
        """The server for a message: "shop@/run/mysqld/mysqld.sock" or "shop@db1:3306"."""
        where = self.socket or f"{self.host}:{self.port}"
        return f"{self.user}@{where}" if self.user else where


def settings_from(options: dict) -> Settings:
    """Given a module's connection options, return the settings; the option file fills in what they leave open.

    Raise RecoveryError when the option file cannot be read.
    """
    client = _client_group(options["config_file"])

    def chosen(option: str, key: str) -> Any:
        return options[option] if options[option] is not None else client.get(key)

    host = chosen("login_host", "host") or "localhost"
    socket = options["login_unix_socket"]
    if not socket and options["login_host"] in (None, "localhost"):
        socket = client.get("socket")
    ca_cert = chosen("ca_cert", "ssl-ca")
    return Settings(
        user=chosen("login_user", "user"),
        password=chosen("login_password", "password") or "",
        host=host,
        port=_port(chosen("login_port", "port")),
        socket=socket or (_default_socket() if host == "localhost" else None),
        ca_cert=ca_cert,
        client_cert=chosen("client_cert", "ssl-cert"),
        client_key=chosen("client_key", "ssl-key"),
        check_hostname=options["check_hostname"] if options["check_hostname"] is not None else bool(ca_cert),
        timeout=options["connect_timeout"],
    )


def _port(value: Any) -> int:
    try:
        return int(value or 3306)
    except ValueError:
        raise RecoveryError(f"config_file: the port in it is {value!r}, which is not a number.") from None


def _client_group(path: str | None) -> dict[str, str]:
    if not path or not os.path.exists(path):
        return {}
    _require_pymysql()
    parser = Parser(strict=False, allow_no_value=True)
    try:
        parser.read(path, encoding="utf-8")
    except Exception as error:
        raise RecoveryError(f"config_file: {path} cannot be read as an option file: {error}") from error
    if not parser.has_section("client"):
        return {}
    # A bare word such as "compress" has no value.
    values = {key: RawConfigParser.get(parser, "client", key) for key in parser.options("client")}
    return {key.replace("_", "-"): _option_value(value) for key, value in values.items() if value is not None}


_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "r": "\r", "s": " "}


def _option_value(text: str) -> str:
    """Read a value as the client programs do, which PyMySQL does not: comments end, quotes go, escapes count."""
    quoted = re.match(r"""(["'])((?:\\.|(?!\1).)*)\1""", text)
    value = quoted.group(2) if quoted else text.split("#")[0].rstrip()
    return re.sub(r"""\\([btnrs\\"'])""", lambda match: _ESCAPES.get(match[1], match[1]), value)


def _default_socket() -> str | None:
    # Debian and Ubuntu, RHEL, the server's own default: client programs are built with one of them, PyMySQL with none.
    for path in ("/run/mysqld/mysqld.sock", "/var/lib/mysql/mysql.sock", "/tmp/mysql.sock"):
        if os.path.exists(path):
            return path
    return None


def _require_pymysql() -> None:
    if pymysql is None:
        raise RecoveryError(
            missing_required_lib("PyMySQL (Debian and Ubuntu: python3-pymysql; RHEL: python3-PyMySQL)"),
            {"exception": PYMYSQL_ERROR},
        )


# What a server may limit to keep an application's statements short: a key of a large table takes longer. Each flavour
# takes the other's for a comment.
NO_TIME_LIMIT = "/*M!100101 , max_statement_time = 0 */ /*!80000 , max_execution_time = 0 */"
# The mode changes how the server words a definition. The connection waits while a dump or a load runs, for hours where
# the server gives an idle one minutes.
_SESSION = f"SET SESSION time_zone = '+00:00', sql_mode = '', wait_timeout = 604800 {NO_TIME_LIMIT}"


def connect(settings: Settings) -> Any:
    """Open a connection (utf8mb4, autocommit, UTC, no sql_mode, patient).

    Raise RecoveryError with the server's own words and what they usually mean.
    """
    _require_pymysql()
    arguments: dict[str, Any] = {
        "user": settings.user,
        # As the client programs send it; PyMySQL would take latin1.
        "password": settings.password.encode(),
        "charset": "utf8mb4",
        "autocommit": True,
        "connect_timeout": settings.timeout,
        "init_command": _SESSION,
    }
    if settings.socket:
        arguments["unix_socket"] = settings.socket
    else:
        arguments.update(host=settings.host, port=settings.port)
        if settings.ca_cert or settings.client_cert:
            arguments["ssl"] = _tls(settings)
    try:
        return pymysql.connect(**arguments)
    except PYMYSQL_ERRORS as error:
        raise RecoveryError(f"Cannot connect to the server as {settings.place}: {words_of(error)}") from error


def _tls(settings: Settings) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=settings.ca_cert)
        context.check_hostname = settings.check_hostname
        if settings.client_cert:
            context.load_cert_chain(settings.client_cert, settings.client_key)
    except (OSError, ssl.SSLError) as error:
        raise RecoveryError(f"The TLS certificates cannot be used: {error}") from error
    return context


_HINTS = {
    1045: "Check login_user and login_password; the account may be limited to other hosts.",
    1698: "This account logs in by the operating system's user: run the task as that user, or use another account.",
    1044: "The account has no rights on this schema.",
    2002: "Check that the server runs and that login_unix_socket is its socket.",
    2003: "Check login_host and login_port, that the server runs, and the firewall between.",
    2013: "The server went away.",
}


def words_of(error: BaseException) -> str:
    """Given a driver's error, return the server's words with its number, and a hint where one helps."""
    if len(error.args) >= 2 and isinstance(error.args[0], int):
        number, words = error.args[0], str(error.args[1])
        hint = _HINTS.get(number)
        return f"{words} (error {number})." + (f" {hint}" if hint else "")
    return f"{error}"


def query(connection: Any, statement: str, arguments: Any = None) -> list[tuple]:
    """Run one statement and return its rows. Raise RecoveryError with the statement's start and the server's words."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement, arguments)
            return list(cursor.fetchall())
    except PYMYSQL_ERRORS as error:
        shown = " ".join(statement.split())[:120]
        raise RecoveryError(f"The server refused {shown!r}: {words_of(error)}") from error


# Access denied: to a schema, a table, a column, for want of a privilege.
NO_RIGHT = (1044, 1142, 1143, 1227)


def number_of(error: RecoveryError) -> int | None:
    """Return the server's number for an error that query() has raised; None where it is none of the server's."""
    words = error.__cause__.args if error.__cause__ else ()
    return words[0] if words and isinstance(words[0], int) else None


def send(connection: Any, statement: bytes) -> list[tuple]:
    """Run a statement, given as the bytes that the server gets; return its warnings: (level, number, words).

    Raise RecoveryError with the server's words, without the statement: that is data.
    """
    try:
        connection.query(statement)
        return list(connection.show_warnings()) if connection._result.warning_count else []
    except PYMYSQL_ERRORS as error:
        raise RecoveryError(words_of(error)) from error


def hang_up(connection: Any) -> None:
    """Have whoever waits on a connection in another thread notice that it has ended."""
    try:
        connection._sock.shutdown(SHUT_RDWR)
    except (AttributeError, OSError):
        pass  # it has ended already


def still_connected(connection: Any, settings: Settings) -> Any:
    """Return the connection, or a new one if it was lost while nothing was asked on it. Raise RecoveryError."""
    try:
        query(connection, "SELECT 1")
        return connection
    except RecoveryError:
        return connect(settings)


def identifier(name: str) -> str:
    """Given a name, return it quoted for SQL. The one place that quotes identifiers."""
    return "`" + name.replace("`", "``") + "`"
