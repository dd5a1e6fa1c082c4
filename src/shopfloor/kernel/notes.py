"""Comments, heartbeats and attachments: what is said about a task without moving it."""

from __future__ import annotations

from shopfloor.domain.caller import Caller
from shopfloor.domain.errors import NotFound
from shopfloor.domain.lifecycle import By, Verb
from shopfloor.domain.limits import LEASE_SQLITE_MS
from shopfloor.domain.model import Attachment, Comment
from shopfloor.kernel.load import current_run, holds_run, load, own_task_only
from shopfloor.kernel.verbs import fence
from shopfloor.store import events, notes, runs
from shopfloor.store.db import Tx


def comment(tx: Tx, caller: Caller, task_id: int, body: str) -> Comment:
    """Add a comment.  A worker that does not hold the task's open run any more is refused."""
    own_task_only(tx, caller, task_id)
    task = load(tx, task_id)
    if caller.by is By.WORKER and not holds_run(caller, current_run(tx, task)):
        fence(caller, Verb.COMPLETE, task, current_run(tx, task))
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


def heartbeat(tx: Tx, caller: Caller, task_id: int, note: str | None) -> int:
    """A sign of life of the task's open run, with a note for those who look; answers the run's number."""
    own_task_only(tx, caller, task_id)
    task = load(tx, task_id)
    run = current_run(tx, task)
    fence(caller, Verb.COMPLETE, task, run)
    assert run is not None
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
    own_task_only(tx, caller, task_id)
    load(tx, task_id)
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
