"""How every verb begins: lock the task, find its run, and refuse a worker that does not hold it.

The fencing of a worker's write stands here once, and it is the first thing that a verb does: a refusal is
written down in the same transaction, so nothing may have been written before it.
"""

from __future__ import annotations

import hmac
from typing import NamedTuple

from shopfloor.domain.caller import Caller
from shopfloor.domain.errors import Forbidden, NotFound, Stale
from shopfloor.domain.lifecycle import By
from shopfloor.domain.model import Holder, Run, Task
from shopfloor.store import runs, tasks
from shopfloor.store.db import Tx


class Held(NamedTuple):
    """A task that this transaction has locked, and the run that it names, if it is running."""

    task: Task
    run: Holder | None


def load(tx: Tx, task_id: int) -> Task:
    """The task, locked until a writing transaction ends; raises NotFound."""
    task = tasks.lock(tx, task_id)
    if task is None:
        raise NotFound(f"there is no task #{task_id}; `shop list` shows what there is")
    return task


def current_run(tx: Tx, task: Task) -> Holder | None:
    """The run that a running task names."""
    return None if task.current_run is None else runs.holder(tx, task.current_run)


def whole(tx: Tx, run: Holder) -> Run:
    """All that is known of a run that was found a moment ago in this transaction."""
    found = runs.get(tx, run.id)
    assert found is not None, "a run that verbs see is locked by its task"
    return found


def enter(tx: Tx, caller: Caller, task_id: int, doing: str) -> Held:
    """The task for a verb that the caller may try; `doing` is the verb in a refusal's words.

    Raises NotFound, Forbidden for a worker that is not this task's, and Stale for one whose run is not the
    task's open run any more.
    """
    task = load(tx, task_id)
    run = current_run(tx, task)
    if caller.by is By.WORKER and not holds_run(caller, run):
        raise _refused(tx, caller, task, doing)
    return Held(task, run)


def holds_run(caller: Caller, run: Run | Holder | None) -> bool:
    """Whether the caller's credentials are those of the open run: the fencing of every worker's write."""
    return (
        run is not None
        and run.ended_at is None
        and caller.run_id == run.id
        and _is_token(caller, run)
    )


def run_of(tx: Tx, caller: Caller) -> Holder:
    """The run whose credentials a worker shows; raises Forbidden where they are none's."""
    run = runs.holder(tx, caller.run_id or 0)
    if run is None or not _is_token(caller, run):
        raise Forbidden(
            f"{caller.name} is not known by this token; a worker gets both from its dispatcher"
        )
    return run


def _refused(tx: Tx, caller: Caller, task: Task, doing: str) -> Forbidden | Stale:
    if run_of(tx, caller).task_id != task.id:
        return Forbidden(
            f"{caller.name} may write to its own task only, and #{task.id} is not that; "
            "ask a person, or leave a note in your own task"
        )
    return Stale(
        f"cannot {doing} #{task.id}: {caller.name} is not the task's open run any more, so the write is "
        "refused; stop working on it",
        detail={"task": task.id, "status": task.status, "run": caller.run_id},
    )


def _is_token(caller: Caller, run: Run | Holder) -> bool:
    return hmac.compare_digest(run.token.encode(), (caller.token or "").encode())
