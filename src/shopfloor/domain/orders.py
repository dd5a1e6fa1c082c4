"""A work order's words for the life of its task, and the exit status that its end is told with.

| state | the task is |
| --- | --- |
| queued | ready, waiting, or parked before its first attempt |
| running | running |
| retry_scheduled | parked after an attempt |
| completed | done |
| failed | blocked because the board gave up |
| cancelled | cancelled |

An archived order keeps the word of the status that it was archived from.
"""

from __future__ import annotations

from enum import StrEnum

from shopfloor.domain.lifecycle import Outcome, Status
from shopfloor.domain.model import Run, Task

GAVE_UP = "gave_up"
SIGNAL_BASE = 128
# What `timeout`, a shell and an interrupted shell leave with.
TIMED_OUT, NOT_STARTED, CANCELLED, FAILED = 124, 127, 143, 1


class State(StrEnum):
    """The states of a work order."""

    QUEUED = "queued"
    RUNNING = "running"
    RETRY_SCHEDULED = "retry_scheduled"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


_BY_OUTCOME = {
    Outcome.CHECK_FAILED: FAILED,
    Outcome.TIMED_OUT: TIMED_OUT,
    Outcome.SPAWN_FAILED: NOT_STARTED,
}
OVER = frozenset({State.COMPLETED, State.FAILED, State.CANCELLED})
_PLAIN = {
    Status.RUNNING: State.RUNNING,
    Status.DONE: State.COMPLETED,
    Status.CANCELLED: State.CANCELLED,
}


def state_of(task: Task) -> State:
    """The task's status in an order's words."""
    status = Status(task.archived_from or task.status)
    if status is Status.BLOCKED and task.block_kind == GAVE_UP:
        return State.FAILED
    if status is Status.SCHEDULED and task.attempts:
        return State.RETRY_SCHEDULED
    return _PLAIN.get(status, State.QUEUED)


def is_over(task: Task) -> bool:
    """Whether it will not be started any more unless a person says so."""
    return task.archived_from is not None or state_of(task) in OVER


def exit_status(task: Task, last: Run | None) -> int | None:
    """What a shell would say of the order's end; None while it is not over."""
    if not is_over(task):
        return None
    state = state_of(task)
    if state is State.FAILED:
        return FAILED if last is None else _of_attempt(last)
    return 0 if state is State.COMPLETED else CANCELLED


def _of_attempt(last: Run) -> int:
    """The exit status of an attempt that was the last one."""
    if last.outcome in _BY_OUTCOME:
        return _BY_OUTCOME[Outcome(last.outcome)]
    if last.exit_signal is not None:
        return SIGNAL_BASE + last.exit_signal
    return last.exit_code or FAILED
