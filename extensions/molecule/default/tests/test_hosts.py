"""The test hosts are what the other scenarios take for granted."""

from __future__ import annotations


def test_systemd_has_started_every_service(host):
    assert host.check_output("systemctl is-system-running") == "running"


def test_mariadb_runs_as_a_service(host):
    assert host.service("mariadb").is_running


def test_hosts_find_each_other_by_name(host):
    addresses = {name: host.addr(name).ipv4_addresses for name in ("app1", "db1")}
    assert all(addresses.values())
    assert addresses["app1"] != addresses["db1"]


def test_a_small_file_system_is_really_small(host):
    if host.check_output("hostname") != "app1":
        return
    filled = host.run("dd if=/dev/zero of=/srv/small/file bs=1M count=3")
    assert filled.rc != 0
    assert "No space left on device" in filled.stderr
