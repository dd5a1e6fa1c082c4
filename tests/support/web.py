"""The web of a home as programs and browsers meet it: plain HTTP over real connections."""

from __future__ import annotations

import http.client
import json
import re
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from tests.support.home import Daemon, Home

WAIT_S = 120.0
LINK = re.compile(r"dashboard: (\S+)/login#token=(\S+)")


class Said(NamedTuple):
    """An answer over HTTP."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The code of a refusal."""
        return str(self.json["error"]["code"])


class Web:
    """The address of a home's web, and one who asks there; `shown` is a bearer, `cookie` a browser's."""

    def __init__(self, url: str, *, shown: str | None = None, cookie: str | None = None) -> None:
        self.url = url
        parts = urlsplit(url)
        assert parts.hostname is not None
        assert parts.port is not None
        self.host, self.port = parts.hostname, parts.port
        self.shown = shown
        self.cookie = cookie

    def bearer(self, shown: str) -> Web:
        """The same address for who shows this token."""
        return Web(self.url, shown=shown)

    def stranger(self) -> Web:
        """The same address for somebody nobody knows."""
        return Web(self.url)

    def send(self, method: str, path: str, body: bytes | None = None, **headers: Any) -> Said:
        """One request as it is; a header that is None is left out."""
        given: dict[str, Any] = {}
        if self.shown is not None:
            given["Authorization"] = f"Bearer {self.shown}"
        if self.cookie is not None:
            given |= {"Cookie": self.cookie, "X-Shopfloor": "1"}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection(self.host, self.port, timeout=WAIT_S)
        try:
            connection.request(
                method, path, body, {name: one for name, one in given.items() if one is not None}
            )
            answer = connection.getresponse()
            told = {name.lower(): value for name, value in answer.getheaders()}
            return Said(answer.status, told, answer.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: Any) -> Said:
        return self.send("GET", path, **headers)

    def post(self, path: str, given: Any = None, **headers: Any) -> Said:
        """Send JSON."""
        body = json.dumps({} if given is None else given).encode()
        return self.send("POST", path, body, **{"Content-Type": "application/json", **headers})

    def call(self, op: str, board: str | None = None, **args: Any) -> Any:
        """The result of an operation."""
        said = self.post("/api/v1/call", {"op": op, "args": args, "board": board})
        assert said.status == 200, said
        return said.json["result"]

    def refused(self, op: str, **args: Any) -> Said:
        """The refusal of an operation that must be refused."""
        said = self.post("/api/v1/call", {"op": op, "args": args})
        assert said.status >= 400, said
        return said

    def login(self, secret: str) -> Web:
        """A browser that has logged in."""
        said = self.post("/api/v1/login", {"token": secret}, X_Shopfloor="1", Authorization=None)
        assert said.status == 200, said
        return Web(self.url, cookie=said.headers["set-cookie"].partition(";")[0])


def link_of(daemon: Daemon) -> tuple[str, str]:
    """The address and the secret of the login link that `shop up` has printed."""
    found = LINK.search(daemon.log())
    assert found is not None, daemon.log()
    return found[1], found[2]


def web_of(home: Home, daemon: Daemon, role: str = "admin", name: str = "ann") -> Web:
    """A home's web for the bearer of a new token."""
    url, _ = link_of(daemon)
    secret = home.ask("token.create", name=name, role=role)["secret"]
    return Web(url, shown=secret)
