"""Which process has a board open: a lock on a file beside the database, never on the database.

One process at a time has the file of a board open, so that the waiting for it is done here, in the
open and with a limit, and not inside SQLite.

Who waits stands in the kernel's own queue, where the first to come is the first to be served: trying
again after a pause starves one of eight for seconds and leaves the board idle between two.  Nothing
but a signal ends such a wait, so a thread waits, and gives back what it gets when nobody wants it any
more.

Who waits may leave its request beside the lock, for the holder to carry out with its own (`spool.py`),
and then waits for a bell instead.  It does not need the lock when it is answered; when its letter was
collected and is not answered, it stands in the queue like the others.

The lock's file says who holds it, and what the last holder noted when it let go in order.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from shopfloor.domain.errors import Unavailable
from shopfloor.store.spool import Collected, Letter, collect, ring

LOCK_WAIT_S: Final = 10.0
ANSWER_WAIT_S: Final = 30.0
SPOOL: Final = ".spool"
LOOK_UP_S: Final = 0.2
RECORD_CHARS: Final = 80


class BoardLock:
    """The lock of the process that has a board open.

    The kernel lets go of it when the process ends, however it ends.  The file stays and holds the
    number of the last holder.  `noted` is what the holder before left for this one; it is empty when
    that one did not let go in order.  Who leaves a `with` in order and has noted nothing hands on what it
    found.

    Where the request that was left was answered, `answer` is that, and the lock is not held.
    """

    def __init__(
        self,
        path: Path,
        *,
        wait_s: float = LOCK_WAIT_S,
        give_way: Callable[[], bool] | None = None,
        request: bytes | None = None,
    ) -> None:
        """Name the file.

        While waiting, `give_way` is asked now and then whether there is no need to, and `request` is left
        for the holder.
        """
        self.noted = ""
        self.answer: bytes | None = None
        self._spool = path.with_suffix(SPOOL)
        self._request = request
        self._has_noted = False
        self._path = path
        self._wait_s = wait_s
        self._give_way = give_way
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock, or say after some seconds who has it."""
        assert self._descriptor is None, f"{self._path} is held by this object already."
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise Unavailable(
                f"The board's lock {self._path} cannot be opened: {error}."
            ) from error
        try:
            self.answer = self._take(descriptor)
            if self.answer is not None:
                os.close(descriptor)
                return
            self.noted = _read(descriptor)[1]
            self._has_noted = False
            _write(descriptor, "")
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor

    def note(self, words: str) -> None:
        """Leave a word for the next holder, as the last thing before letting go."""
        assert self._descriptor is not None, f"{self._path} is not held by this object."
        _write(self._descriptor, words)
        self._has_noted = True

    def collect(self) -> list[Collected]:
        """The requests of those who wait, to be carried out and sent back before letting go."""
        assert self._descriptor is not None, f"{self._path} is not held by this object."
        return collect(self._spool)

    def release(self) -> None:
        """Let go; a process that was forked meanwhile does not keep it."""
        if self._descriptor is not None:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)
            os.close(self._descriptor)
            self._descriptor = None
            ring(self._spool)

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None and not self._has_noted and self._descriptor is not None:
            self.note(self.noted)
        self.release()

    def _take(self, descriptor: int) -> bytes | None:
        """Take the lock, or return the answer that came instead."""
        if _taken(descriptor):
            return None
        if self._wait_s <= 0:
            raise self._held(descriptor)
        begun = time.monotonic()
        letter = self._letter()
        if letter is None:
            return self._queue(descriptor, begun, None)
        try:
            return self._attend(descriptor, begun, letter)
        finally:
            letter.close()

    def _letter(self) -> Letter | None:
        """The request, left for the holder; None where it cannot be, and then one's turn is waited for."""
        with suppress(OSError):
            return None if self._request is None else Letter(self._spool, self._request)
        return None

    def _attend(self, descriptor: int, begun: float, letter: Letter) -> bytes | None:
        """Wait for the bell until the letter is answered or the lock is free.

        The lock is asked for once more when the letter lies there: who lets go after that sees it.
        """
        is_rung = True
        while is_rung or letter.lies_there:
            answer = letter.answer()
            if answer:
                return answer
            if _taken(descriptor):
                return self._answer_at_turn(descriptor, letter)
            if answer is not None:
                break
            is_rung = letter.await_bell(self._look_up(descriptor, begun, letter))
        return self._queue(descriptor, begun, letter)

    def _queue(self, descriptor: int, begun: float, letter: Letter | None) -> bytes | None:
        """Wait for one's turn, or until the letter is answered."""
        turn = _Turn(self._path, descriptor)
        while not turn.came(within_s=self._look_up(descriptor, begun, letter)):
            if letter is not None and letter.answer():
                return letter.answer()
        return self._answer_at_turn(descriptor, letter)

    def _answer_at_turn(self, descriptor: int, letter: Letter | None) -> bytes | None:
        """The answer that came while the lock did, which is then let go; None where it did not."""
        answer = None if letter is None else letter.answer()
        if not answer:
            return None
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        ring(self._spool)
        return answer

    def _look_up(self, descriptor: int, begun: float, letter: Letter | None) -> float:
        """How long to wait until the next look; raises Unavailable when it is time to go."""
        waited_s = time.monotonic() - begun
        if self._give_way is not None and self._give_way():
            raise self._held(descriptor)
        if waited_s < self._wait_s:
            return min(self._wait_s - waited_s, LOOK_UP_S)
        if letter is None or letter.take_back():
            raise self._held(descriptor)
        if waited_s >= self._wait_s + ANSWER_WAIT_S:
            raise self._unanswered(descriptor)
        return LOOK_UP_S

    def _held(self, descriptor: int) -> Unavailable:
        holder = _read(descriptor)[0]
        who = f"process {holder}" if holder.isdigit() else "another process"
        return Unavailable(
            f"The board is in use: {who} has held {self._path} for {round(self._wait_s, 1):g} s."
            " Wait until it ends, or stop it.",
            detail={"pid": int(holder)} if holder.isdigit() else {},
        )

    def _unanswered(self, descriptor: int) -> Unavailable:
        who = _read(descriptor)[0]
        return Unavailable(
            f"Process {who} has taken the request to carry it out and does not answer; whether it is done"
            " is not known. Send it again with the same request id when that process has gone on or ended."
        )


