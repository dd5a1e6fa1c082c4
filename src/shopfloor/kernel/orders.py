"""The verbs of a work order in terms of its task's verbs.

An order is a task with a command of its own; nothing is stored that says so beside that command.
"""

from __future__ import annotations

from collections.abc import Collection

from shopfloor.domain.errors import NotFound, WrongStatus
from shopfloor.domain.lifecycle import Status, Verb
from shopfloor.domain.model import Run, Task
from shopfloor.domain.orders import State, state_of
from shopfloor.kernel import pause, verbs
from shopfloor.kernel.apply import Change
from shopfloor.kernel.load import load
from shopfloor.store import orders
from shopfloor.store.db import Tx


def order(tx: Tx, task_id: int) -> Task:
    """The order of that number; raises NotFound, also for a task without a command."""
    task = load(tx, task_id)
    if task.command is None:
        raise NotFound(
            f"#{task_id} is a task for a profile, not a work order; `shop show {task_id}` shows it"
        )
    return task


def retry(tx: Tx, task_id: int, change: Change) -> Task:
    """Let an order that waits for its time, or that failed, start now, with all its attempts again."""
    task = order(tx, task_id)
    state = state_of(task)
    if task.status == Status.ARCHIVED or state in (
        State.RUNNING,
        State.COMPLETED,
        State.CANCELLED,
    ):
        raise WrongStatus(
            f"cannot retry #{task_id}: it is {_now(task)}, and only an order that waits or failed is started "
            f"now; `shop order resume {task_id}` enters a cancelled one again, and a completed one is enqueued anew"
        )
    if task.status == Status.READY:
        # It waits for a cooldown or a guard, if for anything.
        pause.bypass(tx, change.caller, task_id)
    elif task.status == Status.BLOCKED:
        verbs.unblock(tx, task_id, change)
    else:
        verbs.act(tx, Verb.PROMOTE_MANUAL, task_id, change)
    return load(tx, task_id)


def resume(tx: Tx, task_id: int, change: Change) -> Task:
    """Enter a failed or cancelled order again with its inputs; its next attempt begins at the beginning."""
    task = order(tx, task_id)
    match state_of(task):
        case State.FAILED if task.status == Status.BLOCKED:
            return verbs.unblock(tx, task_id, change).task
        case State.CANCELLED if task.status == Status.CANCELLED:
            return verbs.act(tx, Verb.REOPEN, task_id, change).task
        case _:
            raise WrongStatus(
                f"cannot resume #{task_id}: it is {_now(task)}, and only a failed or cancelled order is "
                "entered again"
            )


def refuse_ended(task: Task) -> None:
    """Raise WrongStatus for an order that cannot be cancelled, because it has ended."""
    if task.status == Status.ARCHIVED or state_of(task) in (State.COMPLETED, State.CANCELLED):
        raise WrongStatus(
            f"cannot cancel #{task.id}: it is {_now(task)}, and only an order that has not ended is cancelled"
        )


def _now(task: Task) -> str:
    return "archived" if task.archived_from else str(state_of(task))


def reclaim(tx: Tx, lost: Collection[int], change: Change) -> list[Task]:
    """Take back those open attempts of orders whose workers are not alive: they count as nobody's failure."""
    taken: list[Run] = [run for run in orders.running(tx) if run.id in lost]
    for run in taken:
        verbs.act(tx, Verb.RELEASE, run.task_id, change)
    return [load(tx, run.task_id) for run in taken]
