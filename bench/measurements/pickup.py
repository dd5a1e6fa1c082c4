"""From a created work order to the first instruction of its worker, while the dispatcher is idle.

One work order after the other is created through the door of a running `shop up`; the next one only
after the last has settled and a short pause.  The worker is a static C program that takes the time
in its first instruction (`stamp.c`), or, where there is no compiler, `/bin/sh` with `date`, which
adds a few milliseconds to every figure.  The time runs from the answer to `create`, which comes when
the task is on disk; the second pair of lines begins before the request was sent.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from bench.env import CouldNotMeasure, Env
from bench.figures import Figure, Line, Result, at_most
from bench.load import pause
from bench.rounds import percentile
from bench.shop import Shop

LIMIT_S = 20.0
LOOK_S = 0.005
IDLE_S = 0.05
WARM = 3


def run(env: Env) -> Result:
    """Measure it."""
    worker, note = stamping(env)
    shop = Shop.make(env)
    answered: list[float] = []
    sent: list[float] = []
    with shop.up():
        for number in range(WARM + int(env.choose(200, 30))):
            from_request, from_answer = once(shop, worker, number)
            if number >= WARM:
                sent.append(from_request)
                answered.append(from_answer)
    return Result(
        (
            Line("created to started, p50", middle(answered, 50), goal=at_most(20, "ms")),
            Line("created to started, p99", middle(answered, 99), goal=at_most(100, "ms")),
            Line("  from before the request, p50", middle(sent, 50)),
            Line("  from before the request, p99", middle(sent, 99)),
        ),
        (note,),
    )


def once(shop: Shop, worker: Sequence[str], number: int) -> tuple[float, float]:
    """The milliseconds of one work order, from before the request and from its answer."""
    file = shop.env.work / f"stamp-{number}"
    command = {"argv": [*worker, str(file)]}
    begun = time.time_ns()
    task = shop.ask("task.create", title="A stamp", command=command)["task"]["id"]
    created = time.time_ns()
    deadline = time.monotonic() + LIMIT_S
    while shop.ask("task.show", id=task)["task"]["status"] != "done":
        if time.monotonic() > deadline:
            raise CouldNotMeasure(f"a work order was not done within {LIMIT_S:g} s")
        pause(LOOK_S)
    started = int(file.read_text(encoding="utf-8"))
    file.unlink()
    pause(IDLE_S)
    return (started - begun) / 1e6, (started - created) / 1e6


def middle(values: Sequence[float], percent: float) -> Figure:
    """A percentile in milliseconds."""
    return Figure(percentile(values, percent), "ms")


def stamping(env: Env) -> tuple[list[str], str]:
    """A worker that writes down when it started, and what to know about it."""
    built = env.work / "stamp"
    source = str(Path(__file__).parent.parent / "stamp.c")
    for compiler in ("cc", "gcc", "clang"):
        if shutil.which(compiler) is None:
            continue
        for how in (["-static"], []):
            line = [compiler, "-O2", *how, "-o", str(built), source]
            if subprocess.run(line, check=False, capture_output=True).returncode == 0:
                return [str(built)], "the worker is a C program of one system call before its stamp"
    return (
        ["/bin/sh", "-c", 'date +%s%N > "$0"'],
        "there is no C compiler: the worker is /bin/sh with date, which adds its own start",
    )
