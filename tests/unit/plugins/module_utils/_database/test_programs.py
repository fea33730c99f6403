"""What the client programs are told, and how the settings reach them."""

from __future__ import annotations

from ansible_collections.dbops.recovery.plugins.module_utils._database.connection import Settings, identifier
from ansible_collections.dbops.recovery.plugins.module_utils._database.dumping import DumpPlan, dump_arguments
from ansible_collections.dbops.recovery.plugins.module_utils._database.loading import load_arguments
from ansible_collections.dbops.recovery.plugins.module_utils._database.programs import Program, option_file_text


def settings(**changes):
    values = {
        "user": "backup",
        "password": "",
        "host": "db1",
        "port": 3306,
        "socket": None,
        "ca_cert": None,
        "client_cert": None,
        "client_key": None,
        "check_hostname": False,
        "timeout": 30,
    }
    return Settings(**{**values, **changes})


def program(*options, flavour="mariadb"):
    return Program("/usr/bin/mariadb-dump", "10.19", flavour, frozenset(options))


def test_an_option_file_escapes_what_would_end_or_change_a_value():
    text = option_file_text(settings(password='a"b\\c\nd'), "mariadb")
    assert 'password="a\\"b\\\\c\\nd"' in text.splitlines()


def test_a_socket_goes_before_host_and_port():
    text = option_file_text(settings(socket="/run/s.sock"), "mariadb")
    assert 'socket="/run/s.sock"' in text
    assert "host" not in text
    assert "port" not in text


def test_each_flavour_gets_the_tls_options_that_it_knows():
    secured = settings(ca_cert="/ca.pem", check_hostname=True)
    assert "ssl-verify-server-cert=1" in option_file_text(secured, "mariadb").splitlines()
    # A newer client verifies by default, and an older server has no certificate.
    assert "ssl-verify-server-cert=0" in option_file_text(settings(), "mariadb").splitlines()
    assert "ssl-mode=VERIFY_IDENTITY" in option_file_text(secured, "mysql")
    assert "ssl-mode=VERIFY_CA" in option_file_text(settings(ca_cert="/ca.pem"), "mysql")
    assert "ssl" not in option_file_text(settings(), "mysql")


def test_an_option_that_a_dump_client_does_not_know_is_not_given_to_it():
    plain = dump_arguments(program(), "shop", DumpPlan())
    assert not [argument for argument in plain if "column-statistics" in argument or "gtid" in argument]
    able = dump_arguments(program("column-statistics", "set-gtid-purged"), "shop", DumpPlan())
    assert {"--column-statistics=0", "--set-gtid-purged=OFF"} <= set(able)


def test_a_schema_whose_name_looks_like_an_option_is_not_taken_for_one():
    assert dump_arguments(program(), "--all-databases", DumpPlan(("t",), with_history=True))[-2:] == [
        "--",
        "--all-databases",
    ]
    assert load_arguments("--force")[-1] == "--database=--force"


def test_nothing_that_loses_objects_or_hides_errors_is_among_the_arguments():
    given = {*dump_arguments(program(), "shop", DumpPlan()), *load_arguments("shop")}
    assert {"--single-transaction", "--routines", "--events", "--triggers", "--hex-blob"} <= given
    assert {"--binary-mode", "--comments", "--skip-reconnect"} <= given
    assert not given & {"--force", "--compact", "--skip-comments"}


def test_an_identifier_is_quoted_so_that_it_stays_one():
    assert identifier("a`; DROP DATABASE b; --") == "`a``; DROP DATABASE b; --`"


def test_settings_are_shown_without_the_password():
    assert settings(password="secret").place == "backup@db1:3306"
    assert settings(password="secret", socket="/s").place == "backup@/s"
