"""An agent that ends without a verdict is reminded in the same session, and not for ever."""

import pytest

from tests.agents.scenarios import SUMMARY

PROGRAMS = ("claude", "codex", "opencode", "gemini", "opencode-acp")


@pytest.mark.parametrize("program", PROGRAMS)
def test_an_agent_that_forgets_its_verdict_is_reminded_in_its_session(floor, program):
    profile = floor.profile(program, "forgets")
    floor.up()
    task = floor.give(profile)
    assert floor.becomes(task, "done")["summary"] == SUMMARY
    run = floor.is_over(task)
    assert (run["outcome"], run["attempt"]) == ("completed", 1)
    calls = floor.session(profile)
    before = set(calls[0].request.prompts)
    reminder = [one for one in calls[-1].request.prompts if one not in before]
    assert any("complete" in one for one in reminder)


@pytest.mark.parametrize("program", ["claude", "codex", "opencode-acp"])
def test_an_agent_that_never_gives_a_verdict_is_reminded_twice(floor, program):
    profile = floor.profile(program, "never")
    floor.up()
    task = floor.give(profile)
    floor.has_attempts(task, 1)
    floor.home.ask("dispatch.pause")
    assert floor.home.runs(task)[0]["outcome"] == "protocol_violation"
    assert "asked 2 times" in floor.home.runs(task)[0]["error"]


def test_three_attempts_without_a_verdict_are_enough(floor):
    profile = floor.profile("claude", "never", reminders=0)
    floor.up()
    task = floor.give(profile)
    blocked = floor.becomes(task, "blocked")
    assert blocked["block_kind"] == "gave_up"
    assert floor.home.outcomes(task) == ["protocol_violation"] * 3
    assert len(floor.models.calls(profile, work=True)) == 3


def test_an_agent_that_talks_about_limits_is_not_taken_to_be_limited(floor):
    profile = floor.profile("claude", "chatty", reminders=0)
    floor.up()
    task = floor.give(profile)
    floor.becomes(task, "blocked")
    assert set(floor.home.outcomes(task)) == {"protocol_violation"}
    assert floor.home.ask("dispatch.holds") == []
