"""Fires what is due: the errand of a board's schedules.

It sleeps until the next due time and fires in batches, each in a transaction of its own.  It remembers
nothing that the board does not have but until when it may sleep.  After a firing it archives what is not
kept any more; the logs of these tasks go after the commit, and again at the next start if this host died
between the two, or another host decided it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Final, Protocol

from shopfloor.domain.limits import SCHEDULES_PER_STEP
from shopfloor.domain.model import Schedule
from shopfloor.kernel import schedules as firing
from shopfloor.store import schedules
from shopfloor.store.db import Database, Tx

# A changed board is looked at again after so long, unless something is due before.
AGAIN_S: Final = 0.2
# How long it sleeps at most: a clock that was put forward is seen then.
SLEEP_S: Final = 20.0
# After so many steps the other errands of the board have their turn.
STEPS_PER_LOOK: Final = 10
# How often schedules that seldom fire are looked at for output that is too old.
RETIRE_EVERY_S: Final = 3_600.0
# At its start it removes again what was decided on in this time, in case a host died before it did.
DROPPED_AGAIN_MS: Final = 7 * 24 * 3_600_000


class Outputs(Protocol):
    """What tasks have left on this host."""

    def drop_output(self, task_id: int) -> None: ...


class ScheduleErrand:
    """Looks after the schedules of one board."""

    name = "schedules"

    def __init__(
        self,
        database: Database,
        make: firing.Make,
        outputs: Callable[[], Outputs],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._make = make
        self._outputs = outputs
        self._clock = clock
        self._looked_at = float("-inf")
        self._retired_at = float("-inf")
        self._dropped: tuple[int, int] | None = None
        self._now: int | None = None
        self._next_at: int | None = None

    def look(self) -> float | None:
        """Fire what is due, and answer how long nothing will be."""
        since_s = self._clock() - self._looked_at
        if since_s < AGAIN_S and self._wait_s() > 0:
            return min(AGAIN_S - since_s, self._wait_s())
        self._looked_at = self._clock()
        now, self._next_at = self._database.read(_moment)
        if self._now is None or now < self._now:
            self._say_clock_back()
        self._now = now
        fired = self._fire() if self._wait_s() <= 0 else []
        self._retire(fired)
        return None if self._next_at is None else min(max(self._wait_s(), 0.0), SLEEP_S)

    def close(self) -> None:
        """There is nothing to let go of."""

    def _wait_s(self) -> float:
        """How long until something is due, by what was read last."""
        if self._next_at is None or self._now is None:
            return SLEEP_S
        return (self._next_at - self._now) / 1000 - (self._clock() - self._looked_at)

    def _say_clock_back(self) -> None:
        while self._database.write(firing.say_clock_back) == SCHEDULES_PER_STEP:
            continue

    def _fire(self) -> list[Schedule]:
        """Fire until nothing is due, or enough for one look; answers which schedules have."""
        fired: list[Schedule] = []
        for _ in range(STEPS_PER_LOOK):
            step = self._database.write(lambda tx: firing.fire_due(tx, self._make))
            fired += step.fired
            if not step.seen:
                break
        self._now, self._next_at = self._database.read(_moment)
        self._looked_at = self._clock()
        return fired

    def _retire(self, fired: Iterable[Schedule]) -> None:
        """Archive what these schedules do not keep any more; now and then look at all of them."""
        names = {one.name for one in fired}
        if self._clock() - self._retired_at >= RETIRE_EVERY_S:
            self._retired_at = self._clock()
            names |= set(self._database.read(_everyone))
        if not names:
            return
        waiting = self._database.read(lambda tx: firing.to_retire(tx, sorted(names)))
        while waiting:
            done = self._database.write(partial(firing.retire, names=waiting))
            waiting = waiting[done:]
        self._drop_outputs()

    def _drop_outputs(self) -> None:
        """Remove what this host has of tasks that are not kept any more."""
        assert self._now is not None
        last = self._dropped or (self._now - DROPPED_AGAIN_MS, 0)
        while found := self._database.read(
            partial(schedules.dropped, after=last, limit=SCHEDULES_PER_STEP)
        ):
            for _, task_id in found:
                self._outputs().drop_output(task_id)
            last = found[-1]
        self._dropped = last


def fire_all(database: Database, make: firing.Make) -> None:
    """Fire until nothing is due."""
    while database.write(lambda tx: firing.fire_due(tx, make)).seen:
        continue


def _moment(tx: Tx) -> tuple[int, int | None]:
    """The board's time, and when something is due."""
    return tx.now, schedules.next_at(tx)


def _everyone(tx: Tx) -> list[str]:
    found: list[str] = []
    while page := schedules.listed(tx, after=found[-1] if found else "", limit=SCHEDULES_PER_STEP):
        found += [one.name for one in page]
    return found
