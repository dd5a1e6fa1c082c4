"""Death after each statement of what has to do with messages: an event and its messages are stored together."""

import pytest

from shopfloor.kernel import deliveries as sending
from tests.kernel import test_deaths
from tests.kernel.test_deaths import Scene, asks
from tests.support.telling import HOOK, OTHER, SOON, came, finish, subscribed, take, told


def followed(board):
    """A task that two targets follow."""
    task = board.create()
    for target in (HOOK, OTHER):
        subscribed(board, target, task=task)
    return task


def sending_now(board):
    """A message of three events that is being sent."""
    subscribed(board)
    for _ in range(3):
        finish(board, board.create())
    board.clock.advance(SOON)
    return take(board)


def given_up(board):
    row = sending_now(board)
    came(board, row, ok=False, error="no", again=False)
    return row.id


def waiting(board):
    number = subscribed(board)
    finish(board, board.create())
    return number


SCENES = [
    asks("task.complete", followed, summary="done"),
    asks("task.archive", followed),
    asks("task.delete", followed),
    Scene(
        "subscribe",
        lambda b: b.create(),
        lambda b, t: b.ask("subscription.add", request_id="r", target=HOOK, task=t),
    ),
    asks("subscription.remove", waiting),
    asks("delivery.retry", given_up),
    Scene("it arrived", sending_now, lambda b, row: came(b, row, ok=True)),
    Scene("it is given up", sending_now, lambda b, row: came(b, row, ok=False, again=False)),
    Scene(
        "its sender died",
        sending_now,
        lambda b, _row: b.write(lambda tx: sending.begin_anew(tx, "here")),
    ),
]


@pytest.mark.parametrize("scene", SCENES, ids=[scene.name for scene in SCENES])
def test_a_death_at_any_statement_leaves_messages_as_before_or_as_after(place, scene):
    test_deaths.test_a_death_at_any_statement_leaves_the_board_as_before_or_as_after(place, scene)


def test_what_waits_is_told_after_the_death_of_all_that_was_open(place):
    board = place.open()
    task = followed(board)
    finish(board, task)
    board.close()
    again = place.open()
    again.clock.advance(SOON)
    assert [one.state for one in told(again)] == ["waiting", "waiting"]
    assert take(again) is not None
