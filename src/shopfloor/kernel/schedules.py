"""Schedules fire: each due time once, with its task, in one transaction.

A schedule is locked while it fires, on PostgreSQL against other hosts too, and the row of the due time
is written before its task: whoever comes second finds it and makes nothing.  The next due time is written
in the same transaction, so a death at any statement leaves the due time to be seen again, or done.

Time goes forward only: what was due at `settled_until` or before never fires, also when the clock went
back.  Then the history says so, and from which time on it fires again.  A person who resumes a schedule
or gives it another rule starts it from now.

How a stored request becomes a task is the caller's `Make`; what it refuses is written down, and the
schedule goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple, TypeAlias

from shopfloor.domain.caller import Caller, person
from shopfloor.domain.catch_up import coming_up, due_now
from shopfloor.domain.durations import words
from shopfloor.domain.errors import Conflict, Invalid, Refused
from shopfloor.domain.lifecycle import Status, Verb
from shopfloor.domain.limits import (
    CLOCK_BACK_MS,
    FIRINGS_QUEUED_MAX,
    HISTORY_MAX,
    MISSED_COUNTED_MAX,
    NOTICE_GATHER_MS,
    NOTICE_WORDS_MAX,
    SCHEDULES_PER_STEP,
)
from shopfloor.domain.model import Schedule
from shopfloor.domain.recurrence import zone_of
from shopfloor.kernel.apply import Change
from shopfloor.kernel.drop import drop
from shopfloor.store import deliveries, events, schedules
from shopfloor.store.db import Tx


class Occasion(NamedTuple):
    """Why a task is put on the board: which firing it is, when it was due, and what it waits for."""

    number: int
    due_at: int
    waits_for: tuple[int, ...] = ()


# Puts the task of a firing on the board and answers its number; raises Invalid or Refused.
Make: TypeAlias = Callable[[Tx, Schedule, Occasion], int]


class Step(NamedTuple):
    """One step of firing: how many schedules were seen to, and which of them fired."""

    seen: int
    fired: tuple[Schedule, ...]


class Outcome(NamedTuple):
    """What became of one due time."""

    outcome: str
    task_id: int | None
    reason: str | None


def actor(schedule: Schedule) -> Caller:
    """In whose name a schedule's tasks are created and archived."""
    return person(f"schedule {schedule.name}")


def fire_due(tx: Tx, make: Make) -> Step:
    """Fire what is due, a bounded number of schedules and times; call it again while it has seen any."""
    due = schedules.due(tx, SCHEDULES_PER_STEP)
    return Step(len(due), tuple(one for one in due if _fire(tx, one, make)))


def fire_by_hand(tx: Tx, caller: Caller, schedule: Schedule, make: Make) -> Outcome:
    """Fire now because a person says so; a running task of before does not hinder it."""
    patient = schedule._replace(overlap="queue" if schedule.overlap == "queue" else "allow")
    told = _fire_once(tx, patient, tx.now, make, by_hand=caller.name)
    if told is None:
        raise Conflict(f"{schedule.name} has just fired at this very moment; try again")
    if told.outcome == "fired":
        schedules.put(tx, schedule._replace(fired=schedule.fired + 1))
    return told


def say_clock_back(tx: Tx) -> int:
    """Write down for each schedule that the clock went back behind its last firing, once."""
    back = schedules.ahead(tx, tx.now + CLOCK_BACK_MS, SCHEDULES_PER_STEP)
    for schedule in back:
        assert schedule.next_due is not None
        reason = (
            f"the clock went back by {words(schedule.clock_at - tx.now)}; what was due until "
            f"{_local(schedule, schedule.settled_until)} does not fire again, the next is due at "
            f"{_local(schedule, schedule.next_due)}; `shop cron resume {schedule.name}` goes on from now"
        )
        _note(tx, schedule, tx.now, outcome="clock", reason=reason)
        schedules.put(tx, schedule._replace(clock_at=tx.now))
    return len(back)


def to_retire(tx: Tx, names: Iterable[str]) -> list[str]:
    """Which of these schedules have output or history that is not kept any more."""
    found = [schedule for name in names if (schedule := schedules.get(tx, name)) is not None]
    return [
        one.name
        for one in found
        if _beyond(tx, one, 1) or schedules.overfull(tx, one.id, HISTORY_MAX)
    ]


def retire(tx: Tx, names: Sequence[str]) -> int:
    """Retire the output of schedules in turn; a bounded step, which answers how many it has finished."""
    left = SCHEDULES_PER_STEP
    for at, name in enumerate(names):
        schedule = schedules.lock(tx, name)
        if schedule is None:
            continue
        left -= _retire(tx, schedule, left)
        if left <= 0:
            return at
    return len(names)


def _beyond(tx: Tx, schedule: Schedule, limit: int) -> list[tuple[int, int | None, str | None]]:
    before = 0 if schedule.keep_ms is None else tx.now - schedule.keep_ms
    return schedules.beyond(tx, schedule.id, keep=schedule.keep, before=before, limit=limit)


