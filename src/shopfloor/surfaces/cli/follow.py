"""Follow what comes: the board's events, or a task's log as it grows, until Ctrl-C.

Each read waits at the door for the next event, so that an idle board costs nothing.  Where the
door cannot wait (no daemon runs and each read opens the board for its moment), a pause stands between
the reads.  A door that goes away is waited for.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from shopfloor.domain.errors import Unavailable
from shopfloor.domain.limits import LOG_TAIL_BYTES_MAX
from shopfloor.surfaces.cli import catalog
from shopfloor.surfaces.cli.asking import Desk
from shopfloor.surfaces.cli.catalog import Command
from shopfloor.surfaces.cli.console import Console, one_line
from shopfloor.surfaces.cli.page import Page
from shopfloor.surfaces.cli.render import event_line

WAIT_S = 25.0
LOG_WAIT_S = 1.0
PAUSE_S = 1.0
# An empty answer that came sooner did not wait.
AT_ONCE_S = 0.5
PROBE_BYTES = 64 * 1024
ENDED = ("done", "cancelled", "archived")
UNKNOWN = "\ufffd"
TAIL_WORDS = {"id": "The task's number."}


def commands() -> list[Command]:
    """The commands that only follow: `watch` the board, with the filters of `events`, and `tail` one task."""
    found = catalog.find(["events"])
    assert found is not None, "event.list is registered as `events`"
    events = found[0]
    return [
        events._replace(
            command="watch",
            doc="Print what changes on the board as it happens, until Ctrl-C.",
            fields=[field for field in events.fields if field.name not in ("limit", "wait_s")],
        ),
        events._replace(
            command="tail",
            doc="Print a task's latest events, then what comes, until Ctrl-C.",
            fields=[
                field._replace(
                    required=field.name == "id", words=TAIL_WORDS.get(field.name, field.words)
                )
                for field in events.fields
                if field.name in ("id", "after", "kinds", "limit")
            ],
        ),
    ]


def watch(desk: Desk, args: dict[str, Any], console: Console, *, as_json: bool) -> int:
    """Print the events that come; those that were before only with `--after`."""

    def work() -> None:
        cursor = args.get("after")
        if cursor is None:
            cursor = desk.answer("event.list", {**args, "limit": 1})["last"]
        _events(desk, {**args, "after": cursor}, console, as_json=as_json)

    return _until_interrupted(work)


def events(desk: Desk, args: dict[str, Any], console: Console, *, as_json: bool) -> int:
    """Print the newest events, then those that come."""
    return _until_interrupted(lambda: _events(desk, args, console, as_json=as_json))


def log(desk: Desk, args: dict[str, Any], console: Console, *, as_json: bool) -> int:
    """Print a log's end, then what is added, until the task has ended."""
    return _until_interrupted(lambda: _Log(desk, args, console, as_json=as_json).follow())


def _until_interrupted(work: Callable[[], None]) -> int:
    try:
        work()
    except KeyboardInterrupt:
        # Ctrl-C is how following ends, and no failure.
        return 0
    return 0


def _events(desk: Desk, args: dict[str, Any], console: Console, *, as_json: bool) -> None:
    page = Page(console)

    def show(found: Any) -> int:
        for event in found["events"]:
            console.say(compact(event) if as_json else event_line(event, page))
        console.flush()
        return int(found["last"])

    cursor = show(desk.answer("event.list", args))
    while True:
        cursor = show(next_events(desk, {**args, "after": cursor}, WAIT_S, console))


def compact(value: Any) -> str:
    """JSON on one line, as the door writes it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def next_events(desk: Desk, args: dict[str, Any], wait_s: float, console: Console) -> Any:
    """The next events; an empty page after a wait."""
    begun = time.monotonic()
    found = patiently(lambda: desk.answer("event.list", {**args, "wait_s": wait_s}), console)
    if not found["events"] and time.monotonic() - begun < min(AT_ONCE_S, wait_s / 2):
        time.sleep(min(PAUSE_S, wait_s))
    return found


def patiently(ask: Callable[[], Any], console: Console) -> Any:
    """The answer, asked for again while the board cannot be reached; a damaged one is told at once."""
    told = False
    while True:
        try:
            return ask()
        except Unavailable as away:
            if type(away) is not Unavailable:
                raise
            if not told:
                console.tell(f"shop: waiting for the board: {one_line(away.message)}")
                told = True
            time.sleep(PAUSE_S)


class _Log:
    """How much of one log was printed, and what is new."""

    def __init__(
        self, desk: Desk, args: dict[str, Any], console: Console, *, as_json: bool
    ) -> None:
        self._desk = desk
        self._args = args
        self._task = args["id"]
        self._console = console
        self._json = as_json
        self._printed = 0
        self._size = 0

    def follow(self) -> None:
        first = self._desk.answer("task.log", self._args)
        self._print(first["text"])
        self._printed = self._size = first["size"]
        cursor = self._desk.answer("event.list", {"id": self._task, "limit": 1})["last"]
        while True:
            over = patiently(self._is_over, self._console)
            self._print_news(whole=over)
            if over:
                return
            args = {"id": self._task, "after": cursor}
            cursor = next_events(self._desk, args, LOG_WAIT_S, self._console)["last"]

    def _is_over(self) -> bool:
        found = self._desk.answer("task.show", {"id": self._task})
        left = all(run["state"] == "ended" for run in found["runs"])
        return left and found["task"]["status"] in ENDED

    def _print_news(self, *, whole: bool) -> None:
        found = self._read(PROBE_BYTES)
        if found["size"] < self._printed:
            # Turned over: the older half is gone, and how much of the rest is new is not known.
            self._printed = max(found["size"] - len(found["text"].encode()), 0)
        if (found["size"] - self._printed) * 2 > PROBE_BYTES:
            wanted = min((found["size"] - self._printed) * 2, LOG_TAIL_BYTES_MAX)
            found = self._read(wanted)
        news = last_bytes(found["text"], found["size"] - self._printed)
        # A line that is still being written waits for its end, unless it has come to rest.
        resting = found["size"] == self._size
        lines, end, partial = news.rpartition("\n")
        self._print(news if whole or resting else lines + end)
        self._printed = found["size"] - (0 if whole or resting else len(partial.encode()))
        self._size = found["size"]

    def _read(self, tail_bytes: int) -> Any:
        args = {"id": self._task, "tail_bytes": tail_bytes}
        return patiently(lambda: self._desk.answer("task.log", args), self._console)

    def _print(self, text: str) -> None:
        if not text:
            return
        if self._json:
            self._console.say(compact({"task": self._task, "text": text}))
        else:
            self._console.write_bytes(text.encode())
        self._console.flush()


def last_bytes(text: str, count: int) -> str:
    """The end of a text that was so many bytes; a replaced byte counts as the one that it was."""
    if count <= 0:
        return ""
    if UNKNOWN not in text:
        return text.encode()[-count:].decode(errors="replace")
    at = len(text)
    while at > 0 and count > 0:
        at -= 1
        count -= 1 if text[at] == UNKNOWN else len(text[at].encode())
    return text[at:]
