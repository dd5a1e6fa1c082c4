"""What `--help` prints: all commands by group, or one command with its arguments and flags."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from shopfloor.surfaces.cli import catalog
from shopfloor.surfaces.cli.catalog import Command, Field
from shopfloor.surfaces.cli.client import Program
from shopfloor.surfaces.cli.follow import commands as following
from shopfloor.surfaces.cli.parser import USUAL, Option, nameable, options

# The title of each family of operations; one that is missing goes by its module's name.
TITLES = {
    "tasks": "Tasks",
    "moves": "Move a task",
    "plans": "Plan",
    "planning": "Plan",
    "notes": "Words and links",
    "files": "Files and logs",
    "agents": "For workers",
    "scope": "For workers",
    "questions": "Questions to people",
    "graph": "Look around",
    "needs": "Look around",
    "timeline": "Look around",
    "runs": "Attempts",
    "dispatch": "Start, pause, resume",
    "boards": "Boards",
    "order_lists": "Work orders",
    "orders": "Work orders",
    "order_wait": "Work orders",
    "schedule_edit": "Schedules",
    "receipt_check": "Receipts",
    "quotas": "Quotas and usage",
    "usage": "Quotas and usage",
    "events": "Watch",
    "stats": "Figures",
    "history": "Figures",
    "diagnostics": "Upkeep",
    "admin": "Upkeep",
    "export": "Upkeep",
    "tokens": "Who may come in over the network",
    "profiles": "Profiles",
    "notify": "Messages",
    "deliveries": "Messages",
}
WIDTH, WIDTH_MAX, TERM_MAX = 80, 100, 24


def overview(programs: Sequence[Program], width: int | None) -> str:
    """Every command with one line."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for command in [*catalog.everything(), *following()]:
        title = TITLES.get(command.group, command.group.capitalize())
        groups.setdefault(title, []).append((command.command, first_line(command.summary)))
    groups["Programs"] = [(program.name, first_line(program.summary)) for program in programs]
    longest = max(len(name) for rows in groups.values() for name, _ in rows)
    room = (width or WIDTH) - longest - 4
    lines = [
        "Usage: shop COMMAND [ARGUMENTS]",
        "",
        "A durable work board for AI agents and plain commands.",
    ]
    for title, rows in groups.items():
        lines += ["", f"{title}:"]
        for name, words in rows:
            lines.append(f"  {name.ljust(longest)}  {within(words, max(room, 20))}")
    lines += [
        "",
        "`shop help COMMAND` says more, `shop help --all` everything.",
        "All commands that ask the board take --json, --board NAME and --quiet.",
        "`shop --url URL --token TOKEN COMMAND` asks a board on another machine.",
    ]
    return "\n".join(lines)


def of_command(command: Command, width: int | None) -> str:
    """One command: its usage, what it does, its arguments and flags."""
    room = min(width or WIDTH, WIDTH_MAX)
    usage = textwrap.wrap(
        f"Usage: {usage_of(command)}", room, subsequent_indent="       ", break_on_hyphens=False
    )
    lines = [*usage, ""]
    for paragraph in command.doc.split("\n\n"):
        lines += [*textwrap.wrap(paragraph, room, break_on_hyphens=False), ""]
    named = {field.name: f" Or {field.flag}=…" for field in nameable(command)}
    arguments = [
        (field.metavar, field.words + named.get(field.name, "")) for field in command.positionals
    ]
    if command.rest:
        arguments.append((f"-- {command.rest.metavar} …", command.rest.words))
    lines += _part("Arguments", arguments, room)
    own = [one for one in options(command) if one not in USUAL]
    flags = [(_flag(field), words_of(field)) for field in command.flags]
    lines += _part("Flags", [*flags, *map(_option, own)], room)
    lines += _part("Flags of every command", map(_option, USUAL), room)
    return "\n".join(lines).rstrip()


def of_family(word: str, members: Sequence[Command], width: int | None) -> str:
    """The commands that begin with the same word."""
    room = min(width or WIDTH, WIDTH_MAX)
    rows = [(one.command, one.summary) for one in members]
    lines = [f"Usage: shop {word} COMMAND [ARGUMENTS]", "", *_part("Commands", rows, room)]
    return "\n".join(lines).rstrip()


def usage_of(command: Command) -> str:
    """The command's shape in one line: required arguments bare, the others in brackets."""
    parts = [f"shop {command.command}"]
    places = command.positionals
    for field in places:
        again = field is places[0] and (command.several or field.listed)
        shape = f"{field.metavar} …" if again else field.metavar
        parts.append(shape if field.required else f"[{shape}]")
    parts += [f"{_flag(field)}" for field in command.flags if field.required]
    if any(not field.required for field in command.flags):
        parts.append("[FLAGS]")
    if command.rest:
        parts.append(f"[-- {command.rest.metavar} …]")
    return " ".join(parts)


def words_of(field: Field) -> str:
    """What a field means, with its choices, its default and whether it may be given again."""
    words = field.words
    if field.choices:
        words += f" One of {', '.join(field.choices)}."
    if field.default:
        words += f" Default: {field.default}."
    if field.listed and "again" not in words:
        words += " May be given again."
    return words.strip()


def first_line(words: str) -> str:
    """The first sentence, as far as it stands for the whole."""
    return words.partition(". ")[0].rstrip(".")


def within(words: str, width: int) -> str:
    """The words, or their longest beginning that fits and ends where a clause does."""
    if len(words) <= width:
        return words
    ends = [at for at, letter in enumerate(words[:width]) if letter in ";:,"]
    return words[: ends[-1]] if ends else textwrap.shorten(words, width, placeholder="…")


def _flag(field: Field) -> str:
    if field.kind == "flag":
        return field.flag
    return f"{field.flag} {field.metavar}"


def _option(option: Option) -> tuple[str, str]:
    flags = ", ".join(option.flags)
    return (f"{flags} {option.metavar}" if option.metavar else flags), option.words


def _part(title: str, rows: Iterable[tuple[str, str]], width: int) -> list[str]:
    """A titled list of terms and words in two columns."""
    told = list(rows)
    if not told:
        return []
    left = min(max(len(term) for term, _ in told), TERM_MAX)
    lines = [f"{title}:"]
    for term, words in told:
        wrapped = textwrap.wrap(words, max(width - left - 4, 20), break_on_hyphens=False) or [""]
        if len(term) > left:
            lines.append(f"  {term}")
        else:
            lines.append(f"  {term.ljust(left)}  {wrapped.pop(0)}".rstrip())
        lines += [f"  {' ' * left}  {line}" for line in wrapped]
    return [*lines, ""]
