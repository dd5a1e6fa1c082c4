"""The dispatcher from outside: one pass now, pause and resume, bypass a guard."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, field

from shopfloor.domain import limits
from shopfloor.domain.errors import Invalid, NotFound, Unavailable, WrongStatus
from shopfloor.domain.report import DispatchReport
from shopfloor.kernel import pause as pausing
from shopfloor.kernel.load import load
from shopfloor.ops.context import Around, Context
from shopfloor.ops.fields import Id
from shopfloor.ops.pages import Paged, page
from shopfloor.ops.registry import operation
from shopfloor.ops.schema import Arg, Request, Result
from shopfloor.ops.views import Done, HoldView
from shopfloor.store import holds


class DispatchOnce(Request, frozen=True, kw_only=True):
    """How far one pass goes."""

    dry_run: Annotated[bool, Arg("Report what would happen, and change nothing.")] = False
    max: Annotated[
        Annotated[int, Meta(ge=0, le=limits.BATCH_PER_TICK)] | None, Arg("Start at most so many.")
    ] = None


@operation(
    "dispatch.run",
    "POST /api/v1/dispatch",
    command="dispatch",
    kind="around",
    errors=(Unavailable,),
)
def dispatch(ctx: Around, req: DispatchOnce) -> DispatchReport:
    """Make one dispatch pass now and report what it did, what it skipped and why."""
    report: DispatchReport = ctx.service.dispatching.run_pass(dry_run=req.dry_run, most=req.max)
    return report


class PauseRequest(Request, frozen=True, kw_only=True):
    """What to pause: certain tasks, a profile, or the whole board."""

    ids: Annotated[list[int], Arg("Tasks; without any, the board.", positional=True)] = field(
        default_factory=list
    )
    profile: Annotated[str | None, Arg("A profile instead.")] = None
    reason: Annotated[
        Annotated[str, Meta(max_length=limits.REASON_CHARS_MAX)] | None, Arg("Why.")
    ] = None
    stop: Annotated[bool, Arg("Also stop what runs; it goes back to its queue.")] = False


class Paused(Result, frozen=True):
    """What is paused now, and the runs that were ended for it."""

    holds: list[HoldView]
    stopped: list[int]


@operation(
    "dispatch.pause",
    "POST /api/v1/pause",
    command="pause",
    errors=(NotFound, Invalid),
)
def pause(ctx: Context, req: PauseRequest) -> Paused:
    """Start nothing more: on the board, of a profile, or of certain tasks.

    Verdicts, promotion and due times go on; only new starts wait.
    """
    reason = req.reason or f"paused by {ctx.caller.name}"
    stopped = []
    for scope, name in _scopes(ctx, req.ids, req.profile):
        stopped += pausing.pause(ctx.tx, ctx.caller, scope, name, reason=reason, stop=req.stop)
    return Paused(_paused(ctx), stopped)


class ResumeRequest(Request, frozen=True, kw_only=True):
    """What to resume: certain tasks, a profile, or the whole board."""

    ids: Annotated[list[int], Arg("Tasks; without any, the board.", positional=True)] = field(
        default_factory=list
    )
    profile: Annotated[str | None, Arg("A profile instead.")] = None


class Resumed(Result, frozen=True):
    """Whether anything was paused, and what still is."""

    changed: bool
    holds: list[HoldView]


@operation(
    "dispatch.resume",
    "POST /api/v1/resume",
    command="resume",
    errors=(NotFound, Invalid),
)
def resume(ctx: Context, req: ResumeRequest) -> Resumed:
    """End a pause, and the board's own pause of a profile that was refused by its provider."""
    scopes = _scopes(ctx, req.ids, req.profile)
    changed = [pausing.resume(ctx.tx, ctx.caller, scope, name) for scope, name in scopes]
    return Resumed(any(changed), _paused(ctx))


def _scopes(ctx: Context, ids: list[int], profile: str | None) -> list[tuple[pausing.Scope, str]]:
    if profile is not None:
        if ids:
            raise Invalid("name tasks or a profile, not both")
        if profile not in ctx.settings.profiles:
            raise NotFound(
                f"there is no profile {profile!r}; `shop profile list` shows what there is"
            )
        return [("lane", profile)]
    if not ids:
        return [("board", "")]
    for number in ids:
        load(ctx.tx, number)
    return [("task", str(number)) for number in ids]


def _paused(ctx: Context) -> list[HoldView]:
    found = holds.everything(ctx.tx)
    return [HoldView.of(hold) for hold in found if hold.code in ("paused", "profile_paused")]


class OneTaskId(Request, frozen=True):
    """Which task."""

    id: Id


@operation(
    "dispatch.bypass",
    "POST /api/v1/tasks/{id}/bypass",
    command="bypass",
    errors=(NotFound, WrongStatus),
    many=True,
)
def bypass(ctx: Context, req: OneTaskId) -> Done:
    """Let a queued task start in spite of a guard or a cooldown; recorded, and caps still hold."""
    pausing.bypass(ctx.tx, ctx.caller, req.id)
    return Done.of(load(ctx.tx, req.id), note="its guards are bypassed at the next claim")


class NoArguments(Request, frozen=True):
    """Nothing to say."""


@operation(
    "dispatch.holds",
    "GET /api/v1/holds",
    command="holds",
    kind="read",
    role="anyone",
)
def list_holds(ctx: Context, req: Paged) -> list[HoldView]:
    """List what keeps tasks from starting: pauses and guards."""
    return page(map(HoldView.of, holds.everything(ctx.tx)), req, lambda one: one.key)
