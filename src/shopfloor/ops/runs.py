"""Attempts: look at them, pull work for a worker of one's own, stop one."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from shopfloor.domain import limits
from shopfloor.domain.errors import Conflict, GuardFailed, Invalid, NotFound, WrongStatus
from shopfloor.domain.lifecycle import Outcome, Status, Verb
from shopfloor.domain.model import Hold, Task
from shopfloor.kernel import claim as claiming
from shopfloor.kernel import pause, verbs
from shopfloor.kernel.apply import Change
from shopfloor.kernel.load import load
from shopfloor.ops.context import Context
from shopfloor.ops.fields import Id
from shopfloor.ops.registry import operation
from shopfloor.ops.run_views import RunView
from shopfloor.ops.schema import Arg, Request, Result
from shopfloor.ops.views import Done
from shopfloor.store import receipts, runs, spend, tasks


class TaskRuns(Request, frozen=True, kw_only=True):
    """Whose attempts."""

    id: Id
    before: Annotated[
        Annotated[int, Meta(ge=1, le=limits.COUNT_MAX)] | None, Arg("Only older than this run.")
    ] = None
    limit: Annotated[int, Arg("At most so many.", ge=1, le=limits.PAGE_MAX)] = limits.PAGE_DEFAULT


@operation(
    "run.of_task",
    "GET /api/v1/tasks/{id}/runs",
    command="runs",
    kind="read",
    role="anyone",
    errors=(NotFound,),
)
def runs_of_task(ctx: Context, req: TaskRuns) -> list[RunView]:
    """List a task's attempts, the newest first."""
    load(ctx.tx, req.id)
    reports = spend.reports_of_task(ctx.tx, req.id)
    found = runs.of_task(
        ctx.tx, req.id, req.limit, before=limits.COUNT_MAX if req.before is None else req.before
    )
    hashes = receipts.hashes_of_runs(ctx.tx, [run.id for run in found])
    return [RunView.of(run, reports.get(run.id), hashes.get(run.id)) for run in found]


class ListRuns(Request, frozen=True, kw_only=True):
    """Which attempts of the whole board."""

    live: Annotated[bool, Arg("Only those whose processes are not all gone.")] = False
    outcome: Annotated[str | None, Arg("Only with this outcome.")] = None
    before: Annotated[Annotated[int, Meta(ge=1)] | None, Arg("Only older than this run.")] = None
    limit: Annotated[int, Arg("At most so many.", ge=1, le=limits.PAGE_MAX)] = limits.PAGE_DEFAULT


@operation(
    "run.list",
    "GET /api/v1/runs",
    command="run list",
    kind="read",
    role="anyone",
    errors=(Invalid,),
)
def list_runs(ctx: Context, req: ListRuns) -> list[RunView]:
    """List the attempts of the board, the newest first."""
    if req.outcome is not None and req.outcome not in tuple(Outcome):
        raise Invalid(f"{req.outcome!r} is no outcome; use one of {', '.join(Outcome)}")
    before = req.before if req.before is not None else 2**62
    found = runs.listed(
        ctx.tx, live_only=req.live, outcome=req.outcome, before=before, limit=req.limit
    )
    return [RunView.of(run) for run in found]


class OneRun(Request, frozen=True):
    """Which attempt."""

    id: Annotated[int, Arg("The run's number.", positional=True, ge=1)]


@operation(
    "run.show",
    "GET /api/v1/runs/{id}",
    command="run show",
    kind="read",
    role="anyone",
    errors=(NotFound,),
)
def show_run(ctx: Context, req: OneRun) -> RunView:
    """Show one attempt with its exit record."""
    run = runs.get(ctx.tx, req.id)
    if run is None:
        raise NotFound(f"there is no run {req.id}; `shop run list` shows what there is")
    receipt = receipts.hashes_of_runs(ctx.tx, [run.id]).get(run.id)
    return RunView.of(run, spend.report_of_run(ctx.tx, run.id), receipt)


class ClaimTask(Request, frozen=True, kw_only=True):
    """What to pull: a certain task, or the next of a lane."""

    id: Annotated[Annotated[int, Meta(ge=1)] | None, Arg("This task.", positional=True)] = None
    assignee: Annotated[str | None, Arg("The next task of this profile.")] = None


class ClaimView(Result, frozen=True):
    """The run that was opened; its token is told this once, to who holds the run."""

    task: int
    title: str
    run: int
    token: str
    attempt: int


