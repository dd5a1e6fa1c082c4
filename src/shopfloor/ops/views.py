"""What the answers look like: rows as people and programs read them, without secrets, times as ISO 8601."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from shopfloor.domain.model import Attachment, Comment, Event, Hold, Task
from shopfloor.ops.fields import Backoff, Command
from shopfloor.ops.run_views import QuestionView, RunView
from shopfloor.ops.schema import Result, always, moment


class TaskLine(Result, frozen=True):
    """A task as a list shows it."""

    id: int
    status: str
    title: str
    assignee: str | None
    priority: int
    tenant: str | None
    creator: str
    attempts: int
    failures: int
    block_kind: str | None
    block_reason: str | None
    last_error: str | None
    not_before: datetime | None
    created_at: datetime
    changed_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    origin: int | None = None
    session: str | None = None
    template: str | None = None
    step: str | None = None
    phase: str = "work"
    undelivered: str | None = None

    @staticmethod
    def of(task: Task, undelivered: str | None = None) -> TaskLine:
        return TaskLine(
            task.id,
            task.status,
            task.title,
            task.assignee,
            task.priority,
            task.tenant,
            task.creator,
            task.attempts,
            failures(task),
            task.block_kind,
            task.block_reason,
            task.last_error,
            moment(task.not_before),
            always(task.created_at),
            always(task.changed_at),
            moment(task.started_at),
            moment(task.ended_at),
            task.origin_id,
            task.session_id,
            task.template_id,
            task.step_key,
            task.phase,
            undelivered,
        )


def failures(task: Task) -> int:
    """The failures in a row of the phase that the task is in."""
    return task.failures_review if task.phase == "review" else task.failures_work


class TaskView(Result, frozen=True):
    """A task with everything that its row says."""

    id: int
    status: str
    phase: str
    title: str
    body: str
    assignee: str | None
    priority: int
    tenant: str | None
    creator: str
    session: str | None
    skills: list[str]
    model: str | None
    provider: str | None
    template: str | None
    step: str | None
    origin: int | None
    idempotency_key: str | None
    command: Command | None
    check: list[str] | None
    artifacts: list[str]
    start_after: str
    max_runtime_ms: int | None
    max_attempts: int | None
    backoff: Backoff | None
    goal: bool
    goal_turns: int | None
    workspace_kind: str
    workspace_path: str | None
    branch: str | None
    not_before: datetime | None
    forced: bool
    current_run: int | None
    attempts: int
    failures: int
    block_kind: str | None
    block_reason: str | None
    block_count: int
    archived_from: str | None
    last_error: str | None
    summary: str | None
    result: str | None
    metadata: Any
    created_at: datetime
    changed_at: datetime
    started_at: datetime | None
    ended_at: datetime | None

    @staticmethod
    def of(task: Task) -> TaskView:
        return TaskView(
            id=task.id,
            status=task.status,
            phase=task.phase,
            title=task.title,
            body=task.body,
            assignee=task.assignee,
            priority=task.priority,
            tenant=task.tenant,
            creator=task.creator,
            session=task.session_id,
            skills=_listed(task.skills),
            model=task.model,
            provider=task.provider,
            template=task.template_id,
            step=task.step_key,
            origin=task.origin_id,
            idempotency_key=task.idempotency_key,
            command=None if task.command is None else Command(**json.loads(task.command)),
            check=None if task.check_command is None else _listed(task.check_command),
            artifacts=_listed(task.artifacts),
            start_after=task.start_after,
            max_runtime_ms=task.max_runtime_ms,
            max_attempts=task.max_attempts,
            backoff=None if task.backoff is None else Backoff(**json.loads(task.backoff)),
            goal=bool(task.goal),
            goal_turns=task.goal_turns,
            workspace_kind=task.workspace_kind,
            workspace_path=task.workspace_path,
            branch=task.branch,
            not_before=moment(task.not_before),
            forced=task.forced_at is not None,
            current_run=task.current_run,
            attempts=task.attempts,
            failures=failures(task),
            block_kind=task.block_kind,
            block_reason=task.block_reason,
            block_count=task.loop_count,
            archived_from=task.archived_from,
            last_error=task.last_error,
            summary=task.summary,
            result=task.result,
            metadata=None if task.metadata is None else json.loads(task.metadata),
            created_at=always(task.created_at),
            changed_at=always(task.changed_at),
            started_at=moment(task.started_at),
            ended_at=moment(task.ended_at),
        )


def _listed(column: str) -> list[str]:
    return [] if column == "[]" else json.loads(column)


class EventView(Result, frozen=True):
    """One change."""

    id: int
    task: int | None
    run: int | None
    kind: str
    status: str | None
    actor: str
    at: datetime
    data: Any

    @staticmethod
    def of(event: Event) -> EventView:
        return EventView(
            event.id,
            event.task_id,
            event.run_id,
            event.kind,
            event.status,
            event.actor,
            always(event.at),
            json.loads(event.data),
        )


class CommentView(Result, frozen=True):
    """What somebody wrote on a task."""

    id: int
    task: int
    run: int | None
    author: str
    body: str
    created_at: datetime

    @staticmethod
    def of(comment: Comment) -> CommentView:
        return CommentView(
            comment.id,
            comment.task_id,
            comment.run_id,
            comment.author,
            comment.body,
            always(comment.created_at),
        )


class AttachmentView(Result, frozen=True):
    """A file kept with a task; `path` is where it lies on the board's host."""

    name: str
    size: int
    sha256: str
    creator: str
    created_at: datetime
    path: str

    @staticmethod
    def of(attachment: Attachment, path: str) -> AttachmentView:
        return AttachmentView(
            attachment.name,
            attachment.size,
            attachment.sha256,
            attachment.creator,
            always(attachment.created_at),
            path,
        )


