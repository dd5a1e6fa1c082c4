"""Make the OpenAPI document from the registry: every operation with its fields, its answer and its errors.

Beside the operations stand the few addresses that are none, in `own_paths.py`.  The document is written to
`openapi.json` by `make docs`, a test compares the two, and another asks the running server for everything that
the document allows.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

from shopfloor import __version__
from shopfloor.domain.errors import (
    BoardError,
    Conflict,
    Forbidden,
    Invalid,
    LimitReached,
    NotFound,
    NotLoggedIn,
    TooOften,
    Unavailable,
)
from shopfloor.domain.limits import BULK_MAX, COUNT_MAX
from shopfloor.ops.registry import Operation, everything
from shopfloor.surfaces.web.index import route_of
from shopfloor.surfaces.web.own_paths import BOARD, KEY, answer, own_paths

Schema = dict[str, Any]
REF = "#/components/schemas/{name}"
# What any request may be answered, whatever it asks.
ALWAYS: tuple[type[BoardError], ...] = (
    Invalid,
    NotLoggedIn,
    Forbidden,
    NotFound,
    TooOften,
    Unavailable,
)
# What is refused of the form of a request, with a status of its own and the code of what is nearest.
MISDIRECTED = 421
FORM = {
    408: ("invalid", "The body came too slowly."),
    415: ("invalid", "The body is no JSON by its Content-Type."),
    MISDIRECTED: ("invalid", "The Host header names another server."),
}


def text() -> str:
    """What `openapi.json` has to say."""
    return _lines(document(), depth=3) + "\n"


def _lines(node: Any, depth: int) -> str:
    """JSON with a line for each path and each part, so that a review sees what has changed."""
    if depth == 0 or not isinstance(node, dict):
        return json.dumps(node, ensure_ascii=False)
    inside = [f"{json.dumps(name)}: {_lines(one, depth - 1)}" for name, one in node.items()]
    return "{" + ",\n".join(inside) + "}"


def document() -> Schema:
    """The whole document."""
    operations = list(everything().values())
    kinds = [kind for op in operations for kind in (op.request, op.result)]
    shapes, components = msgspec.json.schema_components(kinds, ref_template=REF)
    parts = {name: _json_schema(part) for name, part in components.items()}
    parts["Error"] = _error()
    paths: dict[str, Schema] = {}
    for op, request, result in zip(operations, shapes[::2], shapes[1::2], strict=True):
        for path, method, told in _operation(op, _resolved(request, parts), _json_schema(result)):
            paths.setdefault(path, {})[method] = told
    for path, methods in own_paths(refused).items():
        paths.setdefault(path, {}).update(methods)
    # A request's own shape stands where it is used.
    names = {op.request.__name__ for op in operations}
    used = json.dumps(paths) + json.dumps(parts)
    kept = {n: p for n, p in parts.items() if n not in names or REF.format(name=n) in used}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Shopfloor",
            "version": __version__,
            "description": "A board of tasks for agents and commands. The same operations as `shop` has, with the "
            "same answers.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted(kept.items())),
            "responses": _refusals(),
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token of `shop token create`, or `RUN:TOKEN` of a worker.",
                }
            },
        },
    }


def refused(*errors: type[BoardError], body: bool = False) -> Schema:
    """The answers of a request that may be refused for these reasons, beside those for any."""
    found = {leaf.http for error in (*ALWAYS, *errors) for leaf in (error, *_leaves(error))}
    found |= FORM.keys() if body else {MISDIRECTED}
    return {
        str(status): {"$ref": f"#/components/responses/Refused{status}"} for status in sorted(found)
    }


def _refusals() -> Schema:
    """Every status of a refusal with the codes that it has and their words."""
    words: dict[int, dict[str, str]] = {
        status: {code: sentence} for status, (code, sentence) in FORM.items()
    }
    every: list[type[BoardError]] = [BoardError, *_leaves(BoardError)]
    for leaf in every:
        words.setdefault(leaf.http, {})[leaf.code] = (leaf.__doc__ or "").split("\n")[0]
    return {
        f"Refused{status}": answer(
            " ".join(f"`{code}`: {sentence}" for code, sentence in sorted(told.items())),
            _error(sorted(told)),
        )
        for status, told in sorted(words.items())
    }


def _leaves(kind: type[BoardError]) -> list[type[BoardError]]:
    return [leaf for child in kind.__subclasses__() for leaf in (child, *_leaves(child))]


def _error(codes: list[str] | None = None) -> Schema:
    """The one shape of an error."""
    code: Schema = {"type": "string"} if codes is None else {"type": "string", "enum": codes}
    inner = {"code": code, "message": {"type": "string"}, "detail": {"type": "object"}}
    return {
        "type": "object",
        "required": ["error"],
        "properties": {"error": {"type": "object", "required": [*inner], "properties": inner}},
    }


def _operation(op: Operation, request: Schema, result: Schema) -> list[tuple[str, str, Schema]]:
    """An operation at its path, and at the one that takes several tasks."""
    route = route_of(op)
    method = route.method.lower()
    found = [(route.path, method, _told(op, request, result, route.path))]
    if route.several is not None:
        properties = {name: one for name, one in request["properties"].items() if name != "id"}
        properties["ids"] = _IDS
        required = [*(name for name in request.get("required", ()) if name != "id"), "ids"]
        several = {**request, "properties": properties, "required": required}
        told = _told(op, several, {"type": "array", "items": _one_of(result)}, route.several)
        told["operationId"] += ".several"
        told["summary"] += " Several tasks, each with an end of its own."
        found.append((route.several, method, told))
    return found


_IDS: Schema = {
    "type": "array",
    "items": {"type": "integer", "minimum": 1, "maximum": COUNT_MAX},
    "minItems": 1,
    "maxItems": BULK_MAX,
    "description": "The tasks' numbers.",
}


def _one_of(result: Schema) -> Schema:
    """The end of one of several tasks."""
    number: Schema = {"id": {"type": "integer"}}
    return {
        "oneOf": [
            {
                "type": "object",
                "required": ["id", "result"],
                "properties": {**number, "result": result},
            },
            {
                "allOf": [{"$ref": REF.format(name="Error")}],
                "type": "object",
                "required": ["id", "error"],
            },
        ]
    }


def _told(op: Operation, request: Schema, result: Schema, path: str) -> Schema:
    first, _, rest = op.doc.partition("\n\n")
    told: Schema = {
        "operationId": op.name,
        "tags": [op.name.partition(".")[0]],
        "summary": " ".join(first.split()),
        "description": " ".join([*rest.split(), _by_whom(op), _own_errors(op)]).strip(),
        "parameters": [BOARD, *([KEY] if op.writes else [])],
        "responses": {"200": answer("What was asked for.", result)},
    }
    with_body = not op.route.startswith(("GET ", "DELETE "))
    properties = dict(request.get("properties", {}))
    required = request.get("required", ())
    for name in list(properties):
        inside = f"{{{name}}}" in path
        if inside or not with_body:
            shape = properties.pop(name)
            place = "path" if inside else "query"
            told["parameters"].append(_parameter(name, shape, place, name in required))
    if with_body:
        body: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
        if left := [name for name in required if name in properties]:
            body["required"] = left
        told["requestBody"] = {
            "required": bool(left),
            "content": {"application/json": {"schema": body}},
        }
    if route_of(op).pages is not None:
        told["responses"]["200"]["headers"] = {
            "Link": {
                "description": 'The next page, as `<…>; rel="next"`; missing at the end.',
                "schema": {"type": "string"},
            }
        }
    told["responses"] |= refused(
        *op.errors, *((Conflict, LimitReached) if op.writes else ()), body=with_body
    )
    return told


def _own_errors(op: Operation) -> str:
    codes = ", ".join(f"`{error.code}`" for error in op.errors)
    return f"Refused as {codes}." if codes else ""


def _by_whom(op: Operation) -> str:
    if op.admin:
        return "Needs the role admin."
    if op.writes:
        return "Needs the role operator." + (
            " A worker may ask it for its own task." if op.role == "worker" else ""
        )
    return "Needs the role viewer."


def _parameter(name: str, shape: Schema, place: str, required: bool) -> Schema:  # noqa: FBT001 - one of four facts
    """A field in a path or a query, where what is not given is left out instead of null."""
    words = shape.get("description", "")
    plain = _without_null(
        {key: one for key, one in shape.items() if key not in ("description", "default")}
    )
    told: Schema = {"name": name, "in": place, "required": place == "path" or required}
    told["schema"] = (
        {**plain, "minLength": 1} if place == "path" and plain.get("type") == "string" else plain
    )
    if words:
        told["description"] = words
    return told


def _without_null(shape: Schema) -> Schema:
    if "anyOf" not in shape:
        return shape
    others = [one for one in shape["anyOf"] if one != {"type": "null"}]
    around = {key: one for key, one in shape.items() if key != "anyOf"}
    return {**others[0], **around} if len(others) == 1 else {**around, "anyOf": others}


def _resolved(shape: Schema, parts: dict[str, Schema]) -> Schema:
    """A request's own shape instead of the name of it."""
    return parts[shape["$ref"].rpartition("/")[2]] if "$ref" in shape else shape


def _json_schema(node: Any) -> Any:
    """Without what only the command line wants to know of a field, and whole numbers within what a board holds."""
    if isinstance(node, list):
        return [_json_schema(one) for one in node]
    if not isinstance(node, dict):
        return node
    found = {name: _json_schema(one) for name, one in node.items() if name != "cli"}
    if found.get("type") == "integer" and "minimum" in found:
        found.setdefault("maximum", COUNT_MAX)
    return found
