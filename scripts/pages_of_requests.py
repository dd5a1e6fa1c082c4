"""The reference pages about what can be asked: the registry's operations and the command line."""

from argparse import Action, ArgumentParser
from typing import Any

import msgspec
from page import MADE, page, table

from shopfloor.app.main import PROGRAMS, program
from shopfloor.ops.registry import Operation, everything
from shopfloor.surfaces.cli.reference import reference
from shopfloor.surfaces.mcp.answers import NEXT
from shopfloor.surfaces.mcp.app import INSTRUCTIONS
from shopfloor.surfaces.mcp.catalog import Tool
from shopfloor.surfaces.mcp.index import made


def operations() -> str:
    """Every operation with its route, command and fields."""
    parts = [part for op in everything().values() for part in _operation(op)]
    return page(
        "Operations",
        "What can be asked of a board. The command line and every other surface are made from this list. A"
        " request is `{op, args, board, request_id, actor, run, token}`; the answer is `{result}` or `{error}`."
        " A write that is sent again with the same `request_id` within a day has no second effect.",
        "*Anyone*: people, and workers by their run's token. *Worker*: people, and workers for their own task"
        " alone. *Person*: people alone.",
        *parts,
    )


def _operation(op: Operation) -> list[str]:
    fields = msgspec.inspect.type_info(op.request)
    assert isinstance(fields, msgspec.inspect.StructType)
    rows = [_field(field) for field in fields.fields]
    many = " Takes `ids` instead of `id`, each with an end of its own." if op.many else ""
    errors = ", ".join(f"`{error.code}`" for error in op.errors) or "none of its own"
    command = f"command `shop {op.command}`" if op.command else "no command"
    facts = [
        f"- route `{op.route}`, {command}, by *{op.role}*, a {op.kind}",
        f"- answers `{name_of(op.result)}`; errors: {errors}",
    ]
    return [
        f"## {op.name}",
        " ".join(op.doc.split()) + many,
        "\n".join(facts),
        *([table(("field", "type", "default", "what"), rows)] if rows else []),
    ]


def _field(field: Any) -> tuple[str, ...]:
    default = "required"
    if not field.required:
        given = field.default
        if given is msgspec.NODEFAULT:
            given = field.default_factory()
        default = "" if given is None else f"`{msgspec.json.encode(given).decode()}`"
    words, kind = described(field.type)
    return f"`{field.encode_name}`", kind, default, words


def described(kind: Any) -> tuple[str, str]:
    """A field's words and the name of its type, in JSON's terms."""
    if isinstance(kind, msgspec.inspect.Metadata):
        words, name = described(kind.type)
        return (kind.extra_json_schema or {}).get("description", words), name
    if isinstance(kind, msgspec.inspect.UnionType):
        told = [described(one) for one in kind.types if one != msgspec.inspect.NoneType()]
        return next((words for words, _ in told if words), ""), " or ".join(
            name for _, name in told
        )
    if isinstance(kind, msgspec.inspect.LiteralType):
        return "", ", ".join(f"`{value}`" for value in kind.values)
    if isinstance(kind, msgspec.inspect.ListType):
        return "", f"list of {described(kind.item_type)[1]}"
    if isinstance(kind, msgspec.inspect.StructType):
        return "", f"`{kind.cls.__name__}`"
    names = {"Str": "text", "Int": "integer", "Float": "number", "Bool": "true or false"}
    name = type(kind).__name__.removesuffix("Type")
    return "", names.get(
        name, {"DateTime": "ISO 8601 time", "Any": "any JSON"}.get(name, name.lower())
    )


def name_of(kind: Any) -> str:
    """The name of a result's type."""
    arguments = getattr(kind, "__args__", None)
    return f"list of {arguments[0].__name__}" if arguments else str(kind.__name__)


def tools() -> str:
    """The tools of agents, as a model is told of them."""
    found = made()
    rows = [
        (f"`{tool.name}`", *("yes" if who in tool.audience else "" for who in AUDIENCES))
        for tool in found
    ]
    return page(
        "Tools",
        "What agents have as tools, by the Model Context Protocol: at `http://127.0.0.1:PORT/mcp/BOARD` with"
        " `Authorization: Bearer RUN:TOKEN`, or by `shop mcp` on standard input and output. Programs show them"
        " under names of their own, such as `mcp__board__task_show`. What an agent is told first:",
        f"> {INSTRUCTIONS}",
        "A worker has the tools of its run's role; one whose profile has `orchestrator = true` has the"
        " routing tools too. A run that is over has none.",
        table(("tool", *AUDIENCES), rows),
        "## Refusals",
        "A refused call is an answer with `isError` and `{code, message, next}`; the codes are those of"
        " [Errors](errors.md).",
        table(("code", "next"), [(f"`{code}`", words) for code, words in NEXT.items()]),
        *[part for tool in found for part in _tool(tool)],
    )


AUDIENCES = ("worker", "reviewer", "orchestrator")


def _tool(tool: Tool) -> list[str]:
    needed = tool.schema.get("required", ())
    rows = [
        (
            f"`{name}`",
            _shown(shape),
            "required" if name in needed else _default(shape),
            shape.get("description", ""),
        )
        for name, shape in tool.schema["properties"].items()
    ]
    head = ("argument", "type", "default", "what")
    return [f"## {tool.name}", tool.description, *([table(head, rows)] if rows else [])]


def _shown(shape: dict[str, Any]) -> str:
    """A schema's type in words."""
    if "enum" in shape:
        return ", ".join(f"`{value}`" for value in shape["enum"])
    if shape.get("type") == "array":
        return f"list of {_shown(shape['items'])}"
    return str(shape.get("type", "any JSON"))


def _default(shape: dict[str, Any]) -> str:
    return f"`{shape['default']}`" if "default" in shape else ""


def commands() -> str:
    """The command line: what is made from the registry, and the programs."""
    parts = [MADE, reference().rstrip(), "## Programs"]
    for name in PROGRAMS:
        one = program(name)()
        parser = ArgumentParser(add_help=False)
        one.add_arguments(parser)
        given = parser._actions  # noqa: SLF001 - argparse has no public list of its arguments
        places = [action.dest.upper() for action in given if not action.option_strings]
        flags = ["[FLAGS]"] if len(places) < len(given) else []
        usage = " ".join(["shop", name, *places, *flags])
        parts += [f"### shop {name}", f"```text\n{usage}\n```", f"{one.summary}"]
        rows = [f"- `{_shape(action)}`: {action.help}" for action in given]
        parts += ["\n".join(rows)] if rows else []
    return "\n\n".join(parts) + "\n"


def _shape(action: Action) -> str:
    """An argument or a flag as it is typed."""
    value = "" if action.nargs == 0 else action.dest.upper()
    return " ".join(filter(None, (*action.option_strings[:1], value)))
