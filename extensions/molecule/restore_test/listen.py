"""Take one notice on a port of this machine, and write it to a file: listen.py PORT FILE."""

from __future__ import annotations

import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path


class Sink(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        Path(sys.argv[2]).write_bytes(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(204)
        self.end_headers()


server = HTTPServer(("127.0.0.1", int(sys.argv[1])), Sink)
server.timeout = 300
server.handle_request()
