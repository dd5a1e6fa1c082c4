"""Put tasks on the board, look at them, rewrite them, remove them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta

from shopfloor.domain import limits
from shopfloor.domain.errors import (
    Conflict,
    Forbidden,
    Invalid,
    LimitReached,
    NotFound,
    Stale,
    WrongStatus,
)
from shopfloor.domain.lifecycle import Status, Verb
from shopfloor.domain.model import Task
from shopfloor.kernel import budget, verbs
from shopfloor.kernel import edit as editing
from shopfloor.kernel.apply import Change
from shopfloor.kernel.drop import delete as delete_task
from shopfloor.kernel.load import load
from shopfloor.kernel.why import why
from shopfloor.ops.context import Around, Context
from shopfloor.ops.create import CreateTask, create_task, dispatcher_missing
from shopfloor.ops.fields import Id, title_of, within
from shopfloor.ops.registry import operation
from shopfloor.ops.run_views import QuestionView, RunView
from shopfloor.ops.schema import Arg, Request, Result, always, moment, text
from shopfloor.ops.views import (
    AttachmentView,
    CommentView,
    DiagnosticView,
    EventView,
    LinkedTask,
    SpentView,
    TaskDetail,
    TaskView,
    UndeliveredView,
    WhyView,
)
from shopfloor.store import (
    budgets,
    deliveries,
    events,
    links,
    notes,
    questions,
    receipts,
    runs,
    spend,
    tasks,
)

# Said once, with a board's first task.
ATTEMPTS_SHOWN = 50
SCRATCH_TOLD = "its workspace is deleted when it is done; keep files with --artifact, or work in --workspace dir:/path"


class Created(Result, frozen=True):
    """The task, whether this request made it, and what the asker should know."""

    task: TaskView
    created: bool
    notes: list[str]


@operation(
    "task.create",
    "POST /api/v1/tasks",
    command="create",
    role="worker",
    errors=(Invalid, NotFound, Conflict, LimitReached, Forbidden, Stale),
    tools=("orchestrator",),
    when=(
        "Use it to give work to others: write into the body everything that the worker has to "
        "know, and choose the assignee by the descriptions in profile_list."
    ),
)
def create(ctx: Context, req: CreateTask) -> Created:
    """Put a task on the board.

    With a command after `--` it is a work order whose exit status is the verdict; otherwise the
    assignee's profile says what runs.  A worker's new task has that worker's task as its origin.
    """
    made = create_task(ctx, req)
    said = dispatcher_missing(ctx)
    if made.created and made.task.id == 1 and made.task.workspace_kind == "scratch":
        said.append(SCRATCH_TOLD)
    if made.created and made.task.command is None:
        said += _worker_missing(ctx, made.task)
    return Created(TaskView.of(made.task), made.created, said)


def _worker_missing(ctx: Context, task: Task) -> list[str]:
    """What keeps the task from being worked, if nobody on this host would."""
    name = task.assignee or ctx.settings.dispatch.default_assignee
    if name in ctx.settings.profiles or task.status in (Status.TRIAGE, Status.BLOCKED):
        return []
    if name is None:
        return [f"nobody works on it until it has a profile: `shop assign {task.id} PROFILE`"]
    return [f"there is no profile {name!r} on this host; `shop profile list` shows what there is"]


class ShowTask(Request, frozen=True):
    """Which task."""

    id: Id


@operation(
    "task.show",
    "GET /api/v1/tasks/{id}",
    command="show",
    kind="read",
    role="anyone",
    errors=(NotFound,),
    tools=("worker", "reviewer", "orchestrator"),
    when=("Use it to see what is asked, what was written about it and how earlier attempts ended."),
)
def show(ctx: Context, req: ShowTask) -> TaskDetail:
    """Show a task with its links, attempts, comments, files and latest events, and why it is not moving."""
    task = load(ctx.tx, req.id)
    done, total = _progress(ctx, task)
    files = ctx.service.files
    reports = spend.reports_of_task(ctx.tx, task.id)
    attempts = runs.of_task(ctx.tx, task.id, ATTEMPTS_SHOWN)
    hashes = receipts.hashes_of_runs(ctx.tx, [run.id for run in attempts])
    return TaskDetail(
        TaskView.of(task),
        _why(ctx, task),
        [
            LinkedTask(n.task.id, n.task.status, n.task.title, n.waived_at is not None)
            for n in links.parents(ctx.tx, task.id)
        ],
        [
            LinkedTask(n.task.id, n.task.status, n.task.title, n.waived_at is not None)
            for n in links.children(ctx.tx, task.id)
        ],
        done,
        total,
        [RunView.of(run, reports.get(run.id), hashes.get(run.id)) for run in attempts],
        [CommentView.of(c) for c in notes.comment_of_task(ctx.tx, task.id, after=0, limit=500)],
        [
            AttachmentView.of(a, files.path(task.id, a.name))
            for a in notes.attachment_of_task(ctx.tx, task.id)
        ],
        [EventView.of(e) for e in reversed(events.latest_of_task(ctx.tx, task.id, 50))],
        [QuestionView.of(q) for q in questions.of_task(ctx.tx, task.id, 50)],
        _spent(ctx, task),
        _wrong(ctx, task),
        [UndeliveredView(*one[1:]) for one in deliveries.troubles(ctx.tx, [task.id])],
    )


def _wrong(ctx: Context, task: Task) -> list[DiagnosticView]:
    from shopfloor.ops.diagnostics import of_task  # noqa: PLC0415 - the verbs do without the rules

    return of_task(ctx, task.id)


def _spent(ctx: Context, task: Task) -> SpentView:
    limit = budgets.get(ctx.tx, task.id)
    most = (None, None) if limit is None else (limit.tokens, limit.cost_micros)
    return SpentView(*spend.of_task(ctx.tx, task.id), *most)


def _progress(ctx: Context, task: Task) -> tuple[int, int]:
    total, done = tasks.progress(ctx.tx, task.id)
    return done, total


@operation(
    "task.why",
    "GET /api/v1/tasks/{id}/why",
    command="why",
    kind="read",
    role="anyone",
    errors=(NotFound,),
    many=True,
    tools=("orchestrator",),
    when="Use it when a task waits longer than you expect.",
)
def why_task(ctx: Context, req: ShowTask) -> WhyView:
    """Say in one sentence why a task is not moving, and what would move it."""
    return _why(ctx, load(ctx.tx, req.id))


def _why(ctx: Context, task: Task) -> WhyView:
    found = why(ctx.tx, ctx.settings, ctx.service.surroundings(ctx.tx), task.id)
    return WhyView(
        task.id,
        task.status,
        found.code,
        found.sentence,
        found.next_step,
        always(found.since),
        moment(found.until),
    )


class EditTask(Request, frozen=True, kw_only=True):
    """What to change; what is left out stays."""

    id: Id
    title: Annotated[
        Annotated[str, Meta(max_length=limits.TITLE_CHARS_MAX)] | None, Arg("A new title.")
    ] = None
    body: Annotated[str | None, Arg("A new body; `-` reads standard input, `@FILE` a file.")] = None
    priority: Annotated[
        Annotated[int, Meta(ge=-limits.PRIORITY_MAX, le=limits.PRIORITY_MAX)] | None,
        Arg("Higher goes first."),
    ] = None
    tenant: Annotated[str | None, Arg("Whom it is for; empty for nobody.")] = None
    skills: Annotated[
        list[str] | None, Arg("The skills that the worker needs.", flag="--skill")
    ] = None
    clear_skills: Annotated[bool, Arg("Ask for no skills.")] = False
    model: Annotated[str | None, Arg("The model; empty for the profile's.")] = None
    provider: Annotated[str | None, Arg("The provider; empty for the profile's.")] = None
    max_runtime_ms: Annotated[
        Annotated[int, Meta(gt=0)] | None, Arg("Stop an attempt after so long.", unit="ms")
    ] = None
    max_attempts: Annotated[
        Annotated[int, Meta(ge=1, le=1_000)] | None, Arg("The failures after which it is given up.")
    ] = None
    start_after: Annotated[
        Literal["done", "any"] | None,
        Arg("`any`: go on also after a failed parent.", flag="--after"),
    ] = None
    max_tokens: Annotated[
        Annotated[int, Meta(ge=0, le=limits.COUNT_MAX)] | None,
        Arg("Tokens that all its attempts may use together; 0 for no limit."),
    ] = None
    max_cost: Annotated[
        Annotated[float, Meta(ge=0, le=limits.COST_MAX)] | None,
        Arg("US dollars that all its attempts may cost together; 0 for no limit."),
    ] = None
    reset_failures: Annotated[bool, Arg("Set the count of failures back to zero.")] = False
    clear_claim: Annotated[bool, Arg("Take a running task back from its run.")] = False


@operation(
    "task.edit",
    "PATCH /api/v1/tasks/{id}",
    command="edit",
    errors=(Invalid, NotFound, WrongStatus, Conflict),
)
def edit(ctx: Context, req: EditTask) -> TaskView:
    """Change what a task says; every change is one event that names the fields."""
    fields = _rewritten(req)
    limited = req.max_tokens is not None or req.max_cost is not None
    if not fields and not limited and not req.reset_failures and not req.clear_claim:
        raise Invalid("nothing to change was named; see `shop edit --help`")
    task = editing.edit(ctx.tx, ctx.caller, req.id, fields, reset_failures=req.reset_failures)
    if limited:
        cost = budget.micros(req.max_cost)
        budget.set_limits(ctx.tx, ctx.caller, req.id, tokens=req.max_tokens, cost_micros=cost)
    if req.clear_claim and task.status == Status.RUNNING:
        change = Change(ctx.caller, reason="the claim was cleared")
        task = verbs.act(ctx.tx, Verb.RELEASE, req.id, change).task
    return TaskView.of(task)


def _rewritten(req: EditTask) -> dict[str, object]:
    """The columns that a request rewrites, with their values."""
    fields: dict[str, object] = {}
    if req.title is not None:
        fields["title"] = title_of(req.title)
    if req.body is not None:
        within("the body", req.body, limits.BODY_BYTES_MAX)
        fields["body"] = req.body
    for name in ("priority", "max_runtime_ms", "max_attempts", "start_after"):
        if getattr(req, name) is not None:
            fields[name] = getattr(req, name)
    for name in ("tenant", "model", "provider"):
        if getattr(req, name) is not None:
            fields[name] = getattr(req, name) or None
    if req.skills is not None or req.clear_skills:
        fields["skills"] = text([] if req.clear_skills else req.skills)
    return fields


class AssignTask(Request, frozen=True):
    """Whom a task is for."""

    id: Id
    assignee: Annotated[
        str,
        Arg(
            "The profile; `none` for nobody.",
            positional=True,
            min_length=1,
            max_length=limits.NAME_CHARS_MAX,
        ),
    ]


@operation(
    "task.assign",
    "POST /api/v1/tasks/{id}/assign",
    command="assign",
    errors=(NotFound, WrongStatus, Conflict),
    many=True,
    tools=("orchestrator",),
    when="Use it to route a task: the profiles and what they are for are in profile_list.",
)
def assign(ctx: Context, req: AssignTask) -> TaskView:
    """Give a task to another profile, or to nobody."""
    assignee = None if req.assignee == "none" else req.assignee
    return TaskView.of(editing.edit(ctx.tx, ctx.caller, req.id, {"assignee": assignee}))


class DeleteTask(Request, frozen=True):
    """Which task, and what becomes of the tasks that wait for it."""

    id: Id
    children: Annotated[
        Literal["wait", "cancel", "go-on"],
        Arg("What becomes of tasks that wait for it, if it is unfinished."),
    ] = "wait"


class Deleted(Result, frozen=True):
    """The number that is free of its task now; it is not used again."""

    id: int


@operation(
    "task.delete",
    "DELETE /api/v1/tasks/{id}",
    command="delete",
    kind="around",
    errors=(NotFound, WrongStatus, Forbidden, Conflict, Invalid),
    many=True,
)
def delete(ctx: Around, req: DeleteTask) -> Deleted:
    """Remove a task with its runs, events, comments, links and files; a running one is refused."""
    from shopfloor.ops.receipt_book import before_deletion  # noqa: PLC0415 - few tasks are deleted

    write_receipts = before_deletion(ctx.service, ctx.settings)

    def work(tx: Any) -> Deleted:
        write_receipts(tx, req.id)
        delete_task(tx, ctx.caller, req.id, children=req.children)
        return Deleted(req.id)

    done: Deleted = ctx.commit(work)
    ctx.service.files.forget_task(req.id)
    return done
