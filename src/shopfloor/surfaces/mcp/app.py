"""The HTTP side of the tools: who may come in, and what the protocol's library makes of the rest.

Every request is a POST with a bearer token to `/mcp/BOARD` and is answered with plain JSON, without
sessions: each is complete in itself, so a worker does not notice when this process is replaced.  Both
generations of the protocol are served, as `docs/decisions` says.  Host and Origin are checked before
anything else, because a web page may send requests to an address of this machine.
"""

from __future__ import annotations

import json
import re
import secrets
from typing import Any

from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecurityMiddleware, TransportSecuritySettings
from mcp.types import (
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    ToolAnnotations,
)
from mcp.types import Tool as WireTool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from shopfloor import __version__
from shopfloor.domain.errors import BoardError, Forbidden, Invalid, NotFound, Unavailable
from shopfloor.domain.limits import KEY_CHARS_MAX
from shopfloor.surfaces.door import Door
from shopfloor.surfaces.mcp.calls import Desk
from shopfloor.surfaces.mcp.catalog import Tool
from shopfloor.surfaces.mcp.visitor import Visitor, recognise

INSTRUCTIONS = (
    "You are the worker of one task on a work board. These tools are how you read it, talk to people and "
    "give your verdict. Read the task first (task_context or task_show). End by exactly one verdict: "
    "task_complete when the work is done, task_block when you cannot go on, or the request for a review or "
    "for changes. Without a verdict your work does not count. No tools here means that your run is over: "
    "stop and end your turn."
)
BODY_BYTES_MAX = 4 * 1024 * 1024
REQUEST_ID = "shop-request-id"
VISITOR = "shopfloor.visitor"
LOCAL = ("127.0.0.1", "localhost", "[::1]")
_PATH = re.compile(r"/mcp/([a-z0-9][a-z0-9_-]{0,63})/?")


class Tools:
    """The application: give it to a server, inside `running()`."""

    def __init__(self, door: Door, tools: dict[str, Tool], *, guarded: bool = True) -> None:
        """Without `guarded`, whoever stands before this has looked at Host and Origin."""
        self._guarded = guarded
        self._door = door
        self._desk = Desk(door, tools)
        self._schemas = {tool.name: tool.schema for tool in tools.values()}
        self._wire = {tool.op: _wire(tool) for tool in tools.values()}
        server: Server[Any] = Server(
            "shopfloor",
            version=__version__,
            instructions=INSTRUCTIONS,
            get_tool_input_schema=self._schemas.get,
            on_list_tools=self._list,
            on_call_tool=self._call,
        )
        # Nobody collects traces here, and each request would pay for making one.
        server.middleware.clear()
        self._manager = StreamableHTTPSessionManager(
            server, json_response=True, stateless=True, max_request_body_size=BODY_BYTES_MAX
        )
        self._security = TransportSecurityMiddleware(
            TransportSecuritySettings(
                allowed_hosts=[*LOCAL, *(f"{host}:*" for host in LOCAL)],
                allowed_origins=[f"http://{host}:*" for host in LOCAL],
            )
        )

    def running(self) -> Any:
        """The context in which requests are answered."""
        return self._manager.run()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        assert scope["type"] == "http"
        request = Request(scope, receive)
        refused = await self._security.validate_request(request) if self._guarded else None
        if refused is None:
            refused = await self._enter(request)
        if refused is not None:
            await refused(scope, receive, send)
            return
        await self._manager.handle_request(scope, receive, send)

    async def _enter(self, request: Request) -> Response | None:
        """Find out who asks; the answer to whom nobody is known by, or who asks for another thing."""
        path = _PATH.fullmatch(request.url.path)
        if path is None:
            return _refused(NotFound("the tools of a board are at /mcp/BOARD"), 404)
        if request.method != "POST":
            wrong = Invalid("there is no stream and no session here: every request is a POST")
            return _refused(wrong, 405, Allow="POST")
        try:
            shown = request.headers.get("authorization", "")
            request.scope[VISITOR] = await recognise(self._door, path[1], shown)
        except Forbidden as wrong:
            return _refused(wrong, 401, **{"WWW-Authenticate": "Bearer"})
        except Unavailable as wrong:
            return _refused(wrong, wrong.http, **{"Retry-After": "5"})
        except BoardError as wrong:
            return _refused(wrong, wrong.http)
        return None

    async def _list(
        self, context: ServerRequestContext[Any], _: PaginatedRequestParams | None
    ) -> ListToolsResult:
        visitor = _visitor(context)
        found = [self._wire[tool.op] for tool in self._desk.tools_of(visitor)]
        return ListToolsResult(tools=found, ttl_ms=0, cache_scope="private")

    async def _call(
        self, context: ServerRequestContext[Any], params: CallToolRequestParams
    ) -> CallToolResult:
        given = context.request.headers.get(REQUEST_ID) if context.request else None
        request_id = (given or secrets.token_hex(12))[:KEY_CHARS_MAX]
        return await self._desk.call(
            _visitor(context), params.name, params.arguments or {}, request_id
        )


def _visitor(context: ServerRequestContext[Any]) -> Visitor:
    assert context.request is not None
    visitor = context.request.scope[VISITOR]
    assert isinstance(visitor, Visitor)
    return visitor


def _wire(tool: Tool) -> WireTool:
    """A tool as the protocol tells it."""
    return WireTool(
        name=tool.name,
        description=tool.description,
        input_schema=tool.schema,
        annotations=ToolAnnotations(
            read_only_hint=not tool.writes, destructive_hint=False, open_world_hint=False
        ),
    )


def _refused(wrong: BoardError, status: int, **headers: str) -> Response:
    return Response(
        json.dumps(wrong.as_dict()), status, headers=headers, media_type="application/json"
    )
