"""Messages: what they say, when they are sent again, and what becomes of one that does not arrive."""

import json
import threading
from collections import Counter

import pytest

from shopfloor.domain.errors import Conflict
from shopfloor.kernel import deliveries as sending
from shopfloor.store import deliveries
from tests.support.telling import (
    HOOK,
    OTHER,
    SOON,
    came,
    finish,
    state,
    subscribed,
    take,
    told,
)

LATER = 10_000
BACKOFFS = (60_000, 300_000, 1_800_000)


def test_a_task_that_is_completed_is_told_with_the_first_line_of_its_summary(board):
    task = board.create("Fix the door")
    subscribed(board, task=task)
    finish(board, task)
    board.clock.advance(SOON)
    message = json.loads(take(board).message)
    assert message["title"] == f"✔ #{task} Fix the door: completed"
    assert message["text"] == "all done"
    assert message["link"] == f"http://x/b/floor/t/{task}"
    assert message["id"] == "key"


def test_a_burst_is_one_message_with_a_count_and_each_row_says_where_it_went(board):
    subscribed(board)
    subscribed(board, OTHER)
    for _ in range(50):
        finish(board, board.create("many"))
    board.clock.advance(SOON)
    row = take(board)
    message = json.loads(row.message)
    assert message["count"] == 50 and message["title"] == "50 events of 50 tasks: 50 completed"
    assert message["text"].endswith("… and 40 more")
    assert len(message["events"]) == 50
    carried = [one for one in told(board) if one.state == "carried"]
    assert len(carried) == 49 and {one.carried_by for one in carried} == {row.id}
    assert take(board) is None
    assert json.loads(take(board, OTHER).message)["count"] == 50


def test_after_a_message_the_next_events_gather_for_a_while(board):
    subscribed(board)
    finish(board, board.create())
    board.clock.advance(SOON)
    came(board, take(board), ok=True)
    for _ in range(3):
        finish(board, board.create())
    board.clock.advance(SOON)
    assert take(board) is None
    board.clock.advance(LATER)
    assert json.loads(take(board).message)["count"] == 3


def test_a_message_is_sent_four_times_and_then_given_up_with_its_last_error(board):
    task = board.create()
    subscribed(board, task=task)
    finish(board, task)
    board.clock.advance(SOON)
    texts = []
    for wait_ms in (*BACKOFFS, None):
        row = take(board)
        texts.append(row.message)
        came(board, row, ok=False, error="it answered 502")
        one = state(board, row.id)
        assert one.state == ("given_up" if wait_ms is None else "waiting")
        if wait_ms is not None:
            board.clock.advance(wait_ms - 1)
            assert take(board) is None
            board.clock.advance(1)
    assert len({*texts}) == 1
    assert (one.tries, one.error) == (4, "it answered 502")
    [line] = board.ask("task.list").items
    assert line.undelivered == "it answered 502" and line.last_error is None
    [seen] = board.ask("task.show", id=task).undelivered
    assert (seen.delivery, seen.state, seen.error) == (row.id, "given_up", "it answered 502")
    assert board.status(task) == "done" and len(board.runs(task)) == 1
    assert board.kinds(task)[-1] == "undelivered"


def test_a_message_that_was_given_up_is_sent_again_at_any_time_and_the_mark_goes(board):
    task = board.create()
    subscribed(board, task=task)
    finish(board, task)
    board.clock.advance(SOON)
    row = take(board)
    came(board, row, ok=False, error="the file is missing", again=False)
    assert state(board, row.id).state == "given_up"
    board.clock.advance(10**9)
    assert take(board) is None
    board.ask("delivery.retry", id=row.id)
    again = take(board)
    assert (again.id, again.message, again.tries, again.sends) == (row.id, row.message, 1, 2)
    with pytest.raises(Conflict, match="being sent"):
        board.ask("delivery.retry", id=row.id)
    came(board, again, ok=True)
    assert board.ask("task.list").items[0].undelivered is None
    board.ask("delivery.retry", id=row.id)
    assert take(board).sends == 3


