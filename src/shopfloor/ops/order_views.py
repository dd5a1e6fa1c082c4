"""What a work order looks like from outside."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from shopfloor.domain.model import Run, Runtime, Task
from shopfloor.domain.orders import State, exit_status, state_of
from shopfloor.ops.fields import Backoff, Command
from shopfloor.ops.run_views import RunView
from shopfloor.ops.schema import Result, always, moment
from shopfloor.store.orders import OrderRow

CPU_MILLIS = 1_000
# What leads on from an end, in an order's own verbs.
_NEXT = {
    State.FAILED: "shop log {0}, then shop order retry {0}",
    State.CANCELLED: "shop order resume {0} enters it again",
}


class OrderLine(Result, frozen=True):
    """An order as a list shows it; `exit_status` is how its last attempt ended."""

    id: int
    state: str
    title: str
    argv: list[str]
    attempts: int
    max_attempts: int | None
    run: int | None
    outcome: str | None
    exit_code: int | None
    exit_signal: int | None
    error: str | None
    next_at: datetime | None
    created_at: datetime
    changed_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    creator: str

    @staticmethod
    def of(row: OrderRow) -> OrderLine:
        task = row.task
        assert task.command is not None, "an order has a command"
        state = state_of(task)
        # To its task, an order that failed has only stopped: its end is that of its last attempt.
        ended_at = row.run_ended_at if state is State.FAILED else task.ended_at
        return OrderLine(
            id=task.id,
            state=state.value,
            title=task.title,
            argv=json.loads(task.command)["argv"],
            attempts=task.attempts,
            max_attempts=task.max_attempts,
            run=row.run_id,
            outcome=row.outcome,
            exit_code=row.exit_code,
            exit_signal=row.exit_signal,
            error=task.last_error,
            next_at=moment(task.not_before),
            created_at=always(task.created_at),
            changed_at=always(task.changed_at),
            started_at=moment(task.started_at),
            ended_at=moment(ended_at),
            creator=task.creator,
        )


class OrderPage(Result, frozen=True):
    """One page of orders; `next` is what `after` takes for the next one, if there is one."""

    items: list[OrderLine]
    next: str | None


class RuntimeView(Result, frozen=True):
    """Where an order asks to run; without a word of its own it is as its profile says, or the host."""

    runtime: str | None
    mounts: list[str]
    memory_bytes: int | None
    cpus: float | None
    pids: int | None

    @staticmethod
    def of(given: Runtime | None) -> RuntimeView:
        if given is None:
            return RuntimeView(None, [], None, None, None)
        cpus = None if given.cpu_millis is None else given.cpu_millis / CPU_MILLIS
        return RuntimeView(
            given.runtime, json.loads(given.mounts), given.memory_bytes, cpus, given.pids
        )


class OrderDetail(Result, frozen=True):
    """An order with its inputs, why it does not move, and its attempts, the newest first.

    `exit_status` is what a shell would say of its end: null while it is not over.
    """

    order: OrderLine
    status: str
    exit_status: int | None
    why: str
    next_step: str
    command: Command
    runtime: RuntimeView
    workspace: str
    assignee: str | None
    tenant: str | None
    priority: int
    max_runtime_ms: int | None
    backoff: Backoff | None
    idempotency_key: str | None
    attempts: list[RunView]


def row_of(task: Task, last: Run | None) -> OrderRow:
    """An order with its last attempt."""
    if last is None:
        return OrderRow(task, None, None, None, None, None)
    return OrderRow(task, last.id, last.outcome, last.exit_code, last.exit_signal, last.ended_at)


def detail(
    task: Task,
    attempts: list[Run],
    runtime: Runtime | None,
    *,
    why: tuple[str, str],
    receipts: Mapping[int, str],
) -> OrderDetail:
    """All of an order; `why` is the sentence and the next step, `receipts` the hashes by attempt."""
    assert task.command is not None, "an order has a command"
    last = next((run for run in attempts if run.role == "worker"), None)
    place = task.workspace_kind + (f":{task.workspace_path}" if task.workspace_path else "")
    return OrderDetail(
        order=OrderLine.of(row_of(task, last)),
        status=task.status,
        exit_status=exit_status(task, last),
        why=why[0],
        next_step=_NEXT.get(state_of(task), why[1]).format(task.id),
        command=Command(**json.loads(task.command)),
        runtime=RuntimeView.of(runtime),
        workspace=place,
        assignee=task.assignee,
        tenant=task.tenant,
        priority=task.priority,
        max_runtime_ms=task.max_runtime_ms,
        backoff=None if task.backoff is None else Backoff(**json.loads(task.backoff)),
        idempotency_key=task.idempotency_key,
        attempts=[RunView.of(run, None, receipts.get(run.id)) for run in attempts],
    )
