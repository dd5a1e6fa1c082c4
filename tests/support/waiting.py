"""Waiting in tests: for a condition, never for a time.

The limit is only there so that a broken program fails a test instead of hanging it; it is
generous, and no test may depend on how soon the condition holds.
"""

import time
from collections.abc import Callable
from typing import TypeVar

Answer = TypeVar("Answer")


def eventually(condition: Callable[[], Answer], *, limit_s: float = 90.0) -> Answer:
    """Return the condition's first true answer; fail when there is none within the limit."""
    deadline = time.monotonic() + limit_s
    pause_s = 0.001
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"{condition} was not true within {limit_s} s, last: {answer!r}")
        time.sleep(pause_s)
        pause_s = min(pause_s * 2, 0.05)
