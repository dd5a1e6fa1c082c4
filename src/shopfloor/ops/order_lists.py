"""Which work orders a list is asked for, the newest first, a page at a time."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated

from msgspec import field

from shopfloor.domain import limits
from shopfloor.domain.errors import Invalid
from shopfloor.domain.model import Task
from shopfloor.domain.orders import State
from shopfloor.ops.context import Context
from shopfloor.ops.order_views import OrderLine, OrderPage
from shopfloor.ops.registry import operation
from shopfloor.ops.schema import Arg, Request, milliseconds, text
from shopfloor.store import orders

AFTER_ALL = 2**62


class ListOrders(Request, frozen=True, kw_only=True):
    """Which orders: those of a state, the newest first."""

    states: Annotated[list[str], Arg("Only in this state; may be given again.", flag="--state")] = (
        field(default_factory=list)
    )
    archived: Annotated[bool, Arg("Archived orders too.")] = False
    limit: Annotated[int, Arg("At most so many.", ge=1, le=limits.PAGE_MAX)] = limits.PAGE_DEFAULT
    after: Annotated[str | None, Arg("Go on after this cursor of an earlier page.")] = None


@operation(
    "order.list",
    "GET /api/v1/orders",
    command="order list",
    kind="read",
    role="anyone",
    errors=(Invalid,),
)
def list_orders(ctx: Context, req: ListOrders) -> OrderPage:
    """List the orders of the board, the newest first."""
    return _page(ctx, QueryOrders(**{name: getattr(req, name) for name in req.__struct_fields__}))


class QueryOrders(ListOrders, frozen=True, kw_only=True):
    """Which orders, by all that can be asked for together."""

    text: Annotated[
        str | None, Arg("Only with these words in the name or the command.", positional=True)
    ] = None
    since: Annotated[datetime | None, Arg("Only those that were enqueued since then.")] = None
    env: Annotated[
        list[str], Arg("Only with this variable, NAME=VALUE; may be given again.", flag="--env")
    ] = field(default_factory=list)
    tenant: Annotated[str | None, Arg("Only for this tenant.")] = None
    assignee: Annotated[str | None, Arg("Only of this profile.")] = None


@operation(
    "order.query",
    "GET /api/v1/orders/query",
    command="order query",
    kind="read",
    role="anyone",
    errors=(Invalid,),
)
def query(ctx: Context, req: QueryOrders) -> OrderPage:
    """Find orders by state, age, words, variables, tenant and profile, the newest first."""
    return _page(ctx, req)


def _page(ctx: Context, req: QueryOrders) -> OrderPage:
    for state in req.states:
        if state not in tuple(State):
            raise Invalid(f"{state!r} is no state of an order; use one of {', '.join(State)}")
    if req.after is not None and not (req.after.isascii() and req.after.isdigit()):
        raise Invalid(f"{req.after!r} is no cursor of this list")
    pairs = [_pair(words) for words in req.env]
    filters: dict[str, object] = {
        "states": json.dumps(req.states) if req.states else None,
        "archived": int(req.archived),
        "since": milliseconds(req.since),
        "tenant": req.tenant,
        "assignee": req.assignee,
        "text": None if req.text is None else f"%{_escaped(req.text.lower())}%",
        # The database narrows it down by the first one; what it found is looked at again.
        "env": f"%{_escaped(_stored(*pairs[0]))}%" if pairs else None,
    }
    before = AFTER_ALL if req.after is None else int(req.after)
    found: list[orders.OrderRow] = []
    while True:
        rows = orders.page(ctx.tx, before=before, limit=req.limit + 1, **filters)
        found += [row for row in rows if _has(row.task, pairs)]
        if len(rows) <= req.limit or len(found) > req.limit:
            break
        before = rows[-1].task.id
    shown = found[: req.limit]
    more = str(shown[-1].task.id) if len(found) > req.limit else None
    return OrderPage([OrderLine.of(row) for row in shown], more)


def _pair(words: str) -> tuple[str, str]:
    name, equals, value = words.partition("=")
    if not name or not equals:
        raise Invalid(f"a variable is asked for as NAME=VALUE, not {words!r}")
    return name, value


def _stored(name: str, value: str) -> str:
    """A variable as a command's column has it."""
    return f"{text(name)}:{text(value)}"


def _has(task: Task, pairs: list[tuple[str, str]]) -> bool:
    env = json.loads(task.command or "{}").get("env", {}) if pairs else {}
    return all(env.get(name) == value for name, value in pairs)


def _escaped(words: str) -> str:
    for special in "\\%_":
        words = words.replace(special, f"\\{special}")
    return words
