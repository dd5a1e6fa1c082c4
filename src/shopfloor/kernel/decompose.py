"""A task becomes a graph of sub-tasks: all of it in one transaction, and never twice.

The root waits for every leaf (each leaf is linked as its parent) and wakes when the last is done; each
sub-task names the root as its origin.
"""

from __future__ import annotations

from typing import NamedTuple

from shopfloor.domain.caller import Caller
from shopfloor.domain.errors import Invalid
from shopfloor.domain.lifecycle import Verb
from shopfloor.domain.limits import DECOMPOSE_MAX
from shopfloor.domain.model import Task
from shopfloor.kernel.apply import Change
from shopfloor.kernel.create import NewTask, create
from shopfloor.kernel.decide import words_of
from shopfloor.kernel.graph import connect
from shopfloor.kernel.load import enter
from shopfloor.kernel.verbs import act_on
from shopfloor.store import tasks
from shopfloor.store.db import Tx


class Piece(NamedTuple):
    """One sub-task, and the positions (from 0) of the pieces that it waits for."""

    new: NewTask
    after: tuple[int, ...]


def decompose(tx: Tx, caller: Caller, root_id: int, pieces: list[Piece]) -> list[Task]:
    """Make the sub-tasks of a task in triage, in the order given.

    What a piece leaves out it takes from the root: assignee, tenant and the kind of workspace; a
    directory comes along only where the kinds match, and a scratch path never.
    """
    if not 1 <= len(pieces) <= DECOMPOSE_MAX:
        raise Invalid(
            f"a task is decomposed into 1 to {DECOMPOSE_MAX} sub-tasks, not {len(pieces)}"
        )
    held = enter(tx, caller, root_id, words_of(Verb.DECOMPOSE))
    root = held.task
    data: dict[str, object] = {"pieces": len(pieces)}
    act_on(tx, Verb.DECOMPOSE, held, Change(caller, data=data))
    made: list[Task] = []
    for position, piece in enumerate(pieces):
        if any(not 0 <= other < position for other in piece.after):
            raise Invalid(
                f"sub-task {position} may wait for earlier ones only (0 to {position - 1}), "
                f"not for {', '.join(map(str, piece.after))}"
            )
        parents = tuple(made[other].id for other in piece.after)
        new = inherit(root, piece.new)._replace(origin_id=root_id)
        made.append(create(tx, caller, new, parents=parents).task)
    waited_for = {other for piece in pieces for other in piece.after}
    for position, task in enumerate(made):
        if position not in waited_for:
            connect(tx, caller, task.id, root_id)
    return [again for task in made if (again := tasks.get(tx, task.id)) is not None]


def inherit(origin: Task, new: NewTask) -> NewTask:
    """What a task takes from the one that it came from."""
    taken: dict[str, object] = {}
    if new.tenant is None:
        taken["tenant"] = origin.tenant
    if new.assignee is None and new.command is None:
        taken["assignee"] = origin.assignee
    if new.workspace_kind == "scratch" and new.workspace_path is None:
        taken["workspace_kind"] = origin.workspace_kind
    kind = taken.get("workspace_kind", new.workspace_kind)
    if kind == origin.workspace_kind and kind != "scratch" and new.workspace_path is None:
        taken["workspace_path"] = origin.workspace_path
    return new._replace(**taken)  # type: ignore[arg-type]
