"""The statements behind the board's cards: counts, pages of a column, and everything that cards show, in sets.

A page has as many cards as it has; the number of statements is always the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from shopfloor.domain.model import Hold
from shopfloor.store import tasks
from shopfloor.store.db import Tx

FIRST_WINDOW = 1_000


class Looked(NamedTuple):
    """What tasks are looked for; None: whatever it is."""

    lane: str | None = None
    tenant: str | None = None
    text: str | None = None


class Live(NamedTuple):
    """The run of a task that is open, or whose last process is still leaving."""

    id: int
    attempt: int
    role: str
    profile: str | None
    host: str
    pid: int | None
    claimed_at: int
    started_at: int | None
    heartbeat_at: int | None
    note: str | None
    checking: bool


class CardRow(NamedTuple):
    """What a card shows of a task."""

    id: int
    title: str
    status: str
    phase: str
    assignee: str | None
    lane: str
    priority: int
    tenant: str | None
    is_order: bool
    changed_at: int
    moved_at: int | None
    not_before: int | None
    attempts: int
    failures: int
    block_kind: str | None
    block_reason: str | None
    last_error: str | None
    loop_count: int
    archived_from: str | None
    forced: bool
    decomposed: bool
    workspace: str
    branch: str | None
    progress_total: int
    progress_done: int
    cost_micros: int | None
    comments: int
    attachments: int
    questions: int
    open_parents: int
    limited: bool
    live: Live | None

    @property
    def since(self) -> int:
        """When it came into its status, in milliseconds."""
        if self.status == "running" and self.live is not None:
            return self.live.started_at or self.live.claimed_at
        return self.moved_at or self.changed_at


class Asked(NamedTuple):
    """The last question to a model about a task; without an outcome it is under way."""

    task_id: int
    outcome: str | None
    error: str | None


def counts(tx: Tx, looked: Looked, statuses: Sequence[str]) -> dict[str, int]:
    """How many tasks each of these statuses has, of those that are looked for; without words, each of all."""
    if looked == Looked():
        return tasks.counts(tx)
    return dict(tx.all("card_counts", statuses=list(statuses), **looked._asdict()))


def column(
    tx: Tx, status: str, looked: Looked, *, after: tuple[int, int], limit: int
) -> list[tuple[int, int]]:
    """A page of a status by priority and age, as (id, priority); `after` is the last (priority, id)."""
    last = {"status": status, "last_priority": after[0], "last_id": after[1], "limit": limit}
    if looked == Looked():
        return [(row[0], row[1]) for row in tx.all("card_column_of_all", **last)]
    return [(row[0], row[1]) for row in tx.all("card_column", **last, **looked._asdict())]


def ended(
    tx: Tx, status: str, looked: Looked, *, after: tuple[int, int], limit: int
) -> list[tuple[int, int]]:
    """A page of a status, what ended last first, as (id, the event that ended it); `after` is the last (event, id).

    It looks at every task of the status; `ended_lately` does not.
    """
    last = {"status": status, "last_event_id": after[0], "last_id": after[1], "limit": limit}
    return [(row[0], row[1]) for row in tx.all("card_ended", **last, **looked._asdict())]


def ended_lately(tx: Tx, status: str, *, before: int, limit: int) -> list[tuple[int, int]]:
    """The same where the tasks of a status are many, so that the latest events have a page of them.

    Events are read backwards in windows that grow, from the one given; every task that is over has the event
    that ended it, or the snapshot that was written when older ones were forgotten.
    """
    found: list[tuple[int, int]] = []
    window = FIRST_WINDOW
    while len(found) < limit and before > 1:
        start = max(1, before - window)
        rows = tx.all(
            "card_ended_lately",
            status=status,
            before=before,
            since=start,
            limit=limit - len(found),
        )
        found += [(row[0], row[1]) for row in rows]
        before, window = start, window * 2
    return found


def found(tx: Tx, ids: list[int], looked: Looked) -> dict[int, str]:
    """Those of these tasks that are looked for, each with its status."""
    return dict(tx.all("card_found", ids=ids, **looked._asdict()))


def rows(tx: Tx, ids: list[int]) -> dict[int, CardRow]:
    """The cards of these tasks, of those that are there."""
    width = len(CardRow._fields) - 1
    found = {}
    for row in tx.all("card_rows", ids=ids):
        live = None if row[width] is None else Live._make(row[width:])
        found[row[0]] = CardRow._make((*row[:width], live))
    return found


def open_parents(tx: Tx, ids: list[int]) -> list[tuple[int, int, bool]]:
    """What these tasks wait for, as (child, parent, whether that will not finish by itself)."""
    return [(child, parent, bool(dead)) for child, parent, dead in tx.all("card_parents", ids=ids)]


def holds(tx: Tx, ids: list[int]) -> list[Hold]:
    """The pauses and guards of the board, of all lanes, and of these tasks."""
    return [Hold._make(row) for row in tx.all("card_holds", ids=ids)]


def planned(tx: Tx, ids: list[int]) -> list[Asked]:
    """What models were asked about these tasks last."""
    return [Asked._make(row) for row in tx.all("card_planning", ids=ids)]
