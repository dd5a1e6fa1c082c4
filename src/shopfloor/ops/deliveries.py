"""Deliveries: what was sent, what was not and why; send again, try a target, and what chat bridges ask."""

from __future__ import annotations

import json
import secrets
from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, field

from shopfloor.domain import limits, targets
from shopfloor.domain.errors import Conflict, Invalid, NotFound, Unavailable
from shopfloor.domain.model import Delivery
from shopfloor.domain.notices import Sent
from shopfloor.kernel import deliveries as sending
from shopfloor.ops.context import Around, Context
from shopfloor.ops.notify import TargetText, known_target
from shopfloor.ops.registry import operation
from shopfloor.ops.schema import Arg, Request, Result, always, moment
from shopfloor.store import deliveries
from shopfloor.store.db import Tx

# How long a test waits for its message's end: longer than a send may take.
TEST_WAIT_MS, TEST_STEP_S = 90_000, 5.0
State = Literal["waiting", "sending", "sent", "given_up", "carried", "dropped"]
Id = Annotated[int, Arg("The delivery's number.", positional=True, ge=1)]
Number = Annotated[int, Meta(ge=1)]


class DeliveryView(Result, frozen=True):
    """One event for one target; `carried_by` is the delivery in whose message it went."""

    id: int
    state: str
    target: str
    task: int | None
    kind: str
    title: str
    words: str
    subscription: int | None
    event: int | None
    count: int
    tries: int
    sends: int
    error: str | None
    carried_by: int | None
    created_at: datetime
    next_at: datetime | None
    ended_at: datetime | None
    message: dict[str, Any] | None

    @staticmethod
    def of(row: Delivery) -> DeliveryView:
        message = None if row.message is None else json.loads(row.message)
        return DeliveryView(
            row.id,
            row.state,
            targets.shown(row.target),
            row.task_id,
            row.kind,
            row.title,
            row.words,
            row.subscription_id,
            row.event_id,
            1 if message is None else message["count"],
            row.tries,
            row.sends,
            row.error,
            row.carried_by,
            always(row.created_at),
            always(row.next_at) if row.state == "waiting" else None,
            moment(row.ended_at),
            message,
        )


class ListDeliveries(Request, frozen=True, kw_only=True):
    """Which deliveries."""

    states: Annotated[
        list[State], Arg("Only in this state; may be given again.", flag="--state")
    ] = field(default_factory=list)
    task: Annotated[Number | None, Arg("Only about this task.")] = None
    subscription: Annotated[Number | None, Arg("Only of this subscription.")] = None
    before: Annotated[Number, Arg("Only before this delivery's number.")] = limits.COUNT_MAX
    limit: Annotated[int, Arg("At most so many.", ge=1, le=limits.PAGE_MAX)] = limits.PAGE_DEFAULT


class DeliveryPage(Result, frozen=True):
    """Deliveries, the newest first; `next` is the `before` to go on with, if there are more."""

    items: list[DeliveryView]
    next: int | None


@operation(
    "delivery.list",
    "GET /api/v1/deliveries",
    command="notify deliveries",
    kind="read",
    role="anyone",
)
def list_deliveries(ctx: Context, req: ListDeliveries) -> DeliveryPage:
    """List what was told to whom, what still waits, and what did not arrive and why."""
    found = deliveries.listed(
        ctx.tx,
        states=[*req.states] or None,
        task_id=req.task,
        subscription_id=req.subscription,
        before=req.before,
        limit=req.limit + 1,
    )
    shown = found[: req.limit]
    more = shown[-1].id if len(found) > req.limit else None
    return DeliveryPage([DeliveryView.of(row) for row in shown], more)


class OneDelivery(Request, frozen=True):
    """Which delivery."""

    id: Id


@operation(
    "delivery.retry",
    "POST /api/v1/deliveries/{id}/retry",
    command="notify retry",
    errors=(NotFound, Conflict),
)
def retry_delivery(ctx: Context, req: OneDelivery) -> DeliveryView:
    """Send a message again now, as it is stored, whatever became of it before; no work runs for it.

    Its receiver can tell by the same idempotency key that it is the same message.
    """
    return DeliveryView.of(sending.again(ctx.tx, req.id))


class TryTarget(Request, frozen=True):
    """Which target."""

    target: TargetText


