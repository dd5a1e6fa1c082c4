"""What the runner of an agent asks and tells: the startup guard, progress, and what it leaves at the end."""

import pytest

from shopfloor.domain.errors import Forbidden, Stale
from shopfloor.domain.outcomes import ENDINGS, Exit, Report, Usage
from shopfloor.domain.settings import Profile, Settings
from tests.support.walk import at

USAGE = Usage(100, 20, 3_000, 40, 5_000)
AGENT = Settings(profiles={"coder": Profile("coder", kind="cli")})
TOLD = {"input_tokens": 100, "output_tokens": 20, "cost_micros": 5_000}


@pytest.fixture
def worked(board):
    """A running task of an agent, and its worker's credentials."""
    board.settings = AGENT
    task = board.create("work", assignee="coder")
    one = board.claim(task)
    return task, one


def say(board, one, **args):
    return board.ask_as(one.run, one.token, "run.progress", **args)


def test_the_guard_is_open_for_the_open_run(board, worked):
    task, one = worked
    found = board.ask_as(one.run, one.token, "run.guard")
    assert (found.open, found.pending, found.status, found.outcome) == (
        True,
        False,
        "running",
        None,
    )
    assert found.reason == f"run {one.run} is the open run of #{task}"


def test_the_guard_is_closed_for_a_run_that_was_taken_back(board, worked):
    task, one = worked
    board.ask("task.reclaim", id=task)
    board.claim(task)
    found = board.ask_as(one.run, one.token, "run.guard")
    assert (found.open, found.outcome) == (False, "reclaimed")
    assert found.reason == f"run {one.run} ended as reclaimed, and #{task} is running"


def test_the_guard_says_that_a_verdict_waits_for_its_check(board):
    task = board.create("work", check=["true"], assignee="coder")
    board.settings = Settings(profiles={"coder": Profile("coder", argv=("x",))})
    [one] = board.start()
    board.ask_as(one.run_id, one.token, "task.complete", id=task)
    found = board.ask_as(one.run_id, one.token, "run.guard")
    assert (found.open, found.pending) == (True, True)
    told = board.ask_as(one.run_id, one.token, "run.progress")
    assert (told.kind, told.unread) == ("closed", 0)


@pytest.mark.parametrize("op", ["run.guard", "run.progress", "task.inbox"])
def test_unknown_credentials_are_refused(board, worked, op):
    with pytest.raises(Forbidden, match="is not known by this token"):
        board.ask_as(worked[1].run, "not the token", op)
    with pytest.raises(Forbidden, match="is not known by this token"):
        board.ask(op)


def test_progress_is_a_sign_of_life_that_writes_no_event(board, worked):
    task, one = worked
    before = board.kinds(task)
    board.clock.advance(5_000)
    told = say(board, one, note="half way")
    assert (told.stop, told.kind, told.unread) == (None, None, 0)
    run = board.run(one.run)
    assert (run.heartbeat_at, run.heartbeat_note) == (board.now, "half way")
    assert board.kinds(task) == before


def test_progress_keeps_the_session_and_counts_what_was_used(board, worked):
    _, one = worked
    say(board, one, usage=TOLD, session_id="abc", model="opus")
    say(board, one, usage={**TOLD, "output_tokens": 50})
    shown = board.ask("run.show", id=one.run)
    assert shown.session == "abc"
    assert (shown.usage.model, shown.usage.input_tokens, shown.usage.output_tokens) == (
        "opus",
        100,
        50,
    )
    [row] = board.dump("spend")["spend"]
    assert row[:10] == (one.run, one.task, "coder", "coder", "opus", 100, 50, 0, 0, 5_000)


def test_an_older_report_takes_nothing_back(board, worked):
    _, one = worked
    say(board, one, usage={"input_tokens": 500, "output_tokens": 9}, model="opus")
    before = board.dump("spend"), board.run(one.run).usage
    board.settle(one.run, Exit(exit_code=0), report=Report(usage=Usage(100, 9), model="opus"))
    assert (board.dump("spend"), board.run(one.run).usage) == before


def test_a_cost_that_becomes_known_later_is_kept(board, worked):
    _, one = worked
    say(board, one, usage={"input_tokens": 500})
    say(board, one, usage={"input_tokens": 500, "cost_micros": 12})
    assert board.dump("spend")["spend"][0][9] == 12
    assert board.ask("run.show", id=one.run).usage.cost_micros == 12


def test_progress_of_a_run_that_its_own_worker_closed_says_to_leave(board, worked):
    task, one = worked
    board.ask_as(one.run, one.token, "task.complete", id=task)
    before = board.dump()
    told = say(board, one, note="still here", usage=TOLD)
    assert told.kind == "closed"
    assert (
        told.stop == f"the verdict on #{task} was given (completed), so there is nothing left to do"
    )
    assert board.dump() == before


