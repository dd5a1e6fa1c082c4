"""Several turns of one session: goals, questions and their answers, review and its changes."""

import pytest

from tests.agents.scenarios import OBJECTION, QUESTION, SUMMARY

PROGRAMS = ("claude", "codex", "opencode", "gemini", "opencode-acp")


@pytest.mark.parametrize("program", PROGRAMS)
def test_an_answered_question_resumes_the_session_that_asked(floor, program):
    profile = floor.profile(program, "asks")
    daemon = floor.up()
    task = floor.give(profile)
    blocked = floor.becomes(task, "blocked")
    assert blocked["block_kind"] == "needs_input"
    assert QUESTION in blocked["block_reason"]
    first = floor.is_over(task)
    assert first["outcome"] == "blocked"
    # The answer may come after a restart of the board.
    daemon.term()
    floor.home.ask("task.answer", id=task, answer="blue, like the sky")
    floor.up()
    floor.becomes(task, "done")
    second = floor.is_over(task)
    assert second["session"] == first["session"]
    calls = floor.session(profile)
    assert any("blue, like the sky" in one for one in calls[-1].request.prompts)
    assert not any("blue, like the sky" in one for one in calls[0].request.prompts)


@pytest.mark.parametrize("program", ["claude", "codex", "opencode"])
def test_a_review_with_one_request_for_changes_is_a_round_trip(floor, program):
    floor.configure('[dispatch]\nreviewer = "critic"\nrecent_success = 0\n')
    worker = floor.profile(program, "asks-for-review")
    floor.profile("claude", "reviews", name="critic")
    floor.up()
    task = floor.give(worker)
    assert floor.becomes(task, "done")["summary"] == SUMMARY
    floor.is_over(task)
    assert floor.home.outcomes(task) == [
        "review_requested",
        "changes_requested",
        "review_requested",
        "completed",
    ]
    roles = [(run["role"], run["profile"]) for run in floor.home.runs(task)]
    assert roles == [("worker", worker), ("reviewer", "critic")] * 2
    calls = floor.session(worker)
    assert calls[-1].request.mentions(OBJECTION)


@pytest.mark.parametrize("program", ["claude", "codex", "opencode-acp"])
def test_a_goal_of_three_turns_is_reached_in_one_session(floor, program):
    profile = floor.profile(program, "goal")
    floor.judge("continue", "continue", "done")
    floor.up()
    task = floor.give(profile, goal=True)
    floor.becomes(task, "done")
    run = floor.is_over(task)
    assert (run["outcome"], run["attempt"]) == ("completed", 1)
    calls = floor.session(profile)
    assert len(calls) == 3
    assert [call.reply.text for call in calls] == [
        f"Part {number} of the work is done." for number in (1, 2, 3)
    ]
