"""The door of a host: everyone's requests over one Unix socket, each answered after its commit.

A request is one line of JSON, and so is its answer.  The socket belongs to this user alone (mode 0600).
Who comes in is a `Visitor`, all of them are heard by the one `Desk`, and `Reception` says where each
request is carried out.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from shopfloor.daemon.desk import READ, Desk
from shopfloor.daemon.reception import VISITORS_MAX, OpenBoards, Reception
from shopfloor.daemon.visitor import Visitor
from shopfloor.domain.errors import Unavailable
from shopfloor.ops.call import error_bytes

QUEUE: Final = 512
ENTER_MAX: Final = 16
CLOSED_S: Final = 10.0


class Door:
    """Listens on a socket and has visitors heard at a desk."""

    def __init__(
        self, path: Path, desk: Desk, boards: OpenBoards, *, report: Callable[[str], None]
    ) -> None:
        self._path = path
        self._desk = desk
        self._reception = Reception(boards, desk, report)
        self._visitors: set[Visitor] = set()
        self._open = False
        self._socket = self._listen()
        desk.soon(self._begin)

    def _listen(self) -> socket.socket:
        """Bind beside the old socket and rename over it, so that a path always leads to a listener."""
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listening.setblocking(False)
        fresh = self._path.with_name(f".{self._path.name[:8]}{os.getpid()}")
        fresh.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            listening.bind(str(fresh))
        except OSError as wrong:
            listening.close()
            raise Unavailable(f"the socket {self._path} cannot be made: {wrong.strerror}") from None
        finally:
            os.umask(before)
        listening.listen(QUEUE)
        fresh.rename(self._path)
        return listening

    def close(self) -> None:
        """Let nobody more in, and part from everyone who is not waiting for an answer.

        Those are answered as long as the desk goes on, but for what the next door could do as well.
        """
        self._path.unlink(missing_ok=True)
        ended = threading.Event()
        self._desk.soon(lambda: self._end(ended))
        # A desk that ended by a mistake does not come; then there is nobody to part from either.
        while self._desk.alive and not ended.wait(0.1):
            continue
        self._socket.close()

    def _begin(self) -> None:
        self._open = True
        self._desk.watch(self._socket.fileno(), READ, self._enter)
        self._desk.look_with(self._look)

    def _end(self, ended: threading.Event) -> None:
        self._reception.closing = True
        self._desk.look_with(None)
        self._shut()
        for visitor in tuple(self._visitors):
            visitor.end()
        ended.set()

    def _shut(self) -> None:
        if self._open:
            self._open = False
            self._desk.forget(self._socket.fileno())

    def _enter(self, _events: int) -> None:
        """Let in who knocks, a few at a time."""
        for _ in range(ENTER_MAX):
            try:
                connection, _ = self._socket.accept()
            except BlockingIOError:
                return
            except OSError:
                # No more descriptors: who is here goes on, and the next look opens again.
                self._shut()
                return
            connection.setblocking(False)
            if len(self._visitors) < VISITORS_MAX:
                self._visitors.add(
                    Visitor(connection, self._desk, self._reception.take, self._visitors.discard)
                )
                continue
            with contextlib.suppress(OSError), connection:
                busy = Unavailable(f"the door serves {VISITORS_MAX} connections already")
                connection.send(error_bytes(busy) + b"\n")

    def _look(self, now: float) -> None:
        """What no event would tell: who does not go on, and that there may be descriptors again."""
        if not self._open:
            self._begin()
        for visitor in tuple(self._visitors):
            visitor.look(now)
