"""Reading what a request brings, bounded in size and in time.

Whoever sends a body must keep at it: a piece within so many seconds, and the whole at no less than a modem's
pace.  So nobody holds a place by sending a byte now and then.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive, Scope

from shopfloor.domain.errors import Invalid, LimitReached
from shopfloor.surfaces.web.answers import Status
from shopfloor.surfaces.web.protocol import patience_s

DIGITS_MAX = 15
REST_BYTES_MAX = 8 << 20
REST_S = 3.0
WHOLE_S = 20.0
PACE_BYTES_S = 32 * 1024


class Incoming:
    """What a request's sender sends, and whether all of it has come."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._receive = receive
        names = {name for name, _ in scope["headers"]}
        self._over = not names & {b"content-length", b"transfer-encoding"}

    async def __call__(self) -> Message:
        """The next message."""
        message = await self._receive()
        self._over = self._over or not message.get("more_body", False)
        return message

    async def rest(self) -> None:
        """Take some of what was not asked for, so that its sender reads the refusal and no broken connection."""
        left = REST_BYTES_MAX
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(REST_S):
                while not self._over and left > 0:
                    left -= len((await self()).get("body", b""))


async def pieces(request: Request, most: int) -> AsyncIterator[bytes]:
    """The body piece by piece; raises LimitReached, or Status where it comes too slowly."""
    declared = request.headers.get("content-length", "")
    if (
        declared.isascii()
        and declared.isdigit()
        and (len(declared) > DIGITS_MAX or int(declared) > most)
    ):
        raise _too_large(most)
    clock = asyncio.get_running_loop().time
    begun, size = clock(), 0
    stream = request.stream()
    while True:
        try:
            async with asyncio.timeout(patience_s(request.scope) / 2):
                piece = await anext(stream, None)
        except TimeoutError:
            raise _too_slow() from None
        except ClientDisconnect:
            raise Invalid("the request ended before its body did") from None
        if piece is None:
            return
        size += len(piece)
        if size > most:
            raise _too_large(most)
        if clock() - begun > WHOLE_S + size / PACE_BYTES_S:
            raise _too_slow()
        if piece:
            yield piece


async def body(request: Request, most: int) -> bytes:
    """The whole body."""
    return b"".join([piece async for piece in pieces(request, most)])


def _too_large(most: int) -> Status:
    refused = LimitReached(f"this request takes at most {most} bytes")
    # The rest of it is not read, so nothing else can come over this connection.
    return Status(refused, refused.http, Connection="close")


def _too_slow() -> Status:
    return Status(Invalid("the body came too slowly"), 408, Connection="close")


def number(name: str, text: str) -> int:
    """A number in a query or a header; raises Invalid."""
    if not text.isascii() or not text.isdigit() or len(text) > DIGITS_MAX:
        raise Invalid(f"`{name}` is a number, and not {text[:50]!r}")
    return int(text)
