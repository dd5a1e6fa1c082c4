"""What a worker is told: the task, what came before it, and what belongs to it, as one document.

It is bounded as a whole, and each of its parts by a share: a part that is longer keeps its newest and
says what was left out and how to read it.  `shop context` prints exactly this text.  The ledger's rows
are the source; the end of the log, which is a file, is read through a function that the caller gives.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from shopfloor.domain import limits
from shopfloor.domain.lifecycle import Outcome
from shopfloor.domain.model import Comment, LastWords, Question, Run, Task
from shopfloor.domain.outcomes import WORKERS_OWN
from shopfloor.kernel.protocol import protocol
from shopfloor.store import links, notes, questions, runs, spend
from shopfloor.store.db import Tx

ATTEMPTS_SHOWN = 5
ATTEMPTS_SEARCHED = 50
COMMENTS_SEARCHED = 10_000
QUESTIONS_SHOWN = 20
ITEM_BYTES = 4_000
NOTE_BYTES = 1_000
CONTEXT_LOG_BYTES = 8_000
# What each part may take of the whole; comments, the last to be filled in, have what is left.
BODY_BYTES, ANSWERS_BYTES, ATTEMPTS_BYTES, HANDOFF_BYTES, FILES_BYTES = (
    16_000,
    4_000,
    9_000,
    9_000,
    3_000,
)

LogTail = Callable[[int], str]


class Part(NamedTuple):
    """A part of the document: its items, the newest first; `rest` says how to read what is left out."""

    title: str
    items: Sequence[str]
    most: int
    rest: str
    total: int | None = None


class Room:
    """How many bytes are left of the whole document."""

    def __init__(self, most: int) -> None:
        self.left = most

    def take(self, text: str) -> str:
        self.left -= _size(text) + 2
        return text

    def fill(self, part: Part) -> list[str]:
        """The part as far as there is room for it, with a word on what was left out."""
        if not part.items:
            return []
        total = len(part.items) if part.total is None else part.total
        most = min(part.most, self.left) - _size(part.title) - _size(part.rest) - NOTE_BYTES // 4
        if most <= 0:
            return []
        shown: list[str] = []
        for item in part.items:
            fits = cut(item, min(most, ITEM_BYTES)) if not shown else item
            if _size(fits) > most:
                break
            shown.append(fits)
            most -= _size(fits) + 2
        texts = [self.take(part.title), *(self.take(item) for item in shown)]
        if len(shown) < total:
            texts.append(self.take(f"({total - len(shown)} more left out; {part.rest})"))
        return texts


def compose(
    tx: Tx,
    task: Task,
    path_of: Callable[[int, str], str],
    log_tail: LogTail | None = None,
) -> str:
    """The context of the task's current or next attempt, as Markdown, newest first, bounded in size."""
    room = Room(limits.CONTEXT_BYTES_MAX)
    role = "reviewer" if task.phase == "review" else "worker"
    everyone = runs.of_task(tx, task.id, ATTEMPTS_SEARCHED)
    earlier = [run for run in everyone if run.id != task.current_run and run.outcome is not None]
    head = [room.take(f"# {task.title}"), room.take(_facts(task, role))]
    if task.command is None:
        head.append(room.take(protocol(task, role)))
    if task.body:
        more = f"`shop show {task.id}` has the rest"
        head.append(room.take(f"## The task\n\n{cut(task.body, BODY_BYTES, more)}"))
    parts = [
        *(room.fill(_answers(tx, task)) if earlier else ()),
        *room.fill(_attempts(tx, task, earlier, log_tail)),
        *room.fill(_handoffs(tx, task)),
    ]
    files = room.fill(_files(tx, task, path_of))
    return "\n\n".join([*head, *parts, *room.fill(_comments(tx, task)), *files]) + "\n"


def _facts(task: Task, role: str) -> str:
    lines = [f"Task #{task.id}, attempt {max(task.attempts, 1)}, as its {role}."]
    if task.assignee is not None:
        lines.append(f"Assignee: {task.assignee}.")
    lines.append(_workspace(task))
    if task.check_command is not None:
        lines.append(f"A check decides whether it is done: `{task.check_command}`.")
    if task.artifacts != "[]":
        lines.append(f"Files of the workspace that are kept with it: {task.artifacts}.")
    if task.skills != "[]":
        lines.append(f"Skills: {task.skills}.")
    return "\n".join(lines)


def _workspace(task: Task) -> str:
    """Where the worker is: its working directory."""
    if task.workspace_kind == "dir":
        return f"Workspace: {task.workspace_path}, which others use too."
    if task.workspace_kind == "worktree":
        branch = f", on the branch {task.branch}" if task.branch else ""
        return f"Workspace: a git worktree of its own{branch}; commit your work there."
    return "Workspace: a folder of its own, which is removed when the task is done; attach what is to stay."


