"""Work orders: commands that run once, later or again, with their states in words of their own."""

from __future__ import annotations

import shlex
from datetime import datetime
from typing import Annotated, Protocol

from msgspec import Meta, field

from shopfloor.domain import limits
from shopfloor.domain.durations import DURATION_MS_MAX
from shopfloor.domain.errors import (
    Conflict,
    GuardFailed,
    Invalid,
    LimitReached,
    NotFound,
    Unavailable,
    WrongStatus,
)
from shopfloor.domain.model import Runtime, Task
from shopfloor.domain.report import DispatchReport
from shopfloor.domain.runtimes import image_of, memory_bytes, mount
from shopfloor.kernel import orders as ordering
from shopfloor.kernel.apply import Change
from shopfloor.kernel.why import why
from shopfloor.ops.context import Around, Context
from shopfloor.ops.create import CreateTask, create_task, dispatcher_missing
from shopfloor.ops.dispatch import NoArguments
from shopfloor.ops.fields import (
    Assignee,
    Backoff,
    Command,
    Cpus,
    Id,
    Memory,
    Mounts,
    Pids,
    Priority,
    RuntimeName,
    command,
)
from shopfloor.ops.moves import DropTask, OneTask, cancel
from shopfloor.ops.order_views import OrderDetail, OrderLine, detail, row_of
from shopfloor.ops.registry import operation
from shopfloor.ops.schema import Arg, Request, Result, milliseconds, moment, text
from shopfloor.store import orders, receipts, runs
from shopfloor.store.db import Tx

CPU_MILLIS = 1_000
MOVED = (NotFound, WrongStatus, GuardFailed, Conflict)
ATTEMPTS_SHOWN = 50


class EnqueueOrder(Request, frozen=True, kw_only=True):
    """What is to run, when, where, and how often it may fail."""

    command: Annotated[Command, Arg("The command; its exit status is the verdict.", rest=True)]
    name: Annotated[
        Annotated[str, Meta(max_length=limits.TITLE_CHARS_MAX)] | None,
        Arg("What it is called in lists; the command itself if left out."),
    ] = None
    body: Annotated[str, Arg("What people should know of it.")] = ""
    at: Annotated[
        datetime | None,
        Arg("Not before this moment: an ISO time, `18:00`, or `10m` from now."),
    ] = None
    delay_ms: Annotated[
        Annotated[int, Meta(ge=0, le=DURATION_MS_MAX)] | None,
        Arg("Not before so long from now.", unit="ms"),
    ] = None
    retries: Annotated[int, Arg("Further attempts after the first.", ge=0, le=999)] = 0
    backoff: Annotated[
        Backoff | None, Arg("Wait this long after a failure, twice as long each time.", unit="ms")
    ] = None
    timeout_ms: Annotated[
        Annotated[int, Meta(gt=0)] | None, Arg("Stop an attempt after so long.", unit="ms")
    ] = None
    runtime: RuntimeName = None
    mounts: Mounts = field(default_factory=list)
    memory: Memory = None
    cpus: Cpus = None
    pids: Pids = None
    workspace: Annotated[
        str, Arg("`scratch`, `dir:/absolute/path`, `worktree` or `worktree:/absolute/path`.")
    ] = "scratch"
    artifacts: Annotated[
        list[str],
        Arg("A file in the workspace that is kept as an attachment.", flag="--artifact"),
    ] = field(default_factory=list)
    assignee: Assignee = None
    priority: Priority = 0
    tenant: Annotated[str | None, Arg("Whom it is for.")] = None
    parents: Annotated[
        list[int], Arg("A task that must be done first; may be given again.", flag="--parent")
    ] = field(default_factory=list)
    idempotency_key: Annotated[
        Annotated[str, Meta(min_length=1, max_length=limits.KEY_CHARS_MAX)] | None,
        Arg("Enqueuing again with the key of an unarchived order answers with that order."),
    ] = None


class Enqueued(Result, frozen=True):
    """The order, whether this request made it, and what the asker should know."""

    order: OrderLine
    created: bool
    notes: list[str]


@operation(
    "order.enqueue",
    "POST /api/v1/orders",
    command="order enqueue",
    errors=(Invalid, NotFound, Conflict, LimitReached),
)
def enqueue(ctx: Context, req: EnqueueOrder) -> Enqueued:
    """Put one command into the queue: now or later, with further attempts if it fails.

    Its exit status is the verdict: 0 completes it, 75 lets it try again later without counting, any
    other is a failure.  `shop order wait` follows it to its end.
    """
    runtime = runtime_row(req)
    made = create_task(ctx, _task(ctx, req))
    if made.created and runtime is not None:
        orders.put_runtime(ctx.tx, runtime._replace(task_id=made.task.id))
    said = dispatcher_missing(ctx)
    return Enqueued(OrderLine.of(orders.OrderRow(made.task, *[None] * 5)), made.created, said)


def _task(ctx: Context, req: EnqueueOrder) -> CreateTask:
    if req.at is not None and req.delay_ms is not None:
        raise Invalid("an order starts at a time or after a delay: name one of them")
    due = milliseconds(req.at)
    if req.delay_ms:
        due = ctx.tx.now + req.delay_ms
    command(req.command)
    title = (req.name or "").strip() or shlex.join(req.command.argv).replace("\n", " ")
    return CreateTask(
        title=title[: limits.TITLE_CHARS_MAX],
        body=req.body,
        assignee=req.assignee,
        priority=req.priority,
        tenant=req.tenant,
        parents=req.parents,
        not_before=moment(due),
        idempotency_key=req.idempotency_key,
        command=req.command,
        artifacts=req.artifacts,
        workspace=req.workspace,
        max_runtime_ms=req.timeout_ms,
        max_attempts=req.retries + 1,
        backoff=req.backoff,
    )


