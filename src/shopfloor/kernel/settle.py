"""Close runs: by the supervisor's record, by a lease that ran out, by a start that failed.

Settling is idempotent by run: a run that was closed before (a verdict, an operator's verb) only learns
here that its processes are gone.  A worker's pending verdict stands whatever its process did after it.
What an end means is decided by `domain/outcomes.py` alone.
"""

from __future__ import annotations

import json
from enum import StrEnum
from typing import NamedTuple

from shopfloor.domain import limits
from shopfloor.domain.caller import BOARD
from shopfloor.domain.lifecycle import By, Outcome, Verb
from shopfloor.domain.model import Run, Task
from shopfloor.domain.outcomes import (
    PAUSES_PROFILE,
    Case,
    Counters,
    Exit,
    Judgement,
    Limits,
    Next,
    Report,
    backoff_ms,
    classify,
    judge,
    resolve_failure_limit,
)
from shopfloor.domain.settings import Profile, Settings
from shopfloor.kernel.apply import Change, apply, facts_for
from shopfloor.kernel.decide import decide
from shopfloor.kernel.quota import account_of_run, hit
from shopfloor.kernel.usage import keep_report
from shopfloor.store import events, holds, runs, tasks
from shopfloor.store.db import Tx


class Settlement(StrEnum):
    """What a settling did."""

    CLOSED = "closed"  # the run ended here
    GONE = "gone"  # it had ended before, and its processes are gone now
    CHECK = "check"  # the worker has left, and its task's check must run next
    KNOWN = "known"  # nothing new


class Settled(NamedTuple):
    """The answer of a settling, for the pass's report."""

    run_id: int
    task_id: int
    settlement: Settlement
    outcome: Outcome | None = None
    gave_up: bool = False


class Ended(NamedTuple):
    """What is known of an attempt's end: the facts, and the supervisor's record as it was written.

    `note` is the end of a check's output, `report` what an agent's runner left.
    """

    seen: Exit
    record: str | None = None
    note: str | None = None
    report: Report | None = None


def settle(tx: Tx, settings: Settings, run_id: int, ended: Ended) -> Settled:
    """Close a run whose worker has left and left nothing behind."""
    run, task = _load(tx, run_id)
    account = account_of_run(settings, task, run)
    keep_report(tx, run, ended.report, account)
    if run.ended_at is not None:
        return _gone(tx, run, ended)
    # A runner's report comes from an agent, also where its profile has gone from the settings meanwhile.
    by_status = ended.report is None and is_command(task, run, settings)
    outcome, error = classify(ended.seen, is_command=by_status, report=ended.report)
    if run.pending is not None or (outcome is Outcome.COMPLETED and task.check_command is not None):
        if run.pending is None:
            runs.pending(tx, run.id, "{}")
        _keep_exit(tx, run, ended)
        return Settled(run.id, task.id, Settlement.CHECK)
    case = _case(outcome, error, task, run, settings=settings)
    judgement = judge(_told_when(tx, case, ended.report))
    _keep_exit(tx, run, ended)
    settled = _close(tx, run, task, judgement)
    if outcome is Outcome.RATE_LIMITED:
        _park(tx, case._replace(error=error), run, account, report=ended.report)
    return settled


def _told_when(tx: Tx, case: Case, report: Report | None) -> Case:
    """The case with what the report knows of a rate limit: when it ends, and whether work was done before."""
    if report is None or case.outcome is not Outcome.RATE_LIMITED:
        return case
    if report.usage.output_tokens:
        case = case._replace(before=case.before._replace(quota_rounds=0))
    return case._replace(retry_in_ms=retry_in_ms(tx.now, report, case.bounds.cooldown_ms))


def _park(tx: Tx, case: Case, run: Run, account: str | None, *, report: Report | None) -> None:
    """Let all tasks of the run's account wait; a provider that is only busy is no limit of the account."""
    if account is None or (report is not None and report.ending == "busy"):
        return
    until = tx.now + retry_in_ms(tx.now, report or Report(), case.bounds.cooldown_ms)
    hit(tx, run, account, until=until, reason=case.error or "its quota is used up")


