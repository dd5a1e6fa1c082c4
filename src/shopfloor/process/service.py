"""A server program of ours beside the dispatcher, there when it is needed and only then.

The dispatcher's process holds the listening socket; the program gets it as a descriptor.  So an address
stays open while the program is started, restarted or not there: who comes waits in the queue, and the
first visitor has it started.  A program that fails is started again, after a while that doubles; one that
ends with status 0 had nothing to do and is started by the next visitor.

The program also gets the reading end of a pipe.  Its end says that the dispatcher's process has gone, and
how long the program stays then is its own business.
"""

import os
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from shopfloor.process import identity
from shopfloor.process.identity import Identity

PACKAGE_ROOT = str(Path(__file__).resolve().parents[2])
# The package is looked for last, so that nothing beside it can stand in for a standard module.
BOOT = (
    "import sys; sys.path.append(sys.argv.pop(1)); from shopfloor.process.syscalls import show_name; "
    "show_name(sys.argv.pop(1).encode()); from importlib import import_module; "
    "sys.exit(import_module(sys.argv.pop(1)).main(sys.argv[1:]))"
)
STEADY_S = 30.0
PAUSE_S, PAUSE_MAX_S = 0.1, 60.0
FAILURES_BEFORE_TROUBLE = 3
STOP_S = 5.0


class Program(NamedTuple):
    """What is started: a module whose `main` takes the arguments, and what `ps` shows of it."""

    module: str
    name: str
    arguments: Sequence[str]


class Service:
    """One program, watched by a thread of its own; every method may be called from any thread."""

    def __init__(
        self,
        program: Program,
        listener: socket.socket,
        *,
        say: Callable[[str], None],
        started: Callable[[Identity], None],
    ) -> None:
        self._program = program
        self._listener = listener
        self._say = say
        self._started = started
        self._reading, self._bell = os.pipe()
        self._wanted = False
        self._closing = False
        self._failures = 0
        self._child: subprocess.Popen[bytes] | None = None
        self._alive: int | None = None
        self._guard = threading.Lock()
        self._thread = threading.Thread(target=self._watch, name="service", daemon=True)
        self._thread.start()

    @property
    def trouble(self) -> str | None:
        """Why the program cannot be used, in a sentence; None while nothing speaks against it."""
        if self._failures < FAILURES_BEFORE_TROUBLE:
            return None
        return f"{self._program.name} ended at once {self._failures} times in a row"

    def wake(self) -> None:
        """Have the program started before its first visitor comes."""
        if not self._wanted:
            self._wanted = True
            self._ring()

    def close(self, *, leave_running: bool) -> None:
        """Stop watching, and stop the program unless it is to go on by itself for a while."""
        with self._guard:
            self._closing = True
            child = self._child
            if child is not None and not leave_running:
                child.terminate()
        self._ring()
        if child is None or not leave_running:
            self._thread.join(STOP_S)
        if child is not None and not leave_running and child.poll() is None:
            child.kill()
            self._thread.join()
        if self._alive is not None:
            os.close(self._alive)
            self._alive = None

    def _ring(self) -> None:
        os.write(self._bell, b"!")

    def _watch(self) -> None:
        while not self._closing:
            if not self._wanted:
                self._wait_for_somebody()
                continue
            begun = time.monotonic()
            status = self._run()
            if status == 0 or self._closing:
                self._wanted, self._failures = False, 0
                continue
            short = time.monotonic() - begun < STEADY_S
            self._failures = self._failures + 1 if short else 1
            self._say(f"{self._program.name} ended ({status}) and is started again")
            self._heard(min(PAUSE_S * 2 ** (self._failures - 1), PAUSE_MAX_S))

    def _wait_for_somebody(self) -> None:
        """Sleep until a visitor comes, or until this is told that one will."""
        if not self._heard(None):
            self._wanted = True

    def _heard(self, wait_s: float | None) -> bool:
        """Wait for the bell: true when it rang, false when the time is over or, without one, a visitor came."""
        places = [self._reading]
        if wait_s is None:
            places.append(self._listener.fileno())
        ready, _, _ = select.select(places, [], [], wait_s)
        if self._reading not in ready:
            return False
        os.read(self._reading, 64)
        return True

    def _run(self) -> int:
        """Start the program and wait for its end; its exit status."""
        with self._guard:
            if self._closing:
                return 0
            try:
                child = self._child = self._start()
            except OSError as wrong:
                self._say(f"{self._program.name} cannot be started: {wrong}")
                return -1
        found = identity.of(child.pid)
        if found is not None:
            self._started(found)
        status = child.wait()
        with self._guard:
            self._child = None
        return status

    def _start(self) -> subprocess.Popen[bytes]:
        theirs, ours = os.pipe()
        if self._alive is not None:
            os.close(self._alive)
        self._alive = ours
        passed = (self._listener.fileno(), theirs)
        try:
            return subprocess.Popen(  # noqa: S603 - our own module, run by our own interpreter
                [
                    *(sys.executable, "-I", "-X", "utf8", "-c", BOOT, PACKAGE_ROOT),
                    *(self._program.name, self._program.module, *self._program.arguments),
                    *("--listener", str(passed[0]), "--alive", str(passed[1])),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=passed,
                start_new_session=True,
                cwd="/",
                env={},
            )
        finally:
            os.close(theirs)
