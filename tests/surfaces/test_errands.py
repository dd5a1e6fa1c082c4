"""Errands: looked after on changes and due times, each by itself."""

from __future__ import annotations

from shopfloor.daemon.errands import Errands
from shopfloor.domain.errors import Unavailable
from shopfloor.store.wake import Wake
from tests.support.waiting import eventually


class Counted:
    """An errand that notes its looks, and answers or raises what it is told to."""

    def __init__(self, name: str, answers: list[float | Exception | None]) -> None:
        self.name = name
        self.looks = 0
        self.closed = False
        self._answers = answers

    def look(self) -> float | None:
        self.looks += 1
        answer = self._answers.pop(0) if self._answers else None
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self) -> None:
        self.closed = True


def test_an_errand_is_looked_at_at_the_start_after_a_change_and_when_it_is_due():
    wake, said = Wake(), []
    changes, due = Counted("changes", []), Counted("due", [0.01, 0.01])
    errands = Errands([changes, due], wake, say=said.append)
    errands.start()
    eventually(lambda: due.looks == 3)
    assert changes.looks == 1
    wake.ring()
    eventually(lambda: changes.looks == 2)
    errands.stop()
    assert changes.closed and due.closed and not said


def test_an_errand_that_fails_is_said_once_and_stops_no_other():
    wake, said = Wake(), []
    failing = Counted("failing", [Unavailable("no disk"), Unavailable("no disk"), ValueError("x")])
    other = Counted("other", [])
    errands = Errands([failing, other], wake, say=said.append)
    errands.start()
    for looks in (1, 2, 3, 4):
        # One that failed is also looked at again by itself, a while later.
        eventually(lambda looks=looks: failing.looks >= looks and other.looks >= looks)
        wake.ring()
    eventually(lambda: failing.looks >= 5)
    errands.stop()
    assert said == [
        "failing: no disk",
        "failing: a mistake of ours: ValueError('x')",
        "failing: goes on",
    ]
