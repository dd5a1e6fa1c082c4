"""The pages that are made from the commands: the Markdown reference, and the text of every usage."""

from __future__ import annotations

from shopfloor.surfaces.cli import index
from shopfloor.surfaces.cli.catalog import Command
from shopfloor.surfaces.cli.follow import commands as following
from shopfloor.surfaces.cli.help import TITLES, of_command, usage_of, words_of
from shopfloor.surfaces.cli.parser import USUAL, Option, options

EXIT_CODES = (
    (0, "done"),
    (1, "done, and what was looked for was found wrong (`fsck`, a step of `dispatch`)"),
    (2, "the command line makes no sense"),
    (3, "there is no such task, run, board or file"),
    (4, "not in this status, or somebody else was first"),
    (5, "refused: a condition, a limit, a missing right or confirmation"),
    (70, "a mistake of the program; `--debug` shows where"),
    (75, "the board cannot be reached just now; try the same again"),
    (78, "the board or the configuration is damaged, or newer than the program"),
    (130, "interrupted"),
    (141, "nobody read the output any more"),
)
WIDTH = 100


def reference() -> str:
    """Every command, what it does, its arguments and flags, as a page of Markdown."""
    lines = ["# Commands", "", *_introduction()]
    group = ""
    for command in [*index.commands(), *following()]:
        if command.group != group:
            group = command.group
            lines += [f"## {TITLES.get(group, group.capitalize())}", ""]
        lines += _section(command)
    return "\n".join(lines).rstrip() + "\n"


def usage() -> str:
    """The help of every command as it is printed, one after the other."""
    commands = [*index.commands(), *following()]
    return "\n\n\n".join(of_command(command, WIDTH) for command in commands) + "\n"


def _introduction() -> list[str]:
    return [
        "A task is named `42`, `#42` or `board/42`. A duration is `90s`, `10m`, `1h30m` or `2d`; a time is an",
        "ISO time, a time of the day such as `18:00`, or a duration from now. Long texts may be `-` for standard input or `@FILE`.",
        "",
        "Every command takes:",
        "",
        *[_option(option) for option in USUAL],
        "",
        "| exit code | means |",
        "| --- | --- |",
        *[f"| {code} | {words} |" for code, words in EXIT_CODES],
        "",
    ]


def _section(command: Command) -> list[str]:
    lines = [
        f"### shop {command.command}",
        "",
        f"```text\n{usage_of(command)}\n```",
        "",
        command.doc,
        "",
    ]
    rows = [f"- `{field.metavar}`: {words_of(field)}" for field in command.positionals]
    if command.rest:
        rows.append(f"- `-- {command.rest.metavar} …`: {command.rest.words}")
    rows += [
        f"- `{_shape(field.flag, field.kind, field.metavar)}`: {words_of(field)}"
        for field in command.flags
    ]
    rows += [_option(option) for option in options(command) if option not in USUAL]
    return [*lines, *rows, ""] if rows else lines


def _shape(flag: str, kind: str, metavar: str) -> str:
    return flag if kind == "flag" else f"{flag} {metavar}"


def _option(option: Option) -> str:
    shown = " ".join(filter(None, (", ".join(option.flags), option.metavar)))
    return f"- `{shown}`: {option.words}"
