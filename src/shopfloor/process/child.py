"""A program that is spoken with: its output line by line, what it is told, its end and its stop.

Started by a runner, in the runner's session and in a process group of its own, so that a stop reaches the
program and what stays beside it.  What leaves that group is the supervisor's, which is the subreaper of
both.  Nothing here waits longer than it is told to.
"""

import contextlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

PIECE_BYTES = 65_536
LINE_BYTES_MAX = 8 * 1024 * 1024
# Where the end of a process cannot be polled for, it is looked for this often.
LOOK_MS = 100
# What was written before the end is in the pipe; what a program left behind may hold it open for ever.
LAST_PIECES_MAX = 64


class Line(NamedTuple):
    """One line of output; `stream` is stdout or stderr, the text is without its end."""

    stream: str
    text: str


class Status(NamedTuple):
    """How it ended: an exit code, or the signal that killed it."""

    code: int | None
    signal: int | None


class _Stream:
    """One pipe, cut into lines; of a line that is too long the rest is dropped."""

    def __init__(self, name: str, fd: int) -> None:
        self.name = name
        self.fd = fd
        self._rest = b""
        self._dropping = False
        os.set_blocking(fd, False)

    def read(self) -> list[Line] | None:
        """The lines of one piece; None at the end of the pipe."""
        try:
            piece = os.read(self.fd, PIECE_BYTES)
        except BlockingIOError:
            return []
        if not piece:
            return None
        *whole, self._rest = (self._rest + piece).split(b"\n")
        lines = [self._line(data) for data in whole[1:]]
        if whole and not self._dropping:
            lines.insert(0, self._line(whole[0]))
        if whole:
            self._dropping = False
        if len(self._rest) > LINE_BYTES_MAX:
            if not self._dropping:
                lines.append(self._line(self._rest))
            self._rest, self._dropping = b"", True
        return lines

    def last(self) -> list[Line]:
        """What came after the last end of a line."""
        rest, self._rest = self._rest, b""
        return [self._line(rest)] if rest and not self._dropping else []

    def _line(self, data: bytes) -> Line:
        return Line(self.name, data.decode("utf-8", errors="replace").rstrip("\r"))


class Child:
    """One started program."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: str,
        stdin: str | None = None,
        speak: bool = False,
    ) -> None:
        """Start it: with a file as its input, with a pipe to speak into, or with nothing to read.

        OSError, ValueError when it cannot be started.
        """
        source = os.open(stdin or os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        try:
            self._process = subprocess.Popen(  # noqa: S603 - to start a program is what this is for
                list(argv),
                env=dict(env),
                cwd=cwd,
                stdin=subprocess.PIPE if speak else source,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                process_group=0,
                bufsize=0,
            )
        finally:
            os.close(source)
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._streams = {
            stream.fd: stream
            for stream in (
                _Stream("stdout", self._process.stdout.fileno()),
                _Stream("stderr", self._process.stderr.fileno()),
            )
        }
        self._poll = select.poll()
        for fd in self._streams:
            self._poll.register(fd, select.POLLIN)
        self._held = _hold(self._process.pid)
        if self._held is not None:
            self._poll.register(self._held, select.POLLIN)
        self.status: Status | None = None

    @property
    def pid(self) -> int:
        return self._process.pid

    def wake_by(self, fd: int) -> None:
        """Return from `read` also when this descriptor becomes readable."""
        self._poll.register(fd, select.POLLIN)

    def read(self, wait_s: float) -> list[Line]:
        """The lines that came, waiting at most this long for the first; `status` is set at the end.

        With the end come all lines that were written before it.
        """
        wait_ms = max(wait_s, 0) * 1000
        if self._held is None:
            wait_ms = min(wait_ms, LOOK_MS)
        lines: list[Line] = []
        for fd, _ in self._poll.poll(wait_ms):
            if fd in self._streams:
                lines += self._take(fd)
        if self.status is None and self._process.poll() is not None:
            lines += self._end()
        return lines

    def tell(self, data: bytes) -> None:
        """Write to its input; BrokenPipeError when it has gone."""
        assert self._process.stdin is not None
        left = memoryview(data)
        while left:
            left = left[self._process.stdin.write(left) :]

    def say_no_more(self) -> None:
        """Close its input."""
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()

    def ask_to_leave(self) -> None:
        """Send SIGTERM to its group."""
        self._signal(signal.SIGTERM)

    def stop(self, grace_s: float) -> None:
        """SIGTERM to its group, then SIGKILL; returns when the program itself has ended."""
        self._signal(signal.SIGTERM)
        deadline = time.monotonic() + grace_s
        while self.status is None and time.monotonic() < deadline:
            self.read(min(0.1, grace_s))
        self._signal(signal.SIGKILL)
        if self.status is None:
            self._process.wait()
            self._end()

    def close(self) -> None:
        """Let go of what is held of an ended program."""
        assert self.status is not None, "a program is let go after its end"
        for one in (self._process.stdin, self._process.stdout, self._process.stderr):
            if one is not None:
                with contextlib.suppress(OSError):
                    one.close()
        if self._held is not None:
            os.close(self._held)
            self._held = None

    def _take(self, fd: int) -> list[Line]:
        found = self._streams[fd].read()
        if found is not None:
            return found
        self._poll.unregister(fd)
        return self._streams.pop(fd).last()

    def _end(self) -> list[Line]:
        lines: list[Line] = []
        for fd in list(self._streams):
            for _ in range(LAST_PIECES_MAX):
                found = self._streams[fd].read()
                if not found:
                    break
                lines += found
            self._poll.unregister(fd)
            lines += self._streams.pop(fd).last()
        code = self._process.returncode
        self.status = Status(code, None) if code >= 0 else Status(None, -code)
        return lines

    def _signal(self, number: int) -> None:
        """Signal the group; its number is the program's own, held until it was collected.

        After the program's end a group of that number can only be what it left behind, or nothing: a
        number in use by a group is given to no other process.
        """
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)


def _hold(pid: int) -> int | None:
    """A descriptor that is readable when the process has ended; None where there are none."""
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return None
