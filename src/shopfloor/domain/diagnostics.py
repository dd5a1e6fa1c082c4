"""What a diagnosis says: findings with their severity, and the steps that end them.

`CODES` is the list of everything that can be found, with the words of the guide; a finding of another
code is a mistake, and a test makes each of them really happen.  `STUCK_MS` says how long a task may
stand in a status; the colours of the dashboard follow the same figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

from shopfloor.domain.lifecycle import Status

Severity = Literal["warning", "error"]

MINUTE: Final = 60_000
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

# After how long a task in a status is a warning, and after how long an error.
STUCK_MS: Final[Mapping[Status, tuple[int, int]]] = MappingProxyType(
    {
        Status.RUNNING: (10 * MINUTE, 60 * MINUTE),
        Status.READY: (HOUR, DAY),
        Status.REVIEW: (HOUR, DAY),
        Status.BLOCKED: (HOUR, DAY),
        Status.TODO: (7 * DAY, 30 * DAY),
        Status.TRIAGE: (7 * DAY, 30 * DAY),
    }
)
CYCLES: Final = 3
REVIEW_ROUNDS: Final = 5
CYCLE_WINDOW_MS: Final = DAY
REPEATED: Final = 2
CLOCK_MOVED_MS: Final = MINUTE
DISK_FREE_LEAST: Final = 512 * 1024 * 1024
DISK_FREE_LOW: Final = 2 * 1024 * 1024 * 1024
PROFILES_NAMED: Final = 3

CODES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "no_dispatcher": "Work waits, and no dispatcher is running.",
        "deliveries_failing": "Messages to a target do not arrive; once one was given up it is an error.",
        "hook_failing": "A hook of this host failed when it was run last.",
        "disk_nearly_full": "The disk of the home has less than 2 GB left; below 512 MB it is an error.",
        "clock_moved": "The clock was moved while `shop up` was running, or stands before what was written.",
        "unassigned": "A ready task is for nobody, and there is no default assignee.",
        "unknown_profile": "A task is for a profile that this host does not have.",
        "missing_skills": "A task does not name the skills that its profile asks for.",
        "dependency_dead": "A task waits for one that was cancelled, archived or given up.",
        "stale_claim": "A running task's claim is over, and nobody looks after it.",
        "repeated_failures": "Two or more attempts in a row failed, or the task was given up.",
        "repeated_violations": "Two or more attempts in a row ended without a verdict.",
        "block_cycle": "A task was blocked and unblocked three times in a day, and nobody wrote why.",
        "review_cycle": "Reviewers sent a task back five times in a day, and no person wrote anything.",
        "stuck": "Nothing has happened to a task for too long.",
    }
)


class Circumstances(NamedTuple):
    """What of this host a diagnosis looks at.

    `clock_shift_ms` is how far the clock has moved since the board was opened, beside the passing of time.
    """

    disk: str
    disk_free: int
    clock_shift_ms: int = 0


class Step(NamedTuple):
    """One thing to do.

    `command` is the whole command line; the same is asked by `op` with `args`, where it is a question to
    the board.  `asks` names the argument that only a person knows and that is missing from `args`; in the
    command it stands as a word in capitals.  `ends`: when it was done, the finding is over.
    """

    title: str
    command: str
    op: str | None = None
    args: Mapping[str, object] = MappingProxyType({})
    asks: str | None = None
    ends: bool = True


class Advice(NamedTuple):
    """A finding in words: what is wrong, and what to do."""

    sentence: str
    steps: tuple[Step, ...]
