"""The commands as the command line knows them: one line of JSON each, in `commands.jsonl`.

The file is made from the registry by `index.py`, so that a command need not load the operations, the
kernel and the store to learn its own flags; a test compares the two.  A command that is missing from
the file is looked up in the registry itself: slower, never unknown.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from importlib import import_module
from typing import Any, Literal, NamedTuple

FILE = os.path.join(os.path.dirname(__file__), "commands.jsonl")  # noqa: PTH118, PTH120 - pathlib costs 3 ms

Kind = Literal[
    "text", "prose", "int", "float", "flag", "choice", "task", "ms", "s", "time", "json", "argv",
    "command", "backoff", "file",
]  # fmt: skip


class Field(NamedTuple):
    """One field of a request; without a flag it is positional, `listed` means it may be given again."""

    name: str
    kind: Kind
    words: str = ""
    flag: str = ""
    metavar: str = ""
    listed: bool = False
    required: bool = False
    choices: Sequence[str] = ()
    default: str = ""


class Command(NamedTuple):
    """One command; `several` means that it takes more than one task at once."""

    command: str
    op: str
    group: str
    result: str
    doc: str
    writes: bool
    several: bool
    own_task: bool
    fields: Sequence[Field]

    @property
    def summary(self) -> str:
        """What it does, in one line."""
        return " ".join(self.doc.split("\n\n")[0].split())

    @property
    def positionals(self) -> list[Field]:
        return [field for field in self.fields if not field.flag and field.kind != "command"]

    @property
    def flags(self) -> list[Field]:
        return [field for field in self.fields if field.flag]

    @property
    def rest(self) -> Field | None:
        """The field that takes all words after `--`."""
        return next((field for field in self.fields if field.kind == "command"), None)


def find(words: Sequence[str]) -> tuple[Command, int] | None:
    """The command that the words begin with, and how many words its name has."""
    for count in (2, 1):
        name = " ".join(words[:count])
        if len(words) >= count and (found := _stored(name)) is not None:
            return found, count
    for count in (2, 1):
        name = " ".join(words[:count])
        if len(words) >= count and (made := _registered(name)) is not None:
            return made, count
    return None


def everything() -> list[Command]:
    """All commands, in the order of the registry."""
    return [_command(line) for line in _lines()]


def family(word: str) -> list[Command]:
    """The commands whose name has two words and begins with this one."""
    return [one for one in everything() if one.command.startswith(f"{word} ")]


def _lines() -> list[str]:
    with open(FILE, encoding="utf-8") as file:  # noqa: PTH123 - pathlib costs 3 ms
        return file.read().splitlines()


def _stored(name: str) -> Command | None:
    start = f'{{"command": {json.dumps(name)},'
    return next((_command(line) for line in _lines() if line.startswith(start)), None)


def _registered(name: str) -> Command | None:
    index = import_module("shopfloor.surfaces.cli.index")
    return next((one for one in index.commands() if one.command == name), None)


def _command(line: str) -> Command:
    told: dict[str, Any] = json.loads(line)
    told["fields"] = [Field(**field) for field in told["fields"]]
    return Command(**told)
