"""Words of the command line into values of a request.

Only the form is checked here, with a sentence that names the flag; what a value may be is for the
door to say, so that no surface has rules of its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple, TextIO

from shopfloor.domain.errors import Invalid
from shopfloor.surfaces.cli.catalog import Field, Kind
from shopfloor.surfaces.cli.console import Console

_TASK = re.compile(r"(?:([A-Za-z0-9][A-Za-z0-9_-]{0,63})/)?#?([0-9]{1,18})")
# What only a shell understands, wherever it stands: quoted, it means the same to the shell as here.
_SHELL = re.compile(r"[$`|&;<>(){}*?~#\n]|^\s*\w+=")
_SENTENCES = {
    "int": "a whole number",
    "float": "a number",
    "time": "an ISO time such as 2030-01-31T09:00, a time of the day such as 18:00, or a span such as 10m",
}


class TaskName(NamedTuple):
    """A task as it was named: its number, and its board if that was said."""

    number: int
    board: str | None


class Reader:
    """Turns words into values; knows the time, the zone and standard input, which is read once.

    `files`: words may name files of this machine and its standard input; not where words come from afar.
    """

    def __init__(self, console: Console, *, files: bool = True) -> None:
        self._console = console
        self._files = files
        self._reader_of_stdin: str | None = None

    def value(self, field: Field, word: str) -> Any:
        """The value of one word for that field; raises Invalid."""
        ways: dict[Kind, Callable[[Field, str], Any]] = {
            "prose": self._prose,
            "int": _number,
            "float": _number,
            "ms": _duration,
            "s": _duration,
            "backoff": _duration,
            "time": self._time,
            "choice": _choice,
            "json": self._json,
            "argv": self._argv,
        }
        way = ways.get(field.kind)
        return word if way is None else way(field, word)

    def content(self, field: Field, path: str) -> bytes:
        """The bytes of a file that is to be sent."""
        if not self._files:
            raise Invalid("a file cannot be taken from here; use `shop` on the machine that has it")
        if path == "-":
            return bytes(_inputs().standard_input_bytes(self._take_stdin(field)))
        return bytes(_inputs().read_file(path))

    def _prose(self, field: Field, word: str) -> str:
        """Text that may stand in a file or on standard input; `@@` begins words with one `@`."""
        if not self._files:
            return word
        if word == "-":
            return str(_inputs().standard_input(self._take_stdin(field)))
        if word.startswith("@@"):
            return word[1:]
        # Words such as "@alice please look" are a greeting, not a file, unless there is such a file.
        if word.startswith("@") and (
            not any(c.isspace() for c in word) or _inputs().is_file(word[1:])
        ):
            return str(_inputs().read_text(word[1:]))
        return word

    def _take_stdin(self, field: Field) -> TextIO:
        name = _name(field)
        if self._reader_of_stdin is not None:
            raise Invalid(f"{self._reader_of_stdin} and {name} cannot both read standard input")
        self._reader_of_stdin = name
        return self._console.stdin

    def _time(self, field: Field, word: str) -> str:
        moments = import_module("shopfloor.surfaces.cli.moments")
        then = moments.from_words(
            word, self._console.clock(), self._console.zone, past=field.name == "since"
        )
        if then is None:
            raise Invalid(f"{_name(field)} takes {_SENTENCES['time']}, not {word!r}")
        return str(then)

    def _json(self, field: Field, word: str) -> Any:
        text = self._prose(field, word)
        try:
            return json.loads(text)
        except ValueError as wrong:
            raise Invalid(
                f"{_name(field)} takes JSON or @FILE, and this is none: {wrong}"
            ) from None

    def _argv(self, field: Field, word: str) -> Any:
        text = self._prose(field, word)
        try:
            found = json.loads(text)
        except ValueError:
            found = None
        # `[ -f report.txt ]` is a command too, so only what is JSON is taken as JSON.
        if isinstance(found, list):
            return found
        try:
            argv = import_module("shlex").split(text)
            return ["sh", "-c", text] if _SHELL.search(text) else argv
        except ValueError as wrong:
            raise Invalid(
                f"{_name(field)} takes a command as a shell takes it: {str(wrong).lower()}"
            ) from None


def task(word: str) -> TaskName:
    """The task that `42`, `#42` or `board/42` names; raises Invalid."""
    found = task_or_none(word)
    if found is None:
        raise Invalid(f"{word!r} names no task; write 42, #42 or board/42")
    return found


def task_or_none(word: str) -> TaskName | None:
    """The task that a word names, or None if it does not look like one."""
    found = _TASK.fullmatch(word.strip())
    if found is None:
        return None
    return TaskName(int(found[2]), found[1].lower() if found[1] else None)


def is_address(word: object) -> bool:
    """Whether a word names something in the web and no file of this machine."""
    return isinstance(word, str) and word.lower().startswith(("http://", "https://"))


def _number(field: Field, word: str) -> float:
    try:
        return int(word) if field.kind == "int" else float(word)
    except ValueError:
        raise Invalid(f"{_name(field)} takes {_SENTENCES[field.kind]}, not {word!r}") from None


def _duration(field: Field, word: str) -> Any:
    try:
        length: int = import_module("shopfloor.domain.durations").duration_ms(word)
    except Invalid as wrong:
        raise Invalid(f"{_name(field)}: {wrong.message}") from None
    if field.kind == "backoff":
        return {"base_ms": length}
    return length if field.kind == "ms" else length / 1000


def _choice(field: Field, word: str) -> str:
    if word not in field.choices:
        raise Invalid(f"{_name(field)} takes one of {', '.join(field.choices)}, not {word!r}")
    return word


def _name(field: Field) -> str:
    return field.flag or field.metavar


def _inputs() -> Any:
    return import_module("shopfloor.surfaces.cli.inputs")
