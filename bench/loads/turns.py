"""The load's side of the turns: one JSON line in, one JSON line out.

This file and the loads beside it run in the environments of the peers, so they import nothing but
the standard library and the system that they put to work.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

Handler = Callable[[dict[str, Any]], dict[str, Any]]
Life = Callable[[], Iterator[None]]


def options() -> dict[str, Any]:
    """What this load was started with."""
    told: dict[str, Any] = json.loads(sys.argv[1])
    return told


def serve(handler: Handler) -> None:
    """Answer every request until the standard input is closed.

    The standard output is kept for the answers alone: what the system under load prints goes to the
    standard error.
    """
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    for line in sys.stdin:
        print(json.dumps(handler(json.loads(line))), file=answers, flush=True)


def through(life: Life, seconds: float, *, forgiving: bool = False) -> dict[str, Any]:
    """Walk whole lives of tasks, one after the other, for a time.

    `life` yields after each of its calls.  The answer has the number of lives, the time that they
    took, and the milliseconds of every call.  A load that is `forgiving` goes on after an error with
    the next life, and counts the errors: some systems refuse now and then when many write at once.
    """
    clock = time.perf_counter
    count, calls_ms, errors, first = 0, [], 0, None
    begun = last = clock()
    while last - begun < seconds:
        try:
            for _ in life():
                now = clock()
                calls_ms.append(round((now - last) * 1000, 3))
                last = now
            count += 1
        except Exception as error:
            if not forgiving:
                raise
            errors += 1
            first = first or f"{type(error).__name__}: {error}"
            last = clock()
    return {
        "count": count,
        "seconds": last - begun,
        "calls_ms": calls_ms,
        "errors": errors,
        "first_error": first,
    }
