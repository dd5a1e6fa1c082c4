"""The statements about schedules and their firings, one function each.

The invariant kept here: a due time of a schedule has one row at most (`firing_add`), so it fires once,
whoever tries and however often.
"""

from __future__ import annotations

from typing import NamedTuple

from shopfloor.domain.model import Firing, Schedule
from shopfloor.store.db import Tx

_COLUMNS = len(Firing._fields)


class Fired(NamedTuple):
    """A firing with what became of its task; without a status it has none, or none any more."""

    firing: Firing
    status: str | None
    summary: str | None
    last_error: str | None


def add(tx: Tx, schedule: Schedule) -> int | None:
    """Add a schedule; its number, or None: the name is taken."""
    return tx.insert("schedule_add", schedule._asdict())


def get(tx: Tx, name: str) -> Schedule | None:
    row = tx.one("schedule_get", name=name)
    return None if row is None else Schedule._make(row)


def lock(tx: Tx, name: str) -> Schedule | None:
    """The schedule, nobody else's to fire or change until the transaction ends."""
    row = tx.one("schedule_lock", name=name)
    return None if row is None else Schedule._make(row)


def listed(tx: Tx, *, after: str, limit: int) -> list[Schedule]:
    """Schedules by name, after a name."""
    return [Schedule._make(row) for row in tx.all("schedule_list", after_name=after, limit=limit)]


def due(tx: Tx, limit: int) -> list[Schedule]:
    """What fires now, locked; what another host holds is left out."""
    return [Schedule._make(row) for row in tx.all("schedule_due", now=tx.now, limit=limit)]


def next_at(tx: Tx) -> int | None:
    """When the next schedule fires, also if that time has passed."""
    row = tx.one("schedule_next")
    return None if row is None else row[0]


def ahead(tx: Tx, clock_at: int, limit: int) -> list[Schedule]:
    """Schedules that last fired after a moment, locked."""
    rows = tx.all("schedule_ahead", clock_at=clock_at, limit=limit)
    return [Schedule._make(row) for row in rows]


def put(tx: Tx, schedule: Schedule) -> None:
    """Write what a schedule is now; the caller has locked it."""
    changed = tx.put("schedule_put", schedule._asdict())
    assert changed == 1, "a schedule that is locked stays"


def delete(tx: Tx, schedule_id: int) -> None:
    tx.run("schedule_delete", id=schedule_id)


def begin_firing(
    tx: Tx,
    schedule_id: int,
    due_at: int,
    *,
    outcome: str,
    number: int | None = None,
    times: int = 1,
    by_hand: str | None = None,
    reason: str | None = None,
) -> bool:
    """Write down what becomes of a due time; false: that was decided before."""
    return bool(
        tx.run(
            "firing_add",
            schedule_id=schedule_id,
            due_at=due_at,
            now=tx.now,
            outcome=outcome,
            number=number,
            times=times,
            by_hand=by_hand,
            reason=reason,
        )
    )


def made(tx: Tx, schedule_id: int, due_at: int, task_id: int) -> None:
    tx.run("firing_made", schedule_id=schedule_id, due_at=due_at, task_id=task_id)


def refused(tx: Tx, schedule_id: int, due_at: int, reason: str) -> None:
    tx.run("firing_refused", schedule_id=schedule_id, due_at=due_at, reason=reason)


def history(tx: Tx, schedule_id: int, *, before: int, limit: int) -> list[Fired]:
    """A schedule's firings that were due before a moment, the newest first."""
    rows = tx.all("firing_of_schedule", schedule_id=schedule_id, before=before, limit=limit)
    return [Fired(Firing._make(row[:_COLUMNS]), *row[_COLUMNS:]) for row in rows]


def unfinished(tx: Tx, schedule_id: int, limit: int) -> list[tuple[int, str]]:
    """(task, status) of what a schedule has put on the board and is not over, the newest first."""
    rows = tx.all("firing_unfinished", schedule_id=schedule_id, limit=limit)
    return [(row[0], row[1]) for row in rows]


def beyond(
    tx: Tx, schedule_id: int, *, keep: int, before: int, limit: int
) -> list[tuple[int, int | None, str | None]]:
    """(due, task, status) of firings that are over and not kept any more, the oldest first."""
    rows = tx.all("firing_beyond", schedule_id=schedule_id, keep=keep, before=before, limit=limit)
    return [(row[0], row[1], row[2]) for row in rows]


def drop(tx: Tx, schedule_id: int, due_at: int) -> None:
    """The output of this firing is not kept any more."""
    tx.run("firing_drop", schedule_id=schedule_id, due_at=due_at, now=tx.now)


def dropped(tx: Tx, after: tuple[int, int], limit: int) -> list[tuple[int, int]]:
    """(when, task) of firings whose output is not kept any more, after such a pair."""
    rows = tx.all("firing_dropped", since=after[0], last_task_id=after[1], limit=limit)
    return [(row[0], row[1]) for row in rows]


def overfull(tx: Tx, schedule_id: int, most: int) -> bool:
    """Whether a schedule has more history than so many rows."""
    return tx.one("firing_overfull", schedule_id=schedule_id, most=most) is not None


def forget(tx: Tx, schedule_id: int, most: int) -> None:
    """Forget history beyond its bound."""
    tx.run("firing_forget", schedule_id=schedule_id, most=most)
