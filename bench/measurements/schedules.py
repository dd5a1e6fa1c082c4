"""A thousand schedules that are due in one second, until the last of their tasks is on the board.

They are added through the door of a running `shop up`, all for the same moment, some seconds ahead.  From that
moment on an observer asks how many tasks there are, until all are there; the time is the wall clock's at
the answer, less the moment.  Then the history of each schedule is read: each must have fired exactly once.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime

from bench.env import CouldNotMeasure, Env
from bench.figures import Figure, Line, Result, at_most
from bench.load import pause
from bench.shop import Shop

LIMIT_S = 60.0
LOOK_S = 0.01
# Time to add one schedule, at the most, and then some.
EACH_S = 0.01
AHEAD_S = 5.0


def run(env: Env) -> Result:
    """Measure it."""
    count = int(env.choose(1_000, 200))
    shop = Shop.make(env)
    with shop.up():
        due = _added(shop, count)
        pause(max(due - time.time(), 0.0))
        took_s = _all_there(shop, count) - due
        late_ms = _once_each(shop, count, due)
    several = f"{count:,} schedules due in one second"
    return Result(
        (
            Line(f"{several}, all on the board", Figure(took_s, "s"), goal=at_most(2, "s")),
            Line("  the last transaction began after", Figure(late_ms, "ms")),
            Line("  fired more or less than once", Figure(0, ""), goal=at_most(0, "")),
        )
    )


def _added(shop: Shop, count: int) -> float:
    """Add the schedules; answers the moment at which all are due, in seconds since the epoch."""
    due = int(time.time() + AHEAD_S + count * EACH_S)
    rule = f"at {datetime.fromtimestamp(due, UTC):%Y-%m-%dT%H:%M:%S}+00:00"
    for number in range(count):
        shop.ask("schedule.add", rule=rule, title=f"Number {number}", zone="UTC")
    if time.time() >= due:
        raise CouldNotMeasure(f"the machine took more than {due} s to add {count} schedules")
    return float(due)


def _all_there(shop: Shop, count: int) -> float:
    """Wait until so many tasks are on the board; answers when that was seen."""
    deadline = time.monotonic() + LIMIT_S
    while sum(shop.ask("stats.show")["by_status"].values()) < count:
        if time.monotonic() > deadline:
            raise CouldNotMeasure(f"{count} tasks were not there within {LIMIT_S:g} s")
        pause(LOOK_S)
    return time.time()


def _once_each(shop: Shop, count: int, due: float) -> float:
    """See that each has fired once; answers how late the last one was, in milliseconds."""
    found, after = [], ""
    while after is not None:
        page = shop.ask("schedule.list", after=after, limit=1_000)
        found += page["items"]
        after = page["next"]
    tasks = {one["last"]["task"] for one in found if one["fired"] == 1 and one["last"]}
    there = sum(shop.ask("stats.show")["by_status"].values())
    if not len(found) == len(tasks) == there == count:
        raise CouldNotMeasure(f"{count} schedules made {there} tasks, {len(tasks)} of them once")
    latest = max(datetime.fromisoformat(one["last"]["at"]).timestamp() for one in found)
    return (latest - due) * 1000
