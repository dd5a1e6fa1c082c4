"""The dashboard and the API of this home: their address, and the process behind it.

`shop up` listens, and the process is started by the first visitor; it leaves when nobody has come for ten
minutes, and with `shop up`.  Where it listens is kept in `web.json` of the home, so that messages can link to
pages, and so that the same port is taken again.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import time
from collections.abc import Callable

from shopfloor.app.access import HomeAccess
from shopfloor.app.boards import DEFAULT
from shopfloor.app.web_address import kept, page_url
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


class WebServer:
    """The address of a home's dashboard, open while `shop up` runs."""

    def __init__(self, home: Home, *, say: Callable[[str], None]) -> None:
        self._home = home
        self._say = say
        self._listener: socket.socket | None = None
        self._service: Service | None = None
        self._url = ""
        self._port = 0
        self._web: Web | None = None
        self._read = (0, 0, 0)

    def open(self) -> None:
        """Listen, and say where; what is wrong is said, and everything else goes on without it."""
        self._read = self._home.config_stamp()
        self._open(load_settings(self._home, DEFAULT).web)

    def look_after(self) -> None:
        """Where the settings of an opened dashboard have changed, open it anew as they are now."""
        stamp = self._home.config_stamp()
        if self._web is None or stamp == self._read:
            return
        self._read = stamp
        try:
            web = load_settings(self._home, DEFAULT).web
        except BoardError:
            # Whoever uses the other settings says so; until it is mended, those before are in force.
            return
        if web != self._web:
            self._say("[web] has changed: the dashboard is opened anew")
            self.close()
            self._open(web)

    def _open(self, web: Web) -> None:
        self._web = web
        unread = _unread(web)
        if unread is not None:
            self._say(f"no dashboard: the file {unread} of [web] cannot be read")
            return
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
            self._say(f"dashboard: {HomeAccess(self._home).link(actor()).url}")
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


def _unread(web: Web) -> str | None:
    """The certificate or the key that is set and cannot be read."""
    given = (web.certificate, web.certificate_key)
    return next((one for one in given if one is not None and not os.access(one, os.R_OK)), None)


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
    """Have a process that serves without its `shop up` leave, and with it the port.

    One that does not, because it hangs or is frozen, is killed: with the port it would keep everybody's address.
    """
    for number in (signal.SIGTERM, signal.SIGKILL):
        if not identity.send(process, number):
            return
        deadline = time.monotonic() + LEAVING_S
        while identity.alive(process) and time.monotonic() < deadline:
            time.sleep(0.02)


__all__ = ["WebServer", "page_url"]
