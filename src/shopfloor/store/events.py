"""The statements about events: appended last in their transaction, read in the order of the commits."""

from __future__ import annotations

import json

from shopfloor.domain.model import Event
from shopfloor.store.db import Tx

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def append(
    tx: Tx,
    kind: str,
    *,
    task_id: int | None,
    run_id: int | None = None,
    status: str | None = None,
    actor: str,
    data: dict[str, object] | None = None,
) -> None:
    """Add an event; `status` is the task's status from now on, where the event changed it."""
    tx.defer(
        "event_append",
        task_id=task_id,
        run_id=run_id,
        kind=kind,
        status=status,
        actor=actor,
        at=tx.now,
        data=_encode(data) if data else "{}",
    )


def of_task(tx: Tx, task_id: int, *, after: int, limit: int) -> list[Event]:
    rows = tx.all("event_of_task", task_id=task_id, after=after, limit=limit)
    return [Event._make(row) for row in rows]


def latest_of_task(tx: Tx, task_id: int, limit: int) -> list[Event]:
    """The newest events of a task first."""
    return [
        Event._make(row) for row in tx.all("event_latest_of_task", task_id=task_id, limit=limit)
    ]


def after(
    tx: Tx,
    after_id: int,
    *,
    limit: int,
    kinds: str | None = None,
    task_id: int | None = None,
    assignee: str | None = None,
    tenant: str | None = None,
) -> list[Event]:
    """The board's events after a cursor; `kinds` is a JSON list."""
    rows = tx.all(
        "event_after",
        after=after_id,
        limit=limit,
        kinds=kinds,
        task_id=task_id,
        assignee=assignee,
        tenant=tenant,
    )
    return [Event._make(row) for row in rows]


def last_id(tx: Tx) -> int:
    row = tx.one("event_last_id")
    assert row is not None
    return int(row[0])


def count_of_kind(tx: Tx, task_id: int, kind: str, after_id: int = 0) -> int:
    row = tx.one("event_count_of_kind", task_id=task_id, kind=kind, after=after_id)
    assert row is not None
    return int(row[0])


def prune(tx: Tx, task_id: int, before: int) -> int:
    return tx.run("event_prune", task_id=task_id, before=before)
