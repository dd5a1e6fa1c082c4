"""Which process has a board open: a lock on a file beside the database, never on the database.

One process at a time has the file of a board open, so that the waiting for it is done here, in the
open and with a limit, and not inside SQLite.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from shopfloor.domain.errors import Unavailable

LOCK_WAIT_S: Final = 10.0
LOCK_PAUSE_S: Final = 0.025


class BoardLock:
    """The lock of the process that has a board open: a file beside the database, never the database.

    The kernel lets go of it when the process ends, however it ends.  The file stays and holds the
    number of the last holder.
    """

    def __init__(self, path: Path, *, wait_s: float = LOCK_WAIT_S) -> None:
        self._path = path
        self._wait_s = wait_s
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
            self._wait(descriptor)
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, b"%d\n" % os.getpid(), 0)
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor

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
        self.release()

    def _wait(self, descriptor: int) -> None:
        deadline = time.monotonic() + self._wait_s
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise self._held(descriptor) from None
            else:
                return
            # Of uneven length, so that several who wait do not come back at the same moment.
            time.sleep(LOCK_PAUSE_S * (1 + os.urandom(1)[0]) / 256)

    def _held(self, descriptor: int) -> Unavailable:
        holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip()
        who = f"process {holder}" if holder.isdigit() else "another process"
        return Unavailable(
            f"The board is in use: {who} has held {self._path} for {self._wait_s:g} s."
            " Wait until it ends, or stop it.",
            detail={"pid": int(holder)} if holder.isdigit() else {},
        )
