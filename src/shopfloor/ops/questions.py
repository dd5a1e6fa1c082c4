"""Questions of workers to people: ask, answer, see what waits for an answer."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, field

from shopfloor.domain import limits
from shopfloor.domain.durations import DURATION_MS_MAX
from shopfloor.domain.errors import (
    Conflict,
    Forbidden,
    GuardFailed,
    Invalid,
    LimitReached,
    NotFound,
    Stale,
    WrongStatus,
)
from shopfloor.domain.lifecycle import By
from shopfloor.kernel import questions as asking
from shopfloor.kernel.load import load, run_of
from shopfloor.ops.context import Context
from shopfloor.ops.fields import Id
from shopfloor.ops.registry import operation
from shopfloor.ops.run_views import QuestionView
from shopfloor.ops.schema import Arg, Request, Result
from shopfloor.store import questions

Option = Annotated[str, Meta(min_length=1, max_length=limits.OPTION_CHARS_MAX)]


class AskQuestion(Request, frozen=True, kw_only=True):
    """What a person should say."""

    id: Id
    question: Annotated[
        str,
        Arg(
            "The question, with all that is needed to answer it.",
            positional=True,
            min_length=1,
            max_length=limits.REASON_CHARS_MAX,
        ),
    ]
    options: Annotated[
        list[Option],
        Arg("An answer to choose from; other words may be answered too.", flag="--option"),
        Meta(max_length=limits.OPTIONS_MAX),
    ] = field(default_factory=list)
    default: Annotated[
        Annotated[str, Meta(min_length=1, max_length=limits.REASON_CHARS_MAX)] | None,
        Arg("The answer if nobody gives one until --deadline."),
    ] = None
    deadline_ms: Annotated[
        Annotated[int, Meta(gt=0, le=DURATION_MS_MAX)] | None,
        Arg("How long to wait before the default is the answer.", unit="ms"),
    ] = None
    kind: Annotated[
        Literal["question", "permission"], Arg("`permission`: the agent program itself asks.")
    ] = "question"
    wait: Annotated[
        bool,
        Arg("Go on running, and look for the answer with `inbox`; otherwise the task is blocked."),
    ] = False


class Asking(Result, frozen=True):
    """The question, and the status of its task now."""

    question: QuestionView
    task: int
    status: str


@operation(
    "task.ask",
    "POST /api/v1/tasks/{id}/ask",
    command="ask",
    role="worker",
    errors=(NotFound, WrongStatus, Stale, Forbidden, Invalid, LimitReached, Conflict, GuardFailed),
    tools=("worker", "reviewer"),
    when=(
        "Call it as your last act when only a person can decide something. You are started again in "
        "the same session with the answer. With `wait` you go on working meanwhile."
    ),
)
def ask(ctx: Context, req: AskQuestion) -> Asking:
    """Ask a person, and stop working on the task until the answer is there.

    The task waits as blocked.  The answer starts its worker again, in the same session where the agent
    can resume one.  With a default and a deadline it goes on by itself.
    """
    if (req.default is None) != (req.deadline_ms is None):
        raise Invalid("a default and a deadline belong together; give both, or neither")
    asked = asking.Asked(
        req.question, tuple(req.options), req.default, req.deadline_ms, req.kind, req.wait
    )
    limit = ctx.settings.dispatch.block_recurrence_limit
    told = asking.ask(ctx.tx, ctx.caller, req.id, asked, recurrence_limit=limit)
    return Asking(QuestionView.of(told.question), told.task.id, told.task.status)


class AnswerQuestion(Request, frozen=True, kw_only=True):
    """The answer."""

    id: Id
    answer: Annotated[
        str,
        Arg(
            "The answer: one of the options, or other words; `-` reads standard input.",
            positional=True,
            min_length=1,
            max_length=limits.REASON_CHARS_MAX,
        ),
    ]
    question: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Arg("The question's number, where the task has several."),
    ] = None


@operation(
    "task.answer",
    "POST /api/v1/tasks/{id}/answer",
    command="answer",
    errors=(NotFound, Conflict, GuardFailed, WrongStatus),
)
def answer(ctx: Context, req: AnswerQuestion) -> Asking:
    """Answer what a task's worker asked; a task that was blocked by the question goes on.

    Options are suggestions: other words are an answer too.  It is kept as a comment as well, and does
    not count to the block loop.
    """
    told = asking.answer(ctx.tx, ctx.caller, req.id, req.answer, question_id=req.question)
    return Asking(QuestionView.of(told.question), told.task.id, told.task.status)


class ListQuestions(Request, frozen=True, kw_only=True):
    """Which questions."""

    id: Annotated[Annotated[int, Meta(ge=1)] | None, Arg("Of this task.", positional=True)] = None
    everyone: Annotated[bool, Arg("Answered and closed ones too.", flag="--all")] = False
    before: Annotated[Annotated[int, Meta(ge=1)] | None, Arg("Only older than this question.")] = (
        None
    )
    limit: Annotated[int, Arg("At most so many.", ge=1, le=limits.PAGE_MAX)] = limits.PAGE_DEFAULT


@operation(
    "question.list",
    "GET /api/v1/questions",
    command="questions",
    kind="read",
    role="anyone",
    errors=(NotFound, Forbidden),
)
def list_questions(ctx: Context, req: ListQuestions) -> list[QuestionView]:
    """List what waits for a person's answer, the newest first; a worker sees its own task's."""
    task_id = req.id
    if ctx.caller.by is By.WORKER:
        task_id = run_of(ctx.tx, ctx.caller).task_id
    if task_id is not None:
        load(ctx.tx, task_id)
    before = req.before if req.before is not None else 2**62
    found = questions.listed(
        ctx.tx, everyone=req.everyone, task_id=task_id, before=before, limit=req.limit
    )
    return [QuestionView.of(one) for one in found]


class OneQuestion(Request, frozen=True):
    """Which question."""

    id: Annotated[int, Arg("The question's number.", positional=True, ge=1)]


@operation(
    "question.show",
    "GET /api/v1/questions/{id}",
    command="question",
    kind="read",
    role="anyone",
    errors=(NotFound, Forbidden),
)
def show_question(ctx: Context, req: OneQuestion) -> QuestionView:
    """Show one question and its answer; a worker sees its own task's."""
    found = questions.get(ctx.tx, req.id)
    own = ctx.caller.by is not By.WORKER or (
        found is not None and run_of(ctx.tx, ctx.caller).task_id == found.task_id
    )
    if found is None or not own:
        raise NotFound(f"there is no question {req.id}; `shop questions --all` shows what there is")
    return QuestionView.of(found)
