"""The command line on a home of the test's own, through the real door, with streams to look at."""

import contextlib
import fcntl
import io
import json
import os
import struct
import termios
import threading
import time
from pathlib import Path
from typing import NamedTuple

from shopfloor.app.reach import HomeClient
from shopfloor.config import Home
from shopfloor.surfaces.cli.main import Client, WorkerIdentity, main


class Ran(NamedTuple):
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def error(self):
        """The error that was told as JSON."""
        return json.loads(self.err)["error"]


class Shop:
    """`shop(...)` runs a command line and returns how it ended."""

    def __init__(self, root: Path, *, worker: WorkerIdentity | None = None) -> None:
        self.home = Home(root)
        self.worker = worker
        self.programs = {}
        self.boards: list[str | None] = []
        self.environment = {"TZ": "UTC"}

    def connect(self, board: str | None) -> Client:
        self.boards.append(board)
        return HomeClient(self.home, board)

    def __call__(self, *argv, stdin="", connect=None, **environment) -> Ran:
        out, err = io.StringIO(), io.StringIO()
        code = self.run(argv, out, err, stdin=io.StringIO(stdin), connect=connect, **environment)
        return Ran(code, out.getvalue(), err.getvalue())

    def run(self, argv, out, err, *, stdin, connect=None, **environment) -> int:
        return main(
            [str(word) for word in argv],
            connect=connect or self.connect,
            worker=self.worker,
            actor="tester",
            board=None,
            programs=self.programs,
            environment={**self.environment, **environment},
            clock=lambda: time.time_ns() // 1_000_000,
            stdout=out,
            stderr=err,
            stdin=stdin,
        )

    def create(self, title="a task", *flags) -> int:
        """A new task's number."""
        return int(self("create", title, "-q", *flags).out)

    def work_on(self, number: int) -> "Shop":
        """The command line of the worker that claims the task."""
        claimed = self("claim", number, "--json").json
        identity = WorkerIdentity(number, claimed["run"], claimed["token"], "default")
        return Shop(self.home.root, worker=identity)

    def on_a_terminal(self, *argv, columns=80, answer="", **environment) -> Ran:
        """The same on a real pseudo-terminal of that width; `answer` is what a person types."""
        leader, follower = os.openpty()
        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        # Without echo, what was typed does not come back as if it had been printed.
        modes = termios.tcgetattr(follower)
        modes[3] &= ~termios.ECHO
        termios.tcsetattr(follower, termios.TCSANOW, modes)
        heard: list[bytes] = []
        reader = threading.Thread(target=_read_all, args=(leader, heard))
        reader.start()
        os.write(leader, answer.encode())
        with (
            open(follower, closefd=False) as stdin,
            open(follower, "w", closefd=False) as out,
            open(follower, "w", closefd=False) as err,
        ):
            code = self.run(argv, out, err, stdin=stdin, TERM="xterm", **environment)
        os.close(follower)
        reader.join()
        os.close(leader)
        return Ran(code, b"".join(heard).decode().replace("\r\n", "\n"), "")


def _read_all(descriptor: int, heard: list[bytes]) -> None:
    """Read a terminal until its other end is closed, which Linux tells as an error."""
    with contextlib.suppress(OSError):
        while data := os.read(descriptor, 65536):
            heard.append(data)
