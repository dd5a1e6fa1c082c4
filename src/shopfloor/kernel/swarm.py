"""A swarm: several workers on the same question, one that verifies, one that puts it together.

The whole graph is made in one transaction.  The root is the synthesizer's task and waits for the verifier's,
which waits for all workers'.  The root's comments are the blackboard that all of them share.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from shopfloor.domain.caller import Caller
from shopfloor.domain.errors import Invalid
from shopfloor.domain.lifecycle import Status
from shopfloor.domain.limits import SWARM_MAX, TITLE_CHARS_MAX
from shopfloor.domain.model import Task
from shopfloor.kernel.create import NewTask, create
from shopfloor.kernel.decompose import Piece, decompose
from shopfloor.store.db import Tx


class Crew(NamedTuple):
    """The profiles of a swarm; the same one may stand among the workers more than once."""

    workers: tuple[str, ...]
    verifier: str
    synthesizer: str


def swarm(tx: Tx, caller: Caller, new: NewTask, crew: Crew) -> tuple[Task, list[Task]]:
    """Make the graph; answers the root, and the workers' tasks with the verifier's behind them."""
    if not 1 <= len(crew.workers) <= SWARM_MAX:
        raise Invalid(f"a swarm has 1 to {SWARM_MAX} workers, not {len(crew.workers)}")
    root = create(tx, caller, new._replace(assignee=crew.synthesizer), wants=Status.TRIAGE).task
    pieces = [
        Piece(_part(new, name, title, _worker_body(root, len(crew.workers))), ())
        for name, title in zip(crew.workers, _titles(new.title, crew.workers), strict=True)
    ]
    verify = _part(
        new, crew.verifier, f"Verify: {new.title}"[:TITLE_CHARS_MAX], _verifier_body(root)
    )
    pieces.append(Piece(verify, tuple(range(len(pieces)))))
    return root, decompose(tx, caller, root.id, pieces)


def _part(new: NewTask, assignee: str, title: str, body: str) -> NewTask:
    """A member's task: the root's surroundings, and nothing that belongs to one task alone."""
    return new._replace(
        title=title,
        body=f"{new.body}\n\n{body}".strip(),
        assignee=assignee,
        idempotency_key=None,
        artifacts="[]",
        check_command=None,
        workspace_path=None if new.workspace_kind == "worktree" else new.workspace_path,
        branch=None,
    )


def _titles(title: str, workers: tuple[str, ...]) -> list[str]:
    """The title with each worker's name behind it, numbered where a name comes more than once."""
    seen: Counter[str] = Counter()
    titles = []
    for name in workers:
        seen[name] += 1
        mark = f" ({name} {seen[name]})" if workers.count(name) > 1 else f" ({name})"
        titles.append(title[: TITLE_CHARS_MAX - len(mark)] + mark)
    return titles


def _worker_body(root: Task, workers: int) -> str:
    others = "You work on it alone" if workers == 1 else f"{workers} workers do, each by itself"
    return (
        f"{others}; then somebody verifies what was found, and #{root.id} puts it together. {_board(root)}"
        " Hand over what you found, and what you are not sure of, in your summary."
    )


def _verifier_body(root: Task) -> str:
    return (
        "Several workers have worked on this; what they hand over stands in your context. Verify it: what is"
        f" right, what is wrong, what contradicts, what is missing. {_board(root)} Hand over your findings in"
        " your summary."
    )


def _board(root: Task) -> str:
    return (
        f"The comments of #{root.id} are the blackboard that all share: read them with"
        f" `shop comments {root.id}`, and write there what helps the others with `shop comment {root.id}`."
    )
