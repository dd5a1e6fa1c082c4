"""`/mcp/BOARD`: the tools of workers at the same address, for agents that come from another machine.

The protocol's library takes half a second and 60 MB, so it is loaded by the first who comes here.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any

from starlette.types import Receive, Scope, Send

from shopfloor.surfaces.door import Door
from shopfloor.surfaces.mcp.catalog import tools


class LazyTools:
    """The application of the tools, made when it is first needed; `close` ends it."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._app: Any = None
        self._making = asyncio.Lock()
        self._over = asyncio.Event()
        self._living: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; who asks is for the tools to find out, by the run's token."""
        async with self._making:
            if self._app is None:
                await self._make()
        await self._app(scope, receive, send)

    async def close(self) -> None:
        """Let go of what was made."""
        if self._living is not None:
            self._over.set()
            await self._living

    async def _make(self) -> None:
        app = await asyncio.to_thread(_made, self._door)
        begun = asyncio.Event()

        async def live() -> None:
            # The library wants to be left by the task that entered it.
            async with AsyncExitStack() as stack:
                await stack.enter_async_context(app.running())
                begun.set()
                await self._over.wait()

        self._living = asyncio.create_task(live())
        await begun.wait()
        self._app = app


def _made(door: Door) -> Any:
    from shopfloor.surfaces.mcp.app import Tools  # noqa: PLC0415 - see the list of heavy modules

    return Tools(door, tools(), guarded=False)
