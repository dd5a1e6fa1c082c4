"""How an attempt that gave no verdict of its own is judged: two pure functions.

`classify` looks at what the supervisor wrote down, what an agent's runner reported and the profile's
kind, and names the outcome; `judge` says from the outcome, the task's counters and the limits what happens to the task, and the
counters after it.  The same functions serve work and review, commands and agents, so that no place in
the program can disagree with another about what counts as a failure.  Exit code 75 is EX_TEMPFAIL of
sysexits.h: "later".
"""

from __future__ import annotations

from collections.abc import Callable
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
PAUSES_PROFILE = frozenset({Outcome.AUTH_FAILED, Outcome.PERMISSION_REFUSED})
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


class Usage(NamedTuple):
    """What an attempt used so far; a cost that its program does not tell is unknown."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cost_micros: int | None = None

    @property
    def tokens(self) -> int:
        """The tokens that count to a limit: what was read from a cache is not among them."""
        return self.input_tokens + self.output_tokens + self.cache_write_tokens


class Report(NamedTuple):
    """What an agent's runner left of its attempt; `ending` is one of `ENDINGS`, or None."""

    ending: str | None = None
    sentence: str | None = None
    reset_at: int | None = None
    next: str | None = None
    text: str | None = None
    session_id: str | None = None
    model: str | None = None
    turns: int = 0
    reminders: int = 0
    usage: Usage = Usage()


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


class Sign(NamedTuple):
    """What an exit record may show, the outcome that it stands for, and the sentence that says so."""

    seen: Callable[[Exit], bool]
    outcome: Outcome
    sentence: str


# What was done to the worker from outside goes before all that it says of itself: what a stopped worker's
# exit status was, for one, proves nothing any more.
# fmt: off
CUT_OFF = (
    Sign(lambda e: e.never_started,             Outcome.RECLAIMED,    "the worker was never started"),
    Sign(lambda e: e.guard_refused is not None, Outcome.SUPERSEDED,   "{guard_refused}"),
    Sign(lambda e: e.spawn_error is not None,   Outcome.SPAWN_FAILED, "{spawn_error}"),
    Sign(lambda e: e.timed_out,                 Outcome.TIMED_OUT,    "the maximum runtime was reached"),
    Sign(lambda e: e.fenced,                    Outcome.RECLAIMED,    "the lease was not renewed in time, so the worker was stopped"),
    Sign(lambda e: e.stopped,                   Outcome.RECLAIMED,    "the worker was stopped from outside"),
)
# Then comes what an agent's runner reported, and then how the process ended.
SIGNS = (
    Sign(lambda e: e.lost,                      Outcome.CRASHED,      "the supervisor vanished without an exit record"),
    Sign(lambda e: e.signal is not None,        Outcome.CRASHED,      "the worker was killed by signal {signal}"),
    Sign(lambda e: e.exit_code == EX_TEMPFAIL,  Outcome.RATE_LIMITED, "the worker asked to be run later (exit status 75)"),
)


class Ending(NamedTuple):
    """The outcome of an ending that an agent's runner reports, and the sentence where it gave none."""

    outcome: Outcome
    sentence: str


ENDINGS: dict[str, Ending] = {
    "no_verdict":         Ending(Outcome.PROTOCOL_VIOLATION, "the agent left without saying how the task ended"),
    "rate_limited":       Ending(Outcome.RATE_LIMITED,       "the provider's rate limit was reached"),
    "quota":              Ending(Outcome.RATE_LIMITED,       "the provider's quota is used up"),
    "busy":               Ending(Outcome.RATE_LIMITED,       "the provider was overloaded"),
    "auth_failed":        Ending(Outcome.AUTH_FAILED,        "the provider refused the login"),
    "permission_refused": Ending(Outcome.PERMISSION_REFUSED, "the agent's own policy refused what it needed"),
    "context_overflow":   Ending(Outcome.FAILED,             "the conversation grew larger than the model takes"),
    "turn_limit":         Ending(Outcome.TIMED_OUT,          "the agent used up its turns"),
    "goal_budget_spent":  Ending(Outcome.GOAL_BUDGET_SPENT,  "all goal turns were used and the goal is not reached"),
    "crashed":            Ending(Outcome.CRASHED,            "the agent's program crashed"),
    "failed":             Ending(Outcome.FAILED,             "the agent's program failed"),
    "spawn_failed":       Ending(Outcome.SPAWN_FAILED,       "the agent's program could not be started"),
}
# fmt: on


