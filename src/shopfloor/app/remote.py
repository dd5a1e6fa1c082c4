"""How a command reaches a board on another machine: the same requests over HTTP, with a token.

A request that was sent and not answered is sent again with the same request id, as to a door of this
machine, so it is done once.  What comes back is what the door there has answered, byte for byte.
"""

from __future__ import annotations

import http.client
import json
import ssl
import time
from pathlib import Path
from urllib.parse import urlsplit

from shopfloor.domain.errors import Invalid, NotLoggedIn, Unavailable
from shopfloor.surfaces.cli.client import Ask

PATH = "/api/v1/call"
WAIT_S = 10.0
PAUSE_S, PAUSE_MAX_S = 0.1, 2.0
ANSWER_TIMEOUT_S = 120.0
PORTS = {"http": 80, "https": 443}


class RemoteClient:
    """Asks the boards of a home that is served elsewhere; one request at a time."""

    def __init__(self, url: str, token: str | None, board: str | None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in PORTS or not parts.hostname:
            raise Invalid(f"{url!r} is no address of a board; write it like https://host:7437")
        self._url = url
        self._secure = parts.scheme == "https"
        self._host = parts.hostname
        self._port = parts.port or PORTS[parts.scheme]
        self._path = parts.path.rstrip("/") + PATH
        self._token = _secret(token)
        self._board = board
        self._connection: http.client.HTTPConnection | None = None

    def ask(self, request: Ask) -> bytes:
        """The answer's JSON; raises Unavailable when no server could be had within ten seconds."""
        if request.board is None and self._board is not None:
            request = request._replace(board=self._board)
        headers = {
            "Authorization": f"Bearer {self._shown(request)}",
            "Content-Type": "application/json",
        }
        body = _body(request)
        path = self._path + (f"?board={request.board}" if request.run and request.board else "")
        deadline = None
        pause_s = PAUSE_S
        while True:
            try:
                return self._send(path, body, headers)
            except (OSError, http.client.HTTPException) as lost:
                self.close()
                deadline = deadline or time.monotonic() + WAIT_S
                if time.monotonic() >= deadline or isinstance(lost, ssl.SSLCertVerificationError):
                    raise Unavailable(f"{self._url} cannot be reached: {lost}") from None
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, PAUSE_MAX_S)

    def close(self) -> None:
        """Part from the server."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _send(self, path: str, body: bytes, headers: dict[str, str]) -> bytes:
        if self._connection is None:
            self._connection = self._connect()
        self._connection.request("POST", path, body, headers)
        answer = self._connection.getresponse()
        data = answer.read()
        if not data.startswith((b'{"result":', b'{"error":')):
            raise Unavailable(
                f"{self._url} answered {answer.status} with something that is no board's answer"
            )
        return data

    def _connect(self) -> http.client.HTTPConnection:
        if not self._secure:
            return http.client.HTTPConnection(self._host, self._port, timeout=ANSWER_TIMEOUT_S)
        return http.client.HTTPSConnection(
            self._host,
            self._port,
            timeout=ANSWER_TIMEOUT_S,
            context=ssl.create_default_context(),
        )

    def _shown(self, request: Ask) -> str:
        """What opens the board there: the token, or the credentials of the worker who asks."""
        if self._token is not None:
            return self._token
        if request.run is None:
            raise NotLoggedIn(
                f"{self._url} needs a token: `--token TOKEN`, `--token @FILE`, or SHOPFLOOR_URL_TOKEN; "
                "`shop token create NAME` makes one there"
            )
        return f"{request.run}:{request.token}"


def _secret(given: str | None) -> str | None:
    """A token as it was given, or as it stands in a file."""
    if given is None or not given.startswith("@"):
        return given
    try:
        return Path(given[1:]).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as wrong:
        raise Invalid(f"the token file {given[1:]!r} cannot be read: {wrong}") from None


def _body(request: Ask) -> bytes:
    told = {"op": request.op, "board": request.board, "request_id": request.request_id}
    around = json.dumps({name: value for name, value in told.items() if value is not None})
    return around.encode()[:-1] + b', "args": ' + request.args + b"}"
