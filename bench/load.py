"""A load: a program that puts one system to work in turns, in an environment of its own.

It answers one JSON line on its standard output for each JSON line on its standard input
(`loads/turns.py` is its side), so that all contestants of a measurement are started first and then
take turns.  It leaves when its standard input is closed, also when this process is killed.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from select import select
from typing import Any, Self

from bench.env import CouldNotMeasure, Env

ANSWER_S = 300.0
LEAVE_S = 20.0


class Load:
    """One started load; a context manager."""

    def __init__(
        self, env: Env, module: str, options: Mapping[str, Any], *, python: Path | None = None
    ) -> None:
        """Start `bench.loads.<module>` with the interpreter of the system that it puts to work."""
        self.name = module
        self._errors = tempfile.TemporaryFile(dir=env.work)  # noqa: SIM115 - closed with the load
        self._process = subprocess.Popen(
            [str(python or env.python), "-m", f"bench.loads.{module}", json.dumps(options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={**env.variables(), "PYTHONPATH": str(env.root)},
            cwd=env.work,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(self, **request: Any) -> dict[str, Any]:
        """Have the load take a turn and wait for what it answers."""
        self.send(request)
        return self.receive()

    def send(self, request: Mapping[str, Any]) -> None:
        """Begin a turn."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._broken() from None

    def receive(self) -> dict[str, Any]:
        """The answer to the turn that was begun."""
        assert self._process.stdout is not None
        if not select([self._process.stdout], [], [], ANSWER_S)[0]:
            raise CouldNotMeasure(f"the load {self.name} gave no answer within {ANSWER_S:g} s")
        line = self._process.stdout.readline()
        if not line:
            raise self._broken()
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """Let it leave, or kill it when it does not."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None and not pipe.closed:
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue
        try:
            self._process.wait(LEAVE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._errors.close()

    def _broken(self) -> CouldNotMeasure:
        self._process.wait(LEAVE_S)
        self._errors.seek(0)
        said = self._errors.read().decode(errors="replace").strip().splitlines()
        return CouldNotMeasure(
            f"the load {self.name} ended with status {self._process.returncode}:"
            f" {said[-1] if said else 'it said nothing'}"
        )


def together(loads: Sequence[Load], **request: Any) -> list[dict[str, Any]]:
    """One turn of several loads at the same time."""
    for load in loads:
        load.send(request)
    return [load.receive() for load in loads]


def pause(seconds: float) -> None:
    """Let something happen that nobody announces, such as an idle process being idle."""
    time.sleep(seconds)