def test_progress_of_a_run_that_was_taken_back_is_refused_and_recorded(board, worked):
    task, one = worked
    board.ask("task.reclaim", id=task)
    with pytest.raises(Stale):
        say(board, one, usage=TOLD)
    assert board.kinds(task)[-1] == "write_refused"
    assert board.dump("spend") == {"spend": []}


def test_the_inbox_has_what_others_wrote_since_the_context_and_each_comment_once(board):
    task = board.create("work", assignee="coder")
    board.ask("task.comment", id=task, body="before")
    one = board.claim(task)
    worker = one.run, one.token
    assert board.ask_as(*worker, "run.guard").unread == 0
    board.ask("task.comment", id=task, body="a")
    board.ask_as(*worker, "task.comment", id=task, body="mine")
    board.ask("task.comment", id=task, body="b")
    assert say(board, one).unread == 2
    [first] = board.ask_as(*worker, "task.inbox", limit=1)
    assert first.body == "a"
    assert [one.body for one in board.ask_as(*worker, "task.inbox")] == ["b"]
    assert board.ask_as(*worker, "task.inbox") == []
    assert say(board, one).unread == 0


def test_a_new_run_is_told_of_what_the_old_one_did_not_read(board, worked):
    task, one = worked
    board.ask("task.comment", id=task, body="news")
    board.ask("task.reclaim", id=task)
    two = board.claim(task)
    assert board.ask_as(two.run, two.token, "run.guard").unread == 0, "its context has it"
    assert board.ask_as(one.run, one.token, "run.guard").unread == 1


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_the_runner_reports_decides_and_its_sentence_is_kept(board, ending):
    board.settings = AGENT
    task = board.create("work", assignee="coder")
    [one] = board.start()
    report = Report(ending, "this is what happened", text="last words", session_id="s", turns=3)
    settled = board.settle(one.run_id, Exit(exit_code=0), report=report)
    assert settled.outcome is ENDINGS[ending].outcome
    run = board.run(one.run_id)
    assert (run.outcome, run.error) == (ENDINGS[ending].outcome, "this is what happened")
    told = board.ask("run.show", id=one.run_id)
    assert (told.session, told.report.text, told.report.turns) == ("s", "last words", 3)
    [shown] = board.ask("task.show", id=task).runs
    assert shown.report.ending == ending


def test_what_was_said_after_a_verdict_lands_on_the_run_that_it_closed(board):
    board.settings = AGENT
    task = board.create("work", assignee="coder")
    [one] = board.start()
    board.ask_as(one.run_id, one.token, "task.complete", id=task, summary="done")
    report = Report(text="all done", session_id="s", model="opus", usage=USAGE)
    for _ in range(2):
        board.settle(one.run_id, Exit(exit_code=0), report=report)
    run = board.ask("run.show", id=one.run_id)
    assert (run.outcome, run.summary, run.session) == ("completed", "done", "s")
    assert run.report.text == "all done"
    assert (run.usage.model, run.usage.cache_read_tokens, run.usage.cost_micros) == (
        "opus",
        3_000,
        5_000,
    )


@pytest.mark.parametrize(
    ("report", "wait_ms"),
    [
        (Report("quota", reset_at=1), 300_000),
        (Report("quota"), 300_000),
        (Report("busy"), 15_000),
    ],
)
def test_a_rate_limit_without_a_time_to_believe_waits_for_the_usual_time(board, report, wait_ms):
    board.settings = AGENT
    task = board.create("work", assignee="coder")
    [one] = board.start()
    board.settle(one.run_id, Exit(exit_code=0), report=report)
    assert board.task(task).not_before == board.now + wait_ms


def test_a_rate_limit_waits_until_the_time_that_the_provider_told(board):
    board.settings = AGENT
    task = board.create("work", assignee="coder")
    [one] = board.start()
    reset = board.now + 5 * 3_600_000
    board.settle(one.run_id, Exit(exit_code=0), report=Report("quota", reset_at=reset))
    assert (board.task(task).not_before, board.task(task).quota_rounds) == (reset, 1)


def test_a_round_in_which_work_was_done_begins_the_count_anew(board):
    board.settings = AGENT
    task = board.create("work", assignee="coder")
    board.execute(f"UPDATE task SET quota_rounds = 7 WHERE id = {task}")
    [one] = board.start()
    board.settle(one.run_id, Exit(exit_code=0), report=Report("quota", usage=USAGE))
    assert board.task(task).quota_rounds == 1


def test_a_killed_run_keeps_what_its_runner_had_reported_so_far(board):
    board.settings = AGENT
    task = at(board, "ready", assignee="coder")
    [one] = board.start()
    board.settle(one.run_id, Exit(signal=9), report=Report(session_id="s", usage=USAGE))
    run = board.ask("run.show", id=one.run_id)
    assert (run.outcome, run.session, run.usage.input_tokens) == ("crashed", "s", 100)
    assert board.status(task) == "ready"
