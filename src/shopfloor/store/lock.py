"""Which process has a board open: a lock on a file beside the database, never on the database.

One process at a time has the file of a board open, so that the waiting for it is done here, in the
open and with a limit, and not inside SQLite.

Who waits stands in the kernel's own queue, where the first to come is the first to be served: trying
again after a pause starves one of eight for seconds and leaves the board idle between two.  Nothing
but a signal ends such a wait, so a thread waits, and gives back what it gets when nobody wants it any
more.

The lock's file says who holds it, and what the last holder noted when it let go in order.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from shopfloor.domain.errors import Unavailable

LOCK_WAIT_S: Final = 10.0
LOOK_UP_S: Final = 0.2
RECORD_CHARS: Final = 80


class BoardLock:
    """The lock of the process that has a board open.

    The kernel lets go of it when the process ends, however it ends.  The file stays and holds the
    number of the last holder.  `noted` is what the holder before left for this one; it is empty when
    that one did not let go in order.  Who leaves a `with` in order and has noted nothing hands on what it
    found.
    """

    def __init__(
        self,
        path: Path,
        *,
        wait_s: float = LOCK_WAIT_S,
        give_way: Callable[[], bool] | None = None,
    ) -> None:
        """Name the file.  While waiting, `give_way` is asked now and then whether there is no need to."""
        self.noted = ""
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
            self._take(descriptor)
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

    def release(self) -> None:
        """Let go; a process that was forked meanwhile does not keep it."""
        if self._descriptor is not None:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)
            os.close(self._descriptor)
            self._descriptor = None

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

    def _take(self, descriptor: int) -> None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if self._wait_s <= 0 or not self._queue(descriptor):
                raise self._held(descriptor) from None

    def _queue(self, descriptor: int) -> bool:
        """Wait for one's turn; whether it came in time.

        The thread has a descriptor of its own to the same lock, so when it gets what nobody waits for
        any more, closing that one gives it back.
        """
        deadline = time.monotonic() + self._wait_s
        turn = threading.Lock()
        turn.acquire()
        failed: list[OSError] = []
        own = os.dup(descriptor)

        def wait() -> None:
            try:
                fcntl.flock(own, fcntl.LOCK_EX)
            except OSError as error:
                failed.append(error)
            os.close(own)
            turn.release()

        threading.Thread(target=wait, name="board-lock", daemon=True).start()
        while not turn.acquire(timeout=max(min(deadline - time.monotonic(), LOOK_UP_S), 0)):
            if time.monotonic() >= deadline or (self._give_way is not None and self._give_way()):
                return False
        if failed:
            raise Unavailable(
                f"The board's lock {self._path} cannot be taken: {failed[0]}."
            ) from failed[0]
        return True

    def _held(self, descriptor: int) -> Unavailable:
        holder = _read(descriptor)[0]
        who = f"process {holder}" if holder.isdigit() else "another process"
        return Unavailable(
            f"The board is in use: {who} has held {self._path} for {round(self._wait_s, 1):g} s."
            " Wait until it ends, or stop it.",
            detail={"pid": int(holder)} if holder.isdigit() else {},
        )


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
