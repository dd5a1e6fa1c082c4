"""JSON-RPC over a program's standard input and output, one message a line, as the Agent Client Protocol has it.

Requests go both ways.  What is not a message is handed over as a line of its own: programs print there
what they should not.
"""

from __future__ import annotations

import json
import time
from typing import Any

from shopfloor.process.child import Child

NO_SUCH_METHOD = -32601


class RpcEnded(Exception):
    """The program has ended, or takes nothing more."""


class Rpc:
    """One side of the conversation; for one thread."""

    def __init__(self, child: Child) -> None:
        self._child = child
        self._next_id = 0

    def request(self, method: str, params: dict[str, Any]) -> int:
        """Ask something; answers with the request's number.  Raises RpcEnded."""
        self._next_id += 1
        self._send({"id": self._next_id, "method": method, "params": params})
        return self._next_id

    def notify(self, method: str, params: dict[str, Any]) -> None:
        """Say something that has no answer.  Raises RpcEnded."""
        self._send({"method": method, "params": params})

    def answer(self, request_id: Any, result: Any) -> None:
        """Answer what the program asked.  Raises RpcEnded."""
        self._send({"id": request_id, "result": result})

    def refuse(self, request_id: Any, method: str) -> None:
        """Answer that this is not offered here.  Raises RpcEnded."""
        words = f"{method} is not offered here"
        self._send({"id": request_id, "error": {"code": NO_SUCH_METHOD, "message": words}})

    def receive(self, wait_s: float) -> tuple[list[dict[str, Any]], list[tuple[str, str]]]:
        """The messages that came within this time, and other lines with the stream they came from."""
        messages: list[dict[str, Any]] = []
        others: list[tuple[str, str]] = []
        for line in self._child.read(wait_s):
            found = _message(line.text) if line.stream == "stdout" else None
            if found is None:
                others.append((line.stream, line.text))
            else:
                messages.append(found)
        return messages, others

    def _send(self, message: dict[str, Any]) -> None:
        try:
            self._child.tell(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
        except OSError as gone:
            raise RpcEnded(str(gone)) from None


def _message(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) and "jsonrpc" in found else None


def left(deadline: float) -> float:
    """How much of the time is left, in seconds."""
    return max(deadline - time.monotonic(), 0.0)
