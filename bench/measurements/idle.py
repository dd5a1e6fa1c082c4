"""What `shop up` costs while there is nothing to do: processor time over 20 s, and memory.

The board holds 1,000 ready tasks of a profile that this host does not have, so there is something to
look at and nothing to start.  Counted are the daemon and the preloaded helper that supervisors are
forked from; one work order is run first, so that both have done what they are for.  The goal for memory
is the sum of their PSS: pages that the two share count once.  Other programs that run the same
interpreter meanwhile make PSS smaller; USS is what no other process can change.
"""

from __future__ import annotations

import time

from bench import proc
from bench.env import CouldNotMeasure, Env
from bench.figures import Figure, Line, Result, at_most
from bench.load import pause
from bench.shop import Shop

TASKS = 1_000
NAP_S = 0.5
SETTLE_S = 3.0
LIMIT_S = 20.0
LOOK_S = 0.05


def run(env: Env) -> Result:
    """Measure it."""
    seconds = env.choose(20.0, 5.0)
    shop = Shop.make(env)
    shop.fill(TASKS)
    with shop.up() as daemon:
        helper = helper_of(shop)
        pause(SETTLE_S)
        pids = [*proc.family(daemon.pid), *proc.family(helper)]
        before, begun = proc.processor_s(pids), time.monotonic()
        env.say(f"bench: looking at an idle daemon for {seconds:g} s")
        pause(seconds)
        used = proc.processor_s(pids) - before
        share = Figure(100 * used / (time.monotonic() - begun), "%")
        sizes = [(proc.command(pid), proc.memory(pid)) for pid in pids]
    whole = Figure(sum(size.pss for _, size in sizes), "MB")
    notes = [
        f"{name}: RSS {size.rss:.1f} MB, PSS {size.pss:.1f} MB, USS {size.uss:.1f} MB"
        for name, size in sizes
    ]
    return Result(
        (
            Line("idle: of one core", share, goal=at_most(0.5, "%")),
            Line("idle: memory, sum of PSS", whole, goal=at_most(40, "MB")),
        ),
        (*notes, f"processor time is counted in steps of {1000 / proc.TICKS_PER_S:g} ms"),
    )


def helper_of(shop: Shop) -> int:
    """The helper, which is nobody's child: the parent of a supervisor while one lives."""
    command = {"argv": ["sleep", str(NAP_S)]}
    task = shop.ask("task.create", title="A nap", command=command)["task"]["id"]
    helper: int | None = None
    deadline = time.monotonic() + LIMIT_S
    while shop.ask("task.show", id=task)["task"]["status"] != "done":
        for run in shop.ask("run.list", live=True):
            if helper is None and run["pid"] is not None:
                helper = proc.parent(run["pid"])
        if time.monotonic() > deadline:
            raise CouldNotMeasure(f"a work order was not done within {LIMIT_S:g} s")
        pause(LOOK_S)
    if helper is None:
        raise CouldNotMeasure("no supervisor was seen, so the helper is not known")
    return helper
