"""The statements about questions to a model: one row a question, written before it is asked."""

from __future__ import annotations

from typing import NamedTuple

from shopfloor.store.db import Tx


class Planning(NamedTuple):
    """A question about a task: of which kind, about which text, and how it ended, if it did."""

    id: int
    task_id: int
    verb: str
    digest: str
    actor: str
    at: int
    outcome: str | None
    error: str | None
    input_tokens: int | None
    output_tokens: int | None


def add(tx: Tx, *, task_id: int, verb: str, digest: str, actor: str) -> int:
    """Write down that a question is about to be asked; answers its number."""
    row = tx.one("planning_add", task_id=task_id, verb=verb, digest=digest, actor=actor, now=tx.now)
    assert row is not None, "an insert answers with its row"
    return int(row[0])


def end(
    tx: Tx, number: int, outcome: str, *, error: str | None, input_tokens: int, output_tokens: int
) -> None:
    """Write down how a question ended, and what it cost."""
    tx.run(
        "planning_end",
        id=number,
        outcome=outcome,
        error=error,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
    )


def of(tx: Tx, task_id: int, verb: str) -> list[Planning]:
    """The questions of a kind about a task, the oldest first."""
    return [Planning._make(row) for row in tx.all("planning_of", task_id=task_id, verb=verb)]


def last(tx: Tx, task_id: int) -> Planning | None:
    """The newest question about a task."""
    row = tx.one("planning_last", task_id=task_id)
    return None if row is None else Planning._make(row)


def wanted(tx: Tx, limit: int) -> list[tuple[int, int]]:
    """The ideas in triage that no model was asked about since a person last touched them, and when that was."""
    return [(int(row[0]), int(row[1])) for row in tx.all("planning_wanted", limit=limit)]
