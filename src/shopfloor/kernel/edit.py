"""Rewrite what a task says and whom it is for; every change is one event that names the fields."""

from __future__ import annotations

from shopfloor.domain.caller import Caller
from shopfloor.domain.errors import Conflict, WrongStatus
from shopfloor.domain.lifecycle import Status
from shopfloor.domain.model import Task
from shopfloor.kernel.apply import settle_queue
from shopfloor.kernel.load import load
from shopfloor.store import events, holds, tasks
from shopfloor.store.db import Tx

SHOWN = 200


def edit(
    tx: Tx,
    caller: Caller,
    task_id: int,
    fields: dict[str, object],
    *,
    reset_failures: bool = False,
) -> Task:
    """Change fields of a task; nothing changed is no event.  `fields` names columns of the row."""
    task = load(tx, task_id)
    if task.status == Status.ARCHIVED:
        raise WrongStatus(f"cannot edit #{task_id}: it is archived; unarchive it first")
    changed = {name: value for name, value in fields.items() if getattr(task, name) != value}
    said: dict[str, object] = {name: _short(value) for name, value in changed.items()}
    if reset_failures:
        changed.update(
            failures_work=0, failures_review=0, violations=0, stale_streak=0, quota_rounds=0
        )
        said["failures"] = 0
    if not changed:
        return task
    after = task._replace(**changed, changed_at=tx.now, touched_at=tx.now)  # type: ignore[arg-type]
    if not tasks.edit(tx, after):
        raise Conflict(f"#{task_id} was changed by somebody else at the same moment; try again")
    kind = "assigned" if set(said) == {"assignee"} else "edited"
    events.append(tx, kind, task_id=task_id, run_id=caller.run_id, actor=caller.name, data=said)
    holds.drop_all(tx, "task", str(task_id))
    if "start_after" in changed:
        settle_queue(tx, task_id)
    return load(tx, task_id)


def _short(value: object) -> object:
    return value[:SHOWN] if isinstance(value, str) else value
