"""Who wants to hear of what: subscribe a target, end a subscription.

A subscription follows a task, whatever came from it included; or a tenant, an assignee, the board.  It ends
when a person ends it, and when its task is archived or deleted; a task that is reopened keeps it.
"""

from __future__ import annotations

from typing import NamedTuple

from shopfloor.domain.caller import Caller
from shopfloor.domain.errors import NotFound, WrongStatus
from shopfloor.domain.lifecycle import Status
from shopfloor.domain.model import Subscription
from shopfloor.domain.targets import Target
from shopfloor.kernel.load import load
from shopfloor.store import deliveries, subscriptions
from shopfloor.store.db import Tx

# What stands behind the name of who ended it, in the reason of the end; other reasons are about its subject.
BY_HAND = " ended it"


class Subscribed(NamedTuple):
    """The subscription, and whether this made it or found it as it is."""

    subscription: Subscription
    created: bool
    changed: bool


def subscribe(
    tx: Tx, caller: Caller, target: Target, about: str, *, kinds: list[str], files: bool
) -> Subscribed:
    """Tell a target of some kinds of events; the same again is the same subscription.

    One that is there already hears of the kinds that are given now.  Raises NotFound for an unknown task and
    WrongStatus for an archived one.
    """
    if about.startswith(subscriptions.TASK):
        task = load(tx, int(about.removeprefix(subscriptions.TASK)))
        if task.status == Status.ARCHIVED:
            raise WrongStatus(
                f"cannot subscribe to #{task.id}: it is archived; `shop unarchive {task.id}` brings it back"
            )
    wanted = sorted({*kinds})
    added = subscriptions.add(
        tx, target=target.text, about=about, kinds=wanted, files=files, creator=caller.name
    )
    if added is not None:
        return Subscribed(added, created=True, changed=True)
    held = subscriptions.held(tx, about, target.text)
    assert held is not None, "one of the same is there, and its end waits for this transaction"
    new = held._replace(kinds=" ".join(wanted), files=int(files))
    if new != held:
        subscriptions.change(tx, new)
    return Subscribed(new, created=False, changed=new != held)


def unsubscribe(tx: Tx, caller: Caller, subscription_id: int) -> Subscription:
    """End a subscription, and drop what still waits for it; one that has ended stays as it is."""
    found = subscriptions.get(tx, subscription_id)
    if found is None:
        raise NotFound(
            f"there is no subscription {subscription_id}; `shop notify list --all` shows what there is"
        )
    if subscriptions.end(tx, found.id, f"{caller.name}{BY_HAND}"):
        deliveries.drop(tx, found.id)
    ended = subscriptions.get(tx, found.id)
    assert ended is not None
    return ended


def unsubscribed(tx: Tx, subscription_id: int) -> bool:
    """Whether a person has ended it, so that what is stored for it is not wanted any more either."""
    found = subscriptions.get(tx, subscription_id)
    return found is not None and (found.ended_why or "").endswith(BY_HAND)