@operation(
    "delivery.test",
    "POST /api/v1/deliveries/test",
    command="notify test",
    kind="around",
    errors=(Invalid, Unavailable),
)
def test_target(ctx: Around, req: TryTarget) -> DeliveryView:
    """Send a test message to a target once, and say whether it arrived and if not, why.

    A chat's message waits for its bridge.
    """
    target = known_target(ctx.settings, req.target)

    def store(tx: Tx) -> DeliveryView:
        return DeliveryView.of(sending.find(tx, sending.trial(tx, ctx.caller.name, target)))

    told: DeliveryView = ctx.commit(store)
    if target.platform is not None:
        return told
    ctx.service.dispatching.deliver()
    row = _ended(ctx, told.id)
    if row.state != "sent":
        raise Unavailable(f"the test message did not arrive: {row.error or 'it waits to be sent'}")
    return DeliveryView.of(row)


def _ended(ctx: Around, delivery_id: int) -> Delivery:
    """The delivery when its send has ended, or as it is when that takes too long."""
    seen = 0
    until = ctx.read(lambda tx: tx.now) + TEST_WAIT_MS
    while True:
        row, now = ctx.read(lambda tx: (sending.find(tx, delivery_id), tx.now))
        if row.ended_at is not None or now >= until or not ctx.service.dispatching.running():
            return row
        seen = ctx.service.dispatching.wait_for_change(seen, TEST_STEP_S)


@operation(
    "delivery.dismiss",
    "POST /api/v1/deliveries/{id}/dismiss",
    command="notify dismiss",
    errors=(NotFound, Conflict),
)
def dismiss_delivery(ctx: Context, req: OneDelivery) -> DeliveryView:
    """Let a message that was given up rest, because nobody needs it any more."""
    return DeliveryView.of(sending.dismiss(ctx.tx, req.id))


class TakeDeliveries(Request, frozen=True, kw_only=True):
    """For which platform, and how many at most."""

    platform: Annotated[
        str, Arg("The chat platform, as targets name it.", pattern=r"^[a-z][a-z0-9_-]{0,31}$")
    ]
    target: Annotated[str | None, Arg("Only for this target.")] = None
    limit: Annotated[int, Arg("At most so many.", ge=1, le=limits.BATCH_PER_TICK)] = 10


class TakenView(Result, frozen=True):
    """A message to send, and which send of it this is; the target is whole, for the bridge needs it."""

    id: int
    send: int
    target: str
    message: dict[str, Any]


@operation("delivery.take", "POST /api/v1/deliveries/take", command="")
def take_deliveries(ctx: Context, req: TakeDeliveries) -> list[TakenView]:
    """Take the messages that are due for a chat platform, for its bridge, which reports each.

    One for each chat: the next is given out when that one was reported.  One that is not reported within a
    minute is given to the next who asks, and counts as a failed send.
    """
    sending.expire(ctx.tx)
    sender = sending.Sender(
        f"chat:{req.platform}",
        limits.CHAT_LEASE_MS,
        ctx.service.slug,
        ctx.service.site(),
        lambda: secrets.token_hex(16),
    )
    under_way = deliveries.under_way(ctx.tx)
    taken: list[TakenView] = []
    for lane in sending.due(ctx.tx).lanes:
        mine = lane.target not in under_way and _is_wanted(lane.target, req)
        if mine and lane.due <= ctx.tx.now and len(taken) < req.limit:
            row = sending.take(ctx.tx, sender, lane.target)
            if row is not None:
                assert row.message is not None
                taken.append(TakenView(row.id, row.sends, row.target, json.loads(row.message)))
    return taken


def _is_wanted(target: str, req: TakeDeliveries) -> bool:
    wanted = req.target is None or req.target == target
    return wanted and targets.parse(target).platform == req.platform


class ReportDelivery(Request, frozen=True, kw_only=True):
    """What came of a message that was taken."""

    id: Id
    ok: Annotated[bool, Arg("Whether it arrived.")]
    error: Annotated[str, Arg("Why not.", max_length=limits.REASON_CHARS_MAX)] = ""
    retry_after_ms: Annotated[
        Annotated[int, Meta(ge=0, le=limits.RETRY_AFTER_MS_MAX)] | None,
        Arg("How long the platform asks to wait.", unit="ms"),
    ] = None
    send: Annotated[Number | None, Arg("Which send it was, as it was taken.")] = None


class ReportedView(Result, frozen=True):
    """Whether the report was taken: false where the send had been given up before it came."""

    id: int
    taken: bool
    state: str


@operation("delivery.report", "POST /api/v1/deliveries/{id}/report", command="", errors=(NotFound,))
def report_delivery(ctx: Context, req: ReportDelivery) -> ReportedView:
    """Say what came of a message that was taken."""
    row = sending.find(ctx.tx, req.id)
    sent = Sent(req.ok, req.error or "the bridge gave no reason", req.retry_after_ms)
    taken = sending.record(ctx.tx, row.id, req.send or row.sends, sent)
    return ReportedView(row.id, taken, sending.find(ctx.tx, row.id).state)
