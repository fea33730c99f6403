# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real servers that notices are sent to."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aiosmtpd.smtp import SMTP, AuthResult


class MailSink:
    """A mail server that keeps what it gets; `gone@` is nobody's address there."""

    def __init__(self, tls: ssl.SSLContext | None = None, login: tuple[str, str] | None = None):
        self.mails: list = []
        self.envelopes: list[tuple[str, list[str]]] = []
        self._login = login
        self._options = {
            "hostname": "sink.example.org",
            "tls_context": tls,
            "require_starttls": tls is not None,
            "authenticator": self._authenticate if login else None,
            "auth_required": login is not None,
        }
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)

    def __enter__(self) -> MailSink:
        self._thread.start()
        self._server = self._run(
            self._loop.create_server(lambda: SMTP(self, loop=self._loop, **self._options), "127.0.0.1", 0)
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_exception: object) -> None:
        self._loop.call_soon_threadsafe(self._server.close)
        self._run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    async def _end(self) -> None:
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def _authenticate(self, _server, _session, _envelope, _mechanism, data) -> AuthResult:
        given = (data.login.decode(), data.password.decode())
        return AuthResult(success=given == self._login, handled=given == self._login)

    async def handle_RCPT(self, _server, _session, envelope, address, _options) -> str:
        if address.startswith("gone@"):
            return "550 5.1.1 no such user here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, _session, envelope) -> str:
        self.envelopes.append((envelope.mail_from, envelope.rcpt_tos))
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"


class WebSink:
    """A web server that keeps what is posted to it, and answers as it is told."""

    def __init__(self, status: int = 200, answer: str = "ok", tls: ssl.SSLContext | None = None):
        sink = self
        self.posted: list[tuple[str, dict, dict]] = []

        class Answers(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                sink.posted.append((self.path, dict(self.headers), json.loads(body)))
                self.send_response(status)
                if 300 <= status < 400:
                    self.send_header("Location", "/elsewhere")
                self.end_headers()
                self.wfile.write(answer.replace("PATH", self.path).encode())

            def do_GET(self) -> None:
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign] # a client that hangs up
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._scheme = "https" if tls else "http"
        self._thread = threading.Thread(target=self._server.serve_forever)

    def __enter__(self) -> WebSink:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"{self._scheme}://{host}:{self._server.server_address[1]}{path}"

    @property
    def notices(self) -> list[dict]:
        return [content for _path, _headers, content in self.posted]


@contextlib.contextmanager
def silent_port(drip: bytes = b"") -> Iterator[int]:
    """A port where somebody listens who never answers, or answers with the same bytes again and again, slowly."""
    end = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            with contextlib.suppress(OSError):
                connection, _address = listener.accept()
                with connection:
                    while not end.wait(0.1):
                        connection.sendall(drip)

        thread = threading.Thread(target=answer)
        thread.start()
        yield listener.getsockname()[1]
        end.set()
        with contextlib.suppress(OSError):
            socket.create_connection(listener.getsockname()).close()
        thread.join()


def closed_port() -> int:
    """A port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]
