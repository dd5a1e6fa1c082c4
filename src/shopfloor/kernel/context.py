"""What a worker is told: the task, what came before it, and what belongs to it, as one document."""

from __future__ import annotations

from collections.abc import Callable

from shopfloor.domain.model import Run, Task
from shopfloor.store import links, notes, runs
from shopfloor.store.db import Tx

ATTEMPTS_SHOWN = 5
COMMENTS_SHOWN = 50
HANDOFF_CHARS = 4_000
ERROR_CHARS = 2_000


def compose(tx: Tx, task: Task, path_of: Callable[[int, str], str]) -> str:
    """The context of the task's current or next attempt, as Markdown; newest first, bounded in size."""
    parts = [f"# {task.title}", _facts(task)]
    if task.body:
        parts.append(task.body)
    parts += _parents(tx, task)
    parts += _attempts(runs.of_task(tx, task.id, ATTEMPTS_SHOWN + 1), task)
    parts += _comments(tx, task)
    files = notes.attachment_of_task(tx, task.id)
    if files:
        lines = [f"- {path_of(task.id, one.name)} ({one.size} bytes)" for one in files]
        parts.append("## Attachments\n\n" + "\n".join(lines))
    return "\n\n".join(parts) + "\n"


def _facts(task: Task) -> str:
    lines = [f"Task #{task.id}, attempt {max(task.attempts, 1)}."]
    if task.assignee is not None:
        lines.append(f"Assignee: {task.assignee}.")
    if task.branch is not None:
        lines.append(f"Branch: {task.branch}.")
    if task.check_command is not None:
        lines.append(f"A check decides whether it is done: `{task.check_command}`.")
    return " ".join(lines)


def _parents(tx: Tx, task: Task) -> list[str]:
    told = []
    for parent, _waived in links.parents(tx, task.id):
        if parent.summary is None and parent.metadata is None and parent.result is None:
            continue
        words = [f"### #{parent.id} {parent.title}"]
        words += [cut(part, HANDOFF_CHARS) for part in (parent.summary, parent.result) if part]
        if parent.metadata is not None:
            words.append(f"```json\n{cut(parent.metadata, HANDOFF_CHARS)}\n```")
        told.append("\n\n".join(words))
    return ["## What the tasks before it handed over", *told] if told else []


def _attempts(earlier: list[Run], task: Task) -> list[str]:
    ended = [run for run in earlier if run.id != task.current_run and run.outcome is not None]
    if not ended:
        return []
    lines = ["## Earlier attempts"]
    for run in ended[:ATTEMPTS_SHOWN]:
        words = f"- Attempt {run.attempt}: {run.outcome}"
        if run.error:
            words += f": {cut(run.error, ERROR_CHARS)}"
        if run.heartbeat_note:
            words += f" (its last note: {run.heartbeat_note})"
        lines.append(words)
    return ["\n".join(lines)]


def _comments(tx: Tx, task: Task) -> list[str]:
    found = notes.comment_of_task(tx, task.id, after=0, limit=10_000)
    if not found:
        return []
    left_out = len(found) - COMMENTS_SHOWN
    parts = ["## Comments"]
    if left_out > 0:
        parts.append(
            f"({left_out} older comments left out; `shop comments {task.id}` prints them.)"
        )
    parts += [
        f"**{one.author}:** {cut(one.body, HANDOFF_CHARS)}" for one in found[-COMMENTS_SHOWN:]
    ]
    return parts


def cut(text: str, most: int) -> str:
    """The text, cut with a word about what was left out."""
    return (
        text if len(text) <= most else f"{text[:most]} … ({len(text) - most} characters left out)"
    )
