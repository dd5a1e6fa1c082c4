"""Schedules: add one, look at them, fire one by hand.

What they put on the board, and how, is in `schedule_tasks.py`; how they are changed in `schedule_edit.py`.
"""

from __future__ import annotations

import re
import shlex
from datetime import datetime
from itertools import islice
from typing import Annotated, Any, Final, Literal

from msgspec import Meta

from shopfloor.domain import limits
from shopfloor.domain.catch_up import coming_up, rule_of
from shopfloor.domain.errors import Conflict, Invalid, LimitReached, NotFound, Refused
from shopfloor.domain.model import Schedule
from shopfloor.domain.recurrence import Rule, coming, next_after
from shopfloor.domain.rule_words import rule_of as read_rule
from shopfloor.kernel import schedules as firing
from shopfloor.ops.context import Context
from shopfloor.ops.registry import operation
from shopfloor.ops.schedule_tasks import FIELD, Template, check, maker
from shopfloor.ops.schedule_views import (
    UPCOMING,
    FiringView,
    HistoryPage,
    Scheduled,
    ScheduleDetail,
    SchedulePage,
    ScheduleView,
    Upcoming,
)
from shopfloor.ops.schema import Arg, Request, always, milliseconds, text
from shopfloor.store import events, schedules
from shopfloor.store.db import Tx

NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
ALWAYS_MS: Final = 2**62
SHOWN: Final = 10

Name = Annotated[
    str,
    Arg("The schedule's name.", positional=True, min_length=1, max_length=limits.SLUG_CHARS_MAX),
]
RuleWords = Annotated[
    str,
    Arg(
        "When: `0 9 * * 1-5`, `@daily`, `every 90m`, `every day at 9`, `tomorrow at 8` …",
        leading=True,
        max_length=limits.TITLE_CHARS_MAX,
    ),
]
ZoneName = Annotated[str | None, Arg("The time zone, like Europe/Berlin; this host's if left out.")]
Overlap = Literal["skip", "queue", "allow"]
Missed = Literal["none", "last", "all"]
Milliseconds = Annotated[int, Meta(ge=0, le=limits.COUNT_MAX)]
Keep = Annotated[int, Meta(ge=1, le=limits.FIRINGS_KEPT_MAX)]


class AddSchedule(Template, frozen=True, kw_only=True):
    """When a task is put on the board, and which; a work order with a command after `--`."""

    rule: RuleWords
    title: Annotated[
        str,
        Arg(
            "What is to be done, in one line; a command's own words if left out.",
            positional=True,
            max_length=limits.TITLE_CHARS_MAX,
        ),
    ] = ""
    name: Annotated[
        str | None,
        Arg("What the schedule is called; made from the title if left out."),
    ] = None
    zone: ZoneName = None
    overlap: Annotated[
        Overlap,
        Arg(
            "While a task of before is unfinished: skip this time, queue behind it, or allow both."
        ),
    ] = "skip"
    missed: Annotated[
        Missed,
        Arg("Of the times that passed while nothing ran, make up for none, the last, or all."),
    ] = "last"
    window_ms: Annotated[Milliseconds, Arg("Make up for nothing older.", unit="ms")] = (
        limits.MISSED_WINDOW_MS
    )
    jitter_ms: Annotated[
        Annotated[int, Meta(ge=0, le=limits.JITTER_MS_MAX)],
        Arg("Fire up to so much later, each time by an amount of its own.", unit="ms"),
    ] = 0
    until: Annotated[datetime | None, Arg("Nothing is due after this moment.")] = None
    count: Annotated[
        Annotated[int, Meta(ge=1, le=limits.COUNT_MAX)] | None, Arg("Fire so many times.")
    ] = None
    keep: Annotated[
        Keep, Arg("Keep the tasks and logs of so many firings; older ones are archived.")
    ] = limits.FIRINGS_KEPT
    keep_for_ms: Annotated[
        Annotated[int, Meta(ge=1, le=limits.COUNT_MAX)] | None,
        Arg("Keep them no longer than this.", unit="ms"),
    ] = None
    paused: Annotated[bool, Arg("Add it paused.")] = False


