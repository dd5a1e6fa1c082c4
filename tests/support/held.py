"""Answers of the server that a test holds back, so that what comes late comes late every time.

They are held in the page itself, where it asks: the browser does not tell the body of every request to who
listens to its network, and a request that is not known cannot be held.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from playwright.sync_api import Page

LIMIT_S = 60.0
LOOK_MS = 10
# What begins here goes on in the page: `held` is what a test looks at and changes.
HOLD = """(op) => {
  const held = { asked: 0, answered: 0, open: false, refusals: 0, waiting: [] };
  const send = window.fetch;
  window.fetch = async (path, options) => {
    if (!String(options?.body).includes(`"op":"${op}"`)) return send(path, options);
    held.asked += 1;
    if (held.refusals > 0) {
      held.refusals -= 1;
      return Response.json({ error: { code: "unavailable", message: "busy" } }, { status: 503 });
    }
    if (!held.open) await new Promise((go) => held.waiting.push(go));
    const answer = await send(path, options);
    held.answered += 1;
    return answer;
  };
  return held;
}"""


class Held:
    """The requests of one operation by a page: held back from now on, until they are let go."""

    def __init__(self, page: Page, op: str) -> None:
        self._page = page
        self._held = page.evaluate_handle(HOLD, op)

    @property
    def many(self) -> int:
        """How often the page has asked."""
        return int(self._held.evaluate("held => held.asked"))

    def arrive(self, many: int = 1) -> None:
        """Wait until the page has asked so many times."""
        wait_for(self._page, lambda: self.many >= many)

    def let_go(self) -> None:
        """Have the server answer, and what is asked from now on, too."""
        self._held.evaluate(
            "held => { held.open = true; held.waiting.splice(0).forEach(go => go()); }"
        )

    def refuse_once(self) -> None:
        """Answer the next request as a busy server does, and let the server answer those that follow."""
        self._held.evaluate("held => { held.refusals = 1; }")
        self.let_go()

    def be_answered(self) -> None:
        """Wait until the page has an answer of the server."""
        wait_for(self._page, lambda: self._held.evaluate("held => held.answered"))


def wait_for(page: Page, condition: Callable[[], object]) -> None:
    """Wait for what the events of a page bring; they come only while the page is listened to."""
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < deadline, "it has not come"
        page.wait_for_timeout(LOOK_MS)
