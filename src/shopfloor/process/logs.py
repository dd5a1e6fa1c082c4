"""Worker output on disk: a writer that keeps it bounded, a reader of its end.

A log is two files at most: the newest, and the one before it as `.1`.  The writer never blocks
on anything but the disk and never grows them past twice the limit and one piece.  Once something was thrown
away, a third file says how often: it has a byte for each time.
"""

# Supervisors load this file, and pathlib would cost each of them time and memory.
# ruff: noqa: PTH103, PTH105, PTH116, PTH120, PTH123

import contextlib
import os
from typing import NamedTuple

OLDER = ".1"
# Counts what was thrown away of a log, by its size.
CUT = ".cut"
# A cut-off first line is dropped only when it takes less than this part of the tail.
LINE_SHARE_MAX = 4
# The bytes of a UTF-8 character after its first: at most three.
CONTINUATION_BYTES = range(0x80, 0xC0)
CONTINUATIONS_MAX = 3


class LogWriter:
    """Appends to a log; opened at the first output, turned over at the limit.

    While the disk is full, output is dropped and counted; the log says so when it can again.
    """

    def __init__(self, path: str, limit_bytes: int) -> None:
        self._path = path
        self._limit = max(limit_bytes, 1)
        self._fd: int | None = None
        self._size = 0
        self._dropped = 0
        self._reason = ""

    def write(self, data: bytes) -> None:
        """Append one piece; never raises for a full disk."""
        if self._dropped and not self._confess():
            self._dropped += len(data)
            return
        self._put(data)

    def close(self) -> None:
        """Say what is still unsaid, if the disk takes it, and close the file."""
        if self._dropped:
            self._confess()
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _confess(self) -> bool:
        lost = self._dropped
        self._dropped = 0
        notice = f"\n[{lost} bytes of output were dropped here: {self._reason}]\n"
        self._put(notice.encode())
        if not self._dropped:
            return True
        self._dropped = lost
        return False

    def _put(self, data: bytes) -> None:
        try:
            fd = self._room_for(len(data))
            while data:
                written = os.write(fd, data)
                self._size += written
                data = data[written:]
        except OSError as error:
            self._dropped += len(data)
            self._reason = error.strerror or "the disk refused it"

    def _room_for(self, size: int) -> int:
        if self._fd is None:
            self._fd = self._open()
            self._size = os.fstat(self._fd).st_size
        if self._size and self._size + size > self._limit:
            self._fd = self._turned_over(self._fd)
            self._size = 0
        return self._fd

    def _turned_over(self, newest: int) -> int:
        gone = _opened(self._path + OLDER)
        if gone is not None:
            self._count_cut()
        os.replace(self._path, self._path + OLDER)
        os.close(newest)
        self._fd = None
        try:
            return self._open()
        finally:
            # Not before: who reads tells files by their numbers, and the new one must not get this one's.
            if gone is not None:
                os.close(gone)

    def _count_cut(self) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        with (
            contextlib.suppress(OSError),
            open(os.open(self._path + CUT, flags, 0o600), "ab") as file,
        ):
            file.write(b".")

    def _open(self) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        try:
            return os.open(self._path, flags, 0o600)
        except FileNotFoundError:
            os.makedirs(os.path.dirname(self._path) or ".", exist_ok=True)
            return os.open(self._path, flags, 0o600)


class Tail(NamedTuple):
    """The end of a log.

    `size` counts what is kept.  `truncated` says that there was more before `text`.
    """

    text: str
    truncated: bool
    exists: bool
    size: int


def tail(path: str, limit_bytes: int) -> Tail:
    """Return the last bytes of a log, read on into the older file where the newest is shorter.

    Cut at a line's start where there is one; bytes that are not UTF-8 are replaced.
    """
    # One byte more tells whether the cut falls between two lines.
    newest, newest_size = _end_of(path, limit_bytes + 1)
    older, older_size = _end_of(path + OLDER, limit_bytes + 1 - len(newest or b""))
    data = (older or b"") + (newest or b"")
    size = newest_size + older_size
    is_cut = size > limit_bytes
    truncated = is_cut or _cuts(path) > 0
    if is_cut and data[:1] == b"\n":
        data = data[1:]
    elif truncated:
        data = _from_a_boundary(data[is_cut:])
    exists = newest is not None or older is not None
    return Tail(data.decode("utf-8", errors="replace"), truncated, exists, size)


class Piece(NamedTuple):
    """What follows a place in a log; `next` is the place behind it.

    `lost` says that the log was turned over twice since that place, or since the beginning, and what stood
    between is gone.
    """

    data: bytes
    next: str
    lost: bool


def piece(path: str, cursor: str | None, limit_bytes: int) -> Piece:
    """Return what was written behind a place; None is the beginning of what there is.

    A place is a file, by its number in the file system, and an offset in it: it stays true when the file
    becomes the older one.  How often the log was cut by then tells it from a later file of the same number.
    """
    wanted, offset, cuts_then = _place(cursor)
    found = b""
    # The newest first: if the log is turned over in between, the older one is the same file again.
    newest = _opened(path)
    files = [file for file in (_opened(path + OLDER), newest) if file is not None]
    try:
        numbers = [os.fstat(file).st_ino for file in files]
        numbers = numbers[:1] if len({*numbers}) == 1 else numbers
        cuts = _cuts(path)
        known = wanted in numbers and cuts - cuts_then <= 1
        at = numbers.index(wanted) if known else 0
        lost = bool(files) and not known and (bool(wanted) or cuts > 0)
        offset = offset if known else 0
        for number, file in zip(numbers[at:], files[at:], strict=False):
            wanted, offset = number, offset if number == wanted else 0
            read = os.pread(file, limit_bytes - len(found), offset)
            found += read
            offset += len(read)
            if len(found) == limit_bytes:
                break
    finally:
        for file in files:
            os.close(file)
    return Piece(found, f"{wanted}:{offset}:{cuts}", lost)


def _place(cursor: str | None) -> tuple[int, int, int]:
    parts = (cursor or "0:0:0").split(":")
    if len(parts) != 3 or not all(part.isdecimal() for part in parts):  # noqa: PLR2004 - as `piece` wrote it
        return 0, 0, 0
    number, offset, cuts = map(int, parts)
    return number, offset, cuts


def _cuts(path: str) -> int:
    """How often something of the log was thrown away."""
    try:
        return os.stat(path + CUT).st_size
    except OSError:
        return 0


def _opened(path: str) -> int | None:
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None


def _end_of(path: str, limit_bytes: int) -> tuple[bytes | None, int]:
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(max(size - max(limit_bytes, 0), 0))
            return file.read(max(limit_bytes, 0)), size
    except (FileNotFoundError, NotADirectoryError):
        return None, 0


def _from_a_boundary(data: bytes) -> bytes:
    """Drop the cut-off first line; of a huge one, only the rest of a cut character."""
    start = data.find(b"\n", 0, len(data) // LINE_SHARE_MAX) + 1
    if start:
        return data[start:]
    while start < min(CONTINUATIONS_MAX, len(data)) and data[start] in CONTINUATION_BYTES:
        start += 1
    return data[start:]
