"""Scripts that complete commands and flags, as static text: pressing TAB starts no program.

All three are made from the same table: each command with its flags and the choices of those that
have some.  Flags that take a file complete files, which the shells do by themselves.
"""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple, get_args

from shopfloor.domain.lifecycle import Status
from shopfloor.ops.lists import Sort
from shopfloor.surfaces.cli import catalog
from shopfloor.surfaces.cli.catalog import Command
from shopfloor.surfaces.cli.client import Program
from shopfloor.surfaces.cli.follow import commands as following
from shopfloor.surfaces.cli.help import first_line
from shopfloor.surfaces.cli.parser import options

# Words that the board itself checks, and that can be told beforehand.
SUGGESTED = {
    "--status": tuple(Status),
    "--sort": get_args(Sort),
}


class Entry(NamedTuple):
    """One command: its words, its flags, those that take a value, and the choices of some by flag."""

    name: str
    summary: str
    flags: Sequence[str]
    valued: Collection[str]
    choices: dict[str, Sequence[str]]

    @property
    def first(self) -> str:
        return self.name.partition(" ")[0]


def script(shell: str, programs: Sequence[Program]) -> str:
    """The script for that shell."""
    entries = [_entry(command) for command in [*catalog.everything(), *following()]]
    entries += [_program(program) for program in programs]
    entries.append(
        Entry("completion", "Print a completion script", ["bash", "zsh", "fish"], (), {})
    )
    names = sorted({entry.first for entry in entries})
    entries.append(Entry("help", "Show what a command does", ["--all", *names], (), {}))
    return {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell](entries)


def _entry(command: Command) -> Entry:
    flags = [field.flag for field in command.flags]
    valued = {field.flag for field in command.flags if field.kind != "flag"}
    for option in options(command):
        long = [flag for flag in option.flags if flag.startswith("--")]
        flags += long
        valued |= set(long) if option.metavar else set()
    choices = {field.flag: field.choices for field in command.flags if field.choices}
    choices |= {flag: SUGGESTED[flag] for flag in flags if flag in SUGGESTED}
    return Entry(command.command, first_line(command.summary), flags, valued, choices)


def _program(program: Program) -> Entry:
    parser = ArgumentParser(prog=f"shop {program.name}")
    program.add_arguments(parser)
    # The parser's own table of flags has no public name.
    known = parser._option_string_actions  # noqa: SLF001
    flags = [flag for flag in known if flag.startswith("--")]
    valued = {flag for flag in flags if known[flag].nargs != 0}
    actions = parser._actions  # noqa: SLF001
    words = [word for one in actions if not one.option_strings for word in one.choices or ()]
    choices: dict[str, Sequence[str]] = {
        flag: tuple(map(str, known[flag].choices or ())) for flag in valued if known[flag].choices
    }
    return Entry(
        program.name, first_line(program.summary), [*map(str, words), *flags], valued, choices
    )


def _heads(entries: Sequence[Entry]) -> dict[str, list[str]]:
    """The first words, each with the second words that may follow it."""
    heads: dict[str, list[str]] = {}
    for entry in entries:
        first, _, second = entry.name.partition(" ")
        heads.setdefault(first, [])
        if second:
            heads[first].append(second)
    return heads


def _bash(entries: Sequence[Entry]) -> str:
    heads = _heads(entries)
    lines = [
        "# Completion of shop for bash.  Load it with:  source <(shop completion bash)",
        "_shop() {",
        '  local word="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}"',
        '  local first="${COMP_WORDS[1]}" second="${COMP_WORDS[2]}" words=""',
        "  COMPREPLY=()",
        "  if ((COMP_CWORD == 1)); then",
        f'    words="{_spaced(heads)}"',
        "  else",
        '    case "$first $before" in',
        *(
            f'      {_quoted(f"{entry.first} {flag}")}) words="{_spaced(values)}" ;;'
            for entry in entries
            for flag, values in entry.choices.items()
        ),
        # Any other value is the reader's own, or a file, which the shell completes.
        *(
            f"      {_quoted(f'{first} {flag}')}) return ;;"
            for first, flag in sorted(_values(entries))
        ),
        "    esac",
        '    if [[ -z $words ]]; then case "$first $second" in',
        *(
            f'      {_quoted(entry.name)}*) words="{_spaced(entry.flags)}" ;;'
            for entry in sorted(entries, key=lambda one: -one.name.count(" "))
            if " " in entry.name
        ),
        *(
            f'      {_quoted(f"{first} ")}*) words="{_spaced([*seconds, *_flags_of(first, entries)])}" ;;'
            for first, seconds in heads.items()
        ),
        "    esac; fi",
        "  fi",
        '  COMPREPLY=($(compgen -W "$words" -- "$word"))',
        "}",
        "complete -o default -F _shop shop",
    ]
    return "\n".join(lines)


def _values(entries: Sequence[Entry]) -> set[tuple[str, str]]:
    """The first words and flags that are followed by a value that cannot be told beforehand."""
    told = {(entry.first, flag) for entry in entries for flag in entry.choices}
    return {(entry.first, flag) for entry in entries for flag in entry.valued} - told


def _flags_of(name: str, entries: Sequence[Entry]) -> Sequence[str]:
    return next((entry.flags for entry in entries if entry.name == name), [])


def _zsh(entries: Sequence[Entry]) -> str:
    """The script of bash, whose functions zsh runs when it is told to."""
    return "\n".join(
        [
            "#compdef shop",
            "# Completion of shop for zsh.  Load it with:  source <(shop completion zsh)",
            "autoload -U +X compinit && compinit -u",
            "autoload -U +X bashcompinit && bashcompinit",
            *_bash(entries).split("\n")[1:],
        ]
    )


def _fish(entries: Sequence[Entry]) -> str:
    heads = _heads(entries)
    lines = [
        "# Completion of shop for fish.  Load it with:  shop completion fish | source",
        "function __shop_at",
        "  set -l words (commandline -opc)",
        '  test (count $words) -gt (count $argv); and test "$words[2..(math (count $argv) + 1)]" = "$argv"',
        "end",
        "complete -c shop -n __fish_use_subcommand -f",
    ]
    for entry in entries:
        first, _, second = entry.name.partition(" ")
        words = _quoted(entry.summary)
        if second:
            seconds = " ".join(heads[first])
            where = _quoted(f"__shop_at {first}; and not __fish_seen_subcommand_from {seconds}")
            lines.append(f"complete -c shop -n {where} -a {second} -d {words}")
        else:
            lines.append(f"complete -c shop -n __fish_use_subcommand -a {first} -d {words}")
        for flag in entry.flags:
            long = f"-l {flag[2:]}" if flag.startswith("--") else f"-a {flag}"
            values = entry.choices.get(flag)
            needs = " -r" if flag in entry.valued else ""
            takes = f" -x -a {_quoted(_spaced(values))}" if values else needs
            lines.append(f"complete -c shop -n {_quoted(f'__shop_at {entry.name}')} {long}{takes}")
    whole = {entry.name for entry in entries}
    lines += [
        f"complete -c shop -n __fish_use_subcommand -a {first}"
        for first in heads
        if first not in whole
    ]
    return "\n".join(lines)


def _spaced(words: Iterable[str]) -> str:
    return " ".join(words)


def _quoted(words: str) -> str:
    return "'" + words.replace("\\", "\\\\").replace("'", "'\\''") + "'"
