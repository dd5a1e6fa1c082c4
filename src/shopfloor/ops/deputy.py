"""Workers that act for people: those of a profile that routes tasks.

An orchestrator may ask for what only people may, as far as the operation says so.  It is fenced like any
worker's write: its run must be the open one; then it acts as a person does, under its run's name.
"""

from __future__ import annotations

from shopfloor.domain.caller import Caller, person
from shopfloor.domain.errors import Forbidden, Stale
from shopfloor.domain.model import Run
from shopfloor.domain.settings import Settings
from shopfloor.kernel.load import holds_run, run_of, whole
from shopfloor.ops.registry import Operation
from shopfloor.store.db import Tx


def deputise(tx: Tx, caller: Caller, op: Operation, settings: Settings) -> Run:
    """The run of a worker that may act for people; raises Forbidden for every other worker."""
    run = whole(tx, run_of(tx, caller))
    if not is_orchestrator(settings, run):
        raise Forbidden(
            f"{caller.name} may not use `{op.command}`: its profile does not route tasks; say in a comment "
            "what should be done, or block with the reason"
        )
    return run


def deputy(tx: Tx, caller: Caller, op: Operation, settings: Settings) -> Caller:
    """The worker of an orchestrator's profile as who it acts for: a person, by its run's name.

    Raises Forbidden for every other worker, and Stale for one whose run is over.
    """
    run = deputise(tx, caller, op, settings)
    if not holds_run(caller, run):
        raise Stale(
            f"cannot use `{op.command}`: {caller.name} is over ({run.outcome}), so the request is refused; "
            "stop working",
            detail={"task": run.task_id, "run": run.id},
        )
    return person(caller.name)


def is_orchestrator(settings: Settings, run: Run) -> bool:
    """Whether the run's profile routes tasks."""
    profile = settings.profiles.get(run.profile or "")
    return profile is not None and profile.orchestrator
