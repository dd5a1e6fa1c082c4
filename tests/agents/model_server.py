"""A server that speaks like four providers of language models, and does what a script says.

    python -m tests.agents.model_server [PORT] [LOG]

It serves, as JSON and as streams, the chat completions and responses of OpenAI, the messages of
Anthropic and the content of Gemini, and what programs ask beside them: lists of models, counts of
tokens.  The address that a program is given names a scenario of `scenarios.py`, and a word that tells
one user of the server from another: http://127.0.0.1:PORT/s/SCENARIO/WORD, with /v1 behind it where
the program wants that.  Every request is kept, and written to the log as a line of JSON.
"""

from __future__ import annotations

import gzip
import json
import re
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from tests.agents import wire_openai, wire_others
from tests.agents.dialogue import Body, Request, Wire, read
from tests.agents.replies import (
    Drop,
    Event,
    Failure,
    Reply,
    Silence,
    Text,
    ToolCall,
    refusal,
    refusal_headers,
)
from tests.agents.scenarios import SCENARIOS, Scenario

ADDRESS = re.compile(r"/s/([^/]+)/([^/]+)(/.*)?$")
MODELS = ("gpt-5", "claude-sonnet-4-5", "gemini-2.5-flash", "scripted")
WIRES: tuple[tuple[str, Wire], ...] = (
    (r"/chat/completions$", "chat"),
    (r"/responses$", "responses"),
    (r"/messages$", "anthropic"),
    (r":(stream)?[gG]enerateContent$", "gemini"),
)
DOCUMENTS: dict[Wire, Callable[[Request, Text | ToolCall], Body]] = {
    "chat": wire_openai.chat_document,
    "responses": wire_openai.responses_document,
    "anthropic": wire_others.anthropic_document,
    "gemini": wire_others.gemini_document,
}
STREAMS: dict[Wire, Callable[[Request, Text | ToolCall], Iterator[Event]]] = {
    "chat": wire_openai.chat_events,
    "responses": wire_openai.responses_events,
    "anthropic": wire_others.anthropic_events,
    "gemini": wire_others.gemini_events,
}


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a model that was made, and what was answered."""

    scenario: str
    word: str
    request: Request
    reply: Reply
    at_s: float
    headers: dict[str, str]

    def line(self) -> dict[str, Any]:
        """What the log says of it."""
        said = self.reply
        told = (
            f"calls {said.tool.name} {said.arguments}" if isinstance(said, ToolCall) else str(said)
        )
        return {
            "at_s": round(self.request.at_s, 2),
            "scenario": self.scenario,
            "word": self.word,
            "wire": self.request.wire,
            "number": self.request.number,
            "model": self.request.model,
            "stream": self.request.stream,
            "tools": [tool.name for tool in self.request.tools],
            "prompts": self.request.prompts,
            "answers": self.request.answers,
            "reply": told,
        }


class ModelServer:
    """The server in a thread of this process; a context manager that stops it."""

    def __init__(self, log: Path | None = None, port: int = 0) -> None:
        self.scenarios: dict[str, Scenario] = dict(SCENARIOS)
        self._log = log
        self._calls: list[Call] = []
        self._first: dict[tuple[str, str], float] = {}
        self._lock = threading.Lock()
        self._server = _Server(self, port)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def address(self, scenario: str, word: str = "any") -> str:
        """The address that makes a program play this scenario."""
        assert scenario in self.scenarios, scenario
        return f"http://127.0.0.1:{self.port}/s/{scenario}/{word}"

    def calls(self, word: str | None = None, *, work: bool = False) -> list[Call]:
        """The calls so far, oldest first; `work` leaves out those that are no part of the work.

        Programs also ask for a title of the session, without any tools.
        """
        with self._lock:
            found = list(self._calls)
        return [
            call for call in found if word in (None, call.word) and (call.request.tools or not work)
        ]

    def answer(self, scenario: str, word: str, request: Request, headers: dict[str, str]) -> Reply:
        """Decide what a call is answered, and keep it."""
        now = time.monotonic()
        with self._lock:
            first = self._first.setdefault((scenario, word), now)
            number = 1 + sum((one.scenario, one.word) == (scenario, word) for one in self._calls)
            request = replace(request, number=number, at_s=now - first)
            reply = self.scenarios[scenario](request)
            call = Call(scenario, word, request, reply, now, headers)
            self._calls.append(call)
            if self._log is not None:
                with self._log.open("a", encoding="utf-8") as log:
                    log.write(json.dumps(call.line()) + "\n")
        return reply


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    # A whole board of agents may start at once.
    request_queue_size = 128

    def __init__(self, models: ModelServer, port: int) -> None:
        self.models = models
        super().__init__(("127.0.0.1", port), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A program that was killed leaves its connection; a mistake of the script must be seen."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is inherited
        """Nothing: the log has one line a call."""

    def do_HEAD(self) -> None:
        self._json(200, {})

    def do_GET(self) -> None:
        if re.search(r"/models($|[/?])", self.path):
            self._json(200, _models())
        else:
            self._json(404, {"error": {"message": "no such path", "type": "not_found_error"}})

    def do_POST(self) -> None:
        body = self._body()
        found = ADDRESS.match(self.path)
        path = (found[3] or "/") if found else self.path
        plain = path.partition("?")[0]
        wire = next((wire for ending, wire in WIRES if re.search(ending, plain)), None)
        if re.search(r"(count_tokens|:countTokens|input_tokens)$", plain):
            self._json(200, {"input_tokens": 1000, "totalTokens": 1000})
        elif found is None or wire is None or found[1] not in self.server.models.scenarios:
            self._json(404, {"error": {"message": "no such path", "type": "not_found_error"}})
        else:
            request = read(wire, path, body)
            headers = {name.lower(): value for name, value in self.headers.items()}
            self._reply(request, self.server.models.answer(found[1], found[2], request, headers))

    def _reply(self, request: Request, reply: Reply) -> None:
        match reply:
            case Text() | ToolCall() if request.stream:
                self._stream(list(STREAMS[request.wire](request, reply)))
            case Text() | ToolCall():
                self._json(200, DOCUMENTS[request.wire](request, reply))
            case Failure():
                headers = refusal_headers(request.wire, reply)
                self._json(reply.status, refusal(request.wire, reply), headers)
            case Silence(started=started) | Drop(started=started):
                if started and request.stream:
                    told = list(
                        STREAMS[request.wire](request, Text("This will never be said whole."))
                    )
                    self._stream(told[: len(told) // 2])
                if isinstance(reply, Silence):
                    self._wait_for_the_end_of_the_client()
                self._cut()

    def _body(self) -> Body:
        if (self.headers.get("transfer-encoding") or "").lower() == "chunked":
            raw = b""
            while size := int(self.rfile.readline().partition(b";")[0], 16):
                raw += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        if (self.headers.get("content-encoding") or "").lower() == "gzip":
            raw = gzip.decompress(raw)
        try:
            body = json.loads(raw or b"{}")
        except ValueError:
            return {}
        return body if isinstance(body, dict) else {}

    def _json(self, status: int, document: object, headers: dict[str, str] | None = None) -> None:
        raw = json.dumps(document).encode()
        self.send_response(status)
        for name, value in {**(headers or {}), "content-type": "application/json"}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(raw)

    def _stream(self, events: list[Event]) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("cache-control", "no-cache")
        self.send_header("connection", "close")
        self.end_headers()
        self.close_connection = True
        for name, data in events:
            text = data if isinstance(data, str) else json.dumps(data)
            head = f"event: {name}\n" if name else ""
            self.wfile.write(f"{head}data: {text}\n\n".encode())
            self.wfile.flush()

    def _wait_for_the_end_of_the_client(self) -> None:
        self.connection.settimeout(None)
        while self.connection.recv(1 << 16):
            pass

    def _cut(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)


def _models() -> Body:
    """A list of models that the programs of every provider can read."""
    listed = [
        {
            "id": name,
            "object": "model",
            "created": 0,
            "owned_by": "nobody",
            "type": "model",
            "display_name": name,
            "created_at": "2025-01-01T00:00:00Z",
        }
        for name in MODELS
    ]
    ends = {"has_more": False, "first_id": MODELS[0], "last_id": MODELS[-1]}
    return {"object": "list", "data": listed, "models": [], **ends}


def main(arguments: list[str]) -> None:
    """Serve until Ctrl-C."""
    port = int(arguments[0]) if arguments else 8787
    log = Path(arguments[1]) if len(arguments) > 1 else None
    with ModelServer(log, port) as server:
        print(f"http://127.0.0.1:{server.port}/s/SCENARIO/WORD, where SCENARIO is one of:")
        print(*sorted(server.scenarios), flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main(sys.argv[1:])
