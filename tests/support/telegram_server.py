"""A server of the Bot API that a test scripts: real HTTP, real long polls, real refusals.

It keeps updates until a poll confirms them with its offset, as Telegram does, and remembers every message
that it was sent.  `refuse` has the next calls of a method end in another way.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from typing_extensions import override

from tests.support.waiting import eventually

TOKEN = "4711:a-token-of-a-test"
POLL_MOST_S = 2.0


class TelegramServer:
    """What a test says and hears as everyone at the other end."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.updates: list[dict[str, Any]] = []
        self.sent: list[dict[str, Any]] = []
        self.calls: list[str] = []
        self.polls = 0
        self.served: dict[int, int] = {}
        self._script: dict[str, list[tuple[int, dict[str, Any], dict[str, str]]]] = {}
        self._gates: dict[str, threading.Event] = {}
        self._number = 100
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def say(
        self,
        text: str,
        *,
        chat: int = 7,
        user: int = 1,
        name: str = "ann",
        thread: int | None = None,
    ) -> int:
        """Somebody writes a message; the number of its update."""
        private = chat > 0
        message: dict[str, Any] = {
            "message_id": self._number,
            "chat": {"id": chat, "type": "private" if private else "supergroup"},
            "from": {"id": user, "is_bot": False, "username": name},
            "text": text,
        }
        if thread is not None:
            message |= {"message_thread_id": thread, "is_topic_message": True}
        return self.push({"message": message})

    def push(self, update: dict[str, Any]) -> int:
        with self.changed:
            self._number += 1
            self.updates.append({"update_id": self._number, **update})
            self.changed.notify_all()
            return self._number

    def count_from(self, number: int) -> None:
        """Number what comes from here on."""
        with self.changed:
            self._number = number

    def refuse(
        self, method: str, status: int, times: int = 1, *, retry_after: int | None = None
    ) -> None:
        """End the next calls of a method with this status; 0 closes the connection without an answer."""
        body: dict[str, Any] = {"ok": False, "error_code": status, "description": f"no: {status}"}
        if retry_after is not None:
            body["parameters"] = {"retry_after": retry_after}
        with self.changed:
            self._script.setdefault(method, []).extend([(status, body, {})] * times)

    def forgive(self) -> None:
        """Refuse nothing more."""
        with self.changed:
            self._script.clear()

    @contextmanager
    def held(self, method: str) -> Iterator[None]:
        """Carry out calls of a method and keep their answers back."""
        gate = self._gates[method] = threading.Event()
        try:
            yield
        finally:
            del self._gates[method]
            gate.set()

    def heard(self, part: str, *, times: int = 1) -> dict[str, Any]:
        """Wait until so many messages with these words were sent; the last of them."""

        def found() -> list[dict[str, Any]]:
            matching = [one for one in self.sent if part in one["text"]]
            return matching if len(matching) >= times else []

        try:
            return eventually(found)[-1]
        except AssertionError:
            raise AssertionError(f"{part!r} was not said; but {self.sent}") from None

    def count(self, part: str) -> int:
        """How many messages with these words were sent."""
        return sum(part in one["text"] for one in self.sent)

    def confirmed(self, update: int) -> None:
        """Wait until a poll has confirmed this update, so that it is forgotten here."""
        eventually(lambda: all(one["update_id"] > update for one in self.updates))

    def answer(self, method: str, params: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """What one call is answered."""
        with self.changed:
            self.calls.append(method)
            script = self._script.get(method)
            if script:
                status, body, _ = script.pop(0)
                return status, body
            result = self._result(method, params)
            gate = self._gates.get(method)
        if gate is not None:
            gate.wait(60)
        return 200, {"ok": True, "result": result}

    def _result(self, method: str, params: dict[str, Any]) -> Any:
        if method == "getMe":
            return {"id": 4711, "is_bot": True, "username": "FloorBot"}
        if method == "getUpdates":
            return self._poll(int(params.get("offset", 0)), float(params.get("timeout", 0)))
        if method == "sendMessage":
            self.sent.append(params)
            self.changed.notify_all()
            return {"message_id": 1}
        return True

    def _poll(self, offset: int, timeout_s: float) -> list[dict[str, Any]]:
        self.polls += 1
        self.updates = [one for one in self.updates if one["update_id"] >= offset]
        self.changed.wait_for(lambda: self.updates, min(timeout_s, POLL_MOST_S))
        for one in self.updates:
            self.served[one["update_id"]] = self.served.get(one["update_id"], 0) + 1
        return list(self.updates)

    def close(self) -> None:
        with self.changed:
            self.changed.notify_all()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, telegram: TelegramServer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.telegram = telegram

    @override
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A bridge that was killed in the middle of a call is no trouble of the server's."""


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        bot, _, method = self.path.lstrip("/").partition("/")
        if bot != f"bot{TOKEN}":
            self._send(401, {"ok": False, "error_code": 401, "description": "Unauthorized"})
            return
        assert isinstance(self.server, _Server)
        status, told = self.server.telegram.answer(method, json.loads(body))
        if status == 0:
            self.close_connection = True
            return
        self._send(status, told)

    def _send(self, status: int, told: dict[str, Any]) -> None:
        data = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def telegram_server() -> Iterator[TelegramServer]:
    """A server for the length of a test."""
    server = TelegramServer()
    try:
        yield server
    finally:
        server.close()
