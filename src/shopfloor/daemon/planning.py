"""Decomposes what lies in triage by itself, where that is switched on: in a lane of its own.

A model takes its time, so no pass waits for it.  Each idea is asked about once; again only after a person
touched it, and within its budget.  What the model says goes through the same door as a person's words.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from msgspec import Raw

from shopfloor.daemon.lane import Lane
from shopfloor.domain.limits import BATCH_PER_TICK
from shopfloor.ops.call import Envelope, call
from shopfloor.ops.context import Service
from shopfloor.ops.schema import encode
from shopfloor.store import plannings

ACTOR = "planner"


class AutoPlanner:
    """Looks after each pass whether an idea waits, and has at most `planner.per_pass` in work."""

    def __init__(self, service: Service, ring: Callable[[], None]) -> None:
        self._service = service
        self._lane = Lane(ring)
        self._in_work = 0
        self._tried: dict[int, int] = {}

    def after_pass(self) -> None:
        """Hand over what waits, if the settings say so; the answers ring, and so come here again."""
        self._in_work -= len(self._lane.take())
        settings = self._service.settings().planner
        if settings is None or not settings.auto_decompose or self._in_work > 0:
            return
        waiting = self._service.database.read(lambda tx: plannings.wanted(tx, BATCH_PER_TICK))
        # One that was refused before it came to a question is not tried again as it stands.
        fresh = [one for one in waiting if self._tried.get(one[0]) != one[1]]
        self._tried = {number: at for number, at in waiting if self._tried.get(number) == at}
        for number, touched_at in fresh[: settings.per_pass]:
            self._tried[number] = touched_at
            self._in_work += 1
            self._lane.put(partial(self._decompose, number))

    def close(self) -> None:
        """Wait for no answer: the question was written down, and counts as asked."""
        self._lane.close(wait=False)

    def _decompose(self, task_id: int) -> bytes:
        """A refusal is written down with the question, where people and `shop why` find it."""
        args = Raw(encode({"id": task_id}))
        return call(self._service, Envelope("task.decompose", args, actor=ACTOR))
