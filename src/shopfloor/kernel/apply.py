"""Carry out one row of the lifecycle table: always the run, the task and the event, in this order.

This is the only caller of `tasks.apply`, and the only place where an effect of the table is
implemented.  What follows from a changed parent (a child that becomes ready, or no longer is) happens
here too, in the same transaction, so that no task waits for a sweep.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from operator import attrgetter
from typing import NamedTuple, TypeAlias

from shopfloor.domain.caller import BOARD, Caller
from shopfloor.domain.errors import Conflict
from shopfloor.domain.lifecycle import (
    EVENT_IS_OUTCOME,
    By,
    Effect,
    Outcome,
    Rule,
    RunEffect,
    Status,
    Verb,
    rules_for,
)
from shopfloor.domain.model import Holder, Run, Task
from shopfloor.domain.outcomes import Counters
from shopfloor.kernel.decide import NEEDS_PARENTS, Facts, decide
from shopfloor.store import events, links, questions, runs, subscriptions, tasks
from shopfloor.store.db import Tx


class Opening(NamedTuple):
    """The run that a claim opens."""

    role: str
    host: str
    token: str
    lease_until: int
    profile: str | None


class Change(NamedTuple):
    """What a caller brings to a transition beside the verb."""

    caller: Caller
    reason: str | None = None
    block_kind: str | None = None
    due: int | None = None
    summary: str | None = None
    result: str | None = None
    metadata: str | None = None
    outcome: Outcome | None = None
    error: str | None = None
    counters: Counters | None = None
    opening: Opening | None = None
    gone: bool = False
    data: dict[str, object] | None = None


# The names that an event's data has for what a change carries.
_TOLD = ("reason", "kind", "not_before", "outcome", "error")
_told_of = attrgetter("reason", "block_kind", "due", "outcome", "error")
SHOWN_CHARS = 200


class Applied(NamedTuple):
    """The task after the transition, and the run it opened, closed or wrote."""

    task: Task
    run_id: int | None


Making: TypeAlias = Callable[[dict[str, object], Task, Change, int], None]
_MOVES_CHILDREN = frozenset({Status.DONE, Status.CANCELLED, Status.ARCHIVED, Status.BLOCKED})
_ASKS_NOBODY = frozenset({Status.DONE, Status.CANCELLED, Status.ARCHIVED})


def _count_loop(new: dict[str, object], task: Task, change: Change, _now: int) -> None:
    same = task.loop_kind == change.block_kind
    new.update(loop_kind=change.block_kind, loop_count=task.loop_count + 1 if same else 1)


def _set_handoff(new: dict[str, object], _task: Task, change: Change, _now: int) -> None:
    given = {"summary": change.summary, "result": change.result, "metadata": change.metadata}
    new.update({name: value for name, value in given.items() if value is not None})


def _remember(new: dict[str, object], task: Task, _change: Change, _now: int) -> None:
    queue = "review" if task.phase == "review" else "ready"
    new["archived_from"] = queue if task.status == Status.RUNNING else task.status


# What an effect makes of the row: always the same, or what the task, the change and the time give.
_FIXED: dict[Effect, dict[str, object]] = {
    Effect.RESET_FAILURES: dict.fromkeys(
        ("failures_work", "failures_review", "violations", "stale_streak", "quota_rounds"), 0
    ),
    Effect.END_STREAKS: {"violations": 0, "stale_streak": 0},
    Effect.SHOW_PROGRESS: {"quota_rounds": 0},
    Effect.RESET_LOOP: {"loop_kind": None, "loop_count": 0},
    Effect.CLEAR_BLOCK: {"block_kind": None, "block_reason": None},
    Effect.CLEAR_DUE: {"not_before": None},
    Effect.CLEAR_FORCE: {"forced_at": None},
    Effect.PHASE_WORK: {"phase": "work"},
    Effect.PHASE_REVIEW: {"phase": "review"},
    Effect.CLEAR_END: {"ended_at": None},
    Effect.FORGET: {"archived_from": None},
}
_GIVEN: dict[Effect, Making] = {
    Effect.COUNT_LOOP: _count_loop,
    Effect.SET_BLOCK: lambda new, _t, c, _now: new.update(
        block_kind=c.block_kind, block_reason=c.reason
    ),
    Effect.SET_DUE: lambda new, _t, c, _now: new.update(not_before=c.due),
    Effect.SET_FORCE: lambda new, _t, _c, now: new.update(forced_at=now),
    Effect.SET_END: lambda new, _t, _c, now: new.update(ended_at=now),
    Effect.SET_HANDOFF: _set_handoff,
    Effect.REMEMBER: _remember,
    Effect.MARK_DECOMPOSED: lambda new, _t, _c, now: new.update(decomposed_at=now),
}


@cache
def _effects_of(effects: tuple[Effect, ...]) -> tuple[dict[str, object], tuple[Making, ...]]:
    """The fixed values of a row's effects together, and what has to be asked at each transition.

    No two effects of a row write the same column, so their order does not matter; a test says so.
    """
    fixed: dict[str, object] = {}
    for effect in effects:
        fixed |= _FIXED.get(effect, {})
    return fixed, tuple(_GIVEN[effect] for effect in effects if effect not in _FIXED)


def facts_for(tx: Tx, verb: Verb, by: By, task: Task, **given: object) -> Facts:
    """The facts that the rows of this verb ask for; what none asks for is not looked up."""
    if "open_parents" not in given and asks_for_parents(verb, by, task.status):
        given["open_parents"] = links.open_parents(tx, task.id)
    return Facts(now=tx.now, **given)  # type: ignore[arg-type]


@cache
def asks_for_parents(verb: Verb, by: By, source: str) -> bool:
    """Whether a row of this verb depends on the parents."""
    return any(NEEDS_PARENTS.intersection(rule.guards) for rule in rules_for(verb, by, source))


def apply(
    tx: Tx, task: Task, rule: Rule, change: Change, *, run: Run | Holder | None = None
) -> Applied:
    """Carry out a rule.  `run` is the task's open run where the rule closes one."""
    assert rule.target is not None
    fixed, given = _effects_of(rule.effects)
    new: dict[str, object] = {**fixed, "status": rule.target.value, "changed_at": tx.now}
    if change.caller.by is By.PERSON:
        new["touched_at"] = tx.now
    for effect in given:
        effect(new, task, change, tx.now)
    run_id = _run(tx, new, task, rule, change=change, run=run)
    if change.counters is not None:
        new.update(_counted(task, change.counters))
    after = tasks.apply(tx, task, new)
    if after is None:
        raise Conflict(f"#{task.id} was changed by somebody else at the same moment; try again")
    _record(tx, task, rule, change, run_id=run_id)
    if rule.target in _ASKS_NOBODY or rule.source is Status.BLOCKED:
        questions.close(tx, task.id, change.caller.name)
    if rule.target is Status.ARCHIVED:
        subscriptions.end_about(tx, f"{subscriptions.TASK}{task.id}", "its task was archived")
    if rule.target in _MOVES_CHILDREN or rule.source in _MOVES_CHILDREN:
        settle_children(tx, task.id)
    return Applied(after, run_id)


