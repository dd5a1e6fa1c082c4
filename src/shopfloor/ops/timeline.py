"""What ran when, on which host and for which profile, how long it had waited before, and what waits now.

A run has up to two waits before it.  From the end of the task's attempt before it to `queued_at` the
task waited for its retry, a person or another task; from `queued_at` to `claimed_at` it waited in a queue.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta

from shopfloor.domain import limits
from shopfloor.domain.durations import DURATION_MS_MAX
from shopfloor.domain.errors import Invalid
from shopfloor.domain.lifecycle import Status
from shopfloor.kernel.why import why
from shopfloor.ops.context import Context
from shopfloor.ops.registry import operation
from shopfloor.ops.schema import Arg, Request, Result, always, milliseconds, moment
from shopfloor.store import history, tasks
from shopfloor.store.history import PastRun

HOURS_6_MS = 6 * 3_600_000
Name = Annotated[str, Meta(max_length=limits.NAME_CHARS_MAX)]


class ShowTimeline(Request, frozen=True, kw_only=True):
    """Which window, and whose runs."""

    since_ms: Annotated[
        int, Arg("How much time is shown: `6h`, `2d`.", unit="ms", gt=0, le=DURATION_MS_MAX)
    ] = HOURS_6_MS
    until: Annotated[datetime | None, Arg("Where it ends; now, if left out.")] = None
    profile: Annotated[Name | None, Arg("Only of this profile.")] = None
    host: Annotated[Name | None, Arg("Only on this host.")] = None
    before: Annotated[
        Annotated[int, Meta(ge=1)] | None, Arg("Go on: only older than this run.")
    ] = None
    limit: Annotated[int, Arg("At most so many.", ge=1, le=limits.PAGE_MAX)] = limits.PAGE_DEFAULT


class TimelineRun(Result, frozen=True):
    """One attempt with what came before it; a run without a host is an outside worker's."""

    run: int
    task: int
    title: str
    role: str
    attempt: int
    profile: str | None
    order: bool
    host: str
    state: str
    outcome: str | None
    error: str | None
    previous_run: int | None
    previous_outcome: str | None
    previous_ended_at: datetime | None
    queued_at: datetime | None
    claimed_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    waited_s: float | None
    ran_s: float


class WaitingTask(Result, frozen=True):
    """A task that is in a queue now, since when, and why it does not start."""

    task: int
    title: str
    status: str
    assignee: str | None
    since: datetime
    code: str
    sentence: str


class Timeline(Result, frozen=True):
    """The runs of a window, the newest first, and the head of the queue; `next` is for `before`."""

    since: datetime
    until: datetime
    now: datetime
    items: list[TimelineRun]
    waiting: list[WaitingTask]
    waiting_total: int
    next: int | None


@operation(
    "run.timeline",
    "GET /api/v1/timeline",
    command="timeline",
    kind="read",
    role="anyone",
    errors=(Invalid,),
)
def timeline(ctx: Context, req: ShowTimeline) -> Timeline:
    """Show what ran when, on which host and for which profile, and how long it had waited.

    Attempts of more than a week are left out of windows in which they only end.
    """
    until = ctx.tx.now if req.until is None else (milliseconds(req.until) or 0)
    since = until - req.since_ms
    if since < 0:
        raise Invalid("the window begins before 1970; ask for a shorter one")
    found = history.runs(
        ctx.tx,
        first_id=history.first_run(ctx.tx, since - limits.RUN_DAYS_MAX_MS),
        since=since,
        until=until,
        before=req.before or 2**62,
        profile=req.profile,
        host=req.host,
        limit=req.limit + 1,
    )
    shown = found[: req.limit]
    ends = history.ends(ctx.tx, sorted({one.earlier for one in shown if one.earlier is not None}))
    return Timeline(
        always(since),
        always(until),
        always(ctx.tx.now),
        [_run(one, ends.get(one.earlier or 0), ctx.tx.now) for one in shown],
        _waiting(ctx),
        _queued(ctx),
        shown[-1].id if len(found) > req.limit else None,
    )


def _run(run: PastRun, before: tuple[str | None, int | None] | None, now: int) -> TimelineRun:
    outcome, ended_at = before or (None, None)
    queued_at = run.queued_at
    if queued_at is not None and ended_at is not None:
        queued_at = max(queued_at, ended_at)
    return TimelineRun(
        run=run.id,
        task=run.task_id,
        title=run.title,
        role=run.role,
        attempt=run.attempt,
        profile=run.profile,
        order=run.is_order,
        host=run.host,
        state=_state(run),
        outcome=run.outcome,
        error=run.error,
        previous_run=run.earlier,
        previous_outcome=outcome,
        previous_ended_at=moment(ended_at),
        queued_at=moment(queued_at),
        claimed_at=always(run.claimed_at),
        started_at=moment(run.started_at),
        ended_at=moment(run.ended_at),
        waited_s=None if queued_at is None else (run.claimed_at - queued_at) / 1000,
        ran_s=((now if run.ended_at is None else run.ended_at) - run.claimed_at) / 1000,
    )


def _state(run: PastRun) -> str:
    """The same words as an attempt's own page has."""
    if run.ended_at is not None:
        return "ended" if run.gone_at is not None else "leaving"
    if run.pending is not None:
        return "checking"
    return "running" if run.pid is not None or run.host == "" else "starting"


def _waiting(ctx: Context) -> list[WaitingTask]:
    """The head of each queue, and why it stands."""
    filters = dict.fromkeys(
        ("assignee", "tenant", "session_id", "template_id", "step_key", "creator", "origin_id")
    )
    found = tasks.listed(
        ctx.tx,
        statuses='["ready", "review"]',
        text=None,
        last_priority=limits.PRIORITY_MAX,
        last_id=0,
        limit=limits.TIMELINE_WAITING_MAX,
        **filters,
    )
    around = ctx.service.surroundings(ctx.tx)
    told = []
    for task in found:
        reason = why(ctx.tx, ctx.settings, around, task.id)
        told.append(
            WaitingTask(
                task.id,
                task.title,
                task.status,
                task.assignee,
                always(reason.since),
                reason.code,
                reason.sentence,
            )
        )
    return told


def _queued(ctx: Context) -> int:
    counts = tasks.counts(ctx.tx)
    return counts.get(Status.READY, 0) + counts.get(Status.REVIEW, 0)
