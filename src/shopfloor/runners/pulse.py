"""The runner's heartbeat: tells the ledger how the agent goes on, from a thread of its own.

The agent's output must be read also while the board's door is away, so nothing here is waited for by the
one who reads.  The first output is told at once and so is every change of usage, the rest at most every
few seconds.  The ledger's answer may say stop: a limit of the task, the profile or the day is reached, or
the run is not open any more.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from shopfloor.domain.errors import BoardError
from shopfloor.domain.limits import PROGRESS_EVERY_S
from shopfloor.runners.ledger import Identity, Ledger
from shopfloor.runners.report import Usage

# Usage comes with each of a model's answers; more often than this it is not told.
USAGE_PAUSE_S = 0.5
CLOSED, BUDGET = "closed", "budget"
FOR_EVER_S = float("inf")


class Pulse:
    """What was told, what is still to be told, and what the ledger said to it."""

    def __init__(self, me: Identity, wake: Callable[[], None]) -> None:
        self._ledger = Ledger(me)
        self._wake = wake
        self._change = threading.Condition()
        self._news: dict[str, Any] = {}
        self._urgent = False
        self._busy = False
        self._ending = False
        self._told_at = -PROGRESS_EVERY_S
        self._thread: threading.Thread | None = None
        self.stop: str | None = None
        self.kind: str | None = None

    def alive(self) -> None:
        """The agent said or did something."""
        self._note({"output": True}, urgent=False)

    def used(self, usage: Usage) -> None:
        """What the run has used so far."""
        self._note({"usage": usage._asdict()}, urgent=True)

    def session(self, session: str | None, model: str | None) -> None:
        """The session, or the model, became known."""
        found = {"session_id": session, "model": model}
        self._note({name: value for name, value in found.items() if value}, urgent=True)

    def flush(self, wait_s: float) -> None:
        """Wait until all was told, but not longer than this."""
        deadline = time.monotonic() + wait_s
        with self._change:
            self._urgent = True
            self._change.notify_all()
            while (self._news or self._busy) and self.stop is None:
                left = deadline - time.monotonic()
                if left <= 0 or not self._change.wait(left):
                    return

    def close(self) -> None:
        """Tell nothing more."""
        with self._change:
            self._ending = True
            self._change.notify_all()

    def _note(self, news: dict[str, Any], *, urgent: bool) -> None:
        if not news:
            return
        with self._change:
            if self.stop is not None:
                return
            self._news.update(news)
            self._urgent = self._urgent or urgent
            if self._thread is None:
                # A daemon thread: a door that is away must not keep a runner from ending.
                self._thread = threading.Thread(target=self._run, name="pulse", daemon=True)
                self._thread.start()
            self._change.notify_all()

    def _run(self) -> None:
        while (news := self._due()) is not None:
            answer: dict[str, Any]
            try:
                answer = self._ledger.ask("run.progress", news, tries_s=FOR_EVER_S)
            except BoardError as refused:
                answer = {"stop": refused.message, "kind": CLOSED}
            with self._change:
                self._busy = False
                self._told_at = time.monotonic()
                if answer.get("stop"):
                    self.stop, self.kind = answer["stop"], answer.get("kind") or CLOSED
                self._change.notify_all()
            if self.stop is not None:
                self._wake()
                return

    def _due(self) -> dict[str, Any] | None:
        """What is to be told now, once it is time; None at the end."""
        with self._change:
            while not self._ending:
                pause_s = USAGE_PAUSE_S if self._urgent else PROGRESS_EVERY_S
                left = self._told_at + pause_s - time.monotonic()
                if self._news and left <= 0:
                    news, self._news = self._news, {}
                    self._urgent, self._busy = False, True
                    return news
                self._change.wait(left if self._news else None)
            return None