def _counted(task: Task, counters: Counters) -> dict[str, object]:
    column = "failures_review" if task.phase == "review" else "failures_work"
    return {
        column: counters.failures,
        "violations": counters.violations,
        "stale_streak": counters.stale_streak,
        "quota_rounds": counters.quota_rounds,
    }


def _run(
    tx: Tx,
    new: dict[str, object],
    task: Task,
    rule: Rule,
    *,
    change: Change,
    run: Run | Holder | None,
) -> int | None:
    if rule.run is RunEffect.KEEP:
        return None
    if rule.run is RunEffect.OPEN:
        return _open(tx, new, task, change)
    if rule.run is RunEffect.SYNTHETIC:
        return _synthetic(tx, new, task, rule, change=change)
    assert run is not None, "a rule that closes a run is applied with that run"
    outcome = change.outcome if rule.run is RunEffect.GIVEN else Outcome(rule.run.value)
    assert outcome is not None
    new["current_run"] = None
    error = change.error if change.error is not None else change.reason
    if outcome is Outcome.COMPLETED:
        new.update(succeeded_at=tx.now, last_error=None)
    elif rule.run is RunEffect.GIVEN:
        new["last_error"] = error
    closed = runs.close(
        tx,
        run_id=run.id,
        outcome=outcome.value,
        error=error,
        gone=change.gone or run.host == "",
        **_handoff(change),
    )
    assert closed, "a task's current run is open"
    return run.id


def _synthetic(tx: Tx, new: dict[str, object], task: Task, rule: Rule, *, change: Change) -> int:
    done = rule.target is Status.DONE
    if done:
        new["succeeded_at"] = tx.now
    return runs.synthetic(
        tx,
        task_id=task.id,
        attempt=task.attempts,
        outcome=Outcome.COMPLETED if done else Outcome.BLOCKED,
        error=change.reason,
        **_handoff(change),
    )


def _handoff(change: Change) -> dict[str, str | None]:
    return {"summary": change.summary, "result": change.result, "metadata": change.metadata}


def _open(tx: Tx, new: dict[str, object], task: Task, change: Change) -> int:
    opening = change.opening
    assert opening is not None, "a claim brings the run that it opens"
    run_id = runs.open_run(
        tx,
        task_id=task.id,
        role=opening.role,
        attempt=task.attempts + 1,
        profile=opening.profile,
        host=opening.host,
        token=opening.token,
        lease_until=opening.lease_until,
    )
    new.update(current_run=run_id, attempts=task.attempts + 1)
    if task.started_at is None:
        new["started_at"] = tx.now
    return run_id


def _record(tx: Tx, task: Task, rule: Rule, change: Change, *, run_id: int | None) -> None:
    assert rule.target is not None
    data: dict[str, object] = {"from": task.status, **(change.data or {})}
    told = zip(_TOLD, _told_of(change), strict=True)
    data.update([(name, value) for name, value in told if value is not None])
    if change.summary is not None:
        data["summary"] = change.summary.strip().split("\n", 1)[0][:SHOWN_CHARS]
    kind = rule.event
    if kind == EVENT_IS_OUTCOME:
        assert change.outcome is not None
        kind = change.outcome.value
    events.append(
        tx,
        kind,
        task_id=task.id,
        run_id=run_id,
        status=rule.target.value,
        actor=change.caller.name,
        data=data,
    )


def settle_children(tx: Tx, parent_id: int) -> None:
    """Move the children that a changed parent frees or holds back."""
    for child_id in links.waiting_children(tx, parent_id):
        settle_queue(tx, child_id)


def settle_queue(tx: Tx, task_id: int) -> bool:
    """Promote a waiting task whose parents are done, demote a ready one whose parents are not."""
    task = tasks.lock(tx, task_id)
    if task is None or task.status not in (Status.TODO, Status.READY):
        return False
    waiting = links.open_parents(tx, task_id)
    verb = Verb.PROMOTE if task.status == Status.TODO else Verb.DEMOTE
    blocked = waiting > 0 and task.forced_at is None
    if blocked == (verb is Verb.PROMOTE):
        return False
    rule = decide(verb, By.BOARD, task, Facts(now=tx.now, open_parents=waiting))
    apply(tx, task, rule, Change(BOARD))
    return True
