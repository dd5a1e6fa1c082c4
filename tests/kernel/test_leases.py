"""Runs that the board ends by itself: by a lease that ran out, a start that failed, a silence."""

import pytest

from shopfloor.domain.errors import Stale
from shopfloor.domain.lifecycle import Outcome
from shopfloor.domain.outcomes import Exit
from shopfloor.kernel import sweep
from shopfloor.kernel.settle import Settlement
from shopfloor.store import runs
from tests.support.attempts import COMMAND, again, end, order


def test_a_run_without_a_supervisor_is_taken_back_when_its_lease_ends(board):
    task = board.create()
    one = board.claim(task)
    expired = board.run(one.run).lease_until
    settings = board.settings
    board.now = expired
    assert board.write(lambda tx: sweep.reclaim_expired(tx, settings, "here", shared=False)) == []
    board.now = expired + 1
    [settled] = board.write(lambda tx: sweep.reclaim_expired(tx, settings, "here", shared=False))
    assert settled.outcome is Outcome.RECLAIMED
    assert (board.status(task), board.task(task).failures_work) == ("ready", 0)
    with pytest.raises(Stale):
        board.ask_as(one.run, one.token, "task.complete", id=task)


def test_a_heartbeat_renews_the_lease_of_a_run_without_a_supervisor(board):
    task = board.create()
    one = board.claim(task)
    board.clock.advance(600_000)
    board.ask_as(one.run, one.token, "task.heartbeat", id=task)
    assert board.run(one.run).lease_until == board.now + 15 * 60_000


def test_another_hosts_expired_run_is_taken_back_on_a_shared_board_only(board):
    task, run = order(board)
    settings = board.settings
    board.clock.advance(60_001)
    assert board.write(lambda tx: sweep.reclaim_expired(tx, settings, "there", shared=False)) == []
    assert board.write(lambda tx: sweep.reclaim_expired(tx, settings, "here", shared=True)) == []
    [settled] = board.write(lambda tx: sweep.reclaim_expired(tx, settings, "there", shared=True))
    assert settled.run_id == run
    assert board.run(run).gone_at == board.now
    assert board.status(task) == "ready"


def test_a_closed_run_whose_processes_leave_keeps_its_lease_and_its_slot(board):
    task, run = order(board)
    board.ask("task.reclaim", id=task)
    until = board.now + 90_000
    assert board.write(lambda tx: runs.renew(tx, "here", until)) == 1
    assert board.run(run).lease_until == until
    board.clock.advance(90_001)
    settings = board.settings
    [settled] = board.write(lambda tx: sweep.reclaim_expired(tx, settings, "there", shared=True))
    assert settled.settlement is Settlement.GONE
    assert board.run(run).outcome == "reclaimed"


def test_a_run_that_was_taken_back_before_its_start_never_starts(board):
    task = board.create(command=COMMAND)
    one = board.claim(task)
    assert board.identify(one.run, one.token)
    board.ask("task.reclaim", id=task)
    assert not board.identify(one.run, one.token)
    assert not board.identify(board.claim(task).run, "another token")


def test_a_start_that_failed_is_a_failure_of_the_task_with_the_reason(board):
    task, run = order(board)
    end(board, run, Outcome.SPAWN_FAILED, "the folder /srv/x is not there")
    assert board.task(task).last_error == "the folder /srv/x is not there"
    assert board.task(task).failures_work == 1
    assert end(board, run, Outcome.SPAWN_FAILED).settlement is Settlement.KNOWN


def test_a_run_that_the_board_ended_while_its_processes_live_is_not_gone(board):
    task, run = order(board)
    end(board, run, Outcome.STALE, gone=False)
    assert board.run(run).gone_at is None
    assert board.start() == []
    board.settle(run, Exit(stopped=True, signal=9))
    assert board.run(run).outcome == "stale"
    assert again(board, task)
