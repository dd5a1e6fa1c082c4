"""Ideas into tasks, by a person's hand or by a model: specify one, or decompose it into a graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal, cast

from msgspec import Meta, field

from shopfloor.domain import limits
from shopfloor.domain.errors import Conflict, GuardFailed, Invalid, NotFound, WrongStatus
from shopfloor.domain.model import Task
from shopfloor.domain.planning import Part
from shopfloor.domain.settings import Settings
from shopfloor.kernel import edit as editing
from shopfloor.kernel import verbs
from shopfloor.kernel.apply import Change
from shopfloor.kernel.create import NewTask
from shopfloor.kernel.decompose import Piece, decompose
from shopfloor.kernel.load import load
from shopfloor.kernel.swarm import Crew, swarm
from shopfloor.ops import planning
from shopfloor.ops.context import Around, Context
from shopfloor.ops.fields import (
    Command,
    Id,
    Priority,
    Title,
    command,
    title_of,
    within,
    words,
    workspace,
)
from shopfloor.ops.planning import ASKED
from shopfloor.ops.registry import operation
from shopfloor.ops.schema import Arg, Request, Result, text
from shopfloor.ops.views import Done, TaskLine
from shopfloor.store.db import Tx


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
    by: Annotated[
        Literal["hand", "model"] | None,
        Arg(
            "Who says it more clearly; left out: you where you give words, else the model if there is one."
        ),
    ] = None


@operation(
    "task.specify",
    "POST /api/v1/tasks/{id}/specify",
    command="specify",
    kind="around",
    errors=(NotFound, WrongStatus, GuardFailed, Conflict, *ASKED),
    tools=("orchestrator",),
    when="Use it when an idea in triage is clear enough to be worked on as one piece.",
)
def specify(ctx: Around, req: SpecifyTask) -> Done:
    """Turn an idea in triage into a task that may start.

    With a title or a body of yours it becomes that; without, the configured model writes a clear task of
    it.  No model configured: it is taken as it is.
    """
    given = {
        name: getattr(req, name)
        for name in ("title", "body", "assignee")
        if getattr(req, name) is not None
    }
    words = bool(given.keys() & {"title", "body"})
    if req.by == "model" and words:
        raise Invalid("the model writes title and body, so `--by model` takes neither of yours")
    by_model = req.by == "model" or (
        req.by is None and not words and ctx.service.planner().configured
    )
    if not by_model:
        note = (
            None
            if given or req.by
            else "taken as it is: no model is configured to say it more clearly"
        )
        return _specified(ctx, req.id, given, note)
    if (seen := ctx.seen()) is not None:
        return cast("Done", seen)
    found = planning.specified(ctx, req.id)._asdict()
    return _specified(
        ctx, req.id, {k: v for k, v in {**found, **given}.items() if v is not None}, None
    )


def _specified(ctx: Around, task_id: int, fields: dict[str, Any], note: str | None) -> Done:
    def work(tx: Tx) -> Done:
        return Done.of(_specify(tx, ctx, task_id, fields), note=note)

    return cast("Done", ctx.commit(work))


def _specify(tx: Tx, ctx: Around, task_id: int, fields: dict[str, Any]) -> Task:
    if fields:
        editing.edit(tx, ctx.caller, task_id, fields)
    return verbs.specify(tx, task_id, Change(ctx.caller)).task


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
        list[SubTask] | None,
        Arg(
            "The sub-tasks as a JSON list, or `@FILE`; left out, the model splits it.",
            positional=True,
            json=True,
        ),
    ] = None


class Decomposed(Result, frozen=True):
    """The root, and the sub-tasks that it waits for; none where the model found one clear task."""

    root: TaskLine
    pieces: list[TaskLine]


@operation(
    "task.decompose",
    "POST /api/v1/tasks/{id}/decompose",
    command="decompose",
    kind="around",
    errors=(NotFound, WrongStatus, GuardFailed, Invalid, Conflict, *ASKED),
    tools=("orchestrator",),
    when=(
        "Use it when a task in triage is more than one worker should do: each piece gets the "
        "profile that fits, and `after` names the pieces that it waits for."
    ),
)
def decompose_task(ctx: Around, req: DecomposeTask) -> Decomposed:
    """Make a graph of sub-tasks out of a task in triage, all at once and once only.

    The task itself then waits for all of them, and wakes when they are done.  Without pieces of yours the
    configured model splits it, for the profiles that are described; where splitting does not help, the
    task becomes one clear task instead.
    """
    if req.pieces is not None:
        pieces = [_piece(one) for one in req.pieces]
        return _decomposed(ctx, lambda tx: decompose(tx, ctx.caller, req.id, pieces), req.id)
    if (seen := ctx.seen()) is not None:
        return cast("Decomposed", seen)
    root = ctx.read(lambda tx: load(tx, req.id))
    heir = planning.takes_over(ctx.settings, root)
    found = planning.split(ctx, req.id)
    if not found.parts:
        assert found.whole is not None, "a split has parts, or it has the whole"
        whole = {name: value for name, value in found.whole._asdict().items() if value}
        whole["assignee"] = planning.known(ctx.settings, found.whole.assignee) or heir
        return _decomposed(ctx, lambda tx: [_specify(tx, ctx, req.id, whole)][1:], req.id)
    parts = [_part(ctx.settings, one, heir) for one in found.parts]
    owner = root.assignee or planning.orchestrator(ctx.settings) or heir

    def work(tx: Tx) -> list[Task]:
        if owner != root.assignee:
            editing.edit(tx, ctx.caller, req.id, {"assignee": owner})
        return decompose(tx, ctx.caller, req.id, parts)

    return _decomposed(ctx, work, req.id)


def _decomposed(ctx: Around, make: Callable[[Tx], list[Task]], root: int) -> Decomposed:
    def work(tx: Tx) -> Decomposed:
        made = make(tx)
        return Decomposed(TaskLine.of(load(tx, root)), [TaskLine.of(task) for task in made])

    return cast("Decomposed", ctx.commit(work))


def _part(settings: Settings, part: Part, heir: str) -> Piece:
    """A part as the model named it; a profile that does not exist gives way to who takes over."""
    assignee = planning.known(settings, part.assignee) or heir
    return Piece(NewTask(title=part.title, body=part.body, assignee=assignee), part.after)


class StartSwarm(Request, frozen=True, kw_only=True):
    """What several workers are to find out or make, and who they are."""

    title: Title
    workers: Annotated[
        list[str], Arg("A profile that works on it; may be given again.", flag="--worker")
    ]
    verifier: Annotated[str, Arg("The profile that verifies what the workers found.")]
    synthesizer: Annotated[str, Arg("The profile that puts it together.")]
    body: Annotated[
        str, Arg("What all of them have to know; `-` reads standard input, `@FILE` a file.")
    ] = ""
    priority: Priority = 0
    tenant: Annotated[str | None, Arg("Whom it is for.")] = None
    workspace: Annotated[
        str, Arg("`scratch`, `dir:/absolute/path`, `worktree` or `worktree:/absolute/path`.")
    ] = "scratch"


@operation(
    "task.swarm",
    "POST /api/v1/swarms",
    command="swarm",
    errors=(Invalid, NotFound),
    tools=("orchestrator",),
    when="Use it when several profiles should answer the same question and one should weigh their answers.",
)
def start_swarm(ctx: Context, req: StartSwarm) -> Decomposed:
    """Let several workers do one task, a profile verify it and another put it together, made at once.

    The answer's root is the task that puts it together; its comments are the blackboard of all.
    """
    for name in (*req.workers, req.verifier, req.synthesizer):
        if name not in ctx.settings.profiles:
            raise Invalid(
                f"there is no profile {name!r} on this host; `shop profile list` shows what there is"
            )
    within("the body", req.body, limits.BODY_BYTES_MAX)
    kind, path = workspace(req.workspace)
    new = NewTask(
        title=title_of(req.title, "a swarm"),
        body=req.body,
        priority=req.priority,
        tenant=req.tenant,
        workspace_kind=kind,
        workspace_path=path,
    )
    crew = Crew(tuple(req.workers), req.verifier, req.synthesizer)
    root, made = swarm(ctx.tx, ctx.caller, new, crew)
    return Decomposed(TaskLine.of(load(ctx.tx, root.id)), [TaskLine.of(task) for task in made])


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
