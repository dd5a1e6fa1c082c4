"""The chain of receipts as one file: written from a board, and checked without one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

from shopfloor.domain.errors import Invalid
from shopfloor.domain.receipts import Chain, End, Fault, digest, end_line, read_end, sum_line
from shopfloor.ops import signatures
from shopfloor.surfaces.cli.asking import Desk
from shopfloor.surfaces.cli.console import Console, one_line
from shopfloor.surfaces.cli.follow import compact
from shopfloor.surfaces.cli.page import Page
from shopfloor.surfaces.cli.parser import Said
from shopfloor.surfaces.cli.receipts import verified

# The last two lines of an export are shorter than this.
TAIL_BYTES = 64 * 1024


def export(desk: Desk, args: dict[str, Any], said: Said, console: Console) -> int:
    """Write all receipts, a page at a time, and below them where the chain ends and the sum of the lines."""
    above = sha256()
    with written(said.flags.output, console) as file:

        def put(line: str) -> None:
            data = f"{line}\n".encode()
            above.update(data)
            file.write(data)

        asked = dict(args)
        while True:
            page = desk.answer("receipt.export", asked)
            for line in page["lines"]:
                put(line)
            if page["end"] is not None:
                break
            asked |= {"after": page["last"], "upto": page["upto"]}
        put(end_line(End(**page["end"])))
        file.write(f"{sum_line(above.hexdigest())}\n".encode())
    if said.flags.output:
        console.tell(f"{page['upto']} receipt(s) written to {one_line(said.flags.output)}")
    return 0


@contextmanager
def written(path: str | None, console: Console) -> Iterator[BinaryIO]:
    """Where the lines go: standard output, or a file that is there when it is whole."""
    if not path:
        console.flush()
        yield _StandardOutput(console)  # type: ignore[misc]
        return
    place = Path(path).expanduser()
    fresh = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        with fresh.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(place)
    except OSError as wrong:
        raise Invalid(f"{path!r} cannot be written: {wrong.strerror or wrong}") from None
    finally:
        fresh.unlink(missing_ok=True)


class _StandardOutput:
    """Bytes for standard output, as a file."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def write(self, data: bytes) -> int:
        self._console.write_bytes(data)
        return len(data)


def verify_file(desk: Desk, args: dict[str, Any], said: Said, console: Console) -> int | None:
    """Check an exported chain; None where a board is to be checked."""
    del desk
    if not said.flags.file:
        return None
    key = None if args.get("key") is None else signatures.checked_key(args["key"])
    value = _Export(said.flags.file, key, args.get("contains")).told()
    if said.flags.json:
        console.say(compact(value))
    else:
        verified(value, Page(console, quiet=said.flags.quiet))
    return 0 if value["ok"] else 1


class _Export:
    """One walk through an exported chain, whose last two lines are known before."""

    def __init__(self, path: str, key: str | None, contains: str | None) -> None:
        self._key = key
        self._contains = None if contains is None else contains.strip().lower()
        self._found = contains is None
        self._chain = Chain()
        self._signed_hash: str | None = None
        self._problems: list[Fault] = []
        self._notes: list[str] = []
        try:
            with Path(path).expanduser().open("rb") as file:
                self._above, self._last_two = _split(file)
                self._end = read_end(self._last_two[0])
                self._sum = self._walk(file)
        except OSError as wrong:
            raise Invalid(f"{path!r} cannot be read: {wrong.strerror or wrong}") from None

    def _walk(self, file: BinaryIO) -> str:
        total, left = sha256(), self._above
        while left > 0:
            data = file.readline()
            left -= len(data)
            total.update(data)
            line = data.decode(errors="replace").removesuffix("\n")
            told = self._chain.take(line)
            found = digest(line)
            self._found = self._found or found == self._contains
            if self._end is not None and told is not None and told["seq"] == self._end.signed:
                self._signed_hash = found
        total.update(f"{self._last_two[0]}\n".encode())
        return total.hexdigest()

    def told(self) -> dict[str, Any]:
        """What is wrong, as `receipt.verify` answers it."""
        end = self._end
        if end is None:
            self._say("truncated", "the file does not end as an export does")
            end = End(self._chain.count, "")
        if sum_line(self._sum) != self._last_two[1]:
            self._say(
                "changed", "the lines of the file do not have the sum that its last line names"
            )
        if not self._found:
            self._say("other_chain", f"no receipt has the hash {self._contains}")
        signed = self._check_signature(end)
        problems = [*self._problems, *self._chain.finish(end)]
        return {
            "ok": not problems,
            "receipts": self._chain.count,
            "hash": end.hash,
            "signed": end.signed if signed else None,
            "key": end.key if signed else None,
            "problems": [
                {"code": one.code, "receipt": one.seq, "where": "file", "sentence": one.sentence}
                for one in problems
            ],
            "notes": self._notes,
        }

    def _check_signature(self, end: End) -> bool:
        """Whether the newest signature is well, and covers what the caller wants it to."""
        if self._key is not None and (end.key != self._key or end.signed != end.seq):
            self._say("unsigned", f"the chain is not signed up to its end with the key {self._key}")
        if end.key is None or end.signature is None:
            return False
        if not signatures.available():
            self._notes.append("the signature was not checked: install shopfloor[sign] for that")
            return False
        if signatures.verify(end.key, self._signed_hash or "", end.signature):
            return True
        self._say("signature", f"the signature of receipt {end.signed} is wrong")
        return False

    def _say(self, code: str, sentence: str) -> None:
        self._problems.append(Fault(code, None, sentence))


def _split(file: BinaryIO) -> tuple[int, tuple[str, str]]:
    """How many bytes stand above the last two lines of a file, and these lines."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(size - TAIL_BYTES, 0))
    data = file.read()
    file.seek(0)
    end = data.rfind(b"\n", 0, max(len(data) - 1, 0)) + 1
    begin = data.rfind(b"\n", 0, max(end - 1, 0)) + 1
    if not data.endswith(b"\n") or not 0 < end < len(data):
        return size, ("", "")
    above, last_two = data[begin:end], data[end:]
    texts = (above.decode(errors="replace")[:-1], last_two.decode(errors="replace")[:-1])
    return size - len(above) - len(last_two), texts
