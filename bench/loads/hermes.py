"""Hermes Agent's kanban kernel: create, claim and complete through its own functions.

Runs in the environment of the `hermes-agent` package.  Its connection makes every commit durable by
itself (WAL, synchronous FULL).  After each commit it opens and closes the database file to compare
sizes, which drops the locks that the process holds on it; with several writing processes the file is
lost within seconds, so `"check": false` replaces that check by nothing.  Alone it may stay on.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from typing import Any

from bench.loads.turns import options, serve, through


def main() -> None:
    """Serve turns; with `"connection": "each"` every call opens and closes one, as its tools do."""
    chosen = options()
    os.environ["HERMES_HOME"] = chosen["home"]
    # Its home is read when it is loaded.
    from hermes_cli import kanban_db  # noqa: PLC0415

    if not chosen["check"]:
        kanban_db._check_file_length_invariant = lambda _connection: None  # noqa: SLF001
    kept = kanban_db.connect() if chosen["connection"] == "kept" else None
    created: list[str] = []
    completed: list[str] = []

    def connection() -> contextlib.AbstractContextManager[sqlite3.Connection]:
        return kanban_db.connect_closing() if kept is None else contextlib.nullcontext(kept)

    def life() -> Iterator[None]:
        with connection() as at:
            number = kanban_db.create_task(at, title="A task of the benchmark", assignee="worker")
        created.append(number)
        yield
        with connection() as at:
            claimed = kanban_db.claim_task(at, number)
        assert claimed is not None, f"{number} could not be claimed"
        yield
        with connection() as at:
            done = kanban_db.complete_task(
                at, number, summary="done", expected_run_id=claimed.current_run_id
            )
        assert done, f"{number} could not be completed"
        completed.append(number)
        yield

    def turn(request: dict[str, Any]) -> dict[str, Any]:
        created.clear()
        completed.clear()
        if "tasks" in request:
            with connection() as at:
                for number in range(request["tasks"]):
                    kanban_db.create_task(at, title=f"Task {number}", assignee="worker")
            return {}
        answer = through(life, request["seconds"], forgiving=request.get("forgiving", False))
        return {**answer, "created": created, "completed": completed}

    serve(turn)


if __name__ == "__main__":
    main()
