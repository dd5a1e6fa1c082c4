"""The `shop` command: which command is meant, and how its end is told.

Errors are one line on standard error (with `--json` the error's JSON) and an exit code: 0 done, 1
failed, 2 not understood, 3 not there, 4 not in this state, 5 refused, 75 try again later, 78 damaged
or too new, 130 interrupted.  An error that nobody expected is 70; `--debug` shows where it came from.
Only what the command needs is loaded.
"""

from __future__ import annotations

import contextlib
import json
import os
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, TextIO

from shopfloor.domain.errors import BoardError, Invalid
from shopfloor.surfaces.cli import asking, catalog
from shopfloor.surfaces.cli.asking import Root
from shopfloor.surfaces.cli.client import Ask, Client, Program, WorkerIdentity
from shopfloor.surfaces.cli.console import Console, OutputLost, one_line
from shopfloor.surfaces.cli.parser import new_parser, split

__all__ = ["Ask", "Client", "Program", "WorkerIdentity", "main"]

FAILED, BUG, INTERRUPTED, BROKEN_PIPE = 1, 70, 130, 141
WITH_VALUE = ("--board",)


def main(
    argv: list[str],
    *,
    connect: Callable[[str | None], Client],
    worker: WorkerIdentity | None,
    actor: str,
    board: str | None,
    programs: Mapping[str, Callable[[], Program]],
    environment: Mapping[str, str],
    clock: Callable[[], int],
    stdout: TextIO,
    stderr: TextIO,
    stdin: TextIO,
) -> int:
    """Carry out one command line and return its exit code; nothing is raised."""
    for stream in (stdout, stderr):
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[attr-defined,unused-ignore]
    console = Console(stdout, stderr, stdin, environment, clock)
    root = Root(connect, worker, actor, board, programs)
    words, debug = _without_debug(argv)
    try:
        code = _run(words, root, console)
        console.flush()
    except BrokenPipeError:
        return _nobody_reads(stdout)
    except KeyboardInterrupt:
        return INTERRUPTED
    except OutputLost as lost:
        return _output_lost(lost, console)
    except Exception as wrong:  # noqa: BLE001 - the outermost frame: a person gets a sentence
        with contextlib.suppress(BrokenPipeError):
            code = _told(wrong, words, console, debug=debug)
            console.flush()
            return code
        return _nobody_reads(stdout)
    return code


def _told(wrong: Exception, argv: list[str], console: Console, *, debug: bool) -> int:
    """Tell of an error and return its exit code; what was printed before comes out before."""
    console.flush()
    if isinstance(wrong, BoardError):
        return _refuse(wrong, argv, console)
    return _bug(wrong, console, debug=debug)


def _refuse(refused: BoardError, argv: list[str], console: Console) -> int:
    if "--json" in split(argv)[0]:
        console.tell(json.dumps(refused.as_dict()))
    else:
        console.tell(f"shop: {one_line(refused.message)}")
    return refused.exit


def _bug(wrong: Exception, console: Console, *, debug: bool) -> int:
    if debug:
        console.tell("".join(import_module("traceback").format_exception(wrong)).rstrip())
    hint = "" if debug else "; add --debug to see where, and please report it"
    console.tell(f"shop: this is a mistake of the program: {one_line(repr(wrong))}{hint}")
    return BUG


def _output_lost(lost: OutputLost, console: Console) -> int:
    _nobody_reads(console.stdout)
    console.tell(f"shop: what was asked is done, but its answer cannot be written: {lost}")
    return FAILED


def _nobody_reads(stdout: TextIO) -> int:
    """Keep the interpreter from complaining about the closed pipe at its end."""
    with contextlib.suppress(OSError, ValueError):
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, stdout.fileno())
        os.close(nothing)
    return BROKEN_PIPE


def _without_debug(argv: list[str]) -> tuple[list[str], bool]:
    before, rest = split(argv)
    words = [word for word in before if word != "--debug"]
    return words + ([] if rest is None else ["--", *rest]), len(words) < len(before)


