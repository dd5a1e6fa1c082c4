"""The dispatcher's side of starting workers: a batch of specs in, waiting supervisors out.

A worker starts in two steps.  `start_many` has the helper fork the supervisors, each of which
waits at its go-pipe; the caller writes their identities down and only then says `go`.  The
pipe's write end is held here alone and closed on exec, so when this process dies every supervisor
that waits sees the end of its pipe and leaves without having run anything.

A launcher belongs to one thread.
"""

import contextlib
import os
import select
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from shopfloor.process import wire
from shopfloor.process.fence import write_fence
from shopfloor.process.identity import Identity, boot_id
from shopfloor.process.spec import GO, WorkerSpec

__all__ = ["LaunchError", "Launcher", "OrphansStopped", "Pending", "write_fence"]

# The package is looked for last, so that nothing beside it can stand in for a standard module.
HELPER = "shopfloor.process.helper"
BOOT = f"import sys; sys.path.append(sys.argv[2]); from {HELPER} import main; main()"
PACKAGE_ROOT = str(Path(__file__).resolve().parents[2])
ANSWER_TIMEOUT_S = 30.0
LOSSES_IN_A_ROW_MAX = 3


class LaunchError(NamedTuple):
    """Why no supervisor waits for this run.

    `try_again` says that the helper died over it: another try will very likely go well.
    """

    run: int
    sentence: str
    try_again: bool = False


class OrphansStopped(NamedTuple):
    """Processes that a dead supervisor left behind and the helper killed."""

    orphans: tuple[Identity, ...]


class HelperLost(Exception):
    """The helper ended, or cannot be started; the next batch gets a new one."""


