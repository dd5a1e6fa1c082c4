"""Receipts: what each ended attempt was asked, how it ended and what it made, for who wants proof."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta

from shopfloor.domain import limits
from shopfloor.domain.errors import Conflict, Invalid, NotFound, Unavailable
from shopfloor.domain.model import Receipt
from shopfloor.ops.context import Around
from shopfloor.ops.dispatch import NoArguments
from shopfloor.ops.receipt_book import Bookkeeper, fill
from shopfloor.ops.registry import operation
from shopfloor.ops.schema import Arg, Request, Result, always
from shopfloor.store import receipts
from shopfloor.store.db import Tx

Number = Annotated[int, Meta(ge=1)]


class ReceiptView(Result, frozen=True):
    """A receipt: `receipt` is its content, `hash` that of its line, `key` and `signature` where it is signed."""

    id: int
    run: int
    task: int
    written_at: datetime
    hash: str
    key: str | None
    signature: str | None
    receipt: Any
    line: str

    @staticmethod
    def of(receipt: Receipt) -> ReceiptView:
        return ReceiptView(
            receipt.seq,
            receipt.run_id,
            receipt.task_id,
            always(receipt.at),
            receipt.hash,
            receipt.key,
            receipt.signature,
            json.loads(receipt.body),
            receipt.body,
        )


class ReceiptRow(Result, frozen=True):
    """A receipt in a list."""

    id: int
    run: int
    task: int
    written_at: datetime
    hash: str
    signed: bool
    outcome: str
    exit_code: int | None
    title: str


class ReceiptPage(Result, frozen=True):
    """Receipts, the newest first; `next` is what to give as `before` for older ones."""

    items: list[ReceiptRow]
    next: int | None


class ShowReceipt(Request, frozen=True, kw_only=True):
    """Which receipt: by its number, or the one of an attempt, or of a task's last attempt; the newest otherwise."""

    id: Annotated[Number | None, Arg("The receipt's number.", positional=True)] = None
    run: Annotated[Number | None, Arg("The receipt of this attempt.")] = None
    task: Annotated[Number | None, Arg("The receipt of this task's last attempt.")] = None


@operation(
    "receipt.show",
    "GET /api/v1/receipts/{id}",
    command="receipt show",
    kind="around",
    role="anyone",
    errors=(NotFound, Invalid),
)
def show_receipt(ctx: Around, req: ShowReceipt) -> ReceiptView:
    """Show one receipt, or the newest: what an attempt was asked, by whom, how it ended and what it made."""
    if sum(one is not None for one in (req.id, req.run, req.task)) > 1:
        raise Invalid("name one receipt: by its number, with --run, or with --task")
    Bookkeeper(ctx.service).bring_up()
    found = ctx.read(lambda tx: _named(tx, req))
    return ReceiptView.of(found)


def _named(tx: Tx, req: ShowReceipt) -> Receipt:
    if req.run is not None:
        found, what = receipts.of_run(tx, req.run), f"run {req.run} has no receipt"
    elif req.task is not None:
        found, what = receipts.latest_of_task(tx, req.task), f"#{req.task} has no receipt"
    else:
        number = receipts.head(tx).seq if req.id is None else req.id
        found, what = receipts.get(tx, number), f"there is no receipt {number or 'yet'}"
    if found is None:
        raise NotFound(
            f"{what}: an attempt gets one when it has ended and nothing of it lives; "
            "`shop receipt list` shows what there is"
        )
    return found


class ListReceipts(Request, frozen=True, kw_only=True):
    """Which receipts."""

    task: Annotated[Number | None, Arg("Only of this task's attempts.")] = None
    before: Annotated[Number | None, Arg("Only older than this receipt.")] = None
    limit: Annotated[int, Arg("At most so many.", ge=1, le=limits.PAGE_MAX)] = limits.PAGE_DEFAULT


@operation(
    "receipt.list",
    "GET /api/v1/receipts",
    command="receipt list",
    kind="around",
    role="anyone",
)
def list_receipts(ctx: Around, req: ListReceipts) -> ReceiptPage:
    """List receipts, the newest first; those of deleted tasks too."""
    Bookkeeper(ctx.service).bring_up()
    before = req.before if req.before is not None else 2**62
    found = ctx.read(
        lambda tx: receipts.newest(tx, before=before, task_id=req.task, limit=req.limit)
    )
    more = len(found) == req.limit and found[-1].seq > 1
    return ReceiptPage([_row(one) for one in found], found[-1].seq if more else None)


