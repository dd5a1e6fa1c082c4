"""Agents that hang, crash, are stopped or are stale: recorded for what it was, and nothing is left."""

import pytest

from tests.agents.floor import PATIENCE_S
from tests.agents.scenarios import SUMMARY
from tests.support.home import kill
from tests.support.waiting import eventually

PROGRAMS = ("claude", "codex", "opencode", "gemini")


@pytest.mark.parametrize("program", [*PROGRAMS, "gemini-acp", "opencode-acp"])
def test_an_agent_that_hangs_is_stopped_by_a_person(floor, program):
    profile = floor.profile(program, "hang", grace="2s")
    floor.up()
    task = floor.give(profile, max_attempts=1)
    floor.calls(profile)
    floor.home.ask("run.terminate", id=task)
    run = floor.is_over(task)
    assert run["outcome"] == "reclaimed"
    assert floor.home.task(task)["failures"] == 0


@pytest.mark.parametrize("program", ["claude", "gemini"])
def test_the_maximum_runtime_ends_an_agent_in_the_middle_of_an_answer(floor, program):
    profile = floor.profile(program, "hang-mid", grace="1s")
    floor.up()
    # A busy machine may need longer than that to start a program.
    for seconds in (20, 60, 200):
        task = floor.give(profile, max_attempts=1, max_runtime_ms=seconds * 1000)
        blocked = floor.becomes(task, "blocked")
        assert blocked["block_kind"] == "gave_up"
        assert floor.is_over(task)["outcome"] == "timed_out"
        if floor.models.calls(profile):
            return
    raise AssertionError(f"{program} has not asked its model")


@pytest.mark.parametrize("program", [*PROGRAMS, "qwen"])
def test_a_shell_tool_in_a_session_of_its_own_ends_with_the_agent(floor, program):
    profile = floor.profile(program, "long-tool", grace="2s")
    floor.up()
    task = floor.give(profile)
    run = eventually(lambda: floor.home.runs(task))[-1]
    eventually(lambda: "sleep 300" in floor.command_lines(), limit_s=PATIENCE_S)
    floor.home.ask("task.cancel", id=task)
    assert floor.is_over(task)["id"] == run["id"]
    assert floor.home.outcomes(task) == ["cancelled"]
    assert "sleep 300" not in floor.command_lines()


@pytest.mark.parametrize("program", [*PROGRAMS, "opencode-acp"])
def test_a_crash_in_mid_turn_is_told_to_the_next_attempt(floor, program):
    profile = floor.profile(program, "crash-once")
    floor.up()
    task = floor.give(profile)
    assert floor.becomes(task, "done")["summary"] == SUMMARY
    floor.is_over(task)
    assert floor.home.outcomes(task) == ["crashed", "completed"]
    second = floor.models.calls(profile, work=True)[-1].request
    assert second.mentions("crashed")
    assert second.mentions("Attempt 1")


def test_crashes_up_to_the_limit_give_the_task_up(floor):
    profile = floor.profile("claude", "crash")
    floor.up()
    task = floor.give(profile)
    assert floor.becomes(task, "blocked")["block_kind"] == "gave_up"
    assert floor.home.outcomes(task) == ["crashed", "crashed"]


@pytest.mark.parametrize("program", ["claude", "opencode"])
def test_a_killed_runner_is_recovered_once(floor, program):
    profile = floor.profile(program, "hang")
    floor.up()
    task = floor.give(profile)
    floor.calls(profile)
    floor.models.scenarios["hang"] = floor.models.scenarios["mcp"]
    run = floor.home.runs(task)[-1]["id"]
    kill(floor.runner(run))
    floor.becomes(task, "done")
    floor.is_over(task)
    assert floor.home.outcomes(task) == ["crashed", "completed"]


@pytest.mark.parametrize("program", ["claude", "opencode", "gemini"])
def test_a_killed_supervisor_is_recovered_once(floor, program):
    profile = floor.profile(program, "hang")
    floor.up()
    task = floor.give(profile)
    floor.calls(profile)
    floor.models.scenarios["hang"] = floor.models.scenarios["mcp"]
    kill(floor.home.supervisor(task))
    floor.becomes(task, "done")
    floor.is_over(task)
    assert floor.home.outcomes(task) == ["crashed", "completed"]


def test_an_agent_works_on_while_the_daemon_is_dead(floor):
    profile = floor.profile("claude", "mcp")
    floor.models.scenarios["hang"] = floor.models.scenarios["mcp"]
    daemon = floor.up()
    task = floor.give(profile)
    floor.calls(profile)
    daemon.kill()
    floor.up()
    floor.becomes(task, "done")
    floor.is_over(task)
    assert floor.home.outcomes(task) == ["completed"]
