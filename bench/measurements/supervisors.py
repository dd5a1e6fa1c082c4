"""What one more supervisor costs: memory of its own, the middle one of 50 over sleeping workers.

USS is the memory that one more of its kind needs; the supervisors share the rest with the helper
that they are forked from.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from statistics import median
from typing import Any

from bench import proc
from bench.env import CouldNotMeasure, Env
from bench.figures import Figure, Line, Result, at_most
from bench.load import pause
from bench.shop import Shop

LIMIT_S = 60.0
LOOK_S = 0.1
SETTLE_S = 2.0
NAP_S = 600


def run(env: Env) -> Result:
    """Measure it."""
    workers = int(env.choose(50, 10))
    shop = Shop.make(env, f"[dispatch]\ncap = {workers}\n")
    with shop.up():
        for number in range(workers):
            command = {"argv": ["sleep", str(NAP_S)]}
            shop.ask("task.create", title=f"Sleeper {number}", command=command)
        pids = supervisors(shop, workers)
        pause(SETTLE_S)
        sizes = [proc.memory(pid) for pid in pids]
    own = Figure(median(size.uss for size in sizes), "MB")
    return Result(
        (Line(f"one of {workers} supervisors, USS", own, goal=at_most(3, "MB")),),
        (said(sizes),),
    )


def said(sizes: Sequence[proc.Memory]) -> str:
    """The other sizes."""
    rss, pss = median(size.rss for size in sizes), median(size.pss for size in sizes)
    largest = max(size.uss for size in sizes)
    return f"middle one: RSS {rss:.1f} MB, PSS {pss:.1f} MB; largest USS {largest:.2f} MB"


def supervisors(shop: Shop, workers: int) -> list[int]:
    """The process numbers of all supervisors, once every worker has been started."""
    deadline = time.monotonic() + LIMIT_S
    while True:
        runs: list[dict[str, Any]] = shop.ask("run.list", live=True)
        pids = [run["pid"] for run in runs if run["pid"] is not None]
        if len(pids) == workers:
            return pids
        if time.monotonic() > deadline:
            raise CouldNotMeasure(f"{len(pids)} of {workers} workers started in {LIMIT_S:g} s")
        pause(LOOK_S)
