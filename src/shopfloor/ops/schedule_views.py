"""What schedules and their firings look like from outside."""

from __future__ import annotations

from datetime import datetime
from itertools import islice
from typing import Final

from shopfloor.domain.catch_up import rule_of
from shopfloor.domain.errors import Invalid
from shopfloor.domain.model import Schedule
from shopfloor.domain.recurrence import coming
from shopfloor.ops.schedule_tasks import Template
from shopfloor.ops.schema import Result, always, decode, moment
from shopfloor.store.schedules import Fired

UPCOMING: Final = 3


class FiringView(Result, frozen=True):
    """One due time and what became of it: fired, skipped, missed, refused, or held by the clock.

    `times` is how many due times it stands for; `kept` says whether the task's output is still there.
    """

    due: datetime
    at: datetime
    outcome: str
    number: int | None
    times: int
    task: int | None
    status: str | None
    summary: str | None
    error: str | None
    by: str | None
    reason: str | None
    kept: bool

    @staticmethod
    def of(fired: Fired) -> FiringView:
        row = fired.firing
        return FiringView(
            always(row.due_at),
            always(row.at),
            row.outcome,
            row.number,
            row.times,
            row.task_id,
            fired.status,
            fired.summary,
            fired.last_error,
            row.by_hand,
            row.reason,
            row.outcome == "fired" and row.dropped_at is None and row.task_id is not None,
        )


class ScheduleView(Result, frozen=True):
    """A schedule; `next` is when it fires, `upcoming` its next due times, `state` active, paused or over."""

    name: str
    words: str
    kind: str
    expression: str
    zone: str
    state: str
    next: datetime | None
    upcoming: list[datetime]
    task: Template
    overlap: str
    missed: str
    window_ms: int
    jitter_ms: int
    until: datetime | None
    count: int | None
    keep: int
    keep_for_ms: int | None
    fired: int
    last: FiringView | None
    paused_at: datetime | None
    paused_by: str | None
    creator: str
    created_at: datetime
    changed_at: datetime

    @staticmethod
    def of(row: Schedule, last: Fired | None) -> ScheduleView:
        return ScheduleView(
            row.name,
            row.words,
            row.kind,
            row.expression,
            row.zone,
            state_of(row),
            moment(row.next_at),
            upcoming(row),
            decode(row.request, Template),
            row.overlap,
            row.missed,
            row.window_ms,
            row.jitter_ms,
            moment(row.ends_at),
            row.firings_max,
            row.keep,
            row.keep_ms,
            row.fired,
            None if last is None else FiringView.of(last),
            moment(row.paused_at),
            row.paused_by,
            row.creator,
            always(row.created_at),
            always(row.changed_at),
        )


class Scheduled(Result, frozen=True):
    """A new schedule, and what its maker should know."""

    schedule: ScheduleView
    notes: list[str]


class SchedulePage(Result, frozen=True):
    """Schedules by name; `next` is the cursor of the next page."""

    items: list[ScheduleView]
    next: str | None


class ScheduleDetail(Result, frozen=True):
    """A schedule and its latest firings, the newest first."""

    schedule: ScheduleView
    firings: list[FiringView]


class HistoryPage(Result, frozen=True):
    """Firings, the newest first; `next` is where the next page begins."""

    zone: str
    items: list[FiringView]
    next: datetime | None


class Upcoming(Result, frozen=True):
    """How a rule is understood, and its next due times."""

    kind: str
    expression: str
    zone: str
    upcoming: list[datetime]


class RemovedSchedule(Result, frozen=True):
    """The schedule that is gone; its tasks stay."""

    name: str


def state_of(row: Schedule) -> str:
    """Whether it will fire by itself."""
    if row.paused_at is not None:
        return "paused"
    return "over" if row.next_at is None else "active"


def upcoming(row: Schedule) -> list[datetime]:
    """Its next due times, as far as its end and its count let it."""
    if row.next_due is None:
        return []
    left = UPCOMING if row.firings_max is None else min(UPCOMING, row.firings_max - row.fired)
    try:
        times = list(islice(coming(rule_of(row), row.next_due - 1), max(left, 0)))
    except Invalid:
        # This host does not know its time zone; the schedule says so when it is due.
        return []
    return [always(due) for due in times if row.ends_at is None or due <= row.ends_at]
