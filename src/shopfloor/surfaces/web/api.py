"""Operations over HTTP: one address for all of them by name, and one for each by its own path.

Both make the same request and send it through the door.  What is asked by path is made from path, query
and body by the catalogue; whether it makes sense is for the door to say.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from typing import Any, NamedTuple
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from shopfloor.domain.errors import BY_CODE, Invalid, NotFound, Unavailable
from shopfloor.domain.limits import ATTACHMENT_BYTES_MAX, KEY_CHARS_MAX
from shopfloor.surfaces.door import Door
from shopfloor.surfaces.mcp.visitor import RESULT
from shopfloor.surfaces.web.answers import RETRY_AFTER_S, Status, told
from shopfloor.surfaces.web.body import body
from shopfloor.surfaces.web.catalog import Catalog, Found, Parameter, Route
from shopfloor.surfaces.web.measures import Measures
from shopfloor.surfaces.web.who import Reception, Who

CALL_BYTES_MAX = ATTACHMENT_BYTES_MAX * 4 // 3 + (1 << 20)
BODY_BYTES_MAX = 2 << 20
KEY = "idempotency-key"
CURSOR_BYTES_MAX = 1024
_NEXT = re.compile(rb'"next":("[^"\\]*")\}$')
_FIELDS = ("op", "args", "board", "request_id")


class Asked(NamedTuple):
    """One request to the board."""

    route: Route
    args: dict[str, Any]
    board: str | None
    request_id: str | None


class Api:
    """Carries out operations for people and workers who came in."""

    def __init__(
        self, door: Door, catalog: Catalog, reception: Reception, measures: Measures
    ) -> None:
        self._door = door
        self._reception = reception
        self._measures = measures
        self.catalog = catalog

    async def call(self, request: Request, who: Who) -> Response:
        """`POST /api/v1/call`: an operation by its name; the answer is the door's own."""
        given = await json_object(request, CALL_BYTES_MAX)
        answer = await self.ask(request, who, self._named(given, request))
        if answer.startswith(RESULT):
            return told(answer)
        return refused(answer)

    async def by_path(self, request: Request, who: Who, found: Found) -> Response:
        """An operation by its own method and path; the answer is its result."""
        asked = await _by_path(request, found)
        answer = await self.ask(request, who, asked)
        if not answer.startswith(RESULT):
            return refused(answer)
        result = answer[len(RESULT) : -1]
        cursor = next_page(found.route, asked.args, result)
        return told(result, headers=None if cursor is None else {"Link": _link(request, *cursor)})

    async def ask(self, request: Request, who: Who, asked: Asked) -> bytes:
        """The door's answer; raises Forbidden for what this caller may not ask."""
        await self._reception.allow(request, who, asked.route)
        begun = time.perf_counter()
        answer = await self._door.ask(envelope(who, asked))
        self._measures.asked(asked.route.op, time.perf_counter() - begun)
        return answer

    def route(self, op: str) -> Route:
        """The operation of that name; raises NotFound."""
        route = self.catalog.by_op.get(op)
        if route is None:
            raise NotFound(f"there is no operation {op[:200]!r}; /api/v1/openapi.json lists them")
        return route

    def _named(self, given: dict[str, Any], request: Request) -> Asked:
        unknown = [name for name in given if name not in _FIELDS]
        if unknown:
            raise Invalid(f"a call has {', '.join(_FIELDS)}, and not {unknown[0][:200]!r}")
        op, args = given.get("op"), given.get("args", {})
        if not isinstance(op, str) or not isinstance(args, dict):
            raise Invalid("a call needs `op`, the operation's name, and `args`, an object")
        board, request_id = given.get("board"), given.get("request_id")
        for name, value in (("board", board), ("request_id", request_id)):
            if value is not None and not isinstance(value, str):
                raise Invalid(f"`{name}` is a text")
        return Asked(self.route(op), args, board, request_id or _key(request))


