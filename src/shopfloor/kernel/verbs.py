"""The verbs that a person or a worker uses on one task, each in one transaction.

A person's verb on a running task closes the run in the same transaction; the processes are stopped by the
dispatcher, which reads from the closed run that they have to go.  A worker's verb is fenced before
anything is written: it needs the run's id and token, and an old run's write raises `Stale`.
"""

from __future__ import annotations

import json

from shopfloor.domain.caller import BOARD, Caller
from shopfloor.domain.errors import Invalid
from shopfloor.domain.lifecycle import By, Status, Verb
from shopfloor.domain.model import Task
from shopfloor.kernel.apply import Applied, Change, apply, facts_for, settle_queue
from shopfloor.kernel.decide import Facts, decide, words_of
from shopfloor.kernel.graph import connect
from shopfloor.kernel.load import Held, enter, load
from shopfloor.store import events, links, runs, tasks
from shopfloor.store.db import Tx

ANSWERS_SEARCHED = 50
# By these a person has acted on a task that goes round between a worker and its reviewer.
HAD_A_SAY = (
    "answered",
    "assigned",
    "attached",
    "changes_requested",
    "commented",
    "edited",
    "promoted_manual",
    "reopened",
    "specified",
    "unblocked",
)


def act(tx: Tx, verb: Verb, task_id: int, change: Change, **given: object) -> Applied:
    """Carry out one verb of the table on one task, for the caller that the change names."""
    return act_on(tx, verb, enter(tx, change.caller, task_id, words_of(verb)), change, **given)


def act_on(tx: Tx, verb: Verb, held: Held, change: Change, **given: object) -> Applied:
    """The same on a task that this transaction has locked, for a caller that was let in."""
    task, run = held
    facts = facts_for(
        tx,
        verb,
        change.caller.by,
        task,
        holds_run=run is not None,
        role=None if run is None else run.role,
        block_kind=change.block_kind,
        **given,
    )
    rule = decide(verb, change.caller.by, task, facts)
    return apply(tx, task, rule, change, run=run)


def complete(tx: Tx, held: Held, change: Change) -> Applied:
    """Say that the task is done.  A worker's word on a task with a check waits for that check."""
    if held.task.check_command is None:
        return act_on(tx, Verb.COMPLETE, held, change)
    if change.caller.by is By.WORKER:
        return _store_verdict(tx, held, change)
    data = {**(change.data or {}), "check_skipped": True}
    return act_on(tx, Verb.COMPLETE, held, change._replace(data=data))


def _store_verdict(tx: Tx, held: Held, change: Change) -> Applied:
    """Keep "done" as the run's pending verdict until the task's check has decided."""
    task, run = held
    assert run is not None, "a worker was let in because it holds the run"
    verdict = {"summary": change.summary, "result": change.result, "metadata": change.metadata}
    runs.pending(tx, run.id, json.dumps(verdict))
    events.append(
        tx,
        "verdict_pending",
        task_id=task.id,
        run_id=run.id,
        actor=change.caller.name,
        data={"check": True},
    )
    return Applied(task, run.id)


def request_changes(tx: Tx, task_id: int, change: Change, *, limit: int) -> Applied:
    """Send a task under review back; the round that is one too many waits for a person.

    The reviewer's word stands, and whoever lets the task go on gives it to the implementer.
    """
    applied = act(tx, Verb.REQUEST_CHANGES, task_id, change)
    if change.caller.by is not By.WORKER or not _rounds_spent(tx, task_id, limit):
        return applied
    task = applied.task
    rule = decide(Verb.BLOCK, By.BOARD, task, Facts(now=tx.now, rounds_spent=True))
    sentence = (
        f"its reviewer has sent it back {limit} times and nobody else had a say; the last time: {change.reason}. "
        f"Say what is good enough; unblocked, it has {limit} more rounds (`review_rounds_limit`)"
    )
    data: dict[str, object] = {"review_rounds": limit}
    spent = Change(BOARD, reason=sentence, block_kind="needs_input", data=data)
    return Applied(apply(tx, task, rule, spent).task, applied.run_id)


def _rounds_spent(tx: Tx, task_id: int, limit: int) -> bool:
    """Whether this round is the last of those that a reviewer has; it is not among the events yet."""
    return events.rounds_of_review(tx, task_id, HAD_A_SAY, BOARD.name) + 1 >= limit


def block(tx: Tx, task_id: int, change: Change, *, on: int | None, limit: int) -> Applied:
    """Stop work and say what is missing; `on` names the task that it waits for and links it."""
    if on is None:
        return act(tx, Verb.BLOCK, task_id, change, recurrence_limit=limit)
    if change.block_kind != "dependency":
        raise Invalid("`--on` names the task that is waited for, so the kind must be dependency")
    links.exclusive(tx)
    enter(tx, change.caller, task_id, words_of(Verb.BLOCK))
    connect(tx, change.caller, on, task_id)
    return act(tx, Verb.BLOCK, task_id, change, recurrence_limit=limit)


def unblock(tx: Tx, task_id: int, change: Change) -> Applied:
    """Lead a blocked or parked task back to the phase that it came from.

    A block that was answered by a person's comment, file or edit does not count to the block loop.
    """
    task = load(tx, task_id)
    if task.loop_count and task.status == Status.BLOCKED and _was_answered(tx, task):
        task = task._replace(loop_count=task.loop_count - 1)
    return act_on(tx, Verb.UNBLOCK, Held(task, None), change)


def _was_answered(tx: Tx, task: Task) -> bool:
    for event in events.latest_of_task(tx, task.id, limit=ANSWERS_SEARCHED):
        if event.kind in ("commented", "edited", "attached") and event.run_id is None:
            return True
        if event.status is not None:
            return False
    return False


def specify(tx: Tx, task_id: int, change: Change) -> Applied:
    """Turn a rough idea into a task that may start."""
    applied = act(tx, Verb.SPECIFY, task_id, change)
    settle_queue(tx, task_id)
    return Applied(again(tx, task_id), applied.run_id)


def unarchive(tx: Tx, task_id: int, change: Change) -> Applied:
    """Bring an archived task back to the status that it had."""
    task = load(tx, task_id)
    key = task.idempotency_key
    free = key is None or tasks.by_key(tx, key) is None
    return act_on(tx, Verb.UNARCHIVE, Held(task, None), change, key_free=free)


def would(tx: Tx, caller: Caller, verb: Verb, task_id: int, **given: object) -> Status:
    """The status that a verb would lead to, without doing it; raises what the verb would raise."""
    task = load(tx, task_id)
    facts = facts_for(tx, verb, caller.by, task, **given)
    target = decide(verb, caller.by, task, facts).target
    assert target is not None
    return target


def again(tx: Tx, task_id: int) -> Task:
    """The task as it is now, after what followed from a verb."""
    task = tasks.get(tx, task_id)
    assert task is not None
    return task
