"""The bridge for every other platform: a program writes lines of JSON and reads lines of JSON.

In comes `{"id": 1, "chat": "#dev", "user": "ann", "text": "/list"}`, with `thread`, `admin` and
`request_id` where there is such; out goes `{"id": 1, "chat": "#dev", "thread": null, "ok": true, "text": …}`.
A message of a subscription goes out as `{"delivery": 7, "chat": …, "thread": …, "text": …, "task": …}` and is
answered with the same number: `{"delivery": 7, "ok": true}`, or `"ok": false` with `error` and `retry_after_s`.
"""

from __future__ import annotations

import itertools
import json
import os
import threading
from collections.abc import Callable
from typing import Any, Final, TextIO

from shopfloor.surfaces.chat.answering import Answerer
from shopfloor.surfaces.chat.courier import Sent, written
from shopfloor.surfaces.chat.lanes import Lanes
from shopfloor.surfaces.chat.speech import Place, Speaker, wait_of

CONFIRM_S: Final = 20.0
SLOW: Final = "still at it; the answer follows"


class LinesBridge:
    """Speaks with one program over its two streams."""

    def __init__(
        self,
        answerer: Answerer,
        platform: str,
        *,
        stdin: TextIO,
        stdout: TextIO,
        lanes: Lanes | None = None,
        confirm_s: float = CONFIRM_S,
    ) -> None:
        self._answerer = answerer
        self._platform = platform
        self._stdin = stdin
        self._stdout = stdout
        self._lanes = lanes or Lanes()
        self._confirm_s = confirm_s
        self._guard = threading.Lock()
        self._numbers = itertools.count(1)
        self._waited: dict[int, Callable[[Sent], None]] = {}

    def run(self) -> None:
        """Answer each line until the last one, and then until all is answered."""
        for line in self._stdin:
            if line.strip():
                self._hear(line)
        self._lanes.wait_idle()

    def deliver(self, number: int, place: Place, message: dict[str, Any]) -> Sent:
        """Hand a message over, and wait until the program says what came of it.

        It gets a number of this bridge's own: two boards may send messages of the same number at once, and a
        confirmation that comes late must not be taken for that of another.
        """
        came = threading.Event()
        number = next(self._numbers)
        said: list[Sent] = []

        def take(sent: Sent) -> None:
            said.append(sent)
            came.set()

        self._waited[number] = take
        self._write(
            {
                "delivery": number,
                "chat": place.chat,
                "thread": place.thread,
                "text": written(message),
                "task": message.get("task"),
            }
        )
        came.wait(self._confirm_s)
        self._waited.pop(number, None)
        return said[0] if said else Sent(ok=False, error="the chat's program did not confirm it")

    def _hear(self, line: str) -> None:
        try:
            told = json.loads(line, parse_constant=_refuse)
        except (ValueError, RecursionError) as wrong:
            self._write({"ok": False, "text": f"this line is no JSON: {wrong}"})
            return
        if not isinstance(told, dict):
            self._write({"ok": False, "text": "a line is a JSON object with chat and text"})
        elif "delivery" in told:
            self._confirmed(told)
        elif not isinstance(told.get("text"), str) or not isinstance(told.get("chat"), str | int):
            self._write({"id": told.get("id"), "ok": False, "text": "a line needs chat and text"})
        else:
            self._answer(told)

    def _confirmed(self, told: dict[str, Any]) -> None:
        take = self._waited.get(told["delivery"]) if isinstance(told["delivery"], int) else None
        if take is not None:
            after = wait_of(told.get("retry_after_s"))
            take(Sent(told.get("ok") is True, str(told.get("error") or "it did not arrive"), after))

    def _answer(self, told: dict[str, Any]) -> None:
        thread = told.get("thread")
        speaker = Speaker(
            self._platform,
            str(told["chat"]),
            None if thread is None else str(thread),
            str(told.get("user") or "someone"),
            admin=told.get("admin") is True,
        )
        request_id = str(told.get("request_id") or f"chat-{os.urandom(12).hex()}")
        head = {"id": told.get("id"), "chat": told["chat"], "thread": thread}

        def work() -> None:
            answer = self._answerer.answer(told["text"], speaker, request_id)
            self._write({**head, "ok": answer.ok, "text": answer.text})

        def slow() -> None:
            self._write({**head, "ok": True, "text": SLOW, "more": True})

        self._lanes.put((speaker.chat, speaker.thread), work, slow)

    def _write(self, told: dict[str, Any]) -> None:
        line = json.dumps(told, ensure_ascii=False)
        try:
            line.encode()
        except UnicodeEncodeError:
            # Half a letter, which only an escape can say: it goes back as it came.
            line = json.dumps(told)
        with self._guard:
            self._stdout.write(f"{line}\n")
            self._stdout.flush()


def _refuse(word: str) -> None:
    """JSON has no such number."""
    raise ValueError(f"{word} is no number")
