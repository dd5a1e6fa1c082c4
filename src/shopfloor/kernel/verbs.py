"""The verbs that a person or a worker uses on one task, each in one transaction.

A person's verb on a running task closes the run in the same transaction; the processes are stopped by the
dispatcher, which reads from the closed run that they have to go.  A worker's verb is fenced: it needs
the run's id and token, and an old run's write raises `Stale` before anything was written.
"""

from __future__ import annotations

import json

from shopfloor.domain.caller import Caller
from shopfloor.domain.errors import Invalid, Stale
from shopfloor.domain.lifecycle import By, Status, Verb
from shopfloor.domain.model import Run, Task
from shopfloor.kernel.apply import Applied, Change, apply, facts_for, settle_children, settle_queue
from shopfloor.kernel.decide import decide
from shopfloor.kernel.graph import connect
from shopfloor.kernel.load import current_run, holds_run, load, own_task_only
from shopfloor.store import events, holds, links, runs, tasks
from shopfloor.store.db import Tx

CHILDREN = ("wait", "cancel", "go-on")


def act(
    tx: Tx, caller: Caller, verb: Verb, task_id: int, change: Change, **given: object
) -> Applied:
    """Carry out one verb of the table on one task."""
    own_task_only(tx, caller, task_id)
    task = load(tx, task_id)
    return act_on(tx, caller, verb, task, change, **given)


def act_on(
    tx: Tx, caller: Caller, verb: Verb, task: Task, change: Change, **given: object
) -> Applied:
    """The same on a task that this transaction has locked."""
    run = current_run(tx, task)
    if caller.by is By.WORKER:
        fence(caller, verb, task, run)
    facts = facts_for(
        tx,
        verb,
        caller.by,
        task,
        holds_run=run is not None,
        role=None if run is None else run.role,
        block_kind=change.block_kind,
        **given,
    )
    rule = decide(verb, caller.by, task, facts)
    return apply(tx, task, rule, change, run)


def fence(caller: Caller, verb: Verb, task: Task, run: Run | None) -> None:
    """Refuse a worker that does not hold the task's open run."""
    if not holds_run(caller, run):
        raise Stale(
            f"cannot {verb.value.replace('_', ' ')} #{task.id}: {caller.name} is not the task's open run"
            " any more, so the write is refused; stop working on it",
            detail={"task": task.id, "status": task.status, "run": caller.run_id},
        )


def complete(tx: Tx, caller: Caller, task_id: int, change: Change) -> Applied:
    """Say that the task is done.  A worker's word on a task with a check waits for that check."""
    own_task_only(tx, caller, task_id)
    task = load(tx, task_id)
    if caller.by is not By.WORKER:
        skipped = task.check_command is not None
        data = {**(change.data or {}), "check_skipped": True} if skipped else change.data
        return act_on(tx, caller, Verb.COMPLETE, task, change._replace(data=data))
    run = current_run(tx, task)
    fence(caller, Verb.COMPLETE, task, run)
    if task.check_command is None:
        return act_on(tx, caller, Verb.COMPLETE, task, change)
    assert run is not None
    store_verdict(tx, caller, task, run, change)
    return Applied(task, run.id)


def store_verdict(tx: Tx, caller: Caller, task: Task, run: Run, change: Change) -> None:
    """Keep "done" as the run's pending verdict until the task's check has decided."""
    verdict = {"summary": change.summary, "result": change.result, "metadata": change.metadata}
    runs.pending(tx, run.id, json.dumps(verdict))
    events.append(
        tx,
        "verdict_pending",
        task_id=task.id,
        run_id=run.id,
        actor=caller.name,
        data={"check": True},
    )


def block(
    tx: Tx, caller: Caller, task_id: int, change: Change, *, on: int | None, limit: int
) -> Applied:
    """Stop work and say what is missing; `on` names the task that it waits for and links it."""
    own_task_only(tx, caller, task_id)
    if on is not None:
        if change.block_kind != "dependency":
            raise Invalid(
                "`--on` names the task that is waited for, so the kind must be dependency"
            )
        connect(tx, caller, on, task_id)
    task = load(tx, task_id)
    return act_on(tx, caller, Verb.BLOCK, task, change, recurrence_limit=limit)


def unblock(tx: Tx, caller: Caller, task_id: int, change: Change) -> Applied:
    """Lead a blocked or parked task back to the phase that it came from.

    An unblock that a person's comment, answer or edit came before does not count to the block loop.
    """
    task = load(tx, task_id)
    if task.loop_count and _was_answered(tx, task):
        task = task._replace(loop_kind=None, loop_count=0)
    return act_on(tx, caller, Verb.UNBLOCK, task, change)


