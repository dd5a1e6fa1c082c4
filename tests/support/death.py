"""Die at a chosen statement, as a process does that is killed: nothing is closed and nothing is said.

`die_at` runs a piece of work in a child process that ends before the statement of that number; a begin
and a commit are statements too.
"""

from __future__ import annotations

import gc
import os
import warnings
from collections.abc import Callable

from tests.support.board import BoardHandle
from tests.support.places import Place

DIED = 77


def die_at(place: Place, number: int, work: Callable[[BoardHandle], object]) -> bool:
    """Do the work in a process that dies before its n-th statement (from 1); false: it got to its end."""
    # A child of a process with threads may not use their locks; this one uses what it makes itself.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        status = 1
        # A collection would touch, and so copy, all the memory that it shares with its parent.
        gc.disable()
        try:
            status = _child(place, number, work)
        finally:
            os._exit(status)
    _pid, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (0, DIED), "the work failed before it died; its traceback is above"
    return code == DIED


def _child(place: Place, number: int, work: Callable[[BoardHandle], object]) -> int:
    asked = -1

    def probe(_name: str) -> None:
        nonlocal asked
        if asked >= 0:
            asked += 1
            if asked == number:
                os._exit(DIED)

    board = place.open(probe=probe)
    asked = 0
    work(board)
    return 0
