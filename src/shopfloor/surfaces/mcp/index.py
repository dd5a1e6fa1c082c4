"""Make the list of tools from the registry: the one file of this surface that loads it.

A tool is an operation that is marked for agents.  Its schema is the request's, in the plain form that
every agent program understands: no references, no unions with null, an object at the top.  The words are
those of the command line without what only a command line has.
"""

from __future__ import annotations

import json
import re
from typing import Any

from msgspec import inspect

from shopfloor.ops.registry import Operation, everything
from shopfloor.ops.schema import schema
from shopfloor.surfaces.mcp.catalog import Tool

OWN_TASK = "The task's number; your own task if you leave it out."
PATH = "The file: a path in your workspace, whole or relative to it."
URL = "Instead of a path, a public address that it is fetched from: http:// or https://."
NAME = "Another name for it than its own."
# What a description says about the command line alone.
_OF_THE_COMMAND_LINE = re.compile(
    r";? ?`-` reads standard input(, `@FILE` a file)?|,? or `@FILE`|; may be given again| after `--`"
)
_FLAG = re.compile(r"--([a-z][a-z-]*)")
_COMMAND = re.compile(r"`shop ([a-z-]+)`")


def text() -> str:
    """What `tools.jsonl` has to say: one tool a line."""
    told = (json.dumps(tool._asdict(), ensure_ascii=False) for tool in made())
    return "".join(f"{line}\n" for line in told)


def made() -> list[Tool]:
    """Every operation that agents have as a tool."""
    return [tool_of(op) for op in everything().values() if op.tools]


def tool_of(op: Operation) -> Tool:
    """An operation as a tool."""
    shape = _plain(schema(op.request))
    fields = shape.setdefault("properties", {})
    own_task = "/tasks/{id}" in op.route and op.role != "person"
    if own_task:
        fields["id"]["description"] = OWN_TASK
        shape["required"].remove("id")
    file = {"name", "content"} <= fields.keys()
    if file:
        _by_path(shape)
    if not shape.get("required"):
        shape.pop("required", None)
    return Tool(
        name=op.name.replace(".", "_"),
        op=op.name,
        audience=sorted(op.tools),
        writes=not op.route.startswith("GET "),
        own_task=own_task,
        file=file,
        text=_text_field(op.result),
        description=f"{_words(op.doc)}\n\n{op.when}".strip(),
        schema=shape,
    )


def _by_path(shape: dict[str, Any]) -> None:
    """Let a model name a file instead of spelling its bytes out."""
    fields = shape["properties"]
    del fields["content"]
    fields["path"] = {"type": "string", "minLength": 1, "description": PATH}
    fields["name"]["description"] = NAME
    fields["url"]["description"] = URL


def _text_field(result: Any) -> str | None:
    """The field of the answer that is a text for readers, if it has one."""
    shape = inspect.type_info(result)
    if not isinstance(shape, inspect.StructType):
        return None
    return "text" if any(field.name == "text" for field in shape.fields) else None


def _words(doc: str) -> str:
    """The documentation in a model's terms: paragraphs on one line, tools for commands."""
    parts = [" ".join(part.split()) for part in doc.split("\n\n")]
    return "\n\n".join(_said(part) for part in parts)


def _said(words: str) -> str:
    words = _OF_THE_COMMAND_LINE.sub("", words)
    words = _COMMAND.sub(lambda found: f"`{found[1].replace('-', '_')}`", words)
    return _FLAG.sub(lambda found: found[1].replace("-", "_"), words)


def _plain(whole: dict[str, Any]) -> dict[str, Any]:
    """The schema of a request with everything in its place, and nothing that says nothing."""
    parts = whole.get("$defs", {})

    def inline(node: Any) -> Any:
        if isinstance(node, list):
            return [inline(one) for one in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            return inline(parts[node["$ref"].rpartition("/")[2]])
        if "anyOf" in node:
            return inline(_without_null(node))
        return _tidy({name: inline(value) for name, value in node.items() if name != "$defs"})

    found: dict[str, Any] = inline(whole)
    found.pop("description", None)
    return found


def _without_null(node: dict[str, Any]) -> dict[str, Any]:
    """What may be left out need not be null: the alternative that is left, with the field's own words."""
    others = [one for one in node["anyOf"] if one != {"type": "null"}]
    around = {name: value for name, value in node.items() if name != "anyOf"}
    return {**others[0], **around} if len(others) == 1 else {"oneOf": others, **around}


def _tidy(node: dict[str, Any]) -> dict[str, Any]:
    """A schema's own words in order; the properties of an object are no schema and stay as they are."""
    if "properties" in node:
        for one in node["properties"].values():
            if isinstance(one.get("description"), str):
                one["description"] = _said(one["description"])
            if one.keys() <= {"description", "default"}:
                # A type-less field is "any JSON"; models are asked for an object.
                one |= {"type": "object", "additionalProperties": True}
            if one.get("default") in (None, "", [], False, {}):
                one.pop("default", None)
    if "enum" in node:
        node.setdefault("type", "string")
    if isinstance(node.get("type"), str):
        node.pop("title", None)
    return node
