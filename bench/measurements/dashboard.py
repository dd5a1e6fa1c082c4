"""The dashboard in a headless Chromium: a change on the screen, and a board of 10,000 open tasks.

*On the screen*: this process creates and blocks tasks through the door of a running `shop up`; the time runs
from before the request is sent to the frame in which the browser shows the card, so the commit itself is in
it.  *Usable*: from the start of the navigation, in a browser that has nothing of the page yet, to the frame
in which cards are there and a key has moved the focus to one.  *While scrolling*: the longest task of the
page's main thread, from the browser's own trace, while a column is scrolled by the wheel and jumped through.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from statistics import median

from playwright.sync_api import Browser, Page

from bench.browser import CONFIGURATION, MARK, browser, link, longest_task_ms, told, visitor
from bench.env import Env, Missing
from bench.figures import Figure, Line, Result, at_most
from bench.load import pause
from bench.rounds import percentile
from bench.shop import Shop

TASKS = 10_000
# How the backlog is spread over the open columns, by the remainder of a task's number.
SPREAD = {"todo": 1, "scheduled": 2, "blocked": 3}
BLOCKED = ", block_kind = 'needs_input', block_reason = 'which one?'"
IDLE_S = 0.03
WARM = 3
TRACED = ["toplevel", "devtools.timeline", "disabled-by-default-lighthouse", "blink.user_timing"]
SETTLED_S = 0.3

SEEN = """
window.seen = {};
new MutationObserver(() => {
  for (const card of document.querySelectorAll("[data-card]")) {
    const key = `${card.dataset.card} ${card.closest("[data-column]")?.dataset.column}`;
    if (!(key in window.seen)) {
      window.seen[key] = 0;
      requestAnimationFrame(() => { window.seen[key] = Date.now(); });
    }
  }
}).observe(document, { childList: true, subtree: true });
"""
USABLE = """
window.usable = 0;
const watch = new MutationObserver(() => {
  if (!document.querySelector("[data-card]")) return;
  watch.disconnect();
  const press = () => {
    if (document.activeElement?.dataset?.card) window.usable = performance.now();
    else {
      document.dispatchEvent(new KeyboardEvent("keydown", { key: "j", bubbles: true }));
      requestAnimationFrame(press);
    }
  };
  requestAnimationFrame(press);
});
watch.observe(document, { childList: true, subtree: true });
"""


def run(env: Env) -> Result:
    """Measure it."""
    goals = {
        "changed elsewhere to on the screen, p95": at_most(150, "ms"),
        f"open a board of {TASKS:,} open tasks, usable": at_most(1.5, "s"),
        "  longest main-thread task while scrolling": at_most(50, "ms"),
    }
    try:
        with browser(env) as opened:
            shown = changes(env, opened)
            usable, longest = large_board(env, opened)
    except Missing as reason:
        return Result(tuple(Line(name, missing=str(reason), goal=goals[name]) for name in goals))
    figures = (Figure(percentile(shown, 95), "ms"), Figure(usable, "s"), Figure(longest, "ms"))
    lines = [
        Line(name, figure, goal=goals[name]) for name, figure in zip(goals, figures, strict=True)
    ]
    half = Line("  p50", Figure(percentile(shown, 50), "ms"))
    return Result((lines[0], half, *lines[1:]))


def changes(env: Env, opened: Browser) -> list[float]:
    """The milliseconds from before each change is asked for until it is on the screen."""
    shop = Shop.make(env, CONFIGURATION)
    taken: list[float] = []
    with shop.up():
        page = visitor(opened, *link(shop), SEEN)
        page.reload()
        page.wait_for_selector(".connection.is-live")
        for number in range(WARM + int(env.choose(100, 20))):
            begun = time.time()
            task = shop.ask("task.create", title=f"Change {number}", assignee="nobody-here")
            task_id = task["task"]["id"]
            created = on_screen(page, f"{task_id} ready") - begun * 1000
            begun = time.time()
            shop.ask("task.block", id=task_id, reason="which one?")
            blocked = on_screen(page, f"{task_id} blocked") - begun * 1000
            shop.ask("task.archive", id=task_id)
            pause(IDLE_S)
            if number >= WARM:
                taken += [created, blocked]
        page.context.close()
    return taken


def on_screen(page: Page, key: str) -> float:
    """When a card was drawn in a column first, in milliseconds since the epoch."""
    return told(page, "key => window.seen[key]", key)


def large_board(env: Env, opened: Browser) -> tuple[float, float]:
    """The seconds until a large board is usable, and the longest task in milliseconds while it is scrolled."""
    shop = Shop.make(env, CONFIGURATION)
    shop.fill(TASKS)
    spread(shop)
    usable: list[float] = []
    longest: list[float] = []
    with shop.up():
        url, secret = link(shop)
        for _ in range(int(env.choose(5, 2))):
            page = visitor(opened, url, secret, USABLE)
            # What logging in has loaded is forgotten, so that the board is opened as for the first time.
            session = page.context.new_cdp_session(page)
            session.send("Network.clearBrowserCache")
            page.goto(f"{url}/b/default")
            usable.append(told(page, "() => window.usable") / 1000)
            longest.append(scrolled(opened, page))
            page.context.close()
    return median(usable), median(longest)


def spread(shop: Shop) -> None:
    """Spread the ready tasks over the other open columns, while nothing has the file open."""
    with contextlib.closing(sqlite3.connect(shop.database)) as connection, connection:
        for status, rest in SPREAD.items():
            connection.execute(
                f"UPDATE task SET status = ?, title = 'A longer title that says what task ' || id ||"
                f" ' is about' {BLOCKED if status == 'blocked' else ''} WHERE id % 4 = ?",
                (status, rest),
            )


def scrolled(opened: Browser, page: Page) -> float:
    """The longest main-thread task, in milliseconds, while a column is scrolled through."""
    box = page.locator('[data-column="ready"] .cards').bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 60, box["y"] + 200)
    opened.start_tracing(page=page, categories=TRACED)
    # Beginning to trace is work on the page's main thread too; what counts comes after it.
    pause(SETTLED_S)
    page.evaluate(f"() => performance.mark('{MARK}')")
    for _ in range(40):
        page.mouse.wheel(0, 500)
        pause(0.02)
    for part in (0.3, 0.6, 1):
        page.evaluate(
            "part => { const box = document.querySelector('[data-column=ready] .cards');"
            " box.scrollTop = box.scrollHeight * part; }",
            part,
        )
        pause(0.25)
    return longest_task_ms(opened.stop_tracing())
