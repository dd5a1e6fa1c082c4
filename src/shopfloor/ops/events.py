"""What changed: the board's events in the order of the commits, read on or waited for."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, field

from shopfloor.domain import limits
from shopfloor.domain.errors import Invalid, NotFound
from shopfloor.domain.events import KINDS
from shopfloor.domain.model import Event
from shopfloor.kernel.load import load
from shopfloor.ops.context import Around
from shopfloor.ops.registry import operation
from shopfloor.ops.schema import Arg, Request, Result
from shopfloor.ops.views import EventView
from shopfloor.store import events
from shopfloor.store.db import Tx

WAIT_MAX_S = 30.0


class ListEvents(Request, frozen=True, kw_only=True):
    """Which events; `after` is the number of the last one that was seen."""

    id: Annotated[Annotated[int, Meta(ge=1)] | None, Arg("Only of this task.", positional=True)] = (
        None
    )
    after: Annotated[
        Annotated[int, Meta(ge=0)] | None,
        Arg("Only after this event; without it, the newest ones."),
    ] = None
    kinds: Annotated[list[str], Arg("Only of this kind; may be given again.", flag="--kind")] = (
        field(default_factory=list)
    )
    assignee: Annotated[str | None, Arg("Only of this profile's tasks.")] = None
    tenant: Annotated[str | None, Arg("Only of this tenant's tasks.")] = None
    limit: Annotated[int, Arg("At most so many.", ge=1, le=limits.PAGE_MAX)] = limits.PAGE_DEFAULT
    wait_s: Annotated[
        float, Arg("Wait so many seconds for the first one.", ge=0, le=WAIT_MAX_S)
    ] = 0


class EventPage(Result, frozen=True):
    """Events, oldest first; `last` is the cursor to go on with."""

    events: list[EventView]
    last: int


@operation(
    "event.list",
    "GET /api/v1/events",
    command="events",
    kind="around",
    role="anyone",
    errors=(Invalid, NotFound),
)
def list_events(ctx: Around, req: ListEvents) -> EventPage:
    """List events, of the board or of one task; with a wait, answer as soon as there is one."""
    unknown = [kind for kind in req.kinds if kind not in KINDS]
    if unknown:
        raise Invalid(f"{unknown[0]!r} is no kind of event; use one of {', '.join(sorted(KINDS))}")
    if req.id is not None and (req.assignee is not None or req.tenant is not None):
        raise Invalid("name a task, or the assignee or tenant of tasks, but not both")
    page = _page(ctx, req)
    number = req.id
    if number is not None and not page.events:
        ctx.read(lambda tx: load(tx, number))
    if page.events or req.wait_s <= 0:
        return page
    seen = 0
    left_s = req.wait_s
    while not page.events and left_s > 0:
        step_s = min(left_s, 5.0)
        seen = ctx.service.dispatching.wait_for_change(seen, step_s)
        left_s -= step_s
        page = _page(ctx, req)
    return page


def _page(ctx: Around, req: ListEvents) -> EventPage:
    def look(tx: Tx) -> EventPage:
        newest = events.last_id(tx)
        found = _found(tx, req)
        full = req.after is not None and len(found) == req.limit
        last = found[-1].id if full else max(newest, req.after or 0)
        return EventPage([EventView.of(event) for event in found], last)

    return ctx.read(look)


def _found(tx: Tx, req: ListEvents) -> list[Event]:
    """The events that are asked for, oldest first."""
    kinds = req.kinds or None
    if req.id is not None:
        if req.after is None:
            return events.latest_of_task(tx, req.id, req.limit, kinds)[::-1]
        return events.of_task(tx, req.id, after=req.after, limit=req.limit, kinds=kinds)
    wanted: dict[str, Any] = {
        "limit": req.limit,
        "kinds": kinds,
        "assignee": req.assignee,
        "tenant": req.tenant,
    }
    if req.after is None:
        return events.latest(tx, **wanted)[::-1]
    return events.after(tx, req.after, **wanted)
