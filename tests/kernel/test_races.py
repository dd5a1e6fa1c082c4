"""Two clients at once, on connections of their own: one of them is first, and the board stays in order.

`beside` stops the first client before each of its statements in turn and lets the second one run as far as it
can; so every order in which the two may meet is tried, and not the one that chance gives.
"""

import threading
from concurrent.futures import ThreadPoolExecutor, wait

import pytest

from shopfloor.domain.errors import BoardError, GuardFailed, NotFound, WrongStatus
from tests.support.walk import at, credentials

LOOK_S = 0.05
STATEMENTS_MAX = 60


class Stopper:
    """A probe that stops its client before the n-th statement, from 1, until it may go on."""

    def __init__(self, number):
        self._number = number
        self._asked = None
        self.stopped = threading.Event()
        self.go_on = threading.Event()

    def start(self):
        self._asked = 0

    def __call__(self, _name):
        if self._asked is None:
            return
        self._asked += 1
        if self._asked == self._number:
            self.stopped.set()
            self.go_on.wait(90)


def beside(place, prepare, first, second):
    """Run `first` and `second` at once, once for each statement that `first` can be stopped at."""
    second_board = place.open()
    for number in range(1, STATEMENTS_MAX):
        probe = Stopper(number)
        first_board = place.open(probe=probe)
        given = prepare(second_board)
        probe.start()
        with ThreadPoolExecutor(2) as pool:
            one = pool.submit(outcome, first, first_board, given)
            while not probe.stopped.wait(LOOK_S) and not one.done():
                continue
            other = pool.submit(outcome, second, second_board, given)
            # It ends, or it waits for the first one's locks; both are as they should be.
            wait([other], LOOK_S)
            probe.go_on.set()
            yield second_board, given, one.result(90), other.result(90)
        assert second_board.findings() == []
        if not probe.stopped.is_set():
            return
    pytest.fail(f"the first client has more than {STATEMENTS_MAX} statements; try them all")


def outcome(work, board, given):
    try:
        return work(board, given)
    except BoardError as refused:
        return refused


def refusals(*answers):
    return [answer for answer in answers if isinstance(answer, BoardError)]


def test_of_two_who_claim_one_task_one_gets_it(place):
    def claim(board, task):
        return board.claim(task)

    for board, task, *answers in beside(place, lambda b: b.create(), claim, claim):
        [late] = refusals(*answers)
        assert isinstance(late, WrongStatus)
        assert len(board.runs(task)) == 1


def test_two_dispatchers_never_start_one_task_twice(place):
    def prepare(board):
        for task in board.ask("task.list", status=["ready"]).items:
            board.ask("task.cancel", id=task.id)
        return [board.create(command={"argv": ["x"]}) for _ in range(3)]

    def take(board, _tasks):
        return [one.task.id for one in board.take(most=2)]

    for board, tasks, one, other in beside(place, prepare, take, take):
        assert sorted([*one, *other]) == sorted({*one, *other})
        assert {*one, *other} <= {*tasks}
        assert len(one) == 2 or len(other) == 2
        for task in tasks:
            assert len(board.runs(task)) <= 1


def test_two_parents_that_end_at_once_promote_their_child(place):
    def prepare(board):
        one, two = board.create(), board.create()
        return one, two, board.create(parents=[one, two])

    for board, (_one, _two, child), *answers in beside(
        place,
        prepare,
        lambda b, given: b.ask("task.complete", id=given[0]),
        lambda b, given: b.ask("task.complete", id=given[1]),
    ):
        assert refusals(*answers) == []
        assert board.status(child) == "ready"
        assert board.kinds(child).count("promoted") == 1


def test_two_links_that_would_close_a_circle_are_not_both_made(place):
    for _board, _given, *answers in beside(
        place,
        lambda b: (b.create(), b.create()),
        lambda b, given: b.ask("task.link", parent=given[0], child=given[1]),
        lambda b, given: b.ask("task.link", parent=given[1], child=given[0]),
    ):
        [refused] = refusals(*answers)
        assert isinstance(refused, GuardFailed)
        assert "circle" in refused.message


def test_two_who_create_with_one_key_get_one_task(place):
    keys = iter(range(100))

    def create(board, key):
        return board.ask("task.create", title="x", idempotency_key=key)

    for board, key, one, other in beside(place, lambda _b: f"key {next(keys)}", create, create):
        assert one.task.id == other.task.id
        assert [one.created, other.created].count(True) == 1
        assert board.kinds(one.task.id) == ["created"], key


def test_the_same_request_sent_twice_at_once_has_one_effect_and_one_answer(place):
    numbers = iter(range(100))

    def create(board, number):
        return board.ask("task.create", title="x", request_id=f"request {number}")

    for board, number, one, other in beside(place, lambda _b: next(numbers), create, create):
        assert one == other
        assert len(board.ask("task.list").items) == number + 1


def test_a_worker_that_completes_while_it_is_cancelled_does_one_of_both(place):
    def prepare(board):
        task = at(board, "running")
        return task, credentials(board, task)

    for board, (task, _credentials), *answers in beside(
        place,
        prepare,
        lambda b, given: b.ask_as(*given[1], "task.complete", id=given[0]),
        lambda b, given: b.ask("task.cancel", id=given[0]),
    ):
        assert len(refusals(*answers)) == 1
        [run] = board.runs(task)
        assert (board.status(task), run.outcome) in (
            ("done", "completed"),
            ("cancelled", "cancelled"),
        )


def test_a_child_that_is_claimed_while_its_parent_is_reopened_keeps_the_board_in_order(place):
    def prepare(board):
        parent = board.create()
        child = board.create(parents=[parent])
        board.ask("task.complete", id=parent)
        return parent, child

    for board, (_parent, child), *answers in beside(
        place,
        prepare,
        lambda b, given: b.claim(given[1]),
        lambda b, given: b.ask("task.reopen", id=given[0]),
    ):
        assert board.status(child) == ("todo" if refusals(*answers) else "running")


def test_a_dependency_that_ends_while_a_worker_waits_for_it_lets_it_go_on(place):
    def prepare(board):
        other, task = board.create(), at(board, "running")
        return other, task, credentials(board, task)

    for board, (_other, task, _credentials), *answers in beside(
        place,
        prepare,
        lambda b, given: b.ask_as(
            *given[2], "task.block", id=given[1], reason="r", kind="dependency", on=given[0]
        ),
        lambda b, given: b.ask("task.complete", id=given[0]),
    ):
        waited = refusals(*answers)
        assert board.status(task) == ("running" if waited else "ready"), waited


def test_many_who_pull_at_once_each_get_a_task_of_their_own(place):
    boards = [place.open() for _ in range(4)]
    tasks = {boards[0].create() for _ in range(20)}

    def pull(board):
        taken = []
        while True:
            try:
                taken.append(board.claim().task)
            except NotFound:
                return taken

    with ThreadPoolExecutor(4) as pool:
        taken = [task for some in pool.map(pull, boards) for task in some]
    # On PostgreSQL a task that another one is just taking is left out, so a client may leave early.
    assert sorted(taken) == sorted({*taken})
    assert {*taken} == tasks
    assert boards[0].findings() == []
