"""Ask the model about a task in triage, or about a goal: what the planning operations have in common.

The question is written down in a transaction of its own before it is asked, the answer after it; only then
the operation changes the task.  No transaction is open while a model thinks.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from typing import Annotated, Literal, TypeVar

from msgspec import Meta

from shopfloor.domain import limits
from shopfloor.domain.errors import (
    BoardError,
    Forbidden,
    GuardFailed,
    LimitReached,
    Refused,
    Stale,
    Unavailable,
)
from shopfloor.domain.model import Task
from shopfloor.domain.planning import Helper, Idea, Specified, Split, Turn
from shopfloor.domain.settings import Settings
from shopfloor.kernel import planning
from shopfloor.kernel.load import enter, load
from shopfloor.ops.context import Around, Planning
from shopfloor.ops.registry import operation
from shopfloor.ops.schema import Arg, Request, Result, encode
from shopfloor.store import plannings
from shopfloor.store.db import Tx

T = TypeVar("T")
ASKED = (LimitReached, Refused, Unavailable)


def specified(ctx: Around, task_id: int) -> Specified:
    """The clear task that a model makes of an idea; an assignee that is no profile here is left out."""
    found = _asked(ctx, task_id, "specify", lambda planner, idea: planner.specify(idea))
    return found._replace(assignee=known(ctx.settings, found.assignee))


def split(ctx: Around, task_id: int) -> Split:
    """The parts that a model splits an idea into, or the idea as one clear task."""
    return _asked(ctx, task_id, "split", lambda planner, idea: planner.split(idea))


def known(settings: Settings, name: str | None) -> str | None:
    """The profile of that name; None where this host has none."""
    return name if name in settings.profiles else None


def takes_over(settings: Settings, root: Task) -> str:
    """Who gets the parts that nobody is named for; raises GuardFailed where there is nobody."""
    name = root.assignee or settings.dispatch.default_assignee
    if name is None:
        raise GuardFailed(
            f"nobody would take over what the model leaves open: assign #{root.id} to a profile, or set"
            " dispatch.default_assignee"
        )
    return name


def orchestrator(settings: Settings) -> str | None:
    """The profile that takes a split task up again when all of its parts are done, if one is marked."""
    return next((one.name for one in settings.profiles.values() if one.orchestrator), None)


def _asked(ctx: Around, task_id: int, verb: str, question: Callable[[Planning, Idea], T]) -> T:
    planner = ctx.service.planner()
    if not planner.configured:
        raise planner.missing()
    attempts = ctx.settings.planner.attempts_per_task if ctx.settings.planner is not None else 0

    def begin(tx: Tx) -> tuple[int, Idea]:
        idea = _idea(ctx.settings, load(tx, task_id))
        digest = blake2b(encode(idea), digest_size=16).hexdigest()
        number = planning.begin(
            tx, ctx.caller, task_id, verb=verb, digest=digest, attempts=attempts
        )
        return number, idea

    number, idea = ctx.service.database.write(begin)
    return _recorded(ctx, number, planner, lambda: question(planner, idea))


def _recorded(ctx: Around, number: int, planner: Planning, question: Callable[[], T]) -> T:
    """The answer to a question; how it ended, and what it cost, stands beside it."""
    error: str | None = "the process ended before the answer came"
    try:
        found = question()
        error = None
    except BoardError as failed:
        error = failed.message
        raise
    finally:
        used = planner.used
        ctx.service.database.write(
            lambda tx: plannings.end(
                tx,
                number,
                planning.FAILED if error is not None else planning.ANSWERED,
                error=error,
                input_tokens=used.input_tokens,
                output_tokens=used.output_tokens,
            )
        )
    return found


def _idea(settings: Settings, task: Task) -> Idea:
    helpers = tuple(Helper(one.name, one.description) for one in settings.profiles.values())
    return Idea(task.title, task.body, helpers)


class JudgeTurn(Request, frozen=True, kw_only=True):
    """What a worker in goal mode says at the end of a turn."""

    id: Annotated[int, Arg("The task's number.", positional=True, ge=1)]
    outcome: Annotated[
        str, Arg("What the worker said last; `-` reads standard input.", positional=True)
    ]
    turn: Annotated[int, Arg("Which turn it was.", ge=1)] = 1
    turns: Annotated[Annotated[int, Meta(ge=1, le=1_000)], Arg("How many there may be.")] = (
        limits.GOAL_TURNS
    )


class Judgement(Result, frozen=True):
    """Whether the goal is reached, why, and what comes next."""

    verdict: Literal["done", "continue", "impossible"]
    reason: str
    next: str


@operation(
    "task.judge",
    "POST /api/v1/tasks/{id}/judge",
    command="judge",
    kind="around",
    role="worker",
    errors=(Stale, Forbidden, *ASKED),
)
def judge(ctx: Around, req: JudgeTurn) -> Judgement:
    """Have the model compare a worker's report with its task's goal.

    It changes nothing but what was spent.  A task in goal mode asks this after each turn; a person may, too.
    """
    planner = ctx.service.planner()

    def begin(tx: Tx) -> tuple[int, Task]:
        task = enter(tx, ctx.caller, req.id, "judge a turn of").task
        if not planner.configured:
            raise planner.missing()
        number = plannings.add(tx, task_id=req.id, verb="judge", digest="", actor=ctx.caller.name)
        return number, task

    try:
        number, task = ctx.service.database.write(begin)
    except (Stale, Forbidden) as refused:
        # Again as the request's own commit, which writes a worker's refusal down.
        sent = refused

        def refuse(_tx: Tx) -> Judgement:
            raise sent

        ctx.commit(refuse)
        raise
    turn = Turn(task.title, task.body, req.outcome, req.turn, req.turns)
    found = _recorded(ctx, number, planner, lambda: planner.judge(turn))
    return Judgement(found.verdict, found.reason, found.next)
