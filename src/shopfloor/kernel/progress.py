"""What the runner of an agent asks and tells between its turns: may I begin, this is how far I am.

`guard` is asked before any model call.  `progress` is a sign of life that also counts what was used, and
its answer may tell the runner to stop the agent: after a verdict, or when a limit was reached.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from shopfloor.domain.caller import Caller
from shopfloor.domain.lifecycle import Outcome
from shopfloor.domain.limits import LEASE_SQLITE_MS
from shopfloor.domain.model import Run, Task
from shopfloor.domain.outcomes import WORKERS_OWN, Usage
from shopfloor.domain.settings import Settings
from shopfloor.kernel.budget import reached, stop
from shopfloor.kernel.load import Held, current_run, enter, holds_run, load, run_of, whole
from shopfloor.kernel.quota import account_of_run, answered
from shopfloor.kernel.usage import keep_usage
from shopfloor.store import notes, runs
from shopfloor.store.db import Tx


class Guarded(NamedTuple):
    """Whether a run may work; `pending` is a verdict that waits for the task's check."""

    open: bool
    pending: bool
    task: Task
    run: Run
    reason: str
    unread: int


class Said(NamedTuple):
    """What a runner tells of its agent; `output` means that the model has answered."""

    note: str | None = None
    usage: Usage | None = None
    session_id: str | None = None
    model: str | None = None
    output: bool = False


class Heard(NamedTuple):
    """The answer to a runner: a sentence that tells it to stop, and how many comments are news."""

    stop: str | None
    kind: Literal["budget", "closed"] | None
    unread: int


def guard(tx: Tx, caller: Caller) -> Guarded:
    """Whether the caller's run is the task's open one; raises Forbidden for unknown credentials."""
    task = load(tx, run_of(tx, caller).task_id)
    run = whole(tx, run_of(tx, caller))
    unread = notes.comment_unread_count(tx, task.id, run.id)
    if not holds_run(caller, current_run(tx, task)):
        ended = f"run {run.id} ended as {run.outcome}"
        return Guarded(False, False, task, run, f"{ended}, and #{task.id} is {task.status}", unread)
    if run.pending is not None:
        reason = f"#{task.id} was said to be done, and its check decides"
        return Guarded(True, True, task, run, reason, unread)
    return Guarded(True, False, task, run, f"run {run.id} is the open run of #{task.id}", unread)


def progress(tx: Tx, settings: Settings, caller: Caller, said: Said) -> Heard:
    """A sign of life with what the agent used so far, as a whole; raises Stale for an old run.

    A run that its own worker closed is told to leave: that is no news, and nobody's fault.
    """
    task = load(tx, run_of(tx, caller).task_id)
    run = whole(tx, run_of(tx, caller))
    if task.current_run != run.id or not holds_run(caller, run):
        if run.outcome is None or Outcome(run.outcome) not in WORKERS_OWN:
            enter(tx, caller, task.id, "take progress of")
        return _leave(tx, task, run)
    runs.beat(tx, run.id, said.note, tx.now + LEASE_SQLITE_MS)
    account = account_of_run(settings, task, run)
    keep_usage(tx, run, said.usage, account=account, session_id=said.session_id, model=said.model)
    if said.output and account is not None:
        answered(tx, run, account)
    if run.pending is not None:
        return _leave(tx, task, run)
    unread = notes.comment_unread_count(tx, task.id, run.id)
    found = reached(tx, settings, task, run)
    if found is None:
        return Heard(None, None, unread)
    limit = settings.dispatch.block_recurrence_limit
    stop(tx, Held(task, current_run(tx, task)), caller, found, recurrence_limit=limit)
    return Heard(found.sentence, "budget", unread)


def _leave(tx: Tx, task: Task, run: Run) -> Heard:
    said = "done, and its check decides" if run.outcome is None else run.outcome.replace("_", " ")
    sentence = f"the verdict on #{task.id} was given ({said}), so there is nothing left to do"
    return Heard(sentence, "closed", notes.comment_unread_count(tx, task.id, run.id))
