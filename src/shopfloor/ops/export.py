"""The whole ledger as lines of JSON: of one moment, and then what changes.

A line names its table and has the row: `{"table": "task", "row": {…}}`.  In what changes, `{"forget": {"task": 7}}`
takes away what was said of a task before, but for its events and receipts, and `{"forget": {"table": "hold"}}` a
table; what is so now follows.  A message that has ended stands there again: a cursor names those that are still on
their way, for the time of an end says nothing about when its commit was seen.  A line with a `cursor` says that
all lines above it together are the ledger of one moment, and is what to go on from, on the same board.

The lines of one moment are written to a file of the board in one read transaction, and handed out from
there in parts: so they are of one moment whoever asks for them, and nobody holds them in memory.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Annotated, Any, NamedTuple

from shopfloor.domain.errors import Invalid, NotFound
from shopfloor.ops.context import Around
from shopfloor.ops.receipt_book import Bookkeeper
from shopfloor.ops.registry import operation
from shopfloor.ops.schema import Arg, Request, Result
from shopfloor.store import events, receipts
from shopfloor.store.db import Tx
from shopfloor.store.exports import WHOLE, Exporter

VERSION = 1
PART_BYTES = 512 * 1024
EVENTS_AT_ONCE = 300
WAIT_MAX_S = 30.0
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class ExportLedger(Request, frozen=True, kw_only=True):
    """Which part; without `export`, a new export is made."""

    export: Annotated[str | None, Arg("The export that the first answer named.", paging=True)] = (
        None
    )
    offset: Annotated[int, Arg("Where the part begins.", paging=True, ge=0)] = 0


class ExportPart(Result, frozen=True):
    """Some lines; `next` is the offset of the next part, None with the last one."""

    export: str
    lines: list[str]
    next: int | None


@operation(
    "ledger.export",
    "GET /api/v1/export",
    command="export",
    kind="around",
    admin=True,
    errors=(NotFound,),
)
def export_ledger(ctx: Around, req: ExportLedger) -> ExportPart:
    """Write the whole ledger as lines of JSON, all of one moment; with --follow, then what changes."""
    files = ctx.service.files
    name = req.export
    if name is None:
        Bookkeeper(ctx.service).bring_up(files=False)
        of = _ledger(ctx)
        name = files.begin_export(lambda write: ctx.read(lambda tx: write(_everything(tx, of))))
    data, over = files.read_export(name, req.offset, PART_BYTES)
    lines = data.decode().removesuffix("\n").split("\n") if data else []
    return ExportPart(name, lines, None if over else req.offset + len(data))


class Ledger(NamedTuple):
    """Which ledger it is: a board that is made anew has the name of the old one, and nothing else."""

    board: str
    since: int | None


def _ledger(ctx: Around) -> Ledger:
    return Ledger(ctx.service.slug, ctx.service.board().created_at)


def _everything(tx: Tx, of: Ledger) -> Iterator[str]:
    yield _encode({"ledger": {"version": VERSION, "board": of.board, "at": tx.now}})
    exporter = Exporter(tx)
    for one in exporter.everything():
        yield _encode({"table": one.table, "row": one.row})
    yield _encode({"cursor": _cursor(tx, exporter, of)})


def _cursor(tx: Tx, exporter: Exporter, of: Ledger) -> dict[str, Any]:
    """From where on a snapshot's changes are to be told."""
    last = exporter.last_delivery()
    return {
        "of": of,
        "event": events.last_id(tx),
        "receipt": receipts.head(tx).seq,
        "delivery": last,
        "open": _spans(exporter.open_deliveries(last)),
        "at": tx.now,
        "rest": {table: _digest(exporter, table) for table in WHOLE},
    }


def _digest(exporter: Exporter, table: str) -> str:
    """What tells whether a short table has changed."""
    hashed = sha256()
    for one in exporter.whole(table):
        hashed.update(_encode(one.row).encode())
    return hashed.hexdigest()[:16]


class LedgerChanges(Request, frozen=True, kw_only=True):
    """From which cursor on."""

    cursor: Annotated[dict[str, Any], Arg("What the last line with a cursor says.", json=True)]
    wait_s: Annotated[
        float, Arg("Wait so many seconds for the first change.", ge=0, le=WAIT_MAX_S)
    ] = 0


