"""A profile tried for real: what is found, what is said, and the pause that ends."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from shopfloor.domain.errors import GuardFailed, NotFound
from tests.support.home import home_in
from tests.support.waiting import eventually

AGENT = """#!/bin/sh
case "$1" in --version) echo "agent 2.5.1"; exit 0;; esac
cat > {notes}/prompt
"""
PRESET = """
program = "{program}"
title = "An agent"
install = "apt install agent"
login = "run `agent login`"
minimum = "2.0"
argv = ["work"]
prompt = "stdin"
[[output.lines]]
match = '^HTTP (?P<status>\\d+)'
"""


@pytest.fixture
def home(tmp_path: Path) -> Iterator:
    yield from home_in(tmp_path / "h")


@pytest.fixture
def agent(home, tmp_path):
    """Makes an agent program of these shell lines, as the profile `bot`."""

    def make(lines: str) -> None:
        program = tmp_path / "agent"
        program.write_text(AGENT.format(notes=tmp_path) + lines)
        program.chmod(0o755)
        presets = home.path / "presets"
        presets.mkdir(mode=0o700, parents=True, exist_ok=True)
        (presets / "bot.toml").write_text(PRESET.format(program=program))
        home.configure('[profiles.bot]\npreset = "bot"\n')

    return make


def findings(found):
    return {one["what"]: (one["well"], one["sentence"]) for one in found["findings"]}


def test_an_agent_that_works_is_well_and_its_verdict_came_from_its_shell(agent, home, tmp_path):
    agent("shop complete 1 --summary ready\n")
    home.up()
    found = home.ask("profile.check", name="bot")
    assert found["well"] is True
    told = findings(found)
    assert told["version"] == (True, "2.5.1")
    assert told["verdict"] == (True, "it ended the task by its shell")
    assert "a trial" in (tmp_path / "prompt").read_text()
    assert list((home.path / "trials").iterdir()) == []
    assert home.ask("task.list")["items"] == []


def test_a_refused_login_is_said_with_what_to_do(agent, home):
    agent("echo 'HTTP 401 bad key' >&2; exit 0\n")
    home.up()
    found = home.ask("profile.check", name="bot")
    assert found["well"] is False
    assert "agent login" in findings(found)["login"][1]


def test_an_agent_without_a_verdict_is_not_ready(agent, home):
    agent("echo I am done.\n")
    home.up()
    well, sentence = findings(home.ask("profile.check", name="bot"))["verdict"]
    assert not well
    assert "I am done." in sentence


def test_a_program_that_is_not_there_or_too_old_is_said(agent, home, tmp_path):
    agent("")
    home.up()
    program = tmp_path / "agent"
    program.write_text("#!/bin/sh\necho agent 1.9.9\n")
    told = findings(home.ask("profile.check", name="bot"))
    assert told["version"] == (
        False,
        "1.9.9 is older than 2.0, with which this preset works; update it",
    )
    program.unlink()
    assert "apt install agent" in findings(home.ask("profile.check", name="bot"))["program"][1]


def test_a_check_that_goes_well_ends_the_board_s_own_pause_and_not_a_person_s(agent, home):
    agent("echo 'HTTP 401 bad key' >&2\n")
    home.up()
    task = home.create(assignee="bot")
    eventually(lambda: home.why(task) == "profile_paused")
    agent("shop complete ${SHOPFLOOR_TASK} --summary ready\n")
    home.ask("dispatch.pause", profile="bot")
    assert home.ask("profile.check", name="bot")["resumed"] is True
    assert home.status(task) == "ready"
    home.ask("dispatch.resume", profile="bot")
    home.becomes(task, "done")


def test_only_an_agent_s_profile_can_be_tried(home):
    home.configure('[profiles.sh]\nargv = ["sh"]\n')
    home.up()
    assert isinstance(home.refused("profile.check", name="sh"), GuardFailed)
    assert isinstance(home.refused("profile.check", name="nobody"), NotFound)


def test_the_command_says_it_in_lines_and_by_its_status(agent, home):
    agent("echo 'HTTP 401 bad key' >&2\n")
    home.up()
    done = home.shop("profile", "check", "bot")
    assert done.returncode == 1
    assert "BAD  login" in done.stdout
    assert json.loads(home.shop("profile", "check", "bot", "--json").stdout)["well"] is False
