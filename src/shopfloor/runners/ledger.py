"""The runner's way to the ledger: one JSON line a request to the door's socket, as its run's worker.

A request keeps its id while it is tried again, so that what was carried out before the door died is not
done twice.  Who asks says how long it may be tried; a refusal is an error, never an answer.
"""

from __future__ import annotations

import json
import os
import socket
import time
from typing import Any, NamedTuple

from shopfloor.domain.errors import Unavailable, from_dict

ANSWER_TIMEOUT_S = 120.0
PAUSE_FIRST_S = 0.05
PAUSE_MAX_S = 2.0


class Identity(NamedTuple):
    """Whose worker this is, and where the board answers."""

    task: int
    run: int
    token: str
    board: str
    socket: str


class Ledger:
    """One connection to the door; for one thread."""

    def __init__(self, me: Identity) -> None:
        self._me = me
        self._socket: socket.socket | None = None

    def ask(
        self,
        op: str,
        args: dict[str, Any],
        *,
        tries_s: float,
        write: bool = True,
        answer_s: float = ANSWER_TIMEOUT_S,
    ) -> Any:
        """The result of a request; raises the refusal, or Unavailable when no door came in time."""
        told: dict[str, Any] = {
            "op": op,
            "args": args,
            "board": self._me.board,
            "run": self._me.run,
            "token": self._me.token,
        }
        if write:
            told["request_id"] = f"{time.time_ns() // 1_000_000:012x}{os.urandom(8).hex()}"
        line = json.dumps(told).encode() + b"\n"
        deadline = time.monotonic() + tries_s
        pause_s = PAUSE_FIRST_S
        while True:
            try:
                answer = json.loads(self._exchange(line, answer_s))
                if "error" not in answer:
                    return answer["result"]
                refused = from_dict(answer)
            except (OSError, ValueError) as lost:
                self.close()
                refused = Unavailable(f"the board's door at {self._me.socket} is away: {lost}")
            if not isinstance(refused, Unavailable) or time.monotonic() + pause_s > deadline:
                raise refused
            time.sleep(pause_s)
            pause_s = min(pause_s * 2, PAUSE_MAX_S)

    def close(self) -> None:
        """Part from the door."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _exchange(self, line: bytes, answer_s: float) -> bytes:
        if self._socket is None:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self._socket.connect(self._me.socket)
        self._socket.settimeout(answer_s)
        self._socket.sendall(line)
        parts: list[bytes] = []
        while not parts or b"\n" not in parts[-1]:
            part = self._socket.recv(1 << 16)
            if not part:
                raise ConnectionResetError("it closed the connection")
            parts.append(part)
        return b"".join(parts).partition(b"\n")[0]
