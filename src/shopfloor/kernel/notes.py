"""Comments, heartbeats and attachments: what is said about a task without moving it."""

from __future__ import annotations

from shopfloor.domain.caller import Caller
from shopfloor.domain.errors import NotFound
from shopfloor.domain.lifecycle import By
from shopfloor.domain.limits import LEASE_SQLITE_MS
from shopfloor.domain.model import Attachment, Comment, Task
from shopfloor.kernel.load import enter, load, run_of
from shopfloor.store import events, notes, runs
from shopfloor.store.db import Tx


def comment(tx: Tx, caller: Caller, task_id: int, body: str) -> Comment:
    """Add a comment.

    A worker that does not hold its task's open run any more is refused.  Beside its own task it may write to
    those of the same origin: the task that it came from, its siblings and its children.
    """
    _let_in(tx, caller, task_id)
    added = notes.comment_add(
        tx, task_id=task_id, run_id=caller.run_id, author=caller.name, body=body
    )
    events.append(
        tx,
        "commented",
        task_id=task_id,
        run_id=caller.run_id,
        actor=caller.name,
        data={"comment": added.id},
    )
    return added


def inbox(tx: Tx, caller: Caller, limit: int) -> list[Comment]:
    """What others wrote on the worker's own task since it was told last; from now on it is told."""
    task_id = run_of(tx, caller).task_id
    run = enter(tx, caller, task_id, "read the new comments of").run
    assert run is not None, "only the worker of an open run comes here"
    found = notes.comment_unread(tx, task_id, run.id, limit)
    if found:
        notes.comment_told(tx, run.id, found[-1].id)
    return found


def _let_in(tx: Tx, caller: Caller, task_id: int) -> None:
    if caller.by is By.WORKER:
        own = run_of(tx, caller).task_id
        if own != task_id:
            task, mine = load(tx, task_id), enter(tx, caller, own, "comment for").task
            if _family(mine) & _family(task):
                return
    enter(tx, caller, task_id, "comment on")


def _family(task: Task) -> set[int]:
    """The task, and the one that it came from."""
    return {task.id} if task.origin_id is None else {task.id, task.origin_id}


def heartbeat(tx: Tx, caller: Caller, task_id: int, note: str | None) -> int:
    """A sign of life of the task's open run, with a note for those who look; answers the run's number."""
    run = enter(tx, caller, task_id, "take a sign of life for").run
    assert run is not None, "only the worker of an open run comes here"
    runs.beat(tx, run.id, note, tx.now + LEASE_SQLITE_MS)
    if note is not None and note != run.heartbeat_note:
        events.append(
            tx,
            "heartbeat",
            task_id=task_id,
            run_id=run.id,
            actor=caller.name,
            data={"note": note},
        )
    return run.id


def attach(
    tx: Tx, caller: Caller, task_id: int, *, name: str, size: int, sha256: str
) -> Attachment:
    """Write down a file that was stored for the task."""
    enter(tx, caller, task_id, "attach a file to")
    added = notes.attachment_add(
        tx,
        task_id=task_id,
        run_id=caller.run_id,
        name=name,
        size=size,
        sha256=sha256,
        creator=caller.name,
    )
    _say(tx, caller, "attached", added)
    return added


def detach(tx: Tx, caller: Caller, task_id: int, name: str) -> Attachment:
    """Forget an attachment; its file is removed after the commit by who asked."""
    load(tx, task_id)
    found = notes.attachment_get(tx, task_id, name)
    if found is None:
        raise NotFound(
            f"#{task_id} has no attachment {name!r}; `shop attachments {task_id}` lists them"
        )
    notes.attachment_remove(tx, task_id, name)
    _say(tx, caller, "detached", found)
    return found


def _say(tx: Tx, caller: Caller, kind: str, about: Attachment) -> None:
    events.append(
        tx,
        kind,
        task_id=about.task_id,
        run_id=caller.run_id,
        actor=caller.name,
        data={"name": about.name, "size": about.size},
    )
