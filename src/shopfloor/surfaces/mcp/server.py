"""The process that serves tools to agents: `python -m shopfloor.surfaces.mcp.server`.

    server --door SOCKET --listener FD --alive FD

It is started by `shop up` and shares that one's listening socket, so nobody finds the address closed
while this process starts or is replaced.  It ends by itself when nobody has asked for a while (the next
visitor has it started again), and soon after `shop up` has gone: `alive` is the reading end of a pipe
that only `shop up` writes to.  In between it goes on, so that what a worker asks while `shop up` is
replaced is carried out by the next one.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
import sys
from collections.abc import Sequence

import uvicorn

from shopfloor.surfaces.door import Door
from shopfloor.surfaces.mcp.app import Tools
from shopfloor.surfaces.mcp.catalog import tools
from shopfloor.surfaces.presence import IDLE_S, LEAVE_S, Presence

KEEP_ALIVE_S = 75


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until there is nobody to serve; the exit status is 0 then."""
    parser = argparse.ArgumentParser(prog="shop-mcp")
    parser.add_argument("--door", required=True)
    parser.add_argument("--listener", type=int, required=True)
    parser.add_argument("--alive", type=int, required=True)
    parser.add_argument("--idle", type=float, default=IDLE_S)
    given = parser.parse_args(arguments)
    listener = socket.socket(fileno=given.listener)
    asyncio.run(serve(given.door, listener, given.alive, given.idle))
    return 0


async def serve(door_path: str, listener: socket.socket, alive: int, idle_s: float) -> None:
    """Answer requests on the listener until it is time to go."""
    door = Door(door_path)
    app = Tools(door, tools())
    server = uvicorn.Server(
        uvicorn.Config(
            app=(presence := Presence(app, idle_s)),
            lifespan="off",
            loop="asyncio",
            http="h11",
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=round(LEAVE_S),
        )
    )
    presence.watch(server, alive)
    async with app.running():
        await server.serve([listener])
    door.close()


if __name__ == "__main__":
    sys.exit(main())
