"""Cancel, archive or delete a task, and what becomes of the tasks that wait for it.

An unfinished parent that goes leaves its children waiting, cancels them, or lets them go on; who drops
it says which.  A child waits by an open link alone: one that was waived or forced is not touched.
"""

from __future__ import annotations

from shopfloor.domain.caller import Caller
from shopfloor.domain.errors import Conflict, Invalid
from shopfloor.domain.lifecycle import Status, Verb
from shopfloor.domain.model import Task
from shopfloor.kernel.apply import Change, settle_children, settle_queue
from shopfloor.kernel.decide import Facts, decide, words_of
from shopfloor.kernel.load import Held, enter, load
from shopfloor.kernel.verbs import act_on
from shopfloor.store import events, holds, links, runs, subscriptions, tasks
from shopfloor.store.db import Tx

CHILDREN = ("wait", "cancel", "go-on")
WAITING = (Status.TRIAGE, Status.TODO, Status.SCHEDULED, Status.BLOCKED)


def drop(tx: Tx, verb: Verb, task_id: int, change: Change, *, children: str) -> list[int]:
    """Cancel or archive a task; says which children were cancelled with it."""
    _check(children)
    held = enter(tx, change.caller, task_id, words_of(verb))
    cancelled: list[int] = []
    if not _is_done(held.task):
        if children == "go-on":
            links.waive(tx, task_id)
        if children == "cancel":
            cancelled = _cancel_below(tx, change.caller, task_id)
    act_on(tx, verb, held, change)
    if children == "go-on":
        settle_children(tx, task_id)
    return cancelled


def delete(tx: Tx, caller: Caller, task_id: int, *, children: str) -> None:
    """Remove a task with its events, runs, comments and links; the board keeps one event that says so."""
    _check(children)
    task = load(tx, task_id)
    decide(Verb.DELETE, caller.by, task, Facts(now=tx.now))
    run = runs.live_of_task(tx, task_id)
    if run is not None:
        raise Conflict(
            f"cannot delete #{task_id}: the last process of its run {run.id} is still leaving; try again soon"
        )
    waiting = links.child_ids(tx, task_id)
    if not _is_done(task):
        if children == "cancel":
            _cancel_below(tx, caller, task_id)
        if children == "wait":
            _block_children(tx, caller, task_id)
    holds.drop_task(tx, task_id)
    subscriptions.end_about(tx, f"{subscriptions.TASK}{task_id}", "its task was deleted")
    tasks.forget_origin(tx, task_id)
    removed = tasks.delete(tx, task)
    assert removed, "the task was locked"
    data: dict[str, object] = {"task": task_id, "title": task.title[:200]}
    events.append(tx, "deleted", task_id=None, actor=caller.name, data=data)
    for child_id in waiting:
        said: dict[str, object] = {"parent": task_id, "child": child_id}
        events.append(tx, "unlinked", task_id=child_id, actor=caller.name, data=said)
        settle_queue(tx, child_id)


def _check(children: str) -> None:
    if children not in CHILDREN:
        raise Invalid(f"children must be one of {', '.join(CHILDREN)}, not {children!r}")


def _is_done(task: Task) -> bool:
    return Status.DONE in (task.status, task.archived_from)


def _cancel_below(tx: Tx, caller: Caller, task_id: int) -> list[int]:
    cancelled: list[int] = []
    frontier = [task_id]
    while frontier:
        parent_id = frontier.pop()
        change = Change(caller, reason=f"its parent #{parent_id} was given up")
        for child_id in links.held_children(tx, parent_id):
            child = load(tx, child_id)
            if child.status in WAITING:
                act_on(tx, Verb.CANCEL, Held(child, None), change)
                cancelled.append(child_id)
                frontier.append(child_id)
    return cancelled


def _block_children(tx: Tx, caller: Caller, task_id: int) -> None:
    reason = f"its parent #{task_id} was deleted before it was done"
    change = Change(caller, reason=reason, block_kind="needs_input")
    for child_id in links.held_children(tx, task_id):
        child = load(tx, child_id)
        if child.status == Status.TODO:
            act_on(tx, Verb.BLOCK, Held(child, None), change)
