"""The operations as HTTP has them: one line of JSON each, in `routes.jsonl`.

The file is made from the registry by `index.py`, so that the process of the web need not load the
operations, the kernel and the store; a test compares the two.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Literal, NamedTuple

FILE = Path(__file__).with_name("routes.jsonl")

Kind = Literal["text", "integer", "number", "boolean", "json"]
_SEGMENT = {"integer": "[0-9]+", "text": "[^/]+"}


class Parameter(NamedTuple):
    """A field of a request as a path or a query gives it: text that is read as its kind."""

    name: str
    kind: Kind
    listed: bool = False


class Pages(NamedTuple):
    """How a list goes on: the field that takes a cursor, what of a page's last entry that is, and the usual limit.

    Without an entry's field the answer says it itself, as `next`.
    """

    cursor: str
    entry: str | None
    limit: int


class Route(NamedTuple):
    """One operation: what it is asked by, and what it needs of who asks.

    `several` is the path that takes `ids` in the place of one number; `fields` may stand in path and query.
    """

    op: str
    method: str
    path: str
    several: str | None
    role: str
    writes: bool
    admin: bool
    pages: Pages | None
    fields: dict[str, Parameter]


class Found(NamedTuple):
    """The operation that a path leads to, and what the path itself says."""

    route: Route
    values: dict[str, str]


class Catalog:
    """All operations, found by name or by method and path."""

    def __init__(self, routes: list[Route]) -> None:
        self.by_op = {route.op: route for route in routes}
        self._patterns = [
            (route, re.compile(pattern)) for route in routes for pattern in _patterns(route)
        ]

    def find(self, method: str, path: str) -> Found | None:
        """The operation with this method at this path."""
        for route, pattern in self._patterns:
            if route.method == method and (found := pattern.fullmatch(path)):
                return Found(route, found.groupdict())
        return None

    def methods(self, path: str) -> list[str]:
        """The methods that this path knows."""
        return sorted({route.method for route, one in self._patterns if one.fullmatch(path)})


def read() -> Catalog:
    """The catalogue that is installed."""
    lines = FILE.read_text(encoding="utf-8").splitlines()
    return Catalog([_route(json.loads(line)) for line in lines])


def _route(told: dict[str, Any]) -> Route:
    told["pages"] = told["pages"] and Pages(*told["pages"])
    told["fields"] = {name: Parameter(name, *rest) for name, *rest in told["fields"]}
    return Route(**told)


def _patterns(route: Route) -> list[str]:
    return [_pattern(route, path) for path in (route.several, route.path) if path is not None]


def _pattern(route: Route, path: str) -> str:
    def named(found: re.Match[str]) -> str:
        kind = route.fields[found[1]].kind
        return f"(?P<{found[1]}>{_SEGMENT.get(kind, '[^/]+')})"

    return re.sub(r"\{(\w+)\}", named, re.escape(path).replace(r"\{", "{").replace(r"\}", "}"))
