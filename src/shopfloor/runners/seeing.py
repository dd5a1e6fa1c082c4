"""What both kinds of conversation do beside reading: tell the pulse what changed, see a program off."""

from __future__ import annotations

import time

from shopfloor.domain.errors import BoardError
from shopfloor.process.child import Child
from shopfloor.runners.brief import Brief
from shopfloor.runners.conversation import Surroundings
from shopfloor.runners.reader import Reader
from shopfloor.runners.report import NOTHING, Failure, Usage

# How long the program may take to leave after a SIGTERM that reached the runner; then it is told once more.
LEAVE_S = 1.0
LEFT_S = 30.0


class Told:
    """Tells the pulse what changed since the last look."""

    def __init__(self, around: Surroundings, reader: Reader, counted: Usage) -> None:
        self._around, self._reader, self._counted = around, reader, counted
        self._usage = NOTHING
        self._known: tuple[str | None, str | None] = (None, None)
        self._moves = 0

    def tell(self) -> None:
        """Tell it now."""
        reader, pulse = self._reader, self._around.pulse
        if (reader.session, reader.model) != self._known:
            self._known = (reader.session, reader.model)
            pulse.session(*self._known)
        if reader.moves != self._moves:
            self._moves = reader.moves
            pulse.alive()
        if reader.usage != self._usage:
            self._usage = reader.usage
            pulse.used(self._around.spent.plus(reader.usage.less(self._counted)))


def see_off(child: Child) -> None:
    """Wait for the end of a program that was told to leave together with the runner; tell it once more.

    Whoever stops a run signals all of its processes, and many programs take a second SIGTERM for an order
    to skip their clean-up.
    """
    deadline = time.monotonic() + LEAVE_S
    while child.status is None and time.monotonic() < deadline:
        child.read(LEAVE_S)
    if child.status is None:
        child.stop(LEFT_S)


def not_started(brief: Brief, wrong: Exception) -> Failure:
    """The program could not be started."""
    words = wrong.message if isinstance(wrong, BoardError) else str(wrong)
    step = f"shop profile check {brief.profile.name}"
    return Failure("spawn_failed", f"the agent program could not be started: {words}", next=step)
