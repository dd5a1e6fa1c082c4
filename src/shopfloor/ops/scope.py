"""What a run may do with tools: its task, its role, and the operations that it has.

The tools of a run follow from its role, and from its profile where that is an orchestrator's.  A run
that is over has none.  The one who serves the tools asks this for every request of an agent, so it is
also where an agent's token is checked before anything is read for it.
"""

from __future__ import annotations

from functools import cache

from shopfloor.domain.errors import Forbidden, NotFound
from shopfloor.domain.lifecycle import By
from shopfloor.domain.model import Run
from shopfloor.domain.settings import Settings
from shopfloor.kernel.progress import guard
from shopfloor.ops.context import Around
from shopfloor.ops.deputy import is_orchestrator
from shopfloor.ops.dispatch import NoArguments
from shopfloor.ops.registry import Audience, everything, operation
from shopfloor.ops.schema import Result


class RunTools(Result, frozen=True):
    """A run, whether it is still open and why not, its tools by their operations, and what is new for it."""

    task: int
    run: int
    role: str
    orchestrator: bool
    open: bool
    reason: str
    unread: int
    workspace: str | None
    tools: list[str]
    url: str | None


@operation(
    "run.tools",
    "GET /api/v1/run/tools",
    command="tools",
    kind="around",
    role="anyone",
    errors=(Forbidden, NotFound),
)
def run_tools(ctx: Around, req: NoArguments) -> RunTools:  # noqa: ARG001 - every operation has one
    """List the tools of the run that asks, and the address where its agent program finds them.

    A run that is over has no tools.  The address is missing where no dispatcher runs, or where it cannot
    serve tools; then the same can be done with `shop`.
    """
    if ctx.caller.by is not By.WORKER:
        raise NotFound(
            "only a run has tools, and you are a person: `shop claim` gives you a run, `shop help` your commands"
        )
    found = ctx.read(lambda tx: guard(tx, ctx.caller))
    run = found.run
    endpoint = ctx.service.mcp()
    return RunTools(
        run.task_id,
        run.id,
        run.role,
        is_orchestrator(ctx.settings, run),
        found.open,
        found.reason,
        found.unread,
        run.workspace,
        names(ctx.settings, run) if found.open else [],
        None if endpoint is None else endpoint["url"],
    )


def names(settings: Settings, run: Run) -> list[str]:
    """The operations that a run has as tools, in the order of the registry."""
    whose: set[Audience] = {"reviewer" if run.role == "reviewer" else "worker"}
    if is_orchestrator(settings, run):
        whose.add("orchestrator")
    return _names(frozenset(whose))


@cache
def _names(whose: frozenset[Audience]) -> list[str]:
    return [op.name for op in everything().values() if op.tools & whose]
