"""Create, claim and complete by four client processes at once, through the running door.

Each client sends its requests over the Unix socket of one `shop up` and claims the next task of the
profile, so that all four reach for the same ones.  The peer is the kernel of Hermes Agent in four
processes that write the file directly, each claiming the task that it created; its size check is
off, because with it four writers lose the file within seconds (see `durability`).  The milliseconds
are those of every single call as a client sees it; the share is the least that a client got of a
quarter of the work, in the worst round.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from bench import peers
from bench.contest import OURS, Answer, Contest, Start
from bench.env import CouldNotMeasure, Env
from bench.figures import Figure, Line, Result, at_least, at_most
from bench.fleet import fleet, told, worst_share
from bench.load import Load
from bench.rounds import percentile
from bench.shop import Shop

CLIENTS = 4
HERMES = "Hermes kernel, unchecked"


def run(env: Env) -> Result:
    """Measure it."""
    with contextlib.ExitStack() as stack, Contest(env) as contest:
        shop = Shop.make(env)
        stack.enter_context(shop.up())
        contest.enter(OURS, fleet(lambda: shop.load("door", own=False), CLIENTS))
        contest.enter(HERMES, hermes_fleet(env))
        contest.run(rounds=int(env.choose(15, 3)), seconds=env.choose(1.0, 0.5))
        nothing_twice(contest.answers[OURS])
        what = f"{CLIENTS} clients: create, claim, complete"
        lines = [contest.line(what, HERMES, at_least(3, "x"))]
        lines += single_calls(contest, HERMES)
        return Result(
            tuple(lines), ("no task was created, claimed or completed twice", *contest.notes())
        )


def hermes_fleet(env: Env) -> Start:
    """The peer's kernel in as many processes, on one home."""
    home = str(env.folder("hermes"))
    options = {"home": home, "check": False, "connection": "kept"}
    return fleet(lambda: Load(env, "hermes", options, python=peers.hermes(env)), CLIENTS)


def single_calls(contest: Contest, peer: str) -> list[Line]:
    """How long one call takes at most, and how evenly the clients are served."""
    calls, shares = told(contest.answers[OURS], "calls_ms"), worst_share(contest.answers[OURS])
    theirs = contest.answers.get(peer)
    p50, p99 = Figure(percentile(calls, 50), "ms"), Figure(percentile(calls, 99), "ms")
    lines = [
        Line("  one call, p50", p50),
        Line("  one call, p99", p99, goal=at_most(15, "ms")),
        Line("  least share of a client", Figure(shares, "%"), goal=at_least(50, "%")),
    ]
    if theirs is None:
        return lines
    said = (
        Figure(percentile(told(theirs, "calls_ms"), 50), "ms"),
        Figure(percentile(told(theirs, "calls_ms"), 99), "ms"),
        Figure(worst_share(theirs), "%"),
    )
    return [
        Line(line.what, line.ours, peer, figure, line.ours, line.goal)
        for line, figure in zip(lines, said, strict=True)
    ]


def nothing_twice(rounds: Sequence[Answer]) -> None:
    """Refuse the figures if two clients were told the same task."""
    for what in ("created", "claimed", "completed"):
        numbers = told(rounds, what)
        if len(numbers) != len(set(numbers)):
            raise CouldNotMeasure(f"{len(numbers) - len(set(numbers))} tasks were {what} twice")
