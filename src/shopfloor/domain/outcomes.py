"""How an attempt that gave no verdict of its own is judged: one pure function.

`judge` looks at what the supervisor wrote down, the profile's kind, the task's counters and the limits,
and answers with the outcome, what happens to the task, and the counters after it.  The same function
serves work and review, commands and agents, so that no place in the program can disagree with
another about what counts as a failure.  Exit code 75 is EX_TEMPFAIL of sysexits.h: "later".
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from shopfloor.domain import limits
from shopfloor.domain.lifecycle import Outcome

EX_TEMPFAIL = 75

COUNTED = frozenset(
    {
        Outcome.CHECK_FAILED,
        Outcome.FAILED,
        Outcome.CRASHED,
        Outcome.TIMED_OUT,
        Outcome.SPAWN_FAILED,
    }
)
WORKERS_OWN = frozenset(
    {
        Outcome.COMPLETED,
        Outcome.REVIEW_REQUESTED,
        Outcome.CHANGES_REQUESTED,
        Outcome.BLOCKED,
        Outcome.DEPENDENCY_WAIT,
    }
)


class Next(StrEnum):
    """Where a judged attempt leaves its task."""

    COMPLETE = "complete"
    RELEASE = "release"
    RETRY_LATER = "retry_later"
    GIVE_UP = "give_up"


class Exit(NamedTuple):
    """What the supervisor saw of an attempt's end; `lost` means that it left no record at all."""

    lost: bool = False
    never_started: bool = False
    spawn_error: str | None = None
    exit_code: int | None = None
    signal: int | None = None
    timed_out: bool = False
    stopped: bool = False
    fenced: bool = False
    guard_refused: str | None = None


class Counters(NamedTuple):
    """The streaks of a task that end in a block when they grow too long."""

    failures: int = 0
    violations: int = 0
    stale_streak: int = 0
    quota_rounds: int = 0


class Limits(NamedTuple):
    """Where the streaks end, and how long a retry waits."""

    failures: int = limits.FAILURE_LIMIT
    violations: int = limits.PROTOCOL_VIOLATION_LIMIT
    stale: int = limits.STALE_LIMIT
    quota_rounds: int = limits.QUOTA_ROUNDS_LIMIT
    cooldown_ms: int = limits.RATE_LIMIT_COOLDOWN_MS
    backoff_ms: int | None = None


class Judgement(NamedTuple):
    """An outcome and all that follows from it; `wait_ms` is None where the task may start at once."""

    outcome: Outcome
    next: Next
    counters: Counters
    error: str | None = None
    block_kind: str | None = None
    block_reason: str | None = None
    wait_ms: int | None = None


def resolve_failure_limit(task: int | None, profile: int | None, board: int | None) -> int:
    """The one order in which the failure limit is looked up: task, profile, board, default."""
    for limit in (task, profile, board):
        if limit is not None:
            return limit
    return limits.FAILURE_LIMIT


def classify(seen: Exit, *, is_command: bool) -> tuple[Outcome, str | None]:
    """The outcome that an exit record stands for, with one sentence on what happened."""
    if seen.never_started:
        return Outcome.RECLAIMED, "the worker was never started"
    if seen.guard_refused is not None:
        return Outcome.SUPERSEDED, seen.guard_refused
    if seen.spawn_error is not None:
        return Outcome.SPAWN_FAILED, seen.spawn_error
    if seen.lost:
        return Outcome.CRASHED, "the supervisor vanished without an exit record"
    if seen.timed_out:
        return Outcome.TIMED_OUT, "the maximum runtime was reached"
    if seen.fenced:
        return Outcome.RECLAIMED, "the lease was not renewed in time, so the worker was stopped"
    if seen.stopped:
        return Outcome.RECLAIMED, "the worker was stopped from outside"
    if seen.signal is not None:
        return Outcome.CRASHED, f"the worker was killed by signal {seen.signal}"
    if seen.exit_code == EX_TEMPFAIL:
        return Outcome.RATE_LIMITED, "the worker asked to be run later (exit status 75)"
    if seen.exit_code == 0:
        if is_command:
            return Outcome.COMPLETED, None
        return Outcome.PROTOCOL_VIOLATION, "the agent left without saying how the task ended"
    return Outcome.FAILED, f"the command ended with exit status {seen.exit_code}"


