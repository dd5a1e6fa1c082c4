"""Questions of workers to people: asked, answered, or answered by the default that the asker set.

A question blocks its task (needs_input) with the question as the reason, unless its asker says that it
waits by itself.  An answer is written on the task as a comment too, so that any next worker reads it;
when none is open any more, a task that the question blocked goes on.  A question that nobody waits for
any more is closed: its task ended, or a person led it on without an answer (`apply.py` does that).
"""

from __future__ import annotations

import json
from typing import Literal, NamedTuple

from shopfloor.domain import limits
from shopfloor.domain.caller import Caller
from shopfloor.domain.errors import Conflict, Forbidden, GuardFailed, LimitReached, NotFound
from shopfloor.domain.lifecycle import By, Status, Verb
from shopfloor.domain.model import Question, Task
from shopfloor.kernel.apply import Change
from shopfloor.kernel.load import Held, enter, load
from shopfloor.kernel.verbs import act_on, again
from shopfloor.store import events, notes, questions, runs
from shopfloor.store.db import Tx

DEADLINE = Caller(By.BOARD, "deadline")
SHOWN_CHARS = 200


class Asked(NamedTuple):
    """What a worker wants to know; with a `default` it is answered by itself after `deadline_ms`.

    `wait`: the worker goes on running and looks for the answer itself.
    """

    body: str
    options: tuple[str, ...] = ()
    default: str | None = None
    deadline_ms: int | None = None
    kind: Literal["question", "permission"] = "question"
    wait: bool = False


class Told(NamedTuple):
    """A question, and its task after what was done."""

    question: Question
    task: Task


def ask(tx: Tx, caller: Caller, task_id: int, asked: Asked, *, recurrence_limit: int) -> Told:
    """Ask a person, by the worker of the task's open run."""
    held = enter(tx, caller, task_id, "ask about")
    if caller.by is not By.WORKER:
        raise Forbidden(
            f"only the worker of #{task_id} asks a question; write a comment, or block it with the reason"
        )
    if len(questions.open_of_task(tx, task_id)) >= limits.QUESTIONS_OPEN_MAX:
        raise LimitReached(
            f"#{task_id} has {limits.QUESTIONS_OPEN_MAX} open questions, which is the most; wait for answers"
        )
    added = questions.add(
        tx,
        task_id=task_id,
        run_id=caller.run_id,
        kind=asked.kind,
        body=asked.body,
        options=json.dumps(asked.options, ensure_ascii=False),
        default_answer=asked.default,
        deadline=None if asked.deadline_ms is None else tx.now + asked.deadline_ms,
        asked_by=caller.name,
    )
    data: dict[str, object] = {"question": added.id, "body": asked.body[:SHOWN_CHARS]}
    if asked.options:
        data["options"] = list(asked.options)
    if added.deadline is not None:
        data["deadline"] = added.deadline
    _say(tx, "asked", added, caller, **data)
    if asked.wait:
        return Told(added, held.task)
    change = Change(caller, reason=asked.body, block_kind="needs_input")
    applied = act_on(tx, Verb.BLOCK, held, change, recurrence_limit=recurrence_limit)
    return Told(added, applied.task)


def answer(
    tx: Tx, caller: Caller, task_id: int, text: str, *, question_id: int | None = None
) -> Told:
    """Answer a question of a task, and let the task go on if it waited for nothing else."""
    held = Held(load(tx, task_id), None)
    return _answer(tx, caller, held, _which(tx, held.task, question_id), text=text)


def expire(tx: Tx) -> list[int]:
    """Answer what is past its deadline with the default that its asker set; the tasks concerned."""
    moved = []
    for found in questions.due(tx, limits.BATCH_PER_TICK):
        task = load(tx, found.task_id)
        question = questions.get(tx, found.id)
        if question is None or question.answered_at is not None:
            continue
        assert question.default_answer is not None, "a deadline comes with a default"
        _answer(tx, DEADLINE, Held(task, None), question, text=question.default_answer)
        moved.append(task.id)
    return moved


def waits_for_answer(tx: Tx, task: Task) -> Question | None:
    """The question that blocks a task, answered or not: its last run ended by asking it."""
    if task.status != Status.BLOCKED:
        return None
    last = runs.of_task(tx, task.id, 1)
    asked = questions.of_task(tx, task.id, limits.QUESTIONS_SEARCHED)
    return next(
        (one for one in asked if last[0].id == one.run_id and one.body == task.block_reason), None
    )


def words_of(question: Question) -> str:
    """An answered question as a comment says it."""
    return f"Question {question.id}: {question.body}\n\nAnswer: {question.answer}"


def _which(tx: Tx, task: Task, question_id: int | None) -> Question:
    """The one question that is to be answered; raises where there is none, or more than one."""
    waiting = questions.open_of_task(tx, task.id)
    if question_id is not None:
        found = questions.get(tx, question_id)
        if found is None or found.task_id != task.id:
            raise NotFound(
                f"#{task.id} has no question {question_id}; `shop questions {task.id}` lists them"
            )
        if found.answered_at is not None:
            raise _answered(found)
        return found
    if len(waiting) > 1:
        numbers = ", ".join(str(one.id) for one in waiting)
        raise GuardFailed(
            f"cannot answer #{task.id}: it has several open questions ({numbers}); name one with --question",
            detail={"task": task.id, "questions": [one.id for one in waiting]},
        )
    if waiting:
        return waiting[0]
    earlier = questions.of_task(tx, task.id, 1)
    if earlier:
        raise _answered(earlier[0])
    raise NotFound(
        f"#{task.id} has asked nothing; write a comment, and `shop unblock {task.id}` if it is blocked"
    )


def _answered(question: Question) -> Conflict:
    by = question.answered_by
    if question.answer is None:
        return Conflict(
            f"question {question.id} of #{question.task_id} is closed: {by} let the task go on without an "
            "answer; write a comment instead"
        )
    return Conflict(
        f"question {question.id} of #{question.task_id} was answered already by {by}: "
        f"{question.answer[:SHOWN_CHARS]!r}; write a comment to add to it",
        detail={"question": question.id, "answer": question.answer},
    )


def _answer(tx: Tx, caller: Caller, held: Held, question: Question, *, text: str) -> Told:
    task = held.task
    blocks = waits_for_answer(tx, task) is not None
    if not questions.answer(tx, question.id, text, caller.name):
        raise _answered(question)
    told = question._replace(answer=text, answered_at=tx.now, answered_by=caller.name)
    shown = text[:SHOWN_CHARS]
    _say(tx, "answered", told, caller, question=question.id, answer=shown)
    added = notes.comment_add(
        tx, task_id=task.id, run_id=None, author=caller.name, body=words_of(told)
    )
    _say(tx, "commented", told, caller, comment=added.id)
    if not blocks or questions.open_of_task(tx, task.id):
        return Told(told, task)
    # What was answered does not count to the block loop.
    freed = task._replace(loop_count=max(task.loop_count - 1, 0))
    reason = f"question {question.id} was answered"
    change = Change(caller, reason=reason, data={"question": question.id})
    act_on(tx, Verb.UNBLOCK, Held(freed, None), change, answered=True)
    return Told(told, again(tx, task.id))


def _say(tx: Tx, kind: str, about: Question, caller: Caller, **data: object) -> None:
    events.append(
        tx,
        kind,
        task_id=about.task_id,
        run_id=caller.run_id,
        actor=caller.name,
        data=data,
    )
