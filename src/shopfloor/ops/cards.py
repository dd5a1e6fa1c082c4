"""The board as a page shows it: columns with their counts, and cards with all that stands on them.

Asked with `ids`, it answers with these cards wherever they are now; that is how a page follows the board.
The counts and `last`, the newest event, are of the same snapshot as the cards.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta, field

from shopfloor.domain import limits
from shopfloor.domain.errors import Invalid
from shopfloor.domain.lifecycle import Status
from shopfloor.kernel.waits import Wait, waits
from shopfloor.ops import diagnostics
from shopfloor.ops.context import Context
from shopfloor.ops.lists import pattern
from shopfloor.ops.registry import operation
from shopfloor.ops.schema import Arg, Request, Result, always, moment
from shopfloor.store import cards, events
from shopfloor.store.cards import CardRow, Live, Looked
from shopfloor.store.db import Tx

# What is over is shown by when it ended; all else by priority and age.  So many ended tasks are looked at one by
# one; where there are more, the latest events tell which ones ended last.
LOOKED_AT = 2_000
ENDED = (Status.DONE, Status.CANCELLED, Status.ARCHIVED)
FIRST = {True: (limits.COUNT_MAX, limits.COUNT_MAX), False: (limits.PRIORITY_MAX, 0)}


class ListCards(Request, frozen=True, kw_only=True):
    """Which columns, or which tasks."""

    statuses: Annotated[
        list[str], Arg("Only these columns; left out: all but archived.", flag="--status")
    ] = field(default_factory=list)
    ids: Annotated[
        Annotated[list[int], Meta(max_length=limits.PAGE_MAX)] | None,
        Arg("These tasks, wherever they are, if they are looked for."),
    ] = None
    assignee: Annotated[
        str | None, Arg("Only of this profile; empty: of nobody; `!`: plain commands.")
    ] = None
    tenant: Annotated[str | None, Arg("Only for this tenant.")] = None
    text: Annotated[str | None, Arg("Only with these words in title or body.", flag="--search")] = (
        None
    )
    limit: Annotated[int, Arg("At most so many in a column.", ge=0, le=limits.PAGE_MAX)] = 50
    after: Annotated[str | None, Arg("Go on after this cursor, for one column alone.")] = None


class Now(Result, frozen=True):
    """What the worker of a task does now; `state` is starting, running, checking or leaving."""

    run: int
    state: str
    note: str | None
    noted_at: datetime | None
    since: datetime
    attempt: int
    role: str
    profile: str | None
    host: str


class WaitView(Result, frozen=True):
    """Why a task is where it is, as a code, with what belongs to it."""

    code: str
    until: datetime | None
    words: str | None
    on: list[int]


class Card(Result, frozen=True):
    """A task as the board shows it."""

    id: int
    title: str
    status: str
    phase: str
    assignee: str | None
    priority: int
    tenant: str | None
    order: bool
    since: datetime
    changed_at: datetime
    not_before: datetime | None
    attempts: int
    failures: int
    last_error: str | None
    block_kind: str | None
    block_reason: str | None
    archived_from: str | None
    forced: bool
    decomposed: bool
    workspace: str
    branch: str | None
    progress_done: int
    progress_total: int
    cost_micros: int | None
    comments: int
    attachments: int
    questions: int
    open_parents: int
    diagnostics: int
    now: Now | None
    why: WaitView


class Column(Result, frozen=True):
    """A status: how many tasks it has, and a page of them; `next` is what `after` takes."""

    status: str
    count: int
    next: str | None
    items: list[Card]


class CardPage(Result, frozen=True):
    """Columns; `last` is the newest event that they know of."""

    columns: list[Column]
    last: int


@operation(
    "task.cards",
    "GET /api/v1/cards",
    command="",
    kind="read",
    role="anyone",
    errors=(Invalid,),
)
def list_cards(ctx: Context, req: ListCards) -> CardPage:
    """List the board's columns with their counts and a page of cards each, or the cards of some tasks."""
    statuses = _statuses(req)
    looked = Looked(req.assignee, req.tenant, None if req.text is None else pattern(req.text))
    counts = cards.counts(ctx.tx, looked, statuses)
    if req.ids is not None:
        pages = _where_they_are(ctx.tx, req.ids, looked)
    else:
        pages = {one: _page(ctx.tx, one, looked, req, count=counts.get(one, 0)) for one in statuses}
    shown = _cards(ctx, [number for ids, _next in pages.values() for number in ids])
    columns = [
        Column(one, counts.get(one, 0), pages[one][1], [shown[i] for i in pages[one][0]])
        if one in pages
        else Column(one, counts.get(one, 0), None, [])
        for one in statuses
    ]
    return CardPage(columns, events.last_id(ctx.tx))


