"""Rounds: the contestants take turns, because the machine is shared and its speed drifts.

A round gives each contestant one turn, forwards in one round and backwards in the next, so that
whoever comes first has no advantage.  A ratio is the middle one of the ratios within each round, never
the ratio of two figures that were measured at different times.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import TypeVar

Turn = TypeVar("Turn")


def interleave(contestants: Mapping[str, Callable[[], Turn]], rounds: int) -> dict[str, list[Turn]]:
    """Every contestant's turns, in the order of the rounds."""
    taken: dict[str, list[Turn]] = {name: [] for name in contestants}
    names = list(contestants)
    for number in range(rounds):
        for name in names if number % 2 == 0 else reversed(names):
            taken[name].append(contestants[name]())
    return taken


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The middle one of the ratios of each round."""
    return median(own / other for own, other in zip(ours, theirs, strict=True))


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that so many percent of all do not exceed."""
    assert values, "nothing was measured"
    ordered = sorted(values)
    place = -(-len(ordered) * percent // 100)
    return ordered[max(int(place), 1) - 1]
