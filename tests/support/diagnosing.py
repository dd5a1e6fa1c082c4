"""What tests of the diagnosis share: profiles, a dispatcher that comes and goes, and steps carried out."""

from __future__ import annotations

import io
import shlex

from shopfloor.domain.settings import Profile
from shopfloor.ops.views import StepView
from shopfloor.store import hosts
from shopfloor.surfaces.cli import catalog
from shopfloor.surfaces.cli.console import Console
from shopfloor.surfaces.cli.parser import parse
from shopfloor.surfaces.cli.request import build
from shopfloor.surfaces.cli.values import Reader
from tests.support.board import BoardHandle

PROFILES = {
    "a": Profile("a", argv=("x",)),
    "agent": Profile("agent", kind="cli"),
    "painter": Profile("painter", argv=("x",), required_skills=("paint", "sand")),
}
SPOKEN = {"assignee": "a", "body": "the key is in the drawer", "reason": "not yet"}


def arrive(board: BoardHandle) -> None:
    """A dispatcher runs: in this process, or as shared boards know it, by a host's sign of life."""
    board.write(
        lambda tx: hosts.arrive(
            tx, name="there", boot_id="b", pid=1, pid_start=1, version="1", labels="[]"
        )
    )
    board.dispatcher_is_there = True


def leave(board: BoardHandle) -> None:
    board.write(lambda tx: hosts.leave(tx, "there"))
    board.dispatcher_is_there = False


def carry_out(board: BoardHandle, step: StepView) -> None:
    """Do what a step says, after its command line was seen to say the same."""
    args = dict(step.args)
    command = step.command
    if step.asks:
        args[step.asks] = SPOKEN[step.asks]
        command = " ".join(
            shlex.quote(SPOKEN[step.asks]) if word.isupper() else word for word in command.split()
        )
    program, *words = shlex.split(command)
    assert program == "shop"
    found = catalog.find(words)
    assert found is not None, command
    known, length = found
    nobody = Console(io.StringIO(), io.StringIO(), io.StringIO(), {}, lambda: 0)
    request = build(known, parse(known, words[length:]), Reader(nobody), None)
    assert (known.op, request.args) == (step.op, args)
    assert step.op is not None
    board.ask(step.op, **args)
