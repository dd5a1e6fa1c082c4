"""Several loads of one kind as one contestant: processes that work at the same time on one system."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

from bench.contest import Answer, Start
from bench.load import Load, together


def fleet(start: Callable[[], Load], size: int, **request: Any) -> Start:
    """So many loads; `request` is what each turn asks of them beside its time."""

    def started(stack: contextlib.ExitStack) -> Callable[[float], Answer]:
        loads = [stack.enter_context(start()) for _ in range(size)]
        return lambda seconds: summed(together(loads, seconds=seconds, **request))

    return started


def summed(answers: Sequence[Answer]) -> Answer:
    """One round of several clients as one answer, by the time that the slowest took."""
    return {
        "count": sum(answer["count"] for answer in answers),
        "seconds": max(answer["seconds"] for answer in answers),
        "clients": answers,
    }


def told(rounds: Sequence[Answer], name: str) -> list[Any]:
    """What every client of every round said under one name, in one list."""
    return [one for answer in rounds for client in answer["clients"] for one in client[name]]


def worst_share(rounds: Sequence[Answer]) -> float:
    """The least that a client did in a round, in percent of an even share."""
    worst: float = min(
        100 * len(answer["clients"]) * min(c["count"] for c in answer["clients"]) / answer["count"]
        for answer in rounds
    )
    return worst
