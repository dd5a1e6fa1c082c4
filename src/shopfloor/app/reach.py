"""How a command reaches a board: through the running door, or by being the door itself for a moment.

A request that was sent and not answered (the door died) is sent again with the same request id, to
the next door or to oneself: if it was carried out, the answer is the stored one.  A request without an
id only reads.  This file is on the way of every command, so it imports next to nothing.
"""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING

from shopfloor.config import Home
from shopfloor.domain.errors import BoardError, Unavailable
from shopfloor.surfaces.cli.client import Ask

if TYPE_CHECKING:
    from socket import socket

WAIT_S = 10.0
PAUSE_S = 0.05
FOLLOW_PAUSE_S = 0.5
ANSWER_TIMEOUT_S = 120.0


class DoorClosed(Exception):
    """Nobody answers at the socket, or the answer did not come."""


class DoorClient:
    """One connection to a door: a line of JSON out, a line of JSON back."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._socket: socket | None = None
        self._rest = b""

    def is_open(self) -> bool:
        """Whether somebody answers at the socket."""
        try:
            self._connected()
        except OSError:
            self.close()
            return False
        return True

    def ask(self, request: bytes) -> bytes:
        """Send a request and wait for its answer; raises DoorClosed."""
        try:
            connection = self._connected()
            connection.sendall(request + b"\n")
            return self._line(connection)
        except OSError as lost:
            self.close()
            raise DoorClosed(str(lost)) from lost

    def _connected(self) -> socket:
        """The connection to the door; raises OSError where none is open."""
        if self._socket is None:
            # No door leaves no socket, and then the module of sockets is not needed either.
            os.stat(self._path)  # noqa: PTH116 - at every command
            import socket  # noqa: PLC0415 - see above

            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self._socket.settimeout(ANSWER_TIMEOUT_S)
            self._socket.connect(self._path)
        return self._socket

    def _line(self, connection: socket) -> bytes:
        parts = [self._rest]
        while b"\n" not in parts[-1]:
            data = connection.recv(1 << 16)
            if not data:
                raise ConnectionResetError("the door closed the connection")
            parts.append(data)
        line, _, self._rest = b"".join(parts).partition(b"\n")
        return line

    def close(self) -> None:
        """Part from the door."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
            self._rest = b""


class HomeClient:
    """Asks the boards of one home; one request at a time."""

    def __init__(self, home: Home, board: str | None) -> None:
        self._home = home
        self._board = board
        self._door = DoorClient(str(home.socket))

    def ask(self, request: Ask) -> bytes:
        """The answer's JSON; raises Unavailable when no door could be had within ten seconds."""
        if request.board is None and self._board is not None:
            request = request._replace(board=self._board)
        line = request.encode()
        deadline = None
        last = Unavailable("the door closed again and again; see what `shop up` says")
        while True:
            try:
                return self._door.ask(line)
            except DoorClosed:
                # The wait begins here: a request may take as long as it likes before its door dies.
                deadline = deadline or time.monotonic() + WAIT_S
                if time.monotonic() >= deadline:
                    raise last from None
            try:
                return self._be_the_door(request, line, deadline)
            except Unavailable as busy:
                # A damaged or newer board will not be better in ten seconds.
                if type(busy) is not Unavailable:
                    raise
                last = busy
            time.sleep(PAUSE_S)

    def _be_the_door(self, request: Ask, line: bytes, deadline: float) -> bytes:
        from shopfloor.app.own_door import answer  # noqa: PLC0415 - not needed while a door is open

        try:
            answered = answer(self._home, line, deadline, self._door.is_open)
        except Unavailable:
            raise
        except BoardError as refused:
            return json.dumps(refused.as_dict()).encode()
        if request.op == "event.list" and b'"wait_s"' in request.args:
            # Nobody rings here, so a follower looks twice a second, and holds no lock meanwhile.
            time.sleep(FOLLOW_PAUSE_S)
        return answered

    def close(self) -> None:
        """Part from the door."""
        self._door.close()
