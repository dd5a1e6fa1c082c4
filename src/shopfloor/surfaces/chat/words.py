"""From a chat message to a command of the command line: its name, its words, the text below it.

People in chats do not quote: what is left over belongs to the last words of a command, so `/comment 5 it
doesn't fit` needs no quotes.  Double quotes work all the same, and after `--` a command is read as a
shell reads it.  What follows on further lines is the body, or goes on with the last words.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Final, NamedTuple

from shopfloor.domain.errors import Invalid
from shopfloor.surfaces.cli import catalog
from shopfloor.surfaces.cli.catalog import Command
from shopfloor.surfaces.cli.parser import Said, parse
from shopfloor.surfaces.cli.values import task_or_none

# Words before a command that are no part of it, and the noun that they stand for.
NOUNS: Final = {"kanban": "", "shop": "", "workorders": "order", "workorder": "order"}
_WORD = re.compile(r"""(--[\w-]+=)?(?:"([^"]*)"|'([^']*)')(?=\s|$)|(\S+)""")
_TYPED = str.maketrans({"\u201c": '"', "\u201d": '"', "\u201e": '"'})


class Spoken(NamedTuple):
    """A message as a command: which one, what was said with it, and the same as a command line."""

    command: Command
    said: Said
    line: str


class Word(str):
    """A word as it is meant; `written` is how it stood in the message, quotes and all."""

    __slots__ = ("written",)
    written: str


class Line(NamedTuple):
    """The first line of a message, taken apart, and the text below it."""

    words: Sequence[str]
    rest: list[str] | None
    below: str


def line_of(text: str) -> Line | None:
    """A message that begins with a slash; None for one that does not."""
    text = text.strip()
    if not text.startswith("/") or not text[1:2].isalnum():
        return None
    first, _, below = text[1:].partition("\n")
    before, dashes, after = first.translate(_TYPED).partition(" -- ")
    words = [_word(found, first) for found in _WORD.finditer(before)]
    return Line(words, _shell(after) if dashes else None, below.strip())


def _word(found: re.Match[str], written: str) -> Word:
    """One word without its quotes; where a phone has made one dash of two, it is two again."""
    plain = "".join(filter(None, found.groups()))
    word = Word(re.sub(r"^[\u2014\u2013](?=\w)", "--", plain))
    word.written = written[found.start() : found.end()]
    return word


def _shell(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as wrong:
        raise Invalid(
            f"after `--` comes a command as a shell takes it: {str(wrong).lower()}"
        ) from None


def named(words: Sequence[str]) -> list[str]:
    """The words with the command's name as the command line has it, for whichever bot it was meant."""
    head, *others = words
    head = head.partition("@")[0].lower()
    if head in NOUNS:
        noun = NOUNS[head]
        others = [others[0].lower().replace("_", "-"), *others[1:]] if others else []
        return [noun, *others] if noun else others
    dashed = head.replace("_", "-")
    if "_" in head and catalog.find([dashed]) is None:
        # Telegram has no blanks in commands: /board_list is `board list`.
        first, _, second = head.partition("_")
        return [first, second.replace("_", "-"), *others]
    return [dashed, *others]


def spoken(line: Line) -> Spoken:
    """The command that a message means; raises Invalid with what would be one."""
    words = named(line.words)
    found = catalog.find([word for word in words[:2] if not word.startswith("-")])
    if found is None:
        raise Invalid(_unknown(words))
    command, length = found
    argv = [*words[length:], *(["--", *line.rest] if line.rest is not None else [])]
    said = parse(command, argv)
    if command.rest is not None and said.words and said.rest is None and not command.positionals:
        name, given = command.command, " ".join(said.words)
        raise Invalid(f"a command comes after two dashes: /{name} -- {given}")
    heads = _heads(command, said.words)
    said = said._replace(words=_gathered(command, said.words, heads))
    if line.below:
        said = _with_below(command, said, line.below)
    return Spoken(command, said, shlex.join(["shop", *command.command.split(), *argv]))


def _unknown(words: Sequence[str]) -> str:
    word = words[0] if words else ""
    members = catalog.family(word) if word else []
    if members:
        names = ", ".join(f"/{word} {one.command.partition(' ')[2]}" for one in members)
        return f"/{word} needs one of these: {names}"
    known = [one.command.partition(" ")[0] for one in catalog.everything()]
    near = get_close_matches(word, known, 1)
    hint = f"did you mean /{near[0]}?" if near else "/help lists them all"
    return f"there is no command /{word}; {hint}"


def _heads(command: Command, words: Sequence[str]) -> int:
    """How many words go to the places before the last one."""
    places = command.positionals
    if not places:
        return 0
    if command.several or places[0].listed:
        tasks = [word for word in words if task_or_none(word) is not None]
        leading = next(
            (at for at, word in enumerate(words) if task_or_none(word) is None), len(words)
        )
        return leading if tasks else 0
    return len(places) - 1


def _gathered(command: Command, words: list[str], heads: int) -> list[str]:
    """The words with all that is left over as the last place's text."""
    places = command.positionals
    if not places or places[-1].kind not in ("text", "prose") or places[-1].listed:
        return words
    left = words[heads:]
    if len(left) < 2:  # noqa: PLR2004 - a single word is as it was read
        return words
    return [*words[:heads], " ".join(getattr(word, "written", word) for word in left)]


def _with_below(command: Command, said: Said, below: str) -> Said:
    """The text below the first line, where it belongs."""
    body = next((one for one in command.flags if one.name == "body"), None)
    if body is not None:
        if not hasattr(said.flags, "field_body"):
            said.flags.field_body = below
        return said
    places = command.positionals
    if not places or places[-1].kind not in ("text", "prose"):
        raise Invalid(f"/{command.command} takes no text below its first line")
    given = len(said.words) >= len(places)
    last = f"{said.words[-1]}\n{below}" if given else below
    return said._replace(words=[*(said.words[:-1] if given else said.words), last])
