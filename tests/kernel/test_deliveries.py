"""Subscriptions and deliveries: who is told what, once, and what becomes of a message that does not arrive."""

import json

import pytest

from shopfloor.domain.errors import Conflict, Invalid, NotFound, WrongStatus
from shopfloor.domain.notices import Sent
from shopfloor.kernel import deliveries as sending
from shopfloor.kernel.deliveries import Sender
from shopfloor.store import deliveries

HOOK = "webhook:http://127.0.0.1:9/hook"
OTHER = "desktop:"
SOON, LATER = 1_000, 10_000
BACKOFFS = (60_000, 300_000, 1_800_000)


def subscribed(board, target=HOOK, **args):
    return board.ask("subscription.add", target=target, **args).id


def told(board, **args):
    """The deliveries, oldest first."""
    return board.ask("delivery.list", limit=1_000, **args).items[::-1]


def kinds(board, **args):
    return [(one.task, one.kind) for one in told(board, **args)]


def take(board, target=HOOK):
    """The next message for a target as its sender gets it, or None."""
    sender = Sender("here", 120_000, "floor", "http://x", lambda: "key")
    return board.write(lambda tx: sending.take(tx, sender, target))


def came(board, row, **what):
    return board.write(lambda tx: sending.record(tx, row.id, row.sends, Sent(**what)))


def state(board, number):
    return next(one for one in told(board) if one.id == number)


def finish(board, task):
    board.ask("task.complete", id=task, summary="all done\nand more")


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


@pytest.mark.parametrize(
    ("about", "mine", "not_mine"),
    [
        ({"tenant": "acme"}, {"tenant": "acme"}, {"tenant": "other"}),
        ({"assignee": "a"}, {"assignee": "a"}, {"assignee": "b"}),
        ({}, {}, None),
    ],
)
def test_a_subscription_tells_what_it_is_about_and_nothing_else(board, about, mine, not_mine):
    subscribed(board, **about)
    for one in filter(lambda given: given is not None, (mine, not_mine)):
        finish(board, board.create(**one))
    assert kinds(board) == [(1, "completed")]


def test_only_the_kinds_that_were_chosen_are_told(board):
    task = board.create()
    subscribed(board, task=task, kinds=["commented"])
    board.ask("task.comment", id=task, body="hello")
    finish(board, task)
    assert kinds(board) == [(task, "commented")]
    with pytest.raises(Invalid, match="no kind of event that is told"):
        subscribed(board, task=task, kinds=["sneezed"])


def test_the_same_again_is_the_same_subscription_and_another_thread_is_another(board):
    task = board.create()
    first = board.ask("subscription.add", target="chat:telegram/1/7", task=task)
    again = board.ask("subscription.add", target="chat:telegram/1/7", task=task)
    other = board.ask("subscription.add", target="chat:telegram/1/8", task=task)
    wider = board.ask("subscription.add", target="chat:telegram/1/7", task=task, kinds=["all"])
    assert (first.created, again.created, again.changed) == (True, False, False)
    assert (wider.id, wider.created, wider.changed) == (first.id, False, True)
    assert again.id == first.id != other.id
    finish(board, task)
    assert len(told(board)) == 2


def test_a_target_that_is_subscribed_in_two_ways_hears_of_an_event_once(board):
    task = board.create()
    subscribed(board)
    subscribed(board, task=task)
    subscribed(board, OTHER)
    finish(board, task)
    assert sorted(one.target for one in told(board)) == [
        "desktop:",
        "webhook:http://127.0.0.1:9/…" + told(board)[0].target[-6:],
    ]


def test_archiving_ends_the_subscriptions_of_a_task_and_reopening_keeps_them(board):
    task = board.create()
    subscribed(board, task=task, kinds=["completed", "archived"])
    finish(board, task)
    board.ask("task.reopen", id=task)
    finish(board, task)
    board.ask("task.archive", id=task)
    assert [kind for _, kind in kinds(board)] == ["completed", "completed", "archived"]
    [ended] = board.ask("subscription.list", everyone=True).items
    assert ended.ended_why == "its task was archived"
    assert not board.ask("subscription.list").items
    with pytest.raises(WrongStatus, match="archived"):
        subscribed(board, task=task)


def test_deleting_a_task_ends_its_subscriptions_and_what_is_stored_is_still_sent(board):
    task = board.create()
    subscribed(board, task=task)
    finish(board, task)
    board.ask("task.delete", id=task)
    assert not board.ask("subscription.list").items
    board.clock.advance(SOON)
    assert take(board) is not None


def test_what_comes_from_a_task_is_told_to_its_subscribers_whenever_it_was_made(board):
    root = board.create("root")
    before = board.create("before", origin=root)
    subscribed(board, task=root)
    after = board.create("after", origin=before)
    stranger = board.create("stranger")
    for task in (before, after, stranger):
        finish(board, task)
    assert kinds(board) == [(before, "completed"), (after, "completed")]


def test_a_person_ends_a_subscription_and_what_waits_for_it_is_dropped(board):
    number = subscribed(board)
    task = board.create()
    finish(board, task)
    ended = board.ask("subscription.remove", id=number)
    assert ended.ended_why == "ann ended it"
    assert [one.state for one in told(board)] == ["dropped"]
    board.ask("task.reopen", id=task)
    finish(board, task)
    assert len(told(board)) == 1
    assert subscribed(board) != number
    with pytest.raises(NotFound, match="no subscription 99"):
        board.ask("subscription.remove", id=99)


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
