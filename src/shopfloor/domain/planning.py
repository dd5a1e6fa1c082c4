"""What is asked of a language model, and what it may answer: plain values, no model in sight.

Three questions exist.  *Specify*: what does this rough idea ask for, said so that a worker can begin.
*Split*: which sub-tasks does it fall into, for which profiles, in which order.  *Judge*: is a goal
reached, by what the worker said at the end of its turn.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Verdict = Literal["done", "continue", "impossible"]


class Helper(NamedTuple):
    """A profile that a task may be given to, as its description says what it is good at."""

    name: str
    description: str


class Idea(NamedTuple):
    """A task in triage, and who could work on it."""

    title: str
    body: str
    helpers: tuple[Helper, ...] = ()


class Specified(NamedTuple):
    """A clear task: what is to be done, how to know that it is, and who should do it, if that is plain."""

    title: str
    body: str
    assignee: str | None = None


class Part(NamedTuple):
    """One sub-task; `after` names the positions (from 0) of earlier parts that it waits for."""

    title: str
    body: str
    assignee: str | None = None
    after: tuple[int, ...] = ()


class Split(NamedTuple):
    """The parts of an idea; where splitting does not help, none, and the idea as one clear task."""

    parts: tuple[Part, ...]
    whole: Specified | None = None


class Turn(NamedTuple):
    """The end of one turn towards a goal: what is wanted, and what the worker said last."""

    title: str
    body: str
    outcome: str
    number: int
    most: int


class Judged(NamedTuple):
    """Whether the goal is reached, why, and what the worker is told to do next."""

    verdict: Verdict
    reason: str
    next: str = ""
