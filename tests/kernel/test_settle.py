"""How attempts end that gave no verdict, by what their supervisor saw; and that each ends once."""

import pytest

from shopfloor.domain.lifecycle import Outcome
from shopfloor.domain.outcomes import Exit
from shopfloor.domain.settings import Dispatch, Profile, Settings
from shopfloor.kernel import sweep
from shopfloor.kernel.settle import Settlement
from tests.support.attempts import FAILED, OK, again, end, order


def agent_settings(**more):
    """A board with a profile whose exit status proves nothing, and one that reviews."""
    profiles = {
        "agent": Profile("agent", kind="agent", argv=("agent",), **more),
        "reviewer": Profile("reviewer", kind="agent", argv=("reviewer",)),
    }
    return Settings(dispatch=Dispatch(reviewer="reviewer"), profiles=profiles)


def test_a_command_that_exits_with_0_is_done(board):
    task, run = order(board)
    settled = board.settle(run, OK, record='{"exit_code":0}')
    assert (settled.settlement, settled.outcome) == (Settlement.CLOSED, Outcome.COMPLETED)
    ended = board.run(run)
    assert (ended.outcome, ended.exit_code, ended.exit_record) == (
        "completed",
        0,
        '{"exit_code":0}',
    )
    assert ended.ended_at == ended.gone_at == board.now
    assert board.task(task).succeeded_at == board.now
    assert board.kinds(task) == ["created", "claimed", "completed"]


@pytest.mark.parametrize(
    ("seen", "outcome"),
    [
        (FAILED, "failed"),
        (Exit(signal=9), "crashed"),
        (Exit(lost=True), "crashed"),
        (Exit(timed_out=True, signal=15), "timed_out"),
        (Exit(spawn_error="no such program"), "spawn_failed"),
    ],
)
def test_a_failure_is_counted_and_at_the_limit_the_board_gives_up(board, seen, outcome):
    task, first = order(board)
    board.settle(first, seen)
    assert board.status(task) == "ready"
    assert board.task(task).failures_work == 1
    settled = board.settle(again(board, task), seen)
    assert settled.gave_up
    given_up = board.task(task)
    assert (given_up.status, given_up.block_kind, given_up.failures_work) == (
        "blocked",
        "gave_up",
        2,
    )
    assert "gave up after 2 failed attempts" in given_up.block_reason
    assert given_up.last_error in given_up.block_reason
    assert board.kinds(task)[-2:] == [outcome, "gave_up"]
    assert board.findings() == []


def test_unblocking_what_was_given_up_starts_the_count_anew(board):
    task, run = order(board, max_attempts=1)
    board.settle(run, FAILED)
    assert board.status(task) == "blocked"
    board.ask("task.unblock", id=task)
    assert board.task(task).failures_work == 0
    assert board.status(task) == "ready"


def test_nothing_but_a_success_or_a_person_resets_the_count_of_failures(board):
    task, run = order(board, max_attempts=9)
    board.settle(run, FAILED)
    for seen in (
        Exit(never_started=True),
        Exit(stopped=True),
        Exit(exit_code=75),
        Exit(fenced=True),
    ):
        board.settle(again(board, task), seen)
        board.clock.advance(300_000)
        assert board.task(task).failures_work == 1
    board.ask("task.schedule", id=task, not_before="2020-01-01T00:00:00Z")
    board.write(sweep.come_due)
    board.settle(again(board, task), FAILED)
    assert board.task(task).failures_work == 2
    board.settle(again(board, task), OK)
    assert board.task(task).failures_work == 0


@pytest.mark.parametrize(
    ("task_limit", "profile_limit", "board_limit", "attempts"),
    [(None, None, 2, 2), (None, None, 3, 3), (None, 1, 3, 1), (4, 1, 3, 4)],
)
def test_the_limit_is_the_tasks_then_the_profiles_then_the_boards(
    board, task_limit, profile_limit, board_limit, attempts
):
    board.settings = Settings(
        dispatch=Dispatch(failure_limit=board_limit),
        profiles={"p": Profile("p", argv=("x",), failure_limit=profile_limit)},
    )
    task = board.create(assignee="p", max_attempts=task_limit)
    made = 0
    while board.status(task) == "ready":
        board.settle(again(board, task), FAILED)
        made += 1
    assert made == attempts
    assert board.task(task).block_kind == "gave_up"


