"""The statements about the limits of tasks: what all attempts of one may use together."""

from __future__ import annotations

from shopfloor.domain.model import Budget
from shopfloor.store.db import Tx


def get(tx: Tx, task_id: int) -> Budget | None:
    row = tx.one("budget_get", task_id=task_id)
    return None if row is None else Budget._make(row)


def put(tx: Tx, budget: Budget) -> None:
    tx.run("budget_put", **budget._asdict())


def drop(tx: Tx, task_id: int) -> None:
    """Let a task use what it likes."""
    tx.run("budget_drop", task_id=task_id)