def _answers(tx: Tx, task: Task) -> Part:
    asked = questions.of_task(tx, task.id, QUESTIONS_SHOWN)
    items = [_asked(one) for one in asked if one.answer is not None or one.answered_at is None]
    rest = f"`shop questions {task.id} --all` lists them"
    return Part("## Questions to people", items, ANSWERS_BYTES, rest)


def _asked(one: Question) -> str:
    answer = "not answered yet" if one.answer is None else f"{one.answer} ({one.answered_by})"
    return f"- {cut(one.body, NOTE_BYTES)}\n  Answer: {cut(answer, NOTE_BYTES)}"


def _attempts(tx: Tx, task: Task, earlier: list[Run], log_tail: LogTail | None) -> Part:
    told = spend.reports_of_task(tx, task.id) if earlier else {}
    items = [_attempt(run, told.get(run.id)) for run in earlier[:ATTEMPTS_SHOWN]]
    if earlier and log_tail is not None and _went_wrong(earlier[0]):
        tail = log_tail(task.id).strip()
        if tail:
            items.insert(1, f"The end of its log:\n\n{_quoted(_end(tail, ITEM_BYTES))}")
    rest = f"`shop runs {task.id}` lists them"
    return Part("## Earlier attempts", items, ATTEMPTS_BYTES, rest, _total(items, earlier))


def _total(items: list[str], earlier: list[Run]) -> int:
    """How many items there would be if all attempts were told."""
    return len(items) + max(len(earlier) - ATTEMPTS_SHOWN, 0)


def _went_wrong(run: Run) -> bool:
    return run.outcome is not None and Outcome(run.outcome) not in WORKERS_OWN


def _attempt(run: Run, told: LastWords | None) -> str:
    who = run.role if run.profile is None else f"{run.role} {run.profile}"
    lines = [f"- Attempt {run.attempt} ({who}) ended as {str(run.outcome).replace('_', ' ')}."]
    if run.error:
        lines.append(_item("Why", run.error))
    if run.summary:
        lines.append(_item("Handed over", run.summary))
    if run.heartbeat_note:
        lines.append(_item("Its last note", run.heartbeat_note))
    if told is not None and told.text and _went_wrong(run):
        lines.append(_item("Its last words", told.text))
    return "\n".join(lines)


def _item(name: str, words: str) -> str:
    """One thing that is told of an attempt; its further lines stay in the list's item."""
    return f"  {name}: " + cut(words, NOTE_BYTES).strip().replace("\n", "\n  ")


def _handoffs(tx: Tx, task: Task) -> Part:
    above = [parent for parent, _waived in links.parents(tx, task.id)]
    above.sort(key=lambda parent: parent.ended_at or 0, reverse=True)
    items = [_handoff(parent) for parent in above if _hands_over(parent)]
    title = "## What the tasks before it handed over"
    return Part(title, items, HANDOFF_BYTES, "`shop show N` has each of them")


def _hands_over(parent: Task) -> bool:
    return any(part is not None for part in (parent.summary, parent.result, parent.metadata))


def _handoff(parent: Task) -> str:
    words = [f"### #{parent.id} {parent.title} ({parent.status})"]
    words += [cut(part, ITEM_BYTES // 2) for part in (parent.summary, parent.result) if part]
    if parent.metadata is not None:
        words.append(_quoted(cut(parent.metadata, ITEM_BYTES // 4), "json"))
    return "\n\n".join(words)


def _files(tx: Tx, task: Task, path_of: Callable[[int, str], str]) -> Part:
    found = notes.attachment_of_task(tx, task.id)
    items = [f"- {path_of(task.id, one.name)} ({one.size} bytes)" for one in reversed(found)]
    return Part("## Attachments", items, FILES_BYTES, f"`shop attachments {task.id}` lists them")


def _comments(tx: Tx, task: Task) -> Part:
    found = notes.comment_of_task(tx, task.id, after=0, limit=COMMENTS_SEARCHED)
    items = [_comment(one) for one in reversed(found)]
    rest = f"`shop comments {task.id}` prints them"
    return Part("## Comments, the newest first", items, limits.CONTEXT_BYTES_MAX, rest)


def _comment(one: Comment) -> str:
    return f"**{one.author}:** {cut(one.body, ITEM_BYTES)}"


def _quoted(text: str, language: str = "") -> str:
    """The text between fences that it does not hold itself."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}{language}\n{text}\n{fence}"


def _end(text: str, most: int) -> str:
    """The end of a text, from a line's beginning on."""
    whole = text.encode()
    if len(whole) <= most:
        return text
    return whole[-most:].decode(errors="ignore").partition("\n")[2]


def cut(text: str, most: int, more: str = "") -> str:
    """The text as far as so many bytes go, with a word about what was left out."""
    whole = text.encode()
    if len(whole) <= most:
        return text
    said = f"; {more}" if more else ""
    shown = whole[: max(most - NOTE_BYTES // 8 - _size(said), 0)].decode(errors="ignore")
    return f"{shown} … ({len(whole) - _size(shown)} bytes left out{said})"


def _size(text: str) -> int:
    return len(text.encode())
