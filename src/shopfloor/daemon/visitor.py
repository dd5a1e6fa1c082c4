"""One connection to the door: lines in, one answer after the other out, and nobody waits for it.

A visitor asks one thing at a time: while a request is carried out, and until its answer is on its
way, at most one more piece of what he sends is taken, so what he can make us keep is one request and one
answer.  Who leaves a request or an answer half way for a minute is parted from.  A request that is too
long is thrown away up to its end and then refused, so that he reads the refusal.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Final

from shopfloor.daemon.desk import READ, WRITE, Desk
from shopfloor.domain.errors import LimitReached
from shopfloor.domain.limits import REQUEST_BYTES_MAX
from shopfloor.ops.call import error_bytes

READ_BYTES: Final = 1 << 16
STALLED_S: Final = 60.0

Ask = Callable[[bytes, Callable[[bytes | None], None]], None]


class Visitor:
    """Lives in the desk's thread.  `ask` gets each request and a way to answer it; `left` the farewell."""

    __slots__ = (
        "_answering",
        "_ask",
        "_desk",
        "_ended",
        "_events",
        "_has_more",
        "_left",
        "_moved",
        "_number",
        "_parts",
        "_rest",
        "_size",
        "_socket",
    )

    def __init__(
        self, connection: socket.socket, desk: Desk, ask: Ask, left: Callable[[Visitor], object]
    ) -> None:
        self._socket = connection
        self._number = connection.fileno()
        self._desk = desk
        self._ask = ask
        self._left = left
        self._parts: list[bytes] = []
        self._size = 0
        self._rest = memoryview(b"")
        self._answering = False
        self._ended = False
        self._has_more = False
        self._moved = desk.now
        self._events = 0
        self._want(READ)

    def look(self, now: float) -> None:
        """Part from who has left something half done for too long."""
        if (self._rest or (self._size and not self._answering)) and now - self._moved > STALLED_S:
            self.leave()

    def end(self) -> None:
        """Take no more requests; leave when the one that is under way is answered."""
        self._ended = True
        if self._busy():
            self._want(self._events & ~READ)
        else:
            self.leave()

    def leave(self) -> None:
        """Part now, whatever is under way: it is carried out, and can be asked for again."""
        if self._number >= 0:
            self._want(0)
            self._number = -1
            self._socket.close()
            self._left(self)

    def _ready(self, events: int) -> None:
        if events & WRITE:
            self._send()
        if events & READ and self._number >= 0:
            self._read()

    def _read(self) -> None:
        try:
            data = self._socket.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.end()
            return
        self._moved = self._desk.now
        if self._busy():
            # More than one thing at a time: he is heard again when this one is answered.
            self._want(self._events & ~READ)
        self._parts.append(data)
        self._size += len(data)
        if not self._busy():
            self._take(data)

    def _take(self, newest: bytes) -> None:
        """Hand over the first request, if its end is in the newest piece."""
        if b"\n" in newest:
            line, _, rest = b"".join(self._parts).partition(b"\n")
            self._parts = [rest] if rest else []
            size, self._size = self._size - len(rest) - 1, len(rest)
            self._answering = True
            if size > REQUEST_BYTES_MAX:
                refused = LimitReached(f"a request has at most {REQUEST_BYTES_MAX} bytes")
                self._answer(error_bytes(refused))
            else:
                self._ask(line, self._answer)
        elif self._size > REQUEST_BYTES_MAX:
            self._parts.clear()

    def _answer(self, answer: bytes | None) -> None:
        """Send the answer of the request that is under way; without one, part."""
        self._answering = False
        if answer is None:
            self.leave()
        elif self._number >= 0:
            self._moved = self._desk.now
            self._rest = memoryview(answer + b"\n")
            self._send()

    def _send(self) -> None:
        try:
            sent = self._socket.send(self._rest)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.leave()
            return
        self._rest = self._rest[sent:]
        if self._rest:
            if sent:
                self._moved = self._desk.now
            self._want(self._events | WRITE)
        elif self._size:
            # He has sent more already; the others have their turn first.
            self._want(self._events & ~WRITE)
            self._has_more = True
            self._desk.soon(self._go_on)
        elif self._ended:
            self.leave()
        else:
            self._want(READ)

    def _go_on(self) -> None:
        """Take what was sent while a request was carried out."""
        self._has_more = False
        if self._number < 0:
            return
        self._moved = self._desk.now
        self._take(b"".join(self._parts))
        if not self._busy():
            if self._ended:
                self.leave()
            else:
                self._want(READ)

    def _busy(self) -> bool:
        """Whether a request is under way, or its answer, or the next one is in his turn."""
        return self._answering or self._has_more or len(self._rest) > 0

    def _want(self, events: int) -> None:
        """Wait for these events, or for none."""
        if events == self._events or self._number < 0:
            return
        if not self._events:
            self._desk.watch(self._number, events, self._ready)
        elif events:
            self._desk.change(self._number, events, self._ready)
        else:
            self._desk.forget(self._number)
        self._events = events
