"""What an order costs over running its command: on the host, in a warm container, in a fresh one each time.

The command sleeps for 0.2 s.  On the host the time runs from the answer to `order.enqueue`, which comes when
the order is on disk, to the answer that says how it ended, less what the supervisor measured from the
command's start to its end.  A client of one's own starts an interpreter twice more, which is shown beside.

In containers the whole of that time counts, with the command.  Fresh means that no container is kept
(`idle_timeout = 0`); its removal comes after the answer and is not in the time.  Each end is looked at: its
output and exit status must be those of the command.  Podman, its store and its image are those of the tests.
"""

from __future__ import annotations

import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.env import CouldNotMeasure, Env
from bench.figures import Figure, Line, Result, at_most
from bench.shop import Shop
from tests.support.containers import Engine, missing

LIMIT_S = 60.0
WAIT_S = 20.0
SLEEP = ["sh", "-c", "sleep 0.2; echo done; exit 0"]
SLEEP_MS = 200
WARM = 2


@dataclass(frozen=True)
class Boxed(Shop):
    """A home whose `shop up` finds the engine."""

    engine: dict[str, str] = field(default_factory=dict)

    def variables(self) -> dict[str, str]:
        return {**super().variables(), **self.engine}


def run(env: Env) -> Result:
    """Measure it."""
    rounds = int(env.choose(30, 10))
    shop = Shop.make(env)
    with shop.up():
        over = [_once(shop, {}) for _ in range(WARM + rounds)][WARM:]
        client = [_client_ms(shop) for _ in range(5)]
    lines = [
        Line(
            "order of 0.2 s, over the command's own time, p50",
            Figure(statistics.median(total - own for total, own in over), "ms"),
            goal=at_most(30, "ms"),
        ),
        Line("  a client's own start", Figure(statistics.median(client), "ms")),
    ]
    reason = missing()
    if reason is not None:
        return Result(tuple(lines), (f"no containers: {reason}",))
    return Result((*lines, *_containers(env, rounds)), ())


def _containers(env: Env, rounds: int) -> list[Line]:
    engine = Engine(Path(tempfile.mkdtemp(prefix="shop-", dir="/tmp")))
    try:
        warm = _in_containers(env, engine, "10m", rounds)
        fresh = _in_containers(env, engine, "0", rounds)
    finally:
        engine.close()
    ours, theirs = statistics.median(warm), statistics.median(fresh)
    return [
        Line(
            f"the same in a warm container, {len(warm)} of {rounds} exact",
            Figure(ours, "ms"),
            "a fresh one each",
            Figure(theirs, "ms"),
            Figure(ours / theirs, "x"),
            goal=at_most(0.7, "x"),
        ),
        Line(
            "  over the 0.2 s of the command",
            Figure(ours - SLEEP_MS, "ms"),
            "a fresh one each",
            Figure(theirs - SLEEP_MS, "ms"),
            Figure((ours - SLEEP_MS) / (theirs - SLEEP_MS), "x"),
        ),
    ]


def _in_containers(env: Env, engine: Engine, idle: str, rounds: int) -> list[float]:
    shop = Boxed.make(env, f'[runtime]\nidle_timeout = "{idle}"\n')
    shop.engine.update(engine.environment)
    with shop.up():
        asked = {"runtime": "container:box"}
        return [_once(shop, asked)[0] for _ in range(WARM + rounds)][WARM:]


def _once(shop: Shop, asked: dict[str, Any]) -> tuple[float, float]:
    """The milliseconds from an order's acceptance to its known end, and those of its command."""
    order = shop.ask("order.enqueue", command={"argv": SLEEP}, **asked)["order"]["id"]
    accepted = time.monotonic()
    while not (news := shop.ask("order.wait", id=order, wait_s=WAIT_S))["over"]:
        if time.monotonic() - accepted > LIMIT_S:
            raise CouldNotMeasure(f"an order was not over within {LIMIT_S:g} s")
    total_ms = (time.monotonic() - accepted) * 1000
    text = shop.ask("task.log", id=order)["text"]
    if (news["exit_status"], text) != (0, "done\n"):
        raise CouldNotMeasure(f"an order ended as {news['order']['error']}, and printed {text!r}")
    record = shop.ask("order.show", id=order)["attempts"][0]["exit_record"]
    return total_ms, record["ended_at"] - record["started_at"]


def _client_ms(shop: Shop) -> float:
    begun = time.monotonic()
    words = [shop.command, "order", "list", "--limit", "1", "--json"]
    subprocess.run(words, env=shop.variables(), check=True, capture_output=True)
    return (time.monotonic() - begun) * 1000
