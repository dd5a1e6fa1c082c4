"""Make the list of commands from the registry: the one file of the command line that loads it.

How a field is given follows from its type and its `Arg`: an integer that names a task takes `#42`
and `board/42`, a duration in milliseconds takes `10m`, a time takes an ISO time, a list may be given
again.  Two shapes mean more than their types: a request with a `name` and a `content` carries a
file, which is given by its path or as an address of the web, the `url`; a float whose name ends in `_s` is a duration in seconds.
"""

from __future__ import annotations

import json
from typing import Any, get_args

from msgspec import NODEFAULT, inspect

from shopfloor.domain.durations import short
from shopfloor.ops.registry import Operation, everything
from shopfloor.surfaces.cli.catalog import Command, Field, Kind

# Which integers name a task; a run's or a question's own number is told from them by its route.
TASK_NAMES = frozenset({"id", "ids", "task", "parent", "parents", "child", "origin", "on"})
# What has numbers of its own, by its route.
OWN_NUMBERS = ("runs", "questions", "receipts")
# Which texts are long enough to come from standard input or a file.
PROSE = frozenset({"body", "reason", "summary", "result", "question", "answer"})
METAVARS: dict[Kind, str] = {
    "task": "ID", "ms": "DURATION", "s": "DURATION", "backoff": "DURATION", "time": "TIME",
    "json": "JSON", "argv": "COMMAND", "int": "N", "file": "FILE",
}  # fmt: skip


def text() -> str:
    """What `commands.jsonl` has to say: one command a line."""
    return "".join(f"{_line(command)}\n" for command in commands())


def commands() -> list[Command]:
    """Every operation as a command, but for those that only programs ask."""
    return [_command(op) for op in everything().values() if op.command]


def _line(command: Command) -> str:
    told = command._asdict()
    usual = Field("", "text")._asdict()
    told["fields"] = [
        {name: value for name, value in field._asdict().items() if value != usual[name]}
        | {"kind": field.kind}
        for field in command.fields
    ]
    return json.dumps(told, ensure_ascii=False)


def _command(op: Operation) -> Command:
    shape = inspect.type_info(op.request)
    assert isinstance(shape, inspect.StructType), op.name
    asked = [one for one in shape.fields if not _told(one.type)[0].get("paging")]
    leading_first = sorted(asked, key=lambda one: not _told(one.type)[0].get("leading"))
    fields = [_field(op, one) for one in leading_first]
    own_task = "/tasks/{id}" in op.route
    return Command(
        command=op.command,
        op=op.name,
        group=op.run.__module__.rpartition(".")[2],
        result=_type_name(op.result),
        doc="\n".join(line.strip() for line in op.doc.splitlines()),
        writes=not op.route.startswith("GET "),
        several=op.many,
        own_task=own_task,
        fields=_with_file(fields),
    )


def _type_name(kind: Any) -> str:
    inner = get_args(kind)
    return f"list[{inner[0].__name__}]" if inner else str(kind.__name__)


def _field(op: Operation, field: inspect.Field) -> Field:
    cli, words = _told(field.type)
    core = _core(field.type)
    own_number = any(f"/{noun}/" in op.route for noun in OWN_NUMBERS)
    is_task = field.name in TASK_NAMES and not (field.name == "id" and own_number)
    kind, listed = _kind(core, field.name, cli, is_task=is_task)
    flag = ""
    if not cli.get("positional") and kind != "command":
        flag = cli.get("flag") or "--" + field.name.removesuffix(
            "_ms" if kind == "ms" else "_s" if kind == "s" else ""
        ).replace("_", "-")
    one = _core(core.item_type) if isinstance(core, inspect.ListType) else core
    choices = tuple(map(str, one.values)) if isinstance(one, inspect.LiteralType) else ()
    return Field(
        field.name,
        kind,
        words,
        flag=flag,
        metavar=cli.get("metavar") or _metavar(kind, field.name, flag),
        listed=listed,
        required=field.required,
        choices=choices,
        default=_default(field, kind),
    )


def _metavar(kind: Kind, name: str, flag: str) -> str:
    """What stands for the value in help: what it is, or the last word of its name."""
    usual = METAVARS.get(kind) if flag or kind != "int" else None
    return usual or (flag or name).rpartition("-")[2].upper()


def _told(kind: inspect.Type) -> tuple[dict[str, Any], str]:
    """What the field's `Arg` says: its manners, and its words."""
    cli: dict[str, Any] = {}
    words = ""
    while isinstance(kind, inspect.Metadata):
        cli = (kind.extra or {}).get("cli", cli)
        words = (kind.extra_json_schema or {}).get("description", words)
        kind = kind.type
    return cli, words


def _core(kind: inspect.Type) -> inspect.Type:
    """The type without its words, and without None where something else is possible."""
    while True:
        if isinstance(kind, inspect.Metadata):
            kind = kind.type
        elif isinstance(kind, inspect.UnionType):
            others = [one for one in kind.types if not isinstance(one, inspect.NoneType)]
            if len(others) != 1:
                return kind
            kind = others[0]
        else:
            return kind


def _kind(
    core: inspect.Type, name: str, cli: dict[str, Any], *, is_task: bool
) -> tuple[Kind, bool]:
    if cli.get("rest"):
        return "command", False
    if isinstance(core, inspect.ListType):
        item = _core(core.item_type)
        if cli.get("json"):
            return ("argv" if isinstance(item, inspect.StrType) else "json"), False
        return _scalar(item, name, cli, is_task=is_task), True
    return _scalar(core, name, cli, is_task=is_task), False


def _scalar(core: inspect.Type, name: str, cli: dict[str, Any], *, is_task: bool) -> Kind:
    milliseconds = cli.get("unit") == "ms"
    kinds: list[tuple[type[inspect.Type], Kind]] = [
        (inspect.BoolType, "flag"),
        (inspect.IntType, "ms" if milliseconds else "task" if is_task else "int"),
        (inspect.FloatType, "s" if name.endswith("_s") else "float"),
        (inspect.StrType, "prose" if name in PROSE else "text"),
        (inspect.LiteralType, "choice"),
        (inspect.DateTimeType, "time"),
        (inspect.StructType, "backoff" if milliseconds else "json"),
    ]
    if cli.get("json"):
        return "json"
    return next((kind for shape, kind in kinds if isinstance(core, shape)), "json")


def _default(field: inspect.Field, kind: Kind) -> str:
    """The default as help shows it; empty for those that go without saying."""
    value = field.default
    if value is NODEFAULT or value is None or value is False or value in ("", 0, ()):
        return ""
    return short(value) if kind == "ms" else str(value)


def _with_file(fields: list[Field]) -> list[Field]:
    """The fields, with a file's path in the place of its name and content."""
    if {"name", "content"} - {field.name for field in fields}:
        return fields
    found = []
    for field in fields:
        if field.name == "url":
            continue
        if field.name == "content":
            words = (
                "The file, or an http:// or https:// address; `-` is standard input, with --name."
            )
            field = Field("content", "file", words, metavar="FILE", required=True)  # noqa: PLW2901
        elif field.name == "name":
            words = "Another name for it than its own."
            field = Field("name", "text", words, flag="--name", metavar="NAME")  # noqa: PLW2901
        found.append(field)
    return found
