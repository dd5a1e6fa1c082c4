"""Threads for what would hold up the desk: long reads, files, whatever waits.

They are started when they are needed and end when nothing was to do for a while, so that a quiet
door has none.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Final

IDLE_S: Final = 10.0


class Hands:
    """Up to `most` threads that do one thing after the other; what is handed over must not raise."""

    def __init__(self, name: str, most: int) -> None:
        self._name = name
        self._most = most
        self._wanted: deque[Callable[[], object]] = deque()
        self._changed = threading.Condition()
        self._idle = 0
        self._threads = 0

    def put(self, work: Callable[[], object]) -> None:
        """Do this as soon as a hand is free; never waits."""
        with self._changed:
            self._wanted.append(work)
            if self._idle >= len(self._wanted):
                self._changed.notify()
                return
            if self._threads == self._most:
                return
            self._threads += 1
        threading.Thread(target=self._serve, name=self._name, daemon=True).start()

    def _serve(self) -> None:
        while (work := self._next()) is not None:
            work()

    def _next(self) -> Callable[[], object] | None:
        """The next thing to do, or None when this thread is not needed any more."""
        with self._changed:
            self._idle += 1
            self._changed.wait_for(lambda: self._wanted, IDLE_S)
            self._idle -= 1
            if self._wanted:
                return self._wanted.popleft()
            self._threads -= 1
            return None
