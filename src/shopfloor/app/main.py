"""The console script: hands the command line its way to the boards and its table of programs.

Imported at every command, so it imports next to nothing; each program's module is loaded when it runs.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

from shopfloor.app.reach import HomeClient
from shopfloor.config import actor, environment, find_home, wanted_board, worker_identity
from shopfloor.domain.errors import BoardError
from shopfloor.surfaces.cli.client import Program, WorkerIdentity
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
    "init": ("Make the home and its default board.", "shopfloor.app.programs"),
    "doctor": ("Check this installation and its boards.", "shopfloor.app.programs"),
    "version": ("Print the version.", "shopfloor.app.programs"),
    "config": ("Print the settings in force and where they come from.", "shopfloor.app.programs"),
}


def program(name: str) -> Callable[[], Program]:
    """A program whose module is loaded when its parser is asked for or it runs."""
    summary, module = PROGRAMS[name]

    def add_arguments(parser: ArgumentParser) -> None:
        getattr(import_module(module), f"{name}_arguments")(parser)

    def run(args: Namespace) -> int:
        gc.set_threshold(*USUAL_GC)
        return int(getattr(import_module(module), name)(args))

    return lambda: Program(name, summary, add_arguments, run)


def main() -> int:
    """Run one command and answer with its exit status."""
    gc.set_threshold(*COMMAND_GC)
    try:
        return _main()
    finally:
        # The interpreter looks through everything once more at its end, unless it is told not to.
        gc.freeze()


def _main() -> int:
    try:
        found = worker_identity()
    except BoardError as wrong:
        print(f"shop: {wrong.message}", file=sys.stderr)
        return wrong.exit
    home = find_home()
    return command_line(
        sys.argv[1:],
        connect=lambda board: HomeClient(home, board),
        worker=None if found is None else WorkerIdentity(*found),
        actor=actor(),
        board=wanted_board(),
        programs={name: program(name) for name in PROGRAMS},
        environment=environment(),
        clock=lambda: time.time_ns() // 1_000_000,
        stdout=sys.stdout,
        stderr=sys.stderr,
        stdin=sys.stdin,
    )
