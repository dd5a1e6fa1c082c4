"""What a measurement says: figures with units, what they are compared with, and whether a goal is met.

Everything here is a value; `table.py` prints it.  A goal is a statement about one figure, the
`compared` one of its line, and never decides the exit status: a figure that misses its goal is a
result like any other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Verdict = Literal["met", "missed", "missing", ""]


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with its unit, such as 2,310 /s, 4.2 ms, 2.9 x or 61 %."""

    value: float
    unit: str

    def __str__(self) -> str:
        size = abs(self.value)
        digits = 0 if size >= 100 else 1 if size >= 10 else 2  # noqa: PLR2004
        if self.value == int(self.value):
            digits = 0
        return f"{self.value:,.{digits}f} {self.unit}".rstrip()


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound for a figure of the same unit."""

    bound: Figure
    least: bool

    def held_by(self, figure: Figure) -> bool:
        """Whether the figure, as exact as it was measured, keeps the bound."""
        assert figure.unit == self.bound.unit, (figure, self.bound)
        if self.least:
            return figure.value >= self.bound.value
        return figure.value <= self.bound.value

    def __str__(self) -> str:
        return f"{'≥' if self.least else '≤'} {self.bound.value:g} {self.bound.unit}".rstrip()


def at_least(value: float, unit: str) -> Goal:
    """The figure must not be below this."""
    return Goal(Figure(value, unit), least=True)


def at_most(value: float, unit: str) -> Goal:
    """The figure must not be above this."""
    return Goal(Figure(value, unit), least=False)


@dataclass(frozen=True, slots=True)
class Line:
    """One comparison: our figure, a peer's, and the one figure that the goal is about.

    Without a peer the goal is about our own figure.  `missing` says why a peer has none.
    """

    what: str
    ours: Figure | None = None
    peer: str = ""
    theirs: Figure | None = None
    compared: Figure | None = None
    goal: Goal | None = None
    missing: str | None = None

    @property
    def verdict(self) -> Verdict:
        """Whether the goal is met; empty where there is none."""
        if self.missing is not None:
            return "missing"
        judged = self.compared if self.compared is not None or self.peer else self.ours
        if self.goal is None or judged is None:
            return ""
        return "met" if self.goal.held_by(judged) else "missed"


@dataclass(frozen=True, slots=True)
class Result:
    """What one measurement came to: its lines, and what a reader has to know about them."""

    lines: tuple[Line, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """A measurement as it stands in the table: a result, or the reason why there is none."""

    name: str
    about: str
    seconds: float
    result: Result = field(default_factory=lambda: Result(()))
    failure: str | None = None
