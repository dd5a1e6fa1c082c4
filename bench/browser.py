"""A headless Chromium that has a home's board open, and what its main thread was busy with.

The browser is the one that the dashboard's tests drive; where there is none, the measurement is left out
with that reason.
"""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, sync_playwright

from bench.env import CouldNotMeasure, Env, Missing
from bench.load import pause
from bench.shop import Shop

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
CONFIGURATION = "[web]\nport = 0\n"
LINK = re.compile(r"dashboard: (\S+)/login#token=(\S+)")
LIMIT_S = 30.0
LOOK_S = 0.01
MARK = "scrolling begins"
SIZE = {"width": 1440, "height": 900}


@contextmanager
def browser(env: Env) -> Iterator[Browser]:
    """A browser; raises Missing where there is none."""
    found = subprocess.run(
        [str(env.root / "scripts" / "chromium")], capture_output=True, text=True, check=False
    )
    if found.returncode:
        raise Missing(found.stderr.strip())
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=found.stdout.strip(), args=list(FLAGS))
        try:
            yield opened
        finally:
            opened.close()


def link(shop: Shop) -> tuple[str, str]:
    """The address of a home's dashboard and the secret that logs in there, as `shop up` prints them."""
    deadline = time.monotonic() + LIMIT_S
    while True:
        log = (shop.env.work / "up.log").read_text(encoding="utf-8")
        found = LINK.findall(log)
        if found:
            url, secret = found[-1]
            return url, secret
        if time.monotonic() > deadline:
            raise CouldNotMeasure("`shop up` printed no login link")
        pause(0.05)


def visitor(opened: Browser, url: str, secret: str, script: str = "") -> Page:
    """A page of a browser that nobody used before, logged in, with a script that runs before every page."""
    context = opened.new_context(viewport=SIZE)
    page = context.new_page()
    page.goto(f"{url}/login#token={secret}")
    page.wait_for_selector(".shell")
    if script:
        context.add_init_script(script)
    return page


def told(page: Page, question: str, argument: object = None) -> float:
    """What a page says as soon as it has something to say; its policy allows no waiting inside of it."""
    deadline = time.monotonic() + LIMIT_S
    while True:
        found = page.evaluate(question, argument)
        if found:
            return float(found)
        if time.monotonic() > deadline:
            raise CouldNotMeasure(f"the page did not answer {question} within {LIMIT_S:g} s")
        pause(LOOK_S)


def longest_task_ms(trace: bytes) -> float:
    """The longest task of the page's main thread after the mark in a trace, in milliseconds."""
    events = json.loads(trace)["traceEvents"]
    [begun] = [event["ts"] for event in events if event.get("name") == MARK]
    main = {
        (event["pid"], event["tid"])
        for event in events
        if event.get("name") == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    tasks = [
        event["dur"] / 1000
        for event in events
        if event.get("ph") == "X"
        and event["name"].endswith("RunTask")
        and event["ts"] > begun
        and (event["pid"], event["tid"]) in main
    ]
    if not tasks:
        raise CouldNotMeasure("the browser's trace has no tasks of the page's main thread")
    return max(tasks)
