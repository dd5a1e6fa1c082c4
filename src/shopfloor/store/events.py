"""The statements about events: appended last in their transaction, read in the order of the commits."""

from __future__ import annotations

import json
from collections.abc import Collection

from shopfloor.domain.events import NOTIFIABLE
from shopfloor.domain.limits import NOTICE_GATHER_MS
from shopfloor.domain.model import Event
from shopfloor.domain.notices import first_words
from shopfloor.store import deliveries
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
    if kind in NOTIFIABLE and task_id is not None:
        words = first_words(data) if data else ""
        deliveries.fan_out(
            tx, task_id=task_id, kind=kind, words=words, due=tx.now + NOTICE_GATHER_MS
        )


def data_of(event: Event) -> dict[str, object]:
    """What an event carries."""
    found: dict[str, object] = json.loads(event.data)
    return found


def of_task(
    tx: Tx, task_id: int, *, after: int, limit: int, kinds: list[str] | None = None
) -> list[Event]:
    """A task's events after a cursor, oldest first."""
    rows = tx.all("event_of_task", task_id=task_id, after=after, kinds=kinds, limit=limit)
    return [Event._make(row) for row in rows]


def latest_of_task(tx: Tx, task_id: int, limit: int, kinds: list[str] | None = None) -> list[Event]:
    """The newest events of a task first."""
    rows = tx.all("event_latest_of_task", task_id=task_id, kinds=kinds, limit=limit)
    return [Event._make(row) for row in rows]


def rounds_of_review(tx: Tx, task_id: int, acts: Collection[str], board: str) -> int:
    """How often reviewers have sent a task back since a person did one of these acts, which the board does too."""
    row = tx.one("event_rounds_of_review", task_id=task_id, kinds=list(acts), board=board)
    assert row is not None
    return int(row[0])


def after(
    tx: Tx,
    after_id: int,
    *,
    limit: int,
    kinds: list[str] | None = None,
    assignee: str | None = None,
    tenant: str | None = None,
) -> list[Event]:
    """The board's events after a cursor, oldest first."""
    rows = tx.all(
        "event_after", after=after_id, limit=limit, kinds=kinds, assignee=assignee, tenant=tenant
    )
    return [Event._make(row) for row in rows]


def latest(
    tx: Tx,
    *,
    limit: int,
    kinds: list[str] | None = None,
    assignee: str | None = None,
    tenant: str | None = None,
) -> list[Event]:
    """The board's newest events first."""
    rows = tx.all("event_latest", limit=limit, kinds=kinds, assignee=assignee, tenant=tenant)
    return [Event._make(row) for row in rows]


def last_id(tx: Tx) -> int:
    row = tx.one("event_last_id")
    assert row is not None
    return int(row[0])


def prune(tx: Tx, task_id: int, before: int) -> int:
    return tx.run("event_prune", task_id=task_id, before=before)
