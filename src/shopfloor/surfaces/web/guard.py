"""What is looked at before anything else: by which name the server was asked for, and from which page.

A web page of somebody else may make a browser send requests here, and may even give its own name this
machine's address (DNS rebinding).  So a request must ask for this server by a name that is its own, or
by an address in figures, which nobody can rebind; and one that a page has sent must come from
this server's own pages.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

from starlette.requests import Request

from shopfloor.domain.errors import Forbidden, Invalid
from shopfloor.domain.settings_web import Web
from shopfloor.surfaces.web.answers import Status

OWN_NAMES = ("localhost",)
# A form of another page cannot send this header, and a script of one needs a permission that is never given.
PROOF = "x-shopfloor"


class Sender(NamedTuple):
    """Where a request came from: the address, and whether it came encrypted."""

    address: str
    secure: bool


class Guard:
    """Knows the names of this server and its proxies."""

    def __init__(self, web: Web) -> None:
        named = [urlsplit(web.public_url).hostname] if web.public_url else []
        self._names = {name.lower() for name in (*OWN_NAMES, *web.hosts, *named) if name}
        self._proxies = frozenset(web.trusted_proxies)

    def check(self, request: Request) -> None:
        """Raise for a request that asks for another server, or that another one's page has sent."""
        host = request.headers.get("host", "")
        if len(request.headers.getlist("host")) != 1 or not self._ours(host):
            raise Status(
                Invalid(
                    f"this server is not called {host[:200]!r}; add the name to `hosts` in the table [web] "
                    "of its configuration if it should be"
                ),
                421,
            )
        origin = request.headers.get("origin")
        if origin is not None and not self._same(origin, host):
            raise Forbidden(f"a page of {origin[:200]!r} may not ask this server")

    def proven(self, request: Request) -> None:
        """Raise Forbidden for a change by cookie that a page of somebody else could have sent."""
        if request.headers.get(PROOF) != "1":
            raise Forbidden(
                "a change by a browser needs the header `X-Shopfloor: 1`, which shows that our own page asks"
            )

    def sender(self, request: Request) -> Sender:
        """Who sent a request: the peer, or whom a trusted proxy names."""
        peer = request.client.host if request.client is not None else ""
        if peer not in self._proxies:
            return Sender(peer, request.url.scheme == "https")
        scheme = request.headers.get("x-forwarded-proto", request.url.scheme)
        return Sender(self._first_stranger(request, peer), scheme.strip().lower() == "https")

    def _first_stranger(self, request: Request, peer: str) -> str:
        """The nearest address that is no proxy of ours; what stands farther could be made up."""
        told = ",".join(request.headers.getlist("x-forwarded-for"))
        for address in reversed([one.strip() for one in told.split(",") if one.strip()]):
            if address not in self._proxies:
                return address[:64]
        return peer

    def _ours(self, host: str) -> bool:
        name = _name(host)
        return name is not None and (name in self._names or _in_figures(name))

    def _same(self, origin: str, host: str) -> bool:
        """Whether a page of this origin came from here: the same name and port."""
        try:
            parts = urlsplit(origin)
            theirs = (_name(parts.netloc), parts.port)
            ours = urlsplit(f"{parts.scheme}://{host}")
            return parts.scheme in ("http", "https") and theirs == (_name(host), ours.port)
        except ValueError:
            return False


def _name(host: str) -> str | None:
    """The name in a Host header, without its port; None for what is none."""
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port
    except ValueError:
        return None
    if parts.username is not None or parts.path or parts.query or parts.fragment:
        return None
    return parts.hostname.rstrip(".") if parts.hostname else None


def _in_figures(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
