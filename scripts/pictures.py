"""The pictures of the documentation, taken of the real pages: `python scripts/pictures.py`.

A home in a temporary folder gets a board with some of everything on it, `shop up` serves it, and a headless
Chromium (`scripts/chromium`) is led to each place.  What is on a picture is therefore what the program
shows; nothing is drawn by hand.
"""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
SHOP = ROOT / ".venv" / "bin" / "shop"
FOLDER = ROOT / "docs" / "pictures"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
LINK = re.compile(r"dashboard: (\S+)/login#token=(\S+)")
WAIT_S = 60.0
WIDE = (1680, 720)
DESKTOP = (1280, 720)
PHONE = (360, 640)
SETTINGS = """\
[web]
port = 0

[profiles.coder]
argv = ["sh", "-c", "shop heartbeat $SHOPFLOOR_TASK 'Runs the tests of the parser'; sleep 600"]
description = "Writes and tests code"

[profiles.writer]
argv = ["sleep", "600"]
description = "Writes texts"
cap = 1

[profiles.ops]
argv = ["sh", "-c", "echo no space left on the disk >&2; exit 3"]
"""


class Picture(NamedTuple):
    """A file, and how the page gets there; the function is given the page when the board is on it."""

    name: str
    size: tuple[int, int]
    theme: str
    go: Callable[[Page], object]


def nothing(_page: Page) -> None:
    """The board as it is."""


def point_and_open_menu(page: Page) -> None:
    """The moves of a card that is ready."""
    page.locator('[data-column="ready"] [data-card]').first.focus()
    page.keyboard.press("m")
    page.wait_for_selector("[role=menu]")


def open_running(page: Page) -> None:
    """A task beside the board."""
    page.locator('[data-column="running"] [data-card]').first.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".drawer .task-body")


def show_running(page: Page) -> None:
    """What runs, on a phone."""
    page.locator(".strip-place").nth(4).click()
    page.locator('[data-column="running"] [data-card]').first.wait_for()


def create(page: Page) -> None:
    """A new task."""
    page.keyboard.press("c")
    page.wait_for_selector("dialog[open]")
    page.keyboard.type("Tell the customers")


PICTURES = (
    Picture("board.png", WIDE, "light", nothing),
    Picture("board-dark.png", WIDE, "dark", nothing),
    Picture("moves.png", DESKTOP, "light", point_and_open_menu),
    Picture("task.png", DESKTOP, "light", open_running),
    Picture("create.png", DESKTOP, "light", create),
    Picture("phone.png", PHONE, "light", show_running),
)


def main() -> int:
    """Take every picture anew."""
    browser_path = subprocess.run(
        [str(ROOT / "scripts" / "chromium")], check=True, capture_output=True, text=True
    ).stdout.strip()
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="shop-pictures-") as folder:
        home = Path(folder) / "home"
        home.mkdir()
        (home / "config.toml").write_text(SETTINGS, encoding="utf-8")
        log = Path(folder) / "up.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [str(SHOP), "up"], env=environment(home), stdout=output, stderr=output
            )
        try:
            url, secret = link(log)
            fill(home)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=browser_path, args=FLAGS)
                taken = take_all(browser, url, secret)
                browser.close()
            print(f"{taken} pictures in {FOLDER.relative_to(ROOT)}")
        finally:
            subprocess.run(
                [str(SHOP), "down", "--stop-workers"], env=environment(home), check=False
            )
            process.send_signal(signal.SIGTERM)
            process.wait(WAIT_S)
    return 0


def environment(home: Path) -> dict[str, str]:
    """What a `shop` command needs; workers find `shop` by the same path."""
    kept = {name: word for name, word in os.environ.items() if not name.startswith("SHOPFLOOR_")}
    return {**kept, "SHOPFLOOR_HOME": str(home), "PATH": f"{SHOP.parent}:{os.environ['PATH']}"}


def link(log: Path) -> tuple[str, str]:
    """The address and the secret of the login link, when `shop up` has printed it."""
    deadline = time.monotonic() + WAIT_S
    while True:
        found = LINK.search(log.read_text(encoding="utf-8"))
        if found:
            return found[1], found[2]
        if time.monotonic() > deadline:
            raise SystemExit("`shop up` printed no login link")
        time.sleep(0.05)


def fill(home: Path) -> None:
    """A board with some of everything."""

    def make(title: str, *words: str) -> str:
        return str(json.loads(shop(home, "create", "--json", title, *words))["task"]["id"])

    coder, writer, ops = ("--assignee", "coder"), ("--assignee", "writer"), ("--assignee", "ops")
    make(
        "Read the invoices of October and list what does not add up",
        *coder,
        *("--priority", "2", "--tenant", "acme"),
    )
    guide = make("Write the guide for people who have never used a queue", *writer)
    make("Translate the guide", *writer, "--parent", guide)
    make("Answer the letters of the week", *writer, "--tenant", "acme")
    make("Make room on the backup disk", *ops, "--max-attempts", "2")
    make("Show the weather in the hall?", "--initial-status", "triage")
    make("Fewer meetings", "--initial-status", "triage", "--priority", "-1")
    release = make("Build the release", "--", "sleep", "600")
    tell = make("Announce the release", "--parent", release)
    make("Send the bill", "--not-before", "3h", *ops)
    parked = ("--initial-status", "blocked", "--reason")
    make("Paint the door", *parked, "Green or orange? The door arrives on Friday.")
    make("Order more orange paint", "--assignee", "painter")
    for number in ("one", "two", "three"):
        make(f"Count shelf {number}", "--", "true")
    shop(home, "comment", tell, "Mention the new dashboard first.")
    await_status(home, "done", 3)
    await_status(home, "blocked", 2)


def shop(home: Path, *words: str) -> str:
    """What a command prints."""
    done = subprocess.run(
        [str(SHOP), *words], env=environment(home), check=True, capture_output=True, text=True
    )
    return done.stdout


def await_status(home: Path, status: str, count: int) -> None:
    """Wait until so many tasks are there."""
    deadline = time.monotonic() + WAIT_S
    while True:
        listed = json.loads(shop(home, "list", "--status", status, "--json"))
        if len(listed["items"]) >= count:
            return
        if time.monotonic() > deadline:
            raise SystemExit(f"there are not {count} tasks in {status} within {WAIT_S:g} s")
        time.sleep(0.1)


def take_all(browser: Browser, url: str, secret: str) -> int:
    """Take every picture, each in a browser of its own that logs in by the link."""
    for picture in PICTURES:
        width, height = picture.size
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if picture.theme == "dark" else "light",
            reduced_motion="reduce",
        )
        page = context.new_page()
        page.goto(f"{url}/login#token={secret}")
        page.wait_for_selector(".connection.is-live")
        page.wait_for_selector('[data-column="done"] [data-card]')
        picture.go(page)
        page.screenshot(path=FOLDER / picture.name)
        context.close()
    return len(PICTURES)


if __name__ == "__main__":
    sys.exit(main())
