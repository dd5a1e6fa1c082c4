"""The statements about subscriptions: who wants to hear of what, and what the events are matched with."""

from __future__ import annotations

from shopfloor.domain.model import Subscription
from shopfloor.store.db import Tx

BOARD = "board"
TASK = "task:"
SCHEDULE = "schedule:"


def add(
    tx: Tx, *, target: str, about: str, kinds: list[str], files: bool, creator: str
) -> Subscription | None:
    """Add a subscription; None where the target has one to the same already."""
    row = tx.one(
        "subscription_add",
        target=target,
        about=about,
        told=" ".join(kinds),
        files=int(files),
        creator=creator,
        now=tx.now,
    )
    if row is None:
        return None
    added = Subscription._make(row)
    _match(tx, added)
    return added


def held(tx: Tx, about: str, target: str) -> Subscription | None:
    """The living subscription of a target to the same, locked."""
    row = tx.one("subscription_held", about=about, target=target)
    return None if row is None else Subscription._make(row)


def get(tx: Tx, subscription_id: int) -> Subscription | None:
    row = tx.one("subscription_get", id=subscription_id)
    return None if row is None else Subscription._make(row)


def listed(
    tx: Tx, *, everyone: bool, about: str | None, target: str | None, after: int, limit: int
) -> list[Subscription]:
    """Subscriptions, oldest first; `everyone`: those too that have ended."""
    rows = tx.all(
        "subscription_list",
        everyone=int(everyone),
        about=about,
        target=target,
        after=after,
        limit=limit,
    )
    return [Subscription._make(row) for row in rows]


def change(tx: Tx, subscription: Subscription) -> None:
    """Write what it wants to hear of."""
    tx.run(
        "subscription_change",
        id=subscription.id,
        told=subscription.kinds,
        files=subscription.files,
    )
    _match(tx, subscription)


def end(tx: Tx, subscription_id: int, why: str) -> bool:
    """End it; false: it had ended before."""
    tx.run("interest_drop", subscription_id=subscription_id)
    return tx.run("subscription_end", id=subscription_id, why=why, now=tx.now) == 1


def end_about(tx: Tx, about: str, why: str) -> None:
    """End all to the same, after what the transaction still has to tell them."""
    tx.defer("interest_drop_about", about=about)
    tx.defer("subscription_end_about", about=about, why=why, now=tx.now)


def schedule_name(tx: Tx, schedule_id: int) -> str | None:
    """The name of a schedule that is subscribed to; None where it was removed."""
    row = tx.one("subscription_schedule", id=schedule_id)
    return None if row is None else str(row[0])


def inherit(tx: Tx, task_id: int, origin_id: int) -> None:
    """Let those who follow a task follow what came from it."""
    tx.run("interest_inherit", task_id=task_id, origin_id=origin_id)


def quiet(tx: Tx, subscription_id: int, until: int) -> None:
    """Let its next events gather until then."""
    tx.run("subscription_quiet", id=subscription_id, until=until)


def _match(tx: Tx, subscription: Subscription) -> None:
    """Let its kinds of events be told from now on, and no others."""
    kinds = subscription.kinds.split()
    tx.run("interest_drop", subscription_id=subscription.id)
    if subscription.about.startswith(TASK):
        task_id = int(subscription.about.removeprefix(TASK))
        tx.run("interest_add_task", task_id=task_id, kinds=kinds, subscription_id=subscription.id)
    else:
        tx.run(
            "interest_add",
            about=subscription.about,
            kinds=kinds,
            subscription_id=subscription.id,
        )
