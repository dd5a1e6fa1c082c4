"""Serves the application on a listening socket that `shop up` holds."""

from __future__ import annotations

import asyncio
import logging
import socket
from typing import NamedTuple

import uvicorn

from shopfloor.domain.settings_web import Web
from shopfloor.surfaces.door import Door
from shopfloor.surfaces.presence import IDLE_S, Presence
from shopfloor.surfaces.web.app import WebApp
from shopfloor.surfaces.web.protocol import HEAD_BYTES_MAX, patient
from shopfloor.surfaces.web.who import Keys

KEEP_ALIVE_S = 75
CONNECTIONS_MAX = 1_000
FAREWELL_S = 2


class Place(NamedTuple):
    """What the process was given: the door's socket, the listener, and the pipe that ends with `shop up`."""

    door: str
    listener: socket.socket
    alive: int
    idle_s: float = IDLE_S


def serve(place: Place, web: Web, keys: Keys) -> int:
    """Answer requests until it is time to go; the exit status is 0 then."""
    # What a visitor does wrong is told to the visitor; the terminal of `shop up` is not for it.
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    asyncio.run(_serve(place, web, keys))
    return 0


async def _serve(place: Place, web: Web, keys: Keys) -> None:
    door = Door(place.door)
    app = WebApp(door, web, keys)
    presence = Presence(app, place.idle_s)
    server = uvicorn.Server(
        uvicorn.Config(
            app=presence,
            lifespan="off",
            loop="asyncio",
            http=patient(web.patience_ms / 1000),
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            proxy_headers=False,
            h11_max_incomplete_event_size=HEAD_BYTES_MAX,
            limit_concurrency=CONNECTIONS_MAX,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=FAREWELL_S,
            ssl_certfile=web.certificate,
            ssl_keyfile=web.certificate_key,
        )
    )
    presence.watch(server, place.alive)
    async with app.running():
        await server.serve([place.listener])
    door.close()
