"""Words and links between tasks."""

from __future__ import annotations

from typing import Annotated

from shopfloor.domain import limits
from shopfloor.domain.errors import (
    Forbidden,
    GuardFailed,
    Invalid,
    LimitReached,
    NotFound,
    Stale,
    WrongStatus,
)
from shopfloor.kernel import graph
from shopfloor.kernel import notes as noting
from shopfloor.kernel.load import load
from shopfloor.ops.context import Context
from shopfloor.ops.fields import Id
from shopfloor.ops.registry import operation
from shopfloor.ops.schema import Arg, Request, Result
from shopfloor.ops.views import CommentView, TaskLine
from shopfloor.store import notes


class AddComment(Request, frozen=True):
    """What to write."""

    id: Id
    body: Annotated[str, Arg("The words; `-` reads standard input.", positional=True, min_length=1)]


@operation(
    "task.comment",
    "POST /api/v1/tasks/{id}/comments",
    command="comment",
    role="worker",
    errors=(NotFound, Stale, Forbidden, LimitReached),
    tools=("worker", "reviewer", "orchestrator"),
    when=(
        "Use it for what people and later workers should know: findings, decisions, what is left."
    ),
)
def comment(ctx: Context, req: AddComment) -> CommentView:
    """Write a comment; the next worker of the task reads them all."""
    if len(req.body.encode()) > limits.COMMENT_BYTES_MAX:
        raise LimitReached(
            f"a comment has at most {limits.COMMENT_BYTES_MAX} bytes; attach a file instead"
        )
    return CommentView.of(noting.comment(ctx.tx, ctx.caller, req.id, req.body))


class ListComments(Request, frozen=True, kw_only=True):
    """Which comments."""

    id: Id
    after: Annotated[int, Arg("Only after this comment.", ge=0)] = 0
    limit: Annotated[int, Arg("At most so many.", ge=1, le=limits.PAGE_MAX)] = limits.PAGE_DEFAULT


@operation(
    "task.comments",
    "GET /api/v1/tasks/{id}/comments",
    command="comments",
    kind="read",
    role="anyone",
    errors=(NotFound,),
    tools=("worker", "reviewer", "orchestrator"),
    when="Use it to read on after a comment that you know.",
)
def comments(ctx: Context, req: ListComments) -> list[CommentView]:
    """List a task's comments, oldest first; a worker finds new ones with --after."""
    load(ctx.tx, req.id)
    found = notes.comment_of_task(ctx.tx, req.id, after=req.after, limit=req.limit)
    return [CommentView.of(one) for one in found]


class LinkTasks(Request, frozen=True):
    """Which task waits for which."""

    parent: Annotated[int, Arg("The task that must be done first.", positional=True, ge=1)]
    child: Annotated[int, Arg("The task that waits for it.", positional=True, ge=1)]


class Linked(Result, frozen=True):
    """The child as it is now, and whether anything changed."""

    child: TaskLine
    changed: bool


@operation(
    "task.link",
    "POST /api/v1/links",
    command="link",
    errors=(NotFound, Invalid, GuardFailed, WrongStatus, LimitReached),
    tools=("orchestrator",),
    when="Use it to put tasks into their order.",
)
def link(ctx: Context, req: LinkTasks) -> Linked:
    """Let one task wait for another; a ready one goes back to todo, and a circle is refused."""
    changed = graph.connect(ctx.tx, ctx.caller, req.parent, req.child)
    return Linked(TaskLine.of(load(ctx.tx, req.child)), changed)


@operation(
    "task.unlink",
    "DELETE /api/v1/links",
    command="unlink",
    errors=(NotFound,),
    tools=("orchestrator",),
    when="Use it when a task need not wait any more.",
)
def unlink(ctx: Context, req: LinkTasks) -> Linked:
    """Take a link away; a task that then waits for nobody becomes ready."""
    graph.disconnect(ctx.tx, ctx.caller, req.parent, req.child)
    return Linked(TaskLine.of(load(ctx.tx, req.child)), changed=True)
