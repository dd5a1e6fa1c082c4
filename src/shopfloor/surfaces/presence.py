"""When a server process of ours begins and ends: there while somebody needs it, and only then.

It ends by itself when nobody has asked for a while (the next visitor has it started), and soon after
`shop up` has gone: `alive` is the reading end of a pipe that only `shop up` writes to.  In between it goes
on, so that what is asked while `shop up` is replaced is carried out by the next one.
"""

from __future__ import annotations

import asyncio
import os

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from shopfloor.surfaces.door import WAIT_S

IDLE_S = 600.0
LEAVE_S = WAIT_S + 5


class Presence:
    """Stands before the application, and sends the server home when nobody needs it any more."""

    def __init__(self, app: ASGIApp, idle_s: float) -> None:
        self._app = app
        self._idle_s = idle_s
        self._inside = 0
        self._timer: asyncio.TimerHandle | None = None
        self._server: uvicorn.Server | None = None

    def watch(self, server: uvicorn.Server, alive: int) -> None:
        """Begin: an idle time that ends the server, and the pipe whose end announces it."""
        self._server = server
        self._rest()
        asyncio.get_running_loop().add_reader(alive, self._left_alone, alive)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through."""
        self._inside += 1
        if self._timer is not None:
            self._timer.cancel()
        try:
            await self._app(scope, receive, send)
        finally:
            self._inside -= 1
            self._rest()

    def _rest(self) -> None:
        if self._inside == 0:
            self._timer = asyncio.get_running_loop().call_later(self._idle_s, self._leave)

    def _left_alone(self, alive: int) -> None:
        """`shop up` has gone: stay as long as the next one may take to come."""
        loop = asyncio.get_running_loop()
        loop.remove_reader(alive)
        os.close(alive)
        loop.call_later(LEAVE_S, self._leave)

    def _leave(self) -> None:
        assert self._server is not None
        self._server.should_exit = True
