"""A real web server on loopback that serves what a test has put there.

`pages` maps a path to what is answered: a status, headers and a body.  A body that is None never ends: it drips
until the test is over.
The product fetches from public addresses alone; a home whose interpreter takes this one for public fetches from here.
"""

from __future__ import annotations

import sys
import sysconfig
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from typing_extensions import override

from tests.support.home import Home

DRIP_S = 0.05
ALLOWING = """\
import site; site.addsitedir({place!r})
import shopfloor.domain.addresses as a; a.is_public = lambda address: address == "127.0.0.1"
import shopfloor.domain.limits as l; l.DOWNLOAD_S = 600.0
"""


class Page(NamedTuple):
    """What is at a path; without a Content-Length of its own it ends with the connection."""

    body: bytes | None = b""
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()


class WebPlace(ThreadingHTTPServer):
    """The server; `asked` are the paths that were asked for, in order."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.pages: dict[str, Page] = {}
        self.asked: list[str] = []
        self.over = threading.Event()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def url(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    @override
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A peer that has gone is what some tests want."""


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        place = self.server
        assert isinstance(place, WebPlace)
        place.asked.append(self.path)
        page = place.pages.get(self.path, Page(b"nothing here", 404))
        self.send_response(page.status)
        for name, value in page.headers:
            self.send_header(name, value)
        self.end_headers()
        if page.body is not None:
            self.wfile.write(page.body)
            return
        while not place.over.wait(DRIP_S):
            self.wfile.write(b"x")

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Nobody reads it."""


@contextmanager
def web_place() -> Iterator[WebPlace]:
    """A server for one test."""
    with WebPlace() as place:
        thread = threading.Thread(target=place.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield place
        finally:
            place.over.set()
            place.shutdown()
            thread.join()


def take_for_public(home: Home) -> None:
    """Have a home's programs take the address of these servers, and no other, for a public one.

    They also fetch for longer than the product does, because a busy machine makes a minute short.
    """
    inside = home.folder / "venv" / "lib"
    inside.unlink()
    packages = inside / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    packages.mkdir(parents=True)
    (packages / "allowing.pth").write_text(ALLOWING.format(place=sysconfig.get_path("purelib")))
