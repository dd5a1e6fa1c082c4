"""What this process has measured of itself: requests by answer, and how long the door took to answer."""

from __future__ import annotations

from collections import Counter
from itertools import accumulate

BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
# These wait for something to happen, so their time says nothing of the door.
WAITING = frozenset({"event.list"})


class Measures:
    """Counts since this process began."""

    def __init__(self) -> None:
        self.answers: Counter[tuple[str, int]] = Counter()
        self._buckets = [0] * (len(BOUNDS_S) + 1)
        self._sum_s = 0.0

    def answered(self, method: str, status: int) -> None:
        """Count an answer."""
        self.answers[method, status] += 1

    def asked(self, op: str, took_s: float) -> None:
        """Count a request to the door, and how long it took."""
        if op in WAITING:
            return
        at = next((n for n, bound in enumerate(BOUNDS_S) if took_s <= bound), len(BOUNDS_S))
        self._buckets[at] += 1
        self._sum_s += took_s

    @property
    def door(self) -> tuple[list[tuple[str, int]], float]:
        """How many answers came within each bound, and the sum of all times."""
        names = [*(f"{bound:g}" for bound in BOUNDS_S), "+Inf"]
        return list(zip(names, accumulate(self._buckets), strict=True)), self._sum_s