def retry_in_ms(now: int, report: Report, cooldown_ms: int) -> int:
    """How long to wait after a rate limit: until the provider's own time, if that can be believed."""
    if report.reset_at is not None and now < report.reset_at <= now + limits.RESET_AHEAD_MS_MAX:
        return report.reset_at - now
    return limits.BUSY_WAIT_MS if report.ending == "busy" else cooldown_ms


def settle_check(tx: Tx, settings: Settings, run_id: int, ended: Ended) -> Settled:
    """Let the task's check decide between done and one more attempt; `ended.note` is its output's end.

    A check that was cut off from outside has decided nothing: it runs again, and the work does not.
    """
    run, task = _load(tx, run_id)
    if run.ended_at is not None:
        return _gone(tx, run, ended)
    if was_cut_off(ended.seen):
        return Settled(run.id, task.id, Settlement.CHECK)
    passed = ended.seen.exit_code == 0 and not ended.seen.timed_out
    outcome = Outcome.COMPLETED if passed else Outcome.CHECK_FAILED
    error = None if passed else _check_sentence(ended)
    return _close(tx, run, task, judge(_case(outcome, error, task, run, settings=settings)))


def was_cut_off(seen: Exit) -> bool:
    """Whether a process was ended by its surroundings, so that its end says nothing about its work."""
    return seen.lost or seen.never_started or seen.stopped or seen.fenced


def _check_sentence(ended: Ended) -> str:
    seen = ended.seen
    if seen.timed_out:
        how = "did not end in time"
    elif seen.spawn_error is not None:
        how = f"could not be started: {seen.spawn_error}"
    elif seen.signal is not None:
        how = f"was killed by signal {seen.signal}"
    else:
        how = f"ended with exit status {seen.exit_code}"
    tail = f"\n{ended.note}" if ended.note else ""
    return f"the check {how}{tail}"


def end_as(
    tx: Tx, settings: Settings, run_id: int, outcome: Outcome, *, error: str, gone: bool
) -> Settled:
    """Close an open run with an outcome that the board itself found: stale, say, or reclaimed.

    `gone` says whether no process of it lives; otherwise the dispatcher stops what does.
    """
    run, task = _load(tx, run_id)
    if run.ended_at is not None:
        if gone and run.gone_at is None:
            return _gone(tx, run, Ended(Exit(lost=True)))
        return Settled(run.id, task.id, Settlement.KNOWN)
    judgement = judge(_case(outcome, error, task, run, settings=settings))
    return _close(tx, run, task, judgement, gone=gone)


def is_command(task: Task, run: Run, settings: Settings) -> bool:
    """Whether the exit status of the run's worker is its verdict."""
    if task.command is not None and run.role == "worker":
        return True
    profile = settings.profiles.get(run.profile or "")
    return profile is None or profile.kind == "command"


def bounds(task: Task, run: Run, settings: Settings) -> Limits:
    """The limits that hold for an attempt: the task's own, then its profile's, then the board's."""
    profile = settings.profiles.get(run.profile or "")
    failures = resolve_failure_limit(
        task.max_attempts,
        None if profile is None else profile.failure_limit,
        settings.dispatch.failure_limit,
    )
    usual = Limits()
    return usual._replace(
        failures=failures,
        violations=task.max_attempts if task.max_attempts is not None else usual.violations,
        quota_rounds=settings.dispatch.quota_rounds_limit,
        cooldown_ms=settings.dispatch.rate_limit_cooldown_ms,
        backoff_ms=_backoff(task, profile),
    )


def _case(outcome: Outcome, error: str | None, task: Task, run: Run, *, settings: Settings) -> Case:
    return Case(outcome, error, _counters(task), bounds(task, run, settings))


def _backoff(task: Task, profile: Profile | None) -> int | None:
    failed = _counters(task).failures + 1
    if task.backoff is not None:
        asked = json.loads(task.backoff)
        return backoff_ms(asked["base_ms"], failed, factor=asked["factor"], max_ms=asked["max_ms"])
    if profile is not None and profile.backoff_ms is not None:
        return backoff_ms(profile.backoff_ms, failed)
    return None


