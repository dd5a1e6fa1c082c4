"""Make the catalogue of HTTP routes from the registry: with `document.py` the files here that load it."""

from __future__ import annotations

import json
from typing import Any

from msgspec import inspect

from shopfloor.ops.registry import Operation, everything
from shopfloor.surfaces.web.catalog import Kind, Pages, Parameter, Route

ONE = "/{id}"
# What an entry of a list is told from the others by, the first that it has.
NAMES = ("id", "slug", "key", "name", "account")


def text() -> str:
    """What `routes.jsonl` has to say: one operation a line."""
    return "".join(f"{_line(route)}\n" for route in made())


def _line(route: Route) -> str:
    told = route._asdict()
    told["fields"] = [list(one) for one in route.fields.values()]
    return json.dumps(told)


def made() -> list[Route]:
    """Every operation with its route."""
    return [route_of(op) for op in everything().values()]


def route_of(op: Operation) -> Route:
    """An operation as HTTP has it."""
    method, path = op.route.split(" ")
    shape = inspect.type_info(op.request)
    assert isinstance(shape, inspect.StructType)
    fields = {field.encode_name: _parameter(field) for field in shape.fields}
    several = None
    if op.many:
        assert ONE in path, f"{op.name} takes several tasks and names none"
        several = path.replace(ONE, "")
        fields["ids"] = Parameter("ids", "integer", listed=True)
    return Route(op.name, method, path, several, op.role, op.writes, op.admin, _pages(op), fields)


def _pages(op: Operation) -> Pages | None:
    """How this list goes on, if it is one that comes in pages."""
    names = op.request.__struct_fields__
    cursor = next((name for name in ("before", "after") if name in names), None)
    if cursor is None or "limit" not in names:
        return None
    asked = inspect.type_info(op.request)
    assert isinstance(asked, inspect.StructType)
    limit = next(field.default for field in asked.fields if field.encode_name == "limit")
    shape = inspect.type_info(op.result)
    if isinstance(shape, inspect.ListType):
        assert isinstance(shape.item_type, inspect.StructType)
        entry = {field.encode_name for field in shape.item_type.fields}
        return Pages(cursor, next(name for name in NAMES if name in entry), limit)
    assert isinstance(shape, inspect.StructType)
    # A cursor that the answer says is its last field, where it is found without reading the rest.
    return Pages(cursor, None, limit) if shape.fields[-1].encode_name == "next" else None


def _parameter(field: inspect.Field) -> Parameter:
    kind, listed = _kind(field.type)
    return Parameter(field.encode_name, kind, listed)


def _kind(shape: Any) -> tuple[Kind, bool]:
    """How a text is read as a value of this type, and whether several may be given."""
    if isinstance(shape, inspect.Metadata):
        return _kind(shape.type)
    if isinstance(shape, inspect.UnionType):
        kinds = {_kind(one) for one in shape.types if not isinstance(one, inspect.NoneType)}
        return kinds.pop() if len(kinds) == 1 else ("json", False)
    if isinstance(shape, inspect.ListType):
        return _kind(shape.item_type)[0], True
    if isinstance(shape, inspect.LiteralType):
        return ("text" if all(isinstance(one, str) for one in shape.values) else "json"), False
    plain: dict[type, Kind] = {
        inspect.StrType: "text",
        inspect.DateTimeType: "text",
        inspect.IntType: "integer",
        inspect.FloatType: "number",
        inspect.BoolType: "boolean",
    }
    return plain.get(type(shape), "json"), False
