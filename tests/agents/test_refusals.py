"""What a provider refuses is told apart: limits, quota, login, an overloaded server, a full context."""

import pytest

from tests.support.waiting import eventually

PROGRAMS = ("claude", "codex", "opencode", "gemini")


def ended(floor, task):
    """The first attempt of a task, once it has ended; nothing starts any more."""
    floor.has_attempts(task, 1)
    return floor.home.runs(task)[0]


@pytest.mark.parametrize("program", [*PROGRAMS, "gemini-acp"])
def test_a_limit_with_its_end_parks_the_account_until_then(floor, program):
    profile = floor.profile(program, "limited", account="the-one")
    other = floor.profile("claude", "mcp", name="same", account="the-one")
    floor.up()
    task = floor.give(profile)
    run = ended(floor, task)
    assert run["outcome"] == "rate_limited"
    shown = floor.home.task(task)
    assert (shown["status"], shown["failures"]) == ("ready", 0)
    why = floor.home.ask("task.why", id=task)
    assert why["code"] == "quota"
    assert why["until"] is not None
    waiting = floor.give(other)
    assert eventually(lambda: floor.home.why(waiting) == "quota")
    assert floor.models.calls(other) == []
    (quota,) = floor.home.ask("quota.list")
    assert (quota["account"], quota["state"]) == ("the-one", "parked")


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_limit_ends_by_itself_and_one_probe_goes_first(floor, program):
    profile = floor.profile(program, "limited-once")
    floor.up()
    task = floor.give(profile)
    floor.becomes(task, "done")
    outcomes = floor.home.outcomes(task)
    # A program may have waited for so short a time by itself.
    assert outcomes in (["completed"], ["rate_limited", "completed"])
    assert eventually(
        lambda: [one["state"] for one in floor.home.ask("quota.list")] in ([], ["open"])
    )


@pytest.mark.parametrize("program", [*PROGRAMS, "qwen"])
def test_a_refused_login_pauses_the_profile_with_the_next_step(floor, program):
    profile = floor.profile(program, "unauthorized")
    floor.up()
    task = floor.give(profile)
    run = ended(floor, task)
    assert run["outcome"] == "auth_failed"
    shown = floor.home.task(task)
    assert (shown["status"], shown["failures"]) == ("ready", 0)
    why = floor.home.ask("task.why", id=task)
    assert why["code"] == "profile_paused"
    assert "login" in why["sentence"]
    assert len(floor.home.runs(task)) == 1
    floor.models.scenarios["unauthorized"] = floor.models.scenarios["mcp"]
    floor.home.ask("dispatch.resume", profile=profile)
    floor.becomes(task, "done")


NOBODY_ALLOWS = {
    "claude": ["--settings", '{"permissions": {"ask": ["mcp__board__task_complete"]}}'],
    "codex": ["-c", 'mcp_servers.board.default_tools_approval_mode="prompt"'],
}


@pytest.mark.parametrize("program", NOBODY_ALLOWS)
def test_a_program_that_refuses_the_boards_tools_pauses_its_profile(floor, program):
    """It exits with 0 all the same: nobody was there to be asked."""
    argv = NOBODY_ALLOWS[program]
    profile = floor.profile(program, "mcp", argv=argv, permissions="refuse", reminders=0)
    floor.up()
    task = floor.give(profile)
    assert ended(floor, task)["outcome"] == "permission_refused"
    assert floor.home.why(task) == "profile_paused"
    assert floor.home.task(task)["failures"] == 0


@pytest.mark.parametrize("program", ["claude", "codex"])
def test_a_spent_quota_is_a_limit_and_no_failure(floor, program):
    profile = floor.profile(program, "quota")
    floor.up()
    task = floor.give(profile)
    run = ended(floor, task)
    assert run["outcome"] == "rate_limited"
    assert floor.home.task(task)["failures"] == 0


@pytest.mark.parametrize("program", ["claude", "codex", "opencode"])
def test_a_full_context_is_a_failure_that_is_named(floor, program):
    profile = floor.profile(program, "overflow")
    floor.up()
    task = floor.give(profile, max_attempts=1)
    run = ended(floor, task)
    assert run["outcome"] == "failed"
    assert "context" in run["error"].lower()
    assert floor.becomes(task, "blocked")["block_kind"] == "gave_up"


@pytest.mark.parametrize("program", ["claude", "opencode"])
def test_an_overloaded_provider_is_nobodys_failure(floor, program):
    profile = floor.profile(program, "overloaded")
    floor.up()
    task = floor.give(profile)
    run = ended(floor, task)
    assert run["outcome"] == "rate_limited"
    assert floor.home.task(task)["failures"] == 0


@pytest.mark.parametrize("scenario", ["broken", "drop-mid"])
def test_a_provider_that_breaks_is_waited_for(floor, scenario):
    profile = floor.profile("codex", scenario)
    floor.up()
    task = floor.give(profile)
    assert ended(floor, task)["outcome"] in ("rate_limited", "failed")
    floor.models.scenarios[scenario] = floor.models.scenarios["mcp"]
    for parked in floor.home.ask("quota.list"):
        floor.home.ask("quota.clear", account=parked["account"])
    floor.becomes(task, "done")


def test_twenty_tasks_on_one_account_make_one_probe_a_window(floor):
    """All twenty are ready when the limit is hit; until it is over, only the probes ask a model."""
    floor.configure("[dispatch]\ncap = 4\nrecent_success = 0\n")
    profile = floor.profile("codex", "limited-for-5s")
    floor.up()
    floor.home.ask("dispatch.pause")
    tasks = [floor.give(profile, f"part {number}") for number in range(20)]
    floor.home.ask("dispatch.resume")
    eventually(lambda: floor.home.counts() == {"done": 20}, limit_s=1000)
    limited = [
        run for task in tasks for run in floor.home.runs(task) if run["outcome"] == "rate_limited"
    ]
    # Those that started together, and one for each time that the limit was still there.
    assert len(limited) <= 4 + 2
    assert {floor.home.task(task)["failures"] for task in tasks} == {0}
