"""Subscriptions: which target hears of which events of what."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta, field

from shopfloor.domain import limits, targets
from shopfloor.domain.errors import Invalid, NotFound, WrongStatus
from shopfloor.domain.events import NOTIFIABLE, TOLD_UNASKED
from shopfloor.domain.model import Subscription
from shopfloor.domain.settings import Settings
from shopfloor.kernel.subscriptions import subscribe, unsubscribe
from shopfloor.ops.context import Context
from shopfloor.ops.registry import operation
from shopfloor.ops.schedules import the_schedule
from shopfloor.ops.schema import Arg, Request, Result, always, moment
from shopfloor.store import subscriptions
from shopfloor.store.db import Tx

Name = Annotated[str, Meta(min_length=1, max_length=limits.NAME_CHARS_MAX)]
Number = Annotated[int, Meta(ge=1)]
TargetText = Annotated[
    str,
    Arg(
        "Where to: webhook:URL, apprise:URL, command:NAME, desktop: or chat:PLATFORM/CHAT/THREAD.",
        positional=True,
        min_length=1,
        max_length=targets.TARGET_CHARS_MAX,
    ),
]


class SubscriptionView(Result, frozen=True):
    """Who hears of what; the target is shown without what may be a secret of it."""

    id: int
    target: str
    about: str
    kinds: list[str]
    files: bool
    creator: str
    created_at: datetime
    ended_at: datetime | None
    ended_why: str | None

    @staticmethod
    def of(tx: Tx, row: Subscription) -> SubscriptionView:
        about = row.about
        if about.startswith(subscriptions.SCHEDULE):
            number = int(about.removeprefix(subscriptions.SCHEDULE))
            name = subscriptions.schedule_name(tx, number)
            about = about if name is None else f"{subscriptions.SCHEDULE}{name}"
        return SubscriptionView(
            row.id,
            targets.shown(row.target),
            about,
            row.kinds.split(),
            bool(row.files),
            row.creator,
            always(row.created_at),
            moment(row.ended_at),
            row.ended_why,
        )


class AddSubscription(Request, frozen=True, kw_only=True):
    """Which target, of what, and of which events; without any of what, it is the whole board."""

    target: TargetText
    task: Annotated[Number | None, Arg("Of this task, and of all that comes from it.")] = None
    tenant: Annotated[Name | None, Arg("Of this tenant's tasks.")] = None
    assignee: Annotated[Name | None, Arg("Of this profile's tasks.")] = None
    schedule: Annotated[Name | None, Arg("Of the tasks that this schedule makes.")] = None
    kinds: Annotated[
        list[str],
        Arg(
            "A kind of event to tell, or `all`; may be given again. Without it: completed, blocked, gave_up, "
            "crashed, timed_out, review_requested, block_loop_detected.",
            flag="--kind",
        ),
    ] = field(default_factory=list)
    files: Annotated[bool, Arg("Send the attachments of a completed task along.")] = False


class SubscribedView(Result, frozen=True):
    """The subscription; `created`: it was not there before, `changed`: what it hears of is new."""

    id: int
    created: bool
    changed: bool
    subscription: SubscriptionView


@operation(
    "subscription.add",
    "POST /api/v1/subscriptions",
    command="notify subscribe",
    errors=(Invalid, NotFound, WrongStatus),
)
def add_subscription(ctx: Context, req: AddSubscription) -> SubscribedView:
    """Tell a target of what happens to a task, a tenant's or a profile's tasks, or the whole board.

    The same target and the same task are the same subscription: subscribing again changes what it
    hears of.  It ends when its task is archived, and stays when the task is reopened.
    """
    target = known_target(ctx.settings, req.target)
    about = _about(
        task=req.task,
        tenant=req.tenant,
        assignee=req.assignee,
        schedule=None if req.schedule is None else the_schedule(ctx.tx, req.schedule).id,
    )
    done = subscribe(
        ctx.tx,
        ctx.caller,
        target,
        about or subscriptions.BOARD,
        kinds=_kinds(req.kinds),
        files=req.files,
    )
    row = done.subscription
    return SubscribedView(row.id, done.created, done.changed, SubscriptionView.of(ctx.tx, row))


def known_target(settings: Settings, text: str) -> targets.Target:
    """The target, if this host's configuration has what it names; raises Invalid."""
    target = targets.parse(text)
    if target.sink is not None and target.sink not in settings.sinks:
        raise Invalid(
            f"the configuration has no section [sinks.{target.sink}], which the target names"
        )
    return target


def _about(**named: int | str | None) -> str | None:
    """What is subscribed to, as it is stored; None where nothing is named."""
    given = [f"{what}:{value}" for what, value in named.items() if value is not None]
    if len(given) > 1:
        raise Invalid(f"a subscription is to one thing, and {' and '.join(given)} were named")
    return given[0] if given else None


def _kinds(given: list[str]) -> list[str]:
    unknown = [kind for kind in given if kind not in NOTIFIABLE and kind != "all"]
    if unknown:
        known = ", ".join(sorted(NOTIFIABLE))
        raise Invalid(f"{unknown[0]!r} is no kind of event that is told; use all, or {known}")
    return [*NOTIFIABLE] if "all" in given else given or [*TOLD_UNASKED]


class ListSubscriptions(Request, frozen=True, kw_only=True):
    """Which subscriptions."""

    task: Annotated[Number | None, Arg("Only of this task.")] = None
    target: Annotated[str | None, Arg("Only of this target.")] = None
    everyone: Annotated[bool, Arg("Those that have ended too.", flag="--all")] = False
    after: Annotated[int, Arg("Only after this subscription's number.", ge=0)] = 0
    limit: Annotated[int, Arg("At most so many.", ge=1, le=limits.PAGE_MAX)] = limits.PAGE_DEFAULT


class SubscriptionPage(Result, frozen=True):
    """Subscriptions, oldest first; `next` is where to go on, if there are more."""

    items: list[SubscriptionView]
    next: int | None


@operation(
    "subscription.list",
    "GET /api/v1/subscriptions",
    command="notify list",
    kind="read",
    role="anyone",
)
def list_subscriptions(ctx: Context, req: ListSubscriptions) -> SubscriptionPage:
    """List who hears of what."""
    found = subscriptions.listed(
        ctx.tx,
        everyone=req.everyone,
        about=_about(task=req.task),
        target=req.target,
        after=req.after,
        limit=req.limit + 1,
    )
    shown = found[: req.limit]
    more = shown[-1].id if len(found) > req.limit else None
    return SubscriptionPage([SubscriptionView.of(ctx.tx, row) for row in shown], more)


class EndSubscription(Request, frozen=True):
    """Which subscription."""

    id: Annotated[int, Arg("The subscription's number.", positional=True, ge=1)]


@operation(
    "subscription.remove",
    "DELETE /api/v1/subscriptions/{id}",
    command="notify unsubscribe",
    errors=(NotFound,),
)
def remove_subscription(ctx: Context, req: EndSubscription) -> SubscriptionView:
    """End a subscription; messages of it that have not left yet are dropped."""
    return SubscriptionView.of(ctx.tx, unsubscribe(ctx.tx, ctx.caller, req.id))