@operation(
    "schedule.add",
    "POST /api/v1/schedules",
    command="cron add",
    errors=(Invalid, Conflict, LimitReached),
)
def add_schedule(ctx: Context, req: AddSchedule) -> Scheduled:
    """Put a task on the board by the clock: each time that a rule is due, or once.

    The rule is a cron expression, an interval, a time, or plain words such as `weekdays at 18:30`.
    Words and command may hold {date}, {time}, {n} and {name}, which each firing fills in.
    """
    now = ctx.tx.now
    zone = req.zone or ctx.service.zone()
    rule = read_rule(req.rule, zone, now)
    asked = task_of(ctx, req)
    row = Schedule(
        id=0,
        name=free_name(ctx.tx, req.name, asked.title),
        words=" ".join(req.rule.split()),
        kind=rule.kind,
        expression=rule.expression,
        zone=zone,
        anchor=rule.anchor,
        request=text(asked),
        overlap=req.overlap,
        missed=req.missed,
        window_ms=req.window_ms,
        jitter_ms=req.jitter_ms,
        ends_at=milliseconds(req.until),
        firings_max=req.count,
        keep=req.keep,
        keep_ms=req.keep_for_ms,
        fired=0,
        settled_until=now,
        next_due=None,
        next_at=None,
        paused_at=now if req.paused else None,
        paused_by=ctx.caller.name if req.paused else None,
        clock_at=now,
        creator=ctx.caller.name,
        created_at=now,
        changed_at=now,
    )
    number = schedules.add(ctx.tx, row)
    if number is None:
        raise Conflict(f"there is a schedule {row.name!r} already; choose another --name")
    row = started(row._replace(id=number), now)
    schedules.put(ctx.tx, row)
    data: dict[str, object] = {"schedule": row.name, "words": row.words, "zone": row.zone}
    events.append(ctx.tx, "schedule_added", task_id=None, actor=ctx.caller.name, data=data)
    awake = ctx.service.dispatching.running()
    notes = (
        [] if awake else ["nothing fires while no dispatcher is running; start one with `shop up`"]
    )
    return Scheduled(view(ctx.tx, row), notes)


def started(schedule: Schedule, after: int) -> Schedule:
    """The schedule with its first due time after a moment, unless it is paused.

    Raises Invalid if its end comes before that.
    """
    if schedule.paused_at is not None:
        return schedule._replace(next_due=None, next_at=None)
    ready = coming_up(schedule._replace(settled_until=after), after)
    if (
        ready.next_due is None
        and schedule.ends_at is not None
        and (next_after(rule_of(schedule), after) is not None)
    ):
        raise Invalid("--until comes before the first time at which it would be due")
    return ready


def task_of(ctx: Context, req: AddSchedule) -> Template:
    """The task that is asked for, if it can be created at all."""
    given: dict[str, Any] = {name: getattr(req, name) for name in Template.__struct_fields__}
    if not req.title.strip() and req.command is not None:
        given["title"] = shlex.join(req.command.argv).replace("\n", " ")[: limits.TITLE_CHARS_MAX]
    asked = Template(**given)
    check(ctx, asked)
    return asked


def free_name(tx: Tx, given: str | None, title: str) -> str:
    """The name that was given; or one made of the title that no schedule has."""
    if given is not None:
        if not NAME.fullmatch(given):
            raise Invalid(
                f"{given!r} is no name for a schedule; use small letters, digits, `-`, `_` and `.`"
            )
        return given
    made = re.sub(r"[^a-z0-9]+", "-", FIELD.sub("", title).lower()).strip("-")[:40].strip("-")
    made = made or "schedule"
    names = (made if n == 1 else f"{made}-{n}" for n in range(1, limits.PAGE_MAX))
    return next(name for name in names if schedules.get(tx, name) is None)


def the_schedule(tx: Tx, name: str) -> Schedule:
    """The schedule of that name, locked until a writing transaction ends; raises NotFound."""
    found = schedules.lock(tx, name)
    if found is None:
        raise NotFound(f"there is no schedule {name!r}; `shop cron list` shows what there is")
    return found


