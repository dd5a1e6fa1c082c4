"""One call of a tool: the arguments made whole, the board asked, the answer put into words.

What a worker may do is for the board to say.  Here is only refused what no request can be made of, and
reading by a run that is over; a write of such a run goes to the board, which refuses it and writes that
down.
"""

from __future__ import annotations

import asyncio
import base64
import re
from pathlib import Path
from typing import Any

from mcp.types import CallToolResult

from shopfloor.domain.errors import BoardError, Forbidden, Invalid, LimitReached, NotFound, Stale
from shopfloor.domain.limits import ATTACHMENT_BYTES_MAX
from shopfloor.surfaces.door import Door
from shopfloor.surfaces.mcp.answers import answer, refusal
from shopfloor.surfaces.mcp.catalog import Tool
from shopfloor.surfaces.mcp.visitor import Visitor, result_of

READS_NEWS = "task.inbox"
_NUMBER = re.compile(r"#?([0-9]{1,18})")


class Desk:
    """Carries out the calls of all workers."""

    def __init__(self, door: Door, tools: dict[str, Tool]) -> None:
        self._door = door
        self._tools = tools
        self._by_name = {tool.name: tool for tool in tools.values()}

    def tools_of(self, visitor: Visitor) -> list[Tool]:
        """The tools that a worker has, in the order of the list."""
        return [self._tools[op] for op in visitor.tools if op in self._tools]

    async def call(
        self, visitor: Visitor, name: str, arguments: dict[str, Any], request_id: str
    ) -> CallToolResult:
        """Carry out a call; a refusal is an answer as well."""
        try:
            tool = self._allowed(visitor, name)
            args = await _whole(tool, visitor, arguments)
            request = visitor.envelope(tool.op, args)
            if tool.writes:
                request["request_id"] = request_id
            result = result_of(await self._door.ask(request))
        except BoardError as refused:
            return refusal(refused)
        unread = 0 if tool.op == READS_NEWS else visitor.unread
        return answer(result, text=tool.text, unread=unread)

    def _allowed(self, visitor: Visitor, name: str) -> Tool:
        tool = self._by_name.get(name)
        if tool is None:
            known = ", ".join(one.name for one in self.tools_of(visitor)) or "none"
            raise NotFound(f"there is no tool {name!r}; yours are: {known}")
        if not visitor.open:
            if tool.writes:
                return tool
            raise Stale(f"{name} is not to be had any more: {visitor.reason}")
        if tool.op not in visitor.tools:
            raise Forbidden(f"{name} is a tool for: {', '.join(tool.audience)}; this run is none")
        return tool


async def _whole(tool: Tool, visitor: Visitor, arguments: dict[str, Any]) -> dict[str, Any]:
    """The request's arguments: numbers as numbers, the worker's own task, a file's bytes."""
    args = {name: _number(tool, name, value) for name, value in arguments.items()}
    if tool.own_task and args.get("id") is None:
        args["id"] = visitor.task
    if tool.file and args.get("url") is None:
        path = args.pop("path", None)
        if not isinstance(path, str) or not path:
            raise Invalid("`path` names the file to attach, or `url` an address to fetch it from")
        args["name"] = args.get("name") or Path(path).name
        args["content"] = await asyncio.to_thread(_content, path, visitor.workspace)
    return {name: value for name, value in args.items() if value is not None}


def _number(tool: Tool, name: str, value: Any) -> Any:
    """A number that a model wrote as a text, such as `"#42"`; anything else as it is."""
    shape = tool.schema["properties"].get(name, {})
    if shape.get("type") != "integer" or not isinstance(value, str):
        return value
    found = _NUMBER.fullmatch(value.strip())
    return int(found[1]) if found else value


def _content(path: str, workspace: str | None) -> str:
    """The bytes of a file in the workspace, in base64; raises what keeps them from being had."""
    if workspace is None:
        raise Invalid("this run has no workspace, so no file can be taken from it")
    root = Path(workspace).resolve()
    place = (root / path).resolve()
    if not place.is_relative_to(root):
        raise Forbidden(f"{path!r} is not in your workspace {root}; copy it there first")
    try:
        if not place.is_file():
            raise NotFound(f"there is no file {path!r} in your workspace {root}")
        if place.stat().st_size > ATTACHMENT_BYTES_MAX:
            most = ATTACHMENT_BYTES_MAX // (1 << 20)
            raise LimitReached(f"an attachment has at most {most} MB; {path!r} is larger")
        return base64.b64encode(place.read_bytes()).decode()
    except OSError as wrong:
        raise Invalid(f"{path!r} cannot be read: {wrong.strerror}") from None