def test_exit_status_75_waits_for_the_cooldown_and_is_no_failure(board):
    task, run = order(board)
    board.settle(run, Exit(exit_code=75))
    waiting = board.task(task)
    assert (waiting.status, waiting.failures_work, waiting.quota_rounds) == ("ready", 0, 1)
    assert waiting.not_before == board.now + 300_000
    assert board.kinds(task)[-1] == "rate_limited"
    assert board.start() == []
    assert board.why(task) == "cooldown"
    board.clock.advance(300_000)
    assert len(board.start()) == 1


def test_after_the_limit_of_rounds_a_rate_limited_task_blocks_with_the_figures(board):
    board.settings = Settings(dispatch=Dispatch(quota_rounds_limit=3))
    task, run = order(board)
    for _ in range(2):
        board.settle(run, Exit(exit_code=75))
        board.clock.advance(300_000)
        run = again(board, task)
    board.settle(run, Exit(exit_code=75))
    blocked = board.task(task)
    assert (blocked.status, blocked.block_kind) == ("blocked", "capability")
    assert blocked.block_reason.startswith("3 rounds")


def test_a_verdict_shows_progress_so_the_rounds_start_again(board):
    task, run = order(board)
    board.settle(run, Exit(exit_code=75))
    board.clock.advance(300_000)
    again(board, task)
    one = board.task(task)
    token = board.run(one.current_run).token
    board.ask_as(one.current_run, token, "task.block", id=task, reason="what now?")
    assert board.task(task).quota_rounds == 0


def test_an_agent_that_leaves_without_a_verdict_three_times_in_a_row_blocks(board):
    board.settings = agent_settings()
    task = board.create(assignee="agent")
    for violations in (1, 2):
        board.settle(again(board, task), OK)
        assert (board.status(task), board.task(task).violations) == ("ready", violations)
    board.settle(again(board, task), Exit(exit_code=75))
    assert board.task(task).violations == 2
    board.clock.advance(300_000)
    board.settle(again(board, task), OK)
    assert board.task(task).block_kind == "gave_up"
    assert board.task(task).failures_work == 0


@pytest.mark.parametrize("between", [Exit(exit_code=3), Exit(stopped=True), Exit(signal=9)])
def test_another_end_in_between_starts_the_row_of_violations_anew(board, between):
    board.settings = agent_settings()
    task = board.create(assignee="agent", max_attempts=3)
    board.settle(again(board, task), OK)
    board.settle(again(board, task), between)
    assert board.task(task).violations == 0


@pytest.mark.parametrize("op", ["task.reclaim", "task.block", "task.schedule"])
def test_an_operators_verb_in_between_starts_the_row_of_violations_anew(board, op):
    board.settings = agent_settings()
    task = board.create(assignee="agent")
    board.settle(again(board, task), OK)
    again(board, task)
    board.ask(op, id=task, **({"reason": "r"} if op == "task.block" else {}))
    assert board.task(task).violations == 0


def test_the_third_stale_run_in_a_row_blocks_and_none_of_them_is_a_failure(board):
    task, run = order(board)
    for _ in range(2):
        end(board, run, Outcome.STALE)
        assert board.status(task) == "ready"
        run = again(board, task)
    end(board, run, Outcome.STALE)
    blocked = board.task(task)
    assert (blocked.block_kind, blocked.failures_work) == ("capability", 0)


def test_goal_turns_that_are_used_up_block_at_once(board):
    task, run = order(board, max_attempts=9)
    end(board, run, Outcome.GOAL_BUDGET_SPENT, "20 of 20 turns")
    blocked = board.task(task)
    assert (blocked.status, blocked.block_kind, blocked.failures_work) == (
        "blocked",
        "needs_input",
        1,
    )


