"""A task's files over HTTP as they are: bytes in, bytes out.

An upload is written to a temporary file while it comes, and from there to the door piece by piece, so that many
large ones together take no more memory than a small one.  A file goes out as a download: what somebody
attached is never shown as a page of this server.
"""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
import tempfile
from collections.abc import Iterator
from typing import IO, Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from shopfloor.domain.limits import ATTACHMENT_BYTES_MAX
from shopfloor.surfaces.door import Door
from shopfloor.surfaces.mcp.visitor import RESULT, result_of
from shopfloor.surfaces.web.ansi import html
from shopfloor.surfaces.web.answers import API, told, value
from shopfloor.surfaces.web.api import Api, Asked, envelope, refused
from shopfloor.surfaces.web.body import number, pieces
from shopfloor.surfaces.web.who import Reception, Who

SPOOLED_BYTES = 256 * 1024
# A multiple of three, so that the pieces' base64 is the whole's.
PIECE_BYTES = 3 * 64 * 1024
UPLOADS_MAX = 8
SANDBOX = {
    **API,
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cache-Control": "no-cache",
}
# Pictures may be shown in a page of ours; everything else is a download.
SHOWN = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
}


class TaskFiles:
    """Attachments and logs."""

    def __init__(self, door: Door, api: Api, reception: Reception) -> None:
        self._door = door
        self._reception = reception
        self._api = api
        self._uploads = asyncio.Semaphore(UPLOADS_MAX)

    async def put(self, request: Request, who: Who, task: int, name: str) -> Response:
        """Keep the body as a file of a task; a name that is taken gets a suffix, and the answer says it."""
        route = self._api.route("task.attach")
        await self._reception.allow(request, who, route)
        given = envelope(
            who,
            Asked(route, {"id": task, "name": name, "content": ""}, _board(request), _key(request)),
        )
        async with self._uploads:
            with tempfile.SpooledTemporaryFile(SPOOLED_BYTES) as file:
                async for piece in pieces(request, ATTACHMENT_BYTES_MAX):
                    await asyncio.to_thread(file.write, piece)
                answer = await self._door.ask_in_pieces(lambda: _line(given, file))
        return told(answer[len(RESULT) : -1], 201) if answer.startswith(RESULT) else refused(answer)

    async def get(self, request: Request, who: Who, task: int, name: str) -> Response:
        """A file of a task, as a download."""
        asked = Asked(
            self._api.route("task.fetch"), {"id": task, "name": name}, _board(request), None
        )
        found = json.loads(result_of(await self._api.ask(request, who, asked)))
        data = base64.b64decode(found["content"])
        ending = name[name.rfind(".") :].lower() if "." in name else ""
        shown = SHOWN.get(ending)
        manner = "inline" if shown else "attachment"
        headers = {
            **SANDBOX,
            "Content-Type": shown or "application/octet-stream",
            "Content-Disposition": f"{manner}; filename*=UTF-8''{quote(name, safe='')}",
        }
        return Response(data, headers=headers)

    async def log(self, request: Request, who: Who, task: int) -> Response:
        """The end of a task's log as HTML."""
        args: dict[str, Any] = {"id": task}
        given = request.query_params.get("tail_bytes")
        if given is not None:
            args["tail_bytes"] = number("tail_bytes", given)
        asked = Asked(self._api.route("task.log"), args, _board(request), None)
        found = json.loads(result_of(await self._api.ask(request, who, asked)))
        shown = await asyncio.to_thread(html, found["text"])
        kept = {name: found[name] for name in ("size", "truncated", "path", "exists")}
        return value({"html": shown, **kept})


def _line(given: dict[str, object], file: IO[bytes]) -> Iterator[bytes]:
    """The request's line in pieces, with the file's bytes in their place."""
    mark = f"content-{secrets.token_hex(8)}"
    args = {**given["args"], "content": mark}  # type: ignore[dict-item]
    before, _, after = json.dumps({**given, "args": args}).partition(mark)
    yield before.encode()
    file.seek(0)
    while piece := file.read(PIECE_BYTES):
        yield base64.b64encode(piece)
    yield after.encode()


def _board(request: Request) -> str | None:
    return request.query_params.get("board")


def _key(request: Request) -> str | None:
    return request.headers.get("idempotency-key")
