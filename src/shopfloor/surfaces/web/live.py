"""`GET /api/v1/events/stream`: a board's events as server-sent events, for as long as the reader may read.

A key that is revoked ends its streams within a second.  A reader that does not take what is sent, for as long as
`[web] patience` says, is dropped: it comes back with the last event it has.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from starlette.requests import Request
from starlette.types import Send

from shopfloor.domain.errors import Invalid, Unavailable
from shopfloor.surfaces.door import Door
from shopfloor.surfaces.web.answers import API
from shopfloor.surfaces.web.api import Api
from shopfloor.surfaces.web.body import number
from shopfloor.surfaces.web.protocol import abort, patience_s
from shopfloor.surfaces.web.stream import Feeds
from shopfloor.surfaces.web.who import Keys, Reception, Who

LOOK_S = 1.0
STREAMS_MAX = 500
HEADERS = {
    **API,
    "Content-Type": "text/event-stream; charset=utf-8",
    "Connection": "close",
    # A proxy that gathers answers would hold events back.
    "X-Accel-Buffering": "no",
}


class Live:
    """The open streams."""

    def __init__(self, door: Door, keys: Keys, api: Api, reception: Reception) -> None:
        self._reception = reception
        self._keys = keys
        self._api = api
        self.feeds = Feeds(door)
        self._looking: asyncio.Task[None] | None = None

    def close(self) -> None:
        """Look after nobody any more."""
        if self._looking is not None:
            self._looking.cancel()

    async def serve(self, request: Request, who: Who, send: Send) -> None:
        """Send events until the reader leaves, or may not read any more."""
        if request.method != "GET":
            raise Invalid("a stream is read with GET")
        await self._reception.allow(request, who, self._api.route("event.list"))
        board, cursor = _asked(request)
        if self.feeds.readers >= STREAMS_MAX:
            raise Unavailable(f"{STREAMS_MAX} streams are open already")
        # This generator's first piece tells whether the board is there, before anything is sent.
        stream = self.feeds.read(board, cursor, lambda: self._may(who))
        try:
            first = await anext(stream)
            self._look_after()
            headers = [(name.lower().encode(), text.encode()) for name, text in HEADERS.items()]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await self._send_all(request, stream, first, send)
        finally:
            await stream.aclose()

    async def _send_all(self, request: Request, stream: Any, first: bytes, send: Send) -> None:
        left = asyncio.create_task(_left(request))
        sending = asyncio.create_task(_copy(stream, first, send, patience_s(request.scope)))
        try:
            await asyncio.wait((left, sending), return_when=asyncio.FIRST_COMPLETED)
            if sending.done() and sending.exception() is not None:
                abort(request.scope)
        finally:
            for task in (left, sending):
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, TimeoutError, OSError):
                    await task

    def _may(self, who: Who) -> bool:
        return who.key is None or self._keys.still(who.key)

    def _look_after(self) -> None:
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())

    async def _look(self) -> None:
        """Have the readers look whether they may read when a key has changed, while there are any."""
        seen = self._keys.version()
        while self.feeds.readers:
            await asyncio.sleep(LOOK_S)
            if seen != (seen := self._keys.version()):
                self.feeds.ring()


async def _copy(stream: Any, first: bytes, send: Send, slow_s: float) -> None:
    await _sent(send, first, slow_s)
    async for piece in stream:
        await _sent(send, piece, slow_s)
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _sent(send: Send, piece: bytes, slow_s: float) -> None:
    async with asyncio.timeout(slow_s):
        await send({"type": "http.response.body", "body": piece, "more_body": True})


async def _left(request: Request) -> None:
    """Wait until the reader has gone."""
    while (await request.receive())["type"] != "http.disconnect":
        continue


def _asked(request: Request) -> tuple[str, int | None]:
    """Which board, and after which event; raises Invalid."""
    board = request.query_params.get("board")
    given = request.headers.get("last-event-id") or request.query_params.get("after")
    return board or "", number("after", given) if given else None
