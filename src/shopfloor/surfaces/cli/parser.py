"""From the words of a command to what was said: flags by argparse, the words that are left by position.

argparse gives a positional the first words it sees, which is wrong for `block 42 43 --kind x "why"`;
so the words between the flags are collected first and dealt out in `request.py`.  It also takes
`-hot fix` for `-h`; so words that cannot be flags pass it with a mark that no command line can hold.
"""

from __future__ import annotations

from argparse import SUPPRESS, ArgumentParser, HelpFormatter, Namespace
from collections.abc import Sequence
from importlib import import_module
from itertools import pairwise
from typing import Any, NamedTuple, NoReturn

from shopfloor.domain.errors import Invalid
from shopfloor.surfaces.cli.catalog import Command, Field

# What is asked before it is done, unless --yes was said; {} is what was named.
CONFIRMED = {
    "task.delete": "Delete {} with its runs, events, comments and files?",
    "board.remove": "Remove the board {}?",
}
WIDTH = 80
MARK = "\0"
# What can be followed as it grows.
FOLLOWED = frozenset({"log", "events", "export"})
# What is written as lines, however many.
WRITTEN = frozenset({"export", "receipt export"})


class Option(NamedTuple):
    """A flag that is not a field of the request."""

    flags: Sequence[str]
    dest: str
    words: str
    metavar: str = ""
    listed: bool = False


JSON = Option(("--json",), "json", "Print the answer as JSON, on one line.")
BOARD = Option(("--board",), "board", "The board, instead of the current one.", "NAME")
QUIET = Option(
    ("-q", "--quiet"), "quiet", "Print only the numbers or names of what the answer is about."
)
HELP = Option(("-h", "--help"), "help", "Show this text.")
REQUEST_ID = Option(
    ("--request-id",),
    "request_id",
    "Sent again with the same id, a request has no second effect.",
    "ID",
)
YES = Option(("-y", "--yes"), "yes", "Do not ask before it is done.")
FOLLOW = Option(("-f", "--follow"), "follow", "Go on printing what comes, until Ctrl-C.")
OUTPUT = Option(
    ("-o", "--output"), "output", "Write to this file instead of standard output.", "FILE"
)
ENV = Option(
    ("--env",), "env", "A variable for the command; may be given again.", "NAME=VALUE", listed=True
)
FROM_FILE = Option(
    ("--file",), "file", "Check a file that `shop receipt export` wrote, without a board.", "FILE"
)
TRIAGE = Option(("--triage",), "triage", "The same as --initial-status triage.")
CWD = Option(("--cwd",), "cwd", "The command's directory, below the workspace or absolute.", "DIR")


USUAL = (BOARD, JSON, QUIET, HELP)


class Said(NamedTuple):
    """A command line, taken apart: the flags by name, the words between them, and those after `--`."""

    flags: Namespace
    words: list[str]
    rest: list[str] | None


class Parser(ArgumentParser):
    """An argparse parser that raises instead of leaving the program; `given` is what it takes apart."""

    given: Sequence[str] = ()

    # typing.override came with Python 3.12.
    def error(self, message: str) -> NoReturn:  # type: ignore[explicit-override]
        said = message.removeprefix("argument ").replace(
            "expected one argument", "a value is missing"
        )
        flag = said.partition(":")[0]
        known = self._option_string_actions
        meant = [then for word, then in pairwise(self.given) if word == flag and then not in known]
        hint = f", or write {flag}={meant[0]}" if meant else ""
        raise Invalid(f"{said}; see `{self.prog} --help`{hint}")


def new_parser(prog: str, summary: str | None = None, *, width: int | None = None) -> Parser:
    """A parser whose help is that wide; a width that is given keeps argparse from loading shutil."""

    def formatter(prog: str) -> HelpFormatter:
        return HelpFormatter(prog, width=width or WIDTH)

    return Parser(
        prog=prog,
        description=summary,
        add_help=summary is not None,
        allow_abbrev=False,
        formatter_class=formatter,
    )


