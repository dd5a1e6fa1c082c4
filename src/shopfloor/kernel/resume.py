"""Whether an agent goes on in the session of its last run, and what it is told there.

A session is gone on with where the last run of the same profile and role ended with a word that waited
for somebody: a question, a block, a review, another task, a rate limit.  After a failure the next attempt
starts anew, with what is known of the failure in its context.
"""

from __future__ import annotations

from typing import NamedTuple

from shopfloor.domain.lifecycle import Outcome
from shopfloor.domain.model import Event, Run, Task
from shopfloor.kernel.context import cut
from shopfloor.kernel.questions import words_of
from shopfloor.store import events, notes, questions, runs
from shopfloor.store.db import Tx

RUNS_SEARCHED = 20
EVENTS_SEARCHED = 50
COMMENTS_TOLD = 20
COMMENT_CHARS = 4_000

_OPENINGS = {
    Outcome.BLOCKED: "You are back on the task, because a person let it go on.",
    Outcome.DEPENDENCY_WAIT: "You are back on the task: what it waited for is done.",
    Outcome.REVIEW_REQUESTED: "You are back on the task, because your work was reviewed.",
    Outcome.CHANGES_REQUESTED: "The implementer worked on what you asked for; review the task again.",
    Outcome.RATE_LIMITED: "You are back on the task: the provider's limit, which stopped you, is over.",
}


class Resumption(NamedTuple):
    """The session to go on in, and the news that it is told."""

    session_id: str
    news: str


def session_for(
    tx: Tx, task: Task, profile: str, role: str = "worker", *, host: str | None = None
) -> Resumption | None:
    """The session that the next run of a profile goes on in; None: it begins one of its own.

    With `host`, a session of another machine does not count: it lies in that machine's files.
    """
    last = _last(tx, task, profile, role)
    if last is None or last.session_id is None or last.outcome is None:
        return None
    opening = _OPENINGS.get(Outcome(last.outcome))
    if opening is None or (host is not None and last.host not in (host, "")):
        return None
    told = [opening, *_reason(tx, task, last), *_answers(tx, last), *_comments(tx, task, last)]
    return Resumption(last.session_id, "\n\n".join(told))


def _last(tx: Tx, task: Task, profile: str, role: str) -> Run | None:
    found = (
        run
        for run in runs.of_task(tx, task.id, RUNS_SEARCHED)
        if run.id != task.current_run and (run.profile, run.role) == (profile, role)
    )
    return next(found, None)


def _reason(tx: Tx, task: Task, last: Run) -> list[str]:
    """The words with which the task came back: what a reviewer wants changed, why a person unblocked it."""
    wanted = {
        Outcome.REVIEW_REQUESTED: ("changes_requested", "What has to change"),
        Outcome.CHANGES_REQUESTED: ("review_requested", "What was handed in"),
        Outcome.BLOCKED: ("unblocked", "The reason"),
    }.get(Outcome(last.outcome or ""))
    if wanted is None:
        return []
    kind, title = wanted
    found = events.latest_of_task(tx, task.id, EVENTS_SEARCHED, kinds=[kind])
    after = [event for event in found if event.at >= (last.ended_at or 0)]
    return _worded(tx, after[0], title) if after else []


def _worded(tx: Tx, event: Event, title: str) -> list[str]:
    """What the event's words are; a handoff is kept whole on the run that gave it."""
    run = None if event.run_id is None else runs.get(tx, event.run_id)
    reason = events.data_of(event).get("reason")
    words = reason if run is None else run.summary or run.error
    if not isinstance(words, str) or "question" in events.data_of(event):
        return []
    return [f"{title}: {cut(words, COMMENT_CHARS)}"]


def _answers(tx: Tx, last: Run) -> list[str]:
    asked = reversed(questions.of_task(tx, last.task_id, COMMENTS_TOLD))
    return [words_of(one) for one in asked if one.run_id == last.id and one.answer is not None]


def _comments(tx: Tx, task: Task, last: Run) -> list[str]:
    """What others wrote since the last run was told; answers are told already."""
    answers = set(_answers(tx, last))
    found = notes.comment_unread(tx, task.id, last.id, COMMENTS_TOLD)
    return [
        f"New comment by {one.author}: {cut(one.body, COMMENT_CHARS)}"
        for one in found
        if one.body not in answers
    ]
