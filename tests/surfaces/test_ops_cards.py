"""The board's cards: columns, counts and pages; what stands on a card; and that its reason is the one `why` gives."""

import pytest

from shopfloor.domain.errors import Invalid
from shopfloor.domain.lifecycle import Status
from shopfloor.ops import cards
from shopfloor.store import cards as stored
from tests.support.places import board, board_database, board_url, place
from tests.support.walk import at, lead

__all__ = ["board", "board_database", "board_url", "place"]


def columns(board, **args):
    return {one.status: one for one in board.ask("task.cards", **args).columns}


def card(board, task_id):
    found = columns(board, ids=[task_id])
    (only,) = [one for column in found.values() for one in column.items]
    return only


def test_every_status_has_a_column_with_its_count_and_archived_ones_are_asked_for(board):
    made = {status: at(board, status) for status in Status}
    found = columns(board)
    assert list(found) == [status.value for status in Status if status is not Status.ARCHIVED]
    for name, column in found.items():
        assert made[Status(name)] in [one.id for one in column.items]
        assert column.count == len(column.items)
    assert columns(board, statuses=["archived"])["archived"].items[0].id == made[Status.ARCHIVED]


def test_open_columns_go_by_priority_and_age_and_ended_ones_by_their_end(board):
    low, high, next_low = board.create(), board.create(priority=3), board.create()
    first, second = board.create(), board.create()
    for done in (second, first):
        board.clock.advance(1_000)
        lead(board, done, Status.DONE)
    found = columns(board)
    assert [one.id for one in found["ready"].items] == [high, low, next_low]
    assert [one.id for one in found["done"].items] == [first, second]


@pytest.mark.parametrize("status", ["ready", "done"])
@pytest.mark.parametrize("words", [None, "task"])
@pytest.mark.parametrize("many", [2_000, 2])
def test_the_pages_of_a_column_have_every_task_once(board, monkeypatch, status, words, many):
    # However many there are: few are looked at one by one, many are found by the latest events.
    monkeypatch.setattr(cards, "LOOKED_AT", many)
    monkeypatch.setattr(stored, "FIRST_WINDOW", 3)
    made = {board.create(priority=number % 3, title="a task") for number in range(7)}
    ended = sorted(made, key=lambda number: (number % 2, number)) if status == "done" else []
    for number in ended:
        lead(board, number, Status.DONE)
    seen, after = [], None
    while True:
        more = {} if after is None else {"after": after}
        column = columns(board, statuses=[status], limit=3, text=words, **more)[status]
        assert column.count == 7
        seen += [one.id for one in column.items]
        after = column.next
        if after is None:
            break
    assert sorted(seen) == sorted(made)
    if status == "done":
        assert seen == ended[::-1]


def test_filters_narrow_the_cards_and_the_counts_alike(board):
    mine = board.create(assignee="ann", tenant="acme", title="Paint the door")
    board.create(assignee="bob", title="Paint the wall")
    nobody = board.create(title="50%_off")
    for args, expected in (
        ({"assignee": "ann"}, [mine]),
        ({"assignee": ""}, [nobody]),
        ({"tenant": "acme"}, [mine]),
        ({"text": "paint THE d"}, [mine]),
        ({"text": "%_"}, [nobody]),
    ):
        ready = columns(board, **args)["ready"]
        assert ([one.id for one in ready.items], ready.count) == (expected, len(expected))
        named = columns(board, ids=[mine, nobody], **args)["ready"]
        assert [one.id for one in named.items] == expected


def test_cards_are_found_by_their_numbers_wherever_they_are(board):
    ready, archived = board.create(), at(board, Status.ARCHIVED)
    page = board.ask("task.cards", ids=[archived, 999, ready, ready])
    found = {one.status: [card.id for card in one.items] for one in page.columns if one.items}
    assert found == {"ready": [ready], "archived": [archived]}
    assert page.last == board.ask("event.list", limit=1).last


def test_a_card_says_what_belongs_to_its_task(board):
    root = board.create(title="Root", priority=2)
    part = board.create(origin=root)
    board.create(origin=root)
    lead(board, part, Status.DONE)
    board.ask("task.comment", id=root, body="look here")
    shown = card(board, root)
    assert (shown.title, shown.priority) == ("Root", 2)
    assert (shown.progress_done, shown.progress_total, shown.comments) == (1, 2, 1)
    assert shown.cost_micros is None


def test_a_card_counts_what_is_wrong_with_its_task(board):
    well, lost = board.create(command={"argv": ["true"]}), board.create(assignee="ghost")
    assert card(board, well).diagnostics == 0
    assert card(board, lost).diagnostics == len(board.ask("diagnostics.list", id=lost).items) > 0


def test_an_age_counts_from_the_last_change_of_status_and_not_from_an_edit(board):
    task = board.create()
    born = card(board, task).since
    board.clock.advance(60_000)
    board.ask("task.edit", id=task, title="Another name")
    assert card(board, task).since == born


def test_a_running_card_says_what_its_worker_does(board):
    task = at(board, Status.RUNNING)
    now = card(board, task).now
    assert now.attempt == 1
    assert now.run == board.task(task).current_run
    assert card(board, board.create()).now is None


@pytest.mark.parametrize(
    "asked",
    [
        {"statuses": ["nowhere"]},
        {"after": "1:2"},
        {"statuses": ["ready"], "after": "soon"},
        {"statuses": ["ready"], "after": "1:-2"},
        {"statuses": ["ready"], "after": "9" * 40 + ":1"},
    ],
)
def test_what_is_no_column_or_no_cursor_is_refused(board, asked):
    with pytest.raises(Invalid):
        board.ask("task.cards", **asked)
