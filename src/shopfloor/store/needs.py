"""The statements about what waits for a person, whichever table it is kept in."""

from __future__ import annotations

from typing import NamedTuple

from shopfloor.store.db import Tx


class Need(NamedTuple):
    """One thing that waits for a person; `ref` is its question, task, account or `scope:name` of a pause."""

    since: int
    kind: str
    ref: str
    task_id: int | None
    until: int | None
    actor: str | None
    words: str
    options: str
    default_answer: str | None
    title: str | None
    status: str | None
    assignee: str | None
    tenant: str | None
    block_kind: str | None
    workspace: str | None


class Cursor(NamedTuple):
    """Where a page ended."""

    at: int
    kind: str
    ref: str


def listed(
    tx: Tx, *, reviewer: str, kinds: list[str] | None, after: Cursor | None, limit: int
) -> list[Need]:
    """What waits longest first; `reviewer` says whether reviews wait for a `person`."""
    last = after or Cursor(0, "", "")
    rows = tx.all(
        "needs_list",
        reviewer=reviewer,
        kinds=kinds,
        last_at=None if after is None else last.at,
        last_kind=last.kind,
        last_ref=last.ref,
        limit=limit,
        now=tx.now,
    )
    return [Need._make(row) for row in rows]


def counts(tx: Tx, *, reviewer: str) -> dict[str, int]:
    """How many of each kind there are; a kind without any is not named."""
    return {row[0]: row[1] for row in tx.all("needs_counts", reviewer=reviewer, now=tx.now)}
