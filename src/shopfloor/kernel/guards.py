"""What holds one queued task back, although it may start: each can be bypassed, and most end by themselves."""

from __future__ import annotations

from typing import NamedTuple

from shopfloor.domain.caller import BOARD
from shopfloor.domain.limits import ACTIVE_PR_MS
from shopfloor.domain.model import Task
from shopfloor.domain.settings import Settings
from shopfloor.kernel.budget import of_task
from shopfloor.store import events, holds, notes
from shopfloor.store.db import Tx


class Guarded(NamedTuple):
    """Why a task waits, and until when."""

    code: str
    sentence: str
    until: int | None


def guard_of(tx: Tx, settings: Settings, task: Task) -> Guarded | None:
    """The guard that holds a task back now, if one does."""
    done = task.succeeded_at
    if done is not None and task.touched_at < done:
        until = done + settings.dispatch.recent_success_ms
        if until > tx.now:
            sentence = "a run of it completed a moment ago; `shop bypass` starts it all the same"
            return Guarded("recent_success", sentence, until)
    if settings.dispatch.guard_active_pr:
        said = notes.pull_mentioned_at(tx, task.id, tx.now - ACTIVE_PR_MS)
        if said is not None:
            sentence = "a recent comment links a pull request; `shop bypass` starts it all the same"
            return Guarded("active_pr", sentence, said + ACTIVE_PR_MS)
    return _budget(tx, settings, task)


def _budget(tx: Tx, settings: Settings, task: Task) -> Guarded | None:
    """A limit of the task itself, which ends when a person raises it; commands use nothing."""
    profile = settings.profiles.get(task.lane)
    if task.command is not None or profile is None or not profile.is_agent:
        return None
    found = of_task(tx, task)
    return None if found is None else Guarded("budget", found.sentence, None)


def note_guard(tx: Tx, task_id: int, guard: Guarded) -> None:
    """Write down what holds a task back, when it changes."""
    changed = holds.put(
        tx,
        "task",
        str(task_id),
        guard.code,
        reason=guard.sentence,
        actor=BOARD.name,
        until=guard.until,
    )
    if changed:
        data: dict[str, object] = {"guard": guard.code, "until": guard.until}
        events.append(tx, "respawn_guarded", task_id=task_id, actor=BOARD.name, data=data)
