"""The statements that look back: which runs were there in a window, and what a window's figures are.

Runs and tasks have no index of times, because it would be paid for at each claim.  Their numbers grow with
time, so the number at which a window begins is found by halving, in some twenty steps through the
primary key, and what is read from there on is compared with the window exactly.
"""

from __future__ import annotations

from typing import NamedTuple

from shopfloor.store.db import Tx


class PastRun(NamedTuple):
    """An attempt, and what came before it."""

    id: int
    task_id: int
    title: str
    role: str
    attempt: int
    profile: str | None
    host: str
    pid: int | None
    pending: str | None
    outcome: str | None
    error: str | None
    claimed_at: int
    started_at: int | None
    ended_at: int | None
    gone_at: int | None
    is_order: bool
    queued_at: int | None
    earlier: int | None


class EndedRuns(NamedTuple):
    """How many runs ended in a slot with the same outcome and profile, and how long they took together."""

    slot: int
    outcome: str
    by_hand: bool
    profile: str
    many: int
    took_ms: int


class Spent(NamedTuple):
    """What the runs of a profile used in a slot; `tokens` are those that count to a limit."""

    slot: int
    profile: str
    runs: int
    tokens: int
    cached_tokens: int
    cost_micros: int


def first_run(tx: Tx, since: int) -> int:
    """The number of the first run that was claimed at that time or later."""
    return _halve(tx, "history_last_run", "history_run_at", since)


def first_task(tx: Tx, since: int) -> int:
    """The number of the first task that was created at that time or later."""
    return _halve(tx, "history_last_task", "history_task_at", since)


def _halve(tx: Tx, last: str, at: str, since: int) -> int:
    row = tx.one(last)
    assert row is not None
    low, high = 1, int(row[0]) + 1
    while low < high:
        middle = (low + high) // 2
        found = tx.one(at, id=middle)
        if found is None or found[0] >= since:
            high = middle
        else:
            low = middle + 1
    return low


def runs(
    tx: Tx,
    *,
    first_id: int,
    since: int,
    until: int,
    before: int,
    profile: str | None,
    host: str | None,
    limit: int,
) -> list[PastRun]:
    """The attempts of workers that were there in a window, the newest first."""
    rows = tx.all(
        "history_runs",
        first_id=first_id,
        since=since,
        until=until,
        before=before,
        profile=profile,
        host=host,
        limit=limit,
    )
    return [PastRun._make(row)._replace(is_order=bool(row[15])) for row in rows]


def ends(tx: Tx, ids: list[int]) -> dict[int, tuple[str | None, int | None]]:
    """The outcome and the end of some runs."""
    return {row[0]: (row[1], row[2]) for row in tx.all("history_ends", ids=ids)}


def ended(tx: Tx, *, first_id: int, since: int, until: int, slot_ms: int) -> list[EndedRuns]:
    rows = tx.all("history_ended", first_id=first_id, since=since, until=until, slot_ms=slot_ms)
    return [EndedRuns._make(row)._replace(by_hand=bool(row[2])) for row in rows]


def created(tx: Tx, *, first_id: int, since: int, until: int, slot_ms: int) -> dict[int, int]:
    """How many tasks were put on the board, by slot."""
    rows = tx.all("history_created", first_id=first_id, since=since, until=until, slot_ms=slot_ms)
    return {row[0]: row[1] for row in rows}


def spent(tx: Tx, *, since: int, until: int, slot_ms: int) -> list[Spent]:
    rows = tx.all("history_spent", since=since, until=until, slot_ms=slot_ms)
    return [Spent._make(row) for row in rows]
