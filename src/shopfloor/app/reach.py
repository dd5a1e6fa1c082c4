"""How a command reaches a board: through the running door, or by being the door itself for a moment.

A request that was sent and not answered (the door died) is sent again with the same request id, to
the next door or to oneself: if it was carried out, the answer is the stored one.
"""

from __future__ import annotations

import socket
import time

import msgspec

from shopfloor.app.boards import BoardFolder, HomeBoards, private
from shopfloor.app.service import BoardService, open_database
from shopfloor.config import Home
from shopfloor.domain.errors import NotFound, Unavailable
from shopfloor.ops.call import Envelope, call
from shopfloor.ops.registry import find
from shopfloor.ops.schema import encode
from shopfloor.store.owner import BoardLock

WAIT_S = 10.0
LOCK_TRY_S = 0.2
PAUSE_S = 0.05
ANSWER_TIMEOUT_S = 120.0


class DoorClosed(Exception):
    """Nobody answers at the socket, or the answer did not come."""


class DoorClient:
    """One connection to a door: a line of JSON out, a line of JSON back."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._socket: socket.socket | None = None
        self._rest = b""

    def ask(self, envelope: Envelope) -> bytes:
        """Send a request and wait for its answer; raises DoorClosed."""
        try:
            if self._socket is None:
                self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                self._socket.settimeout(ANSWER_TIMEOUT_S)
                self._socket.connect(self._path)
            self._socket.sendall(encode(envelope) + b"\n")
            return self._line()
        except OSError as lost:
            self.close()
            raise DoorClosed(str(lost)) from lost

    def _line(self) -> bytes:
        assert self._socket is not None
        parts = [self._rest]
        while b"\n" not in parts[-1]:
            data = self._socket.recv(1 << 16)
            if not data:
                raise ConnectionResetError("the door closed the connection")
            parts.append(data)
        line, _, self._rest = b"".join(parts).partition(b"\n")
        return line

    def close(self) -> None:
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
        self._has_request_id = True

    def ask(self, envelope: Envelope) -> bytes:
        """The answer's JSON; raises Unavailable when no door could be had within ten seconds."""
        if envelope.board is None and self._board is not None:
            envelope = msgspec.structs.replace(envelope, board=self._board)
        deadline = time.monotonic() + WAIT_S
        while True:
            try:
                return self._door.ask(envelope)
            except DoorClosed as lost:
                if envelope.request_id is None and not _repeatable(envelope, lost):
                    raise Unavailable(
                        f"the door went away before it answered ({lost}); whether the request was "
                        "carried out is not known, so look before you send it again"
                    ) from None
            try:
                return self._be_the_door(envelope, deadline)
            except Unavailable:
                if time.monotonic() >= deadline:
                    raise
            time.sleep(PAUSE_S)

    def _be_the_door(self, envelope: Envelope, deadline: float) -> bytes:
        private(self._home.root)
        boards = HomeBoards(self._home, prepare=prepare_board, release=release_board)
        folder = boards.resolve(envelope.board)
        if folder.url is not None:
            return _answer(self._home, folder, boards, envelope)
        left_s = max(deadline - time.monotonic(), 0.0)
        with BoardLock(folder.lock, wait_s=min(LOCK_TRY_S, left_s)):
            return _answer(self._home, folder, boards, envelope)

    def close(self) -> None:
        self._door.close()


def _repeatable(envelope: Envelope, lost: DoorClosed) -> bool:
    """Whether a request without an id may be sent again: it only reads, or it never arrived."""
    if isinstance(lost.__cause__, (FileNotFoundError, ConnectionRefusedError)):
        return True
    try:
        return find(envelope.op).kind == "read"
    except NotFound:
        return True


def _answer(home: Home, folder: BoardFolder, boards: HomeBoards, envelope: Envelope) -> bytes:
    service = BoardService(home, folder, open_database(folder), boards)
    try:
        return call(service, envelope)
    finally:
        service.close()


def prepare_board(folder: BoardFolder) -> None:
    """Make a new board's ledger, or join one that other hosts made."""
    open_database(folder, create=True).close()


def release_board(folder: BoardFolder) -> None:
    """Let go of a board that is about to be removed; raises Unavailable while somebody has it open."""
    if folder.url is None:
        with BoardLock(folder.lock, wait_s=LOCK_TRY_S):
            pass
