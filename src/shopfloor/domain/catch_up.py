"""What a schedule does with the times at which it was due while nobody looked.  Pure.

A due time that is seen within a minute is on time and fires.  Of the older ones the policy decides: `none`
fires none of them, `last` one, unless one is on time anyway, `all` each that is not older than the window.
The rest is missed, and told as one row of the history however many they are.
"""

from __future__ import annotations

import zlib
from itertools import islice, takewhile
from typing import NamedTuple

from shopfloor.domain.limits import FIRING_LATE_MS, FIRINGS_PER_STEP, MISSED_COUNTED_MAX
from shopfloor.domain.model import Schedule
from shopfloor.domain.recurrence import Rule, coming, last_until, next_after


class Due(NamedTuple):
    """The due times that fire now, oldest first, and how many before them were missed, and which last."""

    fire: tuple[int, ...]
    missed: int = 0
    missed_last: int | None = None


def rule_of(schedule: Schedule) -> Rule:
    """What the schedule's words mean, as it was stored."""
    return Rule(schedule.kind, schedule.expression, schedule.zone, schedule.anchor)


def spread(schedule: Schedule, due: int) -> int:
    """How much later than due it fires: the same for the same schedule and time, on every host."""
    return zlib.crc32(f"{schedule.id}/{due}".encode()) % (schedule.jitter_ms + 1)


def coming_up(schedule: Schedule, after: int) -> Schedule:
    """The schedule with the first due time after a moment as its next, if there is one before its end."""
    due = next_after(rule_of(schedule), after)
    over = schedule.firings_max is not None and schedule.fired >= schedule.firings_max
    if due is None or over or (schedule.ends_at is not None and due > schedule.ends_at):
        return schedule._replace(next_due=None, next_at=None)
    return schedule._replace(next_due=due, next_at=due + spread(schedule, due))


def due_now(schedule: Schedule, now: int) -> Due:
    """What is due of a schedule whose next time has come."""
    assert schedule.next_due is not None
    rule = rule_of(schedule)
    first = schedule.next_due
    until = now if schedule.ends_at is None else min(now, schedule.ends_at)
    on_time = now - FIRING_LATE_MS - schedule.jitter_ms
    begin = _begin(schedule, rule, now=now, on_time=on_time)
    waiting = takewhile(
        lambda due: due <= until and due + spread(schedule, due) <= now,
        coming(rule, max(first, begin) - 1),
    )
    fire = tuple(islice(waiting, FIRINGS_PER_STEP))
    if begin <= first:
        return Due(fire)
    last = last_until(rule, first - 1, min(begin - 1, until))
    if last is None:
        return Due(fire)
    return Due(fire, _count(rule, first, last), last)


def _begin(schedule: Schedule, rule: Rule, *, now: int, on_time: int) -> int:
    """The moment from which what is due fires; what was due before is missed."""
    if schedule.missed == "none":
        return on_time
    window = min(now - schedule.window_ms, on_time)
    if schedule.missed == "all":
        return window
    recent = last_until(rule, on_time - 1, now)
    if recent is not None and (schedule.ends_at is None or recent <= schedule.ends_at):
        return on_time
    until = on_time - 1 if schedule.ends_at is None else min(on_time - 1, schedule.ends_at)
    latest = last_until(rule, window - 1, until)
    return on_time if latest is None else latest


def _count(rule: Rule, first: int, last: int) -> int:
    """How many due times lie between two that are among them, as far as is counted."""
    if rule.kind == "every":
        return (last - first) // int(rule.expression) + 1
    counted = takewhile(lambda due: due <= last, coming(rule, first - 1))
    return sum(1 for _ in islice(counted, MISSED_COUNTED_MAX))