class Changes(Result, frozen=True):
    """Lines to append, the last of them with the cursor to go on from; none where nothing changed."""

    lines: list[str]
    more: bool


@operation(
    "ledger.changes",
    "POST /api/v1/export/changes",
    command="",
    kind="around",
    admin=True,
    errors=(Invalid,),
)
def ledger_changes(ctx: Around, req: LedgerChanges) -> Changes:
    """Tell what has changed in the ledger since a cursor of an export, as lines to append to it."""
    cursor = _checked(req.cursor, _ledger(ctx))
    seen, left_s = 0, req.wait_s
    found = ctx.read(lambda tx: _changes(tx, cursor))
    while not found.lines and left_s > 0:
        step_s = min(left_s, 5.0)
        seen = ctx.service.dispatching.wait_for_change(seen, step_s)
        left_s -= step_s
        found = ctx.read(lambda tx: _changes(tx, cursor))
    return found


def _checked(cursor: dict[str, Any], here: Ledger) -> dict[str, Any]:
    numbers = ("event", "receipt", "delivery", "at")
    if any(type(cursor.get(name)) is not int for name in numbers) or not isinstance(
        cursor.get("rest"), dict
    ):
        raise Invalid("the cursor is not one of an export; begin with a new export")
    of = cursor.get("of") or here
    if list(of) != list(here):
        raise Invalid(
            f"the cursor is of another ledger than board {here.board!r} has now; begin with a new export"
        )
    return cursor


def _changes(tx: Tx, cursor: dict[str, Any]) -> Changes:
    exporter = Exporter(tx)
    if cursor["event"] > events.last_id(tx):
        raise Invalid(
            f"the board has no event {cursor['event']}: an older copy of it was put in its place; "
            "begin with a new export"
        )
    lines: list[str] = []

    def put(table: str, row: dict[str, Any]) -> None:
        lines.append(_encode({"table": table, "row": row}))

    new = list(exporter.numbered("event", cursor["event"], EVENTS_AT_ONCE))
    proven = list(exporter.numbered("receipt", cursor["receipt"], EVENTS_AT_ONCE))
    touched = {one.row["task_id"] for one in (*new, *proven) if one.row["task_id"] is not None}
    gone = [json.loads(one.row["data"])["task"] for one in new if one.row["kind"] == "deleted"]
    lines += [_encode({"forget": {"task": number}}) for number in sorted(touched.union(gone))]
    for one in (*exporter.of_tasks(sorted(touched)), *new, *proven):
        put(one.table, one.row)
    sent = list(exporter.numbered("delivery", cursor["delivery"], EVENTS_AT_ONCE))
    ended = exporter.ended_deliveries(cursor["at"], cursor["delivery"])
    open_before = _numbers(cursor.get("open", ""))
    open_now = exporter.open_deliveries(cursor["delivery"])
    changed = open_before.symmetric_difference(open_now).union(ended)
    for one in (*exporter.deliveries(sorted(changed)), *sent):
        put(one.table, one.row)
    rest = dict(cursor["rest"])
    for table in WHOLE:
        digest = _digest(exporter, table)
        if rest.get(table) != digest:
            rest[table] = digest
            lines.append(_encode({"forget": {"table": table}}))
            for one in exporter.whole(table):
                put(one.table, one.row)
    if lines:
        last = sent[-1].row["id"] if sent else cursor["delivery"]
        after = {
            **cursor,
            "event": new[-1].row["id"] if new else cursor["event"],
            "receipt": proven[-1].row["seq"] if proven else cursor["receipt"],
            "delivery": last,
            "open": _spans(exporter.open_deliveries(last)),
            "at": tx.now,
            "rest": rest,
        }
        lines.append(_encode({"cursor": after}))
    more = max(len(new), len(proven), len(sent)) == EVENTS_AT_ONCE
    return Changes(lines, more)


def _spans(numbers: Iterable[int]) -> str:
    """Numbers in rising order as `1-3,7`."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and spans[-1][1] == number - 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ",".join(f"{first}-{last}" if last > first else f"{first}" for first, last in spans)


def _numbers(spans: str) -> set[int]:
    """The numbers that `_spans` wrote."""
    found: set[int] = set()
    for span in filter(None, spans.split(",")):
        first, _, last = span.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return found
