"""The dispatcher's thread: sleep until something happens, make a pass, and survive what fails in it.

It wakes on the board's bell (every commit rings it), on the end of a supervisor, on a due time, and
on a slow poll that is only the safety net.  After a pass it is deaf to the bell for a moment: its own
commits rang it, too, and while others' pour in that give it nothing to do, watching must leave the
processor to those who write.  The end of a supervisor it hears at once, because a slot is free then;
while none is, it stays deaf for longer.
"""

from __future__ import annotations

import selectors
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from shopfloor.daemon.dispatcher import Dispatcher
from shopfloor.domain.errors import BoardError, Unavailable
from shopfloor.domain.report import DispatchReport, Trouble
from shopfloor.store.wake import Wake

PASS_TIMEOUT_S = 60.0
# How long it is deaf to the bell, in passes: after one that did something, and after one that did not.
# While commits go on giving it nothing to do, twice as long each time.  At most, and where all slots are
# in use, the last: an operator's stop waits no longer than that.
REST_BUSY = 1
REST_IDLE = 4
CALM_MAX = 4
REST_MAX_S = 0.02
BACKOFF_FIRST_S = 0.1
BACKOFF_MAX_S = 5.0


class _Asked(NamedTuple):
    """A pass that somebody waits for."""

    most: int | None
    answer: list[DispatchReport | BaseException]
    done: threading.Event


class DispatchLoop:
    """Runs one board's dispatcher in a thread until it is told to stop."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        wake: Wake,
        *,
        say: Callable[[DispatchReport], None],
        interval_s: float | None = None,
    ) -> None:
        self._dispatcher = dispatcher
        self._wake = wake
        self._say = say
        self._interval_s = interval_s
        self._asked: deque[_Asked] = deque()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="dispatcher", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Claim nothing more; settle what has ended, leave workers running, end the thread."""
        self._stopping.set()
        self._wake.ring()
        self._thread.join()

    def pass_now(self, most: int | None) -> DispatchReport:
        """Have a pass made at once and wait for its report; raises Unavailable if none comes."""
        asked = _Asked(most, [], threading.Event())
        self._asked.append(asked)
        self._wake.ring()
        if not asked.done.wait(PASS_TIMEOUT_S):
            raise Unavailable("the dispatcher did not make a pass within a minute; see its log")
        answer = asked.answer[0]
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def _serve(self) -> None:
        with (
            selectors.DefaultSelector() as selector,
            selectors.DefaultSelector() as ends,
            self._wake.bell() as bell,
        ):
            ends.register(self._dispatcher.live.fileno(), selectors.EVENT_READ)
            selector.register(bell.fileno(), selectors.EVENT_READ)
            selector.register(self._dispatcher.live.fileno(), selectors.EVENT_READ)
            failures, calm = self._begin(), 0
            while not self._stopping.is_set():
                began = time.monotonic()
                failures, report = self._turn(failures)
                ends.select(_rest_s(report, time.monotonic() - began, calm))
                goes_on = not report.changed and selector.select(0)
                calm = min(calm + 1, CALM_MAX) if goes_on else 0
                selector.select(self._pause_s(failures))
                bell.clear()
            self._last_turn()
        for asked in self._asked:
            asked.answer.append(Unavailable("the dispatcher is stopping"))
            asked.done.set()

    def _begin(self) -> int:
        try:
            self._say(self._dispatcher.begin())
        except (BoardError, OSError) as failed:
            self._tell(failed)
            return 1
        return 0

    def _turn(self, failures: int) -> tuple[int, DispatchReport]:
        """Make a pass; answers how many failed in a row, and what this one did."""
        if failures:
            failures = self._begin() and failures + 1
        asked = self._asked.popleft() if self._asked else None
        try:
            report = self._dispatcher.run_pass(None if asked is None else asked.most)
        except Exception as mistake:  # noqa: BLE001 - one pass's mistake must not end the dispatcher
            traceback.print_exc()
            report = DispatchReport(troubles=[Trouble("pass", repr(mistake))])
        self._say(report)
        if asked is not None:
            asked.answer.append(report)
            asked.done.set()
        return failures + 1 if report.troubles else 0, report

    def _pause_s(self, failures: int) -> float:
        if self._asked:
            return 0
        pause_s = self._dispatcher.sleep_s()
        if self._interval_s is not None:
            pause_s = min(pause_s, self._interval_s)
        if failures:
            backoff_s = min(BACKOFF_FIRST_S * 2**failures, BACKOFF_MAX_S)
            pause_s = max(min(pause_s, backoff_s), BACKOFF_FIRST_S)
        return pause_s

    def _last_turn(self) -> None:
        """Settle what has ended by now, and start nothing."""
        self._say(self._dispatcher.run_pass(0))

    def _tell(self, failed: Exception) -> None:
        self._say(DispatchReport(troubles=[Trouble("begin", str(failed))]))


def _rest_s(report: DispatchReport, took_s: float, calm: int = 0) -> float:
    """How long to be deaf to the bell after this pass; `calm`: so many before it were in vain."""
    if any(one.code == "board_cap" for one in report.skipped):
        return REST_MAX_S
    return min(took_s * (REST_BUSY if report.changed else REST_IDLE * 2**calm), REST_MAX_S)
