"""Events as they come, for any number of readers: one follower asks the board, and all readers share what it got.

A reader has a cursor and nothing else: no queue of its own.  It takes from the newest events, which are kept
once as they go out; one that is farther behind reads from the board until it has caught up.  Who does not
take what is sent for half a minute is cut off and goes on later from its last event (`Last-Event-ID`).

Where events between the last one seen and now may have been forgotten by the board's retention, a `gap`
is said first: who keeps a picture of the board reads it anew.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncGenerator, Callable
from typing import Any, NamedTuple

from shopfloor.domain.errors import BoardError
from shopfloor.domain.limits import PAGE_MAX
from shopfloor.surfaces.door import Door
from shopfloor.surfaces.mcp.visitor import result_of

KEPT_BYTES = 2 << 20
# What one reader is given at a time: so much of it is in memory for each that is slow.
PIECE_BYTES = 64 * 1024
BEHIND_MAX = 100
FOLLOW_S = 25.0
PING_S = 15.0
PAUSE_S = 1.0
OPENING = b"retry: 1000\n\n"
PING = b": still here\n\n"
FORGOTTEN = "snapshot"


class Kept(NamedTuple):
    """One event as it goes out."""

    id: int
    text: bytes


class Feed:
    """The newest events of one board, followed while anybody reads."""

    def __init__(self, door: Door, board: str) -> None:
        self._door = door
        self._board = board
        self._kept: deque[Kept] = deque()
        self._size = 0
        # Everything after this event is kept.
        self._begin = 0
        self._news = asyncio.Event()
        self._follower: asyncio.Task[None] | None = None
        self._joined: tuple[tuple[int, int], tuple[int, bytes]] = ((0, 0), (0, b""))
        self.last = 0
        self.readers = 0

    async def begin(self) -> None:
        """Know the newest event; raises the door's refusal for a board that is not there."""
        if self._follower is None:
            page = await self._page({"limit": 1})
            if self._follower is None:
                self.last = self._begin = int(page["last"])
                self._follower = asyncio.create_task(self._follow())

    def end(self) -> None:
        """Follow no more."""
        if self._follower is not None:
            self._follower.cancel()

    def ring(self) -> None:
        """Wake every reader, to what is new or to look whether it may still read."""
        self._news.set()
        self._news = asyncio.Event()

    async def wait(self, cursor: int) -> bool:
        """Wait until somebody rings, at most for a while; false when nobody did."""
        if self.last > cursor:
            return True
        try:
            async with asyncio.timeout(PING_S):
                await self._news.wait()
        except TimeoutError:
            return False
        return True

    async def after(self, cursor: int) -> tuple[int, bytes]:
        """Events after this one as they go out, a piece at a time, and the new cursor."""
        if cursor >= self._begin:
            return self._join(cursor)
        page = await self._page({"after": cursor, "limit": BEHIND_MAX})
        return int(page["last"]), b"".join(_text(event) for event in page["events"])

    async def gap(self, cursor: int) -> bytes:
        """What is said first to who goes on after this event: nothing, or that events may be missing."""
        told = {"after": cursor, "last": self.last}
        if cursor > self.last:
            # The board has fewer events than were seen: it was replaced, as by a backup of it.
            return b"id: %d\nevent: gap\ndata: %s\n\n" % (self.last, json.dumps(told).encode())
        page = await self._page({"after": cursor, "kinds": [FORGOTTEN], "limit": 1})
        if not page["events"]:
            return b""
        return b"event: gap\ndata: %s\n\n" % json.dumps(told).encode()

    def _join(self, cursor: int) -> tuple[int, bytes]:
        """Some of what is kept after an event; readers that are equally far share the same bytes."""
        if self._joined[0] != (cursor, self.last):
            found: list[Kept] = []
            for one in reversed(self._kept):
                if one.id <= cursor:
                    break
                found.append(one)
            parts: list[bytes] = []
            size, reached = 0, self.last
            while found and size < PIECE_BYTES:
                one = found.pop()
                parts.append(one.text)
                size += len(one.text)
                reached = one.id if found else self.last
            self._joined = ((cursor, self.last), (reached, b"".join(parts)))
        return self._joined[1]

    async def _follow(self) -> None:
        while True:
            asked = {"after": self.last, "limit": PAGE_MAX, "wait_s": FOLLOW_S}
            try:
                page = await self._page(asked)
            except BoardError:
                # The board may come back; who reads is pinged meanwhile.
                await asyncio.sleep(PAUSE_S)
                continue
            for event in page["events"]:
                self._keep(Kept(event["id"], _text(event)))
            if page["events"]:
                self.last = int(page["last"])
                self.ring()

    def _keep(self, one: Kept) -> None:
        self._kept.append(one)
        self._size += len(one.text)
        while self._size > KEPT_BYTES:
            dropped = self._kept.popleft()
            self._size -= len(dropped.text)
            self._begin = dropped.id

    async def _page(self, args: dict[str, Any]) -> Any:
        asked: dict[str, object] = {"op": "event.list", "args": args, "board": self._board}
        return json.loads(result_of(await self._door.ask(asked)))


class Feeds:
    """The feeds that somebody reads, one for each board."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._feeds: dict[str, Feed] = {}

    @property
    def readers(self) -> int:
        """How many read now."""
        return sum(feed.readers for feed in self._feeds.values())

    def ring(self) -> None:
        """Have everyone who reads look whether he may."""
        for feed in self._feeds.values():
            feed.ring()

    async def read(
        self, board: str, cursor: int | None, allowed: Callable[[], bool]
    ) -> AsyncGenerator[bytes, None]:
        """What goes out to one reader, for as long as he is allowed to read."""
        feed = self._feeds.setdefault(board, Feed(self._door, board))
        feed.readers += 1
        try:
            await feed.begin()
            yield OPENING
            if cursor is not None and (gap := await feed.gap(cursor)):
                yield gap
            cursor = feed.last if cursor is None else min(cursor, feed.last)
            while allowed():
                if feed.last > cursor:
                    cursor, text = await feed.after(cursor)
                    yield text
                elif not await feed.wait(cursor):
                    yield PING
        finally:
            feed.readers -= 1
            if feed.readers == 0:
                feed.end()
                self._feeds.pop(board, None)


def _text(event: dict[str, Any]) -> bytes:
    """One event in the form of a stream of server-sent events."""
    data = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
    return b"id: %d\ndata: %s\n\n" % (event["id"], data)