def options(command: Command) -> list[Option]:
    """The flags that a command has besides its fields."""
    own = [
        *((TRIAGE,) if any(field.name == "initial_status" for field in command.fields) else ()),
        *((ENV, CWD) if command.rest else ()),
        *((FOLLOW,) if command.command in FOLLOWED else ()),
        *((OUTPUT,) if command.result == "FileContent" or command.command in WRITTEN else ()),
        *((FROM_FILE,) if command.command == "receipt verify" else ()),
        *((YES,) if command.op in CONFIRMED else ()),
        *((REQUEST_ID,) if command.writes else ()),
    ]
    return [*own, *USUAL]


def parse(command: Command, argv: Sequence[str]) -> Said:
    """Take a command line apart; raises Invalid for an unknown flag or a missing value."""
    before, rest = split(argv)
    parser = new_parser(f"shop {command.command}")
    for option in options(command):
        add(parser, option)
    for field in [*command.flags, *nameable(command)]:
        _add_field(parser, field)
    parser.given = before
    marked = [MARK + word if word.startswith("-") and _is_word(word) else word for word in before]
    flags, words = parser.parse_known_args(marked)
    words = _unmarked(words)
    for name, value in vars(flags).items():
        setattr(flags, name, _unmarked(value))
    for word in words:
        if word.startswith("-") and not _is_word(word):
            raise Invalid(_unknown_flag(command, word))
    if rest is not None and command.rest is None:
        words, rest = [*words, *rest], None
    return Said(flags, words, rest)


def nameable(command: Command) -> list[Field]:
    """The positional fields that may also be said by a flag: where `--` begins a command and no word."""
    if command.rest is None:
        return []
    taken = {field.flag for field in command.flags}
    named = [field._replace(flag=f"--{field.name}") for field in command.positionals]
    return [field for field in named if field.flag not in taken]


def split(argv: Sequence[str]) -> tuple[list[str], list[str] | None]:
    """The words before the first `--`, and those after it if there is one."""
    words = list(argv)
    if "--" not in words:
        return words, None
    place = words.index("--")
    return words[:place], words[place + 1 :]


def add(parser: ArgumentParser, option: Option) -> None:
    """Declare one flag that is not a field."""
    if not option.metavar:
        parser.add_argument(*option.flags, dest=option.dest, action="store_true")
    elif option.listed:
        parser.add_argument(*option.flags, dest=option.dest, action="append")
    else:
        parser.add_argument(*option.flags, dest=option.dest)


def _add_field(parser: ArgumentParser, field: Field) -> None:
    if field.kind == "flag":
        parser.add_argument(
            field.flag, dest=f"field_{field.name}", action="store_true", default=SUPPRESS
        )
        if field.default == "True":
            no = f"--no-{field.flag.lstrip('-')}"
            parser.add_argument(
                no, dest=f"field_{field.name}", action="store_false", default=SUPPRESS
            )
        return
    action = "append" if field.listed else "store"
    parser.add_argument(field.flag, dest=f"field_{field.name}", action=action, default=SUPPRESS)


def _unmarked(value: Any) -> Any:
    """What was given, without the mark; a chat's word is more than its letters, so one without it stays the same object."""
    if isinstance(value, list):
        return [_unmarked(one) for one in value]
    is_marked = isinstance(value, str) and value.startswith(MARK)
    return value.removeprefix(MARK) if is_marked else value


def _is_word(word: str) -> bool:
    """Whether a word that begins with a dash is meant as a word: `-`, `-5`, `- a list's line`."""
    return word == "-" or " " in word.partition("=")[0] or word[1:].replace(".", "", 1).isdigit()


def _unknown_flag(command: Command, word: str) -> str:
    flag = word.partition("=")[0]
    known = [field.flag for field in command.flags]
    known += [one for option in options(command) for one in option.flags]
    near = import_module("difflib").get_close_matches(flag, known, 1)
    told = f"`shop {command.command}` has no flag {flag}; "
    if near:
        return f"{told}did you mean {near[0]}?"
    told += f"see `shop {command.command} --help`"
    named = nameable(command)
    if named:
        return f"{told}, or write {named[-1].flag}={word} if it is the {named[-1].metavar}"
    return f"{told}, or write it after `--` if it is no flag" if command.positionals else told
