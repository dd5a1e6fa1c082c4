"""The web: who comes in, and where each request is answered.

In this order for every request: its Host and Origin, who asks, what is asked.  Nothing of a board is
read for whom nobody knows; what needs no login is the dashboard's files, which say nothing of a board,
the login itself, and whether this process is well.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from shopfloor.domain.errors import BoardError, Forbidden, Invalid, NotFound
from shopfloor.domain.settings_web import Web
from shopfloor.surfaces.door import Door
from shopfloor.surfaces.web import catalog
from shopfloor.surfaces.web.answers import Status, refusal, told, value
from shopfloor.surfaces.web.api import Api
from shopfloor.surfaces.web.body import Incoming, number
from shopfloor.surfaces.web.files import TaskFiles
from shopfloor.surfaces.web.guard import Guard
from shopfloor.surfaces.web.live import Live
from shopfloor.surfaces.web.measures import Measures
from shopfloor.surfaces.web.metrics import Metrics
from shopfloor.surfaces.web.sessions import Sessions
from shopfloor.surfaces.web.static import INDEX, Pages
from shopfloor.surfaces.web.texts import Texts
from shopfloor.surfaces.web.tools import LazyTools
from shopfloor.surfaces.web.who import Keys, Reception, Who

PREFIX = "/api/v1"
DOCUMENT = Path(__file__).with_name("openapi.json")
_PAGE_PATHS = re.compile(r"/|/login|/b/[^/]+(/.*)?")
_FILE = re.compile(PREFIX + r"/tasks/([0-9]+)/attachments/([^/]+)")
_LOG = re.compile(PREFIX + r"/tasks/([0-9]+)/log\.html")

Handler = Callable[[Request, Who], Awaitable[Response]]


class Own(NamedTuple):
    """An address that is no operation: its method, who answers it, and whether workers are kept out."""

    method: str
    answer: Handler
    people: bool = False


class WebApp:
    """The application: give it to a server, inside `running()`."""

    def __init__(self, door: Door, web: Web, keys: Keys) -> None:
        self._door = door
        self._guard = Guard(web)
        self._reception = Reception(door, keys, self._guard)
        self._sessions = Sessions(door, keys, self._guard, self._reception, days=web.session_days)
        self._measures = Measures()
        self._api = Api(door, catalog.read(), self._reception, self._measures)
        self._files = TaskFiles(door, self._api, self._reception)
        self._live = Live(door, keys, self._api, self._reception)
        self._metrics = Metrics(door, keys, self._measures, self._live.feeds)
        self._tools = LazyTools(door)
        self._pages = Pages()
        self._own: dict[str, Own] = {
            f"{PREFIX}/call": Own("POST", self._api.call),
            f"{PREFIX}/session": Own("GET", self._sessions.show, people=True),
            f"{PREFIX}/markdown": Own("POST", Texts().markdown),
            f"{PREFIX}/openapi.json": Own("GET", _document),
            "/metrics": Own("GET", self._metrics.show, people=True),
        }

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The context in which requests are answered."""
        try:
            yield
        finally:
            self._live.close()
            await self._tools.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        assert scope["type"] == "http"
        incoming = Incoming(scope, receive)
        request = Request(scope, incoming)
        try:
            self._guard.check(request)
            if request.url.path == f"{PREFIX}/events/stream":
                await self._live.serve(request, await self._reception.recognise(request), send)
                return
            if request.url.path.startswith("/mcp/"):
                await self._tools(scope, incoming, send)
                return
            answer = await self._answer(request)
        except (BoardError, Status) as refused:
            await incoming.rest()
            answer = refusal(refused)
        self._measures.answered(request.method, answer.status_code)
        await answer(scope, incoming, send)

    async def _answer(self, request: Request) -> Response:
        path = request.scope["path"]
        open_to_all = self._open(request, path)
        if open_to_all is not None:
            return await open_to_all
        who = await self._reception.recognise(request)
        return await self._known(request, who, path)

    def _open(self, request: Request, path: str) -> Awaitable[Response] | None:
        """The answer that needs no login, if this is such a path."""
        if path in (f"{PREFIX}/login", f"{PREFIX}/logout"):
            _only(request, "POST")
            way = self._sessions.login if path.endswith("login") else self._sessions.logout
            return way(request)
        if path == "/healthz":
            return _now(value({"ok": True}))
        if path == "/readyz":
            return self._metrics.ready()
        if path in self._own or path.startswith("/api/"):
            return None
        return _now(self._page(request, path))

    async def _known(self, request: Request, who: Who, path: str) -> Response:
        """The answer to somebody who came in."""
        own = self._own.get(path)
        if own is not None:
            _only(request, own.method)
            if own.people and who.worker is not None:
                raise Forbidden(f"{path} is for people, and {who.name} is a worker")
            return await own.answer(request, who)
        raw = request.scope["raw_path"].decode("ascii", "replace")
        if found := _LOG.fullmatch(raw):
            _only(request, "GET")
            return await self._files.log(request, who, number("id", found[1]))
        if (found := _FILE.fullmatch(raw)) and request.method in ("GET", "PUT"):
            way = self._files.get if request.method == "GET" else self._files.put
            return await way(request, who, number("id", found[1]), unquote(found[2]))
        return await self._operation(request, who, raw)

    async def _operation(self, request: Request, who: Who, raw: str) -> Response:
        operation = self._api.catalog.find(request.method, raw)
        if operation is not None:
            values = {name: unquote(text) for name, text in operation.values.items()}
            return await self._api.by_path(request, who, operation._replace(values=values))
        methods = self._api.catalog.methods(raw)
        if methods:
            _only(request, *methods)
        raise NotFound(f"there is nothing at {raw[:200]}; /api/v1/openapi.json lists what there is")

    def _page(self, request: Request, path: str) -> Response:
        """A file of the dashboard, or its one page for the addresses that it makes itself."""
        _only(request, "GET", "HEAD")
        name = INDEX if _PAGE_PATHS.fullmatch(path) else path.removeprefix("/static/")
        found = self._pages.answer(request, name)
        if found is None:
            raise NotFound(f"there is no page at {path[:200]}")
        return found


async def _document(request: Request, who: Who) -> Response:  # noqa: ARG001 - as all are called
    """`GET /api/v1/openapi.json`: what can be asked, for programs."""
    return told(DOCUMENT.read_bytes())


async def _now(answer: Response) -> Response:
    """An answer that is there already."""
    return answer


def _only(request: Request, *methods: str) -> None:
    """Raise for another method than these."""
    if request.method not in methods:
        refused = Invalid(
            f"{request.method} is not known here; this address takes {', '.join(methods)}"
        )
        raise Status(refused, 405, Allow=", ".join(methods))
