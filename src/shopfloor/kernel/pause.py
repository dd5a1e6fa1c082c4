"""Pauses and bypasses: what a person does to when things start.

A pause is a flag and not a status: verdicts, promotion, due times and settling go on, only claims
wait.  It is a row of `hold`, like the guards that the board itself writes.
"""

from __future__ import annotations

from typing import Literal

from shopfloor.domain.caller import Caller
from shopfloor.domain.errors import Invalid, WrongStatus
from shopfloor.domain.lifecycle import OPEN, Verb
from shopfloor.kernel.apply import Change
from shopfloor.kernel.load import load
from shopfloor.kernel.verbs import act
from shopfloor.store import events, holds, runs, tasks
from shopfloor.store.db import Tx

Scope = Literal["board", "lane", "task"]


def pause(tx: Tx, caller: Caller, scope: Scope, name: str, *, reason: str, stop: bool) -> list[int]:
    """Start nothing more in this scope; with `stop`, runs are ended as reclaimed.  Answers those runs."""
    task_id = _task_id(tx, scope, name)
    if holds.put(tx, scope, name, "paused", reason=reason, actor=caller.name):
        data: dict[str, object] = {"scope": scope, "name": name, "reason": reason}
        events.append(tx, "paused", task_id=task_id, actor=caller.name, data=data)
    if not stop:
        return []
    stopped = []
    for run in runs.live(tx):
        if run.ended_at is None and _covers(scope, name, run.task_id, run.profile):
            act(tx, Verb.RELEASE, run.task_id, Change(caller, reason=reason))
            stopped.append(run.id)
    return stopped


def resume(tx: Tx, caller: Caller, scope: Scope, name: str) -> bool:
    """End a pause, the board's own of a profile too; false: nothing was paused."""
    task_id = _task_id(tx, scope, name)
    ended = [holds.drop(tx, scope, name, code) for code in ("paused", "profile_paused")]
    if any(ended):
        data: dict[str, object] = {"scope": scope, "name": name}
        events.append(tx, "resumed", task_id=task_id, actor=caller.name, data=data)
    return any(ended)


def bypass(tx: Tx, caller: Caller, task_id: int) -> None:
    """Let a queued task start in spite of its guards and its cooldown, at the next claim."""
    task = load(tx, task_id)
    if task.status not in ("ready", "review"):
        raise WrongStatus(
            f"cannot bypass the guards of #{task_id}: it is {task.status}, and guards hold ready "
            "tasks only; `shop why` says what would move it"
        )
    holds.drop_all(tx, "task", str(task_id))
    holds.put(
        tx, "task", str(task_id), "guards_bypassed", reason=f"by {caller.name}", actor=caller.name
    )
    tasks.edit(tx, task._replace(not_before=None, changed_at=tx.now, touched_at=tx.now))
    events.append(tx, "guards_bypassed", task_id=task_id, actor=caller.name)


def _task_id(tx: Tx, scope: Scope, name: str) -> int | None:
    if scope != "task":
        return None
    task = load(tx, int(name))
    if task.status not in OPEN:
        raise Invalid(f"#{task.id} is {task.status}; only an open task can be paused or resumed")
    return task.id


def _covers(scope: Scope, name: str, task_id: int, profile: str | None) -> bool:
    if scope == "board":
        return True
    return name == (str(task_id) if scope == "task" else profile)