class Pending:
    """A supervisor that waits at its go-pipe."""

    def __init__(self, run: int, identity: Identity, pipe: int) -> None:
        self.run = run
        self.identity = identity
        self._pipe: int | None = pipe

    def go(self) -> bool:
        """Let the worker start; False when the supervisor is gone."""
        if self._pipe is None:
            return False
        try:
            return os.write(self._pipe, GO) == len(GO)
        except BrokenPipeError:
            return False
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Let the supervisor leave without having run anything, unless it was told to go."""
        pipe, self._pipe = self._pipe, None
        if pipe is not None:
            os.close(pipe)

    def __del__(self) -> None:
        self.abandon()


class Launcher:
    """Starts supervisors through one helper, which it starts when first needed and when it died.

    `environment` is the helper's own, not the workers': nothing, unless the interpreter needs a
    library path to start.
    """

    def __init__(
        self, python: str = sys.executable, environment: Mapping[str, str] | None = None
    ) -> None:
        self._python = python
        self._environment = dict(environment or {})
        self._sock: socket.socket | None = None
        self._reader: wire.Reader | None = None
        self._notices: list[OrphansStopped] = []
        self._answers: deque[list[Any]] = deque()
        self._losses = 0
        self.helper: Identity | None = None

    def start_many(self, specs: Sequence[WorkerSpec]) -> list[Pending | LaunchError]:
        """Have supervisors started, in one request to the helper; one answer for each spec."""
        results: list[Pending | LaunchError] = []
        for first in range(0, len(specs), wire.DESCRIPTORS_MAX):
            results += self._start_batch(specs[first : first + wire.DESCRIPTORS_MAX])
        return results

    def warm(self) -> None:
        """Start the helper now, if there is none, so that the first worker need not wait for it.

        Where that fails, the first start tries again and tells why.
        """
        with contextlib.suppress(HelperLost, OSError):
            self._helper_socket()

    def fileno(self) -> int:
        """Return what becomes readable when there are notices; -1 while there is no helper.

        Another number after the helper was replaced.
        """
        return -1 if self._sock is None else self._sock.fileno()

    def notices(self) -> list[OrphansStopped]:
        """Return what the helper has reported since the last call, without waiting."""
        with contextlib.suppress(HelperLost):
            while self._absorb(0):
                pass
        told, self._notices = self._notices, []
        return told

    def close(self) -> None:
        """Part from the helper, which leaves when its last supervisor has gone."""
        if self._sock is not None:
            self._sock.close()
        self._sock = self._reader = self.helper = None
        self._answers.clear()

    def _start_batch(self, specs: Sequence[WorkerSpec]) -> list[Pending | LaunchError]:
        ends: list[tuple[int, int]] = []
        try:
            for _ in specs:
                ends.append(os.pipe())  # noqa: PERF401 - those opened before a failure are closed
            answers = self._ask(specs, [reading for reading, _ in ends])
            self._losses = 0
        except BaseException as error:
            for _, writing in ends:
                os.close(writing)
            if not isinstance(error, OSError | HelperLost):
                raise
            self._losses += 1
            again = isinstance(error, HelperLost) and self._losses <= LOSSES_IN_A_ROW_MAX
            sentence = f"No supervisor was started: {error}"
            return [LaunchError(spec.run, sentence, again) for spec in specs]
        finally:
            for reading, _ in ends:
                os.close(reading)
        return [
            _result(spec, answer, writing)
            for spec, answer, (_, writing) in zip(specs, answers, ends, strict=True)
        ]

    def _ask(self, specs: Sequence[WorkerSpec], pipes: list[int]) -> list[Any]:
        """Send one request and wait for its answer; with a new helper when the old one is gone."""
        message = {"specs": [spec._asdict() for spec in specs]}
        sock = self._helper_socket()
        try:
            wire.send(sock, message, pipes)
        except OSError:
            # Nobody took the request, so asking another helper starts nothing twice.
            self.close()
            wire.send(self._helper_socket(), message, pipes)
        self._wait_for(lambda: bool(self._answers))
        return self._answers.popleft()

    def _helper_socket(self) -> socket.socket:
        """Return the way to the helper; starts one, and waits until it says who it is."""
        if self._sock is not None:
            return self._sock
        self._sock, theirs = socket.socketpair()
        self._reader = wire.Reader(self._sock)
        try:
            with theirs:
                self._start_helper(theirs)
            self._wait_for(lambda: self.helper is not None)
        except BaseException:
            self.close()
            raise
        return self._sock

    def _start_helper(self, theirs: socket.socket) -> None:
        first = subprocess.Popen(  # noqa: S603 - our own module, run by our own interpreter
            [
                *(self._python, "-I", "-S", "-X", "utf8", "-c"),
                *(BOOT, str(theirs.fileno()), PACKAGE_ROOT),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(theirs.fileno(),),
            start_new_session=True,
            cwd="/",
            env=self._environment,
        )
        # It forks the helper and ends: nothing of ours is left to be collected.
        try:
            first.wait(ANSWER_TIMEOUT_S)
        except subprocess.TimeoutExpired as error:
            first.kill()
            first.wait()
            raise HelperLost(f"the helper did not start in {ANSWER_TIMEOUT_S:.0f} s.") from error

    def _wait_for(self, arrived: Callable[[], bool]) -> None:
        deadline = time.monotonic() + ANSWER_TIMEOUT_S
        while not arrived():
            if not self._absorb(deadline - time.monotonic()):
                self.close()
                raise HelperLost(f"the helper did not answer for {ANSWER_TIMEOUT_S:.0f} s.")

    def _absorb(self, wait_s: float) -> bool:
        """Take in what arrives within this time; False when nothing does."""
        reader = self._reader
        if reader is None:
            return False
        poll = select.poll()
        poll.register(reader, select.POLLIN)
        if not poll.poll(max(wait_s, 0) * 1000):
            return False
        reader.fill()
        while (message := reader.take()) is not None:
            self._sort(message)
        if reader.ended:
            self.close()
            raise HelperLost("the helper process ended; the next start makes a new one.")
        return True

    def _sort(self, message: dict[str, Any]) -> None:
        match message:
            case {"orphans": orphans}:
                self._notices.append(OrphansStopped(tuple(Identity(*told) for told in orphans)))
            case {"helper": told}:
                self.helper = Identity(*told)
            case {"answers": answers}:
                self._answers.append(answers)
            case _:
                raise AssertionError(f"The helper sent something unknown: {list(message)}")


def _result(spec: WorkerSpec, answer: Any, pipe: int) -> Pending | LaunchError:
    if isinstance(answer, str):
        os.close(pipe)
        return LaunchError(spec.run, answer)
    pid, started = answer
    return Pending(spec.run, Identity(boot_id(), pid, started), pipe)