def judge(
    seen: Exit, counters: Counters, bounds: Limits, *, is_command: bool, retry_at: int | None = None
) -> Judgement:
    """What becomes of an attempt that ended without a verdict of its own."""
    outcome, error = classify(seen, is_command=is_command)
    return judge_outcome(outcome, error, counters, bounds, retry_at=retry_at)


def judge_outcome(
    outcome: Outcome,
    error: str | None,
    counters: Counters,
    bounds: Limits,
    *,
    retry_at: int | None = None,
) -> Judgement:
    """What follows from an outcome; `retry_at` is a wait in milliseconds that the provider named."""
    if outcome is Outcome.COMPLETED:
        return Judgement(outcome, Next.COMPLETE, Counters())
    if outcome is Outcome.RATE_LIMITED:
        return _rate_limited(error, counters, bounds, retry_at)
    if outcome is Outcome.STALE:
        return _stale(error, counters, bounds)
    if outcome is Outcome.PROTOCOL_VIOLATION:
        return _violation(error, counters, bounds)
    if outcome is Outcome.GOAL_BUDGET_SPENT:
        settled = counters._replace(failures=counters.failures + 1, violations=0, stale_streak=0)
        reason = "all goal turns were used and the goal is not reached"
        return Judgement(outcome, Next.GIVE_UP, settled, error, "needs_input", reason)
    if outcome in COUNTED:
        return _failure(outcome, error, counters, bounds)
    return Judgement(outcome, Next.RELEASE, counters, error)


def _failure(outcome: Outcome, error: str | None, before: Counters, bounds: Limits) -> Judgement:
    after = Counters(failures=before.failures + 1)
    if after.failures >= bounds.failures:
        reason = f"gave up after {after.failures} failed attempts; the last one: {error or outcome}"
        return Judgement(outcome, Next.GIVE_UP, after, error, "gave_up", reason)
    if bounds.backoff_ms is not None:
        return Judgement(outcome, Next.RETRY_LATER, after, error, wait_ms=bounds.backoff_ms)
    return Judgement(outcome, Next.RELEASE, after, error)


def _rate_limited(
    error: str | None, before: Counters, bounds: Limits, retry_at: int | None
) -> Judgement:
    after = before._replace(quota_rounds=before.quota_rounds + 1, stale_streak=0)
    if after.quota_rounds >= bounds.quota_rounds:
        reason = f"{after.quota_rounds} rounds ended in a rate limit without progress"
        return Judgement(Outcome.RATE_LIMITED, Next.GIVE_UP, after, error, "capability", reason)
    wait_ms = bounds.cooldown_ms if retry_at is None else retry_at
    return Judgement(Outcome.RATE_LIMITED, Next.RELEASE, after, error, wait_ms=wait_ms)


def _stale(error: str | None, before: Counters, bounds: Limits) -> Judgement:
    after = before._replace(stale_streak=before.stale_streak + 1, violations=0)
    if after.stale_streak >= bounds.stale:
        reason = f"{after.stale_streak} attempts in a row gave no sign of life"
        return Judgement(Outcome.STALE, Next.GIVE_UP, after, error, "capability", reason)
    return Judgement(Outcome.STALE, Next.RELEASE, after, error)


def _violation(error: str | None, before: Counters, bounds: Limits) -> Judgement:
    after = before._replace(violations=before.violations + 1, stale_streak=0, quota_rounds=0)
    if after.violations >= bounds.violations:
        reason = f"{after.violations} attempts in a row ended without a verdict"
        return Judgement(Outcome.PROTOCOL_VIOLATION, Next.GIVE_UP, after, error, "gave_up", reason)
    return Judgement(Outcome.PROTOCOL_VIOLATION, Next.RELEASE, after, error)


def backoff_ms(base_ms: int, attempt: int, *, factor: float = 2.0, max_ms: int = 3_600_000) -> int:
    """The wait before the attempt after the n-th failure: base, then `factor` times as long each time."""
    return int(min(base_ms * factor ** max(attempt - 1, 0), max_ms))