def _was_answered(tx: Tx, task: Task) -> bool:
    for event in events.latest_of_task(tx, task.id, limit=50):
        if event.kind in ("blocked", "block_loop_detected"):
            return False
        if event.kind in ("commented", "answered", "edited", "attached") and event.run_id is None:
            return True
    return False


def specify(tx: Tx, caller: Caller, task_id: int, change: Change) -> Applied:
    """Turn a rough idea into a task that may start."""
    applied = act(tx, caller, Verb.SPECIFY, task_id, change)
    settle_queue(tx, task_id)
    return Applied(_again(tx, task_id), applied.run_id)


def drop(
    tx: Tx, caller: Caller, verb: Verb, task_id: int, change: Change, *, children: str
) -> list[int]:
    """Cancel or archive a task; says which children were cancelled with it."""
    if children not in CHILDREN:
        raise Invalid(f"children must be one of {', '.join(CHILDREN)}, not {children!r}")
    task = load(tx, task_id)
    unfinished = task.status not in (Status.DONE, Status.ARCHIVED)
    cancelled: list[int] = []
    if unfinished and children == "go-on":
        links.waive(tx, task_id)
    if unfinished and children == "cancel":
        cancelled = _cancel_below(tx, caller, task_id)
    act_on(tx, caller, verb, task, change)
    if unfinished and children == "go-on":
        settle_children(tx, task_id)
    return cancelled


def _cancel_below(tx: Tx, caller: Caller, task_id: int) -> list[int]:
    cancelled: list[int] = []
    frontier = [task_id]
    while frontier:
        for child_id in links.waiting_children(tx, frontier.pop()):
            child = load(tx, child_id)
            if child.status == Status.TODO:
                change = Change(caller, reason=f"its parent #{task_id} was given up")
                act_on(tx, caller, Verb.CANCEL, child, change)
                cancelled.append(child_id)
                frontier.append(child_id)
    return cancelled


def delete(tx: Tx, caller: Caller, task_id: int, *, children: str) -> None:
    """Remove a task with its events, runs, comments and links; the board keeps one event that says so."""
    task = load(tx, task_id)
    run = runs.live_of_task(tx, task_id)
    facts = facts_for(tx, Verb.DELETE, By.PERSON, task)
    decide(Verb.DELETE, By.PERSON, task, facts)
    if run is not None:
        raise Stale(
            f"cannot delete #{task_id}: the last process of its run {run.id} is still leaving; try again soon"
        )
    waiting = links.waiting_children(tx, task_id)
    unfinished = task.status not in (Status.DONE, Status.ARCHIVED) or (
        task.status == Status.ARCHIVED and task.archived_from != Status.DONE
    )
    if unfinished:
        _leave_children(tx, caller, task_id, children)
    holds.drop_task(tx, task_id)
    tasks.forget_origin(tx, task_id)
    removed = tasks.delete(tx, task)
    assert removed, "the task was locked"
    data: dict[str, object] = {"task": task_id, "title": task.title[:200]}
    events.append(tx, "deleted", task_id=None, actor=caller.name, data=data)
    for child_id in waiting:
        settle_queue(tx, child_id)


def _leave_children(tx: Tx, caller: Caller, task_id: int, children: str) -> None:
    if children not in CHILDREN:
        raise Invalid(f"children must be one of {', '.join(CHILDREN)}, not {children!r}")
    if children == "cancel":
        _cancel_below(tx, caller, task_id)
    if children == "wait":
        for child_id in links.waiting_children(tx, task_id):
            child = load(tx, child_id)
            reason = f"its parent #{task_id} was deleted before it was done"
            change = Change(caller, reason=reason, block_kind="needs_input")
            act_on(tx, caller, Verb.BLOCK, child, change)


def unarchive(tx: Tx, caller: Caller, task_id: int) -> Applied:
    """Bring an archived task back to the status that it had."""
    task = load(tx, task_id)
    key = task.idempotency_key
    free = key is None or tasks.by_key(tx, key) is None
    return act_on(tx, caller, Verb.UNARCHIVE, task, Change(caller), key_free=free)


def would(tx: Tx, caller: Caller, verb: Verb, task_id: int, **given: object) -> Status:
    """The status that a verb would lead to, without doing it; raises what the verb would raise."""
    task = load(tx, task_id)
    facts = facts_for(tx, verb, caller.by, task, **given)
    target = decide(verb, caller.by, task, facts).target
    assert target is not None
    return target


def _again(tx: Tx, task_id: int) -> Task:
    task = tasks.get(tx, task_id)
    assert task is not None
    return task
