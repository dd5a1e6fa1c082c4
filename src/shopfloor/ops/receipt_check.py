"""Check the chain of receipts: each one, their order, the end, the files, the signatures.

Everything is read a page at a time, so that a long chain needs little memory; what is added meanwhile is
not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any

from shopfloor.domain.errors import Invalid, Unavailable
from shopfloor.domain.model import Receipt
from shopfloor.domain.receipts import Chain, End, digest, read
from shopfloor.ops import signatures
from shopfloor.ops.context import Around, ReceiptLines
from shopfloor.ops.receipt_book import Bookkeeper
from shopfloor.ops.registry import operation
from shopfloor.ops.schema import Arg, Request, Result
from shopfloor.store import receipts

PAGE = 500
FAULTS_MAX = 1_000
# A receipt that was written so shortly ago may be on its way into the files.
ON_ITS_WAY_MS = 60_000


class FaultView(Result, frozen=True):
    """What is wrong with which receipt, and where: in the ledger, in a file, or with a signature."""

    code: str
    receipt: int | None
    where: str
    sentence: str


class Verified(Result, frozen=True):
    """What the check found: nothing is what should come out.

    `signed` is the last receipt that a signature covers, `key` the one that made it.
    """

    ok: bool
    receipts: int
    hash: str
    signed: int | None
    key: str | None
    problems: list[FaultView]
    notes: list[str]


class VerifyReceipts(Request, frozen=True, kw_only=True):
    """What the chain must agree with beside itself."""

    key: Annotated[
        str | None, Arg("The chain must be signed up to its end, with this public key.")
    ] = None
    contains: Annotated[
        str | None, Arg("A hash that was noted before; the chain must contain it.", metavar="HASH")
    ] = None


@operation(
    "receipt.verify",
    "GET /api/v1/receipt-chain/check",
    command="receipt verify",
    kind="around",
    role="anyone",
    errors=(Invalid, Unavailable),
)
def verify_receipts(ctx: Around, req: VerifyReceipts) -> Verified:
    """Check all receipts: changed, missing, reordered, inserted, cut off at the end, in ledger and files."""
    key = None if req.key is None else signatures.checked_key(req.key)
    Bookkeeper(ctx.service).bring_up(files=False)
    return _Check(ctx, key, req.contains).run()


class _Check:
    """One walk along the chain."""

    def __init__(self, ctx: Around, key: str | None, contains: str | None) -> None:
        self._ctx = ctx
        self._files = ctx.service.files.receipts
        self._key = key
        self._contains = None if contains is None else contains.strip().lower()
        self._found = self._contains is None
        self._chain = Chain()
        self._beside: list[FaultView] = []
        self._notes: list[str] = []
        self._signed: Receipt | None = None
        self._can_sign = signatures.available()

    def run(self) -> Verified:
        head = self._ctx.read(receipts.head)
        filed = _Filed(self._files, self._ctx.read(lambda tx: tx.now) - ON_ITS_WAY_MS)
        for row in self._rows(head.seq):
            self._look(row)
            filed.compare(row)
        faults = self._chain.finish(End(head.seq, head.hash))
        self._surplus(head.seq)
        self._beside += filed.finish(self._ctx.read(receipts.head).seq)
        self._of_the_whole(head.seq)
        problems = [FaultView(f.code, f.seq, "ledger", f.sentence) for f in faults] + self._beside
        problems.sort(key=lambda one: one.receipt or 0)
        if len(problems) > FAULTS_MAX:
            self._notes.append(
                f"{len(problems)} problems were found; the first {FAULTS_MAX} are told"
            )
        signed = self._signed
        return Verified(
            not problems,
            self._chain.count,
            head.hash,
            None if signed is None else signed.seq,
            None if signed is None else signed.key,
            problems[:FAULTS_MAX],
            self._notes,
        )

    def _rows(self, upto: int) -> Iterator[Receipt]:
        after = 0
        while True:
            page = self._ctx.read(lambda tx, a=after: receipts.page(tx, after=a, limit=PAGE))  # type: ignore[misc]
            yield from (row for row in page if row.seq <= upto)
            if len(page) < PAGE or page[-1].seq >= upto:
                return
            after = page[-1].seq

    def _look(self, row: Receipt) -> None:
        """One row: its line, and whether its columns say the same."""
        told = self._chain.take(row.body)
        if told is None:
            return
        columns = (row.seq, row.previous, row.run_id, row.task_id, row.at)
        if _named(told) != columns or row.hash != digest(row.body):
            sentence = f"the row of receipt {row.seq} does not say what the receipt says"
            self._chain.fault("changed", row.seq, sentence)
        if row.hash == self._contains:
            self._found = True
        if row.signature is not None:
            self._check_signature(row)

    def _check_signature(self, row: Receipt) -> None:
        assert row.key is not None, "the schema says so"
        assert row.signature is not None, "the schema says so"
        if not self._can_sign:
            return
        if self._key is not None and row.key != self._key:
            self._wrong("other_key", row.seq, f"receipt {row.seq} is signed with the key {row.key}")
        elif not signatures.verify(row.key, row.hash, row.signature):
            self._wrong("signature", row.seq, f"the signature of receipt {row.seq} is wrong")
        else:
            self._signed = row

    def _surplus(self, upto: int) -> None:
        """Rows behind the end, which nobody added who keeps the chain."""
        now = self._ctx.read(receipts.head).seq
        for row in self._ctx.read(lambda tx: receipts.page(tx, after=max(upto, now), limit=PAGE)):
            sentence = f"receipt {row.seq} is behind the end of the chain"
            self._beside.append(FaultView("inserted", row.seq, "ledger", sentence))

    def _of_the_whole(self, upto: int) -> None:
        if not self._found:
            sentence = f"no receipt has the hash {self._contains}: the chain is not the one it was"
            self._beside.append(FaultView("other_chain", None, "ledger", sentence))
        if not self._can_sign:
            if self._key is not None:
                raise Unavailable(
                    "signatures cannot be checked without the package cryptography; install shopfloor[sign]"
                )
            if self._ctx.read(lambda tx: receipts.signed(tx, upto)) is not None:
                self._notes.append(
                    "the signatures were not checked: install shopfloor[sign] for that"
                )
            return
        last = 0 if self._signed is None else self._signed.seq
        if self._key is not None and last < upto:
            sentence = f"receipts {last + 1} to {upto} are not signed with that key"
            self._wrong("unsigned", last + 1, sentence)

    def _wrong(self, code: str, seq: int, sentence: str) -> None:
        self._beside.append(FaultView(code, seq, "signature", sentence))


def _named(told: dict[str, Any]) -> tuple[object, ...]:
    """What a receipt's row has in columns of its own."""
    run, task = (told.get(name) or {} for name in ("run", "task"))
    if not isinstance(run, dict) or not isinstance(task, dict):
        return ()
    return told["seq"], told["previous"], run.get("id"), task.get("id"), _written(told)


