"""Several turns of one session: goals, questions and their answers, review and its changes."""

import pytest

from tests.agents.scenarios import OBJECTION, QUESTION, SUMMARY

DONE = '{"verdict": "done", "reason": "All is there."}'
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


def test_a_goal_that_cannot_be_reached_waits_for_a_person_at_once(floor):
    floor.profile("claude", "goal")
    floor.judge("impossible")
    floor.up()
    task = floor.give("claude", goal=True)
    blocked = floor.becomes(task, "blocked")
    assert "I say impossible." in blocked["block_reason"]
    assert len(floor.models.calls("claude", work=True)) == 1


def test_a_goal_whose_turns_are_used_up_waits_for_a_person(floor):
    floor.profile("claude", "goal")
    floor.judge("continue")
    floor.up()
    task = floor.give("claude", goal=True, goal_turns=2)
    assert floor.becomes(task, "blocked")["block_kind"] == "needs_input"
    assert floor.is_over(task)["outcome"] == "goal_budget_spent"
    assert len(floor.session("claude")) == 2


def test_a_judge_that_talks_nonsense_is_asked_again(floor):
    floor.profile("claude", "goal")
    floor.planner('{"verdict": "perhaps"}', '{"verdict": "done"', DONE)
    floor.up()
    task = floor.give("claude", goal=True)
    floor.becomes(task, "done")
    assert len(floor.models.calls("claude", work=True)) == 1


def test_a_judge_that_only_talks_nonsense_blocks_the_task_and_says_so(floor):
    floor.profile("claude", "goal")
    floor.planner('{"verdict": "perhaps"}')
    floor.up()
    task = floor.give("claude", goal=True)
    assert "judge" in floor.becomes(task, "blocked")["block_reason"]
