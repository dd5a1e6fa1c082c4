"""Put tasks on the board, look at them, rewrite them, remove them."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta

from shopfloor.domain import limits
from shopfloor.domain.errors import Conflict, Forbidden, Invalid, NotFound, WrongStatus
from shopfloor.domain.lifecycle import By, Status, Verb
from shopfloor.domain.model import Task
from shopfloor.kernel import create as creating
from shopfloor.kernel import edit as editing
from shopfloor.kernel import verbs
from shopfloor.kernel.apply import Change
from shopfloor.kernel.decompose import inherit
from shopfloor.kernel.load import load, own_task_only
from shopfloor.kernel.why import why
from shopfloor.ops.context import Around, Context
from shopfloor.ops.registry import operation
from shopfloor.ops.schema import Arg, Request, Result, always, milliseconds, moment, text
from shopfloor.ops.views import (
    AttachmentView,
    Backoff,
    Command,
    CommentView,
    EventView,
    LinkedTask,
    RunView,
    TaskDetail,
    TaskLine,
    TaskPage,
    TaskView,
    WhyView,
)
from shopfloor.store import events, links, notes, runs, tasks

Id = Annotated[int, Arg("The task's number.", positional=True, ge=1)]
Name = Annotated[str, Arg("A name.", min_length=1, max_length=limits.NAME_CHARS_MAX)]
Sort = Literal[
    "priority-desc", "priority", "created", "created-desc", "status", "assignee", "title", "updated"
]


class CreateTask(Request, frozen=True, kw_only=True):
    """What a new task is; all but the title may be left out."""

    title: Annotated[
        str,
        Arg("What is to be done, in one line.", positional=True, max_length=limits.TITLE_CHARS_MAX),
    ]
    body: Annotated[
        str, Arg("What a worker has to know; `-` reads standard input, `@FILE` a file.")
    ] = ""
    assignee: Annotated[
        Annotated[str, Meta(max_length=limits.NAME_CHARS_MAX)] | None,
        Arg("The profile that works on it."),
    ] = None
    priority: Annotated[
        int,
        Arg("Higher goes first.", ge=-limits.PRIORITY_MAX, le=limits.PRIORITY_MAX),
    ] = 0
    tenant: Annotated[
        str | None, Arg("Whom it is for; taken from the first parent if left out.")
    ] = None
    parents: Annotated[
        list[int], Arg("A task that must be done first; may be given again.", flag="--parent")
    ] = []
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
        datetime | None, Arg("The moment it comes due: an ISO time, or `10m` from now.")
    ] = None
    idempotency_key: Annotated[
        Annotated[str, Meta(min_length=1, max_length=limits.KEY_CHARS_MAX)] | None,
        Arg("Creating again with the key of an unarchived task answers with that task."),
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
    ] = []
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
    skills: Annotated[list[str], Arg("A skill that the worker needs.", flag="--skill")] = []
    model: Annotated[str | None, Arg("The model, instead of the profile's.")] = None
    provider: Annotated[str | None, Arg("The provider, instead of the profile's.")] = None
    session: Annotated[str | None, Arg("The chat session that this came from.")] = None
    template: Annotated[str | None, Arg("The workflow template it belongs to.")] = None
    step: Annotated[str | None, Arg("The step of that template.")] = None
    goal: Annotated[bool, Arg("Go on until a judge finds the goal reached.")] = False
    goal_turns: Annotated[
        Annotated[int, Meta(ge=1, le=1_000)] | None, Arg("At most so many turns.")
    ] = None


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
    errors=(Invalid, NotFound, Conflict),
)
def create(ctx: Context, req: CreateTask) -> Created:
    """Put a task on the board.

    With a command after `--` it is a work order whose exit status is the verdict; otherwise the
    assignee's profile says what runs.  A worker's new task has that worker's task as its origin.
    """
    new = _new_task(req)
    new = _from_worker(ctx, new)
    if new.workspace_kind in ("dir", "worktree") and new.workspace_path is None:
        new = new._replace(workspace_path=ctx.service.board().default_workdir)
    _check_workspace(new)
    wants = None if req.initial_status in (None, "ready") else Status(req.initial_status)
    if wants is None and req.not_before is not None:
        wants = Status.SCHEDULED
    made = creating.create(
        ctx.tx, ctx.caller, new, parents=tuple(req.parents), wants=wants, reason=req.reason
    )
    said = (
        []
        if ctx.service.dispatching.running()
        else ["no dispatcher is running; start one with `shop up`"]
    )
    return Created(TaskView.of(made.task), made.created, said)


def _from_worker(ctx: Context, new: creating.NewTask) -> creating.NewTask:
    if ctx.caller.by is not By.WORKER:
        return new
    run = runs.get(ctx.tx, ctx.caller.run_id or 0)
    if run is None:
        raise NotFound(f"there is no {ctx.caller.name}, so it cannot create tasks")
    own_task_only(ctx.tx, ctx.caller, run.task_id)
    origin = load(ctx.tx, run.task_id)
    return inherit(origin, new)._replace(origin_id=new.origin_id or origin.id)


def _new_task(req: CreateTask) -> creating.NewTask:
    if not req.title.strip():
        raise Invalid("a task needs a title that says what is to be done")
    _within("the body", req.body, limits.BODY_BYTES_MAX)
    kind, path = workspace(req.workspace)
    return creating.NewTask(
        title=req.title.strip(),
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


def workspace(words_given: str) -> tuple[str, str | None]:
    """The kind and the path of a workspace; raises Invalid for a relative path."""
    kind, _, path = words_given.partition(":")
    if kind not in ("scratch", "dir", "worktree") or (kind == "scratch" and path):
        raise Invalid(
            f"{words_given!r} is no workspace; use scratch, dir:/absolute/path, worktree or worktree:/absolute/path"
        )
    if path and not path.startswith("/"):
        raise Invalid(
            f"the workspace {words_given!r} is not absolute; write {kind}:/the/whole/path"
        )
    return kind, path or None


def _check_workspace(new: creating.NewTask) -> None:
    if new.workspace_kind == "dir" and new.workspace_path is None:
        raise Invalid(
            "a dir workspace needs a path: dir:/absolute/path, or a board with a default directory"
        )
    if new.branch is not None and new.workspace_kind != "worktree":
        raise Invalid("a branch belongs to a worktree: use --workspace worktree")


def words(argv: list[str]) -> list[str]:
    """The words of a command; raises Invalid for none, or for one that no program can be given."""
    if not argv or not argv[0]:
        raise Invalid("a command needs at least the name of a program")
    if any("\0" in word for word in argv):
        raise Invalid("a command's word cannot hold a NUL character")
    _within("the command", "".join(argv), limits.COMMAND_BYTES_MAX)
    return argv


def command(given: Command) -> str:
    """The command as its column holds it."""
    words(given.argv)
    for name in given.env:
        if not name or "=" in name or "\0" in name or name.startswith("SHOPFLOOR_"):
            raise Invalid(f"{name!r} cannot be set in a command's environment; choose another name")
    return text(given)


def _within(what: str, given: str, most: int) -> None:
    size = len(given.encode(errors="surrogatepass"))
    if size > most:
        raise Invalid(
            f"{what} has {size} bytes, and at most {most} are taken; attach it as a file instead"
        )


class ListTasks(Request, frozen=True, kw_only=True):
    """Which tasks, in which order."""

    status: Annotated[list[str], Arg("Only this status; may be given again.", flag="--status")] = []
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
    sort: Annotated[str, Arg("The order.")] = "priority-desc"
    limit: Annotated[int, Arg("At most so many.", ge=1, le=limits.PAGE_MAX)] = limits.PAGE_DEFAULT
    after: Annotated[str | None, Arg("Go on after this cursor of an earlier page.")] = None


ORDERS = Sort.__args__  # type: ignore[attr-defined]


@operation(
    "task.list", "GET /api/v1/tasks", command="list", kind="read", role="anyone", errors=(Invalid,)
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
        "text": None if req.text is None else _pattern(req.text),
    }
    if req.sort == "priority-desc":
        return _page_by_priority(ctx, req, filters)
    skip = _offset(req.after)
    found = tasks.listed_sorted(ctx.tx, sort=req.sort, skip=skip, limit=req.limit + 1, **filters)
    more = f"{skip + req.limit}" if len(found) > req.limit else None
    return TaskPage([TaskLine.of(task) for task in found[: req.limit]], more)


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
    return TaskPage([TaskLine.of(task) for task in shown], more)


def _offset(after: str | None) -> int:
    if after is None:
        return 0
    if not after.isascii() or not after.isdigit():
        raise Invalid(f"{after!r} is no cursor of this list")
    return int(after)


def _pattern(words_given: str) -> str:
    escaped = words_given.lower()
    for special in "\\%_":
        escaped = escaped.replace(special, f"\\{special}")
    return f"%{escaped}%"


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
)
def show(ctx: Context, req: ShowTask) -> TaskDetail:
    """Show a task with its links, attempts, comments, files and latest events, and why it is not moving."""
    task = load(ctx.tx, req.id)
    done, total = _progress(ctx, task)
    files = ctx.service.files
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
        [RunView.of(run) for run in runs.of_task(ctx.tx, task.id, 50)],
        [CommentView.of(c) for c in notes.comment_of_task(ctx.tx, task.id, after=0, limit=500)],
        [
            AttachmentView.of(a, files.path(task.id, a.name))
            for a in notes.attachment_of_task(ctx.tx, task.id)
        ],
        [EventView.of(e) for e in reversed(events.latest_of_task(ctx.tx, task.id, 50))],
    )


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
    fields: dict[str, object] = {}
    if req.title is not None:
        if not req.title.strip():
            raise Invalid("a task needs a title that says what is to be done")
        fields["title"] = req.title.strip()
    if req.body is not None:
        _within("the body", req.body, limits.BODY_BYTES_MAX)
        fields["body"] = req.body
    for name in ("priority", "max_runtime_ms", "max_attempts", "start_after"):
        if getattr(req, name) is not None:
            fields[name] = getattr(req, name)
    for name in ("tenant", "model", "provider"):
        if getattr(req, name) is not None:
            fields[name] = getattr(req, name) or None
    if req.skills is not None or req.clear_skills:
        fields["skills"] = text([] if req.clear_skills else req.skills)
    if not fields and not req.reset_failures and not req.clear_claim:
        raise Invalid("nothing to change was named; see `shop edit --help`")
    task = editing.edit(ctx.tx, ctx.caller, req.id, fields, reset_failures=req.reset_failures)
    if req.clear_claim and task.status == Status.RUNNING:
        change = Change(ctx.caller, reason="the claim was cleared")
        task = verbs.act(ctx.tx, ctx.caller, Verb.RELEASE, req.id, change).task
    return TaskView.of(task)


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

    def work(tx: Any) -> Deleted:
        verbs.delete(tx, ctx.caller, req.id, children=req.children)
        return Deleted(req.id)

    done: Deleted = ctx.commit(work)
    ctx.service.files.forget_task(req.id)
    return done
