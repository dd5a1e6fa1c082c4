"""Receipts as anyone can check them: one line of JSON each, chained by hashes.

A receipt is JSON with its keys in order, no spaces, and as few escapes as JSON allows: what `jq -cS .` prints.
Its hash is the SHA-256 of that line with its line end, so that `sed -n 7p FILE | sha256sum` tells it, and it
names the hash of the receipt before it, the first one 64 zeros.  An export is these lines in order, and
below them two more: where the chain ends, and the SHA-256 of all lines above the last.

Whoever changes one receipt must change all that follow and the end; what the end was is known to the
ledger, to each export, and to whoever noted a hash or holds a signed one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, NamedTuple

VERSION = 1
GENESIS = "0" * 64
# A number further ahead than this is no gap, but a changed number.
GAP_MAX = 1_000_000
_encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode


class Fault(NamedTuple):
    """What is wrong in a chain, and with which receipt; None where it is with the chain as a whole."""

    code: str
    seq: int | None
    sentence: str


class End(NamedTuple):
    """Where a chain ends, with the newest signature in it and the receipt whose hash it signs."""

    seq: int
    hash: str
    key: str | None = None
    signature: str | None = None
    signed: int | None = None


def canonical(told: Mapping[str, Any]) -> str:
    """The one line that stands for these values."""
    # The one character beside the control characters that jq writes as an escape.
    return _encode(told).replace("\x7f", "\\u007f")


def digest(line: str) -> str:
    """The hash of a receipt's line."""
    return sha256(f"{line}\n".encode()).hexdigest()


def moment(ms: int | None) -> str | None:
    """A time as receipts tell it: ISO 8601 in UTC, with milliseconds."""
    if ms is None:
        return None
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def read(line: str) -> dict[str, Any] | None:
    """The values of a receipt's line; None where it is not one that this program writes."""
    told = _object(line)
    if told is None or not all(type(told.get(name)) is int for name in ("seq", "version")):
        return None
    return told if isinstance(told.get("previous"), str) else None


def _object(line: str) -> dict[str, Any] | None:
    try:
        told = json.loads(line)
        return told if isinstance(told, dict) and canonical(told) == line else None
    except (ValueError, RecursionError):
        return None


def end_line(end: End) -> str:
    """The line of an export that says where the chain ends."""
    return canonical({"end": {"version": VERSION, **end._asdict()}})


def sum_line(above: str) -> str:
    """The last line of an export: the SHA-256 of all lines above it."""
    return canonical({"sha256": above})


def read_end(line: str) -> End | None:
    """Where a chain ends, as an export says it; None for any other line."""
    told = _object(line)
    inside = None if told is None or set(told) != {"end"} else told["end"]
    if not isinstance(inside, dict) or inside.pop("version", None) != VERSION:
        return None
    if set(inside) != set(End._fields) or type(inside["seq"]) is not int:
        return None
    return End(**inside)


class Chain:
    """Follows receipts in the order in which they stand somewhere, and notes what is wrong.

    `take` gets each line in turn; `finish` says what is missing, once the end is known.  That a line was
    changed is seen by the next one, which names another hash.
    """

    def __init__(self) -> None:
        self.count = 0
        self._faults: dict[tuple[str, int | None], Fault] = {}
        self._next = 1
        self._absent: set[int] = set()
        # Hashes that no line behind them has named yet, and names of lines that have not come yet.
        self._hashes = {0: GENESIS}
        self._named: dict[int, str] = {}

    def take(self, line: str) -> dict[str, Any] | None:
        """Look at the next line; its values, if it is a receipt."""
        told = read(line)
        self.count += 1
        if told is None:
            self.fault("changed", self._next, f"receipt {self._next} is no receipt any more")
            self._next += 1
            return None
        seq = int(told["seq"])
        if self._place(seq):
            self._hashes[seq] = digest(line)
            self._named[seq - 1] = str(told["previous"])
            self._compare(seq)
            self._compare(seq - 1)
        return told

    def finish(self, end: End) -> list[Fault]:
        """All that is wrong, the chain's end known; in the order of the receipts."""
        for seq in self._absent:
            self.fault("missing", seq, f"receipt {seq} is missing")
        last = self._next - 1
        if last < end.seq:
            gap = (
                f"receipts {last + 1} to {end.seq} are"
                if last + 1 < end.seq
                else f"receipt {end.seq} is"
            )
            self.fault("truncated", last + 1, f"{gap} missing at the end of the chain")
        elif last > end.seq:
            self.fault("inserted", last, f"the chain ends with receipt {end.seq}, and more follow")
        else:
            self._named[end.seq] = end.hash
            self._compare(end.seq)
        for seq in [seq for code, seq in self._faults if code == "changed" and seq is not None]:
            if ("changed", seq + 1) in self._faults:
                self._doubt(seq)
        return sorted(self._faults.values(), key=lambda fault: fault.seq or 0)

    def fault(self, code: str, seq: int | None, sentence: str) -> None:
        """Note what is wrong, each thing once."""
        self._faults.setdefault((code, seq), Fault(code, seq, sentence))

    def _place(self, seq: int) -> bool:
        """Note where it stands; false: a receipt with its number was there already."""
        if seq == self._next:
            self._next += 1
        elif self._next < seq < self._next + GAP_MAX:
            self._absent.update(range(self._next, seq))
            self._next = seq + 1
        elif seq in self._absent:
            self._absent.discard(seq)
            self.fault("reordered", seq, f"receipt {seq} stands behind receipt {self._next - 1}")
        else:
            self.fault("inserted", seq, f"receipt {seq} does not belong where it stands")
            return False
        return True

    def _compare(self, seq: int) -> None:
        """Compare a receipt with what the one behind it names, when both are known."""
        if seq not in self._hashes or seq not in self._named:
            return
        if self._hashes.pop(seq) != self._named.pop(seq):
            changed = max(seq, 1)
            self.fault(
                "changed", changed, f"receipt {changed} is not the one that the next one names"
            )

    def _doubt(self, seq: int) -> None:
        """A receipt that only a changed one speaks against."""
        del self._faults["changed", seq]
        sentence = f"receipt {seq} cannot be confirmed, because the one behind it was changed"
        self.fault("unconfirmed", seq, sentence)