def classify(
    seen: Exit, *, is_command: bool, report: Report | None = None
) -> tuple[Outcome, str | None]:
    """The outcome that an exit record stands for, with one sentence on what happened.

    A plain command's exit status is its verdict.  Of an agent an exit status proves nothing: what its
    runner reported goes first, and leaving with 0 is no verdict.
    """
    for sign in CUT_OFF:
        if sign.seen(seen):
            return sign.outcome, sign.sentence.format(**seen._asdict())
    ending = None if report is None or is_command else ENDINGS.get(report.ending or "")
    if ending is not None and report is not None:
        sentence = report.sentence or ending.sentence
        helps = report.next if ending.outcome in PAUSES_PROFILE else None
        return ending.outcome, f"{sentence}; next: {helps}" if helps else sentence
    for sign in SIGNS:
        if sign.seen(seen):
            return sign.outcome, sign.sentence.format(**seen._asdict())
    if seen.exit_code != 0:
        who = "command" if is_command else "agent"
        return Outcome.FAILED, f"the {who} ended with exit status {seen.exit_code}"
    if is_command:
        return Outcome.COMPLETED, None
    missing = ENDINGS["no_verdict"]
    return missing.outcome, missing.sentence


class Case(NamedTuple):
    """An ended attempt as it is judged; `retry_in_ms` is the wait that a provider named."""

    outcome: Outcome
    error: str | None
    before: Counters
    bounds: Limits
    retry_in_ms: int | None = None


def judge(case: Case) -> Judgement:
    """What follows from an outcome.

    Protocol violations and stale runs count in a row: an outcome of another kind ends the row, but a
    rate limit says nothing about violations.  Failures are forgotten by a success or a person only.
    """
    return _JUDGES.get(case.outcome, _released)(case)


def _completed(case: Case) -> Judgement:
    return Judgement(case.outcome, Next.COMPLETE, Counters())


def _released(case: Case) -> Judgement:
    after = case.before._replace(violations=0, stale_streak=0)
    return Judgement(case.outcome, Next.RELEASE, after, case.error)


def _failed(case: Case) -> Judgement:
    after = Counters(failures=case.before.failures + 1)
    if after.failures >= case.bounds.failures:
        last = case.error or case.outcome
        attempts = (
            "1 failed attempt" if after.failures == 1 else f"{after.failures} failed attempts"
        )
        reason = f"gave up after {attempts}; the last one: {last}"
        return _given_up(case, after, "gave_up", reason)
    wait_ms = case.bounds.backoff_ms
    following = Next.RELEASE if wait_ms is None else Next.RETRY_LATER
    return Judgement(case.outcome, following, after, case.error, wait_ms=wait_ms)


def _goal_spent(case: Case) -> Judgement:
    after = Counters(failures=case.before.failures + 1)
    reason = case.error or ENDINGS["goal_budget_spent"].sentence
    return _given_up(case, after, "needs_input", reason)


def _rate_limited(case: Case) -> Judgement:
    rounds = case.before.quota_rounds + 1
    after = case.before._replace(quota_rounds=rounds, stale_streak=0)
    if rounds >= case.bounds.quota_rounds:
        reason = f"{rounds} rounds ended in a rate limit without progress"
        return _given_up(case, after, "capability", reason)
    wait_ms = case.bounds.cooldown_ms if case.retry_in_ms is None else case.retry_in_ms
    return Judgement(case.outcome, Next.RELEASE, after, case.error, wait_ms=wait_ms)


def _stale(case: Case) -> Judgement:
    streak = case.before.stale_streak + 1
    after = case.before._replace(stale_streak=streak, violations=0)
    if streak >= case.bounds.stale:
        reason = f"{streak} attempts in a row gave no sign of life"
        return _given_up(case, after, "capability", reason)
    return Judgement(case.outcome, Next.RELEASE, after, case.error)


def _violated(case: Case) -> Judgement:
    streak = case.before.violations + 1
    after = case.before._replace(violations=streak, stale_streak=0, quota_rounds=0)
    if streak >= case.bounds.violations:
        reason = f"{streak} attempts in a row ended without a verdict"
        return _given_up(case, after, "gave_up", reason)
    return Judgement(case.outcome, Next.RELEASE, after, case.error)


def _given_up(case: Case, after: Counters, kind: str, reason: str) -> Judgement:
    return Judgement(case.outcome, Next.GIVE_UP, after, case.error, kind, reason)


_JUDGES: dict[Outcome, Callable[[Case], Judgement]] = {
    Outcome.COMPLETED: _completed,
    Outcome.RATE_LIMITED: _rate_limited,
    Outcome.STALE: _stale,
    Outcome.PROTOCOL_VIOLATION: _violated,
    Outcome.GOAL_BUDGET_SPENT: _goal_spent,
    **dict.fromkeys(COUNTED, _failed),
}


def backoff_ms(base_ms: int, attempt: int, *, factor: float = 2.0, max_ms: int = 3_600_000) -> int:
    """The wait before the attempt after the n-th failure: base, then `factor` times as long each time."""
    try:
        return int(min(base_ms * factor ** max(attempt - 1, 0), max_ms))
    except OverflowError:
        return max_ms