def test_those_that_were_carried_share_the_trouble_and_are_sent_again_with_it(board):
    tasks = [board.create() for _ in range(3)]
    subscribed(board)
    for task in tasks:
        finish(board, task)
    board.clock.advance(SOON)
    row = take(board)
    came(board, row, ok=False, error="no", again=False)
    assert [line.undelivered for line in board.ask("task.list").items] == ["no"] * 3
    last = told(board)[-2].id
    assert board.ask("delivery.retry", id=last).id == row.id
    came(board, take(board), ok=True)
    assert [line.undelivered for line in board.ask("task.list").items] == [None] * 3


def test_retry_after_is_kept_to(board):
    subscribed(board)
    finish(board, board.create())
    board.clock.advance(SOON)
    came(board, take(board), ok=False, error="429", retry_after_ms=7_000)
    board.clock.advance(6_999)
    assert take(board) is None
    board.clock.advance(1)
    assert take(board).tries == 2


def test_who_asks_for_short_waits_is_not_given_up_before_who_says_nothing(board):
    subscribed(board)
    finish(board, board.create())
    board.clock.advance(SOON)
    first = take(board)
    for _ in range(3):
        came(board, take(board) or first, ok=False, error="429", retry_after_ms=1_000)
        board.clock.advance(1_000)
    waits = 0
    while (row := take(board)) is not None:
        came(board, row, ok=False, error="429", retry_after_ms=1_000)
        board.clock.advance(BACKOFFS[0])
        waits += 1
    assert waits == pytest.approx(sum(BACKOFFS) / BACKOFFS[0], abs=2)
    assert state(board, first.id).state == "given_up"


@pytest.mark.parametrize("asked_ms", [0, 500])
def test_who_asks_for_no_wait_at_all_is_not_given_up_within_seconds(board, asked_ms):
    """As a receiver does whose clock is behind: its date has passed when it comes here."""
    subscribed(board)
    finish(board, board.create())
    board.clock.advance(SOON)
    began = board.clock()
    while (row := take(board)) is not None:
        came(board, row, ok=False, error="429", retry_after_ms=asked_ms)
        assert take(board) is None
        waiting = state(board, row.id)
        if waiting.state == "waiting":
            board.clock.advance(round(waiting.next_at.timestamp() * 1000) - board.clock())
    assert state(board, told(board)[0].id).state == "given_up"
    assert board.clock() - began >= sum(BACKOFFS)


def test_a_message_that_is_sent_again_much_later_has_all_its_time_before_it(board):
    subscribed(board)
    finish(board, board.create())
    board.clock.advance(SOON)
    row = take(board)
    came(board, row, ok=False, error="no", again=False)
    board.clock.advance(10**9)
    board.ask("delivery.retry", id=row.id)
    for wait_ms in BACKOFFS:
        came(board, take(board), ok=False, error="429", retry_after_ms=5_000)
        board.clock.advance(wait_ms - 1)
        assert take(board) is None
        board.clock.advance(1)
    came(board, take(board), ok=False, error="429", retry_after_ms=5_000)
    assert state(board, row.id).state == "given_up"


def test_a_clock_that_was_ahead_keeps_no_subscription_silent(board):
    subscribed(board)
    finish(board, board.create())
    board.clock.advance(10**10)
    came(board, take(board), ok=True)
    board.clock.advance(-(10**10))
    finish(board, board.create())
    board.clock.advance(LATER)
    assert take(board) is not None


def test_retries_that_are_due_go_before_what_is_new(board):
    subscribed(board)
    finish(board, board.create())
    board.clock.advance(SOON)
    first = take(board)
    came(board, first, ok=False, error="no")
    finish(board, board.create())
    board.clock.advance(BACKOFFS[0])
    assert take(board).id == first.id
    assert take(board).id != first.id


def test_a_sender_that_died_is_noticed_and_its_late_answer_changes_nothing(board):
    subscribed(board)
    finish(board, board.create())
    board.clock.advance(SOON)
    late = take(board)
    board.write(lambda tx: sending.begin_anew(tx, "here"))
    again = take(board)
    assert (again.id, again.message, again.sends) == (late.id, late.message, 2)
    assert not came(board, late, ok=True)
    assert came(board, again, ok=True)
    assert not came(board, again, ok=False, error="no")
    assert state(board, again.id).state == "sent"