def _written(told: dict[str, Any]) -> int | None:
    """When a receipt says that it was written, in ms; None where that is no time."""
    try:
        return round(datetime.fromisoformat(told["written"]).timestamp() * 1000)
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


class _Filed:
    """Compares the files with the ledger, line by line."""

    def __init__(self, files: ReceiptLines, settled_before: int) -> None:
        self._files = files
        self._settled_before = settled_before
        self._appended = files.appended()
        self._first = 0
        self._lines: list[str] = []
        self._left = set(files.firsts())
        self._told: list[FaultView] = []

    def compare(self, row: Receipt) -> None:
        """Whether a receipt of the ledger stands in its file where it belongs."""
        size = self._files.lines_per_file
        first = (row.seq - 1) // size * size + 1
        if first != self._first:
            self._surplus_of(self._first)
            self._first, self._lines = first, self._files.lines(first)
            self._left.discard(first)
        place = row.seq - first
        if place >= len(self._lines):
            if row.at < self._settled_before or row.seq <= self._appended:
                self._say("missing", row.seq, "is missing in the file")
        elif self._lines[place] != row.body:
            other = read(self._lines[place])
            if other is not None and other["seq"] != row.seq:
                self._say("reordered", row.seq, f"has receipt {other['seq']} in its place")
            else:
                self._say("changed", row.seq, "was changed in the file")

    def finish(self, head: int) -> list[FaultView]:
        """What is wrong in the files; what was added up to `head` meanwhile may be there already."""
        self._surplus_of(self._first, head)
        for first in sorted(self._left):
            if first > head:
                where = f"{first:08d}.jsonl"
                sentence = "the ledger has no receipts for this file"
                self._told.append(FaultView("inserted", first, where, sentence))
        return self._told

    def _surplus_of(self, first: int, head: int | None = None) -> None:
        if not first:
            return
        most = self._files.lines_per_file
        room = most if head is None else max(min(head - first + 1, most), 0)
        if len(self._lines) > room:
            self._say("inserted", first + room, "is in the file and not in the ledger")

    def _say(self, code: str, seq: int, words: str) -> None:
        where = f"{self._first:08d}.jsonl"
        self._told.append(FaultView(code, seq, where, f"receipt {seq} {words}"))
