"""Answers over HTTP: the one JSON shape of an error, and the headers that every answer carries."""

from __future__ import annotations

import json
from collections.abc import Mapping

from starlette.responses import Response

from shopfloor.domain.errors import BoardError, NotLoggedIn, Unavailable

JSON = "application/json"
POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
NOTHING = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
API = {**EVERYWHERE, "Content-Security-Policy": NOTHING, "Cache-Control": "no-store"}
PAGE = {**EVERYWHERE, "Content-Security-Policy": POLICY, "Cache-Control": "no-cache"}
RETRY_AFTER_S = "2"


class Status(Exception):
    """A refusal whose HTTP status is another one than its error's, or that needs headers."""

    def __init__(self, refused: BoardError, status: int, **headers: str) -> None:
        super().__init__(refused.message)
        self.refused = refused
        self.status = status
        self.headers = headers


def told(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """JSON that is there already."""
    return Response(body, status, headers={**API, **(headers or {})}, media_type=JSON)


def value(found: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A value as JSON."""
    return told(json.dumps(found, ensure_ascii=False).encode(errors="replace"), status, headers)


def refusal(refused: BoardError | Status) -> Response:
    """An error in its one shape, with its own HTTP status."""
    if isinstance(refused, Status):
        return value(refused.refused.as_dict(), refused.status, refused.headers)
    headers = {}
    if isinstance(refused, NotLoggedIn):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(refused, Unavailable):
        headers["Retry-After"] = str(refused.detail.get("retry_after_s", RETRY_AFTER_S))
    return value(refused.as_dict(), refused.http, headers)
