"""One command that is a question to the board: parse, ask, show the answer.

`Desk` stands between a command and its client: it adds who asks, and takes the envelope off the
answer.  The result's bytes are printed as they came when `--json` was said.
"""

from __future__ import annotations

import json
import os
import re
from binascii import a2b_base64
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any, NamedTuple

from shopfloor.domain.errors import BoardError, Invalid, Refused, from_dict
from shopfloor.surfaces.cli import request as asked
from shopfloor.surfaces.cli.catalog import Command
from shopfloor.surfaces.cli.client import Ask, Client, Program, WorkerIdentity
from shopfloor.surfaces.cli.console import Console, one_line
from shopfloor.surfaces.cli.parser import CONFIRMED, Said, parse
from shopfloor.surfaces.cli.values import Reader

RESULT = b'{"result":'
# Commands that take more than one question, and where their way is written.
WAYS = {
    "receipt export": ("shopfloor.surfaces.cli.chain", "export"),
    "receipt verify": ("shopfloor.surfaces.cli.chain", "verify_file"),
    "export": ("shopfloor.surfaces.cli.exporting", "export"),
}
# Commands that go on until Ctrl-C.
FOLLOWING = ("watch", "tail")
_WHERE = re.compile(r"^the request cannot be read: (.*?)(?: - at `\$\.(\w+).*`)$", re.DOTALL)


class Root(NamedTuple):
    """What the composition root gives: the way to a board, who asks, and the other programs."""

    connect: Callable[[str | None], Client]
    worker: WorkerIdentity | None
    actor: str
    board: str | None
    programs: Mapping[str, Callable[[], Program]]


class Desk:
    """Asks one board for one caller."""

    def __init__(self, root: Root, client: Client, board: str | None) -> None:
        self._root = root
        self._client = client
        self._board = board

    def ask(self, op: str, args: dict[str, Any], request_id: str | None = None) -> bytes:
        """The result's JSON; raises the error that was answered."""
        worker = self._root.worker
        answer = self._client.ask(
            Ask(
                op,
                asked.encode(args),
                board=self._board,
                request_id=request_id,
                actor=self._root.actor,
                run=worker.run if worker else None,
                token=worker.token if worker else None,
            )
        )
        if not answer.startswith(RESULT):
            raise from_dict(json.loads(answer))
        return answer[len(RESULT) : -1]

    def answer(self, op: str, args: dict[str, Any]) -> Any:
        """The result of a question."""
        return json.loads(self.ask(op, args))


def run(command: Command, argv: Sequence[str], root: Root, console: Console) -> int:
    """Carry out one command and return its exit code."""
    said = parse(command, argv)
    if said.flags.help:
        console.say(import_module("shopfloor.surfaces.cli.help").of_command(command, console.width))
        return 0
    request = asked.build(command, said, Reader(console), root.worker)
    _confirm(command, said, console)
    board = request.board or root.board
    client = root.connect(board)
    try:
        desk = Desk(root, client, board)
        if command.command in FOLLOWING or getattr(said.flags, "follow", False):
            follow = import_module("shopfloor.surfaces.cli.follow")
            way = {"log": follow.log, "watch": follow.watch}
            way |= dict.fromkeys(("events", "tail"), follow.events)
            if command.command in way:
                return int(
                    way[command.command](desk, request.args, console, as_json=said.flags.json)
                )
        if command.op == "order.wait":
            waiting = import_module("shopfloor.surfaces.cli.waiting")
            return int(waiting.wait(desk, request.args, console, as_json=said.flags.json))
        if command.command in WAYS:
            module, name = WAYS[command.command]
            answered = getattr(import_module(module), name)(desk, request.args, said, console)
            if answered is not None:
                return int(answered)
        request_id = None
        if command.writes:
            request_id = said.flags.request_id or new_request_id(console)
        try:
            result = desk.ask(command.op, request.args, request_id)
        except Invalid as refused:
            raise in_words_of_flags(refused, command) from None
        return _show(command, result, said, console)
    finally:
        client.close()


def new_request_id(console: Console) -> str:
    """An id that sorts by time: milliseconds, then 64 random bits."""
    return f"{console.clock():012x}{os.urandom(8).hex()}"


def in_words_of_flags(refused: BoardError, command: Command) -> BoardError:
    """The refusal of a value, naming the flag that it was given by instead of the field."""
    found = _WHERE.match(refused.message)
    field = next((one for one in command.fields if found and one.name == found[2]), None)
    if found is None or field is None:
        return refused
    words = found[1]
    if field.kind in ("ms", "s", "backoff"):
        # The bound is one of milliseconds, which nobody has said.
        words = f"expected a {'longer' if words.endswith(' 1') else 'shorter'} time"
    return type(refused)(f"{field.flag or field.metavar}: {words}", detail=refused.detail)


def _confirm(command: Command, said: Said, console: Console) -> None:
    question = CONFIRMED.get(command.op)
    if question is None or said.flags.yes:
        return
    if not console.has_person:
        raise Refused(
            f"`shop {command.command}` cannot be undone and there is nobody to ask; say --yes"
        )
    what = ", ".join(f"#{word.lstrip('#')}" if command.several else word for word in said.words)
    console.stderr.write(f"{one_line(question.format(what))} [y/N] ")
    console.stderr.flush()
    if console.stdin.readline().strip().lower() not in ("y", "yes"):
        raise Refused("it was not confirmed; nothing was changed")


def _show(command: Command, result: bytes, said: Said, console: Console) -> int:
    value = json.loads(result)
    several = command.several and isinstance(value, list) and not command.result.startswith("list")
    if said.flags.json:
        console.write_bytes(result + b"\n")
        return _first_failure(value) if several else _verdict(command, value)
    answers = value if several else [{"result": value}]
    for one in answers:
        if "error" in one:
            refused = in_words_of_flags(from_dict(one), command)
            console.flush()
            console.tell(f"shop: #{one['id']}: {one_line(refused.message)}")
        else:
            _show_one(command, one["result"], said, console)
    return _first_failure(value) if several else _verdict(command, value)


def _show_one(command: Command, value: Any, said: Said, console: Console) -> None:
    render = import_module("shopfloor.surfaces.cli.render")
    page = import_module("shopfloor.surfaces.cli.page").Page(console, quiet=said.flags.quiet)
    output = getattr(said.flags, "output", None)
    if output:
        data = a2b_base64(value["content"])
        import_module("shopfloor.surfaces.cli.inputs").write_file(output, data)
        page.note(f"{len(data)} bytes written to {one_line(output)}")
        return
    names = render.names(value) if said.flags.quiet else []
    if names:
        console.say("\n".join(one_line(name) for name in names))
    elif not (said.flags.quiet and command.writes):
        render.render(command.result, value, page)


def _verdict(command: Command, value: Any) -> int:
    """The exit code of an answer: what a check found is not a success."""
    if command.result in ("FsckView", "Verified"):
        return 0 if value["ok"] else 1
    if command.result == "Diagnosis":
        return 1 if value["errors"] or value["warnings"] else 0
    if command.result == "ProfileCheck":
        return 0 if value["well"] else 1
    if command.result == "DispatchReport":
        return 1 if value["troubles"] else 0
    return 0


def _first_failure(answers: list[dict[str, Any]]) -> int:
    return next((from_dict(one).exit for one in answers if "error" in one), 0)
