"""What a turn of an agent is, however the agent is spoken to: one thing said, and what came of it.

Both kinds of agent programs have a conversation: `cli.py` starts a process for each turn, `acp.py` keeps
one.  The turns themselves - reminders, goals, waits - are `turns.py`'s.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from typing import NamedTuple, Protocol

from shopfloor.process.logs import LogWriter
from shopfloor.runners.pulse import BUDGET, Pulse
from shopfloor.runners.report import NOTHING, Failure, Usage

RAW = "output.raw"
TOOLS_OF_THE_BOARD = (
    "task_complete",
    "task_block",
    "task_show",
    "task_request_review",
    "mcp__board",
)


class Turned(NamedTuple):
    """A turn that ended.

    `usage` is what this turn used.  `total` is what the session counts, where its program counts on over
    resumed sessions.  `cut_off` says that the turn was stopped from outside, by a limit or a signal.
    """

    text: str = ""
    session: str | None = None
    model: str | None = None
    usage: Usage = NOTHING
    total: Usage = NOTHING
    failure: Failure | None = None
    denied: tuple[str, ...] = ()
    cut_off: bool = False


class Conversation(Protocol):
    """One agent that can be told one thing after the other."""

    def turn(self, prompt: str, pointer: str) -> Turned:
        """Say this and wait for the end of the agent's turn; the pointer is for argument lists."""

    def begin_anew(self) -> None:
        """Forget the session: the next turn begins a new one."""

    def close(self) -> None: ...


class Surroundings:
    """What a conversation has around it: the log, the raw copy, the pulse, and the order to stop."""

    def __init__(
        self, folder: str, pulse: Pulse, show: Callable[[str], None], raw_bytes: int
    ) -> None:
        self.pulse = pulse
        self.show = show
        self.raw = LogWriter(os.path.join(folder, RAW), raw_bytes)  # noqa: PTH118 - no pathlib in runners
        self.told_to_leave = False
        # While an agent works, its end comes before the runner's.
        self.in_turn = False
        # What the turns before this one used.
        self.spent: Usage = NOTHING

    def leave(self) -> None:
        """SIGTERM came: the agent is to end, and so is the runner."""
        self.told_to_leave = True

    @property
    def stopped(self) -> bool:
        """Whether the agent must be stopped now."""
        return self.told_to_leave or self.pulse.kind == BUDGET


class Waker:
    """A descriptor that wakes a poll when the pulse has news or a signal came."""

    def __init__(self) -> None:
        self.fd, self._writing = os.pipe()
        os.set_blocking(self.fd, False)
        os.set_blocking(self._writing, False)
        signal.set_wakeup_fd(self._writing, warn_on_full_buffer=False)

    def wake(self) -> None:
        """Wake whoever polls."""
        try:
            os.write(self._writing, b"\0")
        except BlockingIOError:
            return

    def drain(self) -> None:
        """Empty it."""
        try:
            while os.read(self.fd, 4096):
                pass
        except BlockingIOError:
            return


def clock() -> int:
    """Milliseconds since the epoch: providers name their resets so."""
    return time.time_ns() // 1_000_000
