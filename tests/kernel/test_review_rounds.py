"""A worker that hands in and a reviewer that sends back: after so many rounds a person is asked."""

import pytest

from shopfloor.domain.outcomes import Exit
from shopfloor.domain.settings import Dispatch, Profile, Settings

ROUNDS = 3


@pytest.fixture
def going_round(board):
    """A board whose reviewer may send a task back three times, and a task on it."""
    dispatch = Dispatch(reviewer="critic", review="profile", review_rounds_limit=ROUNDS)
    profiles = {name: Profile(name, argv=("x",)) for name in ("coder", "critic")}
    board.settings = Settings(dispatch=dispatch, profiles=profiles)
    return board.create(assignee="coder")


def hand_in(board, task):
    """The worker's half of a round."""
    [one] = board.start()
    board.ask_as(one.run_id, one.token, "task.request_review", id=task, summary="look")
    board.settle(one.run_id, Exit(exit_code=0))


def send_back(board, task, reason="not blue"):
    """The reviewer's half."""
    [one] = board.start()
    board.ask_as(one.run_id, one.token, "task.request_changes", id=task, reason=reason)
    board.settle(one.run_id, Exit(exit_code=0))
    return one.run_id


def rounds(board, task, times):
    for _ in range(times):
        hand_in(board, task)
        send_back(board, task)


def test_the_round_that_is_one_too_many_waits_for_a_person(board, going_round):
    task = going_round
    rounds(board, task, ROUNDS - 1)
    assert board.status(task) == "ready"
    hand_in(board, task)
    review = send_back(board, task, "still red")
    row = board.task(task)
    assert (row.status, row.phase, row.block_kind) == ("blocked", "work", "needs_input")
    assert board.data(task, "blocked")["review_rounds"] == ROUNDS
    why = board.ask("task.why", id=task)
    assert why.code == "blocked_needs_input"
    assert "sent it back 3 times" in why.sentence
    assert "the last time: still red" in why.sentence
    assert f"shop unblock {task}" in why.next_step
    # The reviewer's own word stands.
    assert board.run(review).outcome == "changes_requested"
    assert board.start() == []
    assert board.findings() == []


def test_to_unblock_it_grants_as_many_rounds_again(board, going_round):
    task = going_round
    rounds(board, task, ROUNDS)
    board.ask("task.unblock", id=task)
    rounds(board, task, ROUNDS - 1)
    assert board.status(task) == "ready"
    rounds(board, task, 1)
    assert board.status(task) == "blocked"


@pytest.mark.parametrize(
    ("op", "said"),
    [
        ("task.comment", {"body": "blue is enough"}),
        ("task.edit", {"body": "in blue"}),
        ("task.assign", {"assignee": "critic"}),
    ],
)
def test_what_a_person_says_meanwhile_begins_the_count_anew(board, going_round, op, said):
    task = going_round
    rounds(board, task, ROUNDS - 1)
    board.ask(op, id=task, **said)
    rounds(board, task, ROUNDS - 1)
    assert board.status(task) == "ready"


def test_what_worker_and_reviewer_say_does_not(board, going_round):
    task = going_round
    for _ in range(ROUNDS):
        [one] = board.start()
        board.ask_as(one.run_id, one.token, "task.comment", id=task, body="I tried")
        board.ask_as(one.run_id, one.token, "task.request_review", id=task, summary="look")
        board.settle(one.run_id, Exit(exit_code=0))
        send_back(board, task)
    assert board.status(task) == "blocked"


def test_a_person_who_reviews_is_not_counted(board, going_round):
    task = going_round
    for _ in range(ROUNDS + 1):
        hand_in(board, task)
        board.ask("task.request_changes", id=task, reason="no")
    assert board.status(task) == "ready"


def test_a_task_that_would_wait_for_another_is_blocked_too_and_waits_when_it_goes_on(
    board, going_round
):
    task = going_round
    rounds(board, task, ROUNDS - 1)
    hand_in(board, task)
    [one] = board.start()
    board.ask("task.link", parent=board.create(), child=task)
    board.ask_as(one.run_id, one.token, "task.request_changes", id=task, reason="no")
    board.settle(one.run_id, Exit(exit_code=0))
    assert board.status(task) == "blocked"
    board.ask("task.unblock", id=task)
    assert board.status(task) == "todo"