def envelope(who: Who, asked: Asked) -> dict[str, object]:
    """A request as the door takes it.  A write gets an id, so that it is done once however often it is sent."""
    made: dict[str, object] = {"op": asked.route.op, "args": asked.args}
    if who.worker is not None:
        made |= {"run": who.worker.run, "token": who.worker.token, "board": who.worker.board}
    else:
        made["actor"] = who.name
        if asked.board is not None:
            made["board"] = asked.board
    if asked.route.writes:
        made["request_id"] = asked.request_id or secrets.token_hex(12)
    return made


def next_page(route: Route, args: dict[str, Any], result: bytes) -> tuple[str, Any] | None:
    """The field and the value that lead to the next page; None at the end, or for what has no pages."""
    if route.pages is None:
        return None
    if route.pages.entry is None:
        found = _NEXT.search(result, max(len(result) - CURSOR_BYTES_MAX, 0))
        return found and (route.pages.cursor, json.loads(found[1]))
    entries = json.loads(result)
    if len(entries) < args.get("limit", route.pages.limit):
        return None
    return route.pages.cursor, entries[-1][route.pages.entry]


def _link(request: Request, field: str, cursor: Any) -> str:
    """Where the next page is, as a header says it."""
    kept = [(name, text) for name, text in request.query_params.multi_items() if name != field]
    return f'<{request.url.path}?{urlencode([*kept, (field, cursor)])}>; rel="next"'


async def _by_path(request: Request, found: Found) -> Asked:
    route = found.route
    given: dict[str, list[str]] = {}
    for name, text in request.query_params.multi_items():
        given.setdefault(name, []).append(text)
    board = given.pop("board", [None])[-1]
    args = {name: _from_texts(route, name, texts) for name, texts in given.items()}
    if request.method in ("POST", "PATCH", "PUT"):
        args |= await json_object(request, BODY_BYTES_MAX)
    for name, text in found.values.items():
        if name in args:
            raise Invalid(f"`{name}` stands in the path, so it cannot be given again")
        args[name] = _value(route.fields[name], text)
    return Asked(route, args, board, _key(request))


def _from_texts(route: Route, name: str, texts: list[str]) -> Any:
    """A field of the query; given several times it is a list, which may also be parted by commas for numbers."""
    field = route.fields.get(name)
    if field is None:
        raise Invalid(f"{route.method} {route.path} has no field {name[:200]!r}")
    if not field.listed:
        if len(texts) > 1:
            raise Invalid(f"`{name}` is given {len(texts)} times, and it is no list")
        return _value(field, texts[0])
    if field.kind == "integer":
        texts = [part for text in texts for part in text.split(",")]
    return [_value(field, text) for text in texts]


def _value(field: Parameter, text: str) -> Any:
    """A text of a path or query as its field's kind; what is none stays a text, and the door refuses it."""
    if field.kind == "text":
        return text
    if field.kind == "boolean":
        return {"true": True, "false": False, "1": True, "0": False, "": True}.get(text, text)
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return found


def _key(request: Request) -> str | None:
    key = request.headers.get(KEY)
    if key is not None and not 1 <= len(key) <= KEY_CHARS_MAX:
        raise Invalid(f"an Idempotency-Key has 1 to {KEY_CHARS_MAX} characters")
    return key


async def json_object(request: Request, most: int) -> dict[str, Any]:
    """The JSON object in a body; raises Invalid, and LimitReached for one that is too large."""
    data = await body(request, most)
    if not data.strip():
        return {}
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Status(
            Invalid(f"the body must be JSON (Content-Type: application/json), not {kind[:100]!r}"),
            415,
        )
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        raise Invalid("the body is no JSON") from None
    if not isinstance(found, dict):
        raise Invalid("the body must be a JSON object")
    return found


def refused(answer: bytes) -> Response:
    """The door's refusal with its HTTP status."""
    code = json.loads(answer)["error"]["code"]
    kind = BY_CODE.get(code)
    status = 500 if kind is None else kind.http
    return told(answer, status, {"Retry-After": RETRY_AFTER_S} if kind is Unavailable else None)