def _row(receipt: Receipt) -> ReceiptRow:
    told = json.loads(receipt.body)
    return ReceiptRow(
        receipt.seq,
        receipt.run_id,
        receipt.task_id,
        always(receipt.at),
        receipt.hash,
        receipt.signature is not None,
        told["end"]["outcome"],
        told["end"]["exit_code"],
        told["task"]["title"],
    )


class ExportReceipts(Request, frozen=True, kw_only=True):
    """From where on; `upto` is what the first page answered, so that all pages are of one chain."""

    after: Annotated[int, Arg("Only receipts behind this one.", paging=True, ge=0)] = 0
    upto: Annotated[int | None, Arg("Only receipts up to this one.", paging=True)] = None
    limit: Annotated[int, Arg("At most so many.", paging=True, ge=1, le=limits.PAGE_MAX)] = 500


class ChainEnd(Result, frozen=True):
    """Where the chain ends; `signature` is the newest one, of the receipt `signed`."""

    seq: int
    hash: str
    key: str | None
    signature: str | None
    signed: int | None


class ChainPage(Result, frozen=True):
    """Receipts as lines, oldest first; with `end`, the last ones up to it."""

    lines: list[str]
    last: int
    upto: int
    end: ChainEnd | None


@operation(
    "receipt.export",
    "GET /api/v1/receipt-chain",
    command="receipt export",
    kind="around",
    role="anyone",
)
def export_receipts(ctx: Around, req: ExportReceipts) -> ChainPage:
    """Write the chain of receipts as lines of JSON, with its end, for whoever is to check it."""
    if req.upto is None:
        Bookkeeper(ctx.service).bring_up()

    def look(tx: Tx) -> ChainPage:
        upto = receipts.head(tx).seq if req.upto is None else req.upto
        found = receipts.page(tx, after=req.after, limit=req.limit)
        lines = [one.body for one in found if one.seq <= upto]
        over = len(lines) < len(found) or len(found) < req.limit or found[-1].seq == upto
        last = found[len(lines) - 1].seq if lines else req.after
        return ChainPage(lines, last, upto, _end(tx, upto) if over else None)

    return ctx.read(look)


def _end(tx: Tx, upto: int) -> ChainEnd:
    """The end at a receipt: of the whole chain it is what the head says, whatever the rows say."""
    head = receipts.head(tx)
    last = receipts.get(tx, upto)
    digest = head.hash if head.seq == upto or last is None else last.hash
    signed = receipts.signed(tx, upto)
    if signed is None:
        return ChainEnd(upto, digest, None, None, None)
    return ChainEnd(upto, digest, signed.key, signed.signature, signed.seq)


class KeyView(Result, frozen=True):
    """The key that signs receipts from now on: its public half, and the file that has it."""

    key: str
    file: str


@operation(
    "receipt.keygen",
    "POST /api/v1/receipt-chain/key",
    command="receipt keygen",
    admin=True,
    kind="around",
    errors=(Conflict, Unavailable),
)
def make_key(ctx: Around, req: NoArguments) -> KeyView:  # noqa: ARG001 - every operation has one
    """Make the key that signs this home's receipts from now on; keep its public half elsewhere."""
    key, file = ctx.service.make_signer()
    return KeyView(key, file)


class Rebuilt(Result, frozen=True):
    """How many receipts were written as files, and where the files from before are."""

    receipts: int
    folder: str
    before: str | None


@operation(
    "receipt.rebuild",
    "POST /api/v1/receipt-chain/files",
    command="receipt rebuild",
    admin=True,
    kind="around",
)
def rebuild_files(ctx: Around, req: NoArguments) -> Rebuilt:  # noqa: ARG001 - every operation has one
    """Write the files of receipts anew from the ledger; the files from before are put aside."""
    Bookkeeper(ctx.service).bring_up(files=False)
    files = ctx.service.files.receipts
    before = files.set_aside() if files.folder.is_dir() else None
    head = ctx.read(receipts.head).seq
    written = sum(fill(ctx.service, first) for first in range(1, head + 1, files.lines_per_file))
    return Rebuilt(written, str(files.folder), before)
