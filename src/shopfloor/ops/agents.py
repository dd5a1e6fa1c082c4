"""What an agent may ask beside its verdict: what is new for it, sub-tasks, and what it has changed."""

from __future__ import annotations

from typing import Annotated

from msgspec import field

from shopfloor.domain import limits
from shopfloor.domain.errors import (
    Conflict,
    Forbidden,
    GuardFailed,
    Invalid,
    LimitReached,
    NotFound,
    Refused,
    Stale,
)
from shopfloor.domain.lifecycle import By
from shopfloor.domain.model import Run, Task
from shopfloor.kernel import graph
from shopfloor.kernel import notes as noting
from shopfloor.kernel.load import enter, load, run_of
from shopfloor.ops.context import Around, Context
from shopfloor.ops.create import CreateTask, create_task
from shopfloor.ops.fields import Assignee, Id, Priority, Title
from shopfloor.ops.registry import operation
from shopfloor.ops.schema import Arg, Request, Result
from shopfloor.ops.views import CommentView, TaskView
from shopfloor.store import runs, tasks
from shopfloor.store.db import Tx


class ReadInbox(Request, frozen=True, kw_only=True):
    """How much at once."""

    limit: Annotated[int, Arg("At most so many.", ge=1, le=limits.PAGE_MAX)] = limits.PAGE_DEFAULT


@operation(
    "task.inbox",
    "POST /api/v1/runs/own/inbox",
    command="inbox",
    role="worker",
    errors=(Forbidden, Stale),
    tools=("worker", "reviewer"),
    when="Call it when an answer tells you of new comments: people steer your work with them.",
)
def inbox(ctx: Context, req: ReadInbox) -> list[CommentView]:
    """Read what others wrote on the worker's own task since it was told last.

    It is asked by the worker of a run, and each comment is answered once.
    """
    return [CommentView.of(one) for one in noting.inbox(ctx.tx, ctx.caller, req.limit)]


class MakeSubtask(Request, frozen=True, kw_only=True):
    """One piece of the work; what is left out is taken from the worker's own task."""

    title: Title
    body: Annotated[
        str, Arg("What its worker has to know; `-` reads standard input, `@FILE` a file.")
    ] = ""
    assignee: Assignee = None
    priority: Priority = 0
    parents: Annotated[
        list[int],
        Arg("An earlier sub-task that must be done first; may be given again.", flag="--parent"),
    ] = field(default_factory=list)
    workspace: Annotated[
        str,
        Arg("`scratch`, `dir:/absolute/path`, `worktree` or `worktree:/absolute/path`."),
    ] = "scratch"
    model: Annotated[str | None, Arg("The model, instead of the profile's.")] = None
    skills: Annotated[list[str], Arg("A skill that its worker needs.", flag="--skill")] = field(
        default_factory=list
    )
    wait: Annotated[
        bool,
        Arg("The worker's own task waits for it: then end with `block`, of the kind dependency."),
    ] = False


@operation(
    "task.subtask",
    "POST /api/v1/runs/own/subtasks",
    command="subtask",
    role="worker",
    errors=(Invalid, NotFound, Conflict, GuardFailed, LimitReached, Forbidden, Stale),
    tools=("worker",),
    when=(
        "Use it to hand a piece of your work to another worker. With `wait` your task waits for it: "
        "end your turn with task_block of the kind dependency, and you are called back when it is done."
    ),
)
def subtask(ctx: Context, req: MakeSubtask) -> TaskView:
    """Make a task that comes from the worker's own, with its assignee, tenant and workspace.

    It may wait for earlier sub-tasks of the same task; with --wait the worker's own task waits for it.
    """
    if ctx.caller.by is not By.WORKER:
        raise Forbidden(
            "a sub-task comes from a worker's own task; use `shop create --origin ID` instead"
        )
    own = run_of(ctx.tx, ctx.caller).task_id
    enter(ctx.tx, ctx.caller, own, "make a sub-task of")
    _check_parents(ctx.tx, own, req.parents)
    asked = CreateTask(
        title=req.title,
        body=req.body,
        assignee=req.assignee,
        priority=req.priority,
        parents=req.parents,
        workspace=req.workspace,
        model=req.model,
        skills=req.skills,
    )
    made = create_task(ctx, asked).task
    if req.wait:
        graph.connect(ctx.tx, ctx.caller, made.id, own)
    return TaskView.of(load(ctx.tx, made.id))


def _check_parents(tx: Tx, own: int, parents: list[int]) -> None:
    for number in parents:
        parent = tasks.get(tx, number)
        if parent is None or parent.origin_id != own:
            raise Invalid(f"#{number} is no sub-task of #{own}; name an earlier one of your own")


class ShowDiff(Request, frozen=True, kw_only=True):
    """Whose change."""

    id: Id
    stat: Annotated[bool, Arg("Only which files changed, and how much.")] = False


class DiffView(Result, frozen=True):
    """The change in a task's worktree against the commit that it began from."""

    task: int
    workspace: str
    base: str
    text: str
    truncated: bool


@operation(
    "task.diff",
    "GET /api/v1/tasks/{id}/diff",
    command="diff",
    kind="around",
    role="anyone",
    errors=(NotFound, Refused),
    tools=("worker", "reviewer"),
    when="Use it as a reviewer to see what was changed, and before you hand work in.",
)
def diff(ctx: Around, req: ShowDiff) -> DiffView:
    """Show what was changed in a task's git worktree, also what is not committed yet.

    The change is told against the commit where the branch left the repository's own.
    """

    def look(tx: Tx) -> tuple[Task, Run | None]:
        task = load(tx, req.id)
        started = (run for run in runs.of_task(tx, task.id, limits.PAGE_MAX) if run.workspace)
        return task, next(started, None)

    task, run = ctx.read(look)
    if task.workspace_kind != "worktree":
        raise NotFound(
            f"there is no change of #{task.id} to show: its workspace is {task.workspace_kind}, and only a git "
            "worktree knows what it began from"
        )
    if run is None or run.workspace is None:
        raise NotFound(f"#{task.id} has no worktree yet; it never ran")
    told = ctx.service.diff(run.workspace, stat=req.stat)
    return DiffView(task.id, run.workspace, told.base, told.text, told.truncated)
