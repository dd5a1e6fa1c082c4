"""Subscriptions: who is told of what, once, until when; and what is never shown of a target."""

import json

import pytest

from shopfloor.domain.errors import Invalid, NotFound, WrongStatus
from shopfloor.domain.settings import Settings
from shopfloor.domain.settings_notify import Notify, Sink
from tests.support.schedules import HOUR, Floor
from tests.support.telling import (
    OTHER,
    SOON,
    came,
    finish,
    kinds,
    subscribed,
    take,
    told,
)


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


def test_what_was_under_way_when_its_subscription_was_ended_is_not_sent_again(board):
    number = subscribed(board)
    finish(board, board.create())
    board.clock.advance(SOON)
    row = take(board)
    board.ask("subscription.remove", id=number)
    came(board, row, ok=False, error="no")
    assert [one.state for one in told(board)] == ["dropped"]
    assert board.ask("task.list").items[0].undelivered is None


def test_a_task_that_was_told_of_in_a_dropped_message_is_no_trouble_any_more(board):
    number = subscribed(board)
    for _ in range(2):
        finish(board, board.create())
    board.clock.advance(SOON)
    came(board, take(board), ok=False, error="no")
    assert [one.undelivered for one in board.ask("task.list").items] == ["no", "no"]
    board.ask("subscription.remove", id=number)
    assert [one.undelivered for one in board.ask("task.list").items] == [None, None]


def test_a_schedules_subscribers_hear_of_what_it_makes_and_of_what_comes_from_that(board):
    asked = {"rule": "every day at 9", "zone": "UTC", "title": "nightly"}
    for name in ("nightly", "other"):
        board.ask("schedule.add", name=name, **asked)
    number = subscribed(board, schedule="nightly")
    [shown] = board.ask("subscription.list").items
    assert shown.about == "schedule:nightly"
    made = [board.ask("schedule.run", name=name).task for name in ("nightly", "other")]
    for task in (made[0], board.create(origin=made[0]), made[1], board.create()):
        finish(board, task)
    assert [task for task, _ in kinds(board)] == [made[0], made[0] + 2]
    board.ask("schedule.remove", name="nightly")
    [ended] = board.ask("subscription.list", everyone=True).items
    assert (ended.id, ended.ended_why) == (number, "its schedule nightly was removed")
    with pytest.raises(NotFound, match="no schedule 'nightly'"):
        subscribed(board, schedule="nightly")


def test_who_wants_to_hears_of_a_due_time_that_put_nothing_on_the_board(board):
    floor = Floor(board)
    for name in ("nightly", "weekly"):
        floor.add("every 1h", name, name=name, overlap="skip")
    subscribed(board, schedule="nightly", kinds=["schedule_held"])
    subscribed(board, OTHER, kinds=["schedule_held", "completed"])
    for _ in range(2):
        floor.after(HOUR)
    assert [(one.task, one.kind, one.title) for one in told(board)] == [
        (None, "schedule_held", "nightly"),
        (None, "schedule_held", "nightly"),
        (None, "schedule_held", "weekly"),
    ]
    board.clock.advance(SOON)
    one = take(board)
    assert one.message is not None
    assert json.loads(one.message)["title"] == "⏸ nightly: put no task on the board"
    assert "skipped: #1 of the firing before is still" in json.loads(one.message)["text"]
    both = json.loads(take(board, OTHER).message)
    assert both["title"] == "2 events of 2 schedules: 2 put no task on the board"
    assert both["task"] is None


def test_a_subscription_is_to_one_thing_and_its_target_must_be_one(board):
    with pytest.raises(Invalid, match="to one thing"):
        subscribed(board, task=1, tenant="x")
    for wrong in (
        "",
        "mail:x",
        "webhook:ftp://x",
        "webhook:",
        "desktop:x",
        "chat:X",
        "command:a b",
    ):
        with pytest.raises(Invalid):
            subscribed(board, wrong)
    with pytest.raises(Invalid, match=r"no section .sinks.mine"):
        subscribed(board, "command:mine")


def test_no_list_and_no_event_shows_what_may_be_a_secret_of_a_target(board):
    task = board.create()
    for target in ("webhook:https://bob:pw@host.example/T0KEN?k=v", "apprise:tgram://T0KEN/chat"):
        subscribed(board, target, task=task)
    finish(board, task)
    board.clock.advance(SOON)
    came(
        board,
        take(board, "apprise:tgram://T0KEN/chat"),
        ok=False,
        error="no",
        again=False,
    )
    shown = [
        str(board.ask("subscription.list")),
        str(told(board)),
        str(board.data(task, "undelivered")),
    ]
    for words in shown:
        assert "T0KEN" not in words and "pw" not in words
    assert "webhook:https://host.example/…" in shown[0] and "apprise:tgram://…" in shown[0]


def test_the_settings_are_shown_without_their_secrets(board):
    notify = Notify(secrets={"telegram": "T0KEN"}, webhook_secret="S1GN")
    board.settings = Settings(notify=notify, sinks={"x": Sink("x", url="http://h/S1NK")})
    shown = str(board.ask("board.settings"))
    assert "telegram" in shown
    assert not [secret for secret in ("T0KEN", "S1GN", "S1NK") if secret in shown]
