"""The console script: hands the command line its way to the boards and its table of programs.

Imported at every command, so it imports next to nothing; each program's module is loaded when it runs.
"""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

from shopfloor.app.reach import HomeClient
from shopfloor.config import (
    actor,
    environment,
    find_home,
    wanted_board,
    wanted_url,
    worker_identity,
)
from shopfloor.domain.errors import BoardError, Invalid
from shopfloor.surfaces.cli.client import Client, Program, WorkerIdentity
from shopfloor.surfaces.cli.main import main as command_line

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

# A command makes a few ten thousand objects and ends; looking through them for circles is a tenth of
# its time.  One that stays, such as `watch`, comes to these figures too.
COMMAND_GC = (100_000, 10, 10)
USUAL_GC = gc.get_threshold()

PROGRAMS = {
    "up": ("Serve all boards of the home in the foreground.", "shopfloor.app.up"),
    "down": ("Stop the running `shop up`.", "shopfloor.app.up"),
    "mcp": (
        "Serve a worker's tools on standard input and output.",
        "shopfloor.surfaces.mcp.stdio",
    ),
    "chat": ("Serve chats: `shop chat serve`.", "shopfloor.app.chat"),
    "service": ("Have this machine keep `shop up` running.", "shopfloor.app.services"),
    "init": ("Make the home and its default board.", "shopfloor.app.programs"),
    "doctor": ("Check this installation and its boards.", "shopfloor.app.programs"),
    "version": ("Print the version.", "shopfloor.app.programs"),
    "config": ("Print the settings in force and where they come from.", "shopfloor.app.in_force"),
}


# What says nothing of a home, and is the same wherever the boards are.
ANYWHERE = frozenset({"version"})
ELSEWHERE = ("--url", "--token")


def program(name: str, url: str | None = None) -> Callable[[], Program]:
    """A program whose module is loaded when its parser is asked for or it runs; with an address most refuse."""
    summary, module = PROGRAMS[name]

    def add_arguments(parser: ArgumentParser) -> None:
        getattr(import_module(module), f"{name}_arguments")(parser)

    def run(args: Namespace) -> int:
        if url is not None and name not in ANYWHERE:
            raise Invalid(
                f"`shop {name}` is about the home on this machine, and {url} is on another one; leave out --url "
                "(and SHOPFLOOR_URL), or run it there"
            )
        gc.set_threshold(*USUAL_GC)
        return int(getattr(import_module(module), name)(args))

    return lambda: Program(name, summary, add_arguments, run)


def main() -> int:
    """Run one command and answer with its exit status."""
    gc.set_threshold(*COMMAND_GC)
    _have_streams()
    try:
        return _main()
    finally:
        # The interpreter looks through everything once more at its end, unless it is told not to.
        gc.freeze()


def _have_streams() -> None:
    """Fill the places of streams that whoever started this has closed.

    The next file to be opened would get such a place, and be printed into.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            # The lowest place that is free is this one, because those below are filled.
            file = open(os.devnull, mode, encoding="utf-8")  # noqa: PTH123, SIM115 - it stays open
            assert file.fileno() == number, f"{name} has place {file.fileno()}"
            setattr(sys, name, file)


def _main() -> int:
    try:
        found = worker_identity()
    except BoardError as wrong:
        print(f"shop: {wrong.message}", file=sys.stderr)
        return wrong.exit
    words, url, token = elsewhere(sys.argv[1:])
    home = find_home()

    def connect(board: str | None) -> Client:
        if url is None:
            return HomeClient(home, board)
        from shopfloor.app.remote import RemoteClient  # noqa: PLC0415 - few commands go over a network

        return RemoteClient(url, token, board)

    return command_line(
        words,
        connect=connect,
        worker=None if found is None else WorkerIdentity(*found),
        actor=actor(),
        board=wanted_board(),
        programs={name: program(name, url) for name in PROGRAMS},
        environment=environment(),
        clock=lambda: time.time_ns() // 1_000_000,
        stdout=sys.stdout,
        stderr=sys.stderr,
        stdin=sys.stdin,
    )


def elsewhere(argv: list[str]) -> tuple[list[str], str | None, str | None]:
    """The words without `--url` and `--token`, which stand before the command, and what they or the environment say."""
    url, token = wanted_url()
    said = dict(zip(ELSEWHERE, (url, token), strict=True))
    words: list[str] = []
    at = 0
    while at < len(argv) and argv[at].startswith("-") and argv[at] != "--":
        name, equals, value = argv[at].partition("=")
        if name in said and (equals or at + 1 < len(argv)):
            said[name] = value if equals else argv[at + 1]
            at += 1 if equals else 2
            continue
        taken = 2 if argv[at] == "--board" else 1
        words += argv[at : at + taken]
        at += taken
    return words + argv[at:], said["--url"], said["--token"]