def _run(argv: list[str], root: Root, console: Console) -> int:
    leading, words = _leading(argv)
    if "--version" in leading and not words:
        words = ["version"]
        leading.remove("--version")
    if words[:2] == ["help", "--all"]:
        console.say(import_module("shopfloor.surfaces.cli.reference").usage().rstrip())
        return 0
    if words[:1] == ["help"]:
        words, leading = words[1:], ["--help"]
    asks_help = any(flag in ("-h", "--help") for flag in [*leading, *split(words)[0]])
    if not words:
        if leading and not asks_help:
            raise Invalid(f"{one_line(leading[0])} needs a command; `shop --help` lists them all")
        return _overview(root, console)
    if words[0] == "completion" or words[0] in root.programs:
        return _program(words[0], [*leading, *words[1:]], root, console)
    if words[0] in asking.FOLLOWING:
        return _follow(words[0], [*leading, *words[1:]], root, console)
    found = catalog.find([word for word in words[:2] if not word.startswith("-")])
    if found is None:
        member = next((word for word in words[1:] if not word.startswith("-")), "")
        return _not_one(words[0], member, root, console, asks_help=asks_help)
    command, length = found
    return asking.run(command, [*leading, *words[length:]], root, console)


def _leading(argv: list[str]) -> tuple[list[str], list[str]]:
    """The flags before the command's name, and the rest."""
    at = 0
    while at < len(argv) and argv[at].startswith("-") and argv[at] != "--":
        at += 2 if argv[at] in WITH_VALUE else 1
    return argv[:at], argv[at:]


def _help() -> Any:
    return import_module("shopfloor.surfaces.cli.help")


def _overview(root: Root, console: Console) -> int:
    programs = [root.programs[name]() for name in root.programs]
    console.say(_help().overview([*programs, _completion(root, console)], console.width))
    return 0


def _not_one(word: str, member: str, root: Root, console: Console, *, asks_help: bool) -> int:
    members = catalog.family(word)
    if members:
        if asks_help and not member:
            console.say(_help().of_family(word, members, console.width))
            return 0
        names = ", ".join(one.command.partition(" ")[2] for one in members)
        missing = f"has no {one_line(member)!r}, but" if member else "needs one of"
        raise Invalid(f"`shop {word}` {missing} {names}; see `shop {word} --help`")
    known = [one.command for one in catalog.everything()]
    known += [*root.programs, "help", *asking.FOLLOWING, "completion"]
    near = import_module("difflib").get_close_matches(word, known, 1)
    hint = f"did you mean `{near[0]}`?" if near else "`shop --help` lists them all"
    raise Invalid(f"there is no command {one_line(word)!r}; {hint}")


def _program(name: str, argv: list[str], root: Root, console: Console) -> int:
    program = root.programs[name]() if name in root.programs else _completion(root, console)
    parser = new_parser(f"shop {name}", program.summary, width=console.width)
    program.add_arguments(parser)
    if any(word in ("-h", "--help") for word in split(argv)[0]):
        console.say(parser.format_help().rstrip())
        return 0
    return program.run(parser.parse_args(argv))


def _completion(root: Root, console: Console) -> Program:
    def add_arguments(parser: ArgumentParser) -> None:
        parser.add_argument(
            "shell", choices=("bash", "zsh", "fish"), help="The shell to write for."
        )

    def run(arguments: Namespace) -> int:
        completion = import_module("shopfloor.surfaces.cli.completion")
        programs = [root.programs[name]() for name in root.programs]
        console.say(completion.script(arguments.shell, programs))
        return 0

    summary = "Print a script that completes commands and flags in bash, zsh or fish."
    return Program("completion", summary, add_arguments, run)


def _follow(name: str, argv: list[str], root: Root, console: Console) -> int:
    follow = import_module("shopfloor.surfaces.cli.follow")
    found = next(one for one in follow.commands() if one.command == name)
    return asking.run(found, argv, root, console)
