"""A real headless Chromium for tests of the dashboard, and what they do in it again and again.

The browser is Debian's, found or installed by `scripts/chromium`; where there is none and none may be
installed, the tests are left out with that sentence.  A page that logs an error, or whose policy is
violated, fails the test that opened it.
"""

from __future__ import annotations

import fcntl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright

from tests.support.home import Home
from tests.support.shaking import Unrest, shaken
from tests.support.web import Web

ROOT = Path(__file__).resolve().parents[2]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# The machine may be busy with other suites; what is waited for is a condition, not a time.
LIMIT_MS = 60_000
expect.set_options(timeout=LIMIT_MS)
DESKTOP = (1440, 900)
PHONE = (360, 740)


def chromium() -> str:
    """The browser's path; skips the test where there is none."""
    with (Path(gettempdir()) / "shopfloor-chromium.lock").open("w") as lock:
        # Two processes of the suite must not install it at once.
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = subprocess.run(
            [str(ROOT / "scripts" / "chromium")], capture_output=True, text=True, check=False
        )
    if found.returncode:
        pytest.skip(found.stderr.strip())
    return found.stdout.strip()


@contextmanager
def launched() -> Iterator[Browser]:
    """A browser, closed at the end."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield browser
        browser.close()


class Site:
    """One board of a home that is served, as a person has it open in a browser."""

    def __init__(self, home: Home, web: Web, browser: Browser, slug: str) -> None:
        self.home = home
        self.web = web
        self.slug = slug
        self.complaints: list[str] = []
        # What a test breaks on purpose, such as the connection, is logged by the browser too.
        self.forgiven: tuple[str, ...] = ()
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self._unrest = Unrest(home, slug)

    def ask(self, op: str, **args: Any) -> Any:
        """Ask as another program does."""
        return self.home.ask(op, board=self.slug, **args)

    def create(self, title: str = "a task", **args: Any) -> int:
        """Put a task on the board."""
        return int(self.ask("task.create", title=title, **args)["task"]["id"])

    def open(
        self,
        path: str = "",
        *,
        size: tuple[int, int] = DESKTOP,
        logged_in: bool = True,
        shown: str | None = None,
        **options: Any,
    ) -> Page:
        """A page in a browser of its own, at an address below the board's; `shown` is another one's token."""
        context = self._browser.new_context(
            viewport={"width": size[0], "height": size[1]}, **options
        )
        context.set_default_timeout(LIMIT_MS)
        self._contexts.append(context)
        page = shaken(context.new_page())
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on(
            "console",
            lambda said: self.complaints.append(said.text) if said.type == "error" else None,
        )
        if logged_in:
            secret = shown or self.web.shown
            assert secret is not None
            name, _, value = (self.web.login(secret).cookie or "").partition("=")
            context.add_cookies([{"name": name, "value": value, "url": self.web.url}])
        page.goto(f"{self.web.url}/b/{self.slug}{path}" if logged_in else f"{self.web.url}{path}")
        if logged_in:
            page.wait_for_selector(".shell")
        return page

    def close(self) -> None:
        """Close what was opened; raises where a page complained."""
        self._unrest.close()
        for context in self._contexts:
            context.close()
        left = [one for one in self.complaints if not any(word in one for word in self.forgiven)]
        assert not left, left


@contextmanager
def at_once(page: Page) -> Iterator[None]:
    """What is done here is done at once in the page's own time, however busy the machine is."""
    page.clock.install()
    page.clock.pause_at(page.evaluate("Date.now() / 1000") + 1)
    yield
    page.clock.resume()


def column(page: Page, status: str) -> Locator:
    """A column of the board."""
    return page.locator(f'[data-column="{status}"]')


def card(page: Page, task: int) -> Locator:
    """A card."""
    return page.locator(f'[data-card="{task}"]')


def card_in(page: Page, task: int, status: str) -> Locator:
    """A card in a column; waited for, it says that the card has got there."""
    return column(page, status).locator(f'[data-card="{task}"]')
