"""The desk: the one thread that reads requests, writes the boards, and sends the answers.

It waits for whatever comes next: bytes of a visitor, a request of another thread, an answer from one.
Then it makes a turn: everyone who has sent something is read once, what arrived is gathered, and each
board's requests share one commit, after which their answers go out.  Because the same thread does it
all, a request passes from its bytes to its answer without one thread waiting for another: three
threads that hand each other each request spend more on waiting for Python's lock than on the work.

So nothing here may wait, but for the disk in a commit: not for a lock that somebody holds while he
waits for a write, not for a visitor, not for a network.  What has to wait, or takes long, is done by
`hands.py`, and comes back through `soon`.  A board whose commit once took longer than a second writes
in a thread of its own from then on.
"""

from __future__ import annotations

import os
import selectors
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Final

from shopfloor.store.owner import Owner

READ: Final = selectors.EVENT_READ
WRITE: Final = selectors.EVENT_WRITE
LOOK_EVERY_S: Final = 5.0
PATIENCE_S: Final = 1.0


class Desk:
    """A thread and what it waits for.  `soon`, `summon`, `take_on` and `close` may come from any thread."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._out, self._in = os.pipe()
        for end in (self._out, self._in):
            os.set_blocking(end, False)
        self._selector.register(self._out, READ, self._hear)
        self._calls: deque[Callable[[], object]] = deque()
        self._owners: tuple[Owner, ...] = ()
        self._guard = threading.Lock()
        self._asleep = False
        self._closing = False
        self._look: Callable[[float], object] | None = None
        self._looked = 0.0
        self.now = time.monotonic()
        self._thread = threading.Thread(target=self._serve, name="desk", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether the thread goes on; it ends before `close` only by a mistake of ours."""
        return self._thread.is_alive()

    def summon(self) -> None:
        """Have a turn made: something was put where the desk will find it."""
        # It says that it sleeps before it looks, so either it sees the thing or this sees it asleep.
        if self._asleep:
            self._asleep = False
            with self._guard:
                if self._in >= 0:
                    os.write(self._in, b"!")

    def soon(self, call: Callable[[], object]) -> None:
        """Have this called in the desk's thread."""
        self._calls.append(call)
        self.summon()

    def tell(self, call: Callable[[], object]) -> None:
        """Call this in the desk's thread: now, if it is the one that asks."""
        if threading.get_ident() == self._thread.ident:
            call()
        else:
            self.soon(call)

    def take_on(self, owner: Owner) -> None:
        """Serve the requests of a board that was made with `summon`."""
        with self._guard:
            self._owners = (*self._owners, owner)
        self.summon()

    def let_go(self, owner: Owner) -> None:
        """Serve a board no more; it was closed."""
        with self._guard:
            self._owners = tuple(one for one in self._owners if one is not owner)

    def look_with(self, look: Callable[[float], object] | None) -> None:
        """Call this every few seconds with the time, for what nothing else would wake."""
        self._look = look

    def watch(self, descriptor: int, events: int, ready: Callable[[int], object]) -> None:
        """Call `ready` while the descriptor is; in the desk's thread only, as all below."""
        self._selector.register(descriptor, events, ready)

    def change(self, descriptor: int, events: int, ready: Callable[[int], object]) -> None:
        """Wait for other events of a descriptor."""
        self._selector.modify(descriptor, events, ready)

    def forget(self, descriptor: int) -> None:
        """Watch a descriptor no more."""
        self._selector.unregister(descriptor)

    def close(self) -> None:
        """End the thread.  The boards are closed before."""
        self._closing = True
        self.summon()
        self._thread.join()
        self._selector.close()
        with self._guard:
            os.close(self._out)
            os.close(self._in)
            self._in = -1

    def _serve(self) -> None:
        try:
            while not self._closing:
                self._turn()
        finally:
            for owner in self._owners:
                owner.give_up()

    def _turn(self) -> None:
        self._asleep = True
        hurry = self._closing or self._calls or any(owner.waiting for owner in self._owners)
        ready = self._selector.select(0 if hurry else LOOK_EVERY_S)
        self._asleep = False
        self.now = time.monotonic()
        for key, events in ready:
            _guarded(partial(key.data, events))
        for _ in range(len(self._calls)):
            _guarded(self._calls.popleft())
        for owner in self._owners:
            if owner.waiting:
                self._serve_board(owner)
        if self._look is not None and self.now - self._looked > LOOK_EVERY_S:
            self._looked = self.now
            _guarded(partial(self._look, self.now))

    def _serve_board(self, owner: Owner) -> None:
        began = time.monotonic()
        owner.serve_waiting()
        if time.monotonic() - began > PATIENCE_S:
            # A slow disk, or another program that has the file locked: the other boards do not share it.
            self.let_go(owner)
            owner.stand_alone()

    def _hear(self, _events: int) -> None:
        os.read(self._out, 4096)


def _guarded(call: Callable[[], object]) -> None:
    """Call something; its mistake is told and does not end the thread that everyone needs."""
    try:
        call()
    except Exception:  # noqa: BLE001 - the outermost frame: one visitor's trouble is not another's
        traceback.print_exc()
