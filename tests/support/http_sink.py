"""A real HTTP server on loopback that takes messages and answers as a test tells it to.

Each request takes the next of `answers`; when they are used up, it is answered 200.  An answer is a status,
a status with headers, or what else can happen to a connection: `hang`, `reset`, `drip`, `hold` (until the
test lets go).
"""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from typing_extensions import override

DRIP_S = 0.05


class Received(NamedTuple):
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def message(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found

    @property
    def key(self) -> str:
        return self.headers["Idempotency-Key"]


Answer = int | tuple[int, dict[str, str]] | str


class HttpSink:
    """What was received, in order, and what is answered next."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.answers: list[Answer] = []
        self.let_go = threading.Event()
        self._guard = threading.Lock()
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def keys(self) -> list[str]:
        return [one.key for one in self.received]

    def take(self, received: Received) -> Answer:
        """Note a request; what it is answered."""
        with self._guard:
            self.received.append(received)
            return self.answers.pop(0) if self.answers else 200

    def close(self) -> None:
        self.let_go.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, sink: HttpSink) -> None:
        self.sink = sink
        super().__init__(("127.0.0.1", 0), _Handler)

    @override
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A peer that has gone is what some tests want."""


class _Handler(BaseHTTPRequestHandler):
    @property
    def sink(self) -> HttpSink:
        assert isinstance(self.server, _Server)
        return self.server.sink

    def do_POST(self) -> None:
        sink = self.sink
        body = self.rfile.read(int(self.headers["Content-Length"]))
        answer = sink.take(Received(self.path, dict(self.headers.items()), body))
        if isinstance(answer, str):
            self._misbehave(answer)
            return
        status, headers = answer if isinstance(answer, tuple) else (answer, {})
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(b"said the sink")

    def _misbehave(self, how: str) -> None:
        sink = self.sink
        if how == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
        elif how == "drip":
            while not sink.let_go.wait(DRIP_S):
                self.wfile.write(b"H")
        elif how == "hold":
            sink.let_go.wait()
            self.send_response(200)
            self.end_headers()
        else:
            assert how == "hang", how
            sink.let_go.wait()

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Nobody reads it."""


@contextmanager
def http_sink() -> Iterator[HttpSink]:
    """A server for one test."""
    sink = HttpSink()
    try:
        yield sink
    finally:
        sink.close()
