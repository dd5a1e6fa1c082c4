"""Bare sqlite3: the rows that one life of a task leaves, written by hand in three commits.

The recording (`recording.py`) says which rows create, claim and complete insert and which columns
they change; here these become parametrised statements on a copy of the same migrated file, with the
board's own settings for its writing connection.  Nothing is read, checked, encoded or decided: it is
the floor that a board with rules is measured against.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.loads.turns import options, serve, through

STATEMENTS_CACHED = 512


def main() -> None:
    """Serve turns."""
    chosen = options()
    recording = json.loads(Path(chosen["recording"]).read_text(encoding="utf-8"))
    connection = sqlite3.connect(
        chosen["path"], isolation_level=None, cached_statements=STATEMENTS_CACHED
    )
    connection.executescript(recording["settings"])
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",), "no write-ahead log"
    name, written = f"bare-{os.getpid()}", 0
    steps = [[statement(change) for change in step] for step in recording["steps"]]

    def life() -> Iterator[None]:
        nonlocal written
        ids: dict[str, Any] = {}
        for step in steps:
            connection.execute("BEGIN IMMEDIATE")
            for sql, values, makes in step:
                written += 1
                ids["unique"] = f"{name}-{written}"
                parameters = [ids[v["ref"]] if isinstance(v, dict) else v for v in values]
                cursor = connection.execute(sql, parameters)
                if makes is not None:
                    ids[makes] = cursor.lastrowid
            connection.execute("COMMIT")
            yield

    def turn(request: dict[str, Any]) -> dict[str, Any]:
        return through(life, request["seconds"])

    serve(turn)


def statement(change: dict[str, Any]) -> tuple[str, list[Any], str | None]:
    """The SQL of one recorded change, its parameters, and the name of the row that it makes."""
    table, columns = change["table"], list(change["values"])
    values = list(change["values"].values())
    if change["row"] is None:
        places = ", ".join("?" * len(columns))
        sql = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})"
        return sql, values, change["makes"]
    settings = ", ".join(f"{column} = ?" for column in columns)
    return f"UPDATE {table} SET {settings} WHERE rowid = ?", [*values, change["row"]], None


if __name__ == "__main__":
    main()
