"""How every verb begins: lock the task, find its run, see whether the caller holds it."""

from __future__ import annotations

import hmac

from shopfloor.domain.caller import Caller
from shopfloor.domain.errors import Forbidden, NotFound
from shopfloor.domain.lifecycle import By
from shopfloor.domain.model import Run, Task
from shopfloor.store import runs, tasks
from shopfloor.store.db import Tx


def load(tx: Tx, task_id: int) -> Task:
    """The task, locked until the transaction ends; raises NotFound."""
    task = tasks.lock(tx, task_id)
    if task is None:
        raise NotFound(f"there is no task #{task_id}; `shop list` shows what there is")
    return task


def current_run(tx: Tx, task: Task) -> Run | None:
    """The run that a running task names."""
    return None if task.current_run is None else runs.get(tx, task.current_run)


def holds_run(caller: Caller, run: Run | None) -> bool:
    """Whether the caller's credentials are those of the open run: the fencing of every worker's write."""
    return (
        run is not None
        and run.ended_at is None
        and caller.run_id == run.id
        and hmac.compare_digest(run.token, caller.token or "")
    )


def own_task_only(tx: Tx, caller: Caller, task_id: int) -> None:
    """A worker's token opens its own task and no other; raises Forbidden."""
    if caller.by is not By.WORKER:
        return
    run = runs.get(tx, caller.run_id or 0)
    if (
        run is None
        or run.task_id != task_id
        or not hmac.compare_digest(run.token, caller.token or "")
    ):
        raise Forbidden(
            f"{caller.name} may write to its own task only, and #{task_id} is not that; "
            "ask a person, or leave a note in your own task"
        )