def _statuses(req: ListCards) -> list[Status]:
    for one in req.statuses:
        if one not in tuple(Status):
            raise Invalid(f"{one!r} is no status; use one of {', '.join(Status)}")
    if req.after is not None and len(req.statuses) != 1:
        raise Invalid("a cursor is for one column: name its status")
    if req.ids is not None:
        return list(Status)
    chosen = [Status(one) for one in dict.fromkeys(req.statuses)]
    return chosen or [one for one in Status if one is not Status.ARCHIVED]


def _page(
    tx: Tx, status: Status, looked: Looked, req: ListCards, *, count: int
) -> tuple[list[int], str | None]:
    """The tasks of a column's page, and the cursor of the next one."""
    ended = status in ENDED
    after = FIRST[ended] if req.after is None else _cursor(req.after)
    if req.limit == 0 or count == 0:
        return [], None
    if ended and looked == Looked() and count > LOOKED_AT:
        before = min(after[0], events.last_id(tx) + 1)
        found = cards.ended_lately(tx, status, before=before, limit=req.limit + 1)
    else:
        look = cards.ended if ended else cards.column
        found = look(tx, status, looked, after=after, limit=req.limit + 1)
    shown = found[: req.limit]
    more = f"{shown[-1][1]}:{shown[-1][0]}" if len(found) > req.limit else None
    return [number for number, _place in shown], more


def _cursor(after: str) -> tuple[int, int]:
    try:
        place, number = (int(part) for part in after.split(":"))
    except ValueError:
        raise Invalid(f"{after!r} is no cursor of a column") from None
    if abs(place) > limits.COUNT_MAX or not 0 <= number <= limits.COUNT_MAX:
        raise Invalid(f"{after!r} is no cursor of a column")
    return place, number


def _where_they_are(
    tx: Tx, ids: list[int], looked: Looked
) -> dict[Status, tuple[list[int], str | None]]:
    found = cards.found(tx, ids, looked)
    pages: dict[Status, tuple[list[int], str | None]] = {}
    for number in dict.fromkeys(ids):
        if number in found:
            pages.setdefault(Status(found[number]), ([], None))[0].append(number)
    return pages


def _cards(ctx: Context, ids: list[int]) -> dict[int, Card]:
    if not ids:
        return {}
    rows = cards.rows(ctx.tx, ids)
    reasons = waits(ctx.tx, ctx.settings, ctx.service.surroundings(ctx.tx), rows.values())
    wrong = diagnostics.counts(ctx, [row.id for row in rows.values() if row.status not in ENDED])
    return {
        number: _card(row, reasons[number], wrong.get(number, 0)) for number, row in rows.items()
    }


def _card(row: CardRow, why: Wait, wrong: int) -> Card:
    return Card(
        id=row.id,
        title=row.title,
        status=row.status,
        phase=row.phase,
        assignee=row.assignee,
        priority=row.priority,
        tenant=row.tenant,
        order=bool(row.is_order),
        since=always(row.since),
        changed_at=always(row.changed_at),
        not_before=moment(row.not_before),
        attempts=row.attempts,
        failures=row.failures,
        last_error=row.last_error,
        block_kind=row.block_kind,
        block_reason=row.block_reason,
        archived_from=row.archived_from,
        forced=bool(row.forced),
        decomposed=bool(row.decomposed),
        workspace=row.workspace,
        branch=row.branch,
        progress_done=row.progress_done,
        progress_total=row.progress_total,
        cost_micros=row.cost_micros,
        comments=row.comments,
        attachments=row.attachments,
        questions=row.questions,
        open_parents=row.open_parents,
        diagnostics=wrong,
        now=None if row.live is None else _now(row.live, row),
        why=WaitView(why.code, moment(why.until), why.words, list(why.on)),
    )


def _now(live: Live, row: CardRow) -> Now:
    if row.status != Status.RUNNING:
        state = "leaving"
    elif live.checking:
        state = "checking"
    else:
        state = "running" if live.pid is not None or live.host == "" else "starting"
    return Now(
        run=live.id,
        state=state,
        note=live.note,
        noted_at=moment(live.heartbeat_at),
        since=always(live.started_at or live.claimed_at),
        attempt=live.attempt,
        role=live.role,
        profile=live.profile,
        host=live.host,
    )
