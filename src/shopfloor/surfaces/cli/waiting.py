"""`shop order wait`: stand in for the command itself, with its output as it comes and its exit status.

Where no dispatcher runs, it makes passes that start nothing, so that an end is seen.  Output goes to standard output byte for byte, that of all attempts one after the other; all talk goes to
standard error.  A signal ends the waiting and never the order.
"""

from __future__ import annotations

import contextlib
import time
from binascii import a2b_base64
from typing import Any

from shopfloor.domain.errors import Refused, Unavailable
from shopfloor.surfaces.cli.asking import Desk
from shopfloor.surfaces.cli.console import Console, one_line
from shopfloor.surfaces.cli.follow import AT_ONCE_S, PAUSE_S, compact

INTERRUPTED = 130
# How often a running order is looked at for new output, and how long one that waits for its start.
OUTPUT_EVERY_S = 0.2
CHANGE_WAIT_S = 25.0
# A door that goes away, as in an upgrade, is waited for so long.
AWAY_S = 60.0
CHANGED = ("state", "attempts", "run", "next_at")


def wait(desk: Desk, args: dict[str, Any], console: Console, *, as_json: bool) -> int:
    """Print what an order prints until it is over; its exit status."""
    try:
        return _Waiting(desk, args["id"], console, as_json=as_json).to_the_end()
    except KeyboardInterrupt:
        number = args["id"]
        console.tell(f"shop: #{number} goes on; `shop order cancel {number}` ends it")
        return INTERRUPTED


class _Waiting:
    """How far an order's output was printed, and what was said about its state."""

    def __init__(self, desk: Desk, number: int, console: Console, *, as_json: bool) -> None:
        self._desk = desk
        self._number = number
        self._console = console
        self._json = as_json
        self._cursor: str | None = None
        self._said = ""

    def to_the_end(self) -> int:
        news = self._ask(0)
        while True:
            self._print(news)
            if news["over"] and not news["output"] and not news["leaving"]:
                return self._told(news)
            self._tell_why(news)
            runs = news["order"]["state"] == "running" or news["over"]
            pause_s = 0.0 if news["output"] else OUTPUT_EVERY_S if runs else CHANGE_WAIT_S
            news = self._next(pause_s, news)

    def _next(self, wait_s: float, before: Any) -> Any:
        """What is new after a wait; where the door does not wait, the pause is made here."""
        begun = time.monotonic()
        if not before["dispatching"]:
            with contextlib.suppress(Refused):
                self._desk.answer("order.run_due", {"max": 0})
        news = self._ask(wait_s)
        same = all(news["order"][name] == before["order"][name] for name in CHANGED)
        waited_s = time.monotonic() - begun
        if same and not news["output"] and waited_s < min(AT_ONCE_S, wait_s / 2):
            time.sleep(min(PAUSE_S, wait_s) - waited_s)
        return news

    def _ask(self, wait_s: float) -> Any:
        """The order's news; a door that was there and went away is waited for, for a while."""
        args = {"id": self._number, "wait_s": wait_s}
        if self._cursor is None:
            return self._desk.answer("order.wait", args)
        given_up_at = time.monotonic() + AWAY_S
        told = False
        while True:
            try:
                return self._desk.answer("order.wait", {**args, "after": self._cursor})
            except Unavailable as away:
                if type(away) is not Unavailable or time.monotonic() > given_up_at:
                    raise
                if not told:
                    self._console.tell(f"shop: waiting for the board: {one_line(away.message)}")
                    told = True
                time.sleep(PAUSE_S)

    def _print(self, news: Any) -> None:
        first, self._cursor = self._cursor is None, news["next"]
        if news["lost"]:
            what = "the beginning of the output is" if first else "some of the output is"
            self._console.tell(f"shop: {what} not kept any more: a log has its last 2 to 4 MB")
        if not news["output"]:
            return
        data = a2b_base64(news["output"])
        if self._json:
            text = data.decode(errors="replace")
            self._console.say(compact({"task": self._number, "text": text}))
        else:
            self._console.write_bytes(data)
        self._console.flush()

    def _tell_why(self, news: Any) -> None:
        """Say once why an order does not run: nobody should wait without knowing for what."""
        if news["why"] is None or self._said == news["why"]:
            return
        self._said = news["why"]
        step = f"; {news['next_step']}" if news["next_step"] else ""
        if not news["dispatching"]:
            step = "; start `shop up`, or make a pass with `shop order run-due`"
        self._console.tell(
            f"shop: #{self._number} {news['order']['state']}: {one_line(news['why'] + step)}"
        )

    def _told(self, news: Any) -> int:
        order = news["order"]
        if self._json:
            shown = {name: news[name] for name in ("order", "exit_status")}
            self._console.say(compact(shown))
        elif order["state"] != "completed":
            why = (order["error"] if order["state"] == "failed" else news["why"]) or ""
            told = f": {one_line(why)}" if why else ""
            self._console.tell(f"shop: #{self._number} {order['state']}{told}")
        return int(news["exit_status"])
