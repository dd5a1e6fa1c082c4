"""Messages on their way: take the next one for a target, write down what came of it, send it again.

A message is composed and stored in the transaction that takes it, so that every further send is the same.
A send counts when it is taken: whoever dies with it has used it up, so a message that kills its sender
ends as others do.  Nothing here touches the task but the event that says that its message was given up.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import NamedTuple

from shopfloor.domain import limits, targets
from shopfloor.domain.caller import BOARD
from shopfloor.domain.errors import Conflict, NotFound
from shopfloor.domain.model import Delivery
from shopfloor.domain.notices import Sent, message
from shopfloor.kernel.subscriptions import unsubscribed
from shopfloor.store import deliveries, events, notes, subscriptions, tasks
from shopfloor.store.db import Tx

TRIAL = "test"
SENDER_DIED = "the sender did not come back from this send, so whether it arrived is not known"


class Sender(NamedTuple):
    """Who takes messages: its name, how long it may keep one, and what it puts into them."""

    holder: str
    lease_ms: int
    board: str
    site: str
    new_key: Callable[[], str]


def take(tx: Tx, sender: Sender, target: str) -> Delivery | None:
    """Take the next message for a target: retries that are due go before what is new."""
    row = deliveries.pick(tx, target, fresh=False) or deliveries.pick(tx, target, fresh=True)
    if row is None:
        return None
    until = tx.now + sender.lease_ms
    if row.message is not None:
        return deliveries.begin(tx, row.id, holder=sender.holder, until=until, message=row.message)
    told = [row]
    if row.subscription_id is not None:
        told += deliveries.gather(tx, row.id, row.subscription_id, limits.NOTICE_GATHERED_MAX)
        subscriptions.quiet(tx, row.subscription_id, tx.now + limits.NOTICE_GAP_MS)
    told.sort(key=lambda one: one.id)
    files = [file for one in told if one.files for file in _files(tx, one)]
    composed = message(
        told, key=sender.new_key(), board=sender.board, site=sender.site, files=files
    )
    text = json.dumps(composed, ensure_ascii=False, separators=(",", ":"))
    return deliveries.begin(tx, row.id, holder=sender.holder, until=until, message=text)


class Due(NamedTuple):
    """The targets that something waits for, and when a send is given up whose sender is silent."""

    now: int
    lanes: list[deliveries.Lane]
    lease_at: int | None


def due(tx: Tx) -> Due:
    """What there is to send, and when."""
    return Due(tx.now, deliveries.lanes(tx), deliveries.next_lease(tx))


def begin_anew(tx: Tx, holder: str) -> None:
    """A sender begins: what one of its name was sending before, nobody sends any more."""
    if deliveries.disown(tx, holder):
        expire(tx)


def _files(tx: Tx, row: Delivery) -> list[dict[str, object]]:
    """The files of the task whose completion a message tells."""
    if row.kind != "completed" or row.task_id is None:
        return []
    return [
        {"task": row.task_id, "name": one.name, "size": one.size, "sha256": one.sha256}
        for one in notes.attachment_of_task(tx, row.task_id)
    ]


def record(tx: Tx, delivery_id: int, sends: int, sent: Sent) -> bool:
    """Write down what came of a send; false: it had been given up, or was written down before."""
    row = deliveries.lock(tx, delivery_id)
    if row is None or row.state != "sending" or row.sends != sends:
        return False
    if sent.ok:
        deliveries.sent(tx, row.id, row.sends)
        if row.error is not None:
            deliveries.tell(tx, row.id, None)
        return True
    _not_arrived(tx, row, sent.error, _wait_ms(row, sent, tx.now))
    return True


def _not_arrived(tx: Tx, row: Delivery, why: str, wait_ms: int | None) -> None:
    """Write down why, and let it wait for its next send; without a wait there is none."""
    error = " ".join(why.split())[: limits.DELIVERY_ERROR_CHARS_MAX]
    next_at = None if wait_ms is None else tx.now + wait_ms
    deliveries.failed(tx, row.id, row.sends, error=error, next_at=next_at)
    deliveries.tell(tx, row.id, error)
    if next_at is None:
        _gave_up(tx, row, error)
    elif row.subscription_id is not None and unsubscribed(tx, row.subscription_id):
        # It was under way when somebody ended the subscription, so it could not be dropped with the others.
        deliveries.drop(tx, row.subscription_id)


def _wait_ms(row: Delivery, sent: Sent, now: int) -> int | None:
    """How long until the next send; None: there is no next one.

    Who asks for a short wait, again and again, is not given up sooner than who says nothing; nor is who asks
    for none, as a receiver does whose clock is behind.
    """
    if not sent.again or row.kind == TRIAL:
        return None
    asked_ms = sent.retry_after_ms
    if asked_ms is not None:
        asked_ms = max(limits.RETRY_AFTER_MS_MIN, min(asked_ms, limits.RETRY_AFTER_MS_MAX))
    old = now - row.created_at >= sum(limits.DELIVERY_BACKOFF_MS)
    if row.tries < limits.DELIVERY_TRIES_MAX:
        own_ms = limits.DELIVERY_BACKOFF_MS[max(row.tries, 1) - 1]
        return own_ms if asked_ms is None or (old and asked_ms < own_ms) else asked_ms
    if asked_ms is None or old:
        return None
    return max(asked_ms, limits.DELIVERY_BACKOFF_MS[0])


def _gave_up(tx: Tx, row: Delivery, error: str) -> None:
    if row.task_id is None or tasks.get(tx, row.task_id) is None:
        return
    said: dict[str, object] = {
        "delivery": row.id,
        "target": targets.shown(row.target),
        "error": error,
    }
    events.append(tx, "undelivered", task_id=row.task_id, actor=BOARD.name, data=said)


def expire(tx: Tx) -> int:
    """Take back the sends whose sender did not come back; they are tried again at once."""
    found = deliveries.expired(tx, limits.BATCH_PER_TICK)
    for row in found:
        over = row.kind == TRIAL or row.tries >= limits.DELIVERY_TRIES_MAX
        _not_arrived(tx, row, SENDER_DIED, None if over else 0)
    return len(found)


def again(tx: Tx, delivery_id: int) -> Delivery:
    """Let a message be sent now, whatever came of it before, with all its tries before it.

    One that went with another is sent again with that one.  Raises NotFound, and Conflict while it is being
    sent.
    """
    row = find(tx, delivery_id)
    if row.carried_by is not None:
        row = find(tx, row.carried_by)
    if row.state == "sending":
        raise Conflict(f"delivery {row.id} is being sent at this moment; look at it again soon")
    deliveries.again(tx, row.id)
    return find(tx, row.id)


def dismiss(tx: Tx, delivery_id: int) -> Delivery:
    """Let a message that was given up rest, with those that went with it.

    Raises NotFound, and Conflict for one that was not given up.
    """
    row = find(tx, delivery_id)
    if not deliveries.dismiss(tx, row.id):
        raise Conflict(
            f"delivery {row.id} is {row.state}, and only one that was given up can be dismissed"
        )
    deliveries.tell(tx, row.id, None)
    return find(tx, row.id)


def find(tx: Tx, delivery_id: int) -> Delivery:
    """The delivery, locked; raises NotFound."""
    row = deliveries.lock(tx, delivery_id)
    if row is None:
        raise NotFound(
            f"there is no delivery {delivery_id}; `shop notify deliveries` shows what there is"
        )
    return row


def trial(tx: Tx, caller_name: str, target: targets.Target) -> int:
    """Store a message that only says that the target is reached; its number."""
    words = f"{caller_name} tries whether messages arrive here. They do."
    return deliveries.add(tx, kind=TRIAL, title="Shopfloor", words=words, target=target.text)
