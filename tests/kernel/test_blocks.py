"""Blocks: sticky, counted, answered; waiting for another task; and a person's own."""

import json

import pytest

from shopfloor.domain.errors import GuardFailed, Invalid
from shopfloor.domain.lifecycle import Status
from shopfloor.kernel import sweep
from tests.support.walk import at, credentials, lead

FUTURE = "2030-01-01T00:00:00Z"


def block(board, task, **args):
    board.ask_as(*credentials(board, task), "task.block", **{"id": task, "reason": "stuck", **args})


def test_a_block_is_sticky_until_a_person_acts(board):
    task = at(board, Status.RUNNING)
    block(board, task, kind="capability")
    board.clock.advance(10**10)
    board.write(sweep.come_due)
    board.write(lambda tx: sweep.repair_queues(tx, 0))
    assert board.status(task) == "blocked"
    assert board.start() == []
    board.ask("task.unblock", id=task)
    assert board.status(task) == "ready"


def test_the_third_block_of_a_kind_without_an_answer_goes_to_triage(board):
    task = at(board, Status.RUNNING)
    for count in (1, 2):
        block(board, task)
        assert (board.status(task), board.task(task).loop_count) == ("blocked", count)
        board.ask("task.unblock", id=task)
        board.claim(task)
    block(board, task)
    assert board.status(task) == "triage"
    assert board.kinds(task)[-1] == "block_loop_detected"
    assert board.why(task) == "block_loop"


@pytest.mark.parametrize(
    ("op", "field", "more"),
    [
        ("task.comment", "body", {}),
        ("task.edit", "body", {}),
        ("task.attach", "name", {"content": "eA=="}),
    ],
)
def test_an_answered_question_does_not_count_to_the_block_loop(board, op, field, more):
    task = at(board, Status.RUNNING)
    for turn in range(5):
        block(board, task)
        assert board.status(task) == "blocked"
        board.ask(op, id=task, **more, **{field: f"x{turn}"})
        board.ask("task.unblock", id=task)
        board.claim(task)
    assert board.task(task).loop_count == 0


def test_an_answer_takes_back_its_own_block_and_not_those_before(board):
    task = at(board, Status.RUNNING)
    block(board, task)
    board.ask("task.unblock", id=task)
    board.claim(task)
    block(board, task)
    board.ask("task.comment", id=task, body="so it is")
    board.ask("task.unblock", id=task)
    assert board.task(task).loop_count == 1


def test_a_workers_own_comment_is_no_answer(board):
    task = at(board, Status.RUNNING)
    board.ask_as(*credentials(board, task), "task.comment", id=task, body="I asked")
    block(board, task)
    board.ask("task.unblock", id=task)
    assert board.task(task).loop_count == 1


def test_a_block_of_another_kind_is_another_loop_and_a_success_ends_it(board):
    task = at(board, Status.RUNNING)
    for kind in ("needs_input", "capability", "transient", "needs_input"):
        block(board, task, kind=kind)
        assert (board.status(task), board.task(task).loop_count) == ("blocked", 1)
        board.ask("task.unblock", id=task)
        board.claim(task)
    board.ask_as(*credentials(board, task), "task.complete", id=task)
    assert (board.task(task).loop_kind, board.task(task).loop_count) == (None, 0)


def test_specifying_a_looped_task_starts_its_loop_anew(board):
    task = lead(board, at(board, Status.RUNNING), Status.TRIAGE)
    board.ask("task.specify", id=task, body="now it is clear")
    assert (board.status(task), board.task(task).loop_count) == ("ready", 0)
    assert board.task(task).block_kind is None


def test_waiting_for_a_dependency_names_it_and_comes_back_by_itself(board):
    task, other = at(board, Status.RUNNING), board.create()
    block(board, task, kind="dependency", on=other)
    assert board.status(task) == "todo"
    assert board.kinds(task)[-2:] == ["linked", "dependency_wait"]
    assert board.task(task).loop_count == 0
    board.ask("task.complete", id=other)
    assert board.status(task) == "ready"


def test_waiting_for_a_dependency_without_an_open_one_is_refused(board):
    task, done = at(board, Status.RUNNING), lead(board, board.create(), Status.DONE)
    before = board.dump("task", "run", "link")
    with pytest.raises(GuardFailed, match="waits for no unfinished task; name one with `--on ID`"):
        block(board, task, kind="dependency")
    with pytest.raises(GuardFailed):
        block(board, task, kind="dependency", on=done)
    with pytest.raises(Invalid, match="must be dependency"):
        block(board, task, kind="transient", on=done)
    assert board.dump("task", "run", "link") == before


def test_a_forced_task_that_waits_for_a_dependency_really_waits(board):
    parent = board.create()
    task = board.create(parents=[parent])
    board.ask("task.promote", id=task, force=True)
    board.claim(task)
    block(board, task, kind="dependency", on=parent)
    assert (board.status(task), board.task(task).forced_at) == ("todo", None)
    assert board.write(lambda tx: sweep.repair_queues(tx, 0))[0] == []


def test_a_person_blocks_a_running_task_and_its_run_is_taken_back(board):
    task = board.create(command={"argv": ["true"]})
    [one] = board.start()
    board.ask("task.block", id=task, reason="stop, please")
    assert (board.status(task), board.task(task).block_reason) == ("blocked", "stop, please")
    assert (board.run(one.run_id).outcome, board.run(one.run_id).gone_at) == ("reclaimed", None)
    assert board.task(task).loop_count == 0


def test_a_person_who_blocks_or_completes_an_unclaimed_task_leaves_a_run_with_the_words(board):
    blocked, done = board.create(), board.create()
    board.ask("task.block", id=blocked, reason="not this week")
    board.ask("task.complete", id=done, summary="it was done already", metadata={"by": "hand"})
    [one], [two] = board.runs(blocked), board.runs(done)
    assert (one.role, one.outcome, one.error) == ("person", "blocked", "not this week")
    assert (two.role, two.outcome, two.summary) == ("person", "completed", "it was done already")
    assert json.loads(two.metadata) == {"by": "hand"}
    for run in (one, two):
        assert run.claimed_at == run.started_at == run.ended_at == run.gone_at
    assert board.ask("stats.show").by_outcome == {}


def test_unblocking_leads_back_to_the_phase_and_to_the_parents(board):
    reviewed = at(board, Status.REVIEW)
    waiting = at(board, Status.TODO)
    for task, home in ((reviewed, "review"), (waiting, "todo"), (board.create(), "ready")):
        board.ask("task.block", id=task, reason="r")
        assert board.status(task) == "blocked"
        board.ask("task.unblock", id=task)
        assert board.status(task) == home


def test_several_tasks_are_unblocked_and_one_refusal_does_not_stop_the_others(board):
    parked, blocked, ready = (
        at(board, s) for s in (Status.SCHEDULED, Status.BLOCKED, Status.READY)
    )
    answers = board.ask("task.unblock", ids=[parked, ready, blocked, 99])
    assert [one["id"] for one in answers] == [parked, ready, blocked, 99]
    assert [("error" in one) for one in answers] == [False, True, False, True]
    assert board.status(parked) == board.status(blocked) == "ready"