@operation(
    "run.claim",
    "POST /api/v1/claims",
    command="claim",
    errors=(NotFound, WrongStatus, GuardFailed, Conflict),
)
def claim(ctx: Context, req: ClaimTask) -> ClaimView:
    """Take a ready task for a worker of one's own, outside the dispatcher.

    The answer holds the run's number and token: with them as SHOPFLOOR_RUN and SHOPFLOOR_TOKEN the worker
    reports like any other.  It keeps the claim for 15 minutes after its last heartbeat.
    """
    candidate = _one(ctx, req.id) if req.id is not None else _next(ctx, req.assignee)
    task = candidate.task
    taken = claiming.take(
        ctx.tx,
        ctx.caller,
        claiming.Plan((candidate,), ()),
        host="",
        lease_ms=limits.LEASE_SQLITE_MS,
        new_token=claiming.new_token,
    )[0]
    return ClaimView(task.id, task.title, taken.run_id, taken.token, taken.task.attempts)


def _one(ctx: Context, task_id: int) -> claiming.Candidate:
    """The task that was named, if it can be taken."""
    task = load(ctx.tx, task_id)
    if task.status not in (Status.READY, Status.REVIEW):
        raise WrongStatus(
            f"cannot claim #{task.id}: it is {task.status}, and only ready tasks can be claimed"
        )
    if task.check_command is not None:
        raise _checked(task)
    if runs.live_of_task(ctx.tx, task.id) is not None:
        raise Conflict(
            f"cannot claim #{task.id}: the last process of its earlier run is still leaving"
        )
    role = "reviewer" if task.status == Status.REVIEW else "worker"
    profile = claiming.profile_of(task.lane, role, ctx.settings)
    paused = claiming.pauses(ctx.tx)
    for scope, name in (("board", ""), ("lane", profile or ""), ("task", str(task.id))):
        if (scope, name) in paused:
            raise _paused(f"#{task.id}", paused[scope, name])
    return claiming.Candidate(task, role, profile, held=True)


def _next(ctx: Context, assignee: str | None) -> claiming.Candidate:
    """The first task that may start, of one lane or of all."""
    paused = claiming.pauses(ctx.tx)
    if ("board", "") in paused:
        raise _paused("anything", paused["board", ""])
    lanes = [assignee] if assignee is not None else tasks.lanes(ctx.tx, Status.READY)
    found = [
        task
        for lane in lanes
        if ("lane", lane) not in paused
        if (task := _first(ctx, lane)) is not None
    ]
    if not found:
        raise NotFound(
            "no task is ready to be claimed; `shop list --status ready` shows what waits"
        )
    task = min(found, key=lambda task: (-task.priority, task.id))
    profile = claiming.profile_of(task.lane, "worker", ctx.settings)
    return claiming.Candidate(task, "worker", profile, picked=True)


def _first(ctx: Context, lane: str) -> Task | None:
    """The first task of a lane that needs no check; a lane's very first one seldom does."""
    for most in (1, limits.BATCH_PER_TICK):
        seen = tasks.pick(ctx.tx, Status.READY, lane, most)
        free = [task for task in seen if task.check_command is None]
        if free or len(seen) < most:
            return free[0] if free else None
    return None


def _checked(task: Task) -> GuardFailed:
    return GuardFailed(
        f"cannot claim #{task.id}: it has a check, which only a dispatcher can run; let `shop up` do it"
    )


def _paused(what: str, hold: Hold) -> GuardFailed:
    return GuardFailed(
        f"cannot claim {what}: a {hold.scope} is paused ({hold.reason}); `shop resume` ends the pause"
    )


class TerminateTask(Request, frozen=True, kw_only=True):
    """Whose worker to stop."""

    id: Id
    reason: Annotated[
        Annotated[str, Meta(max_length=limits.REASON_CHARS_MAX)] | None, Arg("Why.")
    ] = None


@operation(
    "run.terminate",
    "POST /api/v1/tasks/{id}/terminate",
    command="terminate",
    errors=(NotFound, WrongStatus),
    many=True,
)
def terminate(ctx: Context, req: TerminateTask) -> Done:
    """Stop a task's worker now, and keep the task from starting again until `resume`."""
    reason = req.reason or f"its worker was terminated by {ctx.caller.name}"
    change = Change(ctx.caller, reason=reason)
    applied = verbs.act(ctx.tx, Verb.RELEASE, req.id, change)
    pause.pause(ctx.tx, ctx.caller, "task", str(req.id), reason=reason, stop=False)
    return Done.of(
        applied.task, run=applied.run_id, note=f"paused; `shop resume {req.id}` lets it start again"
    )
