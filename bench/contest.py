"""A contest: our system and its peers do the same in turns, and the lines of the table come of it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from statistics import median
from types import TracebackType
from typing import Any, Self

from bench.env import CouldNotMeasure, Env, Missing
from bench.figures import Figure, Goal, Line
from bench.rounds import interleave, percentile, ratio

OURS = "shopfloor"
WARM_S = 0.3
SPREAD_MAX = 2.0

Answer = dict[str, Any]
Turn = Callable[[float], Answer]
Start = Callable[[contextlib.ExitStack], Turn]


class Contest:
    """Contestants that were started, what they did, and why others are missing; a context manager."""

    def __init__(self, env: Env) -> None:
        self.env = env
        self.answers: dict[str, list[Answer]] = {}
        self._turns: dict[str, Turn] = {}
        self._missing: dict[str, str] = {}
        self._open = contextlib.ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._open.close()

    def enter(self, name: str, start: Start) -> None:
        """Start a contestant; what it opens on the stack is closed with the contest."""
        try:
            self._turns[name] = start(self._open)
        except Missing as reason:
            self._missing[name] = str(reason)

    def run(self, *, rounds: int, seconds: float) -> None:
        """One short turn each to get warm, then the rounds that count."""
        for turn in self._turns.values():
            turn(WARM_S)

        def taking(turn: Turn) -> Callable[[], Answer]:
            return lambda: turn(seconds)

        turns: Mapping[str, Callable[[], Answer]] = {
            name: taking(turn) for name, turn in self._turns.items()
        }
        self.answers = interleave(turns, rounds)

    def rates(self, name: str) -> list[float]:
        """What a contestant did per second in each round."""
        rates = [answer["count"] / answer["seconds"] for answer in self.answers[name]]
        if min(rates) <= 0:
            raise CouldNotMeasure(f"{name} did nothing in one of its turns")
        return rates

    def notes(self) -> tuple[str, ...]:
        """A warning where the rounds differ so much that somebody else must have slowed them."""
        spread = {
            name: percentile(self.rates(name), 90) / percentile(self.rates(name), 10)
            for name in self.answers
        }
        name = max(spread, key=lambda name: spread[name])
        if spread[name] < SPREAD_MAX:
            return ()
        differ = f"the rounds of {name} differ by {spread[name]:.1f} x"
        return (f"disturbed: {differ}, others used the machine or its disk; take a quieter run",)

    def line(self, what: str, peer: str, goal: Goal | None = None, *, against: str = OURS) -> Line:
        """How a contestant's rate compares with a peer's, as a multiple or in percent."""
        unit = goal.bound.unit if goal is not None else "x"
        ours = Figure(median(self.rates(against)), "/s")
        if peer in self._missing:
            return Line(what, ours, peer, goal=goal, missing=self._missing[peer])
        compared = ratio(self.rates(against), self.rates(peer)) * (100 if unit == "%" else 1)
        theirs = Figure(median(self.rates(peer)), "/s")
        return Line(what, ours, peer, theirs, Figure(compared, unit), goal)
