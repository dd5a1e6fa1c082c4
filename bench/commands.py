"""Running other programs to their end, and taking the time."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from bench.env import CouldNotMeasure, Env

LIMIT_S = 300.0


class Finished(NamedTuple):
    """A program that ended well: the seconds from its start to its end, and what it printed."""

    seconds: float
    output: str


def finished(
    env: Env, command: Sequence[str], variables: Mapping[str, str] | None = None
) -> Finished:
    """Run a program to its end; raises when it fails."""
    begun = time.perf_counter()
    done = subprocess.run(
        command,
        check=False,
        timeout=LIMIT_S,
        cwd=env.work,
        env={**env.variables(), **(variables or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
    )
    seconds = time.perf_counter() - begun
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines() or ["it said nothing"]
        raise CouldNotMeasure(f"{Path(command[0]).name} ended with {done.returncode}: {said[-1]}")
    return Finished(seconds, done.stdout.decode(errors="replace"))


def parallel(env: Env, program: Path, command: Sequence[str], tasks: int) -> float:
    """The seconds that GNU parallel takes for so many commands, four at a time, its start included."""
    numbers = [str(number) for number in range(tasks)]
    line = [str(program), "--will-cite", "-j4", "-n0", *command, ":::", *numbers]
    return finished(env, line).seconds
