"""Requests that wait beside a board's lock, for whoever holds it to carry out with its own.

Who cannot have the lock leaves its request here as a letter and waits until its bell is rung.  The
holder collects the letters, carries all of them out in one transaction, sends them back answered
after the commit, and lets go: eight who wait cost one opening of the board, one commit and one
closing.  Who has let go rings for the oldest letter that was left since, whose author takes the lock.

A letter is two files: one with the request on one line, and its answer on the next, and the bell, a
pipe with a name.  Kept here, whoever dies:

- To remove the letter's name decides whose it is, for only one can.  The holder does so before it
  carries the request out, and the author to take it back.  So what was taken back is never carried
  out, and an answer leaves no file behind.
- The author has the bell open while it lives, so a letter whose bell nobody hears is a dead author's:
  the next holder removes it and does not carry it out.
- A letter is whole when its line has an end, and so is an answer.
- What was collected and not answered, because the holder died or left it to its author, is the
  author's to carry out when it has the lock.  That may be for the second time, so only what can be
  sent twice is left here: a request with an id, or one that only reads.
- A bell only says "look again".  Who waits looks up now and then without it, for who should have rung
  may have died.

The folder is inside the board's own, for its user alone: a worker's letter holds its token.
"""

from __future__ import annotations

import itertools
import os
import select
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

LETTER: Final = ".letter"
BELL: Final = ".bell"
LETTERS_MAX: Final = 63
LINE_END: Final = b"\n"
CHUNK_BYTES: Final = 1 << 16
NUMBERS: Final = itertools.count()
HEARD: Final = os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC
RUNG: Final = os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW


class Letter:
    """One's own request, left for the holder of the lock."""

    def __init__(self, folder: Path, request: bytes) -> None:
        """Leave it; raises OSError where that cannot be."""
        assert LINE_END not in request, "A request is one line."
        # The order of the names is the order in which the letters came.
        self._name = f"{folder}/{time.monotonic_ns():020}-{os.getpid()}-{next(NUMBERS)}"
        self._answered_at = len(request) + 1
        self._file: int | None = None
        self._is_back = False
        self._bell = _hung_up(folder, self._name + BELL)
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            self._file = os.open(self._name + LETTER, flags, 0o600)
            os.pwrite(self._file, request + LINE_END, 0)
        except BaseException:
            self.close()
            raise
        self._ring = select.poll()
        self._ring.register(self._bell, select.POLLIN)

    def answer(self) -> bytes | None:
        """The answer, when it is there; empty where the letter was left to its author."""
        return None if self._file is None else _line(self._file, self._answered_at)

    def await_bell(self, within_s: float) -> bool:
        """Whether the bell is rung within this time."""
        is_rung = bool(self._ring.poll(max(within_s, 0) * 1000))
        if is_rung:
            os.read(self._bell, CHUNK_BYTES)
        return is_rung

    @property
    def lies_there(self) -> bool:
        """Whether nobody has collected the letter yet."""
        return os.path.exists(self._name + LETTER)  # noqa: PTH110 - for each request that waits long

    def take_back(self) -> bool:
        """Whether nobody carries the request out, and nobody will: it is the author's again."""
        self._is_back = self._is_back or _removed(self._name + LETTER) or self.answer() == b""
        return self._is_back

    def close(self) -> None:
        """Be done with it, also when it was not collected."""
        self.take_back()
        _removed(self._name + BELL)
        if self._file is not None:
            os.close(self._file)
        os.close(self._bell)


class Collected:
    """Somebody else's letter, taken out of the spool to be carried out, until it is sent back."""

    __slots__ = ("_bell", "_file", "request")

    def __init__(self, request: bytes, file: int, bell: int) -> None:
        self.request = request
        self._file = file
        self._bell = bell

    def send_back(self, answer: bytes) -> None:
        """Answer it, when what it asked for is on the disk, or leave it to its author by an empty answer.

        Nothing is lost where this fails: an author that finds no answer waits for the lock.
        """
        assert LINE_END not in answer, "An answer is one line."
        with suppress(OSError):
            os.pwrite(self._file, answer + LINE_END, len(self.request) + 1)
            os.write(self._bell, b".")
        os.close(self._file)
        os.close(self._bell)


def collect(folder: Path) -> list[Collected]:
    """Take out what waits, the oldest first and a bounded number; only for who holds the lock.

    What dead authors have left is removed.
    """
    names = _names(folder)
    there = set(names)
    found: list[Collected] = []
    for name in names:
        whole = f"{folder}/{name.rpartition('.')[0]}"
        if name.endswith(LETTER) and len(found) < LETTERS_MAX:
            letter = _collected(whole)
            if letter is not None:
                found.append(letter)
        elif name.endswith(BELL) and name.removesuffix(BELL) + LETTER not in there:
            _remove_if_unheard(whole)
    return found


def ring(folder: Path) -> None:
    """Have the author of the oldest letter look up; for who has let go of the lock."""
    for name in _names(folder):
        if name.endswith(LETTER):
            bell = _rung(f"{folder}/{name.removesuffix(LETTER)}{BELL}")
            if bell is not None:
                with suppress(OSError):
                    os.write(bell, b".")
                os.close(bell)
                return


def _names(folder: Path) -> list[str]:
    """What lies in the spool, the oldest first."""
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208 - twice at each request
    except OSError:
        return []


def _collected(name: str) -> Collected | None:
    """The letter, if its author lives, it is whole, and was not taken back this moment."""
    bell = _rung(name + BELL)
    if bell is None:
        _remove(name)
        return None
    with suppress(OSError):
        file = os.open(name + LETTER, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        request = _line(file, 0)
        if request is not None and _removed(name + LETTER):
            return Collected(request, file, bell)
        os.close(file)
    os.close(bell)
    return None


def _remove_if_unheard(name: str) -> None:
    """Remove a bell that has no letter, unless its author is about to write one."""
    bell = _rung(name + BELL)
    if bell is None:
        _remove(name)
    else:
        os.close(bell)


def _rung(path: str) -> int | None:
    """The bell, open to be rung; None where nobody hears it."""
    try:
        return os.open(path, RUNG)
    except OSError:
        return None


def _hung_up(folder: Path, path: str) -> int:
    """A new bell, open to be heard."""
    try:
        os.mkfifo(path, 0o600)
    except FileNotFoundError:
        folder.mkdir(mode=0o700, exist_ok=True)
        os.mkfifo(path, 0o600)
    return os.open(path, HEARD)


def _remove(name: str) -> None:
    for ending in (LETTER, BELL):
        with suppress(OSError):
            _removed(name + ending)


def _removed(path: str) -> bool:
    """Whether it was there, and it is this call that removed it."""
    try:
        os.unlink(path)  # noqa: PTH108 - for each request that waits
    except FileNotFoundError:
        return False
    return True


def _line(file: int, begin: int) -> bytes | None:
    """What is written from there on, without its end; None while it has none."""
    parts: list[bytes] = []
    while part := os.pread(file, CHUNK_BYTES, begin):
        parts.append(part)
        begin += len(part)
    return b"".join(parts)[:-1] if parts and parts[-1].endswith(LINE_END) else None
