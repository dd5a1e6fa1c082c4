"""What the parts of the demo stand on: a home of its own, the command `shop`, and a screen to watch.

Everything is asked through the command `shop`, as a person would type it.
"""

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
HOME = Path(os.environ.get("DEMO_HOME") or ROOT / ".cache" / "demo")
SHOP = str(Path(sys.executable).with_name("shop"))
MINE = {name: value for name, value in os.environ.items() if not name.startswith("SHOPFLOOR_")}
ENVIRONMENT = {**MINE, "SHOPFLOOR_HOME": str(HOME)}
SLOTS = 4
# How long nothing at all may happen on the board; a busy machine takes its time for each step.
PATIENCE_S = 120.0
COLOURED = sys.stdout.isatty() and "NO_COLOR" not in os.environ
COLOURS = {"done": 32, "running": 34, "ready": 36, "blocked": 31, "crashed": 31, "check_failed": 33}
Row = dict[str, Any]
Daemon = subprocess.Popen[bytes]


class Broken(Exception):
    """A promise that did not hold."""


def shop(*words: str) -> str:
    """Run one command and return what it prints; a refusal ends the demo with its sentence."""
    done = subprocess.run(
        [SHOP, *words], env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise Broken(f"`shop {' '.join(words)}` exited {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def ask(*words: str) -> Any:
    """The same, as data: every command takes --json."""
    return json.loads(shop("--json", *words))


@contextlib.contextmanager
def fresh_home() -> Iterator[None]:
    """An empty home for as long as the demo runs; a second demo in the same place waits for its turn."""
    HOME.parent.mkdir(parents=True, exist_ok=True)
    with HOME.with_suffix(".lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if HOME.exists():
            with contextlib.suppress(Broken):
                shop("down", "--stop-workers")
            # Moved first: what the last demo left behind may still be leaving, and writes until it has.
            old = HOME.with_suffix(".old")
            shutil.rmtree(old, ignore_errors=True)
            HOME.rename(old)
            shutil.rmtree(old, ignore_errors=True)
        HOME.mkdir()
        yield


def start_daemon() -> Daemon:
    """`shop up`: the one process that starts and settles work.  It may die; nothing else does."""
    with (HOME / "up.log").open("a") as log:
        return subprocess.Popen([SHOP, "up", "--max", str(SLOTS)], env=ENVIRONMENT, stderr=log)


class Screen:
    """Follows the board's events and prints a line for each that moves a task."""

    def __init__(self) -> None:
        self.last = 0
        self.titles: dict[int, str] = {}
        self.status: dict[int, str] = {}

    def until(self, condition: Callable[[], Any], what: str) -> Any:
        """Show what happens until the condition holds; a board that stands still is a broken promise."""
        seen, since = self.last, time.monotonic()
        while not (found := condition()):
            self.look("300ms")
            if self.last > seen:
                seen, since = self.last, time.monotonic()
            elif time.monotonic() > since + PATIENCE_S:
                raise Broken(f"nothing happened for {PATIENCE_S:.0f} s, waiting for {what}")
        return found

    def look(self, wait: str = "0s") -> None:
        """Print the events since the last look; `shop watch` does the same by itself."""
        page = ask("events", "--after", str(self.last), "--wait", wait, "--limit", "500")
        for event in page["events"]:
            if event["status"] is not None:
                self.status[event["task"]] = event["status"]
                self.show(event)
        self.last = page["last"]

    def show(self, event: Row) -> None:
        kind, data = event["kind"], event["data"]
        self.titles.setdefault(event["task"], data.get("title", ""))
        words = f"attempt {data['attempt']}" if kind == "claimed" else data.get("error", "")
        first = (words or data.get("summary") or "").partition("\n")[0]
        line = f"#{event['task']:<3} {self.titles[event['task']]:<32} {kind:<13} {first}"
        print(
            f"  {colour(event['status'] if kind == 'claimed' else kind, line.rstrip())}", flush=True
        )

    def all_done(self) -> bool:
        return bool(self.status) and set(self.status.values()) == {"done"}


def colour(name: str, text: str) -> str:
    """The text in the colour of a status or event, on a terminal."""
    code = COLOURS.get({"completed": "done", "claimed": "running"}.get(name, name))
    return f"\033[{code}m{text}\033[0m" if COLOURED and code else text


def say(*lines: str) -> None:
    """A step of the demo, in its own words."""
    print()
    for line in lines:
        print(f"\033[1m{line}\033[0m" if COLOURED else line, flush=True)
