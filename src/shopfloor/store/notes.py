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


def attachment_get(tx: Tx, task_id: int, name: str) -> Attachment | None:
    row = tx.one("attachment_get", task_id=task_id, name=name)
    return None if row is None else Attachment._make(row)


def attachment_remove(tx: Tx, task_id: int, name: str) -> bool:
    return tx.run("attachment_remove", task_id=task_id, name=name) == 1
