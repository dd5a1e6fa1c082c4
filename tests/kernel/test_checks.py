"""A task's check: it decides between done and one more attempt, once the worker has left."""

import json

import pytest

from shopfloor.domain.lifecycle import Outcome
from shopfloor.domain.outcomes import Exit
from shopfloor.kernel.settle import Settlement
from tests.support.attempts import CHECKED, FAILED, OK, order


def test_a_check_decides_when_the_worker_has_left(board):
    task, run = order(board, **CHECKED)
    assert board.settle(run, OK).settlement is Settlement.CHECK
    assert board.status(task) == "running"
    assert board.why(task) == "check_runs"
    assert board.settle_check(run, OK).outcome is Outcome.COMPLETED
    assert board.status(task) == "done"
    assert board.run(run).exit_code == 0


def test_a_failed_check_is_a_failure_and_its_words_go_to_the_next_attempt(board):
    task, run = order(board, **CHECKED)
    board.settle(run, OK)
    board.settle_check(run, FAILED, note="2 tests failed")
    assert (board.status(task), board.task(task).failures_work) == ("ready", 1)
    assert board.run(run).outcome == "check_failed"
    assert board.task(task).last_error == "the check ended with exit status 1\n2 tests failed"
    assert "2 tests failed" in board.ask("task.context", id=task).text


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (Exit(timed_out=True, signal=9), "did not end in time"),
        (Exit(signal=9), "killed by signal 9"),
        (Exit(spawn_error="not found"), "could not be started: not found"),
        (Exit(exit_code=4), "exit status 4"),
    ],
)
def test_a_check_that_does_not_pass_says_how(board, seen, words):
    task, run = order(board, **CHECKED)
    board.settle(run, OK)
    board.settle_check(run, seen)
    assert words in board.task(task).last_error


def test_a_pending_verdict_survives_the_workers_crash(board):
    task, run = order(board, **CHECKED)
    done = board.ask_as(
        run, board.run(run).token, "task.complete", id=task, summary="s", metadata={"a": 1}
    )
    assert done.status == "running"
    assert board.ask("run.show", id=run).pending_check
    child = board.create(parents=[task])
    assert board.settle(run, Exit(signal=9)).settlement is Settlement.CHECK
    assert board.status(child) == "todo"
    board.settle_check(run, OK)
    told = board.task(task)
    assert (told.status, told.summary, json.loads(told.metadata)) == ("done", "s", {"a": 1})
    assert board.status(child) == "ready"
    assert board.run(run).exit_signal == 9


def test_completing_by_hand_skips_the_check_and_the_event_says_so(board):
    task, run = order(board, **CHECKED)
    board.ask("task.complete", id=task, summary="I looked myself")
    assert board.status(task) == "done"
    assert board.run(run).outcome == "superseded"
    assert board.data(task, "completed")["check_skipped"] is True


def test_a_check_of_a_run_that_was_taken_back_decides_nothing(board):
    task, run = order(board, **CHECKED)
    board.settle(run, OK)
    board.ask("task.cancel", id=task)
    assert board.settle_check(run, OK).settlement is Settlement.GONE
    assert board.status(task) == "cancelled"
