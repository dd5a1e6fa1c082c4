"""Which tasks a list is asked for, in which order, a page at a time."""

from __future__ import annotations

import json
from typing import Annotated, Literal, get_args

from msgspec import field

from shopfloor.domain import limits
from shopfloor.domain.errors import Invalid
from shopfloor.domain.lifecycle import Status
from shopfloor.domain.model import Task
from shopfloor.ops.context import Context
from shopfloor.ops.registry import operation
from shopfloor.ops.schema import Arg, Request
from shopfloor.ops.views import TaskLine, TaskPage
from shopfloor.store import deliveries, tasks

Sort = Literal[
    "priority-desc", "priority", "created", "created-desc", "status", "assignee", "title", "updated"
]


class ListTasks(Request, frozen=True, kw_only=True):
    """Which tasks, in which order."""

    status: Annotated[list[str], Arg("Only this status; may be given again.", flag="--status")] = (
        field(default_factory=list)
    )
    assignee: Annotated[str | None, Arg("Only of this profile.")] = None
    tenant: Annotated[str | None, Arg("Only for this tenant.")] = None
    session: Annotated[str | None, Arg("Only from this chat session.")] = None
    template: Annotated[str | None, Arg("Only of this workflow template.")] = None
    step: Annotated[str | None, Arg("Only of this step.")] = None
    creator: Annotated[str | None, Arg("Only by this creator.")] = None
    origin: Annotated[int | None, Arg("Only what came from this task.")] = None
    text: Annotated[str | None, Arg("Only with these words in title or body.", flag="--search")] = (
        None
    )
    archived: Annotated[bool, Arg("Archived tasks too.")] = False
    sort: Annotated[str, Arg(f"The order: {', '.join(get_args(Sort))}.")] = "priority-desc"
    limit: Annotated[int, Arg("At most so many.", ge=1, le=limits.PAGE_MAX)] = limits.PAGE_DEFAULT
    after: Annotated[str | None, Arg("Go on after this cursor of an earlier page.")] = None


ORDERS = get_args(Sort)


@operation(
    "task.list",
    "GET /api/v1/tasks",
    command="list",
    kind="read",
    role="anyone",
    errors=(Invalid,),
    tools=("orchestrator",),
    when="Use it to see what is there before you add to it.",
)
def list_tasks(ctx: Context, req: ListTasks) -> TaskPage:
    """List tasks: by priority and age, or in another order; archived ones only when asked for."""
    if req.sort not in ORDERS:
        raise Invalid(f"{req.sort!r} is no order; use one of {', '.join(ORDERS)}")
    for status in req.status:
        if status not in tuple(Status):
            raise Invalid(f"{status!r} is no status; use one of {', '.join(Status)}")
    statuses: list[str] | None = list(req.status) or None
    if req.archived and statuses is None:
        statuses = [status.value for status in Status]
    filters: dict[str, object] = {
        "statuses": None if statuses is None else json.dumps(statuses),
        "assignee": req.assignee,
        "tenant": req.tenant,
        "session_id": req.session,
        "template_id": req.template,
        "step_key": req.step,
        "creator": req.creator,
        "origin_id": req.origin,
        "text": None if req.text is None else pattern(req.text),
    }
    if req.sort == "priority-desc":
        return _page_by_priority(ctx, req, filters)
    skip = _offset(req.after)
    found = tasks.listed_sorted(ctx.tx, sort=req.sort, skip=skip, limit=req.limit + 1, **filters)
    more = f"{skip + req.limit}" if len(found) > req.limit else None
    return TaskPage(_lines(ctx, found[: req.limit]), more)


def _page_by_priority(ctx: Context, req: ListTasks, filters: dict[str, object]) -> TaskPage:
    priority, number = limits.PRIORITY_MAX, 0
    if req.after is not None:
        try:
            priority, number = (int(part) for part in req.after.split(":"))
        except ValueError:
            raise Invalid(f"{req.after!r} is no cursor of this list") from None
    found = tasks.listed(
        ctx.tx, last_priority=priority, last_id=number, limit=req.limit + 1, **filters
    )
    shown = found[: req.limit]
    more = f"{shown[-1].priority}:{shown[-1].id}" if len(found) > req.limit else None
    return TaskPage(_lines(ctx, shown), more)


def _lines(ctx: Context, found: list[Task]) -> list[TaskLine]:
    """The tasks as lines, each with what could not be told of it."""
    troubles = deliveries.troubles(ctx.tx, [task.id for task in found])
    errors = {trouble.task_id: trouble.error for trouble in troubles}
    return [TaskLine.of(task, errors.get(task.id)) for task in found]


def _offset(after: str | None) -> int:
    if after is None:
        return 0
    if not after.isascii() or not after.isdigit():
        raise Invalid(f"{after!r} is no cursor of this list")
    return int(after)


def pattern(words_given: str) -> str:
    """What LIKE finds these words by, wherever they stand."""
    escaped = words_given.lower()
    for special in "\\%_":
        escaped = escaped.replace(special, f"\\{special}")
    return f"%{escaped}%"
