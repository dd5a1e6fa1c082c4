"""Hear of the commits of other hosts: LISTEN on a connection and in a thread of its own.

A notice is a hint and never the news itself; several of them are one call.  While the connection is
lost nothing is heard, so the callback is called whenever a new one listens.
"""

from __future__ import annotations

import os
import selectors
import threading
from collections.abc import Callable
from typing import Final

import psycopg
from psycopg import sql

from shopfloor.domain.errors import Unavailable
from shopfloor.store.postgres_link import Link, Server

PAUSE_S: Final = 1.0
PAUSE_MAX_S: Final = 30.0


class Listener:
    """Calls back, from its thread, after commits of others; `close` ends it."""

    def __init__(self, server: Server, own_name: str, callback: Callable[[], None]) -> None:
        """Start to listen.  Notices that carry `own_name` are one's own and pass unheard."""
        self._server = server
        self._own_name = own_name
        self._callback = callback
        self.listening = threading.Event()
        self._ended, self._end = os.pipe()
        self._closed = False
        self._thread = threading.Thread(target=self._listen, name="board-listener", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening; the callback is not called any more after this."""
        if not self._closed:
            self._closed = True
            os.write(self._end, b"!")
            self._thread.join()
            os.close(self._ended)
            os.close(self._end)

    def _listen(self) -> None:
        pause_s = PAUSE_S
        while not self._closed:
            try:
                with self._server.connect() as link:
                    link.execute(
                        sql.SQL("LISTEN {}").format(sql.Identifier(self._server.channel()))
                    )
                    self.listening.set()
                    self._callback()
                    pause_s = PAUSE_S
                    self._hear(link)
            except (psycopg.Error, Unavailable):
                self._wait_for_end(pause_s)
                pause_s = min(pause_s * 2, PAUSE_MAX_S)
            finally:
                self.listening.clear()

    def _hear(self, link: Link) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(link.fileno(), selectors.EVENT_READ)
            selector.register(self._ended, selectors.EVENT_READ)
            while not self._closed:
                selector.select()
                if any(notice.payload != self._own_name for notice in [*link.notifies(timeout=0)]):
                    self._callback()

    def _wait_for_end(self, timeout_s: float) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._ended, selectors.EVENT_READ)
            selector.select(timeout_s)
