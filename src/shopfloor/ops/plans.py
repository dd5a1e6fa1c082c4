"""Ideas into tasks by a person's hand: specify one, or decompose it into a graph."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, field

from shopfloor.domain import limits
from shopfloor.domain.errors import Conflict, GuardFailed, Invalid, NotFound, WrongStatus
from shopfloor.kernel import edit as editing
from shopfloor.kernel import verbs
from shopfloor.kernel.apply import Change
from shopfloor.kernel.create import NewTask
from shopfloor.kernel.decompose import Piece, decompose
from shopfloor.kernel.load import load
from shopfloor.ops.context import Context
from shopfloor.ops.fields import Command, Id, command, words, workspace
from shopfloor.ops.registry import operation
from shopfloor.ops.schema import Arg, Request, Result, text
from shopfloor.ops.views import Done, TaskLine


class SpecifyTask(Request, frozen=True, kw_only=True):
    """What the idea became."""

    id: Id
    title: Annotated[
        Annotated[str, Meta(max_length=limits.TITLE_CHARS_MAX, min_length=1)] | None,
        Arg("A clear title."),
    ] = None
    body: Annotated[
        str | None, Arg("What a worker has to know; `-` reads standard input, `@FILE` a file.")
    ] = None
    assignee: Annotated[str | None, Arg("The profile that works on it.")] = None


@operation(
    "task.specify",
    "POST /api/v1/tasks/{id}/specify",
    command="specify",
    errors=(NotFound, WrongStatus, GuardFailed, Conflict),
    tools=("orchestrator",),
    when="Use it when an idea in triage is clear enough to be worked on as one piece.",
)
def specify(ctx: Context, req: SpecifyTask) -> Done:
    """Turn an idea in triage into a task that may start."""
    fields = {
        name: getattr(req, name)
        for name in ("title", "body", "assignee")
        if getattr(req, name) is not None
    }
    if fields:
        editing.edit(ctx.tx, ctx.caller, req.id, fields)
    applied = verbs.specify(ctx.tx, req.id, Change(ctx.caller))
    return Done.of(applied.task)


class SubTask(Request, frozen=True, kw_only=True):
    """One piece of the work; `after` names earlier pieces by position, from 0."""

    title: Annotated[
        str, Arg("What is to be done.", min_length=1, max_length=limits.TITLE_CHARS_MAX)
    ]
    body: str = ""
    assignee: str | None = None
    priority: int = 0
    after: list[int] = field(default_factory=list)
    command: Command | None = None
    check: list[str] | None = None
    workspace: str = "scratch"
    max_runtime_ms: int | None = None
    max_attempts: int | None = None


class DecomposeTask(Request, frozen=True):
    """The pieces that a task falls into."""

    id: Id
    pieces: Annotated[
        list[SubTask],
        Arg("The sub-tasks as a JSON list, or `@FILE`.", positional=True, json=True),
    ]


class Decomposed(Result, frozen=True):
    """The root, and the sub-tasks that it waits for."""

    root: TaskLine
    pieces: list[TaskLine]


@operation(
    "task.decompose",
    "POST /api/v1/tasks/{id}/decompose",
    command="decompose",
    errors=(NotFound, WrongStatus, GuardFailed, Invalid, Conflict),
    tools=("orchestrator",),
    when=(
        "Use it when a task in triage is more than one worker should do: each piece gets the "
        "profile that fits, and `after` names the pieces that it waits for."
    ),
)
def decompose_task(ctx: Context, req: DecomposeTask) -> Decomposed:
    """Make a graph of sub-tasks out of a task in triage, all at once and once only.

    The task itself then waits for all of them, and wakes when they are done.
    """
    made = decompose(ctx.tx, ctx.caller, req.id, [_piece(one) for one in req.pieces])
    return Decomposed(TaskLine.of(load(ctx.tx, req.id)), [TaskLine.of(task) for task in made])


def _piece(one: SubTask) -> Piece:
    kind, path = workspace(one.workspace)
    new = NewTask(
        title=one.title,
        body=one.body,
        assignee=one.assignee,
        priority=one.priority,
        command=None if one.command is None else command(one.command),
        check_command=None if one.check is None else text(words(one.check)),
        workspace_kind=kind,
        workspace_path=path,
        max_runtime_ms=one.max_runtime_ms,
        max_attempts=one.max_attempts,
    )
    return Piece(new, tuple(one.after))
