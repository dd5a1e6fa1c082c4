"""Figures over time: what was put on the board, what ended how, and what it cost, hour by hour or day by day."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta

from shopfloor.domain import limits
from shopfloor.domain.durations import DURATION_MS_MAX
from shopfloor.domain.errors import Invalid
from shopfloor.domain.lifecycle import Outcome
from shopfloor.ops.context import Context
from shopfloor.ops.registry import operation
from shopfloor.ops.schema import Arg, Request, Result, always
from shopfloor.store import history
from shopfloor.store.history import EndedRuns, Spent

SLOTS_MS = {"hour": 3_600_000, "day": 86_400_000}
USUAL_MS = {"hour": 2 * 86_400_000, "day": 30 * 86_400_000}
ZONE_MINUTES_MAX = 14 * 60


class ShowHistory(Request, frozen=True, kw_only=True):
    """By hour or by day, and since when."""

    per: Annotated[Literal["hour", "day"], Arg("How long each row is.")] = "day"
    since_ms: Annotated[
        Annotated[int, Meta(gt=0, le=DURATION_MS_MAX)] | None,
        Arg(
            "How far back: `48h`, `30d`; two days of hours or thirty days, if left out.", unit="ms"
        ),
    ] = None
    zone_minutes: Annotated[
        int,
        Arg(
            "How far the reader's days are ahead of UTC, in minutes.",
            ge=-ZONE_MINUTES_MAX,
            le=ZONE_MINUTES_MAX,
        ),
    ] = 0


class HistorySlot(Result, frozen=True):
    """One hour or day; `done` has what was completed by hand too, `outcomes` are of workers' attempts."""

    start: datetime
    created: int
    done: int
    by_hand: int
    attempts: int
    outcomes: dict[str, int]
    took_s: float
    tokens: int
    cost_micros: int


class HistorySpend(Result, frozen=True):
    """What one profile's runs used in one hour or day, and how many of its attempts ended; empty is no profile."""

    start: datetime
    profile: str
    attempts: int
    runs: int
    tokens: int
    cached_tokens: int
    cost_micros: int


class History(Result, frozen=True):
    """The slots without a gap, the oldest first; the last one is not over yet."""

    per: str
    since: datetime
    until: datetime
    slots: list[HistorySlot]
    profiles: list[HistorySpend]


@operation(
    "stats.history",
    "GET /api/v1/stats/history",
    command="stats history",
    kind="read",
    role="anyone",
    errors=(Invalid,),
)
def show_history(ctx: Context, req: ShowHistory) -> History:
    """Show what was created, what ended how, and what it cost, by hour or by day.

    Costs are millionths of a US dollar; tokens are those that count to a limit, without what was read
    from a cache.  Attempts of more than a week are left out.
    """
    slot_ms = SLOTS_MS[req.per]
    zone_ms = req.zone_minutes * 60_000
    last = (ctx.tx.now + zone_ms) // slot_ms
    count = -(-(req.since_ms or USUAL_MS[req.per]) // slot_ms)
    if count > limits.HISTORY_SLOTS_MAX or count > last:
        raise Invalid(
            f"that is {count} rows, and at most {limits.HISTORY_SLOTS_MAX} are shown; ask for a shorter time"
            + ("" if req.per == "day" else ", or by day")
        )
    since = (last - count + 1) * slot_ms - zone_ms
    until = since + count * slot_ms
    window = {"since": since, "until": until, "slot_ms": slot_ms}
    first_run = history.first_run(ctx.tx, since - limits.RUN_DAYS_MAX_MS)
    ended = history.ended(ctx.tx, first_id=first_run, **window)
    first_task = history.first_task(ctx.tx, since)
    created = history.created(ctx.tx, first_id=first_task, **window)
    spent = history.spent(ctx.tx, **window)
    slots = [
        _slot(
            always(since + number * slot_ms),
            created.get(number, 0),
            [one for one in ended if one.slot == number],
            [one for one in spent if one.slot == number],
        )
        for number in range(count)
    ]
    profiles = _profiles(since, slot_ms, ended, spent)
    return History(req.per, always(since), always(until), slots, profiles)


def _slot(start: datetime, created: int, ended: list[EndedRuns], spent: list[Spent]) -> HistorySlot:
    outcomes: dict[str, int] = {}
    for one in ended:
        if not one.by_hand:
            outcomes[one.outcome] = outcomes.get(one.outcome, 0) + one.many
    by_hand = sum(one.many for one in ended if one.by_hand and one.outcome == Outcome.COMPLETED)
    return HistorySlot(
        start=start,
        created=created,
        done=outcomes.get(Outcome.COMPLETED, 0) + by_hand,
        by_hand=by_hand,
        attempts=sum(outcomes.values()),
        outcomes=outcomes,
        took_s=sum(one.took_ms for one in ended if not one.by_hand) / 1000,
        tokens=sum(one.tokens for one in spent),
        cost_micros=sum(one.cost_micros for one in spent),
    )


def _profiles(
    since: int, slot_ms: int, ended: list[EndedRuns], spent: list[Spent]
) -> list[HistorySpend]:
    attempts: dict[tuple[int, str], int] = {}
    for one in ended:
        if not one.by_hand:
            key = (one.slot, one.profile)
            attempts[key] = attempts.get(key, 0) + one.many
    used = {(one.slot, one.profile): one for one in spent}
    found = []
    for slot, profile in sorted(attempts.keys() | used.keys()):
        told = used.get((slot, profile), Spent(slot, profile, 0, 0, 0, 0))
        found.append(
            HistorySpend(
                always(since + slot * slot_ms),
                profile,
                attempts.get((slot, profile), 0),
                told.runs,
                told.tokens,
                told.cached_tokens,
                told.cost_micros,
            )
        )
    return found
