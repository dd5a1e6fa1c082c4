"""Answers of the server that a test holds back, so that what comes late comes late every time."""

from __future__ import annotations

import time
from collections.abc import Callable

from playwright.sync_api import Page, Route

LIMIT_S = 60.0
LOOK_MS = 10


class Held:
    """The requests of one operation by a page: held back from now on, until they are let go."""

    def __init__(self, page: Page, op: str) -> None:
        self._page = page
        self._mark = f'"op":"{op}"'
        self._held: list[Route] = []
        self._open = False
        self.many = 0
        page.route("**/api/v1/call", self._take)

    def _take(self, route: Route) -> None:
        if self._mark not in (route.request.post_data or ""):
            route.fallback()
            return
        self.many += 1
        if self._open:
            route.fallback()
        else:
            self._held.append(route)

    def arrive(self, many: int = 1) -> None:
        """Wait until the page has asked so many times."""
        wait_for(self._page, lambda: self.many >= many)

    def let_go(self) -> None:
        """Have the server answer, and what is asked from now on, too."""
        self._open = True
        held, self._held = self._held, []
        for route in held:
            route.fallback()


def wait_for(page: Page, condition: Callable[[], object]) -> None:
    """Wait for what the events of a page bring; they come only while the page is listened to."""
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < deadline, "it has not come"
        page.wait_for_timeout(LOOK_MS)
