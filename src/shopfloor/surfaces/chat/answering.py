"""One message, one answer: the command is read, asked at the door, and its answer made to fit.

Nothing is raised through: whatever goes wrong is an answer too.  A request has the id that the bridge
gives it, so a message that is handled again after a crash has no second effect.  Files of this machine
are out of reach, whatever a message says.
"""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final

from shopfloor.domain.errors import BoardError, Invalid, from_dict
from shopfloor.ops.registry import find
from shopfloor.surfaces.chat.manual import manual
from shopfloor.surfaces.chat.speech import Answer, Speaker, fitting
from shopfloor.surfaces.chat.words import Line, Spoken, line_of, named, spoken
from shopfloor.surfaces.cli import request as asked
from shopfloor.surfaces.cli.asking import Desk, Root, in_words_of_flags
from shopfloor.surfaces.cli.client import Client
from shopfloor.surfaces.cli.console import Console, one_line
from shopfloor.surfaces.cli.page import GAP, Page
from shopfloor.surfaces.cli.parser import CONFIRMED
from shopfloor.surfaces.cli.render import render
from shopfloor.surfaces.cli.values import Reader

# What puts work on the board, and where its answer has the number of what was made.
MAKES: Final = {"task.create": "task", "task.swarm": "root", "order.enqueue": "order"}
# What must run where its files and its terminal are.
ELSEWHERE: Final = {
    "up", "down", "init", "doctor", "version", "config", "watch", "tail", "mcp", "chat", "completion", "service", "export",
}  # fmt: skip
NO_COMMAND: Final = "commands begin with a slash: /help lists them, /list shows the board"


class Answerer:
    """Answers what is said in chats; may be asked by several threads at once."""

    def __init__(
        self,
        connect: Callable[[str | None], Client],
        *,
        board: str | None,
        environment: Mapping[str, str],
        clock: Callable[[], int],
    ) -> None:
        self._connect = connect
        self._board = board
        self._environment = {**environment, "NO_COLOR": "1"}
        self._clock = clock

    def answer(self, text: str, speaker: Speaker, request_id: str) -> Answer:
        """What is said back; never raises."""
        try:
            line = line_of(text)
            return (
                Answer(NO_COMMAND, ok=False)
                if line is None
                else self._answer(line, speaker, request_id)
            )
        except BoardError as refused:
            return Answer(fitting(_slashed(refused.message), "/help"), ok=False)
        except Exception as wrong:  # noqa: BLE001 - the outermost frame of a message: a person gets a sentence
            print(f"chat: {text.split(maxsplit=1)[0]!r} failed: {wrong!r}", file=sys.stderr)  # noqa: T201 - for who runs it
            return Answer(f"this is a mistake of the program: {wrong!r}", ok=False)

    def _answer(self, line: Line, speaker: Speaker, request_id: str) -> Answer:
        words = named(line.words)
        if not words or words[0] in ("help", "start") or "--help" in words or "-h" in words:
            return Answer(fitting(manual(words), "shop help --all"), table=len(words) > 1)
        if words[0] in ELSEWHERE:
            return Answer(f"`shop {words[0]}` is for the machine itself, not for a chat", ok=False)
        said = spoken(line)
        _allow(said, speaker)
        return self._carry_out(said, speaker, request_id)

    def _carry_out(self, spoken: Spoken, speaker: Speaker, request_id: str) -> Answer:
        command, said, _ = spoken
        out, err = io.StringIO(), io.StringIO()
        console = Console(out, err, io.StringIO(), self._environment, self._clock)
        wanted = asked.build(command, said, Reader(console, files=False), None)
        board = wanted.board or self._board
        client = self._connect(board)
        try:
            root = Root(self._connect, None, speaker.actor, board, {})
            desk = Desk(root, client, board)
            own_id = said.flags.request_id if command.writes else None
            try:
                result = desk.ask(
                    command.op, wanted.args, own_id or request_id if command.writes else None
                )
            except Invalid as refused:
                raise in_words_of_flags(refused, command) from None
            value = json.loads(result)
            ok = True
            if said.flags.json:
                console.say(result.decode())
            else:
                ok = _show(spoken, value, console)
            made = _made(command.op, value)
            if made is not None:
                console.say(_subscribe(desk, made, speaker, request_id))
        finally:
            client.close()
        text = f"{out.getvalue()}{_slashed(err.getvalue())}".strip() or "done"
        return Answer(fitting(text, spoken.line), ok, table="\n" in text and GAP in text)


def _made(op: str, value: Any) -> int | None:
    """The number of the task that a request has put on the board, if it did."""
    made = value.get(MAKES.get(op, "")) if isinstance(value, dict) else None
    return int(made["id"]) if isinstance(made, dict) and value.get("created", True) else None


def _subscribe(desk: Desk, task: int, speaker: Speaker, request_id: str) -> str:
    """Let the chat hear of what it has put on the board; says so."""
    try:
        desk.ask(
            "subscription.add", {"target": speaker.target, "task": task}, f"{request_id}-hears"
        )
    except BoardError as refused:
        return f"this chat will not hear of it: {one_line(refused.message)}"
    where = "this thread" if speaker.thread is not None else "this chat"
    return f"{where} will hear what becomes of #{task}"


def _slashed(talk: str) -> str:
    """Advice to the command line as advice to a chat; what only runs on the machine stays as it is."""

    def instead(found: re.Match[str]) -> str:
        return found[0] if found[1] in ELSEWHERE else f"/{found[1]}"

    return re.sub(r"\bshop ([a-z][a-z-]*)", instead, talk)


def _allow(spoken: Spoken, speaker: Speaker) -> None:
    """Refuse what cannot be asked from here, or not by this person, or not without a second word."""
    command, said, line = spoken
    if command.result == "FileContent":
        raise Invalid(f"files are not sent into a chat; on the machine: {line}")
    if command.op == "order.wait":
        raise Invalid("nothing is waited for in a chat: where it was enqueued, its end is told")
    if getattr(said.flags, "follow", False):
        raise Invalid(
            "nothing is followed in a chat; subscribe with /notify subscribe, or ask again"
        )
    if find(command.op).admin and not speaker.admin:
        raise Invalid(f"/{command.command} is for administrators; on the machine: {line}")
    if command.op in CONFIRMED and not said.flags.yes:
        raise Invalid(f"that cannot be undone; to do it: /{line.removeprefix('shop ')} --yes")


def _show(spoken: Spoken, value: Any, console: Console) -> bool:
    """Write the answer, or one for each of several tasks; whether all of it succeeded."""
    command, said, _ = spoken
    page = Page(console, quiet=said.flags.quiet)
    several = command.several and isinstance(value, list) and not command.result.startswith("list")
    ok = True
    for one in value if several else [{"result": value}]:
        if "error" in one:
            ok = False
            console.say(f"#{one['id']}: {one_line(from_dict(one).message)}")
        else:
            render(command.result, one["result"], page)
    return ok
