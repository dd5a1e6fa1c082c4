"""Worker output on disk: a writer that keeps it bounded, a reader of its end.

A log is two files at most: the newest, and the one before it as `.1`.  The writer never blocks
on anything but the disk and never grows them past twice the limit and one piece.
"""

# Supervisors load this file, and pathlib would cost each of them time and memory.
# ruff: noqa: PTH103, PTH105, PTH120, PTH123

import os
from typing import NamedTuple

OLDER = ".1"
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
            os.replace(self._path, self._path + OLDER)
            os.close(self._fd)
            self._fd = None
            self._fd = self._open()
            self._size = 0
        return self._fd

    def _open(self) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        try:
            return os.open(self._path, flags, 0o600)
        except FileNotFoundError:
            os.makedirs(os.path.dirname(self._path) or ".", exist_ok=True)
            return os.open(self._path, flags, 0o600)


class Tail(NamedTuple):
    """The end of a log.

    `size` counts both generations.  `truncated` says that there was more before `text`.
    """

    text: str
    truncated: bool
    exists: bool
    size: int


def tail(path: str, limit_bytes: int) -> Tail:
    """Return the last bytes of a log, read on into the older file where the newest is shorter.

    Cut at a line's start where there is one; bytes that are not UTF-8 are replaced.
    """
    newest, newest_size = _end_of(path, limit_bytes)
    older, older_size = _end_of(path + OLDER, limit_bytes - len(newest or b""))
    data = (older or b"") + (newest or b"")
    size = newest_size + older_size
    truncated = size > len(data)
    if truncated:
        data = _from_a_boundary(data)
    exists = newest is not None or older is not None
    return Tail(data.decode("utf-8", errors="replace"), truncated, exists, size)


class Piece(NamedTuple):
    """What follows a place in a log; `next` is the place behind it.

    `lost` says that the log was turned over twice since that place, and what stood between is gone.
    """

    data: bytes
    next: str
    lost: bool


def piece(path: str, cursor: str | None, limit_bytes: int) -> Piece:
    """Return what was written behind a place; None is the beginning of what there is.

    A place is a file, by its number in the file system, and an offset in it: it stays true when the file
    becomes the older one.
    """
    wanted, offset = _place(cursor)
    found, lost = b"", False
    # The newest first: if the log is turned over in between, the older one is the same file again.
    newest = _opened(path)
    files = [file for file in (_opened(path + OLDER), newest) if file is not None]
    try:
        numbers = [os.fstat(file).st_ino for file in files]
        numbers = numbers[:1] if len({*numbers}) == 1 else numbers
        at = numbers.index(wanted) if wanted in numbers else 0
        lost = bool(wanted) and bool(files) and wanted not in numbers
        offset = 0 if lost or not wanted else offset
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
    return Piece(found, f"{wanted}:{offset}", lost)


def _place(cursor: str | None) -> tuple[int, int]:
    number, _, offset = (cursor or "0:0").partition(":")
    return (int(number), int(offset)) if number.isdecimal() and offset.isdecimal() else (0, 0)


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
