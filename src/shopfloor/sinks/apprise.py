"""Messages to the services that Apprise knows, sent by a process of their own.

Apprise with its first service takes 36 MB and a fifth of a second; the process lives for one message, so the
daemon never has them.  The address, which often is the password, goes to it on standard input.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from shopfloor.domain.errors import Unavailable
from shopfloor.domain.notices import Sent
from shopfloor.process import oneshot
from shopfloor.process.environment import worker_environment
from shopfloor.sinks.base import ARRIVED, Letter, failed

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE")
# Each of these processes takes as much memory as the daemon itself, so so many work at once.
AT_ONCE_MAX = 8
# One that takes longer waits for its service, and gives its turn to the next; but no more than these are there.
SLOW_S = 2.0
PROCESSES_MAX = 32
WAIT_S = 30.0


class Turns:
    """Lets a few work at once and whoever waits for an answer not be in the way, up to a bound for all."""

    def __init__(self, at_once: int, slow_s: float, most: int) -> None:
        self._at_once = at_once
        self._slow_s = slow_s
        self._most = most
        self._begun: list[float] = []
        self._changed = threading.Condition()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait until there is room, and take some of it meanwhile; raises Unavailable where none is for long."""
        with self._changed:
            until = time.monotonic() + WAIT_S
            while (wait_s := self._wait_s()) > 0:
                if time.monotonic() >= until:
                    raise Unavailable("too many messages go through Apprise at this moment.")
                self._changed.wait(wait_s)
            begun = time.monotonic()
            self._begun.append(begun)
        try:
            yield
        finally:
            with self._changed:
                self._begun.remove(begun)
                self._changed.notify_all()

    def _wait_s(self) -> float:
        """How long there will be no room, if nobody ends; 0 where there is."""
        if len(self._begun) >= self._most:
            return self._slow_s
        if len(self._begun) < self._at_once:
            return 0
        return self._begun[-self._at_once] + self._slow_s - time.monotonic()


_turns: Final = Turns(AT_ONCE_MAX, SLOW_S, PROCESSES_MAX)


class Apprise:
    """One address in Apprise's own notation."""

    def __init__(self, url: str, *, base: Mapping[str, str], timeout_s: float) -> None:
        self._url = url
        passed = {name: base[name] for name in (*PROXIES, *CERTIFICATES) if name in base}
        self._env = worker_environment(base, passed)
        self._timeout_s = timeout_s

    def send(self, letter: Letter) -> Sent:
        """Let a process send the message."""
        job = {
            "url": self._url,
            "title": letter.title,
            "body": letter.body or letter.title,
            "files": [file.path for file in letter.files],
        }
        try:
            with _turns.turn():
                printed = oneshot.run(
                    [sys.executable, "-m", "shopfloor.sinks.apprise_program"],
                    json.dumps(job).encode(),
                    env=self._env,
                    timeout_s=self._timeout_s,
                )
        except Unavailable as error:
            return failed(error.message.removesuffix("."))
        told = json.loads(printed)
        return ARRIVED if told["ok"] else failed(str(told["error"]))
