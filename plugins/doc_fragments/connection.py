# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How to reach the server: the options that every module with a database connection has."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  login_user:
    description:
      - The account on the server.
      - Without it, the O(config_file)'s, then the name of the operating system's user.
    type: str
  login_password:
    description:
      - The account's password. It is handed to the client programs through an anonymous file in memory, never on a
        command line, in the environment or on disk.
    type: str
  login_host:
    description:
      - The server's host. V(localhost) means the server's Unix socket.
      - Without it, the O(config_file)'s, then V(localhost).
    type: str
  login_port:
    description:
      - The server's TCP port. Used with O(login_host).
    type: int
  login_unix_socket:
    description:
      - The server's Unix socket. It goes before O(login_host).
    type: path
  config_file:
    description:
      - An option file whose C([client]) group fills in what the other options leave open. One that does not exist is
        passed over.
    type: path
    default: ~/.my.cnf
  ca_cert:
    description:
      - The certificate authority that the server's certificate is checked against. Turns TLS on.
    type: path
    aliases: [ssl_ca]
  client_cert:
    description:
      - The client's own certificate.
    type: path
    aliases: [ssl_cert]
  client_key:
    description:
      - The key of O(client_cert).
    type: path
    aliases: [ssl_key]
  check_hostname:
    description:
      - Whether the name in the server's certificate must be the O(login_host). Without it V(true) where O(ca_cert) is
        given.
    type: bool
  connect_timeout:
    description:
      - Seconds to wait for the connection.
    type: int
    default: 30
requirements:
  - PyMySQL on the host where the module runs
  - the server's own client programs (C(mariadb) and C(mariadb-dump), or C(mysql) and C(mysqldump))
"""