@pytest.mark.parametrize("outcome", [Outcome.AUTH_FAILED, Outcome.PERMISSION_REFUSED])
def test_a_refused_login_pauses_the_profile_once_and_counts_for_nobody(board, outcome):
    board.settings = agent_settings()
    first, second = board.create(assignee="agent"), board.create(assignee="agent")
    one, two = board.start()
    end(board, one.run_id, outcome, "the key was refused")
    end(board, two.run_id, outcome, "the key was refused again")
    assert board.status(first) == board.status(second) == "ready"
    assert board.task(first).failures_work == 0
    assert board.why(first) == "profile_paused"
    assert [skip.code for skip in board.plan().skipped] == ["profile_paused"]
    assert [row[3] for row in board.dump("event")["event"]].count("paused") == 1
    board.ask("dispatch.resume", profile="agent")
    assert len(board.start()) == 2


def test_a_work_order_with_backoff_waits_longer_after_each_failure(board):
    backoff = {"base_ms": 1_000, "factor": 3.0, "max_ms": 5_000}
    task, run = order(board, backoff=backoff, max_attempts=5)
    for wait_ms in (1_000, 3_000, 5_000):
        board.settle(run, FAILED)
        waiting = board.task(task)
        assert (waiting.status, waiting.not_before) == ("scheduled", board.now + wait_ms)
        assert board.why(task) == "waits_for_retry"
        board.clock.advance(wait_ms)
        assert board.write(sweep.come_due) == [task]
        run = again(board, task)
    assert board.kinds(task).count("retry_scheduled") == 3


def test_settling_twice_is_settling_once(board):
    task, run = order(board)
    board.settle(run, FAILED)
    before = board.dump()
    assert board.settle(run, OK).settlement is Settlement.KNOWN
    assert board.dump() == before
    assert board.status(task) == "ready"


def test_what_a_process_does_after_the_verdict_never_changes_the_outcome(board):
    task, run = order(board)
    board.ask_as(run, board.run(run).token, "task.complete", id=task, summary="done")
    assert board.run(run).gone_at is None
    board.clock.advance(1_000)
    assert board.settle(run, Exit(signal=11), record="{}").settlement is Settlement.GONE
    ended = board.run(run)
    assert (ended.outcome, ended.exit_signal, ended.gone_at) == ("completed", 11, board.now)
    assert board.status(task) == "done"


def test_a_late_end_of_an_old_run_cannot_touch_the_new_one(board):
    task, old = order(board)
    board.ask("task.reclaim", id=task)
    assert board.start() == []
    assert board.why(task) == "previous_worker_leaving"
    board.settle(old, FAILED)
    new = again(board, task)
    before = board.dump()
    for late in (FAILED, OK, Exit(lost=True)):
        assert board.settle(old, late).settlement is Settlement.KNOWN
        assert end(board, old, Outcome.CRASHED).settlement is Settlement.KNOWN
    assert board.dump() == before
    assert board.run(new).ended_at is None
    assert board.task(task).failures_work == 0


def test_a_worker_that_found_the_guard_shut_is_nobodys_failure(board):
    task, run = order(board)
    settled = board.settle(run, Exit(exit_code=0, guard_refused="the run is not open"))
    assert settled.outcome is Outcome.SUPERSEDED
    assert (board.status(task), board.task(task).failures_work) == ("ready", 0)


def test_a_reviewers_failures_are_counted_apart_and_it_gives_up_in_review(board):
    board.settings = agent_settings()
    task = board.create(assignee="agent", max_attempts=2)
    board.settle(again(board, task), Exit(exit_code=1))
    one = board.start()[0]
    board.ask_as(one.run_id, one.token, "task.request_review", id=task, summary="look")
    board.settle(one.run_id, OK)
    for _ in range(2):
        assert board.status(task) == "review"
        [review] = board.start()
        assert (review.role, review.profile) == ("reviewer", "reviewer")
        board.settle(review.run_id, Exit(exit_code=1))
    told = board.task(task)
    assert (told.status, told.phase, told.failures_work, told.failures_review) == (
        "blocked",
        "review",
        1,
        2,
    )
    board.ask("task.unblock", id=task)
    assert board.status(task) == "review"
