"""Shaking the tests of the dashboard: a slow line and processor, and a board that never rests.

What a person does in a page must not depend on how fast the page is, nor on what others do meanwhile.
`make shake` runs the tests in a browser under both, asked for by two variables of the environment:

- SHOPFLOOR_SLOW_BROWSER="MS,TIMES": each answer comes so many milliseconds later, the processor is so
  many times slower.
- SHOPFLOOR_CHURN="TIMES": so many times a second another program edits a task of the board, in turn and
  in what no page shows, and every component of every open page is drawn anew.
"""

from __future__ import annotations

import os
from itertools import count
from threading import Event, Thread
from typing import TYPE_CHECKING

from playwright.sync_api import Page

from shopfloor.domain.errors import BoardError

if TYPE_CHECKING:
    from tests.support.home import Home

HOUR_MS = 3_600_000
# Preact keeps the tree of an element in __k, the parts of a node there too, and its component in __c; the root is none.
# That the page was seen again moves its clocks on, as the minute does.
REDRAW = """
setInterval(() => {
  const draw = (node) => {
    if (!node) return;
    if (Array.isArray(node)) node.forEach(draw);
    else {
      node.__c?.forceUpdate?.();
      draw(node.__k);
    }
  };
  draw(document.getElementById("app")?.__k?.__k);
  document.dispatchEvent(new Event("visibilitychange"));
}, %d);
"""


def churn() -> float:
    """How many times a second a board is changed; 0 where nobody asked for it."""
    return float(os.environ.get("SHOPFLOOR_CHURN") or 0)


def shaken(page: Page) -> Page:
    """A page with the line, the processor and the unrest that were asked for."""
    if asked := os.environ.get("SHOPFLOOR_SLOW_BROWSER"):
        latency, times = asked.split(",")
        session = page.context.new_cdp_session(page)
        line = {
            "offline": False,
            "latency": int(latency),
            "downloadThroughput": -1,
            "uploadThroughput": -1,
        }
        session.send("Network.enable")
        session.send("Network.emulateNetworkConditions", line)
        session.send("Emulation.setCPUThrottlingRate", {"rate": int(times)})
    if times_a_second := churn():
        page.add_init_script(REDRAW % round(1000 / times_a_second))
    return page


class Unrest:
    """Another program that changes tasks of a board all the time, where it was asked for."""

    def __init__(self, home: Home, slug: str) -> None:
        self._home = home
        self._slug = slug
        self._over = Event()
        self._thread = Thread(target=self._run, name=f"unrest-{slug}", daemon=True)
        if churn():
            self._thread.start()

    def _run(self) -> None:
        for turn in count():
            if self._over.wait(1 / churn()):
                return
            try:
                self._change(turn)
            except BoardError:
                # A test that ends a task, or takes the board away, is faster.
                continue

    def _change(self, turn: int) -> None:
        tasks = self._home.ask("task.list", board=self._slug, limit=1000)["items"]
        if tasks:
            task = tasks[turn % len(tasks)]["id"]
            self._home.ask("task.edit", board=self._slug, id=task, max_runtime_ms=HOUR_MS + turn)

    def close(self) -> None:
        """Leave the board alone; raises nothing."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()
