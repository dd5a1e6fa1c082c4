"""The signal that something on a board has changed: ring it after a commit, wait for it anywhere.

It carries no news and may ring too often; whoever wakes looks at the board.  It never rings too
seldom: a ring between two waits is not lost, because a waiter says up to which ring it has looked.
Rings that nobody has answered yet are one.
"""

from __future__ import annotations

import os
import threading
from types import TracebackType
from typing import Self


class Wake:
    """One for each board of a process.  Safe to use from all threads."""

    def __init__(self) -> None:
        self._count = 0
        self._rang = threading.Condition()
        self._bells: list[Bell] = []

    @property
    def count(self) -> int:
        """How often it has rung: what to give to `wait` later, read before looking at the board."""
        return self._count

    def ring(self) -> None:
        """Say that something has changed.  Waits for nobody."""
        with self._rang:
            self._count += 1
            self._rang.notify_all()
            for bell in self._bells:
                bell.strike()

    def wait(self, seen: int, timeout_s: float | None = None) -> int:
        """Return the count as soon as it is not `seen` any more, or `seen` when the time is over."""
        with self._rang:
            self._rang.wait_for(lambda: self._count != seen, timeout_s)
            return self._count

    def bell(self) -> Bell:
        """A descriptor that becomes readable with every ring, for a loop that waits for others too."""
        bell = Bell(self)
        with self._rang:
            self._bells.append(bell)
        return bell

    def forget(self, bell: Bell) -> None:
        """Ring this bell no more."""
        with self._rang:
            if bell in self._bells:
                self._bells.remove(bell)


class Bell:
    """One loop's end of a `Wake`: put it into a selector, clear it, look at the board."""

    def __init__(self, wake: Wake) -> None:
        self._wake = wake
        self._out, self._in = os.pipe()
        os.set_blocking(self._out, False)
        os.set_blocking(self._in, False)
        self._struck = False
        self._lock = threading.Lock()

    def fileno(self) -> int:
        return self._out

    def strike(self) -> None:
        """Make the descriptor readable; once until it is cleared."""
        with self._lock:
            if not self._struck:
                self._struck = True
                os.write(self._in, b"!")

    def clear(self) -> None:
        """Make it quiet again.  Done before looking at the board, so that nothing is missed."""
        with self._lock:
            if self._struck and self._out >= 0:
                os.read(self._out, 1)
                self._struck = False

    def close(self) -> None:
        """Give the descriptors back."""
        self._wake.forget(self)
        with self._lock:
            if self._out >= 0:
                os.close(self._out)
                os.close(self._in)
                self._out = self._in = -1
                self._struck = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
