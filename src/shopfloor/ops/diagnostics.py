"""What is wrong, and what to do: of the whole board, or of one task."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta

from shopfloor.domain import limits
from shopfloor.domain.errors import Invalid, NotFound
from shopfloor.kernel import diagnostics
from shopfloor.kernel.load import load
from shopfloor.ops.context import Context
from shopfloor.ops.registry import operation
from shopfloor.ops.schema import Arg, Request, always
from shopfloor.ops.views import Diagnosis, DiagnosticView, StepView


class Diagnose(Request, frozen=True, kw_only=True):
    """Of which task, and how bad it must be."""

    id: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Arg("Only what is wrong with this task.", positional=True),
    ] = None
    severity: Annotated[
        Literal["warning", "error"], Arg("`error` leaves out what is only a warning.")
    ] = "warning"
    after: Annotated[str | None, Arg("Go on where the page before ended.")] = None
    limit: Annotated[int, Arg("At most so many.", ge=1, le=limits.PAGE_MAX)] = limits.PAGE_DEFAULT


@operation(
    "diagnostics.list",
    "GET /api/v1/diagnostics",
    command="diagnostics",
    kind="read",
    role="anyone",
    errors=(NotFound, Invalid),
    tools=("orchestrator",),
    when="Use it to see what keeps the board from working, and which verb ends each trouble.",
)
def diagnose(ctx: Context, req: Diagnose) -> Diagnosis:
    """Say what is wrong on the board, or with one task, and which command ends it.

    Errors come before warnings, and what is wrong with the board or this host before what is wrong with a
    task.  The command ends with exit status 1 where anything was found, and with 0 where all is well.
    """
    if req.id is not None:
        load(ctx.tx, req.id)
    found = _findings(ctx, req.id)
    if req.severity == "error":
        found = [one for one in found if one.severity == "error"]
    begin = _place(req.after)
    end = begin + req.limit
    errors = sum(one.severity == "error" for one in found)
    return Diagnosis(
        _told(found[begin:end]),
        str(end) if end < len(found) else None,
        errors,
        len(found) - errors,
    )


def of_task(ctx: Context, task_id: int) -> list[DiagnosticView]:
    """What is wrong with one task."""
    return _told(diagnostics.diagnose_tasks(ctx.tx, _sight(ctx), [task_id]))


def counts(ctx: Context, task_ids: Collection[int]) -> dict[int, int]:
    """How many things are wrong with each of these tasks; those that are well are left out."""
    return diagnostics.counts(ctx.tx, _sight(ctx), task_ids)


def _sight(ctx: Context) -> diagnostics.Sight:
    around = ctx.service.surroundings(ctx.tx)
    return diagnostics.Sight(ctx.settings, around, ctx.service.files.log_written)


def _findings(ctx: Context, task_id: int | None) -> list[diagnostics.Finding]:
    sight = _sight(ctx)
    if task_id is not None:
        return diagnostics.diagnose_tasks(ctx.tx, sight, [task_id])
    return diagnostics.diagnose(ctx.tx, sight, ctx.service.circumstances())


def _place(after: str | None) -> int:
    if after is None:
        return 0
    if not (after.isascii() and after.isdigit()):
        raise Invalid(f"{after!r} is no place in this list; take `next` of the page before")
    return int(after)


def _told(found: list[diagnostics.Finding]) -> list[DiagnosticView]:
    return [_view(one) for one in found]


def _view(finding: diagnostics.Finding) -> DiagnosticView:
    told = finding.tell()
    steps = [
        StepView(step.title, step.command, step.op, dict[str, Any](step.args), step.asks, step.ends)
        for step in told.steps
    ]
    since: datetime = always(finding.since)
    return DiagnosticView(
        finding.code,
        finding.severity,
        finding.task_id,
        finding.title,
        since,
        told.sentence,
        steps,
    )
