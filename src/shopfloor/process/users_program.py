"""Runs a program of the user's, a hook or a target, with a text for it, and keeps the end of what it says.

It gets a session of its own and a bounded time; when it ends, or takes too long, what it has left in its process
group is stopped.  What it prints is read and dropped but for the end, so that it can neither block nor fill
memory; and its own end is its end, whoever may hold its output open for longer.
"""

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

PIECE_BYTES = 65_536
KEPT_BYTES = 2_000
# From SIGTERM to SIGKILL.
GRACE_S = 2.0
# Where the end of a process is nothing to wait for, it is looked for this often.
LOOK_S = 0.1


class Ended(NamedTuple):
    """How it ended; `words` is the end of what it printed, `cut_off` says that the caller stopped it."""

    code: int | None = None
    signal: int | None = None
    timed_out: bool = False
    cut_off: bool = False
    not_started: str | None = None
    words: str = ""

    def wrong(self, name: str, timeout_s: float) -> str | None:
        """How it failed, in one sentence; None where it did not."""
        if self.not_started is not None:
            return f"{name} cannot be started: {self.not_started}"
        words = f": {self.words}" if self.words else ""
        if self.timed_out:
            return f"it was stopped after {timeout_s:g} s{words}"
        if self.signal is not None:
            return f"it was killed by signal {self.signal}{words}"
        if self.code:
            return f"it ended with exit status {self.code}{words}"
        return None


def run(
    argv: Sequence[str],
    given: bytes,
    *,
    env: Mapping[str, str],
    timeout_s: float,
    cwd: str | None = None,
    cut_off: int | None = None,
) -> Ended:
    """Run the program to its end; it is stopped at the latest after the timeout.

    `cut_off` is a descriptor: when it becomes readable, the program is stopped at once.
    """
    try:
        program = subprocess.Popen(  # noqa: S603 - to run the user's program is what this is for
            list(argv),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(env),
            cwd=cwd,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        return Ended(not_started=getattr(error, "strerror", None) or str(error))
    return _Run(program, given, time.monotonic() + timeout_s).until_end(cut_off)


class _Run:
    """One program on its way."""

    def __init__(self, program: "subprocess.Popen[bytes]", given: bytes, deadline: float) -> None:
        self._program = program
        self._given = memoryview(given)
        self._deadline = deadline
        self._kept = b""
        self._stopping = False
        self._timed_out = False
        self._cut_off = False
        self._selector = selectors.DefaultSelector()

    def until_end(self, cut_off: int | None) -> Ended:
        program, selector = self._program, self._selector
        assert program.stdin is not None, "it has three pipes"
        assert program.stdout is not None, "it has three pipes"
        for pipe in (program.stdin, program.stdout):
            os.set_blocking(pipe.fileno(), False)
        selector.register(program.stdin, selectors.EVENT_WRITE, self._write)
        selector.register(program.stdout, selectors.EVENT_READ, self._read)
        if cut_off is not None:
            selector.register(cut_off, selectors.EVENT_READ, self._heed)
        ended = _descriptor_of(program.pid)
        if ended is not None:
            selector.register(ended, selectors.EVENT_READ)
        try:
            while not self._has_ended():
                self._turn(LOOK_S if ended is None else None)
            self._read()
        finally:
            # Before it is collected, so that its number is still nobody else's.
            self._signal(signal.SIGKILL)
            program.wait()
            selector.close()
            program.stdin.close()
            program.stdout.close()
            if ended is not None:
                os.close(ended)
        code = program.returncode
        return Ended(
            code if code >= 0 else None,
            -code if code < 0 else None,
            self._timed_out,
            self._cut_off,
            words=one_line(self._kept.decode(errors="replace")),
        )

    def _has_ended(self) -> bool:
        """Whether it has ended; it is not collected by asking."""
        how = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, self._program.pid, how) is not None

    def _turn(self, look_s: float | None) -> None:
        now = time.monotonic()
        if now >= self._deadline:
            self._timed_out = self._timed_out or not self._cut_off
            self._stop()
            now = time.monotonic()
        wait_s = max(self._deadline - now, 0)
        for key, _ in self._selector.select(wait_s if look_s is None else min(wait_s, look_s)):
            if key.data is not None:
                key.data()

    def _stop(self) -> None:
        """SIGTERM first, and SIGKILL when the grace is over."""
        self._signal(signal.SIGKILL if self._stopping else signal.SIGTERM)
        self._stopping = True
        self._deadline = time.monotonic() + GRACE_S

    def _heed(self) -> None:
        """The caller wants an end."""
        self._cut_off = True
        for key in list(self._selector.get_map().values()):
            if key.data == self._heed:
                self._selector.unregister(key.fileobj)
        self._stop()

    def _write(self) -> None:
        pipe = self._program.stdin
        assert pipe is not None, "it has three pipes"
        try:
            self._given = self._given[os.write(pipe.fileno(), self._given) :]
        except BlockingIOError:
            return
        except OSError:
            # Who does not want to read need not.
            self._given = self._given[:0]
        if not self._given:
            self._selector.unregister(pipe)
            with contextlib.suppress(OSError):
                pipe.close()

    def _read(self) -> None:
        """Take what is there now; at the end of the pipe, look at it no more."""
        pipe = self._program.stdout
        assert pipe is not None, "it has three pipes"
        with contextlib.suppress(BlockingIOError, KeyError):
            piece = os.read(pipe.fileno(), PIECE_BYTES)
            self._kept = (self._kept + piece)[-KEPT_BYTES:]
            if not piece:
                self._selector.unregister(pipe)

    def _signal(self, number: int) -> None:
        """To everyone in its group."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._program.pid, number)


def one_line(told: str) -> str:
    """What somebody said as words of one line, without what would steer a terminal."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in told).split())


def _descriptor_of(pid: int) -> int | None:
    """What becomes readable at the end of a process, where the system has that."""
    opener = getattr(os, "pidfd_open", None)
    if opener is None:
        return None
    try:
        descriptor: int = opener(pid)
    except OSError:
        return None
    return descriptor
