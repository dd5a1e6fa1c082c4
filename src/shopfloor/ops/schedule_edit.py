"""Schedules change: another rule, other policies, another task; paused, resumed, removed."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, field

from shopfloor.domain import limits
from shopfloor.domain.errors import Conflict, Invalid, LimitReached, NotFound
from shopfloor.domain.model import Schedule
from shopfloor.domain.rule_words import rule_of as read_rule
from shopfloor.ops.context import Context
from shopfloor.ops.fields import Command
from shopfloor.ops.registry import operation
from shopfloor.ops.schedule_tasks import Template, check
from shopfloor.ops.schedule_views import RemovedSchedule, ScheduleView
from shopfloor.ops.schedules import (
    Keep,
    Milliseconds,
    Missed,
    Name,
    OneSchedule,
    Overlap,
    ZoneName,
    free_name,
    started,
    the_schedule,
    view,
)
from shopfloor.ops.schema import Arg, Request, convert, decode, milliseconds, text
from shopfloor.store import events, schedules, subscriptions

# What `clear` names, and the column that is empty then.
CLEARED = {"until": "ends_at", "count": "firings_max", "keep-for": "keep_ms"}


class EditSchedule(Request, frozen=True, kw_only=True):
    """Which schedule, and what is new; what is left out stays."""

    name: Name
    rename: Annotated[str | None, Arg("Another name.")] = None
    rule: Annotated[
        Annotated[str, Meta(max_length=limits.TITLE_CHARS_MAX)] | None,
        Arg("Another rule; it counts from now."),
    ] = None
    zone: ZoneName = None
    overlap: Annotated[Overlap | None, Arg("Another overlap policy.")] = None
    missed: Annotated[Missed | None, Arg("Another policy for missed times.")] = None
    window_ms: Annotated[Milliseconds | None, Arg("Make up for nothing older.", unit="ms")] = None
    jitter_ms: Annotated[
        Annotated[int, Meta(ge=0, le=limits.JITTER_MS_MAX)] | None,
        Arg("Fire up to so much later.", unit="ms"),
    ] = None
    until: Annotated[datetime | None, Arg("Nothing is due after this moment.")] = None
    count: Annotated[
        Annotated[int, Meta(ge=1, le=limits.COUNT_MAX)] | None,
        Arg("Fire so many times, those before counted."),
    ] = None
    keep: Annotated[Keep | None, Arg("Keep the output of so many firings.")] = None
    keep_for_ms: Annotated[
        Annotated[int, Meta(ge=1, le=limits.COUNT_MAX)] | None,
        Arg("Keep it no longer than this.", unit="ms"),
    ] = None
    clear: Annotated[
        list[Literal["until", "count", "keep-for"]],
        Arg("Let it have no such limit any more; may be given again."),
    ] = field(default_factory=list)
    title: Annotated[
        Annotated[str, Meta(max_length=limits.TITLE_CHARS_MAX)] | None,
        Arg("Another title for its tasks."),
    ] = None
    body: Annotated[str | None, Arg("Another body; `-` reads standard input.")] = None
    assignee: Annotated[
        Annotated[str, Meta(max_length=limits.NAME_CHARS_MAX)] | None,
        Arg("Another profile; `none` for nobody."),
    ] = None
    priority: Annotated[
        Annotated[int, Meta(ge=-limits.PRIORITY_MAX, le=limits.PRIORITY_MAX)] | None,
        Arg("Another priority."),
    ] = None
    command: Annotated[Command | None, Arg("Another command.", rest=True)] = None
    task: Annotated[
        dict[str, Any] | None,
        Arg("Any other field of its tasks, as JSON; null takes one away.", json=True),
    ] = None


@operation(
    "schedule.edit",
    "PATCH /api/v1/schedules/{name}",
    command="cron edit",
    errors=(NotFound, Invalid, Conflict, LimitReached),
)
def edit_schedule(ctx: Context, req: EditSchedule) -> ScheduleView:
    """Change a schedule: its rule, its policies, or what it puts on the board from now on."""
    old = the_schedule(ctx.tx, req.name)
    asked = _task(ctx, old, req)
    row = old._replace(**_changes(req), request=text(asked), changed_at=ctx.tx.now)
    if req.rule is not None or req.zone is not None:
        row = _ruled(row, req, ctx.tx.now)
    if req.rename is not None:
        row = row._replace(name=free_name(ctx.tx, req.rename, ""))
    if _other_rule(old, row) or old.next_due is None:
        row = started(row._replace(clock_at=ctx.tx.now), ctx.tx.now)
    else:
        # What is due already and was not seen yet stays due.
        row = started(row, old.settled_until)
    if row.name != old.name and schedules.get(ctx.tx, row.name) is not None:
        raise Conflict(f"there is a schedule {row.name!r} already; choose another name")
    schedules.put(ctx.tx, row)
    _tell(ctx, row.name, "edited")
    return view(ctx.tx, row)


def _changes(req: EditSchedule) -> dict[str, Any]:
    """The columns that have a new value."""
    given = {
        "overlap": req.overlap,
        "missed": req.missed,
        "window_ms": req.window_ms,
        "jitter_ms": req.jitter_ms,
        "ends_at": milliseconds(req.until),
        "firings_max": req.count,
        "keep": req.keep,
        "keep_ms": req.keep_for_ms,
    }
    cleared: dict[str, Any] = {CLEARED[name]: None for name in req.clear}
    return cleared | {name: value for name, value in given.items() if value is not None}


def _ruled(row: Schedule, req: EditSchedule, now: int) -> Schedule:
    zone = req.zone or row.zone
    if req.rule is None and row.kind != "cron":
        raise Invalid(
            f"{row.words!r} is no rule of local time; give the --rule again with the zone"
        )
    rule = read_rule(req.rule or row.words, zone, now)
    words = " ".join((req.rule or row.words).split())
    return row._replace(
        words=words, kind=rule.kind, expression=rule.expression, zone=zone, anchor=rule.anchor
    )


def _other_rule(old: Schedule, new: Schedule) -> bool:
    """Whether it is due at other times from now on."""
    deciding = ("kind", "expression", "zone", "anchor")
    return any(getattr(old, name) != getattr(new, name) for name in deciding)


def _task(ctx: Context, row: Schedule, req: EditSchedule) -> Template:
    """What the schedule puts on the board from now on, checked as a whole."""
    given: dict[str, Any] = msgspec.to_builtins(decode(row.request, Template))
    given |= req.task or {}
    for name in ("title", "body", "assignee", "priority", "command"):
        value = getattr(req, name)
        if value is not None:
            given[name] = None if (name, value) == ("assignee", "none") else value
    plain = msgspec.to_builtins({name: one for name, one in given.items() if one is not None})
    asked = convert(plain, Template)
    check(ctx, asked)
    return asked


@operation(
    "schedule.pause",
    "POST /api/v1/schedules/{name}/pause",
    command="cron pause",
    errors=(NotFound,),
)
def pause_schedule(ctx: Context, req: OneSchedule) -> ScheduleView:
    """Pause a schedule; what is due meanwhile does not fire, also not later."""
    row = the_schedule(ctx.tx, req.name)
    if row.paused_at is None:
        row = row._replace(
            next_due=None,
            next_at=None,
            paused_at=ctx.tx.now,
            paused_by=ctx.caller.name,
            changed_at=ctx.tx.now,
        )
        schedules.put(ctx.tx, row)
        _tell(ctx, row.name, "paused")
    return view(ctx.tx, row)


@operation(
    "schedule.resume",
    "POST /api/v1/schedules/{name}/resume",
    command="cron resume",
    errors=(NotFound, Invalid),
)
def resume_schedule(ctx: Context, req: OneSchedule) -> ScheduleView:
    """Let a schedule go on from now; after a wrong clock too."""
    row = the_schedule(ctx.tx, req.name)
    now = ctx.tx.now
    awake = row._replace(paused_at=None, paused_by=None, changed_at=now, clock_at=now)
    row = started(awake, now)
    schedules.put(ctx.tx, row)
    _tell(ctx, row.name, "resumed")
    return view(ctx.tx, row)


@operation(
    "schedule.remove",
    "DELETE /api/v1/schedules/{name}",
    command="cron remove",
    errors=(NotFound,),
)
def remove_schedule(ctx: Context, req: OneSchedule) -> RemovedSchedule:
    """Remove a schedule with its history; the tasks that it has made stay on the board."""
    row = the_schedule(ctx.tx, req.name)
    about = f"{subscriptions.SCHEDULE}{row.id}"
    subscriptions.end_about(ctx.tx, about, f"its schedule {row.name} was removed")
    schedules.delete(ctx.tx, row.id)
    _tell(ctx, row.name, "removed")
    return RemovedSchedule(row.name)


def _tell(ctx: Context, name: str, change: str) -> None:
    data: dict[str, object] = {"schedule": name, "change": change}
    events.append(ctx.tx, "schedule_changed", task_id=None, actor=ctx.caller.name, data=data)
