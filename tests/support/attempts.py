"""Attempts at a command on a board of the kernel's tests: begun, tried again, ended as something."""

from typing import Any

from shopfloor.domain.lifecycle import Outcome
from shopfloor.domain.outcomes import Exit
from shopfloor.kernel.settle import end_as

COMMAND = {"argv": ["true"]}
CHECKED = {"command": COMMAND, "check": ["make", "test"]}
FAILED = Exit(exit_code=1)
OK = Exit(exit_code=0)


def order(board: Any, **args: Any) -> tuple[int, int]:
    """A work order that is running, and its run."""
    task = board.create(**{"command": COMMAND, **args})
    return task, again(board, task)


def again(board: Any, task: int) -> int:
    """The next attempt at the task."""
    [one] = [claimed for claimed in board.start() if claimed.task.id == task]
    return int(one.run_id)


def end(
    board: Any, run: int, outcome: Outcome, error: str = "it is so", *, gone: bool = True
) -> Any:
    """End a run as the board itself does; whether its supervisor is gone."""
    settings = board.settings
    return board.write(lambda tx: end_as(tx, settings, run, outcome, error=error, gone=gone))
