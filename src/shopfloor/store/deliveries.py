"""The statements about deliveries: stored messages, who is sending them, and what came of it."""

from __future__ import annotations

from typing import NamedTuple

from shopfloor.domain import limits
from shopfloor.domain.model import Delivery
from shopfloor.store.db import Tx


class Lane(NamedTuple):
    """A target that something waits for: when its next retry is due, and its next new message."""

    target: str
    retry_at: int | None
    fresh_at: int | None

    @property
    def due(self) -> int:
        """When something is to be done for it."""
        return min(at for at in (self.retry_at, self.fresh_at) if at is not None)


class Trouble(NamedTuple):
    """A message about a task that did not arrive."""

    task_id: int
    delivery: int
    state: str
    error: str


def fan_out(tx: Tx, *, task_id: int, kind: str, words: str, due: int) -> None:
    """After the event that was deferred last, a row for each target that wants to hear of it."""
    latest = due + limits.NOTICE_GAP_MS
    tx.defer(
        "delivery_fan_out",
        task_id=task_id,
        kind=kind,
        words=words,
        due=due,
        latest=latest,
        now=tx.now,
    )


def fan_out_schedule(
    tx: Tx, *, schedule_id: int, kind: str, title: str, words: str, due: int
) -> None:
    """The same after an event that is about a schedule and no task."""
    tx.defer(
        "delivery_fan_out_schedule",
        schedule_id=schedule_id,
        kind=kind,
        title=title,
        words=words,
        due=due,
        latest=due + limits.NOTICE_GAP_MS,
        now=tx.now,
    )


def add(tx: Tx, *, kind: str, title: str, words: str, target: str) -> int:
    """Add a message without an event; its number."""
    row = tx.one("delivery_add", kind=kind, title=title, words=words, target=target, now=tx.now)
    assert row is not None
    return int(row[0])


def lanes(tx: Tx) -> list[Lane]:
    """The targets that something waits for."""
    return [Lane._make(row) for row in tx.all("delivery_lanes")]


def pick(tx: Tx, target: str, *, fresh: bool) -> Delivery | None:
    """The next that is due for a target, locked: a new one, or a retry."""
    row = tx.one("delivery_pick", target=target, fresh=int(fresh), now=tx.now)
    return None if row is None else Delivery._make(row)


def begin(tx: Tx, delivery_id: int, *, holder: str, until: int, message: str) -> Delivery:
    """Say that it is being sent, with this message."""
    row = tx.one("delivery_begin", id=delivery_id, holder=holder, until=until, message=message)
    assert row is not None, "a delivery that was picked is locked"
    return Delivery._make(row)


def gather(tx: Tx, carrier: int, subscription_id: int, limit: int) -> list[Delivery]:
    """Let what else is new for the subscription go with this one; oldest first."""
    rows = tx.all(
        "delivery_gather",
        carrier=carrier,
        subscription_id=subscription_id,
        limit=limit,
        now=tx.now,
    )
    return sorted(map(Delivery._make, rows), key=lambda row: row.id)


def sent(tx: Tx, delivery_id: int, sends: int) -> bool:
    """Write down that this send arrived; false: it had been given up."""
    return tx.run("delivery_sent", id=delivery_id, sends=sends, now=tx.now) == 1


def failed(tx: Tx, delivery_id: int, sends: int, *, error: str, next_at: int | None) -> bool:
    """Write down that this send failed, and when the next one is due: None gives it up."""
    return (
        tx.run(
            "delivery_failed",
            id=delivery_id,
            sends=sends,
            state="given_up" if next_at is None else "waiting",
            error=error,
            next_at=tx.now if next_at is None else next_at,
            ended_at=tx.now if next_at is None else None,
        )
        == 1
    )


def tell(tx: Tx, carrier: int, error: str | None) -> None:
    """Give those that it carries its trouble, or take it from them."""
    tx.run("delivery_tell", id=carrier, error=error)


def expired(tx: Tx, limit: int) -> list[Delivery]:
    """Sends whose sender did not come back, locked."""
    return [Delivery._make(row) for row in tx.all("delivery_expired", now=tx.now, limit=limit)]


def next_lease(tx: Tx) -> int | None:
    """When the next send is given up whose sender does not come back."""
    row = tx.one("delivery_next_lease")
    return None if row is None else row[0]


def under_way(tx: Tx) -> set[str]:
    """The targets that a message is being sent to."""
    return {row[0] for row in tx.all("delivery_under_way")}


def disown(tx: Tx, holder: str) -> int:
    """Let the sends of a holder that has begun anew expire."""
    return tx.run("delivery_disown", holder=holder, now=tx.now)


def lock(tx: Tx, delivery_id: int) -> Delivery | None:
    """The delivery, locked."""
    row = tx.one("delivery_lock", id=delivery_id)
    return None if row is None else Delivery._make(row)


def listed(
    tx: Tx,
    *,
    states: list[str] | None,
    task_id: int | None,
    subscription_id: int | None,
    before: int,
    limit: int,
) -> list[Delivery]:
    """Deliveries, the newest first."""
    rows = tx.all(
        "delivery_list",
        states=states,
        task_id=task_id,
        subscription_id=subscription_id,
        before=before,
        limit=limit,
    )
    return [Delivery._make(row) for row in rows]


def again(tx: Tx, delivery_id: int) -> None:
    """Let it be sent now, with all its tries before it."""
    tx.run("delivery_again", id=delivery_id, now=tx.now)


def dismiss(tx: Tx, delivery_id: int) -> bool:
    """Let a message that was given up rest; false: it was not given up."""
    return tx.run("delivery_dismiss", id=delivery_id, now=tx.now) == 1


def drop(tx: Tx, subscription_id: int) -> int:
    """Drop what still waits for a subscription, and the trouble of what went with it."""
    tx.run("delivery_drop_trouble", subscription_id=subscription_id)
    return tx.run("delivery_drop", subscription_id=subscription_id, now=tx.now)


def troubles(tx: Tx, tasks: list[int]) -> list[Trouble]:
    """The messages about these tasks that did not arrive."""
    return [Trouble._make(row) for row in tx.all("delivery_troubles", tasks=tasks)]


def prune(tx: Tx, before: int) -> int:
    """Forget those that ended before this moment."""
    return tx.run("delivery_prune", before=before)
