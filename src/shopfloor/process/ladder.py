"""The stop ladder: SIGTERM to all, a grace, then SIGKILL until nobody below is left.

| step    | entered by                         | does                   | leaves when             |
| ------- | ---------------------------------- | ---------------------- | ----------------------- |
| idle    | the start                          | nothing                | `begin`                 |
| asked   | `begin`                            | SIGTERM once           | the grace is over       |
| killing | the grace is over, `begin` with 0  | SIGKILL, again and again | the caller sees the end |

The caller asks `due` for the next moment and calls `step` then.  Times are monotonic seconds.
"""

import os
import signal

from shopfloor.process import tree

# The pause between two rounds of SIGKILL grows, because what survives one is in the kernel's hands.
ROUND_FIRST_S = 0.02
ROUND_MAX_S = 1.0


class Ladder:
    """The stop of everything below this process.

    With `asks` only that one is sent SIGTERM: it passes the wish on and takes care of the others.
    """

    def __init__(self) -> None:
        self.killed = False
        self.asks: int | None = None
        self._kill_at: float | None = None
        self._pause_s = ROUND_FIRST_S

    @property
    def begun(self) -> bool:
        return self._kill_at is not None

    def begin(self, now: float, grace_s: float) -> None:
        """Start down the ladder, or shorten the grace of one that has been begun."""
        if self._kill_at is None:
            self._kill_at = now + grace_s
            if grace_s > 0 and self.asks is not None:
                tree.signal_all(os.getpid(), (self.asks,), signal.SIGTERM)
            elif grace_s > 0:
                tree.ask_to_leave(os.getpid())
        self.shorten(now + grace_s)
        self.step(now)

    def shorten(self, kill_at: float) -> None:
        """Let the grace end at this moment, if it was to last longer."""
        if self._kill_at is not None:
            self._kill_at = min(self._kill_at, kill_at)

    def due(self) -> float | None:
        return self._kill_at

    def step(self, now: float) -> None:
        """Do what is due."""
        if self._kill_at is None or now < self._kill_at:
            return
        if tree.kill(os.getpid()):
            self.killed = True
        self._kill_at = now + self._pause_s
        self._pause_s = min(self._pause_s * 2, ROUND_MAX_S)
