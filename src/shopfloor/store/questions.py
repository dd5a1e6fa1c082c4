"""The statements about questions of workers: open until answered, or closed because nobody waits any more."""

from __future__ import annotations

from shopfloor.domain.model import Question
from shopfloor.store.db import Tx


def add(
    tx: Tx,
    *,
    task_id: int,
    run_id: int | None,
    kind: str,
    body: str,
    options: str,
    default_answer: str | None,
    deadline: int | None,
    asked_by: str,
) -> Question:
    row = tx.one(
        "question_add",
        task_id=task_id,
        run_id=run_id,
        kind=kind,
        body=body,
        options=options,
        default_answer=default_answer,
        deadline=deadline,
        asked_by=asked_by,
        now=tx.now,
    )
    assert row is not None
    return Question._make(row)


def get(tx: Tx, question_id: int) -> Question | None:
    row = tx.one("question_get", id=question_id)
    return None if row is None else Question._make(row)


def of_task(tx: Tx, task_id: int, limit: int) -> list[Question]:
    """A task's questions, the newest first."""
    rows = tx.all("question_of_task", task_id=task_id, limit=limit)
    return [Question._make(row) for row in rows]


def open_of_task(tx: Tx, task_id: int) -> list[Question]:
    """The questions of a task that wait for an answer, oldest first."""
    return [Question._make(row) for row in tx.all("question_open_of_task", task_id=task_id)]


def listed(
    tx: Tx, *, everyone: bool, task_id: int | None, before: int, limit: int
) -> list[Question]:
    """The board's questions, the newest first; `everyone`: those too that wait for nobody."""
    rows = tx.all(
        "question_list", everyone=int(everyone), task_id=task_id, before=before, limit=limit
    )
    return [Question._make(row) for row in rows]


def due(tx: Tx, limit: int) -> list[Question]:
    """Open questions whose deadline has passed."""
    return [Question._make(row) for row in tx.all("question_due", now=tx.now, limit=limit)]


def next_deadline(tx: Tx) -> int | None:
    """When the next open question is answered by its default, also if that time has passed."""
    row = tx.one("question_next_deadline")
    return None if row is None else row[0]


def answer(tx: Tx, question_id: int, text: str, by: str) -> bool:
    """Answer a question; false: it was answered or closed before."""
    return tx.run("question_answer", id=question_id, answer=text, answered_by=by, now=tx.now) == 1


def close(tx: Tx, task_id: int, by: str) -> int:
    """Close the open questions of a task that goes on, or ends, without their answers."""
    return tx.run("question_close", task_id=task_id, answered_by=by, now=tx.now)
