"""What an attempt looks like from outside: without its token, with what its agent used, asked and said last."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Literal

from shopfloor.domain.model import LastWords, Question, Run
from shopfloor.ops.schema import Result, always, moment


class UsageView(Result, frozen=True):
    """What a run used so far; a cost that its program does not tell is unknown."""

    model: str | None
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    cost_micros: int | None

    @staticmethod
    def of(column: str | None) -> UsageView | None:
        if column is None:
            return None
        told = json.loads(column)
        return UsageView(
            told.get("model"),
            told.get("input_tokens", 0),
            told.get("output_tokens", 0),
            told.get("cache_read_tokens", 0),
            told.get("cache_write_tokens", 0),
            told.get("cost_micros"),
        )


class LastWordsView(Result, frozen=True):
    """What an agent's runner reported of the end: its kind, the next step, the agent's final text."""

    ending: str | None
    sentence: str | None
    next_step: str | None
    text: str | None
    turns: int
    reminders: int

    @staticmethod
    def of(told: LastWords | None) -> LastWordsView | None:
        if told is None:
            return None
        return LastWordsView(
            told.ending, told.sentence, told.next_step, told.text, told.turns, told.reminders
        )


class RunView(Result, frozen=True):
    """One attempt; its `report` and `receipt` (a hash) are told where one attempt or one task is looked at."""

    id: int
    task: int
    role: str
    attempt: int
    profile: str | None
    host: str
    pid: int | None
    state: str
    outcome: str | None
    error: str | None
    summary: str | None
    result: str | None
    metadata: Any
    pending_check: bool
    heartbeat_note: str | None
    workspace: str | None
    exit_code: int | None
    exit_signal: int | None
    exit_record: Any
    claimed_at: datetime
    started_at: datetime | None
    heartbeat_at: datetime | None
    lease_until: datetime | None
    ended_at: datetime | None
    gone_at: datetime | None
    session: str | None = None
    usage: UsageView | None = None
    report: LastWordsView | None = None
    receipt: str | None = None

    @staticmethod
    def of(run: Run, report: LastWords | None = None, receipt: str | None = None) -> RunView:
        return RunView(
            id=run.id,
            task=run.task_id,
            role=run.role,
            attempt=run.attempt,
            profile=run.profile,
            host=run.host,
            pid=run.pid,
            state=state_of(run),
            outcome=run.outcome,
            error=run.error,
            summary=run.summary,
            result=run.result,
            metadata=None if run.metadata is None else json.loads(run.metadata),
            pending_check=run.pending is not None and run.ended_at is None,
            heartbeat_note=run.heartbeat_note,
            workspace=run.workspace,
            exit_code=run.exit_code,
            exit_signal=run.exit_signal,
            exit_record=None if run.exit_record is None else json.loads(run.exit_record),
            claimed_at=always(run.claimed_at),
            started_at=moment(run.started_at),
            heartbeat_at=moment(run.heartbeat_at),
            lease_until=moment(run.lease_until),
            ended_at=moment(run.ended_at),
            gone_at=moment(run.gone_at),
            session=run.session_id,
            usage=UsageView.of(run.usage),
            report=LastWordsView.of(report),
            receipt=receipt,
        )


def state_of(run: Run) -> str:
    """Where a run is in its life: starting, running, checking, leaving or ended."""
    if run.ended_at is not None:
        return "ended" if run.gone_at is not None else "leaving"
    if run.pending is not None:
        return "checking"
    return "running" if run.pid is not None or run.host == "" else "starting"


class QuestionView(Result, frozen=True):
    """A question: open, answered, or closed because nobody waits for the answer any more."""

    id: int
    task: int
    run: int | None
    kind: str
    state: Literal["open", "answered", "closed"]
    body: str
    options: list[str]
    default: str | None
    deadline: datetime | None
    asked_at: datetime
    asked_by: str
    answer: str | None
    answered_at: datetime | None
    answered_by: str | None

    @staticmethod
    def of(question: Question) -> QuestionView:
        return QuestionView(
            question.id,
            question.task_id,
            question.run_id,
            question.kind,
            _state(question),
            question.body,
            json.loads(question.options),
            question.default_answer,
            moment(question.deadline),
            always(question.asked_at),
            question.asked_by,
            question.answer,
            moment(question.answered_at),
            question.answered_by,
        )


def _state(question: Question) -> Literal["open", "answered", "closed"]:
    if question.answered_at is None:
        return "open"
    return "closed" if question.answer is None else "answered"
