"""The whole ledger as lines of JSON: of one moment, and then what changes.

A line names its table and has the row: `{"table": "task", "row": {…}}`.  In what changes, `{"forget": {"task": 7}}`
takes away what was said of a task before, but for its events and receipts, and `{"forget": {"table": "hold"}}` a
table; what is so now follows.  A message that has ended stands there again.  A line with a `cursor` says that all
lines above it together are the ledger of one moment, and is what to go on from.

The lines of one moment are written to a file of the board in one read transaction, and handed out from
there in parts: so they are of one moment whoever asks for them, and nobody holds them in memory.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256
from typing import Annotated, Any

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
        slug = ctx.service.slug
        name = files.begin_export(lambda write: ctx.read(lambda tx: write(_everything(tx, slug))))
    data, over = files.read_export(name, req.offset, PART_BYTES)
    lines = data.decode().removesuffix("\n").split("\n") if data else []
    return ExportPart(name, lines, None if over else req.offset + len(data))


def _everything(tx: Tx, slug: str) -> Iterator[str]:
    yield _encode({"ledger": {"version": VERSION, "board": slug, "at": tx.now}})
    exporter = Exporter(tx)
    for one in exporter.everything():
        yield _encode({"table": one.table, "row": one.row})
    yield _encode({"cursor": _cursor(tx, exporter)})


def _cursor(tx: Tx, exporter: Exporter) -> dict[str, Any]:
    """From where on a snapshot's changes are to be told."""
    return {
        "event": events.last_id(tx),
        "receipt": receipts.head(tx).seq,
        "delivery": exporter.last_delivery(),
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
    cursor = _checked(req.cursor)
    seen, left_s = 0, req.wait_s
    found = ctx.read(lambda tx: _changes(tx, cursor))
    while not found.lines and left_s > 0:
        step_s = min(left_s, 5.0)
        seen = ctx.service.dispatching.wait_for_change(seen, step_s)
        left_s -= step_s
        found = ctx.read(lambda tx: _changes(tx, cursor))
    return found


def _checked(cursor: dict[str, Any]) -> dict[str, Any]:
    numbers = ("event", "receipt", "delivery", "at")
    if any(type(cursor.get(name)) is not int for name in numbers) or not isinstance(
        cursor.get("rest"), dict
    ):
        raise Invalid("the cursor is not one of an export; begin with a new export")
    return cursor


def _changes(tx: Tx, cursor: dict[str, Any]) -> Changes:
    exporter = Exporter(tx)
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
    for one in (*exporter.ended_deliveries(cursor["at"], cursor["delivery"]), *sent):
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
        after = {
            "event": new[-1].row["id"] if new else cursor["event"],
            "receipt": proven[-1].row["seq"] if proven else cursor["receipt"],
            "delivery": sent[-1].row["id"] if sent else cursor["delivery"],
            "at": tx.now,
            "rest": rest,
        }
        lines.append(_encode({"cursor": after}))
    more = max(len(new), len(proven), len(sent)) == EVENTS_AT_ONCE
    return Changes(lines, more)