def view(tx: Tx, row: Schedule) -> ScheduleView:
    """The schedule with its next due times and its last firing."""
    last = schedules.history(tx, row.id, before=ALWAYS_MS, limit=1)
    return ScheduleView.of(row, last[0] if last else None)


class ListSchedules(Request, frozen=True, kw_only=True):
    """Which page of the schedules."""

    after: Annotated[str, Arg("Only after this name.")] = ""
    limit: Annotated[int, Arg("At most so many.", ge=1, le=limits.PAGE_MAX)] = limits.PAGE_DEFAULT


@operation(
    "schedule.list", "GET /api/v1/schedules", command="cron list", kind="read", role="anyone"
)
def list_schedules(ctx: Context, req: ListSchedules) -> SchedulePage:
    """List the schedules with their next and last firings."""
    rows = schedules.listed(ctx.tx, after=req.after, limit=req.limit + 1)
    items = [view(ctx.tx, row) for row in rows[: req.limit]]
    return SchedulePage(items, items[-1].name if len(rows) > req.limit else None)


class OneSchedule(Request, frozen=True):
    """Which schedule."""

    name: Name


@operation(
    "schedule.show",
    "GET /api/v1/schedules/{name}",
    command="cron show",
    kind="read",
    role="anyone",
    errors=(NotFound,),
)
def show_schedule(ctx: Context, req: OneSchedule) -> ScheduleDetail:
    """Show a schedule: its rule, its policies, what it puts on the board, and its latest firings."""
    row = the_schedule(ctx.tx, req.name)
    found = schedules.history(ctx.tx, row.id, before=ALWAYS_MS, limit=SHOWN)
    return ScheduleDetail(
        ScheduleView.of(row, found[0] if found else None), [FiringView.of(one) for one in found]
    )


class ShowHistory(Request, frozen=True, kw_only=True):
    """Which firings of which schedule."""

    name: Name
    before: Annotated[datetime | None, Arg("Only what was due before this moment.")] = None
    limit: Annotated[int, Arg("At most so many.", ge=1, le=limits.PAGE_MAX)] = 20


@operation(
    "schedule.history",
    "GET /api/v1/schedules/{name}/history",
    command="cron history",
    kind="read",
    role="anyone",
    errors=(NotFound,),
)
def show_history(ctx: Context, req: ShowHistory) -> HistoryPage:
    """Show what became of each time at which a schedule was due, the newest first."""
    row = the_schedule(ctx.tx, req.name)
    before = milliseconds(req.before) if req.before is not None else ALWAYS_MS
    found = schedules.history(ctx.tx, row.id, before=before or 0, limit=req.limit + 1)
    items = [FiringView.of(one) for one in found[: req.limit]]
    return HistoryPage(row.zone, items, items[-1].due if len(found) > req.limit else None)


@operation(
    "schedule.run",
    "POST /api/v1/schedules/{name}/run",
    command="cron run",
    errors=(NotFound, Conflict, Refused, Invalid),
)
def run_schedule(ctx: Context, req: OneSchedule) -> FiringView:
    """Fire a schedule now, also a paused one; its due times stay as they are."""
    row = the_schedule(ctx.tx, req.name)
    told = firing.fire_by_hand(ctx.tx, ctx.caller, row, maker(ctx.service))
    if told.outcome != "fired":
        raise Refused(f"{row.name} did not fire: {told.reason}")
    [found] = schedules.history(ctx.tx, row.id, before=ctx.tx.now + 1, limit=1)
    return FiringView.of(found)


class PreviewRule(Request, frozen=True, kw_only=True):
    """A rule that nobody has added yet."""

    rule: RuleWords
    zone: ZoneName = None


@operation(
    "schedule.preview",
    "GET /api/v1/schedule-preview",
    command="cron preview",
    kind="read",
    role="anyone",
    errors=(Invalid,),
)
def preview(ctx: Context, req: PreviewRule) -> Upcoming:
    """Say how a rule is understood, and when it would be due next."""
    zone = req.zone or ctx.service.zone()
    rule: Rule = read_rule(req.rule, zone, ctx.tx.now)
    times = [always(due) for due in islice(coming(rule, ctx.tx.now), UPCOMING)]
    return Upcoming(rule.kind, rule.expression, zone, times)
