"""Who waits for whom: messages of one chat in their order, different chats side by side.

A command that takes long gives its chat free again after a moment, so that the chat can go on: it is told
that the answer follows.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Hashable
from typing import Final

PATIENCE_S: Final = 3.0
WORKERS_MAX: Final = 32


class Lanes:
    """Carries out works by lane; each work gets a thread of its own while it lasts."""

    def __init__(self, *, patience_s: float = PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._room = threading.Semaphore(WORKERS_MAX)
        self._guard = threading.Condition()
        self._waiting: dict[Hashable, deque[tuple[Callable[[], None], Callable[[], None]]]] = {}
        self._running = 0

    def put(self, lane: Hashable, work: Callable[[], None], slow: Callable[[], None]) -> None:
        """Carry out `work` after what was put into the lane before; `slow` is called where it lasts."""
        with self._guard:
            queue = self._waiting.get(lane)
            if queue is not None:
                queue.append((work, slow))
                return
            self._waiting[lane] = deque([(work, slow)])
        threading.Thread(target=self._drain, args=(lane,), name="chat-lane", daemon=True).start()

    def wait_idle(self, timeout_s: float | None = None) -> bool:
        """Wait until nothing is left to do; false: something still is."""
        with self._guard:
            return self._guard.wait_for(lambda: not self._waiting and not self._running, timeout_s)

    def _drain(self, lane: Hashable) -> None:
        while True:
            with self._guard:
                queue = self._waiting[lane]
                if not queue:
                    del self._waiting[lane]
                    self._guard.notify_all()
                    return
                work, slow = queue.popleft()
                self._running += 1
            done = threading.Event()
            self._room.acquire()
            threading.Thread(target=self._work, args=(work, done), name="chat", daemon=True).start()
            if not done.wait(self._patience_s):
                slow()

    def _work(self, work: Callable[[], None], done: threading.Event) -> None:
        try:
            work()
        finally:
            self._room.release()
            with self._guard:
                self._running -= 1
                self._guard.notify_all()
            done.set()
