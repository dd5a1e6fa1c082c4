"""What agents used: tokens and cost, by task, profile, model or day."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from msgspec import Meta

from shopfloor.domain import limits
from shopfloor.domain.durations import DURATION_MS_MAX
from shopfloor.kernel.budget import DAY_MS
from shopfloor.ops.context import Context
from shopfloor.ops.registry import operation
from shopfloor.ops.schema import Arg, Request, Result, moment
from shopfloor.store import spend
from shopfloor.store.spend import Group


class ShowUsage(Request, frozen=True, kw_only=True):
    """By what, and since when."""

    by: Annotated[
        Literal["task", "profile", "model", "day"], Arg("What the figures are added up by.")
    ] = "profile"
    since_ms: Annotated[
        Annotated[int, Meta(gt=0, le=DURATION_MS_MAX)] | None,
        Arg("Only of the last so long: `24h`, `7d`.", unit="ms"),
    ] = None
    limit: Annotated[int, Arg("At most so many rows.", ge=1, le=limits.PAGE_MAX)] = (
        limits.PAGE_DEFAULT
    )


class UsageRow(Result, frozen=True):
    """What one task, profile, model or day used; `unpriced` counts the runs that told no cost."""

    name: str
    runs: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    cost_micros: int | None
    unpriced: int


class UsageTable(Result, frozen=True):
    """What was used, the dearest first; costs are millionths of a US dollar."""

    by: str
    since: datetime | None
    rows: list[UsageRow]


@operation("usage.show", "GET /api/v1/usage", command="usage", kind="read", role="anyone")
def show_usage(ctx: Context, req: ShowUsage) -> UsageTable:
    """Show the tokens and the cost of agents' runs, by profile, task, model or day (UTC).

    A run counts to the day in which it was heard of last.  Cost is known where the program tells it.
    """
    since = 0 if req.since_ms is None else ctx.tx.now - req.since_ms
    rows = [
        _row(req.by, one) for one in spend.grouped(ctx.tx, req.by, since=since, limit=req.limit)
    ]
    return UsageTable(req.by, None if req.since_ms is None else moment(since), rows)


def _row(by: str, group: Group) -> UsageRow:
    name = group.name
    if by == "day":
        name = datetime.fromtimestamp(int(name) * DAY_MS / 1000, UTC).date().isoformat()
    return UsageRow(name, *group[1:])
