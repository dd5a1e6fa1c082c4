"""The verbs of the lifecycle as operations: one dataclass and one line of kernel each."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta

from shopfloor.domain import limits
from shopfloor.domain.errors import (
    Conflict,
    Forbidden,
    GuardFailed,
    Invalid,
    LimitReached,
    NotFound,
    Stale,
    WrongStatus,
)
from shopfloor.domain.lifecycle import By, Verb
from shopfloor.kernel import notes as noting
from shopfloor.kernel import verbs
from shopfloor.kernel.apply import Applied, Change
from shopfloor.kernel.drop import drop
from shopfloor.kernel.load import load
from shopfloor.ops.completion import CompleteTask, carry_out, directly, handoff
from shopfloor.ops.context import Around, Context, Detour
from shopfloor.ops.fields import Id
from shopfloor.ops.registry import operation
from shopfloor.ops.schema import Arg, Request, milliseconds
from shopfloor.ops.views import Done
from shopfloor.store.db import Tx

Reason = Annotated[
    str,
    Arg(
        "Why, in one sentence; `-` reads standard input.",
        positional=True,
        min_length=1,
        max_length=limits.REASON_CHARS_MAX,
    ),
]
OptionalReason = Annotated[
    Annotated[str, Meta(max_length=limits.REASON_CHARS_MAX)] | None, Arg("Why.")
]
Children = Annotated[
    Literal["wait", "cancel", "go-on"],
    Arg("What becomes of tasks that wait for it, if it is unfinished."),
]
MOVED = (NotFound, WrongStatus, GuardFailed, Conflict)
WORKERS = (*MOVED, Stale, Forbidden, Invalid)


def _done(applied: Applied, note: str | None = None) -> Done:
    return Done.of(applied.task, run=applied.run_id, note=note)


@operation(
    "task.complete",
    "POST /api/v1/tasks/{id}/complete",
    command="complete",
    kind="around",
    role="worker",
    errors=(*WORKERS, LimitReached),
    many=True,
    single=("summary", "result", "metadata", "artifacts"),
    tools=("worker", "reviewer"),
    when=(
        "Call it as your last act, when all that was asked is done and you have looked at the "
        "result. As a reviewer you approve the work with it. Nothing that you do after it "
        "counts."
    ),
    direct=directly,
)
def complete(ctx: Around, req: CompleteTask) -> Done:
    """Say that a task is done, with what the next one should know.

    A worker's word on a task with a check counts when the check has passed.  A declared artifact that
    is not there keeps the task running.  A person may complete any open task.
    """
    return carry_out(ctx, req)


class RequestReview(Request, frozen=True, kw_only=True):
    """The handoff to the reviewer."""

    id: Id
    summary: Annotated[
        str, Arg("What was done and what to look at.", positional=True, min_length=1)
    ]
    metadata: Annotated[Any, Arg("Facts for programs, as JSON.", json=True)] = None


@operation(
    "task.request_review",
    "POST /api/v1/tasks/{id}/request-review",
    command="request-review",
    role="worker",
    errors=WORKERS,
    tools=("worker",),
    when=(
        "Call it as your last act instead of task_complete, when somebody is to look at the "
        "work before it counts as done."
    ),
)
def request_review(ctx: Context, req: RequestReview) -> Done:
    """Hand a finished piece of work to a reviewer; only the worker that did it can."""
    change = Change(ctx.caller, **handoff(req.summary, None, req.metadata))
    return _done(verbs.act(ctx.tx, Verb.REQUEST_REVIEW, req.id, change))


class RequestChanges(Request, frozen=True):
    """What the reviewer wants changed."""

    id: Id
    reason: Reason


@operation(
    "task.request_changes",
    "POST /api/v1/tasks/{id}/request-changes",
    command="request-changes",
    role="worker",
    errors=WORKERS,
    tools=("reviewer",),
    when=(
        "Call it as your last act when the work is not good enough yet: name each thing that "
        "has to change, and how you would see that it has."
    ),
)
def request_changes(ctx: Context, req: RequestChanges) -> Done:
    """Send a task under review back to its implementer, with the reason.

    A reviewer that has done so too often, and no person acted in between, gets it blocked for a person.
    """
    change = Change(ctx.caller, reason=req.reason)
    noting.comment(ctx.tx, ctx.caller, req.id, req.reason)
    limit = ctx.settings.dispatch.review_rounds_limit
    return _done(verbs.request_changes(ctx.tx, req.id, change, limit=limit))


class BlockTask(Request, frozen=True, kw_only=True):
    """What is missing."""

    id: Id
    reason: Reason
    kind: Annotated[
        Literal["needs_input", "capability", "transient", "dependency"],
        Arg("What would unblock it: a person's word, an ability, time, or another task."),
    ] = "needs_input"
    on: Annotated[int | None, Arg("The task that it waits for, for kind dependency.")] = None


@operation(
    "task.block",
    "POST /api/v1/tasks/{id}/block",
    command="block",
    role="worker",
    errors=(*WORKERS, LimitReached),
    many=True,
    tools=("worker", "reviewer"),
    when=(
        "Call it as your last act when you cannot go on: a decision, a permission or an "
        "ability is missing. Do not guess instead, and do not wait."
    ),
)
def block(ctx: Context, req: BlockTask) -> Done:
    """Stop work on a task and say what is missing; only a person's verb leads out again.

    Kind dependency waits for another task instead and comes back by itself.  Blocked again for the
    same kind after an unblock without an answer, the task goes to triage.
    """
    change = Change(ctx.caller, reason=req.reason, block_kind=req.kind)
    limit = ctx.settings.dispatch.block_recurrence_limit
    return _done(verbs.block(ctx.tx, req.id, change, on=req.on, limit=limit))


class OneTask(Request, frozen=True, kw_only=True):
    """Which task, and why."""

    id: Id
    reason: OptionalReason = None


@operation(
    "task.unblock", "POST /api/v1/tasks/{id}/unblock", command="unblock", errors=MOVED, many=True
)
def unblock(ctx: Context, req: OneTask) -> Done:
    """Lead a blocked or parked task back to where it came from, and start its failure count anew."""
    return _done(verbs.unblock(ctx.tx, req.id, Change(ctx.caller, reason=req.reason)))


class PromoteTask(Request, frozen=True, kw_only=True):
    """Which task, and whether its parents matter."""

    id: Id
    force: Annotated[bool, Arg("Start it although parents are unfinished; recorded.")] = False
    dry_run: Annotated[bool, Arg("Say what would happen, and change nothing.")] = False


@operation(
    "task.promote", "POST /api/v1/tasks/{id}/promote", command="promote", errors=MOVED, many=True
)
def promote(ctx: Context, req: PromoteTask) -> Done:
    """Make a waiting, blocked or parked task ready by hand; assignee and claim stay as they are."""
    if req.dry_run:
        target = verbs.would(ctx.tx, ctx.caller, Verb.PROMOTE_MANUAL, req.id, force=req.force)
        task = load(ctx.tx, req.id)
        return Done(task.id, task.status, task.title, None, f"it would become {target}")
    applied = verbs.act(
        ctx.tx,
        Verb.PROMOTE_MANUAL,
        req.id,
        Change(ctx.caller, data={"forced": True} if req.force else None),
        force=req.force,
    )
    return _done(applied)


class ScheduleTask(Request, frozen=True, kw_only=True):
    """Which task, and until when."""

    id: Id
    not_before: Annotated[
        datetime | None,
        Arg(
            "The moment it comes due: an ISO time, `18:00`, or `10m` from now; without it, until released.",
            flag="--at",
        ),
    ] = None
    reason: OptionalReason = None


@operation(
    "task.schedule", "POST /api/v1/tasks/{id}/schedule", command="schedule", errors=MOVED, many=True
)
def schedule(ctx: Context, req: ScheduleTask) -> Done:
    """Park a task until a time, or until somebody releases it; a running one is stopped."""
    change = Change(ctx.caller, reason=req.reason, due=milliseconds(req.not_before))
    return _done(verbs.act(ctx.tx, Verb.SCHEDULE, req.id, change))


class DropTask(Request, frozen=True, kw_only=True):
    """Which task, why, and what becomes of those that wait for it."""

    id: Id
    reason: OptionalReason = None
    children: Children = "wait"


@operation(
    "task.cancel",
    "POST /api/v1/tasks/{id}/cancel",
    command="cancel",
    errors=(*MOVED, Invalid),
    many=True,
)
def cancel(ctx: Context, req: DropTask) -> Done:
    """End a task without its being done; a living worker is stopped."""
    return _dropped(ctx, Verb.CANCEL, req)


def _archived(ctx: Context, req: DropTask) -> Done:
    if ctx.service.files.has_scratch(req.id):
        raise Detour
    return _dropped(ctx, Verb.ARCHIVE, req)


@operation(
    "task.archive",
    "POST /api/v1/tasks/{id}/archive",
    command="archive",
    kind="around",
    errors=(*MOVED, Invalid),
    many=True,
    direct=_archived,
)
def archive(ctx: Around, req: DropTask) -> Done:
    """Hide a task and free its idempotency key; a living worker is stopped, its scratch folder goes."""

    def work(tx: Tx) -> Done:
        return _dropped(Context(tx, ctx.caller, ctx.settings, ctx.service), Verb.ARCHIVE, req)

    done: Done = ctx.commit(work)
    ctx.drop_scratch(req.id)
    return done


def _dropped(ctx: Context, verb: Verb, req: DropTask) -> Done:
    running = load(ctx.tx, req.id).current_run
    change = Change(ctx.caller, reason=req.reason)
    cancelled = drop(ctx.tx, verb, req.id, change, children=req.children)
    note = "also cancelled: " + ", ".join(f"#{n}" for n in cancelled) if cancelled else None
    return Done.of(load(ctx.tx, req.id), run=running, note=note)


@operation(
    "task.reopen", "POST /api/v1/tasks/{id}/reopen", command="reopen", errors=MOVED, many=True
)
def reopen(ctx: Context, req: OneTask) -> Done:
    """Take a done or cancelled task up again; tasks that waited for it wait again."""
    return _done(verbs.act(ctx.tx, Verb.REOPEN, req.id, Change(ctx.caller, reason=req.reason)))


@operation(
    "task.unarchive",
    "POST /api/v1/tasks/{id}/unarchive",
    command="unarchive",
    errors=MOVED,
    many=True,
)
def unarchive(ctx: Context, req: OneTask) -> Done:
    """Bring an archived task back to the status that it had."""
    return _done(verbs.unarchive(ctx.tx, req.id, Change(ctx.caller, reason=req.reason)))


@operation(
    "task.reclaim",
    "POST /api/v1/tasks/{id}/reclaim",
    command="reclaim",
    errors=MOVED,
    many=True,
)
def reclaim(ctx: Context, req: OneTask) -> Done:
    """Take a running task back from its run: the worker is stopped, the task goes to its queue again."""
    change = Change(ctx.caller, reason=req.reason or f"taken back by {ctx.caller.name}")
    return _done(verbs.act(ctx.tx, Verb.RELEASE, req.id, change))


class Heartbeat(Request, frozen=True):
    """A sign of life."""

    id: Id
    note: Annotated[
        Annotated[str, Meta(max_length=500)] | None,
        Arg("What the worker does now.", positional=True),
    ] = None


@operation(
    "task.heartbeat",
    "POST /api/v1/tasks/{id}/heartbeat",
    command="heartbeat",
    role="worker",
    errors=WORKERS,
    tools=("worker", "reviewer"),
    when="Use it in long work, every few minutes, so that people see what you do.",
)
def heartbeat(ctx: Context, req: Heartbeat) -> Done:
    """Tell that the worker of the task's open run is alive, with a note on what it does."""
    if ctx.caller.by is not By.WORKER:
        raise Forbidden(
            "only the worker of a run sends heartbeats, with its SHOPFLOOR_RUN and SHOPFLOOR_TOKEN"
        )
    run_id = noting.heartbeat(ctx.tx, ctx.caller, req.id, req.note)
    return Done.of(load(ctx.tx, req.id), run=run_id)
