"""A completion: the handoff, the artifacts that are kept with it, and the scratch folder that goes after it.

Everything happens in one transaction.  Only where there are artifacts to copy it is undone, and done
again once they lie beside the task's other files.
"""

from __future__ import annotations

import json
from typing import Annotated, Any

from msgspec import field

from shopfloor.domain import limits
from shopfloor.domain.errors import Invalid
from shopfloor.domain.lifecycle import By, Status, Verb
from shopfloor.kernel import notes as noting
from shopfloor.kernel import verbs
from shopfloor.kernel.apply import Change
from shopfloor.kernel.decide import words_of
from shopfloor.kernel.load import Held, enter
from shopfloor.ops.context import Around, Context, Detour, Stored
from shopfloor.ops.fields import Id
from shopfloor.ops.schema import Arg, Request, text
from shopfloor.ops.views import Done
from shopfloor.store import notes, runs
from shopfloor.store.db import Tx


class CompleteTask(Request, frozen=True, kw_only=True):
    """The handoff of a task that is done."""

    id: Id
    summary: Annotated[str | None, Arg("What was done, for the next worker and for people.")] = None
    result: Annotated[str | None, Arg("The result in one line.")] = None
    metadata: Annotated[Any, Arg("Facts for programs, as JSON.", json=True)] = None
    artifacts: Annotated[
        list[str], Arg("A file in the workspace that is kept as an attachment.", flag="--artifact")
    ] = field(default_factory=list)


def carry_out(ctx: Around, req: CompleteTask) -> Done:
    """Complete a task, with its artifacts."""
    completing = Completing(ctx, req)
    try:
        done = ctx.commit_with(req.id, [], completing)
    except ArtifactsFirst as wanted:
        taken = ctx.read(lambda tx: notes.attachment_names(tx, req.id))
        kept = ctx.service.files.collect(req.id, wanted.workspace, wanted.names, taken)
        done = ctx.commit_with(req.id, kept, completing)
    if completing.leaves_scratch:
        ctx.service.files.drop_scratch(req.id)
    return done


def directly(ctx: Context, req: CompleteTask) -> Done:
    """Complete a task in this transaction; a Detour where there are artifacts or a scratch folder."""
    completing = Completing(ctx, req)
    done = completing(ctx.tx, [])
    if completing.leaves_scratch and ctx.service.files.has_scratch(req.id):
        raise Detour
    return done


class ArtifactsFirst(Detour):
    """The task has artifacts to keep: the transaction is undone, and done again once they are copied."""

    def __init__(self, workspace: str, names: list[str]) -> None:
        super().__init__()
        self.workspace = workspace
        self.names = names


class Completing:
    """What the transaction of a completion does, and what is left to do after its commit."""

    def __init__(self, ctx: Around | Context, req: CompleteTask) -> None:
        self._ctx = ctx
        self._req = req
        self._change = Change(ctx.caller, **handoff(req.summary, req.result, req.metadata))
        self.leaves_scratch = False

    def __call__(self, tx: Tx, kept: list[Stored]) -> Done:
        caller, task_id = self._ctx.caller, self._req.id
        held = enter(tx, caller, task_id, words_of(Verb.COMPLETE))
        names = self._artifacts(held)
        if names and not kept:
            raise ArtifactsFirst(self._workspace(held), names)
        for stored in kept:
            noting.attach(
                tx, caller, task_id, name=stored.name, size=stored.size, sha256=stored.sha256
            )
        applied = verbs.complete(tx, held, self._change)
        if applied.task.status == Status.RUNNING:
            note = "its check decides when the worker has left"
            return Done.of(applied.task, run=applied.run_id, note=note)
        self.leaves_scratch = held.task.workspace_kind == "scratch" and not _lives(tx, held)
        return Done.of(applied.task, run=applied.run_id)

    def _artifacts(self, held: Held) -> list[str]:
        """The files to keep: those that the caller names, and for a worker those that the task declares.

        What a task with a check declares is taken when the check has passed.
        """
        named, task, run = self._req.artifacts, held.task, held.run
        by_worker = self._ctx.caller.by is By.WORKER
        if task.artifacts == "[]" or task.check_command is not None or not by_worker:
            return named
        declared = json.loads(task.artifacts) if run is not None and run.workspace else []
        return list(dict.fromkeys((*named, *declared)))

    def _workspace(self, held: Held) -> str:
        if held.run is not None and held.run.workspace is not None:
            return held.run.workspace
        raise Invalid(
            f"#{held.task.id} has no workspace now, so no artifacts can be taken from it; attach them"
        )


def _lives(tx: Tx, held: Held) -> bool:
    """Whether a process of the task's last run may live on after the verdict that closed it."""
    if held.run is not None:
        return held.run.host != ""
    return runs.live_of_task(tx, held.task.id) is not None


def handoff(summary: str | None, result: str | None, metadata: Any) -> dict[str, Any]:
    for what, given in (("the summary", summary), ("the result", result)):
        if given is not None and len(given.encode()) > limits.SUMMARY_BYTES_MAX:
            raise Invalid(
                f"{what} is larger than {limits.SUMMARY_BYTES_MAX} bytes; attach it as a file"
            )
    encoded = None if metadata is None else text(metadata)
    if encoded is not None and len(encoded.encode()) > limits.METADATA_BYTES_MAX:
        raise Invalid(
            f"the metadata is larger than {limits.METADATA_BYTES_MAX} bytes; attach it as a file"
        )
    return {"summary": summary, "result": result, "metadata": encoded}