class _Turn:
    """One's place in the queue of the lock, which a thread keeps.

    The thread has a descriptor of its own to the same lock, so when it gets what nobody waits for
    any more, closing that one gives it back.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._own = os.dup(descriptor)
        self._failure: OSError | None = None
        self._come = threading.Lock()
        self._come.acquire()
        threading.Thread(target=self._wait, name="board-lock", daemon=True).start()

    def came(self, *, within_s: float) -> bool:
        """Whether it comes within this time."""
        if not self._come.acquire(timeout=max(within_s, 0)):
            return False
        if self._failure is not None:
            raise Unavailable(
                f"The board's lock {self._path} cannot be taken: {self._failure}."
            ) from self._failure
        return True

    def _wait(self) -> None:
        try:
            fcntl.flock(self._own, fcntl.LOCK_EX)
        except OSError as error:
            self._failure = error
        os.close(self._own)
        self._come.release()


def _taken(descriptor: int) -> bool:
    """Whether the lock was free, and is held now."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(descriptor: int) -> tuple[str, str]:
    """The number of the holder, and what it noted."""
    record = os.pread(descriptor, RECORD_CHARS, 0).decode(errors="replace")
    holder, _, noted = record.strip().partition(" ")
    return holder, noted


def _write(descriptor: int, noted: str) -> None:
    """Always of the same length: a file that changes its length waits for the disk's own journal."""
    record = f"{os.getpid()} {noted}".ljust(RECORD_CHARS - 1) + "\n"
    assert len(record) == RECORD_CHARS, f"A note is at most some {RECORD_CHARS - 10} characters."
    os.pwrite(descriptor, record.encode(), 0)