class Placed(Protocol):
    """A request that says where a command runs."""

    @property
    def runtime(self) -> str | None: ...
    @property
    def mounts(self) -> list[str]: ...
    @property
    def memory(self) -> str | None: ...
    @property
    def cpus(self) -> float | None: ...
    @property
    def pids(self) -> int | None: ...


def runtime_row(req: Placed) -> Runtime | None:
    """The row that says where it runs, with its number still to come; None where nothing was said."""
    image = None if req.runtime is None else image_of(req.runtime)
    limited = req.mounts or req.memory is not None or req.cpus is not None or req.pids is not None
    if image is None and limited:
        raise Invalid("mounts and limits belong to a container: add --runtime container:IMAGE")
    if req.runtime is None:
        return None
    return Runtime(
        0,
        req.runtime,
        text([mount(words).text() for words in req.mounts]),
        None if req.memory is None else memory_bytes(req.memory),
        None if req.cpus is None else max(round(req.cpus * CPU_MILLIS), 1),
        req.pids,
    )


class OneOrder(Request, frozen=True):
    """Which order."""

    id: Id


@operation(
    "order.show",
    "GET /api/v1/orders/{id}",
    command="order show",
    kind="read",
    role="anyone",
    errors=(NotFound,),
)
def show(ctx: Context, req: OneOrder) -> OrderDetail:
    """Show an order: its inputs, its attempts with how each ended, and why it does not move."""
    task = ordering.order(ctx.tx, req.id)
    found = why(ctx.tx, ctx.settings, ctx.service.surroundings(ctx.tx), task.id)
    attempts = runs.of_task(ctx.tx, task.id, ATTEMPTS_SHOWN)
    return detail(
        task,
        attempts,
        orders.runtime(ctx.tx, task.id),
        why=(found.sentence, found.next_step),
        receipts=receipts.hashes_of_runs(ctx.tx, [run.id for run in attempts]),
    )


@operation(
    "order.retry",
    "POST /api/v1/orders/{id}/retry",
    command="order retry",
    errors=MOVED,
    many=True,
)
def retry(ctx: Context, req: OneTask) -> OrderLine:
    """Let an order that waits for its time, or that failed, start now.

    Its count of failures begins anew, so it has all its attempts again.
    """
    return _line(ctx.tx, ordering.retry(ctx.tx, req.id, _because(ctx, req)))


@operation(
    "order.resume",
    "POST /api/v1/orders/{id}/resume",
    command="order resume",
    errors=MOVED,
    many=True,
)
def resume(ctx: Context, req: OneTask) -> OrderLine:
    """Enter a failed or cancelled order again, with its inputs.

    The next attempt begins at the beginning: nothing goes on where an ended process was.
    """
    return _line(ctx.tx, ordering.resume(ctx.tx, req.id, _because(ctx, req)))


@operation(
    "order.cancel",
    "POST /api/v1/orders/{id}/cancel",
    command="order cancel",
    errors=(*MOVED, Invalid),
    many=True,
)
def cancel_order(ctx: Context, req: DropTask) -> OrderLine:
    """End an order: a waiting one never starts, a running one is stopped with all its processes."""
    ordering.refuse_ended(ordering.order(ctx.tx, req.id))
    cancel(ctx, req)
    return _line(ctx.tx, ordering.order(ctx.tx, req.id))


def _because(ctx: Context, req: OneTask) -> Change:
    return Change(ctx.caller, reason=req.reason)


def _line(tx: Tx, task: Task) -> OrderLine:
    return OrderLine.of(row_of(task, orders.last_attempt(tx, task.id)))


class RunDue(Request, frozen=True, kw_only=True):
    """How far the pass goes."""

    dry_run: Annotated[bool, Arg("Report what would happen, and change nothing.")] = False
    max: Annotated[
        Annotated[int, Meta(ge=0, le=limits.BATCH_PER_TICK)] | None, Arg("Start at most so many.")
    ] = None


@operation(
    "order.run_due",
    "POST /api/v1/orders/run-due",
    command="order run-due",
    kind="around",
    errors=(Unavailable,),
)
def run_due(ctx: Around, req: RunDue) -> DispatchReport:
    """Make one pass now: settle what has ended, start what is due, and report both.

    It is the pass of `shop dispatch`, so due tasks start too.  What it starts lives on without it,
    and a later pass, or `shop up`, settles it.
    """
    report: DispatchReport = ctx.service.dispatching.run_pass(dry_run=req.dry_run, most=req.max)
    return report


class Reclaimed(Result, frozen=True):
    """The orders that were taken back."""

    items: list[OrderLine]


@operation(
    "order.reclaim_stale",
    "POST /api/v1/orders/reclaim-stale",
    command="order reclaim-stale",
    kind="around",
    errors=(Unavailable,),
)
def reclaim_stale(ctx: Around, req: NoArguments) -> Reclaimed:  # noqa: ARG001 - every operation has one
    """Take back running orders whose worker on this host is not alive any more.

    They go back to their queue without a failure being counted; the next pass stops what their
    workers left behind, and starts them.  Where `shop up` runs, it has seen such an end itself.
    """
    lost = ctx.service.dispatching.lost()

    def work(tx: Tx) -> Reclaimed:
        change = Change(ctx.caller, reason="its worker is not alive any more")
        return Reclaimed([_line(tx, task) for task in ordering.reclaim(tx, lost, change)])

    done: Reclaimed = ctx.commit(work)
    return done
