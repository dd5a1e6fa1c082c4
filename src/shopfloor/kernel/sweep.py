"""What time does to a board: tasks come due, leases run out, and what a crash left half done is repaired.

Every sweep takes a bounded batch and says whether there may be more.
"""

from __future__ import annotations

from typing import NamedTuple

from shopfloor.domain.caller import BOARD
from shopfloor.domain.lifecycle import By, Outcome, Status, Verb
from shopfloor.domain.limits import BATCH_PER_TICK
from shopfloor.domain.settings import Settings
from shopfloor.kernel.apply import Change, apply, facts_for, settle_queue
from shopfloor.kernel.decide import decide
from shopfloor.kernel.quota import next_try
from shopfloor.kernel.settle import Settled, end_as
from shopfloor.store import events, questions, requests, runs, tasks
from shopfloor.store.db import Tx


class Times(NamedTuple):
    """Whether a time has come, and when the next one does."""

    due: bool
    next_at: int | None


def times(tx: Tx, settings: Settings) -> Times:
    """When something is to be done that nobody asks for: parked tasks, cooldowns, deadlines, accounts."""
    deadline = questions.next_deadline(tx)
    moments = (tasks.next_due(tx), deadline, next_try(tx, settings))
    coming = [moment for moment in moments if moment is not None]
    late = deadline is not None and deadline <= tx.now
    return Times(late or bool(tasks.due(tx, 1)), min(coming, default=None))


def come_due(tx: Tx) -> list[int]:
    """Lead parked tasks whose time has come to their queue."""
    moved = []
    for task_id in tasks.due(tx, BATCH_PER_TICK):
        task = tasks.lock(tx, task_id)
        if task is None or task.status != Status.SCHEDULED:
            continue
        facts = facts_for(tx, Verb.COME_DUE, By.BOARD, task)
        apply(tx, task, decide(Verb.COME_DUE, By.BOARD, task, facts), Change(BOARD))
        moved.append(task_id)
    return moved


def repair_queues(tx: Tx, after: int) -> tuple[list[int], int | None]:
    """Promote what waits for nobody and demote what is wrongly ready.

    Promotion happens in the transaction that frees a task; this is the safety net.  Answers with the
    tasks that moved and the cursor for the next window, None at the end.
    """
    window = tasks.todo_after(tx, after, BATCH_PER_TICK)
    wrong = tasks.wrongly_ready(tx, BATCH_PER_TICK) if after == 0 else []
    moved = [task_id for task_id in (*wrong, *window) if settle_queue(tx, task_id)]
    return moved, window[-1] if len(window) == BATCH_PER_TICK else None


def reclaim_expired(tx: Tx, settings: Settings, host: str, *, shared: bool) -> list[Settled]:
    """Take back runs whose lease ran out; on a shared board those of other hosts too.

    The other host's supervisors stop their workers themselves well before the lease ends, so nothing of
    such a run lives when it is taken back.
    """
    sentence = "the lease ran out without being renewed"
    return [
        end_as(tx, settings, run.id, Outcome.RECLAIMED, error=sentence, gone=True)
        for run in runs.expired(tx, host, shared=shared, limit=BATCH_PER_TICK)
    ]


def prune_requests(tx: Tx, before: int) -> int:
    """Forget the answers of requests that are older than a day."""
    return requests.prune(tx, before, BATCH_PER_TICK * 5)


def assign_default(tx: Tx, settings: Settings, *, dry_run: bool) -> list[int]:
    """Give unassigned ready tasks to the configured default assignee, as a recorded change."""
    default = settings.dispatch.default_assignee
    if not default:
        return []
    assigned = []
    for task in tasks.unassigned(tx, BATCH_PER_TICK):
        if not dry_run:
            if not tasks.edit(tx, task._replace(assignee=default, changed_at=tx.now)):
                continue
            data: dict[str, object] = {"assignee": default, "source": "dispatch.default_assignee"}
            events.append(tx, "assigned", task_id=task.id, actor=BOARD.name, data=data)
        assigned.append(task.id)
    return assigned
