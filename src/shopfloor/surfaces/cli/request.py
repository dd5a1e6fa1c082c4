"""From what was said to what is asked: the request's fields, the board, the worker's own task.

A worker may leave out the number of its own task.  A board that is named in two ways must be the
same one, and a worker stays on its board.
"""

from __future__ import annotations

import json
from binascii import b2a_base64
from typing import Any, NamedTuple

from shopfloor.domain.errors import Forbidden, Invalid
from shopfloor.surfaces.cli import values
from shopfloor.surfaces.cli.catalog import Command, Field
from shopfloor.surfaces.cli.client import WorkerIdentity
from shopfloor.surfaces.cli.parser import Said
from shopfloor.surfaces.cli.values import Reader


class Request(NamedTuple):
    """What to ask, of which board."""

    args: dict[str, Any]
    board: str | None


def build(command: Command, said: Said, reader: Reader, worker: WorkerIdentity | None) -> Request:
    """The request that a command line stands for; raises Invalid."""
    boards: list[str] = [said.flags.board.lower()] if said.flags.board else []
    args: dict[str, Any] = {}
    named = vars(said.flags)
    places = [field for field in command.positionals if f"field_{field.name}" not in named]
    dealt = deal(command, places, said.words, worker)
    for field in command.fields:
        if field.kind == "command":
            _take_command(args, field, said)
            continue
        words = named.get(f"field_{field.name}", dealt.get(field.name))
        if field.kind == "file" and values.is_address(words):
            args["url"] = words
        elif words is not None:
            args[field.name] = _value(field, words, reader, boards)
    if command.several and isinstance(args.get("id"), list):
        _several(args)
    if (
        getattr(said.flags, "triage", False)
        and args.setdefault("initial_status", "triage") != "triage"
    ):
        raise Invalid("--triage and --initial-status name different places; say one of them")
    _name_file(args, dealt)
    return Request(args, one_board(boards, worker))


def encode(args: dict[str, Any]) -> bytes:
    """The request's fields as JSON; raises Invalid for bytes that are no text."""
    try:
        return json.dumps(args, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        raise Invalid(
            "the command line holds bytes that are not UTF-8 text; attach them as a file"
        ) from None


def deal(
    command: Command, places: list[Field], words: list[str], worker: WorkerIdentity | None
) -> dict[str, list[str] | str]:
    """Give the words to the positional fields that have none yet; the first one may take several."""
    needed = sum(field.required for field in places)
    if worker is not None and command.own_task and places and places[0].kind == "task":
        words = _with_own_task(words, needed, worker.task)
    if len(words) < needed:
        raise Invalid(_missing(command, places, len(words)))
    greedy = bool(places) and (command.several or places[0].listed)
    if len(words) > len(places) and not greedy:
        extra = " ".join(words[len(places) :])
        raise Invalid(
            f"`shop {command.command}` does not know what to do with {extra!r}; quote words with spaces"
        )
    if not greedy:
        return {field.name: word for field, word in zip(places, words, strict=False)}
    share = len(words) - (len(places) - 1)
    first, others = words[: max(share, 0)], words[max(share, 0) :]
    dealt: dict[str, list[str] | str] = {places[0].name: first} if first else {}
    dealt |= {field.name: word for field, word in zip(places[1:], others, strict=False)}
    return dealt


def _with_own_task(words: list[str], needed: int, own: int) -> list[str]:
    """The words with the worker's own task in front, where no task was named."""
    named = values.task_or_none(words[0]) if words else None
    if named is None or (len(words) < needed and named.number != own):
        return [str(own), *words]
    return words


def one_board(boards: list[str], worker: WorkerIdentity | None) -> str | None:
    """The board that all of them name; raises Invalid, or Forbidden for a worker's other board."""
    named = list(dict.fromkeys(boards))
    if worker is not None:
        other = [board for board in named if board != worker.board]
        if other:
            raise Forbidden(
                f"a worker stays on its board {worker.board!r}; {other[0]!r} is another one"
            )
        return worker.board
    if len(named) > 1:
        raise Invalid(f"one command asks one board, not both {named[0]!r} and {named[1]!r}")
    return named[0] if named else None


def _value(field: Field, words: Any, reader: Reader, boards: list[str]) -> Any:
    if isinstance(words, list):
        return [_value(field, word, reader, boards) for word in words]
    if isinstance(words, bool):
        return words
    if field.kind == "task":
        named = values.task(words)
        if named.board is not None:
            boards.append(named.board)
        return named.number
    if field.kind == "file":
        return b2a_base64(reader.content(field, words), newline=False).decode()
    return reader.value(field, words)


def _several(args: dict[str, Any]) -> None:
    """One task stays `id`; more become `ids`, each once."""
    ids = list(dict.fromkeys(args.pop("id")))
    if len(ids) == 1:
        args["id"] = ids[0]
    else:
        args["ids"] = ids


def _name_file(args: dict[str, Any], dealt: dict[str, list[str] | str]) -> None:
    """A file that was sent goes by its own name unless another was said."""
    path = dealt.get("content")
    if isinstance(path, str) and "name" not in args and "url" not in args:
        if path == "-":
            raise Invalid("a file from standard input needs --name")
        args["name"] = path.rstrip("/").rpartition("/")[2]


def _take_command(args: dict[str, Any], field: Field, said: Said) -> None:
    environment = {}
    for pair in said.flags.env or []:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise Invalid(f"--env takes NAME=VALUE, not {pair!r}")
        environment[name] = value
    if said.rest is None:
        if environment or said.flags.cwd:
            raise Invalid("--env and --cwd belong to a command: write it at the end, after `--`")
        if field.required:
            raise Invalid("the command that is to run is missing: write it at the end, after `--`")
        return
    if not said.rest:
        raise Invalid("after `--` comes the command that does the work, and nothing is there")
    told: dict[str, Any] = {"argv": said.rest}
    if environment:
        told["env"] = environment
    if said.flags.cwd:
        told["cwd"] = said.flags.cwd
    args[field.name] = told


def _missing(command: Command, places: list[Field], given: int) -> str:
    names = " and ".join(field.metavar for field in places[given:] if field.required)
    return f"`shop {command.command}` needs {names}; see `shop {command.command} --help`"