def _retire(tx: Tx, schedule: Schedule, most: int) -> int:
    """Archive the tasks of firings that are not kept any more, and forget old history."""
    beyond = _beyond(tx, schedule, most)
    change = Change(actor(schedule), reason="its output is not kept any more")
    for due_at, task_id, status in beyond:
        if task_id is not None and status != Status.ARCHIVED:
            drop(tx, Verb.ARCHIVE, task_id, change, children="wait")
        schedules.drop(tx, schedule.id, due_at)
    schedules.forget(tx, schedule.id, HISTORY_MAX)
    return len(beyond)


def _fire(tx: Tx, schedule: Schedule, make: Make) -> bool:
    """See to everything that is due of a locked schedule; whether a task was made."""
    try:
        due = due_now(schedule, tx.now)
    except Invalid as wrong:
        _stop(tx, schedule, wrong.message)
        return False
    settled, fired = schedule.settled_until, schedule.fired
    if due.missed_last is not None:
        _note(
            tx,
            schedule,
            due.missed_last,
            outcome="missed",
            reason=_missed(due.missed),
            times=due.missed,
        )
        settled = max(settled, due.missed_last)
    for due_at in due.fire:
        told = _fire_once(tx, schedule._replace(fired=fired), due_at, make)
        fired += told is not None and told.outcome == "fired"
        settled = max(settled, due_at)
        if schedule.firings_max is not None and fired >= schedule.firings_max:
            break
    after = schedule._replace(fired=fired, settled_until=settled, clock_at=tx.now)
    schedules.put(tx, coming_up(after, settled))
    return fired > schedule.fired


def _stop(tx: Tx, schedule: Schedule, reason: str) -> None:
    """Pause a schedule whose rule means nothing on this host any more, and say so."""
    assert schedule.next_due is not None
    _note(tx, schedule, schedule.next_due, outcome="refused", reason=reason)
    paused = schedule._replace(next_due=None, next_at=None, paused_at=tx.now, paused_by="the board")
    schedules.put(tx, paused)


def _fire_once(
    tx: Tx, schedule: Schedule, due_at: int, make: Make, *, by_hand: str | None = None
) -> Outcome | None:
    """Fire one due time; None: it was seen to before."""
    open_tasks = []
    if schedule.overlap != "allow":
        open_tasks = schedules.unfinished(tx, schedule.id, FIRINGS_QUEUED_MAX)
    reason = _overlap(schedule, open_tasks)
    if reason is not None:
        noted = _note(tx, schedule, due_at, outcome="skipped", reason=reason)
        return Outcome("skipped", None, reason) if noted else None
    number = schedule.fired + 1
    if not schedules.begin_firing(
        tx, schedule.id, due_at, outcome="fired", number=number, by_hand=by_hand
    ):
        return None
    waits_for = tuple(task for task, _ in open_tasks[:1])
    try:
        task_id = make(tx, schedule, Occasion(number, due_at, waits_for))
    except (Invalid, Refused) as refused:
        schedules.refused(tx, schedule.id, due_at, refused.message)
        _tell(tx, schedule, due_at, outcome="refused", reason=refused.message)
        return Outcome("refused", None, refused.message)
    schedules.made(tx, schedule.id, due_at, task_id)
    return Outcome("fired", task_id, None)


def _overlap(schedule: Schedule, open_tasks: list[tuple[int, str]]) -> str | None:
    """Why a firing is left out because of those before it; None: it is not."""
    if schedule.overlap == "skip" and open_tasks:
        task, status = open_tasks[0]
        return f"#{task} of the firing before is still {status}"
    if len(open_tasks) >= FIRINGS_QUEUED_MAX:
        return f"{FIRINGS_QUEUED_MAX} firings before it wait already"
    return None


def _missed(count: int) -> str:
    many = f"{count}" if count < MISSED_COUNTED_MAX else f"{count} or more"
    return f"{many} due time(s) passed while nothing was running"


def _note(
    tx: Tx, schedule: Schedule, due_at: int, *, outcome: str, reason: str, times: int = 1
) -> bool:
    """A row of the history that made no task, and its event; false: the row was there."""
    noted = schedules.begin_firing(
        tx, schedule.id, due_at, outcome=outcome, reason=reason, times=times
    )
    if noted:
        _tell(tx, schedule, due_at, outcome=outcome, reason=reason)
    return noted


def _tell(tx: Tx, schedule: Schedule, due_at: int, *, outcome: str, reason: str) -> None:
    data: dict[str, object] = {
        "schedule": schedule.name,
        "outcome": outcome,
        "due": due_at,
        "reason": reason,
    }
    events.append(tx, "schedule_held", task_id=None, actor=actor(schedule).name, data=data)
    deliveries.fan_out_schedule(
        tx,
        schedule_id=schedule.id,
        kind="schedule_held",
        title=schedule.name,
        words=f"{outcome}: {reason}"[:NOTICE_WORDS_MAX],
        due=tx.now + NOTICE_GATHER_MS,
    )


def _local(schedule: Schedule, moment: int) -> str:
    return f"{datetime.fromtimestamp(moment / 1000, zone_of(schedule.zone)):%Y-%m-%d %H:%M}"
