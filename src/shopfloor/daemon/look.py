"""What a pass sees of the board before it acts: one read, and no change.

Most passes find nothing to do, and must cost next to nothing.
"""

from __future__ import annotations

from typing import NamedTuple

from shopfloor.daemon.board import DispatchBoard
from shopfloor.domain.model import Run
from shopfloor.domain.report import DispatchReport
from shopfloor.kernel import claim as claiming
from shopfloor.kernel import sweep
from shopfloor.store import runs, tasks
from shopfloor.store.db import Tx


class Seen(NamedTuple):
    """What one look at the board found; `plan` is None where it is made when claiming."""

    live: list[Run]
    expired: bool
    due: bool
    unassigned: bool
    next_due: int | None
    plan: claiming.Plan | None

    def ripe(self, now: int) -> bool:
        """Whether there is, by now, something to do that comes before a claim."""
        due = self.due or (self.next_due is not None and self.next_due <= now)
        return due or self.expired or self.unassigned


NOTHING_SEEN = Seen([], expired=False, due=False, unassigned=False, next_due=None, plan=None)


def glance(tx: Tx, board: DispatchBoard, *, running: bool, most: int | None) -> Seen:
    """Look at the whole board once; without `most` no plan is made."""
    default = board.settings().dispatch.default_assignee
    times = sweep.times(tx, board.settings())
    return Seen(
        runs.live_of_host(tx, board.host) if running else [],
        bool(runs.expired(tx, board.host, shared=board.shared, limit=1)),
        times.due,
        bool(default and tasks.unassigned(tx, 1)),
        times.next_at,
        None if most is None else plan(tx, board, most),
    )


def plan(tx: Tx, board: DispatchBoard, most: int, *, lock: bool = False) -> claiming.Plan:
    """What may start now on this host; with `lock` it is this transaction's to claim."""
    return claiming.plan(
        tx,
        board.settings(),
        host=board.host,
        host_cap=board.host_cap(),
        most=most,
        lock=lock,
    )


def moved(report: DispatchReport) -> list[int]:
    """How much a pass has moved, but for what it claimed."""
    groups = (report.settled, report.reclaimed, report.due, report.promoted, report.assigned)
    return [len(group) for group in groups]


def over(tx: Tx, task_ids: list[int]) -> list[int]:
    """Which of these tasks have a scratch workspace that nobody needs any more."""
    found = [tasks.get(tx, number) for number in task_ids]
    return [
        task.id
        for task in found
        if task is not None
        and task.status in ("done", "archived")
        and task.workspace_kind == "scratch"
        and runs.live_of_task(tx, task.id) is None
    ]
