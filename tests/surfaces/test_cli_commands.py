"""Every registered operation is a command: it has help, takes its arguments, and answers something."""

import json
import re
from pathlib import Path

import pytest

from shopfloor.ops.registry import everything
from shopfloor.surfaces.cli import catalog, completion, index, parser, reference
from shopfloor.surfaces.cli.catalog import FILE
from shopfloor.surfaces.cli.follow import commands as following
from shopfloor.surfaces.cli.main import Program
from shopfloor.surfaces.cli.render import RENDERED
from tests.surfaces.cli_shop import Shop
from tests.tidy.conftest import ROOT

COMMANDS = index.commands()
GOLDEN = ROOT / "tests" / "surfaces" / "golden" / "cli.txt"
# What a word of that name or kind may be, for a command that only has to answer something.
SAMPLES = {
    "rule": "weekdays at 9",
    "task": "1",
    "int": "1",
    "float": "1",
    "ms": "10m",
    "s": "1",
    "time": "10m",
    "json": '[{"title": "a piece"}]',
    "argv": "true",
}


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path / "home")


def test_the_list_of_commands_is_what_the_registry_says():
    """`make docs` writes the file anew."""
    assert Path(FILE).read_text(encoding="utf-8") == index.text()


def test_the_text_of_every_usage_is_the_one_that_was_reviewed(shop):
    """`make docs` writes the file anew."""
    assert GOLDEN.read_text() == reference.usage()
    assert shop("help", "--all").out == reference.usage()


def test_every_operation_is_one_command_with_a_name_of_its_own():
    asked_by_people = {name for name, op in everything().items() if op.command}
    assert {command.op for command in COMMANDS} == asked_by_people
    names = [command.command for command in COMMANDS]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda one: one.command)
def test_no_flag_of_a_command_has_two_meanings(command):
    flags = [field.flag for field in command.flags]
    flags += [flag for option in parser.options(command) for flag in option.flags]
    assert len(set(flags)) == len(flags)
    assert all(re.fullmatch(r"--[a-z][a-z-]*[a-z]|-[a-z]", flag) for flag in flags)
    assert all(field.words for field in command.fields), "every field says what it means"


@pytest.mark.parametrize("command", COMMANDS, ids=lambda one: one.command)
def test_every_command_has_help_that_names_its_arguments_and_flags(command, shop):
    words = command.command.split()
    asked, helped = shop(*words, "--help"), shop("help", *words)
    assert asked == helped
    assert asked.code == 0
    assert asked.out.startswith(f"Usage: shop {command.command}")
    assert " ".join(command.summary.split()[:4]) in asked.out
    for field in command.fields:
        assert (field.flag or field.metavar) in asked.out
    assert max(map(len, asked.out.splitlines())) <= 100
    assert shop.boards == [], "help asks no board"


def sample_words(command, tmp_path):
    """A command line that makes sense for any command."""
    file = tmp_path / "notes.txt"
    file.write_text("notes")
    words = command.command.split()
    for field in command.positionals:
        if field.required:
            named = SAMPLES.get(field.name, SAMPLES.get(field.kind, "words"))
            sample = str(file) if field.kind == "file" else named
            words.append(field.choices[0] if field.choices else sample)
    for field in command.flags:
        if field.required:
            words += [field.flag, SAMPLES.get(field.kind, "words")]
    return [*words, "--yes"] if command.op in parser.CONFIRMED else words


# Their exit status 1 is an answer: something was found.
FINDING = {"diagnostics.list"}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda one: one.command)
def test_every_command_answers_something_and_raises_nothing(command, shop, tmp_path):
    """On a board with one ready task: it does what was asked, or says in one sentence why not."""
    shop.create()
    words = sample_words(command, tmp_path)
    said = shop(*words)
    assert said.out or said.err
    finds = said.code == 1 and command.op in FINDING
    # 75: nothing serves the dashboard here.
    assert finds or said.code in (0, 2, 3, 4, 5, 75), said.err
    if said.code and not finds:
        assert re.fullmatch(r"shop: \S.*\n", said.err)
        assert said.out == ""
    told = shop(*words, "--json")
    if told.code == 0 or finds:
        answers = [json.loads(line) for line in told.out.splitlines()]
        assert len(answers) == 1 or command.command in parser.WRITTEN
        assert told.err == ""
    else:
        assert told.error["code"]
        assert told.out == ""


@pytest.mark.parametrize(
    "command", [one for one in COMMANDS if not one.writes], ids=lambda one: one.command
)
def test_every_question_answers_on_a_board_with_a_history(command, shop, tmp_path):
    shop.create("a task with a history", "--body", "words")
    shop.create("its child", "--parent", "1")
    shop("comment", "1", "look here")
    shop("attach", "1", tmp_path / "words", "--json")
    shop("block", "1", "no key")
    shop("complete", "1", "--summary", "done by hand")
    said = shop(*sample_words(command, tmp_path))
    assert said.code in (0, 3) or command.op in FINDING, said.err
    assert said.out or said.err


def test_a_command_that_the_list_has_not_got_yet_is_found_in_the_registry(tmp_path, monkeypatch):
    empty = tmp_path / "commands.jsonl"
    empty.write_text("")
    monkeypatch.setattr(catalog, "FILE", str(empty))
    found = catalog.find(["board", "create"])
    assert found is not None
    assert found[0].op == "board.create"
    assert found[1] == 2


def test_every_type_of_result_that_has_a_text_is_a_type_of_result():
    assert {command.result for command in COMMANDS} >= RENDERED


def test_the_overview_names_every_command_and_program(shop):
    program = Program("up", "Serve the boards. And more.", lambda parser: None, lambda arguments: 0)
    shop.programs = {"up": lambda: program}
    said = shop("--help")
    assert said.code == 0
    assert shop() == said
    names = [line[2:].split("  ")[0] for line in said.out.splitlines() if line.startswith("  ")]
    assert set(names) == {one.command for one in [*COMMANDS, *following()]} | {
        "up",
        "completion",
    }
    assert max(map(len, said.out.splitlines())) <= 80


def test_the_groups_of_the_overview_have_titles_and_not_the_names_of_modules(shop):
    heads = [
        line for line in shop("--help").out.splitlines() if line.endswith(":") and line[0] != " "
    ]
    assert len(heads) == len({*heads})
    assert not [head for head in heads if "_" in head]


def test_a_family_of_commands_says_its_members(shop):
    said = shop("board")
    assert said.code == 2
    assert said.err.startswith("shop: `shop board` needs one of create, list, show")
    helped = shop("board", "--help")
    assert helped.code == 0
    assert "board rename" in helped.out


def test_the_reference_page_has_every_command_and_flag():
    page = reference.reference()
    for command in [*COMMANDS, *following()]:
        assert f"### shop {command.command}\n" in page
        section = page.split(f"### shop {command.command}\n")[1].split("\n### ")[0]
        for field in command.flags:
            assert field.flag in section
    assert re.findall(r"^# .*", page, re.MULTILINE) == ["# Commands"]


def test_completion_knows_every_command_and_flag(shop):
    for shell in ("bash", "zsh", "fish"):
        script = shop("completion", shell).out
        for command in COMMANDS:
            assert command.command.split()[-1] in script
            for field in command.flags:
                assert field.flag.lstrip("-") in script
    assert shop("completion", "tcsh").code == 2


def test_completion_knows_the_flags_of_programs():
    program = Program(
        "up", "Serve.", lambda parser: parser.add_argument("--pidfile") and None, lambda _: 0
    )
    assert "--pidfile" in completion.script("bash", [program])
    assert "-l pidfile" in completion.script("fish", [program])
