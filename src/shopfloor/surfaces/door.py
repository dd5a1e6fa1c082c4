"""The way from a process of ours to the board: requests over the door's Unix socket, several at a time.

A connection asks one thing at a time, so there is one for each request under way, kept for the next.  A
request whose answer did not come is sent again until a door answers; that it is done once is for the
request id in it to say, which the caller gives to whatever writes.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable

from shopfloor.domain.errors import Unavailable
from shopfloor.domain.limits import REQUEST_BYTES_MAX

WAIT_S = 20.0
PAUSE_S, PAUSE_MAX_S = 0.02, 0.5
CONNECTIONS_MAX = 64

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Door:
    """Asks the board that this process belongs to."""

    def __init__(self, path: str, *, wait_s: float = WAIT_S) -> None:
        self._path = path
        self._wait_s = wait_s
        self._idle: list[Connection] = []
        self._free = asyncio.Semaphore(CONNECTIONS_MAX)

    async def ask(self, request: dict[str, object]) -> bytes:
        """The answer's JSON; raises Unavailable when no door answered in time."""
        line = json.dumps(request).encode()
        return await self.ask_in_pieces(lambda: (line,))

    async def ask_in_pieces(self, pieces: Callable[[], Iterable[bytes]]) -> bytes:
        """The same for a request that is too large to be in memory; it is read anew for each try."""
        async with self._free:
            return await self._until_answered(pieces)

    async def _until_answered(self, pieces: Callable[[], Iterable[bytes]]) -> bytes:
        clock = asyncio.get_running_loop().time
        deadline = None
        pause_s = 0.0
        while True:
            answer = await self._try(pieces)
            if answer is not None:
                return answer
            # The wait begins here: a request may take as long as it likes before its door dies.
            deadline = deadline or clock() + self._wait_s
            if clock() >= deadline:
                raise Unavailable("the board cannot be reached: no `shop up` answers for it")
            await asyncio.sleep(pause_s)
            pause_s = min(max(2 * pause_s, PAUSE_S), PAUSE_MAX_S)

    async def _try(self, pieces: Callable[[], Iterable[bytes]]) -> bytes | None:
        """The answer, or None: nobody is there, or who was there has gone."""
        try:
            reader, writer = self._idle.pop() if self._idle else await self._connect()
        except OSError:
            return None
        try:
            for piece in pieces():
                writer.write(piece)
                await writer.drain()
            writer.write(b"\n")
            await writer.drain()
            answer = await reader.readuntil(b"\n")
        except (OSError, EOFError):
            # The other connections led to the same door.
            self.close()
            writer.close()
            return None
        except BaseException:
            # Its answer may still come, so nobody else may ask on this connection.
            writer.close()
            raise
        self._idle.append((reader, writer))
        return answer[:-1]

    async def _connect(self) -> Connection:
        return await asyncio.open_unix_connection(self._path, limit=REQUEST_BYTES_MAX)

    def close(self) -> None:
        """Part from the door; what is under way goes on."""
        while self._idle:
            self._idle.pop()[1].close()
