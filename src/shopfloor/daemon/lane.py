"""A lane for what can take long: one thread that does one thing after the other, and rings when done."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue


class Lane:
    """Work handed over is done in order in a thread of its own.

    `ring` is called after each piece that has a result; what returns None leaves nothing to take.
    """

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._wanted: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self._done: deque[object] = deque()
        self._thread: threading.Thread | None = None

    def beside(self) -> Lane:
        """Another lane whose results are taken here, for what may take longer than others should wait."""
        lane = Lane(self._ring)
        lane._done = self._done
        return lane

    def put(self, work: Callable[[], object]) -> None:
        """Do this when what came before is done."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, name="lane", daemon=True)
            self._thread.start()
        self._wanted.put(work)

    def take(self) -> list[object]:
        """What has been done since the last call; what failed is there as its exception."""
        done = []
        while self._done:
            done.append(self._done.popleft())
        return done

    def close(self, *, wait: bool = True) -> None:
        """Finish what was handed over, and end the thread; without `wait`, nobody stays for it."""
        if self._thread is not None:
            self._wanted.put(None)
            if wait:
                self._thread.join()

    def _serve(self) -> None:
        while (work := self._wanted.get()) is not None:
            try:
                done = work()
            except Exception as failed:  # noqa: BLE001 - one piece's mistake must not end the lane
                done = failed
            if done is not None:
                self._done.append(done)
                self._ring()
