"""Brings the messages of subscriptions into chats: takes what is due, sends it, reports what came of it.

The board keeps the messages and their retries; a message that was taken and not reported within a minute
is given out again, so a bridge that dies between sending and reporting repeats it once at most.  Each chat
has a thread while something is due for it, so that none waits for another, and one message under way.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from shopfloor.domain.errors import BoardError, Unavailable, from_dict
from shopfloor.surfaces.chat.speech import Place, place_of
from shopfloor.surfaces.cli.client import Ask, Client

# How many chats of a board are sent to at once; others wait until one of these is through.
LANES_MAX: Final = 32
# How long to wait for the board's next change, and how often it is looked at while it changes all the time.
WAIT_S: Final = 5.0
PAUSE_S: Final = 0.5
ALONE_S: Final = 2.0
BOARDS_EVERY_S: Final = 30.0
REPORT_S: Final = 50.0


class Sent(NamedTuple):
    """What came of a message; `retry_after_s` is what the platform asks to wait."""

    ok: bool
    error: str = ""
    retry_after_s: float | None = None


Send = Callable[[int, Place, dict[str, Any]], Sent]


class Courier:
    """Serves all boards of a home for one platform until it is told to stop."""

    def __init__(
        self,
        connect: Callable[[str | None], Client],
        platform: str,
        send: Send,
        *,
        say: Callable[[str], None],
    ) -> None:
        self._connect = connect
        self._platform = platform
        self._send = send
        self._say = say
        self._stopping = threading.Event()
        self._boards: set[str] = set()
        self._told = ""

    def start(self) -> None:
        threading.Thread(target=self._look_after, name="chat-boards", daemon=True).start()

    def stop(self) -> None:
        self._stopping.set()

    def _look_after(self) -> None:
        """Serve each board that is there, those that are made later too."""
        while not self._stopping.is_set():
            found = self._patiently(self._found)
            new = [board for board in found if board not in self._boards]
            self._boards = set(found)
            for board in new:
                serve = threading.Thread(
                    target=self._serve, args=(board,), name="chat-courier", daemon=True
                )
                serve.start()
            self._stopping.wait(BOARDS_EVERY_S)

    def _found(self) -> list[str]:
        client = self._connect(None)
        try:
            found = _asked(client, None, "board.list", {})
            return [str(one["slug"]) for one in found if one["broken"] is None]
        finally:
            client.close()

    def _serve(self, board: str) -> None:
        room = threading.Semaphore(LANES_MAX)
        while board in self._boards and not self._stopping.is_set():
            client = self._connect(board)
            try:
                self._follow(client, board, room)
            except BoardError as failed:
                self._tell(f"board {board}: {failed.message}")
                self._stopping.wait(WAIT_S)
            except Exception as mistake:  # noqa: BLE001 - one mistake must not silence a board's chats for good
                self._tell(f"board {board}: a mistake of the program: {mistake!r}")
                self._stopping.wait(WAIT_S)
            finally:
                client.close()

    def _follow(self, client: Client, board: str, room: threading.Semaphore) -> None:
        cursor = _asked(client, board, "event.list", {"limit": 1})["last"]
        while not self._stopping.is_set():
            while self._deliver(client, board, room):
                """What came meanwhile is looked for at once."""
            began = time.monotonic()
            args = {"after": cursor, "limit": 1_000, "wait_s": WAIT_S}
            found = _asked(client, board, "event.list", args)
            cursor = found["last"]
            self._tell("")
            waited_s = time.monotonic() - began
            # Where no `shop up` runs, nobody rings: each look opens the board, so there are few.
            alone = not found["events"] and waited_s < WAIT_S / 2
            self._stopping.wait(ALONE_S if alone else max(PAUSE_S - waited_s, 0.05))

    def _deliver(self, client: Client, board: str, room: threading.Semaphore) -> bool:
        """Begin a lane for the next chat that something is due for; whether there was one."""
        if self._stopping.is_set() or not room.acquire(timeout=WAIT_S):
            return False
        taken = []
        try:
            taken = self._taken(client, board)
        finally:
            if not taken:
                room.release()
        for one in taken:
            lane = threading.Thread(
                target=self._lane, args=(board, one, room), name="chat-lane", daemon=True
            )
            lane.start()
        return bool(taken)

    def _taken(self, client: Client, board: str, target: str | None = None) -> list[dict[str, Any]]:
        """The next message that is due, for this chat or for any; none where there is none."""
        args = {"platform": self._platform, "limit": 1, "target": target}
        found: list[dict[str, Any]] = _asked(client, board, "delivery.take", args)
        return found

    def _lane(self, board: str, one: dict[str, Any], room: threading.Semaphore) -> None:
        """Send to one chat until nothing is due for it."""
        client = self._connect(board)
        taken = [one]
        try:
            while taken and not self._stopping.is_set():
                self._report(client, board, self._sent(taken[0]))
                taken = self._taken(client, board, one["target"])
        except BoardError as failed:
            self._tell(f"board {board}: {failed.message}")
        finally:
            client.close()
            room.release()

    def _sent(self, one: dict[str, Any]) -> dict[str, Any]:
        """Send a message, and what is to be reported of it."""
        try:
            sent = self._send(one["id"], place_of(one["target"]), one["message"])
        except Exception as mistake:  # noqa: BLE001 - one message's mistake must not end the others
            sent = Sent(ok=False, error=f"a mistake of the program: {mistake!r}")
        report: dict[str, Any] = {"id": one["id"], "ok": sent.ok, "send": one["send"]}
        if not sent.ok:
            report["error"] = sent.error[:1_000]
        if sent.retry_after_s is not None:
            report["retry_after_ms"] = int(sent.retry_after_s * 1000)
        return report

    def _report(self, client: Client, board: str, report: dict[str, Any]) -> None:
        """Say what came of a message, as long as it is not given out again anyway."""
        deadline = time.monotonic() + REPORT_S
        while True:
            try:
                _asked(client, board, "delivery.report", report)
            except Unavailable:
                if time.monotonic() > deadline or self._stopping.wait(PAUSE_S):
                    raise
            else:
                return

    def _patiently(self, ask: Callable[[], list[str]]) -> list[str]:
        while not self._stopping.is_set():
            try:
                return ask()
            except BoardError as failed:
                self._tell(failed.message)
                self._stopping.wait(WAIT_S)
        return []

    def _tell(self, words: str) -> None:
        """Say a trouble once, and not again before it was over."""
        if words and words != self._told:
            self._say(f"deliveries wait: {words}")
        self._told = words


def written(message: dict[str, Any]) -> str:
    """A stored message as the text of a chat message."""
    parts = (message.get("title"), message.get("text"), message.get("link"))
    return "\n".join(str(part) for part in parts if part)


def _asked(client: Client, board: str | None, op: str, args: dict[str, Any]) -> Any:
    """The result of a question; raises the error that was answered."""
    answer = json.loads(client.ask(Ask(op, json.dumps(args).encode(), board=board, actor="chat")))
    if "error" in answer:
        raise from_dict(answer)
    return answer["result"]
