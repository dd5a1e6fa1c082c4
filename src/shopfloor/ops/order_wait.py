"""Follow a work order: what is new of its state and its output, as soon as there is something."""

from __future__ import annotations

from typing import Annotated

from shopfloor.domain.errors import NotFound
from shopfloor.domain.model import Run, Task
from shopfloor.domain.orders import State, exit_status, is_over, state_of
from shopfloor.kernel import orders as ordering
from shopfloor.kernel.why import Reason, why
from shopfloor.ops.context import Around
from shopfloor.ops.events import WAIT_MAX_S
from shopfloor.ops.fields import Id
from shopfloor.ops.order_views import OrderLine, row_of
from shopfloor.ops.registry import operation
from shopfloor.ops.schema import Arg, Request, Result
from shopfloor.store import orders, runs
from shopfloor.store.db import Tx

PIECE_BYTES = 256 * 1024
# A worker's output rings no bell, so a running order is looked at so often, and any other only in case a bell was missed.
OUTPUT_EVERY_S = 0.2
LOOK_EVERY_S = 5.0
WAITS = (State.QUEUED, State.RETRY_SCHEDULED)


class WaitOrder(Request, frozen=True, kw_only=True):
    """Which order, from where in its output, and how long to wait for something new."""

    id: Id
    after: Annotated[
        str | None, Arg("Only output after this cursor of an earlier answer.", paging=True)
    ] = None
    wait_s: Annotated[
        float, Arg("Wait so many seconds for a change.", paging=True, ge=0, le=WAIT_MAX_S)
    ] = 0


class OrderNews(Result, frozen=True):
    """How an order is, and the next piece of its output, base64; `lost` says that older output is gone.

    `why` is told while it waits; `leaving` says that processes of the last attempt still live;
    `exit_status` is null before the end; without `dispatching` nobody starts it or sees its end.
    """

    order: OrderLine
    over: bool
    leaving: bool
    exit_status: int | None
    why: str | None
    next_step: str | None
    output: bytes
    lost: bool
    next: str
    dispatching: bool


@operation(
    "order.wait",
    "GET /api/v1/orders/{id}/wait",
    command="order wait",
    kind="around",
    role="anyone",
    errors=(NotFound,),
)
def wait(ctx: Around, req: WaitOrder) -> OrderNews:
    """Follow an order to its end: its output as it comes, then its exit status as one's own.

    128 and the signal's number for a command that was killed, 124 for one that ran too long, 127 for
    one that could not be started, 143 for a cancelled order, 75 while the board cannot be reached.
    Ctrl-C ends the waiting, not the order.
    """
    seen, left_s = 0, req.wait_s
    found = _news(ctx, req)
    first = found.order
    while left_s > 0 and not found.over and not found.output and found.order == first:
        runs = found.order.state == State.RUNNING.value
        step_s = min(left_s, OUTPUT_EVERY_S if runs else LOOK_EVERY_S)
        seen = ctx.service.dispatching.wait_for_change(seen, step_s)
        left_s -= step_s
        found = _news(ctx, req)
    return found


def _news(ctx: Around, req: WaitOrder) -> OrderNews:
    def look(tx: Tx) -> tuple[Task, Run | None, bool, Reason | None]:
        task = ordering.order(tx, req.id)
        leaving = runs.live_of_task(tx, task.id) is not None
        found = None
        if state_of(task) in WAITS:
            found = why(tx, ctx.settings, ctx.service.surroundings(tx), task.id)
        return task, orders.last_attempt(tx, task.id), leaving, found

    task, last, leaving, reason = ctx.read(look)
    # Read after the rows: what an ended order's workers wrote is all there.
    piece = ctx.service.files.log_from(req.id, req.after, PIECE_BYTES)
    return OrderNews(
        order=OrderLine.of(row_of(task, last)),
        over=is_over(task),
        leaving=leaving,
        exit_status=exit_status(task, last),
        why=None if reason is None else reason.sentence,
        next_step=None if reason is None else reason.next_step,
        output=piece.data,
        lost=piece.lost,
        next=piece.next,
        dispatching=ctx.service.dispatching.running(),
    )
