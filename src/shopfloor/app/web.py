"""The dashboard and the API of this home: their address, and the process behind it.

`shop up` listens, and the process is started by the first visitor; it leaves when nobody has come for ten
minutes, and with `shop up`.  Where it listens is kept in `web.json` of the home, so that messages can link to
pages, and so that the same port is taken again.
"""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import time
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import quote

from shopfloor.app.access import HomeAccess
from shopfloor.app.boards import DEFAULT
from shopfloor.config import Home, actor
from shopfloor.config.reading import load_settings
from shopfloor.domain.errors import BoardError
from shopfloor.domain.settings_web import Web
from shopfloor.process import identity
from shopfloor.process.files import write_atomic
from shopfloor.process.identity import Identity
from shopfloor.process.service import Program, Service

BACKLOG = 512
MODULE, NAME = "shopfloor.app.web_process", "shop-web"
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}  # noqa: S104 - read, not listened on
LEAVING_S = 5.0


class Kept(NamedTuple):
    """What `web.json` says: the address, and the process that serves there or served last."""

    url: str
    port: int
    process: Identity | None


class WebServer:
    """The address of a home's dashboard, open while `shop up` runs."""

    def __init__(self, home: Home, *, say: Callable[[str], None]) -> None:
        self._home = home
        self._say = say
        self._listener: socket.socket | None = None
        self._service: Service | None = None
        self._url = ""
        self._port = 0

    def open(self) -> None:
        """Listen, and say where; what is wrong is said, and everything else goes on without it."""
        web = load_settings(self._home, DEFAULT).web
        before = kept(self._home)
        try:
            if before is not None and before.process is not None:
                _end(before.process)
            self._listener = _listen(web, 0 if before is None else before.port)
        except OSError as wrong:
            self._say(f"no dashboard: {web.host} port {web.port} cannot be had: {wrong.strerror}")
            return
        self._port = self._listener.getsockname()[1]
        self._url = _url(web, self._port)
        if web.port not in (0, self._port):
            self._say(f"port {web.port} is in use; the dashboard has port {self._port}")
        self._keep(None)
        self._service = Service(
            Program(MODULE, NAME, ("--home", str(self._home.root))),
            self._listener,
            say=self._say,
            started=self._keep,
        )
        try:
            self._say(f"dashboard: {login_link(self._home, self._url)}")
        except BoardError as wrong:
            self._say(f"dashboard: {self._url} (no login link: {wrong.message})")

    def close(self) -> None:
        """Let go of the address, and end the process."""
        if self._service is not None:
            self._service.close(leave_running=False)
            self._keep(None)
        if self._listener is not None:
            self._listener.close()
        self._service = self._listener = None

    def _keep(self, process: Identity | None) -> None:
        told = {"url": self._url, "port": self._port, "process": process}
        with contextlib.suppress(OSError):
            write_atomic(self._home.web, json.dumps(told).encode() + b"\n")


def kept(home: Home) -> Kept | None:
    """Where the home's dashboard is, or was last; None if it never was."""
    try:
        told = json.loads(home.web.read_text(encoding="utf-8"))
        process = told["process"]
        return Kept(told["url"], int(told["port"]), process and Identity(*process))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def page_url(home: Home, board: str, task: int | None = None) -> str | None:
    """The address of a board's or a task's page; None where there is no dashboard."""
    web = load_settings(home, DEFAULT).web
    found = kept(home)
    if web.public_url is None and found is None:
        return None
    base = (web.public_url or (found.url if found else "")).rstrip("/")
    return f"{base}/b/{quote(board)}" + ("" if task is None else f"/t/{task}")


def login_link(home: Home, url: str) -> str:
    """An address that logs the administrator of this home in, for an hour."""
    return f"{url}/login#token={HomeAccess(home).link(actor())}"


def _url(web: Web, port: int) -> str:
    """The address that people here open."""
    if web.public_url is not None:
        return web.public_url.rstrip("/")
    scheme = "http" if web.certificate is None else "https"
    host = EVERYWHERE.get(web.host, f"[{web.host}]" if ":" in web.host else web.host)
    return f"{scheme}://{host}:{port}"


def _listen(web: Web, before: int) -> socket.socket:
    """Listen on the port that is set; if somebody has it, on the one of last time, or on any."""
    wanted = [web.port] if web.port else []
    for port in dict.fromkeys((*wanted, before, 0)):
        with contextlib.suppress(OSError):
            return _bound(web.host, port)
    return _bound(web.host, 0)


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener


def _end(process: Identity) -> None:
    """Have a process that serves without its `shop up` leave, and with it the port."""
    if not identity.send(process, signal.SIGTERM):
        return
    deadline = time.monotonic() + LEAVING_S
    while identity.alive(process) and time.monotonic() < deadline:
        time.sleep(0.02)
