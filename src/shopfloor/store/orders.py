"""The statements about work orders: tasks with a command of their own, and where that command runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from shopfloor.domain.model import Run, Runtime, Task
from shopfloor.store.db import Tx

_TASK_COLUMNS = len(Task._fields)


class OrderRow(NamedTuple):
    """An order with its last attempt; an order that never ran has none."""

    task: Task
    run_id: int | None
    outcome: str | None
    exit_code: int | None
    exit_signal: int | None
    run_ended_at: int | None


def page(tx: Tx, *, before: int, limit: int, **filters: object) -> list[OrderRow]:
    """The newest orders below a number that match the filters."""
    rows = tx.all("order_page", before=before, limit=limit, **filters)
    return [OrderRow(Task._make(row[:_TASK_COLUMNS]), *row[_TASK_COLUMNS:]) for row in rows]


def last_attempt(tx: Tx, task_id: int) -> Run | None:
    """The newest attempt of a worker; what a person did by hand is none."""
    row = tx.one("order_last_attempt", task_id=task_id)
    return None if row is None else Run._make(row)


def running(tx: Tx) -> list[Run]:
    """The open attempts of all orders."""
    return [Run._make(row) for row in tx.all("order_running")]


def runtime(tx: Tx, task_id: int) -> Runtime | None:
    """What a task itself says about where it runs."""
    row = tx.one("runtime_get", task_id=task_id)
    return None if row is None else Runtime._make(row)


def put_runtime(tx: Tx, given: Runtime) -> None:
    tx.run("runtime_put", **given._asdict())


def runtimes(tx: Tx, tasks: Sequence[int]) -> dict[int, Runtime]:
    """The runtimes of those of the tasks that have one."""
    if not tasks:
        return {}
    rows = tx.all("runtime_of", tasks=json.dumps(list(tasks)))
    return {row[0]: Runtime._make(row) for row in rows}
