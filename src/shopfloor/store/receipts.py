"""The statements about receipts: a chain that only grows, and what a receipt is made of.

The end of the chain is one row, and who adds a receipt holds it until its commit: so the chain has no
fork, with several hosts too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from shopfloor.domain.model import Receipt
from shopfloor.store.db import Tx


class Head(NamedTuple):
    """The end of the chain; every run up to `floor` that is over has its receipt."""

    seq: int
    hash: str
    floor: int


class Material(NamedTuple):
    """What the ledger knows of an attempt that is over: what a receipt is made of."""

    run_id: int
    task_id: int
    role: str
    attempt: int
    profile: str | None
    host: str
    workspace: str | None
    session_id: str | None
    outcome: str
    error: str | None
    exit_code: int | None
    exit_signal: int | None
    exit_record: str | None
    claimed_at: int
    started_at: int | None
    ended_at: int
    gone_at: int
    rev: int
    title: str
    body: str
    creator: str
    tenant: str | None
    command: str | None
    check_command: str | None
    created_at: int
    closed_by: str | None
    model: str | None
    input_tokens: int | None
    output_tokens: int | None
    cache_read_tokens: int | None
    cache_write_tokens: int | None
    cost_micros: int | None


class Artifact(NamedTuple):
    """A file that is kept with a task."""

    task_id: int
    run_id: int | None
    name: str
    size: int
    sha256: str
    created_at: int


def head(tx: Tx) -> Head:
    row = tx.one("receipt_head")
    assert row is not None, "a schema step wrote it, and nothing removes it"
    return Head._make(row)


def hold_head(tx: Tx) -> Head:
    """The end of the chain, kept from others until the commit."""
    row = tx.one("receipt_head_lock")
    assert row is not None, "a schema step wrote it, and nothing removes it"
    return Head._make(row)


def move_head(tx: Tx, seq: int, digest: str) -> None:
    tx.run("receipt_head_move", seq=seq, hash=digest)


def raise_floor(tx: Tx, floor: int) -> None:
    """Note that every run up to this one that is over has its receipt."""
    tx.run("receipt_floor_raise", floor=floor)


def add(tx: Tx, receipt: Receipt) -> None:
    tx.put("receipt_add", receipt._asdict())


def get(tx: Tx, seq: int) -> Receipt | None:
    row = tx.one("receipt_get", seq=seq)
    return None if row is None else Receipt._make(row)


def of_run(tx: Tx, run_id: int) -> Receipt | None:
    """The receipt of an attempt; None where it is not over, or its receipt is still to be written."""
    row = tx.one("receipt_of_run", run_id=run_id)
    return None if row is None else Receipt._make(row)


def hashes_of_runs(tx: Tx, run_ids: Sequence[int]) -> dict[int, str]:
    """The hashes of the receipts of these attempts, where they have one."""
    return {row[0]: row[2] for row in tx.all("receipt_of_runs", run_ids=list(run_ids))}


def latest_of_task(tx: Tx, task_id: int) -> Receipt | None:
    row = tx.one("receipt_latest_of_task", task_id=task_id)
    return None if row is None else Receipt._make(row)


def page(tx: Tx, *, after: int, limit: int) -> list[Receipt]:
    """The receipts behind one, oldest first."""
    return [Receipt._make(row) for row in tx.all("receipt_page", after=after, limit=limit)]


def signed(tx: Tx, upto: int) -> Receipt | None:
    """The last receipt up to this one that is signed."""
    row = tx.one("receipt_signed", upto=upto)
    return None if row is None else Receipt._make(row)


def newest(tx: Tx, *, before: int, task_id: int | None, limit: int) -> list[Receipt]:
    """The receipts before one, the newest first."""
    rows = tx.all("receipt_newest", before=before, task_id=task_id, limit=limit)
    return [Receipt._make(row) for row in rows]


def missing(tx: Tx, floor: int, limit: int) -> list[int]:
    """Attempts behind a floor that are over and have no receipt."""
    return [row[0] for row in tx.all("receipt_missing", floor=floor, limit=limit)]


def missing_of_task(tx: Tx, task_id: int) -> list[int]:
    """The same of one task."""
    return [row[0] for row in tx.all("receipt_missing_of_task", task_id=task_id)]


def run_floor(tx: Tx) -> int:
    """The last attempt before the first that is not over."""
    row = tx.one("receipt_run_floor")
    assert row is not None
    return int(row[0])


def leaving(tx: Tx) -> list[int]:
    """Attempts that have ended and whose processes have not all gone."""
    return [row[0] for row in tx.all("receipt_leaving")]


def without(tx: Tx, run_ids: Sequence[int]) -> tuple[list[int], list[int]]:
    """Which of these attempts have ended without a receipt: those that are gone, and those that leave."""
    rows = tx.all("receipt_without", run_ids=list(run_ids))
    return [row[0] for row in rows if row[1]], [row[0] for row in rows if not row[1]]


def ended_after(tx: Tx, event_id: int, limit: int) -> list[tuple[int, int]]:
    """(event, run) of what may have ended attempts after an event."""
    rows = tx.all("receipt_ended_after", after=event_id, limit=limit)
    return [(row[0], row[1]) for row in rows]


def material(tx: Tx, run_ids: Sequence[int]) -> list[Material]:
    """What receipts of these attempts are made of, for those that are over and have none."""
    rows = tx.all("receipt_material", run_ids=list(run_ids))
    return [Material._make(row) for row in rows]


def artifacts(tx: Tx, task_ids: Sequence[int]) -> list[Artifact]:
    """The files of these tasks."""
    rows = tx.all("receipt_artifacts", task_ids=list(task_ids))
    return [Artifact._make(row) for row in rows]
