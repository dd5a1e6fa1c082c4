"""The statements about holds: why something does not start, one row a reason."""

from __future__ import annotations

from shopfloor.domain.model import Hold
from shopfloor.store.db import Tx


def put(
    tx: Tx, scope: str, name: str, code: str, *, reason: str, actor: str, until: int | None = None
) -> bool:
    """Write a hold; false: an equal one was there, and nothing changed."""
    return (
        tx.run(
            "hold_put",
            scope=scope,
            name=name,
            code=code,
            until=until,
            reason=reason,
            actor=actor,
            now=tx.now,
        )
        == 1
    )


def drop(tx: Tx, scope: str, name: str, code: str) -> bool:
    return tx.run("hold_drop", scope=scope, name=name, code=code) == 1


def drop_all(tx: Tx, scope: str, name: str) -> int:
    """Drop what the board itself wrote; a person's pause stays."""
    return tx.run("hold_drop_all", scope=scope, name=name)


def drop_expired(tx: Tx) -> int:
    """Forget what ended by itself."""
    return tx.run("hold_drop_expired", now=tx.now)


def drop_task(tx: Tx, task_id: int) -> None:
    tx.run("hold_drop_task", name=str(task_id))


def of(tx: Tx, scope: str, name: str) -> list[Hold]:
    return [Hold._make(row) for row in tx.all("hold_of", scope=scope, name=name)]


def everything(tx: Tx) -> list[Hold]:
    return [Hold._make(row) for row in tx.all("hold_all")]
