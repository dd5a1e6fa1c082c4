"""Put a task on the board: one row, its links, its event; or the task that holds the key already."""

from __future__ import annotations

from typing import NamedTuple

from shopfloor.domain import limits
from shopfloor.domain.caller import Caller
from shopfloor.domain.errors import Conflict, Invalid, NotFound
from shopfloor.domain.lifecycle import By, Effect, Status, Verb
from shopfloor.domain.model import Task
from shopfloor.kernel.apply import settle_queue
from shopfloor.kernel.decide import Facts, decide
from shopfloor.kernel.graph import check_links
from shopfloor.store import events, links, subscriptions, tasks
from shopfloor.store.db import Tx


class NewTask(NamedTuple):
    """All that a task may be given at its creation; lists and mappings are JSON text."""

    title: str
    body: str = ""
    assignee: str | None = None
    priority: int = 0
    tenant: str | None = None
    session_id: str | None = None
    skills: str = "[]"
    model: str | None = None
    provider: str | None = None
    template_id: str | None = None
    step_key: str | None = None
    origin_id: int | None = None
    idempotency_key: str | None = None
    command: str | None = None
    check_command: str | None = None
    artifacts: str = "[]"
    start_after: str = "done"
    max_runtime_ms: int | None = None
    max_attempts: int | None = None
    backoff: str | None = None
    goal: int = 0
    goal_turns: int | None = None
    workspace_kind: str = "scratch"
    workspace_path: str | None = None
    branch: str | None = None
    not_before: int | None = None


class Created(NamedTuple):
    """The task, and whether this call made it."""

    task: Task
    created: bool


def create(
    tx: Tx,
    caller: Caller,
    new: NewTask,
    *,
    parents: tuple[int, ...] = (),
    wants: Status | None = None,
    reason: str | None = None,
) -> Created:
    """Create a task; with a key that an unarchived task holds, that task is the answer.

    Parents that are all done make it ready at once.  Raises NotFound for an unknown parent or origin.
    """
    if new.idempotency_key is not None:
        held = tasks.by_key(tx, new.idempotency_key)
        if held is not None:
            return Created(held, created=False)
    above = _parents(tx, parents)
    if new.origin_id is not None and tasks.get(tx, new.origin_id) is None:
        raise _unknown(new.origin_id, "origin")
    if new.tenant is None and above:
        new = new._replace(tenant=above[0].tenant)
    facts = Facts(now=tx.now, open_parents=len(above), wants=wants)
    rule = decide(Verb.CREATE, By.PERSON, None, facts)
    assert rule.target is not None
    blocked = Effect.SET_BLOCK in rule.effects
    if new.not_before is not None and Effect.SET_DUE not in rule.effects:
        new = new._replace(not_before=None)
    task = tasks.insert(
        tx,
        status=rule.target.value,
        creator=caller.name,
        block_kind="needs_input" if blocked else None,
        block_reason=(reason or "parked at creation") if blocked else None,
        **new._asdict(),
    )
    if task is None:
        assert new.idempotency_key is not None
        held = tasks.by_key(tx, new.idempotency_key)
        if held is None:
            raise Conflict(
                f"the task with the key {new.idempotency_key!r} was archived at this moment; try again"
            )
        return Created(held, created=False)
    _record(tx, task, caller, tuple(parent.id for parent in above))
    for parent in above:
        links.add(tx, parent.id, task.id)
    if above and settle_queue(tx, task.id):
        task = tasks.get(tx, task.id)
        assert task is not None
    return Created(task, created=True)


def _parents(tx: Tx, numbers: tuple[int, ...]) -> list[Task]:
    """The parents in the order given, each locked, by number, so that none ends or goes meanwhile."""
    wanted = list(dict.fromkeys(numbers))
    if len(wanted) > limits.LINKS_MAX:
        raise Invalid(f"a task may have {limits.LINKS_MAX} parents, and {len(wanted)} were given")
    locked: dict[int, Task] = {}
    for number in sorted(wanted):
        task = tasks.lock(tx, number)
        if task is None:
            raise _unknown(number, "parent")
        check_links(tx, number)
        locked[number] = task
    return [locked[number] for number in wanted]


def _unknown(number: int, what: str) -> NotFound:
    return NotFound(f"there is no task #{number} to be the {what}; `shop list` shows what there is")


def _record(tx: Tx, task: Task, caller: Caller, parents: tuple[int, ...]) -> None:
    if task.origin_id is not None:
        subscriptions.inherit(tx, task.id, task.origin_id)
    data: dict[str, object] = {"title": task.title[:200]}
    if parents:
        data["parents"] = list(parents)
    if task.assignee is not None:
        data["assignee"] = task.assignee
    if task.goal:
        data["goal_turns"] = task.goal_turns
    if task.block_reason is not None:
        data["reason"] = task.block_reason
    events.append(
        tx,
        "created",
        task_id=task.id,
        run_id=caller.run_id,
        status=task.status,
        actor=caller.name,
        data=data,
    )
