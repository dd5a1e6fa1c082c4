"""The statements about comments and attachments."""

from __future__ import annotations

from shopfloor.domain.model import Attachment, Comment
from shopfloor.store.db import Tx


def comment_add(tx: Tx, *, task_id: int, run_id: int | None, author: str, body: str) -> Comment:
    row = tx.one(
        "comment_add", task_id=task_id, run_id=run_id, author=author, body=body, now=tx.now
    )
    assert row is not None
    return Comment._make(row)


def comment_of_task(tx: Tx, task_id: int, *, after: int, limit: int) -> list[Comment]:
    rows = tx.all("comment_of_task", task_id=task_id, after=after, limit=limit)
    return [Comment._make(row) for row in rows]


def pull_mentioned_at(tx: Tx, task_id: int, since: int) -> int | None:
    """When the last comment after the moment linked a pull or merge request, if one did."""
    row = tx.one("comment_pull_mentioned_at", task_id=task_id, since=since)
    return None if row is None else row[0]


def comment_unread_count(tx: Tx, task_id: int, run_id: int) -> int:
    """How many comments of others the worker of a run was not told of."""
    row = tx.one("comment_unread_count", task_id=task_id, run_id=run_id)
    assert row is not None
    return int(row[0])


def comment_unread(tx: Tx, task_id: int, run_id: int, limit: int) -> list[Comment]:
    """The comments of others that the worker of a run was not told of, oldest first."""
    rows = tx.all("comment_unread", task_id=task_id, run_id=run_id, limit=limit)
    return [Comment._make(row) for row in rows]


def comment_told(tx: Tx, run_id: int, comment_id: int) -> None:
    """Nothing up to this comment is news to the worker of the run."""
    tx.run("comment_told", run_id=run_id, comment_id=comment_id)


def comment_told_all(tx: Tx, task_id: int, run_id: int) -> None:
    """All comments that there are go into the context of a new run."""
    tx.run("comment_told_all", task_id=task_id, run_id=run_id)


def attachment_add(
    tx: Tx, *, task_id: int, run_id: int | None, name: str, size: int, sha256: str, creator: str
) -> Attachment:
    row = tx.one(
        "attachment_add",
        task_id=task_id,
        run_id=run_id,
        name=name,
        size=size,
        sha256=sha256,
        creator=creator,
        now=tx.now,
    )
    assert row is not None
    return Attachment._make(row)


def attachment_of_task(tx: Tx, task_id: int) -> list[Attachment]:
    return [Attachment._make(row) for row in tx.all("attachment_of_task", task_id=task_id)]


def attachment_names(tx: Tx, task_id: int) -> frozenset[str]:
    """The names of a task's attachments, whether their files are still there or not."""
    return frozenset(one.name for one in attachment_of_task(tx, task_id))


def attachment_get(tx: Tx, task_id: int, name: str) -> Attachment | None:
    row = tx.one("attachment_get", task_id=task_id, name=name)
    return None if row is None else Attachment._make(row)


def attachment_remove(tx: Tx, task_id: int, name: str) -> bool:
    return tx.run("attachment_remove", task_id=task_id, name=name) == 1
