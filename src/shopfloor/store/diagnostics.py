"""The statements behind a diagnosis: whole sets of rows, never one task at a time."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from shopfloor.store.db import Tx

NEWEST = 20
DELIVERIES = 1_000


class Suspect(NamedTuple):
    """An open task that something may be wrong with, and its open run."""

    id: int
    rev: int
    title: str
    status: str
    phase: str
    lane: str
    skills: str
    changed_at: int
    failures_work: int
    failures_review: int
    violations: int
    block_kind: str | None
    block_reason: str | None
    last_error: str | None
    max_runtime_ms: int | None
    run_id: int | None
    host: str | None
    profile: str | None
    lease_until: int | None
    run_since: int | None
    heartbeat_at: int | None


class Said(NamedTuple):
    """A block, an unblock, a reviewer's sending back, or a person's word on a task."""

    kind: str
    at: int


class DeadParent(NamedTuple):
    """A task that is waited for and will not be done by itself."""

    id: int
    status: str
    archived_from: str | None


class Troubled(NamedTuple):
    """A message that did not arrive."""

    id: int
    target: str
    state: str
    error: str
    created_at: int
    subscription: int | None


def suspects(
    tx: Tx,
    *,
    sound: Collection[str],
    ready_before: int,
    todo_before: int,
    repeated: int,
    changes: int,
    since: int,
) -> list[Suspect]:
    """The open tasks of the board that a rule may find something about."""
    rows = tx.all(
        "diagnosis_open",
        sound=list(sound),
        ready_before=ready_before,
        todo_before=todo_before,
        repeated_count=repeated,
        changes_count=changes,
        since=since,
    )
    return [Suspect._make(row) for row in rows]


def of_tasks(tx: Tx, task_ids: Collection[int]) -> list[Suspect]:
    """The open ones among these tasks."""
    return [Suspect._make(row) for row in tx.all("diagnosis_of", tasks=list(task_ids))]


def turns(tx: Tx, task_ids: Collection[int], since: int) -> dict[int, list[Said]]:
    """What turned tasks round and what people said, by task, in the order of the events."""
    found: dict[int, list[Said]] = {}
    for task_id, kind, at in tx.all("diagnosis_turns", tasks=list(task_ids), since=since):
        found.setdefault(task_id, []).append(Said(kind, at))
    return found


def dead_parents(tx: Tx, task_ids: Collection[int]) -> dict[int, list[DeadParent]]:
    """What these tasks wait for in vain, by task."""
    found: dict[int, list[DeadParent]] = {}
    for child, *parent in tx.all("diagnosis_dead_parents", tasks=list(task_ids)):
        found.setdefault(child, []).append(DeadParent._make(parent))
    return found


def troubled(tx: Tx) -> list[Troubled]:
    """Messages that did not arrive, the newest first; not those of targets that have got a later one."""
    found = [Troubled._make(row) for row in tx.all("diagnosis_troubled", limit=DELIVERIES)]
    if not found:
        return found
    arrived = {row[0]: row[1] for row in tx.all("diagnosis_arrived", limit=DELIVERIES)}
    return [one for one in found if one.id > arrived.get(one.target, 0)]


def waiting_work(tx: Tx) -> tuple[int, int | None]:
    """How many tasks only a dispatcher moves on, and since when the first of them waits."""
    row = tx.one("diagnosis_work", now=tx.now)
    assert row is not None
    return row[0], row[1]


def newest_time(tx: Tx) -> int | None:
    """The latest time among those that the board wrote last."""
    row = tx.one("diagnosis_newest", limit=NEWEST)
    assert row is not None
    found: int | None = row[0]
    return found
