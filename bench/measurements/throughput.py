"""Commands that do nothing, from a full queue to their settled end, four at a time.

Ours: work orders are created while the board is paused, then it is resumed; the time runs until the
last one is `done`, each with its run, its exit record and its events on disk.  GNU parallel keeps
nothing, not even a log, and its own start is within its time.  For information: task-spooler, whose
queue is in memory, and huey on SQLite with its consumer of four processes.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import Any

from bench import peers
from bench.commands import parallel
from bench.contest import OURS, Answer, Contest, Start
from bench.env import CouldNotMeasure, Env
from bench.figures import Result, at_least
from bench.load import Load, pause
from bench.shop import Shop

COMMAND = ("/bin/true",)
AT_ONCE = 4
LIMIT_S = 120.0
LOOK_S = 0.01
PARALLEL = "GNU parallel -j4"
SPOOLER = "task-spooler, in memory"
HUEY = "huey, 4 processes"


def run(env: Env) -> Result:
    """Measure it; the rounds count commands, not seconds."""
    tasks = int(env.choose(400, 80))
    with contextlib.ExitStack() as stack, Contest(env) as contest:
        shop = Shop.make(env, f"[dispatch]\ncap = {AT_ONCE}\n")
        stack.enter_context(shop.up())
        contest.enter(OURS, lambda _: lambda _seconds: worked(shop, tasks))
        contest.enter(PARALLEL, parallel_start(env, tasks))
        contest.enter(SPOOLER, spooler_start(env, tasks))
        contest.enter(HUEY, huey_start(env, tasks))
        contest.run(rounds=int(env.choose(5, 2)), seconds=0)
        what = f"{tasks} commands, {AT_ONCE} at a time"
        return Result(
            (
                contest.line(what, PARALLEL, at_least(1, "x")),
                contest.line(what, SPOOLER),
                contest.line(what, HUEY),
            ),
            contest.notes(),
        )


def worked(shop: Shop, tasks: int) -> Answer:
    """One queue of ours, worked to its end."""
    shop.ask("dispatch.pause")
    made = [
        shop.ask("task.create", title="Nothing", command={"argv": list(COMMAND)})["task"]["id"]
        for _ in range(tasks)
    ]
    begun = time.perf_counter()
    shop.ask("dispatch.resume")
    while left := unfinished(shop):
        if time.perf_counter() - begun > LIMIT_S:
            why = shop.ask("task.why", id=left[0]["id"])
            raise CouldNotMeasure(
                f"{tasks} commands were not worked within {LIMIT_S:g} s;"
                f" #{left[0]['id']} is {left[0]['status']}: {why.get('sentence', why)}"
            )
        pause(LOOK_S)
    seconds = time.perf_counter() - begun
    ended = [shop.ask("task.show", id=number)["task"]["status"] for number in (made[0], made[-1])]
    if ended != ["done", "done"]:
        raise CouldNotMeasure(f"the commands ended as {', '.join(ended)}")
    return {"count": tasks, "seconds": seconds}


def unfinished(shop: Shop) -> list[dict[str, Any]]:
    """The first work order that waits or runs, if there is one."""
    open_ones = ["ready", "running", "scheduled", "blocked"]
    found: list[dict[str, Any]] = shop.ask("task.list", status=open_ones, limit=1)["items"]
    return found


def parallel_start(env: Env, tasks: int) -> Start:
    """GNU parallel over the same command."""

    def start(_: contextlib.ExitStack) -> Callable[[float], Answer]:
        program = peers.parallel(env)
        return lambda _seconds: {
            "count": tasks,
            "seconds": parallel(env, program, COMMAND, tasks),
        }

    return start


def spooler_start(env: Env, tasks: int) -> Start:
    """task-spooler with a full queue."""

    def start(stack: contextlib.ExitStack) -> Callable[[float], Answer]:
        options = {
            "program": str(peers.task_spooler(env)),
            "folder": str(env.folder("tsp")),
            "command": COMMAND,
        }
        load = stack.enter_context(Load(env, "spooler", options))
        return lambda _seconds: load.ask(tasks=tasks)

    return start


def huey_start(env: Env, tasks: int) -> Start:
    """The consumer of huey with a full queue."""

    def start(stack: contextlib.ExitStack) -> Callable[[float], Answer]:
        path = str(env.folder("huey") / "queue.db")
        options = {"path": path, "command": COMMAND, "workers": AT_ONCE}
        load = stack.enter_context(Load(env, "huey_commands", options, python=peers.huey(env)))
        return lambda _seconds: load.ask(tasks=tasks)

    return start