def _counters(task: Task) -> Counters:
    failures = task.failures_review if task.phase == "review" else task.failures_work
    return Counters(failures, task.violations, task.stale_streak, task.quota_rounds)


def _load(tx: Tx, run_id: int) -> tuple[Run, Task]:
    """The run as it is once its task is locked."""
    task = tasks.lock_of_run(tx, run_id)
    run = runs.get(tx, run_id)
    assert task is not None, "a run is deleted with its task only, and never while it lives"
    assert run is not None, "a run is deleted with its task only"
    return run, task


def _keep_exit(tx: Tx, run: Run, ended: Ended) -> None:
    runs.exited(
        tx,
        run_id=run.id,
        exit_code=ended.seen.exit_code,
        exit_signal=ended.seen.signal,
        exit_record=ended.record,
    )


def _gone(tx: Tx, run: Run, ended: Ended) -> Settled:
    known = not runs.gone(
        tx,
        run_id=run.id,
        exit_code=ended.seen.exit_code,
        exit_signal=ended.seen.signal,
        exit_record=ended.record,
    )
    outcome = None if run.outcome is None else Outcome(run.outcome)
    settlement = Settlement.KNOWN if known else Settlement.GONE
    return Settled(run.id, run.task_id, settlement, outcome)


_VERBS = {
    Next.COMPLETE: Verb.COMPLETE,
    Next.RELEASE: Verb.RELEASE,
    Next.RETRY_LATER: Verb.RETRY_LATER,
    Next.GIVE_UP: Verb.GIVE_UP,
}


def _close(tx: Tx, run: Run, task: Task, judgement: Judgement, *, gone: bool = True) -> Settled:
    assert task.current_run == run.id, "an open run is its task's current run"
    verb = _VERBS[judgement.next]
    done = verb is Verb.COMPLETE
    by = By.WORKER if done else By.BOARD
    verdict = json.loads(run.pending) if run.pending is not None else {}
    change = Change(
        BOARD,
        reason=judgement.block_reason,
        block_kind=judgement.block_kind,
        due=None if judgement.wait_ms is None else tx.now + judgement.wait_ms,
        summary=verdict.get("summary"),
        result=verdict.get("result"),
        metadata=verdict.get("metadata"),
        outcome=None if done else judgement.outcome,
        error=judgement.error,
        counters=None if done else judgement.counters,
        gone=gone,
    )
    gave_up = judgement.next is Next.GIVE_UP
    if gave_up:
        _say_why(tx, task, run, judgement)
    facts = facts_for(tx, verb, by, task, holds_run=True, role=run.role)
    apply(tx, task, decide(verb, by, task, facts), change, run=run)
    if judgement.outcome in PAUSES_PROFILE and run.profile is not None:
        _pause_profile(tx, run.profile, judgement)
    return Settled(run.id, task.id, Settlement.CLOSED, judgement.outcome, gave_up)


def _pause_profile(tx: Tx, profile: str, judgement: Judgement) -> None:
    """Start nothing more of a profile that its provider or its own policy refuses; said once."""
    if any(hold.code == "profile_paused" for hold in holds.of(tx, "lane", profile)):
        return
    reason = judgement.error or f"its last run ended as {judgement.outcome}"
    if holds.put(tx, "lane", profile, "profile_paused", reason=reason, actor=BOARD.name):
        data: dict[str, object] = {"scope": "lane", "name": profile, "reason": reason}
        events.append(tx, "paused", task_id=None, actor=BOARD.name, data=data)


def _say_why(tx: Tx, task: Task, run: Run, judgement: Judgement) -> None:
    """The outcome of the attempt that made the board give up, as an event of its own."""
    data: dict[str, object] = {"error": judgement.error} if judgement.error else {}
    events.append(
        tx,
        judgement.outcome.value,
        task_id=task.id,
        run_id=run.id,
        actor=BOARD.name,
        data=data,
    )
