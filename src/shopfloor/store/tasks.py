"""The statements about tasks, one function each: rows come out as `Task`.

The invariant kept here: a task's status changes through `apply` alone, and only if nobody was first
(`rev`).  What the change should be is the kernel's business.
"""

from __future__ import annotations

from operator import itemgetter
from typing import Any

from shopfloor.domain.model import Task
from shopfloor.store.db import Tx

# The lane of commands that nobody is assigned to; the column is made by the database.
COMMAND_LANE = "!"
# What a new task has of itself; a test compares with the row.
_NEW: dict[str, Any] = {
    "rev": 1,
    "phase": "work",
    **dict.fromkeys(("attempts", "failures_work", "failures_review", "violations"), 0),
    **dict.fromkeys(("stale_streak", "quota_rounds", "loop_count"), 0),
    **dict.fromkeys(("forced_at", "decomposed_at", "current_run", "loop_kind", "archived_from")),
    **dict.fromkeys(("last_error", "summary", "result", "metadata")),
    **dict.fromkeys(("started_at", "ended_at", "succeeded_at")),
}
_row_of = itemgetter(*Task._fields)


def insert(tx: Tx, **columns: Any) -> Task | None:
    """Add a task; None: an unarchived task holds its idempotency key."""
    now = tx.now
    lane = columns["assignee"] or ("" if columns["command"] is None else COMMAND_LANE)
    columns.update(_NEW, lane=lane, created_at=now, changed_at=now, touched_at=now, now=now)
    columns["id"] = tx.insert("task_insert", columns)
    return None if columns["id"] is None else Task._make(_row_of(columns))


def get(tx: Tx, task_id: int) -> Task | None:
    row = tx.one("task_get", id=task_id)
    return None if row is None else Task._make(row)


def lock(tx: Tx, task_id: int) -> Task | None:
    """The task, nobody else's to change until the transaction ends."""
    row = tx.one("task_lock", id=task_id)
    return None if row is None else Task._make(row)


def lock_of_run(tx: Tx, run_id: int) -> Task | None:
    """The task of a run, nobody else's to change until the transaction ends."""
    row = tx.one("task_lock_of_run", run_id=run_id)
    return None if row is None else Task._make(row)


def by_key(tx: Tx, key: str) -> Task | None:
    """The unarchived task that holds an idempotency key."""
    row = tx.one("task_by_key", key=key)
    return None if row is None else Task._make(row)


def apply(tx: Tx, task: Task, changes: dict[str, object]) -> Task | None:
    """Write changes of a task's state and answer with it; None if somebody was first."""
    row = task._asdict() | changes
    row["rev"] = task.rev + 1
    # The names stand in the order of the columns, and a change has no name that is not among them.
    return Task._make(row.values()) if tx.put("task_apply", row) == 1 else None


def edit(tx: Tx, task: Task) -> bool:
    """Write what a person may rewrite; false if somebody was first.  `task.rev` is what was read."""
    return tx.put("task_edit", task._asdict()) == 1


def delete(tx: Tx, task: Task) -> bool:
    return tx.run("task_delete", id=task.id, rev=task.rev) == 1


def listed(
    tx: Tx, *, last_priority: int, last_id: int, limit: int, **filters: object
) -> list[Task]:
    """Tasks in the default order (priority, then age) after the cursor."""
    rows = tx.all("task_list", last_priority=last_priority, last_id=last_id, limit=limit, **filters)
    return [Task._make(row) for row in rows]


def listed_sorted(tx: Tx, *, sort: str, skip: int, limit: int, **filters: object) -> list[Task]:
    """Tasks in one of the other orders."""
    rows = tx.all("task_list_sorted", sort=sort, skip=skip, limit=limit, **filters)
    return [Task._make(row) for row in rows]


def lanes(tx: Tx, status: str) -> list[str]:
    return [str(row[0]) for row in tx.all("task_lanes", status=status)]


def look(tx: Tx, status: str, lane: str, limit: int) -> list[Task]:
    """The first tasks of a lane that may start."""
    rows = tx.all("task_look", status=status, lane=lane, now=tx.now, limit=limit)
    return [Task._make(row) for row in rows]


def pick(tx: Tx, status: str, lane: str, limit: int) -> list[Task]:
    """The same, locked; those that another host holds are left out."""
    rows = tx.all("task_pick", status=status, lane=lane, now=tx.now, limit=limit)
    return [Task._make(row) for row in rows]


def queued(tx: Tx, status: str, lane: str, limit: int) -> list[Task]:
    """All that waits in a lane, locked; what another host holds is left out."""
    rows = tx.all("task_queued", status=status, lane=lane, limit=limit)
    return [Task._make(row) for row in rows]


def held(tx: Tx, limit: int) -> list[tuple[int, str, str, str]]:
    """(task, lane, code, reason) of queued tasks that a pause or a guard of their own holds back."""
    rows = tx.all("task_held", now=tx.now, limit=limit)
    return [(row[0], row[1], row[2], row[3]) for row in rows]


def leaving(tx: Tx, limit: int) -> list[tuple[int, int]]:
    """(task, run) of queued tasks whose earlier attempt still has a living process."""
    return [(row[0], row[1]) for row in tx.all("task_leaving", limit=limit)]


def unassigned(tx: Tx, limit: int) -> list[Task]:
    return [Task._make(row) for row in tx.all("task_unassigned", limit=limit)]


def due(tx: Tx, limit: int) -> list[int]:
    return [row[0] for row in tx.all("task_due", now=tx.now, limit=limit)]


def next_due(tx: Tx) -> int | None:
    """When the next parked task comes due, or a queued one may start again."""
    row = tx.one("task_next_due", now=tx.now)
    return None if row is None else row[0]


def todo_after(tx: Tx, after: int, limit: int) -> list[int]:
    return [row[0] for row in tx.all("task_todo_after", after=after, limit=limit)]


def wrongly_ready(tx: Tx, limit: int) -> list[int]:
    return [row[0] for row in tx.all("task_wrongly_ready", limit=limit)]


def counts(tx: Tx) -> dict[str, int]:
    return {row[0]: row[1] for row in tx.all("task_counts")}


def counts_by_lane(tx: Tx) -> list[tuple[str, str, int]]:
    return [(row[0], row[1], row[2]) for row in tx.all("task_counts_by_lane")]


def oldest_ready(tx: Tx) -> int | None:
    row = tx.one("task_oldest_ready")
    return None if row is None else row[0]


def progress(tx: Tx, task_id: int) -> tuple[int, int]:
    """How many tasks came from this one, and how many of them are done."""
    row = tx.one("task_progress", id=task_id)
    assert row is not None
    return row[0], row[1]


def forget_origin(tx: Tx, task_id: int) -> None:
    tx.run("task_forget_origin", id=task_id)


def retained(tx: Tx, before: int, limit: int) -> list[int]:
    return [row[0] for row in tx.all("task_retained", before=before, limit=limit)]