class HoldView(Result, frozen=True):
    """A pause or a guard; `key` is what a list of them goes on after."""

    scope: str
    name: str
    code: str
    reason: str
    actor: str
    since: datetime
    until: datetime | None
    key: str

    @staticmethod
    def of(hold: Hold) -> HoldView:
        return HoldView(
            hold.scope,
            hold.name,
            hold.code,
            hold.reason,
            hold.actor,
            always(hold.since),
            moment(hold.until),
            f"{hold.scope}/{hold.name}/{hold.code}",
        )


class LinkedTask(Result, frozen=True):
    """A task at the other end of a link."""

    id: int
    status: str
    title: str
    waived: bool


class WhyView(Result, frozen=True):
    """Why a task is not moving, since when, what would move it, when it is looked at again."""

    task: int
    status: str
    code: str
    sentence: str
    next_step: str
    since: datetime
    until: datetime | None


class SpentView(Result, frozen=True):
    """What all attempts of a task have used: tokens that count to a limit, and known cost; and its limits."""

    tokens: int
    cost_micros: int
    max_tokens: int | None
    max_cost_micros: int | None


class StepView(Result, frozen=True):
    """One thing to do: a command, and the same as a request where it is a question to the board.

    `asks` names the argument that only a person knows; `ends`: done, the finding is over.
    """

    title: str
    command: str
    op: str | None
    args: dict[str, Any]
    asks: str | None
    ends: bool


class DiagnosticView(Result, frozen=True):
    """One thing that is wrong, since when, and what to do; without a task it is about the board."""

    code: str
    severity: str
    task: int | None
    title: str | None
    since: datetime
    sentence: str
    steps: list[StepView]


class Diagnosis(Result, frozen=True):
    """What is wrong, a page at a time; `errors` and `warnings` count all of it."""

    items: list[DiagnosticView]
    next: str | None
    errors: int
    warnings: int


class UndeliveredView(Result, frozen=True):
    """A message about the task that has not arrived, or never will by itself."""

    delivery: int
    state: str
    error: str


class TaskDetail(Result, frozen=True):
    """A task with what belongs to it: links, attempts, words, files, and why it does not move."""

    task: TaskView
    why: WhyView
    parents: list[LinkedTask]
    children: list[LinkedTask]
    progress_done: int
    progress_total: int
    runs: list[RunView]
    comments: list[CommentView]
    attachments: list[AttachmentView]
    events: list[EventView]
    questions: list[QuestionView]
    spent: SpentView
    diagnostics: list[DiagnosticView]
    undelivered: list[UndeliveredView]


class TaskPage(Result, frozen=True):
    """One page of a list; `next` is what `after` takes for the next one, if there is one."""

    items: list[TaskLine]
    next: str | None


class Done(Result, frozen=True):
    """A task after a verb, in the words that matter."""

    id: int
    status: str
    title: str
    run: int | None = None
    note: str | None = None

    @staticmethod
    def of(task: Task, *, run: int | None = None, note: str | None = None) -> Done:
        return Done(task.id, task.status, task.title, run, note)
