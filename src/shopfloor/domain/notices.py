"""What a message says: the words of one event, and the message that one or many of them make.

The words are made when the event is written and stored beside it; the message is made from them once,
before it is first sent, and stored too.  Nothing is looked up again when it is sent again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from shopfloor.domain import limits
from shopfloor.domain.model import Delivery

# The sign and the words of each kind of event that is told to anybody.
SAID: Final[dict[str, tuple[str, str]]] = {
    "created": ("+", "created"),
    "completed": ("✔", "completed"),
    "review_requested": ("⏸", "asks for a review"),
    "changes_requested": ("↩", "changes requested"),
    "blocked": ("⏸", "blocked"),
    "block_loop_detected": ("⏸", "blocked again and again"),
    "asked": ("?", "asks a question"),
    "commented": ("•", "commented"),
    "gave_up": ("✖", "given up"),
    "failed": ("✖", "failed"),
    "crashed": ("✖", "crashed"),
    "timed_out": ("✖", "timed out"),
    "check_failed": ("✖", "its check failed"),
    "spawn_failed": ("✖", "could not be started"),
    "goal_budget_spent": ("✖", "used all its goal turns"),
    "auth_failed": ("✖", "login refused"),
    "permission_refused": ("✖", "permission refused"),
    "cancelled": ("✖", "cancelled"),
    "reopened": ("↩", "reopened"),
    "archived": ("•", "archived"),
    "schedule_held": ("⏸", "put no task on the board"),
    "test": ("✔", "a test message"),
}
_WORDS: Final = ("summary", "body", "reason", "error")


class Sent(NamedTuple):
    """What came of one send; without `again` no further one is tried."""

    ok: bool
    error: str = ""
    retry_after_ms: int | None = None
    again: bool = True


def first_words(data: Mapping[str, Any]) -> str:
    """What an event's data says to a person, in one line."""
    for name in _WORDS:
        said = data.get(name)
        if isinstance(said, str) and said.strip():
            return said.strip().split("\n", 1)[0].strip()[: limits.NOTICE_WORDS_MAX]
    return ""


def line(row: Delivery) -> str:
    """One event as one line."""
    sign, said = SAID.get(row.kind, ("•", row.kind.replace("_", " ")))
    task = f"#{row.task_id} " if row.task_id is not None else ""
    return f"{sign} {task}{row.title}: {said}"


def message(
    rows: Sequence[Delivery], *, key: str, board: str, site: str, files: Sequence[object]
) -> dict[str, Any]:
    """The message that tells these events, oldest first; `key` is the same whenever it is sent.

    `site` is where the board's pages are, empty where nobody can open them.
    """
    tasks = list(dict.fromkeys(row.task_id for row in rows if row.task_id is not None))
    one = tasks[0] if len(tasks) == 1 else None
    link = f"{site}/b/{board}" + (f"/t/{one}" if one is not None else "") if site else ""
    return {
        "id": key,
        "board": board,
        "task": one,
        "title": _title(rows, tasks),
        "text": _text(rows),
        "link": link,
        "count": len(rows),
        "events": [_told(row) for row in rows[: limits.NOTICE_EVENTS_MAX]],
        "files": list(files),
    }


def _title(rows: Sequence[Delivery], tasks: Sequence[int]) -> str:
    if len(rows) == 1:
        return line(rows[0])
    counted = Counter(SAID.get(row.kind, ("", row.kind))[1] for row in rows)
    parts = ", ".join(f"{count} {said}" for said, count in counted.most_common(4))
    more = " …" if len(counted) > 4 else ""  # noqa: PLR2004 - as many as were named
    return f"{len(rows)} events of {_about(rows, tasks)}: {parts}{more}"


def _about(rows: Sequence[Delivery], tasks: Sequence[int]) -> str:
    """What the events of one message are about: tasks, schedules, or both."""
    others = {row.title for row in rows if row.task_id is None}
    if len(tasks) + len(others) == 1:
        return f"#{tasks[0]} {rows[0].title}" if tasks else rows[0].title
    counted = [f"{len(tasks)} tasks"] if tasks else []
    counted += [f"{len(others)} schedules"] if others else []
    return " and ".join(counted)


def _text(rows: Sequence[Delivery]) -> str:
    if len(rows) == 1:
        return rows[0].words
    told = [
        f"{line(row)} · {row.words}" if row.words else line(row)
        for row in rows[: limits.NOTICE_LINES_MAX]
    ]
    left = len(rows) - len(told)
    return "\n".join([*told, *([f"… and {left} more"] if left else [])])


def _told(row: Delivery) -> dict[str, Any]:
    return {
        "delivery": row.id,
        "event": row.event_id,
        "kind": row.kind,
        "task": row.task_id,
        "title": row.title,
        "words": row.words,
        "at": row.created_at,
    }
