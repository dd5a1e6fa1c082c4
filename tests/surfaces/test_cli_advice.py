"""Every `shop …` that a sentence of the program or a page names is a command, with flags that it has."""

import ast
import re
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path

import pytest

from shopfloor.app.main import PROGRAMS, program
from shopfloor.surfaces.cli import catalog
from shopfloor.surfaces.cli.follow import commands as following
from shopfloor.surfaces.cli.parser import options

ROOT = Path(__file__).resolve().parents[2]
# Stands for what a sentence fills in.
FILLED = "…"
ALWAYS = {"--debug", "--help"}


def flags_by_command() -> dict[str, set[str]]:
    known = {"help": {"--all"}, "completion": set()}
    for command in [*catalog.everything(), *following()]:
        own = {flag for option in options(command) for flag in option.flags}
        known[command.command] = own | {field.flag for field in command.flags}
    for name in PROGRAMS:
        parser = ArgumentParser()
        program(name)().add_arguments(parser)
        known[name] = set(parser._option_string_actions)
    return known


KNOWN = flags_by_command()
FAMILIES = {name.partition(" ")[0] for name in KNOWN if " " in name}


def sentences() -> Iterator[str]:
    """The texts of the program, with what is filled in as one mark."""
    for path in sorted((ROOT / "src").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts = (p.value if isinstance(p, ast.Constant) else FILLED for p in node.values)
                yield "".join(map(str, parts))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield re.sub(r"\{\w*\}", FILLED, node.value)


def named(text: str) -> Iterator[str]:
    """The commands that a text names in backticks, and a text that is one."""
    yield from re.findall(r"`shop ([^`\n]+)`", text)
    if text.startswith("shop "):
        yield from re.split(r",? (?:then|or|and) shop ", text.removeprefix("shop "))


def on_pages() -> Iterator[str]:
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        text = path.read_text(encoding="utf-8")
        yield from re.findall(r"`shop ([^`\n]+)`", text)
        for block in re.findall(r"```(?:sh|console|text)\n(.*?)```", text, re.DOTALL):
            yield from re.findall(r"^\s*(?:\$ )?shop ([^|\n]+)", block, re.MULTILINE)


def wrong_in(said: str) -> str | None:
    """What is wrong with a command line that is shown; None: nothing."""
    line = re.sub(r"'[^']*'|\"[^\"]*\"", "x", said.partition(" -- ")[0].partition(" #")[0])
    words = re.sub(r"--(board|url|token) \S+", "", line).split()
    words = [word.strip(".,;:[]()") for word in words]
    if not words or not re.fullmatch(r"[a-z][a-z-]*", words[0]):
        return None
    name = " ".join(words[:2]) if " ".join(words[:2]) in KNOWN else words[0]
    if name not in KNOWN:
        return None if name in FAMILIES else f"there is no `shop {name}`"
    flags = {
        word.partition("=")[0] for word in words if re.fullmatch(r"--?[a-z][a-z-]*(=.*)?", word)
    }
    odd = flags - KNOWN[name] - ALWAYS
    return f"`shop {name}` has no {', '.join(sorted(odd))}" if odd else None


def faults(lines) -> list[str]:
    return [f"{wrong}: shop {line}" for line in lines if (wrong := wrong_in(line)) is not None]


def test_every_command_that_a_sentence_names_is_one():
    assert faults(line for text in sentences() for line in named(text)) == []


def test_every_command_that_a_page_names_is_one():
    assert faults(on_pages()) == []


@pytest.mark.parametrize(
    "line", ["retry", "heartbeat 3 --note WORDS", "order enqueue --attempts 3"]
)
def test_what_is_no_command_is_found(line):
    assert faults([line])
