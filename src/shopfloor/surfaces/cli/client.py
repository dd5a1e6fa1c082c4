"""What the command line and the composition root hand each other.

A request travels as `Ask`, which has the fields of the envelope that the door reads and writes
itself as that envelope's JSON.  It is a plain tuple because the door's own module brings the whole
kernel with it, and a command that only speaks to a running door must start without that.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from typing import NamedTuple, Protocol


class Ask(NamedTuple):
    """One request; `args` is JSON, `run` and `token` are a worker's credentials."""

    op: str
    args: bytes
    board: str | None = None
    request_id: str | None = None
    actor: str | None = None
    run: int | None = None
    token: str | None = None

    def encode(self) -> bytes:
        """The envelope's JSON, on one line."""
        around = {
            name: value
            for name, value in self._asdict().items()
            if name != "args" and value is not None
        }
        return json.dumps(around).encode()[:-1] + b', "args": ' + self.args + b"}"


class Client(Protocol):
    """A way to a board: through its running door, or by being the door for a moment."""

    def ask(self, request: Ask) -> bytes:
        """The answer's JSON, `{"result": …}` or `{"error": …}`; raises Unavailable."""

    def close(self) -> None: ...


class WorkerIdentity(NamedTuple):
    """Whose worker this process is: its task, and the run whose token it holds."""

    task: int
    run: int
    token: str
    board: str


class Program(NamedTuple):
    """A command that is not a question to the board, such as `up` or `doctor`."""

    name: str
    summary: str
    add_arguments: Callable[[ArgumentParser], None]
    run: Callable[[Namespace], int]
