"""What one life of a task writes: found by comparing the whole database before and after each step.

So the bare peer writes the same rows as the board, whatever the board's schema has become.  Numbers
that the database gives (a task's, a run's) and the request ids, which are unique, become references.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

STEPS = ("create", "claim", "complete")
REFERENCES = {"task_id": "task", "run_id": "run", "current_run": "run"}
# Rows that others refer to are made first.
FIRST = ("run", "task")

Rows = dict[tuple[str, int], dict[str, Any]]


def record(database: Path, step: Callable[[str], object]) -> list[list[dict[str, Any]]]:
    """Have a life lived step by step, and answer with what each step changed."""
    steps = []
    before = rows(database)
    for name in STEPS:
        step(name)
        after = rows(database)
        steps.append(changes(before, after))
        before = after
    return steps


def changes(before: Rows, after: Rows) -> list[dict[str, Any]]:
    """The rows that were inserted (`row` is None) and the columns of those that were updated."""
    assert before.keys() <= after.keys(), "a life of a task is not expected to delete rows"
    found: list[dict[str, Any]] = []
    for (table, number), values in after.items():
        earlier = before.get((table, number))
        if earlier is None:
            # The database numbers the row itself.
            given = {c: v for c, v in values.items() if not (c in ("id", "seq") and v == number)}
            makes: str | None = table if table in FIRST else None
            found.append({"table": table, "row": None, "makes": makes, "values": referring(given)})
        elif values != earlier:
            changed = {column: v for column, v in values.items() if v != earlier[column]}
            row: object = {"ref": table} if table in FIRST else number
            found.append({"table": table, "row": row, "makes": None, "values": referring(changed)})
    return sorted(found, key=order)


def referring(values: dict[str, Any]) -> dict[str, Any]:
    """The values, with references where each life has its own."""
    named = {**REFERENCES, "id": "unique"}
    return {
        column: {"ref": named[column]} if column in named and value is not None else value
        for column, value in values.items()
    }


def order(change: dict[str, Any]) -> int:
    """The place of a change among those of its step."""
    return FIRST.index(change["table"]) if change["table"] in FIRST else len(FIRST)


def rows(database: Path) -> Rows:
    """Every row of a small database, by its table and row number; generated columns left out."""
    found: Rows = {}
    address = f"{database.as_uri()}?mode=ro"
    with contextlib.closing(sqlite3.connect(address, uri=True)) as connection:
        connection.execute("BEGIN")
        listed = connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        )
        for (table,) in listed.fetchall():
            columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            for row in connection.execute(f"SELECT rowid, {', '.join(columns)} FROM {table}"):
                found[table, row[0]] = dict(zip(columns, row[1:], strict=True))
    return found


def copy(database: Path, target: Path) -> None:
    """Copy a database that others may have open."""
    address = f"{database.as_uri()}?mode=ro"
    with (
        contextlib.closing(sqlite3.connect(address, uri=True)) as source,
        contextlib.closing(sqlite3.connect(target)) as made,
    ):
        source.backup(made)
