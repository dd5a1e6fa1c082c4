"""Create, claim the next and complete while 1,000 or 100,000 other tasks are ready.

Both boards are driven through the single door in one process, in turns.  Each claim asks for the next
task of the profile and so passes over the whole backlog, whose oldest task it gets; the backlog
keeps its size.
"""

from __future__ import annotations

import contextlib

from bench.contest import OURS, Contest, Start, Turn
from bench.env import Env
from bench.figures import Result, at_least
from bench.shop import Shop

SMALL = 1_000
LARGE = 100_000


def run(env: Env) -> Result:
    """Measure it."""
    with Contest(env) as contest:
        small = f"itself, {SMALL:,} ready"
        contest.enter(OURS, behind(env, LARGE))
        contest.enter(small, behind(env, SMALL))
        contest.run(rounds=int(env.choose(15, 3)), seconds=env.choose(0.5, 0.4))
        line = contest.line(f"the same, {LARGE:,} ready", small, at_least(80, "%"))
        return Result((line,), contest.notes())


def behind(env: Env, tasks: int) -> Start:
    """The board with a backlog."""
    shop = Shop.make(env)
    shop.fill(tasks)

    def started(stack: contextlib.ExitStack) -> Turn:
        load = stack.enter_context(shop.load("call", own=False))
        return lambda seconds: load.ask(seconds=seconds)

    return started