def test_a_message_whose_senders_all_die_is_given_up(board):
    subscribed(board)
    finish(board, board.create())
    board.clock.advance(SOON)
    for _ in range(4):
        row = take(board)
        board.clock.advance(120_000)
        board.write(sending.expire)
    assert state(board, row.id).state == "given_up"
    assert "did not come back" in state(board, row.id).error


def test_the_attachments_of_a_completed_task_go_along_where_that_was_asked_for(board):
    task = board.create()
    subscribed(board, task=task, files=True)
    subscribed(board, OTHER, task=task)
    board.ask("task.attach", id=task, name="a.txt", content="eA==")
    finish(board, task)
    board.clock.advance(SOON)
    [file] = json.loads(take(board).message)["files"]
    assert (file["task"], file["name"], file["size"]) == (task, "a.txt", 1)
    assert json.loads(take(board, OTHER).message)["files"] == []


def test_a_chat_bridge_takes_its_own_messages_and_reports_them(board):
    task = board.create()
    subscribed(board, "chat:telegram/1/7", task=task)
    subscribed(board, "chat:other/1", task=task)
    finish(board, task)
    board.clock.advance(SOON)
    [taken] = board.ask("delivery.take", platform="telegram", limit=10)
    assert taken.target == "chat:telegram/1/7" and taken.message["count"] == 1
    assert board.ask("delivery.take", platform="telegram") == []
    told_ = board.ask("delivery.report", id=taken.id, ok=False, error="flood", retry_after_ms=5_000)
    assert told_.taken and told_.state == "waiting"
    board.clock.advance(5_000)
    [again] = board.ask("delivery.take", platform="telegram")
    board.clock.advance(60_000)
    [last] = board.ask("delivery.take", platform="telegram")
    assert not board.ask("delivery.report", id=again.id, send=again.send, ok=True).taken
    assert board.ask("delivery.report", id=last.id, send=last.send, ok=True).state == "sent"


def test_the_lanes_are_the_targets_that_something_waits_for(board):
    for target in (OTHER, HOOK):
        subscribed(board, target)
    finish(board, board.create())
    now = board.clock()
    lanes = board.read(sending.due).lanes
    assert lanes == [
        deliveries.Lane(OTHER, None, now + SOON),
        deliveries.Lane(HOOK, None, now + SOON),
    ]
    board.clock.advance(SOON)
    came(board, take(board, OTHER), ok=False, error="no")
    assert board.read(sending.due).lanes[0] == deliveries.Lane(OTHER, now + SOON + 60_000, None)


def test_a_blocked_task_says_why(board):
    subscribed(board)
    board.ask("task.block", id=board.create(), reason="which colour?\nred or blue")
    assert [(one.kind, one.words) for one in told(board)] == [("blocked", "which colour?")]


def test_old_messages_are_forgotten_with_old_events(board):
    subscribed(board)
    for _ in range(2):
        finish(board, board.create())
    board.clock.advance(SOON)
    came(board, take(board), ok=True)
    assert board.ask("admin.gc", event_days=1).deliveries == 0
    board.clock.advance(2 * 86_400_000)
    assert board.ask("admin.gc", event_days=1).deliveries == 1
    assert told(board) == []


def test_two_senders_at_once_send_each_message_once(place):
    """Two threads take from the same targets until nothing is left; nobody gets what another has."""
    board = place.open(connections=4)
    targets = [f"{HOOK}/{number}" for number in range(5)]
    for target in targets:
        for number in range(4):
            subscribed(board, target, tenant=f"t{number}")
    for number in range(4):
        for _ in range(3):
            finish(board, board.create(tenant=f"t{number}"))
    board.clock.advance(SOON)
    taken: list[int] = []

    def sender():
        while rows := [row for target in targets if (row := take(board, target)) is not None]:
            taken.extend(row.id for row in rows)
            for row in rows:
                came(board, row, ok=True)

    threads = [threading.Thread(target=sender) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == len({*taken})
    states = Counter(one.state for one in told(board))
    assert states["sent"] == len(taken) and states["sent"] + states["carried"] == 60
    assert sum(one.count for one in told(board) if one.state == "sent") == 60
    place.close()
