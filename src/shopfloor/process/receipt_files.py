"""Receipts as files: lines of JSON, a thousand to a file, so that receipt 4,217 is line 217 of `00004001.jsonl`.

The ledger has them too and is what counts; the files are for those who have no ledger at hand.  So lines are
appended without waiting for the disk: what a power cut took from the end, or a person removed, is written
again from the ledger.  What was changed in a file is left as it is, for `verify` to tell.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from shopfloor.process.files import write_atomic

LINES_PER_FILE = 1_000


class ReceiptFiles:
    """The receipts of one board on this host."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lines_per_file = LINES_PER_FILE
        self._last: tuple[int, int] | None = None

    def path(self, seq: int) -> Path:
        """The file that a receipt belongs into."""
        return self.folder / f"{first_of(seq):08d}.jsonl"

    def last(self) -> int:
        """The number of the last receipt that is there; 0 where none is.

        A line that was cut off at the end is removed.
        """
        if self._last is not None and self._is_last(*self._last):
            return self._last[0]
        if not self.folder.is_dir():
            return 0
        with _held(self.folder):
            return self._found()

    def appended(self) -> int:
        """The last receipt that was seen there, or written, by this process; 0 where it has not looked."""
        return 0 if self._last is None else self._last[0]

    def append(self, first: int, lines: Sequence[str]) -> None:
        """Write the receipts from `first` on; those that somebody else has written meanwhile are left out."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _held(self.folder):
            seq = self._found() + 1
            left = lines[seq - first :] if seq >= first else ()
            at = 0
            while at < len(left):
                piece = left[at : at + first_of(seq) + LINES_PER_FILE - seq]
                self._last = seq + len(piece) - 1, _append(self.path(seq), piece)
                at += len(piece)
                seq += len(piece)

    def missing(self, upto: int) -> list[int]:
        """The first receipts of the files that should be there and are not."""
        there = {path.name for path in self._files()}
        firsts = range(1, upto + 1, LINES_PER_FILE)
        return [first for first in firsts if self.path(first).name not in there]

    def replace(self, first: int, lines: Sequence[str]) -> None:
        """Write one whole file anew."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomic(self.path(first), "".join(f"{line}\n" for line in lines).encode())
        self._last = None

    def lines(self, first: int) -> list[str]:
        """The lines of one file, as they stand there."""
        try:
            data = self.path(first).read_bytes()
        except FileNotFoundError:
            return []
        return data.decode(errors="replace").removesuffix("\n").split("\n") if data else []

    def firsts(self) -> list[int]:
        """The first receipts of the files that are there."""
        return sorted(int(path.stem) for path in self._files())

    def set_aside(self) -> str:
        """Put the folder out of the way, with its files as they are; answers where it is."""
        for number in range(1, 10_000):
            place = self.folder.with_name(f"{self.folder.name}.old-{number}")
            if not place.exists():
                self.folder.rename(place)
                self._last = None
                return str(place)
        raise FileExistsError(f"there are too many folders like {self.folder}.old-1; remove some")

    def _found(self) -> int:
        """What `last` answers, while nobody else writes."""
        if self._last is not None and self._is_last(*self._last):
            return self._last[0]
        for path in sorted(self._files(), reverse=True):
            seq, size = _mend(path)
            if size:
                self._last = seq, size
                return seq
            path.unlink()
        return 0

    def _is_last(self, seq: int, size: int) -> bool:
        """Whether the last file is still as long as it was, and there is none behind it."""
        try:
            same = self.path(seq).stat().st_size == size
        except FileNotFoundError:
            return False
        return same and (seq % LINES_PER_FILE != 0 or not self.path(seq + 1).exists())

    def _files(self) -> list[Path]:
        return [path for path in self.folder.glob("*.jsonl") if path.stem.isdigit()]


def first_of(seq: int) -> int:
    """The first receipt of the file that a receipt belongs into."""
    return (seq - 1) // LINES_PER_FILE * LINES_PER_FILE + 1


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Keep other processes from appending meanwhile."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _append(path: Path, lines: Sequence[str]) -> int:
    """Add lines to a file; answers its size."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    with open(descriptor, "ab") as file:  # noqa: PTH123 - a descriptor
        file.write("".join(f"{line}\n" for line in lines).encode())
        file.flush()
        return os.fstat(descriptor).st_size


def _mend(path: Path) -> tuple[int, int]:
    """The last receipt of a file and the file's size, a line that was cut off at its end removed."""
    data = path.read_bytes()
    size = data.rfind(b"\n") + 1
    if size < len(data):
        os.truncate(path, size)
    whole = data[:size].split(b"\n")[:-1]
    seq = _seq_of(whole[-1]) if whole else None
    return int(path.stem) + len(whole) - 1 if seq is None else seq, size


def _seq_of(line: bytes) -> int | None:
    try:
        told = json.loads(line)
    except ValueError:
        return None
    seq = told.get("seq") if isinstance(told, dict) else None
    return seq if type(seq) is int else None
