"""Forget what is old: events of ended tasks, each replaced by one snapshot that tells the status; messages."""

from __future__ import annotations

from typing import NamedTuple

from shopfloor.domain.caller import Caller
from shopfloor.domain.lifecycle import ENDED, Status
from shopfloor.kernel.load import load
from shopfloor.store import deliveries, events, tasks
from shopfloor.store.db import Tx

DAY_MS = 86_400_000


class Pruned(NamedTuple):
    """What one step of forgetting did, and where the next one begins."""

    tasks: int
    events: int


def prune_events(tx: Tx, caller: Caller, days: int, limit: int) -> Pruned:
    """Forget the events of ended tasks that are older than so many days; a bounded step."""
    before = tx.now - days * DAY_MS
    pruned, gone = 0, 0
    for task_id in tasks.retained(tx, before, limit):
        task = load(tx, task_id)
        if task.status not in (*ENDED, Status.ARCHIVED):
            continue
        removed = events.prune(tx, task_id, before)
        if removed == 0:
            continue
        pruned, gone = pruned + 1, gone + removed
        events.append(
            tx,
            "snapshot",
            task_id=task_id,
            status=task.status,
            actor=caller.name,
            data={"pruned": removed},
        )
    return Pruned(pruned, gone)


def prune_deliveries(tx: Tx, days: int) -> int:
    """Forget the messages that ended more than so many days ago."""
    return deliveries.prune(tx, tx.now - days * DAY_MS)
