"""Provider accounts that reached their limits: see them, and let their tasks start now."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from shopfloor.domain import limits
from shopfloor.domain.errors import NotFound
from shopfloor.kernel import quota
from shopfloor.ops.context import Context
from shopfloor.ops.pages import Paged, page
from shopfloor.ops.registry import operation
from shopfloor.ops.schema import Arg, Request, Result, always, moment
from shopfloor.store import quotas, runs, tasks


class QuotaView(Result, frozen=True):
    """An account that is waited for; `waiting` counts its queued tasks, `left_s` is the countdown."""

    account: str
    state: str
    sentence: str
    reason: str
    rounds: int
    rounds_limit: int
    since: datetime
    until: datetime | None
    left_s: float | None
    probe_run: int | None
    probe_task: int | None
    waiting: int


@operation("quota.list", "GET /api/v1/quotas", command="quota", kind="read", role="anyone")
def list_quotas(ctx: Context, req: Paged) -> list[QuotaView]:
    """List the provider accounts that reached their limits, and when they are tried again."""
    counted = tasks.counts_by_lane(ctx.tx)
    found = []
    for stored in page(quotas.everything(ctx.tx), req, lambda one: one.account):
        gate = quota.gate(ctx.tx, ctx.settings, stored)
        row = gate.row
        lanes = quota.lanes_of(ctx.settings, row.account, [lane for lane, _, _ in counted])
        probe = None if row.probe_run is None else runs.get(ctx.tx, row.probe_run)
        waits = row.state != "probing" and row.until > ctx.tx.now
        found.append(
            QuotaView(
                row.account,
                row.state,
                gate.sentence,
                row.reason,
                row.rounds,
                ctx.settings.dispatch.quota_rounds_limit,
                always(row.since),
                moment(row.until) if waits else None,
                (row.until - ctx.tx.now) / 1000 if waits else None,
                row.probe_run,
                None if probe is None else probe.task_id,
                sum(count for lane, status, count in counted if (status, lane) in {*lanes}),
            )
        )
    return found


class ClearQuota(Request, frozen=True):
    """Which account."""

    account: Annotated[
        str,
        Arg(
            "The account's name, as `shop quota` has it.",
            positional=True,
            min_length=1,
            max_length=limits.NAME_CHARS_MAX,
        ),
    ]


class ClearedView(Result, frozen=True):
    """The account whose tasks may start now."""

    account: str


@operation(
    "quota.clear",
    "POST /api/v1/quotas/{account}/clear",
    command="quota clear",
    errors=(NotFound,),
)
def clear_quota(ctx: Context, req: ClearQuota) -> ClearedView:
    """Let the tasks of a provider account start now, without waiting for its limit to end."""
    quota.clear(ctx.tx, ctx.settings, ctx.caller, req.account)
    return ClearedView(req.account)
