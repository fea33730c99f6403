# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A network between a client and a real server that can be cut and mended, and says in its place that it is busy."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import threading
import time
from pathlib import Path

BUSY = b"<?xml version='1.0'?><Error><Code>%s</Code><Message>Please reduce your request rate.</Message></Error>"


class WeakNetwork:
    """Passes every connection on to a port of this machine.

    Args:
        port: the server's.
        certificate: where it is given (the server's, and its authority's), the connection is decrypted on the way,
            so that requests can be refused.
        listen: the address and the port that it is reached at; port 0 is any that is free.

    Attributes:
        sent, received: bytes that went to the server, and that came back.
        pace: at most so many bytes per second come back on one connection; None: as fast as they come.
        refuse: the statuses with which the next requests are answered; None lets one through.
        refused: those that were.
        heads: with a certificate, the first line and the headers of each request, in lower case.
    """

    def __init__(
        self, port: int, certificate: tuple[Path, Path] | None = None, listen: tuple[str, int] = ("127.0.0.1", 0)
    ):
        self._port = port
        self._listener = socket.create_server(listen)
        self.endpoint = f"https://127.0.0.1:{self._listener.getsockname()[1]}"
        self.sent = self.received = 0
        self.pace: int | None = None
        self.refuse: list[int | None] = []
        self.refused: list[int] = []
        self.heads: list[str] = []
        self._open: set[socket.socket] = set()
        self._cut = False
        self._inward = self._outward = None
        if certificate:
            self._inward = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._inward.load_cert_chain(certificate[0])
            self._outward = ssl.create_default_context(cafile=str(certificate[1]))

    def __enter__(self) -> WeakNetwork:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.cut()
        self._listener.close()

    def cut(self) -> None:
        """Lose every connection, and refuse new ones."""
        self._cut = True
        for each in list(self._open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        self._cut = False

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _address = self._listener.accept()
                if self._cut:
                    client.close()
                else:
                    threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            server = socket.create_connection(("127.0.0.1", self._port))
            if self._inward:
                client = self._inward.wrap_socket(client, server_side=True)
                server = self._outward.wrap_socket(server, server_hostname="127.0.0.1")
            for each in (client, server):
                stack.callback(each.close)
                self._open.add(each)
                stack.callback(self._open.discard, each)
            self._relay(client, server)

    def _relay(self, client: socket.socket, server: socket.socket) -> None:
        """Pass bytes on in both directions, in one thread, as no two may use one TLS connection at once."""
        while True:
            ready = [each for each in (client, server) if isinstance(each, ssl.SSLSocket) and each.pending()]
            for source in ready or select.select([client, server], [], [])[0]:
                source.setblocking(False)
                try:
                    block = source.recv(65536)
                except ssl.SSLWantReadError:
                    continue  # what came was about TLS itself
                finally:
                    source.setblocking(True)
                if not block or (source is client and self._refuses(block, client)):
                    return
                if source is client:
                    server.sendall(block)
                    self.sent += len(block)
                else:
                    client.sendall(block)
                    self.received += len(block)
                    time.sleep(len(block) / self.pace if self.pace else 0)

    def _refuses(self, block: bytes, client: socket.socket) -> bool:
        """Answer in the server's place, where a request begins and one is to be refused."""
        begins = block.split(b" ", 1)[0] in (b"GET", b"PUT", b"HEAD", b"POST", b"DELETE")
        if begins:
            self.heads.append(block.split(b"\r\n\r\n", 1)[0].decode("latin-1").lower())
        if not begins or not self.refuse:
            return False
        status = self.refuse.pop(0)
        if status is None:
            return False
        self.refused.append(status)
        body = BUSY % (b"SlowDown" if status == 503 else b"InternalError")
        head = f"HTTP/1.1 {status} Busy\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        client.sendall(head.encode() + (b"" if block.startswith(b"HEAD") else body))
        return True
