"""Sends what is stored: a lane for each target that something waits for, so that none waits for another.

Each lane is a thread that lives as long as something is due for its target.  In one transaction it writes down
what came of the last send and takes the next message, so at any moment it has at most one message whose end
the ledger does not know.  Whoever kills it there causes one repeat at most: the send was counted when it
was taken, and the next `shop up` of this host, or another host when the lease is over, takes it again.
"""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from shopfloor.domain import limits
from shopfloor.domain.errors import BoardError, Invalid
from shopfloor.domain.model import Delivery
from shopfloor.domain.notices import Sent
from shopfloor.domain.targets import Target, parse
from shopfloor.kernel import deliveries as sending
from shopfloor.ops.context import Service
from shopfloor.sinks.base import Attached, Letter, Sink, Unusable, failed
from shopfloor.sinks.choose import sink_for
from shopfloor.store.db import Tx

LANES_MAX: Final = 128
# How long the senders of a daemon that stops may take for what they have begun.
CLOSE_S: Final = 10.0
AGAIN_S: Final = 1.0
DRAIN_S: Final = 60.0


class _Missing(Exception):
    """A file that was stored with the message's task is not there any more."""


class Outcome(NamedTuple):
    """A send whose end has to be written down."""

    row: Delivery
    sent: Sent


class Deliveries:
    """The errand that sends the messages of one board."""

    name = "deliveries"

    def __init__(
        self, service: Service, ring: Callable[[], None], *, host: str, base: Mapping[str, str]
    ) -> None:
        self._service = service
        self._ring = ring
        self._base = base
        self._host = host
        self._running: dict[str, threading.Thread] = {}
        self._guard = threading.Lock()
        self._stopping = threading.Event()
        self._begun = False

    def look(self) -> float | None:
        """Start a lane for each target that something is due for; when the next one is due."""
        due = self._service.database.read(sending.due)
        if due.lease_at is not None:
            due = self._expire(due)
        self._begun = True
        times = [] if due.lease_at is None else [due.lease_at]
        for lane in due.lanes:
            if lane.target.startswith("chat:") or self._serve(lane.target, lane.due, due.now):
                continue
            times.append(lane.due)
        return (min(times) - due.now) / 1000 if times else None

    def close(self) -> None:
        """Let the sends that are under way end, for a while; what is left is sent again by the next one."""
        self._stopping.set()
        until = time.monotonic() + CLOSE_S
        for thread in [*self._running.values()]:
            thread.join(max(until - time.monotonic(), 0))

    def drain(self) -> None:
        """Send what is due now, and wait for it."""
        until = time.monotonic() + DRAIN_S
        self.look()
        while time.monotonic() < until and (threads := [*self._running.values()]):
            threads[0].join(max(until - time.monotonic(), 0))
        self.close()

    def _expire(self, due: sending.Due) -> sending.Due:
        """Take back what nobody is sending any more: at the start all that an earlier daemon of this host had."""
        assert due.lease_at is not None
        if not self._begun:
            self._service.database.write(lambda tx: sending.begin_anew(tx, self._host))
        elif due.lease_at <= due.now:
            self._service.database.write(sending.expire)
        else:
            return due
        return self._service.database.read(sending.due)

    def _serve(self, target: str, due_at: int, now: int) -> bool:
        """Whether a lane has this target, or need not be thought of until something ends."""
        with self._guard:
            if target in self._running:
                return True
            if due_at > now:
                return False
            if len(self._running) >= LANES_MAX or self._stopping.is_set():
                return True
            thread = threading.Thread(
                target=self._lane, args=(target,), name="delivery", daemon=True
            )
            self._running[target] = thread
            thread.start()
            return True

    def _lane(self, target: str) -> None:
        """Send one message after the other until nothing is due for the target."""
        done: Outcome | None = None
        try:
            while True:
                row = self._next(target, done)
                if row is None:
                    break
                done = Outcome(row, self._send(row))
        finally:
            with self._guard:
                del self._running[target]
            self._ring()

    def _next(self, target: str, done: Outcome | None) -> Delivery | None:
        """Write down what came of the last send, and take the next message; None where there is none.

        What was sent is not forgotten because the disk is full for a moment: it is tried until it is written.
        Nor is a lane begun again and again meanwhile: this one stays, whatever it wants to write.
        """
        sender = sending.Sender(
            self._host,
            self._lease_ms(),
            self._service.slug,
            self._service.site(),
            lambda: secrets.token_hex(16),
        )

        def work(tx: Tx) -> Delivery | None:
            if done is not None:
                sending.record(tx, done.row.id, done.row.sends, done.sent)
            return None if self._stopping.is_set() else sending.take(tx, sender, target)

        while True:
            try:
                return self._service.database.write(work)
            except BoardError:
                if self._stopping.wait(AGAIN_S):
                    return None

    def _lease_ms(self) -> int:
        """For how long nobody else may take a message: longer than any send of these settings lasts."""
        settings = self._service.settings()
        own = [one.timeout_ms for one in settings.sinks.values() if one.timeout_ms is not None]
        return max(settings.notify.timeout_ms, *own, 0) + limits.DELIVERY_LEASE_MS

    def _send(self, row: Delivery) -> Sent:
        assert row.message is not None, "a message that is taken is composed"
        message = json.loads(row.message)
        try:
            files = [self._attached(file) for file in message["files"]]
        except _Missing as missing:
            return failed(str(missing), again=False)
        sent_at = time.time_ns() // 1_000_000_000
        letter = Letter(row.message, message, row.tries, sent_at, files)
        return self._sink(row.target).send(letter)

    def _attached(self, file: Mapping[str, object]) -> Attached:
        """A file that goes along; raises where it is not what was stored."""
        task, name, size = file["task"], str(file["name"]), file["size"]
        assert isinstance(task, int) and isinstance(size, int)  # noqa: PT018 - as it was composed
        path = Path(self._service.files.path(task, name))
        if not path.is_file():
            raise _Missing(f"its stored file {name!r} of #{task} is missing")
        if path.stat().st_size != size:
            raise _Missing(f"its stored file {name!r} of #{task} is not the one that was stored")
        return Attached(name, str(path), size)

    def _sink(self, text: str) -> Sink:
        try:
            target: Target = parse(text)
            return sink_for(target, self._service.settings(), self._base)
        except Invalid as wrong:
            return Unusable(wrong.message)


def drain(service: Service, *, host: str, base: Mapping[str, str]) -> None:
    """Send what is due on a board, for a command where no daemon does it."""
    if service.database.read(sending.due).lanes:
        Deliveries(service, lambda: None, host=host, base=base).drain()
