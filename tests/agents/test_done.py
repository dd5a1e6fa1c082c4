"""An agent does its task and says so: by the board's tools, from its shell, by either protocol."""

import pytest

from tests.agents.replies import OUTPUT_TOKENS
from tests.agents.scenarios import SUMMARY
from tests.support.waiting import eventually

PROGRAMS = ("claude", "codex", "opencode", "gemini")
BY_PROTOCOL = ("opencode-acp", "gemini-acp")
POINTED_TO = ("hermes",)
BODY = "With two coats of the green paint in the shed."


@pytest.mark.parametrize("program", [*PROGRAMS, *BY_PROTOCOL, "qwen", "hermes"])
def test_an_agent_completes_its_task_by_the_boards_tools(floor, program):
    profile = floor.profile(program, "made")
    floor.up()
    task = floor.give(profile, body=BODY)
    done = floor.becomes(task, "done")
    assert done["summary"] == SUMMARY
    run = floor.is_over(task)
    assert (run["outcome"], run["summary"], run["attempt"]) == ("completed", SUMMARY, 1)
    assert run["session"]
    floor.session(profile)
    first = floor.models.calls(profile, work=True)[0].request
    # Where a prompt is an argument, it only points to the file with the task.
    assert first.mentions("context.md" if program in POINTED_TO else BODY)


@pytest.mark.parametrize("program", PROGRAMS)
def test_tokens_and_model_of_a_run_are_known(floor, program):
    profile = floor.profile(program, "mcp")
    floor.up()
    task = floor.give(profile)
    floor.becomes(task, "done")
    run = floor.is_over(task)
    calls = len(floor.models.calls(profile))
    assert run["usage"]["output_tokens"] in (calls * OUTPUT_TOKENS, (calls - 1) * OUTPUT_TOKENS)
    assert run["usage"]["input_tokens"] > 0
    assert run["usage"]["model"]


@pytest.mark.parametrize("program", PROGRAMS)
def test_an_agent_completes_its_task_from_its_shell(floor, program):
    profile = floor.profile(program, "shell")
    floor.up()
    task = floor.give(profile)
    assert floor.becomes(task, "done")["summary"] == SUMMARY
    assert floor.is_over(task)["outcome"] == "completed"


@pytest.mark.parametrize("program", PROGRAMS)
def test_neither_the_task_nor_a_secret_stands_in_a_command_line(floor, program):
    profile = floor.profile(program, "hang")
    floor.up()
    task = floor.give(profile, body=BODY)
    floor.calls(profile)
    run = floor.home.runs(task)[-1]
    (token,) = floor.home.execute(f"SELECT token FROM run WHERE id = {run['id']}")[0]
    shown = floor.command_lines()
    assert program in shown
    assert BODY not in shown
    assert token not in shown
    assert "sk-scripted" not in shown


def test_what_an_agent_leaves_running_ends_with_its_run(floor):
    profile = floor.profile("claude", "leftover")
    floor.up()
    task = floor.give(profile)
    floor.becomes(task, "done")
    assert floor.is_over(task)["outcome"] == "completed"
    assert "sleep 300" not in floor.command_lines()


def test_an_agent_makes_a_part_of_its_task_a_task_of_its_own(floor):
    floor.profile("claude", "parts")
    floor.up()
    task = floor.give("claude", tenant="garden")
    floor.becomes(task, "done")
    parts = eventually(
        lambda: [one for one in floor.home.ask("task.list")["items"] if one["id"] != task]
    )
    assert [(one["origin"], one["tenant"]) for one in parts] == [(task, "garden")]
