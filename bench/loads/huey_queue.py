"""huey on SQLite: enqueue, take and execute one task that does nothing, one durable commit each.

Runs in the environment of the `huey` package, with its `fsync` option on.  It writes less than a
board: the task's row, its removal, and the result.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from huey import SqliteHuey

from bench.loads.turns import options, serve, through


def nothing() -> bool:
    """The work; a result must not be None, or nothing is stored."""
    return True


def main() -> None:
    """Serve turns."""
    queue = SqliteHuey(filename=options()["path"], fsync=True)
    work = queue.task()(nothing)

    def life() -> Iterator[None]:
        result = work()
        yield
        task = queue.dequeue()
        assert task is not None, "the task that was enqueued is not there"
        yield
        queue.execute(task)
        assert result.get() is True, "the task left no result"
        yield

    def turn(request: dict[str, Any]) -> dict[str, Any]:
        return through(life, request["seconds"])

    serve(turn)


if __name__ == "__main__":
    main()
