"""What the runner of an agent asks the board: the startup guard, and progress."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from shopfloor.domain import limits
from shopfloor.domain.errors import Forbidden, Stale
from shopfloor.domain.outcomes import Usage
from shopfloor.kernel import progress as telling
from shopfloor.ops.context import Context
from shopfloor.ops.dispatch import NoArguments
from shopfloor.ops.registry import operation
from shopfloor.ops.schema import Arg, Request, Result

Count = Annotated[int, Meta(ge=0, le=limits.COUNT_MAX)]


class GuardView(Result, frozen=True):
    """Whether the run that asks may work, and how many comments are news to its worker."""

    open: bool
    pending: bool
    status: str
    outcome: str | None
    reason: str
    unread: int


@operation(
    "run.guard",
    "GET /api/v1/runs/own/guard",
    command="",
    kind="read",
    role="worker",
    errors=(Forbidden,),
)
def guard(ctx: Context, req: NoArguments) -> GuardView:  # noqa: ARG001 - every operation has one
    """Say whether the run that asks is still its task's open run.

    A runner asks it before any model call, and leaves quietly where it is not.
    """
    found = telling.guard(ctx.tx, ctx.caller)
    return GuardView(
        found.open,
        found.pending,
        found.task.status,
        found.run.outcome,
        found.reason,
        found.unread,
    )


class UsedSoFar(Result, frozen=True, forbid_unknown_fields=True):
    """What a run has used so far, as a whole."""

    input_tokens: Count = 0
    output_tokens: Count = 0
    cache_read_tokens: Count = 0
    cache_write_tokens: Count = 0
    cost_micros: Count | None = None


class TellProgress(Request, frozen=True, kw_only=True):
    """How far the agent is; what is left out stays as it was told before."""

    note: Annotated[
        Annotated[str, Meta(max_length=limits.REASON_CHARS_MAX)] | None,
        Arg("What the agent does now."),
    ] = None
    usage: Annotated[UsedSoFar | None, Arg("What the run has used so far.", json=True)] = None
    session_id: Annotated[
        Annotated[str, Meta(min_length=1, max_length=limits.KEY_CHARS_MAX)] | None,
        Arg("The agent's session, so that a later run can go on in it."),
    ] = None
    model: Annotated[
        Annotated[str, Meta(max_length=limits.NAME_CHARS_MAX)] | None, Arg("The model that works.")
    ] = None
    output: Annotated[bool, Arg("The model has answered since the last time.")] = False


class ProgressView(Result, frozen=True):
    """What the runner has to do: go on, or stop the agent with the sentence."""

    stop: str | None
    kind: Literal["budget", "closed"] | None
    unread: int


@operation(
    "run.progress",
    "POST /api/v1/runs/own/progress",
    command="",
    role="worker",
    errors=(Forbidden, Stale),
)
def progress(ctx: Context, req: TellProgress) -> ProgressView:
    """Tell how far the agent of the run that asks is: a sign of life, and what it used so far.

    The answer says whether to stop: the verdict was given, or a limit was reached.
    """
    usage = None if req.usage is None else Usage(*_figures(req.usage))
    said = telling.Said(req.note, usage, req.session_id, req.model, req.output)
    return ProgressView(*telling.progress(ctx.tx, ctx.settings, ctx.caller, said))


def _figures(used: UsedSoFar) -> tuple[int, int, int, int, int | None]:
    return (
        used.input_tokens,
        used.output_tokens,
        used.cache_read_tokens,
        used.cache_write_tokens,
        used.cost_micros,
    )
