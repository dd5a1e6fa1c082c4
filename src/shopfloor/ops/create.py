"""What a new task is asked for with, and how the request becomes one."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, field

from shopfloor.domain import limits
from shopfloor.domain.errors import Invalid
from shopfloor.domain.lifecycle import By, Status
from shopfloor.domain.model import Budget
from shopfloor.kernel import create as creating
from shopfloor.kernel.budget import micros
from shopfloor.kernel.decompose import inherit
from shopfloor.kernel.load import enter, run_of
from shopfloor.ops.context import Context
from shopfloor.ops.fields import (
    Assignee,
    Backoff,
    Command,
    Priority,
    Title,
    command,
    title_of,
    within,
    words,
    workspace,
)
from shopfloor.ops.schema import Arg, Request, milliseconds, text
from shopfloor.store import budgets


class TaskFields(Request, frozen=True, kw_only=True, omit_defaults=True):
    """What a task is made of, whether it is put on the board now or each time a schedule fires."""

    title: Title
    body: Annotated[
        str, Arg("What a worker has to know; `-` reads standard input, `@FILE` a file.")
    ] = ""
    assignee: Assignee = None
    priority: Priority = 0
    tenant: Annotated[
        str | None, Arg("Whom it is for; taken from the first parent if left out.")
    ] = None
    command: Annotated[
        Command | None,
        Arg("The command that does the work; its exit status is the verdict.", rest=True),
    ] = None
    check: Annotated[
        list[str] | None,
        Arg(
            "A command that decides between done and one more attempt, run after the worker.",
            json=True,
        ),
    ] = None
    artifacts: Annotated[
        list[str],
        Arg("A file in the workspace that is kept as an attachment.", flag="--artifact"),
    ] = field(default_factory=list)
    workspace: Annotated[
        str,
        Arg("`scratch`, `dir:/absolute/path`, `worktree` or `worktree:/absolute/path`."),
    ] = "scratch"
    branch: Annotated[str | None, Arg("The branch of a worktree.")] = None
    max_runtime_ms: Annotated[
        Annotated[int, Meta(gt=0)] | None, Arg("Stop an attempt after so long.", unit="ms")
    ] = None
    max_attempts: Annotated[
        Annotated[int, Meta(ge=1, le=1_000)] | None,
        Arg("The failures in a row after which it is given up."),
    ] = None
    backoff: Annotated[
        Backoff | None, Arg("Wait this long after a failure, twice as long each time.", unit="ms")
    ] = None
    skills: Annotated[list[str], Arg("A skill that the worker needs.", flag="--skill")] = field(
        default_factory=list
    )
    model: Annotated[str | None, Arg("The model, instead of the profile's.")] = None
    provider: Annotated[str | None, Arg("The provider, instead of the profile's.")] = None
    template: Annotated[str | None, Arg("The workflow template it belongs to.")] = None
    step: Annotated[str | None, Arg("The step of that template.")] = None
    goal: Annotated[bool, Arg("Go on until a judge finds the goal reached.")] = False
    goal_turns: Annotated[
        Annotated[int, Meta(ge=1, le=1_000)] | None,
        Arg("At most so many turns; 20 if left out.", flag="--goal-max-turns"),
    ] = None
    max_tokens: Annotated[
        Annotated[int, Meta(ge=1, le=limits.COUNT_MAX)] | None,
        Arg("Tokens that all its attempts may use together."),
    ] = None
    max_cost: Annotated[
        Annotated[float, Meta(gt=0, le=limits.COST_MAX)] | None,
        Arg("US dollars that all its attempts may cost together."),
    ] = None


class CreateTask(TaskFields, frozen=True, kw_only=True):
    """What a new task is; all but the title may be left out."""

    parents: Annotated[
        list[int], Arg("A task that must be done first; may be given again.", flag="--parent")
    ] = field(default_factory=list)
    start_after: Annotated[
        Literal["done", "any"],
        Arg("`any`: go on also when a parent was cancelled or given up.", flag="--after"),
    ] = "done"
    origin: Annotated[int | None, Arg("The task that this one came from.")] = None
    initial_status: Annotated[
        Literal["ready", "triage", "blocked", "scheduled"] | None,
        Arg(
            "Park it: `triage` for an idea, `blocked` for a person, `scheduled` until --not-before."
        ),
    ] = None
    reason: Annotated[
        Annotated[str, Meta(max_length=limits.REASON_CHARS_MAX)] | None,
        Arg("Why it is parked, for --initial-status blocked."),
    ] = None
    not_before: Annotated[
        datetime | None, Arg("The moment it comes due: an ISO time, `18:00`, or `10m` from now.")
    ] = None
    idempotency_key: Annotated[
        Annotated[str, Meta(min_length=1, max_length=limits.KEY_CHARS_MAX)] | None,
        Arg("Creating again with the key of an unarchived task answers with that task."),
    ] = None
    session: Annotated[str | None, Arg("The chat session that this came from.")] = None


def create_task(ctx: Context, req: CreateTask) -> creating.Created:
    """Make the task that is asked for, with what the board and a worker's own task add to it."""
    new = _placed(ctx, _from_worker(ctx, _new_task(req)))
    wants = None if req.initial_status in (None, "ready") else Status(req.initial_status)
    if wants is None and req.not_before is not None:
        wants = Status.SCHEDULED
    made = creating.create(
        ctx.tx, ctx.caller, new, parents=tuple(req.parents), wants=wants, reason=req.reason
    )
    if made.created and (req.max_tokens is not None or req.max_cost is not None):
        limit = Budget(made.task.id, req.max_tokens, micros(req.max_cost))
        budgets.put(ctx.tx, limit)
    return made


