"""Figures of the board: how much of what there is, and what is old."""

from __future__ import annotations

from shopfloor.ops.context import Context
from shopfloor.ops.dispatch import NoArguments
from shopfloor.ops.registry import operation
from shopfloor.ops.schema import Result
from shopfloor.store import runs, tasks


class LaneStats(Result, frozen=True):
    """The tasks of one assignee by status; `!` are commands, an empty name is nobody."""

    assignee: str
    by_status: dict[str, int]


class Stats(Result, frozen=True):
    """Counts by status, assignee and outcome, and the age of the oldest ready task in seconds."""

    by_status: dict[str, int]
    by_assignee: list[LaneStats]
    by_outcome: dict[str, int]
    live_runs: int
    oldest_ready_s: float | None


@operation(
    "stats.show",
    "GET /api/v1/stats",
    command="stats",
    kind="read",
    role="anyone",
    tools=("orchestrator",),
    when="Use it to see where work piles up.",
)
def stats(ctx: Context, req: NoArguments) -> Stats:  # noqa: ARG001 - every operation has one
    """Count tasks by status and assignee, and attempts by outcome."""
    lanes: dict[str, dict[str, int]] = {}
    for lane, status, count in tasks.counts_by_lane(ctx.tx):
        lanes.setdefault(lane, {})[status] = count
    oldest = tasks.oldest_ready(ctx.tx)
    return Stats(
        tasks.counts(ctx.tx),
        [LaneStats(lane, by_status) for lane, by_status in lanes.items()],
        runs.totals(ctx.tx),
        sum(count for _profile, _host, count in runs.slots(ctx.tx)),
        None if oldest is None else (ctx.tx.now - oldest) / 1000,
    )
