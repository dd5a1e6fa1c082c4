"""A stand-in for the board in a trial: a door and an MCP server that know one task and take its verdict.

A trial of a profile must not touch a board, and must show whether an agent program finds the tools and
uses them.  Only `shop profile check` starts this; it listens on a socket of the trial's own folder and on
one port of the loopback, for as long as the trial lasts, and knows one token.
"""

from __future__ import annotations

import json
import socketserver
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TASK, RUN = 1, 1
ANSWER = {"id": TASK, "status": "done", "title": "A trial", "run": RUN, "note": None}
GUARD = {"status": "running", "outcome": None, "reason": "", "unread": 0}
NO_SUCH_METHOD = -32601
TOOLS = [
    {
        "name": "task_show",
        "description": "Show your task.",
        "inputSchema": {"type": "object", "properties": {}},
    },
    {
        "name": "task_complete",
        "description": "Say that your task is done.",
        "inputSchema": {
            "type": "object",
            "properties": {"summary": {"type": "string"}},
            "required": ["summary"],
        },
    },
]


class StandIn:
    """The board of one trial; `shook_hands`, `called` and `verdict` say what the agent did with it."""

    def __init__(self, socket_path: str, token: str) -> None:
        self.token = token
        self.shook_hands = False
        self.called: list[str] = []
        self.verdict: str | None = None
        self._door = _Door(socket_path, self)
        self._tools = _Tools(self)
        for server in (self._door, self._tools):
            threading.Thread(target=server.serve_forever, daemon=True).start()

    @property
    def port(self) -> int:
        """Where the MCP server listens."""
        return int(self._tools.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/mcp/trial"

    def close(self) -> None:
        """Listen no more."""
        for server in (self._door, self._tools):
            server.shutdown()
            server.server_close()

    def asked(self, request: dict[str, Any]) -> dict[str, Any]:
        """What the door answers: to the runner, and to `shop` in the agent's shell."""
        op = request.get("op")
        if request.get("token") != self.token:
            return _refusal("stale", "these are not the trial's credentials")
        if op == "run.guard":
            return {"result": {"open": self.verdict is None, "pending": False, **GUARD}}
        if op == "run.progress":
            return {"result": {"stop": None, "kind": None, "unread": 0}}
        if op == "task.complete":
            self.verdict = "its shell"
            return {"result": ANSWER}
        return _refusal("not_found", "a trial knows no more than to complete its task")

    def called_by_protocol(self, method: str, params: dict[str, Any]) -> dict[str, Any] | None:
        """What the MCP server answers; None for a method that it does not have."""
        if method == "initialize":
            self.shook_hands = True
            return {
                "protocolVersion": params.get("protocolVersion", "2025-06-18"),
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "board", "version": "trial"},
            }
        if method == "tools/list":
            return {"tools": TOOLS}
        if method == "ping":
            return {}
        if method == "tools/call":
            name = str(params.get("name"))
            self.called.append(name)
            if name == "task_complete":
                self.verdict = "the board's tools"
            return {"content": [{"type": "text", "text": json.dumps(ANSWER)}]}
        return None


class _Door(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True

    def __init__(self, path: str, board: StandIn) -> None:
        self.board = board
        super().__init__(path, _Visitor)


class _Visitor(socketserver.StreamRequestHandler):
    def handle(self) -> None:  # type: ignore[explicit-override]
        for line in self.rfile:
            assert isinstance(self.server, _Door)
            answer = self.server.board.asked(json.loads(line))
            self.wfile.write(json.dumps(answer).encode() + b"\n")


class _Tools(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, board: StandIn) -> None:
        self.board = board
        super().__init__(("127.0.0.1", 0), _Caller)


class _Caller(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:  # type: ignore[explicit-override]
        """Nothing is logged: the trial says what came of it."""

    def do_GET(self) -> None:
        self._answer(405, None)

    def do_DELETE(self) -> None:
        self._answer(405, None)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        assert isinstance(self.server, _Tools)
        bearer = self.headers.get("authorization", "")
        if bearer != f"Bearer {RUN}:{self.server.board.token}":
            self._answer(401, {"error": "these are not the trial's credentials"})
            return
        message = json.loads(body or b"{}")
        if "id" not in message:
            self._answer(202, None)
            return
        found = self.server.board.called_by_protocol(
            str(message.get("method")), message.get("params") or {}
        )
        answer = {"jsonrpc": "2.0", "id": message["id"]}
        if found is None:
            error = {"code": NO_SUCH_METHOD, "message": "a trial does not have this method"}
            self._answer(200, {**answer, "error": error})
        else:
            self._answer(200, {**answer, "result": found})

    def _answer(self, status: int, body: dict[str, Any] | None) -> None:
        data = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def _refusal(code: str, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "detail": {}}}