def dispatcher_missing(ctx: Context) -> list[str]:
    """What to say where no dispatcher would start the task; on a shared board one of any host does."""
    service = ctx.service
    if service.dispatching.running():
        return []
    if service.shared and service.surroundings(ctx.tx).dispatchers:
        return []
    return ["no dispatcher is running; start one with `shop up`"]


def check_task(ctx: Context, req: CreateTask) -> None:
    """Raise what creating this task would raise of the request itself; nothing is made."""
    _placed(ctx, _new_task(req))


def _placed(ctx: Context, new: creating.NewTask) -> creating.NewTask:
    """The task with the directory that the board gives it; raises Invalid where it has none."""
    # For a worktree it is the repository, not the place: the dispatcher makes one of it.
    if new.workspace_kind == "dir" and new.workspace_path is None:
        new = new._replace(workspace_path=ctx.service.board().default_workdir)
    _check_workspace(new)
    return new


def _from_worker(ctx: Context, new: creating.NewTask) -> creating.NewTask:
    if ctx.caller.by is not By.WORKER:
        return new
    run = run_of(ctx.tx, ctx.caller)
    origin = enter(ctx.tx, ctx.caller, run.task_id, "create a task from").task
    return inherit(origin, new)._replace(origin_id=new.origin_id or origin.id)


def _new_task(req: CreateTask) -> creating.NewTask:
    within("the body", req.body, limits.BODY_BYTES_MAX)
    kind, path = workspace(req.workspace)
    return creating.NewTask(
        title=title_of(req.title),
        body=req.body,
        assignee=req.assignee or None,
        priority=req.priority,
        tenant=req.tenant,
        session_id=req.session,
        skills=text(req.skills) if req.skills else "[]",
        model=req.model,
        provider=req.provider,
        template_id=req.template,
        step_key=req.step,
        origin_id=req.origin,
        idempotency_key=req.idempotency_key,
        command=None if req.command is None else command(req.command),
        check_command=None if req.check is None else text(words(req.check)),
        artifacts=text(req.artifacts) if req.artifacts else "[]",
        start_after=req.start_after,
        max_runtime_ms=req.max_runtime_ms,
        max_attempts=req.max_attempts,
        backoff=None if req.backoff is None else text(req.backoff),
        goal=int(req.goal),
        goal_turns=req.goal_turns,
        workspace_kind=kind,
        workspace_path=path,
        branch=req.branch,
        not_before=milliseconds(req.not_before),
    )


def _check_workspace(new: creating.NewTask) -> None:
    if new.workspace_kind == "dir" and new.workspace_path is None:
        raise Invalid(
            "a dir workspace needs a path: dir:/absolute/path, or a board with a default directory"
        )
    if new.branch is not None and new.workspace_kind != "worktree":
        raise Invalid("a branch belongs to a worktree: use --workspace worktree")
